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

dyn_status dyn__operator_create(dyn_ctx *ctx, int64_t size, dyn__operator_fn fn, void *user,
                                void (*destroy)(void *user), dyn_operator **out)
{
    dyn_operator *A;

    *out = NULL;
    if (size < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "size is %" PRId64 ", must be positive", size);
    A = dyn__alloc(ctx, 1, sizeof *A);
    if (!A)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    dyn__ref_init(&A->ref);
    atomic_init(&A->products, 0);
    A->ctx = ctx;
    A->size = size;
    A->fn = fn;
    A->user = user;
    A->destroy = destroy;
    *out = A;
    return DYN_OK;
}

dyn_status dyn__operator_apply(dyn_operator *A, int64_t count, const double *x, double *y)
{
    int64_t bad, n = count * A->size;

    atomic_fetch_add_explicit(&A->products, count, memory_order_relaxed);
    DYN__TRY(A->fn(A->user, count, x, y));
    bad = first_nonfinite(n, y);
    if (bad < n)
        return DYN__FAIL(A->ctx, DYN_ENONFINITE, "the product of an operator of size %" PRId64
                         " gave %g in vector %" PRId64 ", element %" PRId64, A->size, y[bad],
                         bad / A->size, bad % A->size);
    return DYN_OK;
}

static dyn_status apply_callback(void *user, int64_t count, const double *x, double *y)
{
    callback *c = user;
    int32_t r = c->fn(c->user, count, x, y);

    return r == 0 ? DYN_OK : DYN__FAIL(c->ctx, DYN_EUSER, "the operator's callback returned %" PRId32, r);
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

dyn_status dyn_operator_apply(dyn_operator *A, int64_t count, const double *x, double *y)
{
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    if (count < 0 || count > INT64_MAX / A->size / (int64_t)sizeof(double))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "count is %" PRId64 " for vectors of size %" PRId64, count, A->size);
    if (count > 0 && (!x || !y))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "%s is NULL", x ? "y" : "x");
    return count == 0 ? DYN_OK : dyn__operator_apply(A, count, x, y);
}

int64_t dyn_operator_size(const dyn_operator *A)
{
    return A ? A->size : 0;
}

int64_t dyn_operator_products(const dyn_operator *A)
{
    return A ? atomic_load_explicit(&A->products, memory_order_relaxed) : 0;
}
