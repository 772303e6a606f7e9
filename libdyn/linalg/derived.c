/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operators built on operators, elementwise: scale * A + shift * I, A + B, diag(d) A diag(d). Scratch is taken per
 * product, so that an operator stays immutable. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "linalg/derived.h"

static void release(dyn_ctx *ctx, dyn__derived *d)
{
    dyn__free(ctx, d->vectors);
    dyn__free(ctx, d->values);
    dyn__free(ctx, d->index);
}

static void destroy(void *user)
{
    dyn__derived *d = user;
    dyn_operator *a = d->a, *b = d->b;

    release(a->ctx, d);
    dyn__free(a->ctx, d);
    dyn_operator_unref(b);
    dyn_operator_unref(a);
}

dyn_status dyn__operator_derive(const dyn__derived *parts, dyn__operator_fn fn, dyn_operator **out)
{
    dyn_ctx *ctx = parts->a->ctx;
    dyn__derived *d = dyn__alloc(ctx, 1, sizeof *d);
    dyn__derived held = *parts;
    dyn_status s = d ? DYN_OK : DYN_ENOMEM;

    if (s == DYN_OK) {
        *d = held;
        s = dyn__operator_create(ctx, held.size, fn, d, destroy, out);
    }
    if (s < 0) {
        release(ctx, &held);
        dyn__free(ctx, d);
        return s;
    }
    dyn_operator_ref(d->a);
    dyn_operator_ref(d->b);
    return DYN_OK;
}

dyn_status dyn__copy_finite(dyn_ctx *ctx, const char *what, int64_t n, const double *x, double **out)
{
    DYN__TRY(dyn__check_finite(ctx, what, n, x));
    *out = dyn__alloc(ctx, (size_t)n, sizeof(double));
    if (!*out)
        return DYN_ENOMEM;
    memcpy(*out, x, (size_t)n * sizeof(double));
    return DYN_OK;
}

static dyn_status apply_affine(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;

    DYN__TRY(dyn__operator_apply(d->a, count, x, y));
    for (int64_t i = 0; i < count * d->size; i++)
        y[i] = d->scale * y[i] + d->shift * x[i];
    return DYN_OK;
}

static dyn_status apply_sum(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;
    int64_t n = count * d->size;
    double *t = dyn__alloc(d->a->ctx, (size_t)n, sizeof(double));
    dyn_status s;

    if (!t)
        return DYN_ENOMEM;
    s = dyn__operator_apply(d->a, count, x, y);
    if (s >= 0)
        s = dyn__operator_apply(d->b, count, x, t);
    for (int64_t i = 0; s >= 0 && i < n; i++)
        y[i] += t[i];
    dyn__free(d->a->ctx, t);
    return s;
}

static void multiply_rows(int64_t count, int64_t n, const double *d, const double *x, double *y)
{
    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < n; i++)
            y[r * n + i] = d[i] * x[r * n + i];
}

static dyn_status apply_sandwiched(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;
    double *t = dyn__alloc(d->a->ctx, (size_t)(count * d->size), sizeof(double));
    dyn_status s;

    if (!t)
        return DYN_ENOMEM;
    multiply_rows(count, d->size, d->vectors, x, t);
    s = dyn__operator_apply(d->a, count, t, y);
    multiply_rows(count, d->size, d->vectors, y, y);
    dyn__free(d->a->ctx, t);
    return s;
}

static dyn_status affine(dyn_operator *A, const char *what, double value, double scale, double shift,
                         dyn_operator **out)
{
    DYN__NEED(A->ctx, out);
    if (!isfinite(value))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "%s is %g, must be finite", what, value);
    return dyn__operator_derive(&(dyn__derived){ .a = A, .size = A->size, .scale = scale, .shift = shift },
                                apply_affine, out);
}

dyn_status dyn_operator_scaled(dyn_operator *A, double factor, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    return affine(A, "factor", factor, factor, 0.0, out);
}

dyn_status dyn_operator_shifted(dyn_operator *A, double shift, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    return affine(A, "shift", shift, 1.0, shift, out);
}

dyn_status dyn_operator_sum(dyn_operator *A, dyn_operator *B, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, B);
    DYN__NEED(A->ctx, out);
    DYN__TRY(dyn__check_ctx(A->ctx, "B", B->ctx));
    if (A->size != B->size)
        return DYN__FAIL(A->ctx, DYN_ESHAPE, "A has size %" PRId64 ", B has size %" PRId64, A->size, B->size);
    return dyn__operator_derive(&(dyn__derived){ .a = A, .b = B, .size = A->size }, apply_sum, out);
}

dyn_status dyn_operator_sandwiched(dyn_operator *A, const double *d, dyn_operator **out)
{
    dyn__derived parts = { .a = A };

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, d);
    DYN__NEED(A->ctx, out);
    parts.size = A->size;
    DYN__TRY(dyn__copy_finite(A->ctx, "d", A->size, d, &parts.vectors));
    return dyn__operator_derive(&parts, apply_sandwiched, out);
}
