/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays from nothing: evenly spaced numbers, the inputs of every one-dimensional experiment. */
#include "data/data.h"

#include <math.h>

static double place(double first, double last, int64_t n, int64_t i)
{
    if (i == 0)
        return first;
    return i == n - 1 ? last : first + (double)i * ((last - first) / (double)(n - 1));
}

dyn_status dyn_array_linspace(dyn_ctx *ctx, int32_t dtype, double first, double last, int64_t n, dyn_array **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (dtype != DYN_F64 && dtype != DYN_F32)
        return DYN__FAIL(ctx, DYN_EDTYPE, "element type %s is not a floating type", dyn__dtype_name(dtype));
    if (n < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %lld", (long long)n);
    if (!isfinite(last - first))
        return DYN__FAIL(ctx, DYN_ENONFINITE, "first is %g, last is %g", first, last);
    DYN__TRY(dyn__array_new(ctx, dtype, 1, &n, out));
    for (int64_t i = 0; i < n; i++) {
        double v = place(first, last, n, i);
        if (dtype == DYN_F64)
            ((double *)(*out)->own)[i] = v;
        else
            ((float *)(*out)->own)[i] = (float)v;
    }
    return DYN_OK;
}
