/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clusters: values that their residuals do not tell apart. Within |A v - t v| of t there is an eigenvalue, so each pair is an
 * interval; those that meet, by their lower ends in ascending order, are one cluster. And outliers: values apart from those
 * behind them. */
#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include "linalg/eigen.h"

typedef struct interval {
    double low, high;
    int64_t pair;
} interval;

static int by_low(const void *a, const void *b)
{
    const interval *x = a, *y = b;

    return x->low != y->low ? (x->low > y->low) - (x->low < y->low) : (x->pair > y->pair) - (x->pair < y->pair);
}

/* To each pair the smallest number of a pair in its cluster. */
static void join(dyn_eigen *e, interval *v)
{
    for (int64_t i = 0, end; i < e->count; i = end) {
        double reach = v[i].high;
        int64_t first = v[i].pair;

        for (end = i + 1; end < e->count && v[end].low <= reach; end++) {
            reach = fmax(reach, v[end].high);
            first = v[end].pair < first ? v[end].pair : first;
        }
        for (int64_t k = i; k < end; k++) {
            e->clusters[v[k].pair] = first;
            e->multiplicities[v[k].pair] = end - i;
        }
    }
}

/* The numbers 0, 1, ... in place of the first pairs. */
static void number(dyn_eigen *e)
{
    int64_t next = 0;

    for (int64_t i = 0; i < e->count; i++)
        e->clusters[i] = e->clusters[i] == i ? next++ : e->clusters[e->clusters[i]];
}

dyn_status dyn__eigen_cluster(dyn_eigen *e)
{
    interval *v = dyn__alloc(e->ctx, (size_t)e->count + 1, sizeof *v);

    if (!v)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < e->count; i++) {
        const double reach = e->residuals[i] + DYN__EIGEN_ROUNDING * e->scale;

        v[i] = (interval){ e->values[i] - reach, e->values[i] + reach, i };
    }
    qsort(v, (size_t)e->count, sizeof *v, by_low);
    join(e, v);
    number(e);
    dyn__free(e->ctx, v);
    return DYN_OK;
}

static double gap_behind(const dyn_eigen *e, int64_t i)
{
    return fabs(e->values[i] - e->values[i + 1]);
}

/* The gap i of the largest ratio to those behind it. */
static int64_t find_cut(const dyn_eigen *e, double *ratio)
{
    const int64_t gaps = e->count - 1, behind = e->count / 4 > 1 ? e->count / 4 : 1;
    double largest = DBL_MIN;
    int64_t cut = 0;

    *ratio = -1.0;
    for (int64_t i = gaps - 1; i >= 0; i--) {
        const double gap = gap_behind(e, i);

        if (i < gaps - behind && gap / largest >= *ratio) {
            *ratio = gap / largest;
            cut = i;
        }
        largest = fmax(largest, gap);
    }
    return cut;
}

dyn_status dyn_eigen_outliers(const dyn_eigen *e, double ratio, int64_t *outliers, double *edge, double *gap, double *found)
{
    double best;
    int64_t cut;

    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    if (e->count < 4 || e->two_ends || !(ratio > 0.0))
        return DYN__FAIL(e->ctx, DYN_EINVAL, "%" PRId64 " pairs%s, ratio %g: at least 4 of one end, a positive ratio", e->count,
                         e->two_ends ? " of two ends" : "", ratio);
    cut = find_cut(e, &best);
    if (outliers)
        *outliers = best < ratio ? 0 : cut + 1;
    if (edge)
        *edge = e->values[best < ratio ? 0 : cut + 1];
    if (gap)
        *gap = gap_behind(e, best < ratio ? 0 : cut);
    if (found)
        *found = best;
    return DYN_OK;
}
