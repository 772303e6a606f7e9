/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps: operators of any shape with their adjoints. From callbacks, from factors of low rank, and from other operators:
 * transposed, composed, A^T A, Kronecker products. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/derived.h"
#include "random/random.h"

/* ---- from callbacks ---- */

typedef struct pair {
    dyn_ctx *ctx;
    dyn_operator_apply_fn fn, adjoint;
    void *user;
} pair;

static dyn_status answer(const pair *p, int32_t r)
{
    return r == 0 ? DYN_OK : DYN__FAIL(p->ctx, DYN_EUSER, "the operator's callback returned %" PRId32, r);
}

static dyn_status apply_pair(void *user, int64_t count, const double *x, double *y)
{
    const pair *p = user;

    return answer(p, p->fn(p->user, count, x, y));
}

static dyn_status apply_pair_adjoint(void *user, int64_t count, const double *x, double *y)
{
    const pair *p = user;

    return answer(p, p->adjoint(p->user, count, x, y));
}

static void free_pair(void *user)
{
    pair *p = user;

    dyn__free(p->ctx, p);
}

dyn_status dyn_operator_from_callbacks(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_operator_apply_fn fn,
                                       dyn_operator_apply_fn adjoint, void *user, dyn_operator **out)
{
    pair *p;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, fn);
    DYN__NEED(ctx, adjoint);
    DYN__NEED(ctx, out);
    p = dyn__alloc(ctx, 1, sizeof *p);
    if (!p)
        return DYN_ENOMEM;
    *p = (pair){ ctx, fn, adjoint, user };
    s = dyn__operator_create_map(ctx, rows, columns, apply_pair, apply_pair_adjoint, p, free_pair, out);
    if (s < 0)
        free_pair(p);
    return s;
}

/* ---- of low rank: vectors [count][size] = V, values = s, and after V the left vectors [count][rows] ---- */

typedef struct low_rank {
    dyn_ctx *ctx;
    int64_t rows, columns, count;
    double *left, *right, *values;      /* left is right if the operator is symmetric */
} low_rank;

static dyn_status multiply_low_rank(const low_rank *f, int64_t count, int64_t in, const double *right, const double *x,
                                    int64_t out, const double *left, double *y)
{
    double *h = dyn__alloc(f->ctx, (size_t)f->count, sizeof *h);

    if (!h)
        return DYN_ENOMEM;
    memset(y, 0, (size_t)(count * out) * sizeof *y);
    for (int64_t r = 0; r < count; r++) {
        dyn__basis_coefficients(f->ctx, f->count, in, right, x + r * in, h);
        for (int64_t i = 0; i < f->count; i++)
            h[i] *= f->values[i];
        dyn__basis_combine(f->ctx, f->count, out, left, h, y + r * out);
    }
    dyn__free(f->ctx, h);
    return DYN_OK;
}

static dyn_status apply_low_rank(void *user, int64_t count, const double *x, double *y)
{
    const low_rank *f = user;

    return multiply_low_rank(f, count, f->columns, f->right, x, f->rows, f->left, y);
}

static dyn_status apply_low_rank_adjoint(void *user, int64_t count, const double *x, double *y)
{
    const low_rank *f = user;

    return multiply_low_rank(f, count, f->rows, f->left, x, f->columns, f->right, y);
}

static void free_low_rank(void *user)
{
    low_rank *f = user;

    dyn__free(f->ctx, f->values);
    if (f->left != f->right)
        dyn__free(f->ctx, f->left);
    dyn__free(f->ctx, f->right);
    dyn__free(f->ctx, f);
}

/* Copies of the factors; V NULL: symmetric. */
static dyn_status fill_low_rank(low_rank *f, const double *U, const double *values, const double *V)
{
    DYN__TRY(dyn__copy_finite(f->ctx, "values", f->count, values, &f->values));
    DYN__TRY(dyn__copy_finite(f->ctx, V ? "right" : "left", f->count * f->columns, V ? V : U, &f->right));
    f->left = f->right;
    return V ? dyn__copy_finite(f->ctx, "left", f->count * f->rows, U, &f->left) : DYN_OK;
}

