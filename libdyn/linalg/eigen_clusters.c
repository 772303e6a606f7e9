/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clusters: values that their residuals do not tell apart. Within |A v - t v| of t there is an eigenvalue, so each pair is an
 * interval; those that meet, by their lower ends in ascending order, are one cluster. */
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
