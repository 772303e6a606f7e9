/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Indices sorted by a key; tables checked. */
#include <inttypes.h>
#include <stdlib.h>
#include "analysis/vector.h"
#include "linalg/operator.h"

typedef struct keyed {
    double key;
    int64_t index;
} keyed;

static int ascending(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

dyn_status dyn__sort_by(dyn_ctx *ctx, int64_t n, const double *key, int descending, int64_t *order)
{
    keyed *k = dyn__alloc(ctx, (size_t)n, sizeof *k);

    if (!k)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        k[i] = (keyed){ descending ? -key[i] : key[i], i };
    qsort(k, (size_t)n, sizeof *k, ascending);
    for (int64_t i = 0; i < n; i++)
        order[i] = k[i].index;
    dyn__free(ctx, k);
    return DYN_OK;
}

dyn_status dyn__check_table(dyn_ctx *ctx, const char *what, int64_t rows, int64_t columns, const double *a)
{
    if (rows < 1 || columns < 1 || rows > INT64_MAX / (int64_t)sizeof *a / columns)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is %" PRId64 " x %" PRId64 ", both must be positive", what, rows,
                         columns);
    if (!a)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL", what);
    return dyn__check_finite(ctx, what, rows * columns, a);
}