dyn_status dyn_operator_low_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t count, const double *left,
                                 const double *values, const double *right, dyn_operator **out)
{
    low_rank *f;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, left);
    DYN__NEED(ctx, values);
    DYN__NEED(ctx, out);
    if (rows < 1 || columns < 1 || count < 1 || (!right && rows != columns))
        return DYN__FAIL(ctx, DYN_EINVAL, "%" PRId64 " x %" PRId64 " of rank %" PRId64 "%s", rows, columns, count,
                         right ? ", all must be positive" : ": without right vectors it is square");
    f = dyn__alloc(ctx, 1, sizeof *f);
    if (!f)
        return DYN_ENOMEM;
    *f = (low_rank){ .ctx = ctx, .rows = rows, .columns = columns, .count = count };
    s = fill_low_rank(f, left, values, right);
    if (s >= 0)
        s = dyn__operator_create_map(ctx, rows, columns, apply_low_rank, right ? apply_low_rank_adjoint : NULL, f,
                                     free_low_rank, out);
    if (s < 0)
        free_low_rank(f);
    return s;
}

/* ---- from other operators ---- */

static dyn_status either(dyn_operator *A, int adjoint, int64_t count, const double *x, double *y)
{
    return adjoint ? dyn__operator_apply_adjoint(A, count, x, y) : dyn__operator_apply(A, count, x, y);
}

static dyn_status apply_transposed(void *user, int64_t count, const double *x, double *y)
{
    return either(((const dyn__derived *)user)->a, 1, count, x, y);
}

static dyn_status apply_transposed_adjoint(void *user, int64_t count, const double *x, double *y)
{
    return either(((const dyn__derived *)user)->a, 0, count, x, y);
}

/* y = second(first(x)), with numbers between them. */
static dyn_status chain(dyn_operator *first, int first_adjoint, dyn_operator *second, int second_adjoint, int64_t count,
                        int64_t between, const double *x, double *y)
{
    double *t = dyn__alloc(first->ctx, (size_t)count, (size_t)between * sizeof *t);
    dyn_status s = t ? either(first, first_adjoint, count, x, t) : DYN_ENOMEM;

    if (s >= 0)
        s = either(second, second_adjoint, count, t, y);
    dyn__free(first->ctx, t);
    return s;
}

static dyn_status apply_composed(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;

    return chain(d->b, 0, d->a, 0, count, d->b->rows, x, y);
}

static dyn_status apply_composed_adjoint(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;

    return chain(d->a, 1, d->b, 1, count, d->a->size, x, y);
}

static dyn_status apply_gram(void *user, int64_t count, const double *x, double *y)
{
    const dyn__derived *d = user;

    return chain(d->a, 0, d->a, 1, count, d->a->rows, x, y);
}

/* (A x B) on each x, seen as a matrix: B along its rows, then A along its columns. */
static dyn_status kronecker(const dyn__derived *d, int adjoint, int64_t count, const double *x, double *y)
{
    const dyn__kernel_table *k = &dyn__kernels_of(d->a->ctx)->f64;
    int64_t a_in = adjoint ? d->a->rows : d->a->size, a_out = adjoint ? d->a->size : d->a->rows;
    int64_t b_in = adjoint ? d->b->rows : d->b->size, b_out = adjoint ? d->b->size : d->b->rows;
    double *t = dyn__alloc(d->a->ctx, (size_t)(2 * a_in + a_out), (size_t)b_out * sizeof *t);
    double *u = t + a_in * b_out, *v = u + a_in * b_out;
    dyn_status s = t ? DYN_OK : DYN_ENOMEM;

    for (int64_t r = 0; s >= 0 && r < count; r++) {
        s = either(d->b, adjoint, a_in, x + r * a_in * b_in, t);
        if (s < 0)
            break;
        k->transpose(a_in, b_out, u, a_in, t, b_out);
        s = either(d->a, adjoint, b_out, u, v);
        if (s >= 0)
            k->transpose(b_out, a_out, y + r * a_out * b_out, b_out, v, a_out);
    }
    dyn__free(d->a->ctx, t);
    return s;
}

static dyn_status apply_kronecker(void *user, int64_t count, const double *x, double *y)
{
    return kronecker(user, 0, count, x, y);
}

