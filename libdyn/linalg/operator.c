/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The linear operator: a product, a size, a counter and a reference count. Every product is checked for numbers that
 * are not finite here, once, so that no solver above has to fear them. */
#include <inttypes.h>
#include <math.h>
#include "linalg/operator.h"

typedef struct callback {
    dyn_ctx *ctx;
    dyn_operator_apply_fn fn;
    void *user;
} callback;

static int64_t first_nonfinite(int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return i;
    return n;
}

dyn_status dyn__check_finite(dyn_ctx *ctx, const char *what, int64_t n, const double *x)
{
    int64_t i = first_nonfinite(n, x);

    return i == n ? DYN_OK : DYN__FAIL(ctx, DYN_EINVAL, "%s[%" PRId64 "] is %g, must be finite", what, i, x[i]);
}

dyn_status dyn__operator_create_map(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn__operator_fn fn,
                                    dyn__operator_fn adjoint, void *user, void (*destroy)(void *user),
                                    dyn_operator **out)
{
    dyn_operator *A;

    *out = NULL;
    if (rows < 1 || columns < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "an operator of %" PRId64 " x %" PRId64 ", both must be positive", rows,
                         columns);
    A = dyn__alloc(ctx, 1, sizeof *A);
    if (!A)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    dyn__ref_init(&A->ref);
    atomic_init(&A->products, 0);
    A->ctx = ctx;
    A->size = columns;
    A->rows = rows;
    A->fn = fn;
    A->adjoint = adjoint;
    A->user = user;
    A->destroy = destroy;
    *out = A;
    return DYN_OK;
}

dyn_status dyn__operator_create(dyn_ctx *ctx, int64_t size, dyn__operator_fn fn, void *user,
                                void (*destroy)(void *user), dyn_operator **out)
{
    *out = NULL;
    if (size < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "size is %" PRId64 ", must be positive", size);
    return dyn__operator_create_map(ctx, size, size, fn, NULL, user, destroy, out);
}

dyn_status dyn__need_symmetric(const dyn_operator *A)
{
    if (!A->adjoint)
        return DYN_OK;
    return DYN__FAIL(A->ctx, DYN_ESHAPE, "a symmetric operator is needed, this is a map of %" PRId64 " x %" PRId64
                     "; dyn_operator_gram makes one of it", A->rows, A->size);
}

static dyn_status apply_checked(dyn_operator *A, dyn__operator_fn fn, int64_t count, int64_t width, const double *x,
                                double *y)
{
    int64_t bad, n = count * width;

    DYN__TRY(dyn__check_interrupt(A->ctx));
    atomic_fetch_add_explicit(&A->products, count, memory_order_relaxed);
    DYN__TRY(fn(A->user, count, x, y));
    DYN__TRY(dyn__check_interrupt(A->ctx));
    bad = first_nonfinite(n, y);
    if (bad < n)
        return DYN__FAIL(A->ctx, DYN_ENONFINITE, "the product of an operator of size %" PRId64
                         " gave %g in vector %" PRId64 ", element %" PRId64, A->size, y[bad], bad / width, bad % width);
    return DYN_OK;
}

dyn_status dyn__operator_apply(dyn_operator *A, int64_t count, const double *x, double *y)
{
    return apply_checked(A, A->fn, count, A->rows, x, y);
}

dyn_status dyn__operator_apply_adjoint(dyn_operator *A, int64_t count, const double *y, double *x)
{
    return apply_checked(A, A->adjoint ? A->adjoint : A->fn, count, A->size, y, x);
}

static dyn_status apply_callback(void *user, int64_t count, const double *x, double *y)
{
    callback *c = user;

    return dyn__callback_status(c->ctx, "the operator's callback", c->fn(c->user, count, x, y));
}

static void free_callback(void *user)
{
    callback *c = user;

    dyn__free(c->ctx, c);
}

dyn_status dyn_operator_from_callback(dyn_ctx *ctx, int64_t size, dyn_operator_apply_fn fn, void *user,
                                      dyn_operator **out)
{
    callback *c;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, fn);
    DYN__NEED(ctx, out);
    c = dyn__alloc(ctx, 1, sizeof *c);
    if (!c)
        return DYN_ENOMEM;
    *c = (callback){ ctx, fn, user };
    s = dyn__operator_create(ctx, size, apply_callback, c, free_callback, out);
    if (s < 0)
        free_callback(c);
    return s;
}

dyn_operator *dyn_operator_ref(dyn_operator *A)
{
    if (A)
        dyn__ref_take(&A->ref);
    return A;
}

void dyn_operator_unref(dyn_operator *A)
{
    dyn_ctx *ctx;

    if (!A || !dyn__ref_drop(&A->ref))
        return;
    ctx = A->ctx;
    if (A->destroy)
        A->destroy(A->user);
    dyn__free(ctx, A);
    dyn__ctx_unref(ctx);
}

static dyn_status check_block(const dyn_operator *A, int64_t count, const double *x, const double *y)
{
    int64_t longer = A->size > A->rows ? A->size : A->rows;

    if (count < 0 || count > INT64_MAX / longer / (int64_t)sizeof(double))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "count is %" PRId64 " for vectors of size %" PRId64, count, longer);
    if (count > 0 && (!x || !y))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "%s is NULL", x ? "y" : "x");
    return DYN_OK;
}

dyn_status dyn_operator_apply(dyn_operator *A, int64_t count, const double *x, double *y)
{
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(check_block(A, count, x, y));
    return count == 0 ? DYN_OK : dyn__operator_apply(A, count, x, y);
}

dyn_status dyn_operator_apply_adjoint(dyn_operator *A, int64_t count, const double *y, double *x)
{
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(check_block(A, count, x, y));
    return count == 0 ? DYN_OK : dyn__operator_apply_adjoint(A, count, y, x);
}

int64_t dyn_operator_rows(const dyn_operator *A)
{
    return A ? A->rows : 0;
}

int64_t dyn_operator_size(const dyn_operator *A)
{
    return A ? A->size : 0;
}

int64_t dyn_operator_products(const dyn_operator *A)
{
    return A ? atomic_load_explicit(&A->products, memory_order_relaxed) : 0;
}
