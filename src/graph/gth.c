#include <stdlib.h>
#include <string.h>
#include "internal.h"

enum err gth_init(struct gth *x, struct graph_scratch *s, size_t n)
{
	size_t need = n * n + 2 * n;

	if (n > GRAPH_MAX_COMPONENT)
		return ERR_PRECISION;
	if (need > s->dense_capacity) {
		free(s->dense);
		s->dense_capacity = 0;
		s->dense = malloc(need * sizeof(*s->dense));
		if (!s->dense)
			return ERR_NOMEM;
		s->dense_capacity = need;
	}
	memset(s->dense, 0, need * sizeof(*s->dense));
	*x = (struct gth){ .n = n, .step = s->dense, .leave = s->dense + n * n, .pivot = s->dense + n * n + n };
	return OK;
}

void gth_factor(struct gth *x)
{
	size_t n = x->n;

	for (size_t k = n; k-- > 0;) {
		const double *row = x->step + k * n;
		double pivot = x->leave[k];

		for (size_t b = 0; b < k; b++)
			pivot += row[b];
		x->pivot[k] = pivot;
		if (pivot <= 0)
			continue; /* nothing ever leaves it, and nothing it holds counts */
		for (size_t a = 0; a < k; a++) {
			double *other = x->step + a * n, factor = other[k] / pivot;

			if (factor <= 0)
				continue;
			for (size_t b = 0; b < k; b++)
				other[b] += factor * row[b];
			x->leave[a] += factor * x->leave[k];
		}
	}
}

static double over(double value, double pivot)
{
	return pivot > 0 ? value / pivot : 0;
}

/* Of what enters below `end` alone: the first `end` members' visits. */
static void visits_below(const struct gth *x, double *vector, size_t end)
{
	size_t n = x->n;

	for (size_t k = end; k-- > 1;) {
		double passed = over(vector[k], x->pivot[k]);

		if (passed > 0) {
			for (size_t b = 0; b < k; b++)
				vector[b] += passed * x->step[k * n + b];
		}
	}
	for (size_t k = 0; k < end; k++) {
		double sum = vector[k];

		for (size_t a = 0; a < k; a++)
			sum += vector[a] * x->step[a * n + k];
		vector[k] = over(sum, x->pivot[k]);
	}
}

void gth_visits(const struct gth *x, double *vector)
{
	visits_below(x, vector, x->n);
}

double gth_diagonal(const struct gth *x, size_t member, double *work)
{
	memset(work, 0, (member + 1) * sizeof(*work));
	work[member] = 1;
	visits_below(x, work, member + 1);
	return work[member];
}

void gth_reach(const struct gth *x, double *vector)
{
	size_t n = x->n;

	for (size_t k = n; k-- > 1;) {
		double value = over(vector[k], x->pivot[k]);

		if (value > 0) {
			for (size_t a = 0; a < k; a++)
				vector[a] += x->step[a * n + k] * value;
		}
	}
	for (size_t k = 0; k < n; k++) {
		double sum = vector[k];

		for (size_t b = 0; b < k; b++)
			sum += x->step[k * n + b] * vector[b];
		vector[k] = over(sum, x->pivot[k]);
	}
}

void gth_reach_first(const struct gth *x, double *ret_reach)
{
	size_t n = x->n;

	ret_reach[0] = 1;
	for (size_t k = 1; k < n; k++) {
		double sum = 0;

		for (size_t b = 0; b < k; b++)
			sum += x->step[k * n + b] * ret_reach[b];
		ret_reach[k] = over(sum, x->pivot[k]);
	}
}