static dyn_status apply_kronecker_adjoint(void *user, int64_t count, const double *x, double *y)
{
    return kronecker(user, 1, count, x, y);
}

dyn_status dyn_operator_transposed(dyn_operator *A, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, out);
    if (!A->adjoint) {
        *out = dyn_operator_ref(A);
        return DYN_OK;
    }
    return dyn__operator_derive_map(&(dyn__derived){ .a = A, .size = A->rows }, A->size, apply_transposed,
                                    apply_transposed_adjoint, out);
}

dyn_status dyn_operator_gram(dyn_operator *A, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, out);
    return dyn__operator_derive(&(dyn__derived){ .a = A, .size = A->size }, apply_gram, out);
}

dyn_status dyn_operator_composed(dyn_operator *A, dyn_operator *B, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, B);
    DYN__NEED(A->ctx, out);
    DYN__TRY(dyn__check_ctx(A->ctx, "B", B->ctx));
    if (A->size != B->rows)
        return DYN__FAIL(A->ctx, DYN_ESHAPE, "A is %" PRId64 " x %" PRId64 ", B is %" PRId64 " x %" PRId64, A->rows,
                         A->size, B->rows, B->size);
    return dyn__operator_derive_map(&(dyn__derived){ .a = A, .b = B, .size = B->size }, A->rows, apply_composed,
                                    apply_composed_adjoint, out);
}

dyn_status dyn_operator_kronecker(dyn_operator *A, dyn_operator *B, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, B);
    DYN__NEED(A->ctx, out);
    DYN__TRY(dyn__check_ctx(A->ctx, "B", B->ctx));
    if (A->size > INT64_MAX / 8 / B->size || A->rows > INT64_MAX / 8 / B->rows)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "A is %" PRId64 " x %" PRId64 ", B is %" PRId64 " x %" PRId64
                         ": the product is too large", A->rows, A->size, B->rows, B->size);
    return dyn__operator_derive_map(&(dyn__derived){ .a = A, .b = B, .size = A->size * B->size }, A->rows * B->rows,
                                    apply_kronecker, A->adjoint || B->adjoint ? apply_kronecker_adjoint : NULL, out);
}

/* ---- the check of an adjoint ---- */

enum { PAIRS = 4 };

static double mismatch(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *x, const double *y, double *Ax,
                       double *ATy)
{
    double larger = fmax(dyn__norm(ctx, rows, Ax), dyn__norm(ctx, columns, ATy)), difference;

    if (larger == 0.0)
        return 0.0;
    dyn__basis_divide(rows, larger, Ax);
    dyn__basis_divide(columns, larger, ATy);
    difference = fabs(dyn__basis_dot(ctx, rows, y, Ax) - dyn__basis_dot(ctx, columns, x, ATy));
    return difference / (dyn__norm(ctx, rows, y) * dyn__norm(ctx, rows, Ax)
                         + dyn__norm(ctx, columns, x) * dyn__norm(ctx, columns, ATy));
}

dyn_status dyn_operator_adjointness(dyn_operator *A, uint64_t seed, double *relative_mismatch)
{
    double *x, *y, *Ax, *ATy, worst = 0.0;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, relative_mismatch);
    x = dyn__alloc(A->ctx, (size_t)(A->size + A->rows), 2 * PAIRS * sizeof *x);
    if (!x)
        return DYN_ENOMEM;
    y = x + PAIRS * A->size;
    Ax = y + PAIRS * A->rows;
    ATy = Ax + PAIRS * A->rows;
    dyn__normal_f64((dyn__key){ .seed = seed, .stream = DYN__STREAM_PROBE }, 0, PAIRS * (A->size + A->rows), x);
    s = dyn__operator_apply(A, PAIRS, x, Ax);
    if (s >= 0)
        s = dyn__operator_apply_adjoint(A, PAIRS, y, ATy);
    for (int64_t p = 0; s >= 0 && p < PAIRS; p++)
        worst = fmax(worst, mismatch(A->ctx, A->rows, A->size, x + p * A->size, y + p * A->rows, Ax + p * A->rows,
                                     ATy + p * A->size));
    dyn__free(A->ctx, x);
    if (s >= 0)
        *relative_mismatch = worst;
    return s;
}
