/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sums over a spectrum, tr f(A), from the nodes and weights of a spectral density: effective dimension, share of negative
 * values, the logarithm of the determinant. */
#include <inttypes.h>
#include <math.h>
#include <dyn/estimate.h>
#include "linalg/probe.h"

static dyn_status sum_probes(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes, const double *weights,
                             dyn_spectral_fn f, void *user, dyn__mean *m)
{
    for (int64_t p = 0; p < probes; p++) {
        double sum = 0.0;

        for (int64_t i = p * steps; i < (p + 1) * steps; i++)
            if (weights[i] != 0.0)
                sum += weights[i] * (f ? f(user, nodes[i]) : nodes[i]);
        if (!isfinite(sum))
            return DYN__FAIL(ctx, DYN_ENONFINITE, "the function is not finite on the nodes of probe %" PRId64, p);
        dyn__mean_add(m, sum);
    }
    return DYN_OK;
}

dyn_status dyn_density_sum(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes, const double *weights,
                           int64_t size, dyn_spectral_fn f, void *user, double *sum, double *standard_error)
{
    dyn__mean m = { 0 };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (!nodes || !weights || !sum)
        return DYN__FAIL(ctx, DYN_EINVAL, "an argument is NULL");
    if (probes < 1 || steps < 1 || size < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "probes is %" PRId64 ", steps %" PRId64 ", size %" PRId64
                         ": all must be positive", probes, steps, size);
    DYN__TRY(sum_probes(ctx, probes, steps, nodes, weights, f, user, &m));
    *sum = (double)size * m.mean;
    if (standard_error)
        *standard_error = (double)size * dyn__mean_error(&m);
    return DYN_OK;
}

static double damped(void *user, double value)
{
    const double h = fmax(value, 0.0);

    return h / (h + *(const double *)user);
}

dyn_status dyn_density_effective_dimension(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                           const double *weights, int64_t size, double damping, double *dimension,
                                           double *standard_error)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (!(damping > 0.0 && isfinite(damping)))
        return DYN__FAIL(ctx, DYN_EINVAL, "damping is %g, must be positive", damping);
    return dyn_density_sum(ctx, probes, steps, nodes, weights, size, damped, &damping, dimension, standard_error);
}

static double below(void *user, double value)
{
    return value < -*(const double *)user ? 1.0 : 0.0;
}

dyn_status dyn_density_negative_share(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                      const double *weights, double tolerance, double *share, double *standard_error)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (!isfinite(tolerance))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be finite", tolerance);
    return dyn_density_sum(ctx, probes, steps, nodes, weights, 1, below, &tolerance, share, standard_error);
}

static double log_shifted(void *user, double value)
{
    return log(value + *(const double *)user);
}

static dyn_status check_positive(dyn_ctx *ctx, int64_t count, const double *nodes, double shift)
{
    for (int64_t i = 0; i < count; i++)
        if (!(nodes[i] + shift > 0.0))
            return DYN__FAIL(ctx, DYN_EINVAL, "the operator has values down to %g: with shift %g it is not positive definite",
                             nodes[i], shift);
    return DYN_OK;
}

dyn_status dyn_operator_log_determinant(dyn_operator *A, double shift, int64_t probes, int64_t steps, uint64_t seed,
                                        double *value, double *standard_error)
{
    double *nodes;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, value);
    DYN__TRY(dyn__need_symmetric(A));
    if (probes < 1 || probes > INT32_MAX || steps < 1 || steps > A->size || !isfinite(shift))
        return DYN__FAIL(A->ctx, DYN_EINVAL, "probes is %" PRId64 ", steps %" PRId64 ", shift %g: at least 1, at most %"
                         PRId64 " steps, a finite shift", probes, steps, shift, A->size);
    nodes = dyn__alloc(A->ctx, (size_t)probes, 2 * (size_t)steps * sizeof *nodes);
    if (!nodes)
        return DYN_ENOMEM;
    s = dyn_operator_density(A, probes, steps, seed, nodes, nodes + probes * steps);
    if (s >= 0)
        s = check_positive(A->ctx, probes * steps, nodes, shift);
    if (s >= 0)
        s = dyn_density_sum(A->ctx, probes, steps, nodes, nodes + probes * steps, A->size, log_shifted, &shift, value,
                            standard_error);
    dyn__free(A->ctx, nodes);
    return s;
}
