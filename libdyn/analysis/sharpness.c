/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Curvature under a preconditioner. c D H is not symmetric; c D^(1/2) H D^(1/2) has the same eigenvalues and is, and it
 * is H between two diagonals. Along the gradient g the paper's quantity is g^T (c D H) g / g^T g, one product. */
#include <inttypes.h>
#include <math.h>
#include "analysis/sharpness.h"
#include "kernel/kernel.h"
#include "optim/optim.h"

/* A step so late that all biases are gone. */
static const int64_t LATE = INT64_MAX / 2;

static dyn_status check_preconditioner(dyn_operator *H, const double *d, double c)
{
    DYN__TRY(dyn__need_symmetric(H));
    if (!(c > 0.0 && isfinite(c)))
        return DYN__FAIL(H->ctx, DYN_EINVAL, "c is %g, must be positive", c);
    for (int64_t i = 0; d && i < H->size; i++)
        if (!(d[i] >= 0.0 && isfinite(d[i])))
            return DYN__FAIL(H->ctx, DYN_EINVAL, "d[%" PRId64 "] is %g, must not be negative", i, d[i]);
    return DYN_OK;
}

dyn_status dyn__sharpness_operator(dyn_operator *H, const double *d, double c, dyn_operator **out)
{
    double *root;
    dyn_status s;

    DYN__TRY(check_preconditioner(H, d, c));
    if (!d)
        return dyn_operator_scaled(H, c, out);
    root = dyn__alloc(H->ctx, (size_t)H->size, sizeof *root);
    if (!root)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < H->size; i++)
        root[i] = sqrt(c) * sqrt(d[i]);
    s = dyn_operator_sandwiched(H, root, out);
    dyn__free(H->ctx, root);
    return s;
}

dyn_status dyn_sharpness_operator(dyn_operator *H, const double *d, double c, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!H)
        return DYN_EINVAL;
    DYN__ENTER(H->ctx);
    DYN__NEED(H->ctx, out);
    return dyn__sharpness_operator(H, d, c, out);
}

dyn_status dyn_sharpness_preconditioned(dyn_operator *H, const double *d, double c, const dyn_eigen_options *opt,
                                        dyn_eigen **out)
{
    dyn_operator *S = NULL;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!H)
        return DYN_EINVAL;
    DYN__ENTER(H->ctx);
    DYN__NEED(H->ctx, out);
    s = dyn__sharpness_operator(H, d, c, &S);
    if (s >= 0)
        s = dyn_eigen_solve(S, opt, out);
    dyn_operator_unref(S);
    return s;
}

dyn_status dyn__sharpness_directional(dyn_operator *H, const double *d, double c, const double *g, double curvature[2])
{
    int64_t n = H->size;
    double norm = dyn__norm(H->ctx, n, g), *u = dyn__alloc(H->ctx, (size_t)n, 2 * sizeof *u), *Hu = u ? u + n : NULL;
    dyn_status s;

    if (!u)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        u[i] = g[i] / norm;
    s = dyn__operator_apply(H, 1, u, Hu);
    curvature[0] = curvature[1] = 0.0;
    for (int64_t i = 0; s >= 0 && i < n; i++) {
        curvature[0] += u[i] * Hu[i];
        curvature[1] += c * (d ? d[i] : 1.0) * u[i] * Hu[i];
    }
    dyn__free(H->ctx, u);
    return s;
}

dyn_status dyn_sharpness_directional(dyn_operator *H, const double *d, double c, const double *g, double *raw,
                                     double *preconditioned)
{
    double curvature[2];

    if (!H)
        return DYN_EINVAL;
    DYN__ENTER(H->ctx);
    DYN__NEED(H->ctx, g);
    DYN__TRY(check_preconditioner(H, d, c));
    DYN__TRY(dyn__check_finite(H->ctx, "g", H->size, g));
    if (dyn__norm(H->ctx, H->size, g) == 0.0)
        return DYN__FAIL(H->ctx, DYN_EINVAL, "all %" PRId64 " numbers of g are 0: it has no direction", H->size);
    DYN__TRY(dyn__sharpness_directional(H, d, c, g, curvature));
    if (raw)
        *raw = curvature[0];
    if (preconditioned)
        *preconditioned = curvature[1];
    return DYN_OK;
}

dyn_status dyn_sharpness_limit(dyn_ctx *ctx, const dyn_optimizer_options *opt, double *limit)
{
    dyn_optimizer_options o;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, limit);
    DYN__TRY(dyn__optimizer_options(ctx, opt, &o));
    if (!dyn__optimizer_rule(&o).edge || o.sam_rho > 0)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "%s%s has no limit: it moves by an amount that does not depend on curvature "
                         "alone", dyn__optimizer_rule(&o).name, o.sam_rho > 0 ? " with sam_rho" : "");
    *limit = 2.0 / (o.rate * dyn__optimizer_factor(&o, o.rate, LATE, 0));
    return DYN_OK;
}
