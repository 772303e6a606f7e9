/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The public eigen solver: options checked and completed, then one of two routes: the whole matrix for small sizes and
 * large shares of the spectrum, Lanczos for the rest. */
#include <inttypes.h>
#include <string.h>
#include "linalg/eigen.h"
#include "linalg/lanczos.h"

#define SMALL 64

_Static_assert(sizeof(void *) != 8 || sizeof(dyn_eigen_options) == 96, "layout of dyn_eigen_options");

static int64_t largest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static dyn_status check_choices(dyn_ctx *ctx, const dyn_eigen_options *o)
{
    if (o->which < DYN_LARGEST_ALGEBRAIC || o->which > DYN_BOTH_ENDS)
        return DYN__FAIL(ctx, DYN_EINVAL, "which is %" PRId32 ", must be in [0, %d]", o->which, DYN_BOTH_ENDS);
    if (o->unchecked > 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "unchecked is %" PRIu32 ", must be 0 or 1", o->unchecked);
    if (o->tolerance_of < DYN_TOLERANCE_LARGEST || o->tolerance_of > DYN_TOLERANCE_ABSOLUTE)
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance_of is %" PRId32 ", must be in [0, %d]", o->tolerance_of,
                         DYN_TOLERANCE_ABSOLUTE);
    if (o->tolerance_of == DYN_TOLERANCE_ABSOLUTE && !(o->tolerance > 0.0 && isfinite(o->tolerance)))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be positive", o->tolerance);
    if (o->tolerance_of != DYN_TOLERANCE_ABSOLUTE && !(o->tolerance >= 1e-14 && o->tolerance <= 0.1))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in [1e-14, 0.1]", o->tolerance);
    return DYN_OK;
}

static dyn_status check_counts(dyn_ctx *ctx, int64_t size, const dyn_eigen_options *o)
{
    const struct { const char *name; int64_t value, min, max; } limits[] = {
        { "count", o->count, 1, o->which == DYN_BOTH_ENDS ? size / 2 : size },
        { "block", o->block, 1, size },
        { "start_count", o->start_count, 0, o->start ? size : 0 },
        { "subspace", o->subspace, 0, INT32_MAX },
        { "max_products", o->max_products, 0, INT64_MAX / 2 },
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].value < limits[i].min || limits[i].value > limits[i].max)
            return DYN__FAIL(ctx, DYN_EINVAL,
                             "%s is %" PRId64 ", must be in [%" PRId64 ", %" PRId64 "] for an operator of size %"
                             PRId64, limits[i].name, limits[i].value, limits[i].min, limits[i].max, size);
    if (o->start && o->start_count == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "start is given with start_count 0");
    return dyn__check_finite(ctx, "start", o->start_count * size, o->start);
}

dyn_status dyn__eigen_check(dyn_ctx *ctx, int64_t size, const dyn_eigen_options *o)
{
    DYN__TRY(check_choices(ctx, o));
    return check_counts(ctx, size, o);
}

static void complete(dyn_operator *A, dyn__eigen_plan *p)
{
    dyn_eigen_options *o = &p->opt;
    int64_t rows;

    p->ends = o->which == DYN_BOTH_ENDS ? 2 : 1;
    p->want = p->ends * o->count;
    p->max_width = o->block;
    rows = largest(2 * p->want + 8 * p->max_width, 60);
    o->subspace = o->subspace ? o->subspace : rows;
    o->subspace = o->subspace < A->size ? o->subspace : A->size;
    p->limited = o->max_products != 0;
    o->max_products = o->max_products ? o->max_products : 1000 + 50 * p->want;
}

static dyn_status check_limits(dyn_operator *A, const dyn__eigen_plan *p)
{
    int64_t rows = p->want + 2 * p->max_width, products = 2 * (p->want + p->max_width);

    if (p->want > A->size)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "%" PRId64 " pairs asked for, the operator has size %" PRId64, p->want,
                         A->size);
    if (p->opt.subspace < rows && p->opt.subspace < A->size)
        return DYN__FAIL(A->ctx, DYN_EINVAL,
                         "subspace is %" PRId64 ", must be at least %" PRId64 " for %" PRId64 " pairs in blocks of %"
                         PRId64, p->opt.subspace, rows, p->want, p->max_width);
    if (p->opt.max_products < products)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "max_products is %" PRId64 ", must be at least %" PRId64,
                         p->opt.max_products, products);
    return DYN_OK;
}

static dyn_status solve(dyn_operator *A, const dyn__eigen_plan *p, int by_matrix, dyn_eigen **out)
{
    const int64_t n = A->size;

    if (by_matrix)
        return dyn__eigen_dense(A, p, out);
    if (p->want > n / 4)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "max_products is %" PRId64 ", but %" PRId64 " pairs of %" PRId64
                         " need the whole matrix, %" PRId64 " products", p->opt.max_products, p->want, n, n);
    DYN__TRY(check_limits(A, p));
    return dyn__eigen_lanczos(A, p, out);
}

/* Nothing is changed; *by_matrix: it will be written out whole. */
static dyn_status foresee(dyn_operator *A, const dyn_eigen_options *opt, dyn__eigen_plan *p, int *by_matrix)
{
    DYN__TRY(dyn__need_symmetric(A));
    DYN__TRY(dyn__options(A->ctx, "dyn_eigen_options", opt, &p->opt, sizeof p->opt, sizeof p->opt));
    DYN__TRY(dyn__eigen_check(A->ctx, A->size, &p->opt));
    complete(A, p);
    *by_matrix = A->size <= p->opt.max_products && (A->size <= SMALL || p->want > A->size / 4);
    return DYN_OK;
}

dyn_status dyn_eigen_bytes(dyn_operator *A, const dyn_eigen_options *opt, int64_t *bytes)
{
    dyn__eigen_plan p = { .opt = DYN_EIGEN_OPTIONS_INIT };
    int by_matrix;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, bytes);
    DYN__TRY(foresee(A, opt, &p, &by_matrix));
    const int64_t n = A->size, result = p.want * (n + 10) * (int64_t)sizeof(double);
    *bytes = result + (by_matrix ? 2 * n * n * (int64_t)sizeof(double)
                                 : dyn__lanczos_bytes(A, p.opt.subspace, p.max_width, 1) +
                                   (p.max_width * (n + 1) + p.opt.subspace) * (int64_t)sizeof(double));
    return DYN_OK;
}

dyn_status dyn_eigen_solve(dyn_operator *A, const dyn_eigen_options *opt, dyn_eigen **out)
{
    dyn__eigen_plan p = { .opt = DYN_EIGEN_OPTIONS_INIT };
    int by_matrix;

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, out);
    DYN__TRY(foresee(A, opt, &p, &by_matrix));
    dyn_status s = solve(A, &p, by_matrix, out);
    if (s >= 0)
        s = dyn__eigen_add_errors(A, s, *out);
    if (s >= 0)
        (*out)->two_ends = p.opt.which == DYN_BOTH_ENDS || p.opt.which == DYN_LARGEST_MAGNITUDE;
    const dyn_status c = s >= 0 ? dyn__eigen_cluster(*out) : s;
    if (c < 0) {
        dyn_eigen_free(*out);
        *out = NULL;
        return c;
    }
    return s;
}
