/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers of negative, zero and positive eigenvalues, with the threshold and the gap. */
#include <inttypes.h>
#include <math.h>
#include <dyn/dense.h>
#include <dyn/inertia.h>
#include "linalg/operator.h"

static void count(int64_t n, const double *values, double limit, int64_t *counts, double *gap)
{
    double above = HUGE_VAL, below = 0.0;

    counts[0] = counts[1] = counts[2] = 0;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(values[i]);

        counts[size <= limit ? 1 : values[i] < 0.0 ? 0 : 2]++;
        if (size <= limit)
            below = fmax(below, size);
        else
            above = fmin(above, size);
    }
    if (gap)
        *gap = below > 0.0 ? above / below : HUGE_VAL;
}

static dyn_status check(dyn_ctx *ctx, int64_t n, double tolerance)
{
    if (n < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 ", must be positive", n);
    if (!(tolerance >= 0.0 && tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in [0, 1)", tolerance);
    return DYN_OK;
}

dyn_status dyn_inertia_values(dyn_ctx *ctx, int64_t n, const double *values, double tolerance, int64_t *counts,
                              double *threshold, double *gap)
{
    double largest = 0.0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, n, tolerance));
    DYN__NEED(ctx, values);
    DYN__NEED(ctx, counts);
    DYN__TRY(dyn__check_finite(ctx, "values", n, values));
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(values[i]));
    count(n, values, tolerance * largest, counts, gap);
    if (threshold)
        *threshold = tolerance * largest;
    return DYN_OK;
}

dyn_status dyn_inertia_matrix(dyn_ctx *ctx, int64_t n, const double *a, double tolerance, int64_t *counts,
                              double *threshold, double *gap, double *values)
{
    double *found;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, n, tolerance));
    DYN__NEED(ctx, a);
    DYN__NEED(ctx, counts);
    found = dyn__alloc(ctx, (size_t)n, sizeof *found);
    if (!found)
        return DYN_ENOMEM;
    s = dyn_dense_eigh(ctx, n, a, found, NULL);
    if (s >= 0)
        s = dyn_inertia_values(ctx, n, found, tolerance, counts, threshold, gap);
    for (int64_t i = 0; s >= 0 && values && i < n; i++)
        values[i] = found[i];
    dyn__free(ctx, found);
    return s;
}
