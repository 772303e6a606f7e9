/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mean 0 and variance 1, per column or for the whole array: out = (a - mean) / std. Passes in double precision: the
 * squares are those of what the mean leaves, in units of a power of two that is near the column's largest element, so
 * that neither sums nor squares leave the range of doubles. */
#include "data/data.h"

#include <math.h>

/* The unit of every column: half the largest element's binade, so that a difference of two is within [-4, 4] of it. */
static void find_units(const dyn_array *a, int64_t columns, double *unit)
{
    for (int64_t i = 0; i < a->size; i++)
        unit[i % columns] = fmax(unit[i % columns], fabs(dyn__array_at(a, i)));
    for (int64_t c = 0; c < columns; c++) {
        int exponent = 0;
        frexp(unit[c], &exponent);
        unit[c] = ldexp(1, exponent < -1020 ? -1020 : exponent - 1);
    }
}

/* Sums in order of the rows into mean and std, of `columns` columns (1 for the whole array). */
static void moments(const dyn_array *a, int64_t columns, const double *unit, double *mean, double *std)
{
    double rows = (double)(a->size / columns);

    for (int64_t i = 0; i < a->size; i++)
        mean[i % columns] += dyn__array_at(a, i) / unit[i % columns];
    for (int64_t c = 0; c < columns; c++)
        mean[c] /= rows;
    for (int64_t i = 0; i < a->size; i++) {
        double d = dyn__array_at(a, i) / unit[i % columns] - mean[i % columns];
        std[i % columns] += d * d;
    }
    for (int64_t c = 0; c < columns; c++) {
        mean[c] *= unit[c];
        std[c] = unit[c] * sqrt(std[c] / rows);
    }
}

/* A constant column may leave a std of rounding size instead of 0. */
static void lift_constant_columns(const dyn_array *a, int64_t columns, double *mean, double *std)
{
    for (int64_t c = 0; c < columns; c++) {
        double v = dyn__array_at(a, c);
        int64_t i = c;
        while (i < a->size && dyn__array_at(a, i) == v)
            i += columns;
        if (i >= a->size) {
            mean[c] = v;
            std[c] = 1;
        }
    }
}

static dyn_status check_finite(const dyn_array *a)
{
    for (int64_t i = 0; i < a->size; i++)
        if (!isfinite(dyn__array_at(a, i)))
            return DYN__FAIL(a->ctx, DYN_ENONFINITE, "element %lld is %g", (long long)i, dyn__array_at(a, i));
    return DYN_OK;
}

static dyn_status fit(const dyn_array *a, dyn_array *mean, dyn_array *std)
{
    int64_t columns = mean->size;

    DYN__TRY(check_finite(a));
    double *unit = dyn__alloc(a->ctx, (size_t)columns, sizeof *unit);
    if (!unit)
        return DYN_ENOMEM;
    find_units(a, columns, unit);
    moments(a, columns, unit, mean->own, std->own);
    dyn__free(a->ctx, unit);
    lift_constant_columns(a, columns, mean->own, std->own);
    return DYN_OK;
}

static dyn_status check_scale(const dyn_array *a, const dyn_array *mean, const dyn_array *std)
{
    int64_t columns = dyn__array_columns(a);

    if (mean->dtype != DYN_F64 || std->dtype != DYN_F64)
        return DYN__FAIL(a->ctx, DYN_EDTYPE, "mean is %s and std is %s, both must be float64",
                         dyn__dtype_name(mean->dtype),
                         dyn__dtype_name(std->dtype));
    if (mean->size != std->size || (mean->size != 1 && mean->size != columns))
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "mean has %lld and std %lld elements, the array %lld columns",
                         (long long)mean->size, (long long)std->size, (long long)columns);
    for (int64_t c = 0; c < std->size; c++)
        if (!(dyn__array_at(std, c) > 0))
            return DYN__FAIL(a->ctx, DYN_EINVAL, "std %lld is %g, not positive", (long long)c, dyn__array_at(std, c));
    return DYN_OK;
}

dyn_status dyn_array_rescale(const dyn_array *a, const dyn_array *mean, const dyn_array *std, dyn_array **out)
{
    int32_t dtype;

    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, mean);
    DYN__NEED(a->ctx, std);
    DYN__NEED(a->ctx, out);
    DYN__TRY(dyn__check_ctx(a->ctx, "mean", mean->ctx));
    DYN__TRY(dyn__check_ctx(a->ctx, "std", std->ctx));
    dtype = a->dtype == DYN_F32 ? DYN_F32 : DYN_F64;
    DYN__TRY(check_scale(a, mean, std));
    DYN__TRY(dyn__array_new(a->ctx, dtype, a->rank, a->shape, out));
    for (int64_t i = 0; i < a->size; i++) {
        int64_t c = i % mean->size;
        double v = (dyn__array_at(a, i) - dyn__array_at(mean, c)) / dyn__array_at(std, c);
        if (dtype == DYN_F64)
            ((double *)(*out)->own)[i] = v;
        else
            ((float *)(*out)->own)[i] = (float)v;
    }
    return DYN_OK;
}

/* Hand a reference to the caller if he asked for it, else give it back. */
static void hand_over(dyn_array *a, dyn_array **out)
{
    if (out)
        *out = a;
    else
        dyn_array_unref(a);
}

static dyn_status check_standardise(const dyn_array *a, int32_t over)
{
    if (over != DYN_MOMENTS_COLUMNS && over != DYN_MOMENTS_WHOLE)
        return DYN__FAIL(a->ctx, DYN_EINVAL, "over is %d, not an enum dyn_moments", over);
    if (a->rank < 1 || !a->size)
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "an array of rank %d with %lld elements", a->rank, (long long)a->size);
    return DYN_OK;
}

dyn_status dyn_array_standardise(const dyn_array *a, int32_t over, dyn_array **mean_out, dyn_array **std_out,
                                 dyn_array **out)
{
    dyn_array *mean = NULL, *std = NULL;
    int64_t columns;
    dyn_status s;

    if (mean_out)
        *mean_out = NULL;
    if (std_out)
        *std_out = NULL;
    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, out);
    DYN__TRY(check_standardise(a, over));
    columns = over == DYN_MOMENTS_WHOLE ? 1 : dyn__array_columns(a);
    s = dyn__array_new(a->ctx, DYN_F64, 1, &columns, &mean);
    if (s == DYN_OK)
        s = dyn__array_new(a->ctx, DYN_F64, 1, &columns, &std);
    if (s == DYN_OK)
        s = fit(a, mean, std);
    if (s == DYN_OK)
        s = dyn_array_rescale(a, mean, std, out);
    hand_over(mean, s == DYN_OK ? mean_out : NULL);
    hand_over(std, s == DYN_OK ? std_out : NULL);
    return s;
}
