/* Grassmann-Taksar-Heyman elimination of a dense matrix in doubles: what remains of a component that is too dense for lists. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

enum err core_init(struct core *x, struct graph_scratch *s, size_t n)
{
	size_t need = n * n + 2 * n;

	if (n > GRAPH_MAX_CORE)
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
	*x = (struct core){ .n = n, .step = s->dense, .leave = s->dense + n * n, .pivot = s->dense + n * n + n };
	return OK;
}

/* row += factor * other, up to `end`: by itself, so that the compiler knows them apart. */
static void add_scaled(double *restrict row, const double *restrict other, double factor, size_t begin, size_t end)
{
	for (size_t b = begin; b < end; b++)
		row[b] += factor * other[b];
}

void core_factor(struct core *x)
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
			add_scaled(other, row, factor, 0, k);
			x->leave[a] += factor * x->leave[k];
		}
	}
}

static double over(double value, double pivot)
{
	return pivot > 0 ? value / pivot : 0;
}

void core_visits(const struct core *x, double *vector)
{
	size_t n = x->n;

	for (size_t k = n; k-- > 1;) {
		double passed = over(vector[k], x->pivot[k]);

		if (passed > 0)
			add_scaled(vector, x->step + k * n, passed, 0, k);
	}
	for (size_t k = 0; k < n; k++) {
		vector[k] = over(vector[k], x->pivot[k]);
		if (vector[k] > 0)
			add_scaled(vector, x->step + k * n, vector[k], k + 1, n);
	}
}

void core_reach(const struct core *x, double *vector)
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

void core_reach_first(const struct core *x, double *ret_reach)
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
