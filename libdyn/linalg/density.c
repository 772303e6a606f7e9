/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stochastic Lanczos quadrature: the Ritz values of a start vector of random signs are the nodes of a Gauss rule for its
 * spectral measure, the squared first components of the Ritz coefficients its weights. */
#include <inttypes.h>
#include <math.h>
#include <dyn/estimate.h>
#include "linalg/basis.h"
#include "linalg/lanczos.h"
#include "linalg/probe.h"

enum { SITE_DENSITY = 4 };

static dyn_status probe(dyn__lanczos *l, uint64_t seed, int64_t number, int64_t steps, double *nodes, double *weights)
{
    l->j = 0;
    l->width = 1;
    dyn__probe_signs(seed, SITE_DENSITY, number, 1, l->n, l->V);
    dyn__basis_scale(l->n, 1.0 / sqrt((double)l->n), l->V);
    for (int64_t i = 0; i < steps; i++)
        DYN__TRY(dyn__lanczos_expand(l));
    DYN__TRY(dyn__lanczos_ritz(l));
    for (int64_t i = 0; i < steps; i++) {
        double first = l->Y[i * steps];

        nodes[i] = l->theta[i];
        weights[i] = first * first;
    }
    return DYN_OK;
}

dyn_status dyn_operator_density(dyn_operator *A, int64_t probes, int64_t steps, uint64_t seed, double *nodes,
                                double *weights)
{
    dyn__lanczos l;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, nodes);
    DYN__NEED(A->ctx, weights);
    if (probes < 1 || probes > INT32_MAX)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "probes is %" PRId64 ", must be in [1, %d]", probes, INT32_MAX);
    if (steps < 1 || steps > A->size)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "steps is %" PRId64 ", must be in [1, %" PRId64 "]", steps, A->size);
    s = dyn__lanczos_init(&l, A, steps, 1, seed, 0);
    for (int64_t i = 0; s >= 0 && i < probes; i++) {
        l.draws = (uint32_t)(i * steps);
        s = probe(&l, seed, i, steps, nodes + i * steps, weights + i * steps);
    }
    dyn__lanczos_free(&l);
    return s;
}

/* The density of one probe at one place. */
static double broadened(int64_t steps, const double *nodes, const double *weights, double width, double at)
{
    double sum = 0.0;

    for (int64_t i = 0; i < steps; i++) {
        double z = (at - nodes[i]) / width;

        sum += weights[i] * exp(-0.5 * z * z);
    }
    return sum / (width * sqrt(2.0 * acos(-1.0)));
}

static dyn_status check_curve(dyn_ctx *ctx, int64_t probes, int64_t steps, double width, int64_t count)
{
    if (probes < 1 || steps < 1 || count < 1)
        return DYN__FAIL(ctx, DYN_EINVAL,
                         "probes is %" PRId64 ", steps %" PRId64 ", count %" PRId64 ": all must be positive", probes,
                         steps, count);
    if (!(width > 0.0) || !isfinite(width))
        return DYN__FAIL(ctx, DYN_EINVAL, "width is %g, must be positive and finite", width);
    return DYN_OK;
}

dyn_status dyn_density_curve(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes, const double *weights,
                             double width, int64_t count, const double *grid, double *density, double *standard_error)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (!nodes || !weights || !grid || !density)
        return DYN__FAIL(ctx, DYN_EINVAL, "an array is NULL");
    DYN__TRY(check_curve(ctx, probes, steps, width, count));
    DYN__TRY(dyn__check_finite(ctx, "nodes", probes * steps, nodes));
    DYN__TRY(dyn__check_finite(ctx, "weights", probes * steps, weights));
    DYN__TRY(dyn__check_finite(ctx, "grid", count, grid));
    for (int64_t g = 0; g < count; g++) {
        dyn__mean m = { 0 };

        for (int64_t p = 0; p < probes; p++)
            dyn__mean_add(&m, broadened(steps, nodes + p * steps, weights + p * steps, width, grid[g]));
        density[g] = m.mean;
        if (standard_error)
            standard_error[g] = dyn__mean_error(&m);
    }
    return DYN_OK;
}
