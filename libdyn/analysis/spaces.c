/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Spaces of eigenvectors: overlaps, shares of a vector in them, how an eigenvalue changes with theta. */
#include <math.h>
#include <dyn/landscape.h>
#include "kernel/kernel.h"
#include "linalg/dense.h"
#include "linalg/operator.h"
#include "objective/objective.h"

static dyn_status check_space(dyn_ctx *ctx, int64_t k, int64_t p)
{
    if (k >= 1 && k <= p && p <= INT64_MAX / 8 / k)
        return DYN_OK;
    return DYN__FAIL(ctx, DYN_EINVAL, "%lld vectors of %lld numbers: at least one vector, and no more than numbers",
                     (long long)k, (long long)p);
}

dyn_status dyn_space_overlap(dyn_ctx *ctx, int64_t k, int64_t p, const double *v, const double *w, double *overlap,
                             double *cosines)
{
    double *products;
    dyn_status s = DYN_OK;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, v);
    DYN__NEED(ctx, w);
    DYN__NEED(ctx, overlap);
    DYN__TRY(check_space(ctx, k, p));
    products = dyn__alloc(ctx, (size_t)k, (size_t)k * sizeof *products);
    if (!products)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < k * k; i++)
        products[i] = dyn__inner(p, v + i / k * p, w + i % k * p);
    *overlap = dyn__inner(k * k, products, products) / (double)k;
    if (cosines)
        s = dyn_dense_svd_values(ctx, k, k, products, cosines);
    dyn__free(ctx, products);
    return s;
}

dyn_status dyn_space_shares(dyn_ctx *ctx, int64_t k, int64_t p, const double *v, const double *x, double *shares)
{
    double sum = 0.0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, v);
    DYN__NEED(ctx, x);
    DYN__NEED(ctx, shares);
    DYN__TRY(check_space(ctx, k, p));
    const double norm = sqrt(dyn__inner(p, x, x));
    for (int64_t i = 0; i < k; i++) {
        const double share = dyn__inner(p, v + i * p, x) / norm;
        sum += share * share;
        shares[i] = sum;
    }
    return DYN_OK;
}

/* ---- the gradient of an eigenvalue ---- */

static dyn_status check_pair(dyn_ctx *ctx, int64_t p, const dyn_eigen *pairs, int64_t i, double tolerance)
{
    DYN__NEED(ctx, pairs);
    if (dyn_eigen_size(pairs) != p || i < 0 || i >= dyn_eigen_count(pairs) || !dyn_eigen_vectors(pairs))
        return DYN__FAIL(ctx, DYN_EINVAL, "pair %lld of %lld of size %lld: the objective has %lld parameters", (long long)i,
                         (long long)dyn_eigen_count(pairs), (long long)dyn_eigen_size(pairs), (long long)p);
    if (!(tolerance >= 0.0 && tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in [0, 1)", tolerance);
    return DYN_OK;
}

static double gap_of(const dyn_eigen *pairs, int64_t i)
{
    const double *value = dyn_eigen_values(pairs);
    double gap = HUGE_VAL;

    for (int64_t j = 0; j < dyn_eigen_count(pairs); j++)
        if (j != i)
            gap = fmin(gap, fabs(value[j] - value[i]));
    return gap;
}

dyn_status dyn_eigenvalue_gradient(dyn_objective *o, const double *theta, const dyn_eigen *pairs, int64_t i,
                                   double tolerance, double *gradient, dyn_eigenvalue_result *slope)
{
    dyn_operator *A = NULL;
    dyn_ctx *ctx;

    if (!o)
        return DYN_EINVAL;
    ctx = dyn__objective_ctx(o);
    DYN__ENTER(ctx);
    DYN__NEED(ctx, gradient);
    DYN__NEED(ctx, slope);
    const int64_t p = dyn_objective_size(o);
    DYN__TRY(check_pair(ctx, p, pairs, i, tolerance));
    const double gap = gap_of(pairs, i), value = dyn_eigen_values(pairs)[i], *v = dyn_eigen_vectors(pairs) + i * p;
    if (gap <= tolerance * fabs(value))
        return DYN__FAIL(ctx, DYN_ENOTSUP, "eigenvalue %lld is %g and another one %g away: a multiple eigenvalue has no gradient",
                         (long long)i, value, gap);
    DYN__TRY(dyn_objective_third_derivative(o, theta, v, &A));
    dyn_status s = dyn_operator_apply(A, 1, v, gradient);
    dyn_operator_unref(A);
    slope->norm = sqrt(dyn__inner(p, gradient, gradient));
    slope->gap = gap;
    slope->error = 2.0 * slope->norm * dyn_eigen_residuals(pairs)[i] / gap;
    return s;
}
