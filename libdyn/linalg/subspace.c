/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operators that leave directions out: deflated (known pairs subtracted), projected (onto a complement), restricted
 * (to some coordinates). */
#include <inttypes.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/derived.h"

static dyn_status apply_deflated(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;
    dyn_ctx *ctx = d->a->ctx;
    int64_t n = d->size;
    double *h = dyn__alloc(ctx, (size_t)d->count, sizeof(double));
    dyn_status s = h ? dyn__operator_apply(d->a, count, x, y) : DYN_ENOMEM;

    for (int64_t r = 0; s >= 0 && r < count; r++) {
        dyn__basis_coefficients(ctx, d->count, n, d->vectors, x + r * n, h);
        for (int64_t i = 0; i < d->count; i++)
            h[i] *= -d->values[i];
        dyn__basis_combine(ctx, d->count, n, d->vectors, h, y + r * n);
    }
    dyn__free(ctx, h);
    return s;
}

static void project_rows(const dyn__derived *d, int64_t count, double *y, double *h)
{
    for (int64_t r = 0; r < count; r++)
        dyn__basis_project_out(d->a->ctx, d->count, d->size, d->vectors, y + r * d->size, h);
}

static dyn_status apply_projected(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;
    dyn_ctx *ctx = d->a->ctx;
    int64_t numbers = count * d->size;
    double *t = dyn__alloc(ctx, (size_t)(numbers + DYN__BASIS_ROOM * d->count), sizeof(double));
    dyn_status s;

    if (!t)
        return DYN_ENOMEM;
    memcpy(t, x, (size_t)numbers * sizeof(double));
    project_rows(d, count, t, t + numbers);
    s = dyn__operator_apply(d->a, count, t, y);
    if (s >= 0)
        project_rows(d, count, y, t + numbers);
    dyn__free(ctx, t);
    return s;
}

static dyn_status apply_restricted(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;
    dyn_ctx *ctx = d->a->ctx;
    int64_t n = d->a->size, k = d->count;
    double *t = dyn__alloc(ctx, (size_t)(2 * count * n), sizeof(double)), *u = t + count * n;
    dyn_status s;

    if (!t)
        return DYN_ENOMEM;
    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < k; i++)
            t[r * n + d->index[i]] += x[r * k + i];
    s = dyn__operator_apply(d->a, count, t, u);
    for (int64_t r = 0; s >= 0 && r < count; r++)
        for (int64_t i = 0; i < k; i++)
            y[r * k + i] = u[r * n + d->index[i]];
    dyn__free(ctx, t);
    return s;
}

/* The checks common to all three; max is the largest count that makes sense. */
static dyn_status check(dyn_operator *A, int64_t count, int64_t max, const void *array, const char *what,
                        dyn_operator **out)
{
    if (!array || !out)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "%s is NULL", array ? "out" : what);
    if (count < 1 || count > max)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "count is %" PRId64 ", must be in [1, %" PRId64 "]", count, max);
    return DYN_OK;
}

dyn_status dyn_operator_deflated(dyn_operator *A, int64_t count, const double *vectors, const double *values,
                                 dyn_operator **out)
{
    dyn__derived parts = { .a = A, .count = count };
    dyn_status s;

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__TRY(check(A, count, A->size, values ? vectors : NULL, values ? "vectors" : "values", out));
    parts.size = A->size;
    DYN__TRY(dyn__copy_finite(A->ctx, "values", count, values, &parts.values));
    s = dyn__copy_finite(A->ctx, "vectors", count * A->size, vectors, &parts.vectors);
    if (s == DYN_OK)
        return dyn__operator_derive(&parts, apply_deflated, out);
    dyn__free(A->ctx, parts.values);
    return s;
}

dyn_status dyn_operator_projected(dyn_operator *A, int64_t count, const double *vectors, dyn_operator **out)
{
    dyn__derived parts = { .a = A };
    dyn_status s;

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__TRY(check(A, count, A->size, vectors, "vectors", out));
    parts.size = A->size;
    DYN__TRY(dyn__copy_finite(A->ctx, "vectors", count * A->size, vectors, &parts.vectors));
    s = dyn__basis_orthonormalise(A->ctx, count, A->size, parts.vectors, &parts.count);
    if (s == DYN_OK)
        return dyn__operator_derive(&parts, apply_projected, out);
    dyn__free(A->ctx, parts.vectors);
    return s;
}

dyn_status dyn_operator_restricted(dyn_operator *A, int64_t count, const int64_t *index, dyn_operator **out)
{
    dyn__derived parts = { .a = A, .size = count, .count = count };

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__TRY(check(A, count, A->size, index, "index", out));
    for (int64_t i = 0; i < count; i++)
        if (index[i] < 0 || index[i] >= A->size)
            return DYN__FAIL(A->ctx, DYN_EINVAL, "index[%" PRId64 "] is %" PRId64 ", must be in [0, %" PRId64 ")", i,
                             index[i], A->size);
    parts.index = dyn__alloc(A->ctx, (size_t)count, sizeof *index);
    if (!parts.index)
        return DYN_ENOMEM;
    memcpy(parts.index, index, (size_t)count * sizeof *index);
    return dyn__operator_derive(&parts, apply_restricted, out);
}
