/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharpness-aware minimisation: the point uphill of theta at which the step takes its gradient. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

/* out = a b and out = a scale + b. */
static void multiply(const dyn_optimizer *o, const void *a, const void *b, void *out)
{
    const dyn__arg args[3] = { { out, 0, 1 }, { (void *)(uintptr_t)a, 0, 1 }, { (void *)(uintptr_t)b, 0, 1 } };

    o->kernels->tile[DYN__K_MUL](1, o->size, args, 0);
}

static void add_scaled(const dyn_optimizer *o, const void *a, double scale, const void *b, void *out)
{
    float single = (float)scale;
    const dyn__arg args[4] = { { out, 0, 1 }, { (void *)(uintptr_t)a, 0, 1 },
                               { o->dtype == DYN_F32 ? (void *)&single : &scale, 0, 0 },
                               { (void *)(uintptr_t)b, 0, 1 } };

    o->kernels->tile[DYN__K_FMA](1, o->size, args, 0);
}

/* out = theta + rho g / |g|, or theta + rho theta^2 g / | |theta| g |. */
static dyn_status climb(dyn_optimizer *o, const void *theta, const void *gradient, void *out)
{
    const void *direction = gradient;

    if (o->opt.sam_adaptive) {
        multiply(o, theta, gradient, out);
        direction = out;
    }
    o->slope = dyn__optimizer_norm(o, direction);
    if (!isfinite(o->slope))
        return DYN__FAIL(o->ctx, DYN_ENONFINITE, "norm of the gradient is %g at step %lld", o->slope,
                         (long long)o->steps);
    if (o->slope == 0) {
        memcpy(out, theta, (size_t)o->size * o->width);
        return DYN_OK;
    }
    if (o->opt.sam_adaptive)
        multiply(o, out, theta, out);
    add_scaled(o, direction, o->opt.sam_rho / o->slope, theta, out);
    return DYN_OK;
}

dyn_status dyn_optimizer_perturb(dyn_optimizer *o, const void *theta, const void *gradient, void *out)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, theta);
    DYN__NEED(o->ctx, gradient);
    DYN__NEED(o->ctx, out);
    if (o->opt.sam_rho == 0)
        return DYN__FAIL(o->ctx, DYN_ESTATE, "sam_rho is 0: nothing is perturbed");
    DYN__TRY(climb(o, theta, gradient, out));
    o->perturbed = 1;
    return DYN_OK;
}
