/* Votes that are small whole numbers: the chance of every sum of votes, where each voter is in the coalition with the same chance.
 * At one half that is Banzhaf's index. Shapley and Shubik's is the mean over all chances from 0 to 1, a polynomial in it, so that a
 * Gaussian quadrature of enough points is exact. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "power_internal.h"

#define MOST_CELLS ((size_t)4 << 20)

struct table {
	struct votes *v;
	size_t width; /* sums from 0 to the quota */
	double *before; /* chances of the sums of the voters before the one at hand */
	double *behind; /* by voter: that those behind it have at most a sum */
	double *work;
};

static size_t points(const struct votes *v, bool banzhaf)
{
	return banzhaf ? 1 : ((size_t)v->count + 1) / 2;
}

size_t power_table_cost(const struct votes *v, bool banzhaf)
{
	if (v->quota >= MOST_CELLS || ((size_t)v->quota + 1) * v->count > MOST_CELLS)
		return SIZE_MAX;
	return ((size_t)v->quota + 1) * v->count * 3 * points(v, banzhaf);
}

/* One voter more. */
static void join(double *chances, size_t width, wide vote, double chance)
{
	size_t votes = vote < width ? (size_t)vote : width;

	for (size_t x = width; x-- > votes;)
		chances[x] = (1 - chance) * chances[x] + chance * chances[x - votes];
	for (size_t x = 0; x < votes; x++)
		chances[x] *= 1 - chance;
}

static double decisive(const struct table *t, uint32_t i)
{
	const double *behind = t->behind + i * t->width;
	size_t quota = t->width - 1, votes = t->v->vote[i] < t->width ? (size_t)t->v->vote[i] : t->width;
	double sum = 0;

	for (size_t x = 0; x <= quota; x++) {
		double wins = behind[quota - x] - (quota - x >= votes ? behind[quota - x - votes] : 0);

		sum += t->before[x] * wins;
	}
	return sum;
}

static void add_point(struct table *t, double chance, double weight)
{
	struct votes *v = t->v;

	memset(t->work, 0, t->width * sizeof(*t->work));
	t->work[0] = 1;
	for (uint32_t i = v->count; i-- > 0;) {
		double sum = 0;

		for (size_t x = 0; x < t->width; x++) {
			sum += t->work[x];
			t->behind[i * t->width + x] = sum;
		}
		join(t->work, t->width, v->vote[i], chance);
	}
	memset(t->before, 0, t->width * sizeof(*t->before));
	t->before[0] = 1;
	for (uint32_t i = 0; i < v->count; i++) {
		v->index[i] += weight * decisive(t, i);
		join(t->before, t->width, v->vote[i], chance);
	}
}

/* The k-th of n points of the Gauss-Legendre quadrature over [0, 1], by Newton's method. */
static void legendre(size_t n, size_t k, double *ret_point, double *ret_weight)
{
	double x = cos(3.14159265358979323846 * ((double)k + 0.75) / ((double)n + 0.5)), slope = 1;

	for (int round = 0; round < 100; round++) {
		double last = 1, value = x, step;

		for (size_t j = 2; j <= n; j++) {
			double next = ((double)(2 * j - 1) * x * value - (double)(j - 1) * last) / (double)j;

			last = value;
			value = next;
		}
		slope = (double)n * (x * value - last) / (x * x - 1);
		step = value / slope;
		x -= step;
		if (fabs(step) < 1e-16)
			break;
	}
	*ret_point = (1 - x) / 2;
	*ret_weight = 1 / ((1 - x * x) * slope * slope);
}

enum err power_table(struct votes *v, bool banzhaf)
{
	struct table t = { .v = v, .width = (size_t)v->quota + 1 };
	size_t n = points(v, banzhaf);

	t.before = malloc(t.width * sizeof(double));
	t.work = malloc(t.width * sizeof(double));
	t.behind = malloc(t.width * v->count * sizeof(double));
	if (t.before && t.work && t.behind) {
		for (size_t k = 0; k < n; k++) {
			double chance = 0.5, weight = 1;

			if (!banzhaf && n > 1)
				legendre(n, k, &chance, &weight);
			add_point(&t, chance, weight);
		}
	} else {
		n = 0;
	}
	free(t.before);
	free(t.work);
	free(t.behind);
	return n > 0 ? OK : ERR_NOMEM;
}
