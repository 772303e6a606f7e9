/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The preconditioner of the step taken last, in the scaling in which every rule is stable up to 2 / rate. For a mode
 * of curvature h under a frozen diagonal D the rules are two-term recursions, whose stability gives c. */
#include "optim/optim.h"

#include <math.h>
#include "optim/chunk.h"

static double factor(const dyn_optimizer *o)
{
    const dyn_optimizer_options *opt = &o->opt;
    const double b = opt->beta1;

    switch (o->rule->update) {
    case DYN__U_HEAVY_BALL:
        return (opt->ema ? 1 - b : 1) / (1 + b);
    case DYN__U_NESTEROV:
        return (1 + 2 * b) / (1 + b);
    case DYN__U_ADAM:
        return (1 - b) / (1 + b) / (opt->no_bias_correction ? 1 : 1 - pow(b, (double)o->steps));
    default:
        return 1;
    }
}

/* d holds v and becomes 1 / (sqrt(vh) + eps). */
static dyn_status invert_root(const dyn_optimizer *o, double *d)
{
    const double scale = dyn__optimizer_update(o, o->steps - 1).scale2, eps = o->opt.eps;

    for (int64_t i = 0; i < o->size; i++) {
        const double vh = d[i] * scale;

        d[i] = 1 / (o->opt.eps_inside ? sqrt(vh + eps) : sqrt(vh) + eps);
        if (!isfinite(d[i]))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "1 / (sqrt(v) + eps) is %g for parameter %lld, with v %g, eps %g",
                             d[i], (long long)i, vh, eps);
    }
    return DYN_OK;
}

dyn_status dyn_optimizer_preconditioner(const dyn_optimizer *o, double *d, double *c)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, d);
    DYN__NEED(o->ctx, c);
    if (o->opt.kind == DYN_OPTIMIZER_SIGN)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "SIGN has no preconditioner");
    if (o->v && o->steps == 0)
        return DYN__FAIL(o->ctx, DYN_ESTATE, "%s has taken no step yet, v is 0", o->rule->name);
    *c = factor(o);
    if (o->v) {
        dyn__to_double(o->dtype, o->size, o->v, d);
        return invert_root(o, d);
    }
    for (int64_t i = 0; i < o->size; i++)
        d[i] = 1;
    return DYN_OK;
}
