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

/* An operator is as rough as what it is built on. */
static void stretch(void *user, double factor)
{
    dyn__derived *d = user;

    dyn__operator_stretch(d->a, factor);
    dyn__operator_stretch(d->b, factor);
}

dyn_status dyn__operator_derive_map(const dyn__derived *parts, int64_t rows, dyn__operator_fn fn,
                                    dyn__operator_fn adjoint, dyn_operator **out)
{
    dyn_ctx *ctx = parts->a->ctx;
    dyn__derived *d = dyn__alloc(ctx, 1, sizeof *d);
    dyn__derived held = *parts;
    dyn_status s = d ? DYN_OK : DYN_ENOMEM;

    if (s == DYN_OK) {
        *d = held;
        s = dyn__operator_create_map(ctx, rows, held.size, fn, adjoint, d, destroy, out);
    }
    if (s < 0) {
        release(ctx, &held);
        dyn__free(ctx, d);
        return s;
    }
    dyn_operator_ref(d->a);
    dyn_operator_ref(d->b);
    if (d->a->dtype == DYN_F32 && (!d->b || d->b->dtype == DYN_F32))
        (*out)->dtype = DYN_F32;
    if (d->a->stretch || (d->b && d->b->stretch))
        (*out)->stretch = stretch;
    return DYN_OK;
}

dyn_status dyn__operator_derive(const dyn__derived *parts, dyn__operator_fn fn, dyn_operator **out)
{
    return dyn__operator_derive_map(parts, parts->size, fn, NULL, out);
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

/* The product of a or b, or of their adjoints. */
static dyn_status product(dyn_operator *A, int adjoint, int64_t count, const double *x, double *y)
{
    return adjoint ? dyn__operator_apply_adjoint(A, count, x, y) : dyn__operator_apply(A, count, x, y);
}

static dyn_status scale_product(const dyn__derived *d, int adjoint, int64_t count, const double *x, double *y)
{
    int64_t n = count * (adjoint ? d->a->size : d->a->rows);

    DYN__TRY(product(d->a, adjoint, count, x, y));
    for (int64_t i = 0; i < n; i++)
        y[i] *= d->scale;
    return DYN_OK;
}

static dyn_status apply_scaled(void *user, int64_t count, const double *x, double *y)
{
    return scale_product(user, 0, count, x, y);
}

static dyn_status apply_scaled_adjoint(void *user, int64_t count, const double *x, double *y)
{
    return scale_product(user, 1, count, x, y);
}

static dyn_status apply_affine(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;

    DYN__TRY(dyn__operator_apply(d->a, count, x, y));
    for (int64_t i = 0; i < count * d->size; i++)
        y[i] = d->scale * y[i] + d->shift * x[i];
    return DYN_OK;
}

static dyn_status add_products(const dyn__derived *d, int adjoint, int64_t count, const double *x, double *y)
{
    int64_t n = count * (adjoint ? d->a->size : d->a->rows);
    double *t = dyn__alloc(d->a->ctx, (size_t)n, sizeof(double));
    dyn_status s;

    if (!t)
        return DYN_ENOMEM;
    s = product(d->a, adjoint, count, x, y);
    if (s >= 0)
        s = product(d->b, adjoint, count, x, t);
    for (int64_t i = 0; s >= 0 && i < n; i++)
        y[i] += t[i];
    dyn__free(d->a->ctx, t);
    return s;
}

static dyn_status apply_sum(void *user, int64_t count, const double *x, double *y)
{
    return add_products(user, 0, count, x, y);
}

static dyn_status apply_sum_adjoint(void *user, int64_t count, const double *x, double *y)
{
    return add_products(user, 1, count, x, y);
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
    if (!A->adjoint || !isfinite(factor))
        return affine(A, "factor", factor, factor, 0.0, out);
    DYN__NEED(A->ctx, out);
    return dyn__operator_derive_map(&(dyn__derived){ .a = A, .size = A->size, .scale = factor }, A->rows, apply_scaled,
                                    apply_scaled_adjoint, out);
}

dyn_status dyn_operator_shifted(dyn_operator *A, double shift, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
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
    if (A->size != B->size || A->rows != B->rows)
        return DYN__FAIL(A->ctx, DYN_ESHAPE, "A is %" PRId64 " x %" PRId64 ", B is %" PRId64 " x %" PRId64, A->rows,
                         A->size, B->rows, B->size);
    return dyn__operator_derive_map(&(dyn__derived){ .a = A, .b = B, .size = A->size }, A->rows, apply_sum,
                                    A->adjoint || B->adjoint ? apply_sum_adjoint : NULL, out);
}

dyn_status dyn_operator_sandwiched(dyn_operator *A, const double *d, dyn_operator **out)
{
    dyn__derived parts = { .a = A };

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, d);
    DYN__NEED(A->ctx, out);
    parts.size = A->size;
    DYN__TRY(dyn__copy_finite(A->ctx, "d", A->size, d, &parts.vectors));
    return dyn__operator_derive(&parts, apply_sandwiched, out);
}
