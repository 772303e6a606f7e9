/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The preconditioner of the step taken last, in the scaling in which every rule is stable up to 2 / rate. For a mode of
 * curvature h under a frozen diagonal D the rules are linear filters of the gradient; the first root to leave the unit
 * disc is -1, so that c is the answer to an alternating gradient. */
#include "optim/optim.h"

#include <math.h>
#include "optim/chunk.h"

/* Answer of an average (ema) or a sum with momentum b to 1, -1, 1, ... */
static double alternating(double b, int ema) { return (ema ? 1 - b : 1) / (1 + b); }

static double nadam_factor(const dyn_optimizer_options *opt, int64_t k, double product)
{
    const double mu = dyn__nadam_mu(opt, k), next = dyn__nadam_mu(opt, k + 1);

    return (1 - mu) / (1 - product) + next / (1 - product * next) * alternating(opt->beta1, 1);
}

static double filter(const dyn_optimizer_options *opt, int64_t k, double product)
{
    const double b = opt->beta1;

    switch (opt->kind) {
    case DYN_OPTIMIZER_HEAVY_BALL:
        return alternating(b, opt->ema);
    case DYN_OPTIMIZER_NESTEROV:
        return (1 + 2 * b) / (1 + b);
    case DYN_OPTIMIZER_RMSPROP:
        return alternating(opt->momentum, 0);
    case DYN_OPTIMIZER_SOPHIA:
        return alternating(b, 1);
    case DYN_OPTIMIZER_NADAM:
        return nadam_factor(opt, k, product);
    case DYN_OPTIMIZER_ADAM:
    case DYN_OPTIMIZER_ADAMW:
    case DYN_OPTIMIZER_ADAMAX:
        return alternating(b, 1) / (opt->no_bias_correction ? 1 : 1 - pow(b, (double)k));
    default:
        return 1;
    }
}

double dyn__optimizer_factor(const dyn_optimizer_options *opt, double rate, int64_t k, double product)
{
    const double decay = dyn__optimizer_rule(opt).decoupled ? rate * opt->weight_decay : 0;

    return filter(opt, k, product) * 2 / (2 - decay);
}

/* Multiplier of the gradient, or of its average, for moments x[0..2] of parameter i. */
static double multiplier(const dyn_optimizer *o, const double *moment[DYN__MOMENTS], double scale, int64_t i)
{
    const double *v = moment[1], *w = moment[2], eps = o->opt.eps;
    double x;

    switch (o->rule.update) {
    case DYN__U_ADADELTA:
        return w[i];
    case DYN__U_ADAMAX:
        return 1 / v[i];
    case DYN__U_SOPHIA:
        return 1 / fmax(o->opt.gamma * v[i], eps);
    case DYN__U_AMSGRAD:
        x = w[i] * scale;
        break;
    case DYN__U_CENTRED:
    case DYN__U_CENTRED_MOMENTUM:
        x = fmax(v[i] - w[i] * w[i], 0);
        break;
    default:
        x = v[i] * scale;
        break;
    }
    return 1 / (o->opt.eps_inside ? sqrt(x + eps) : sqrt(x) + eps);
}

/* The diagonal of a rule with v; wide [3, size] is room for the moments. */
static dyn_status fill(const dyn_optimizer *o, double *wide, double *d)
{
    const double scale = dyn__optimizer_update(o, o->steps - 1).scale2;
    const double *moment[DYN__MOMENTS];

    for (int k = 0; k < DYN__MOMENTS; k++) {
        moment[k] = wide + k * o->size;
        if (o->moment[k])
            dyn__to_double(o->dtype, o->size, o->moment[k], wide + k * o->size);
    }
    for (int64_t i = 0; i < o->size; i++) {
        d[i] = multiplier(o, moment, scale, i);
        if (!isfinite(d[i]))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "the preconditioner is %g for parameter %lld, with v %g, eps %g",
                             d[i], (long long)i, moment[1][i], o->opt.eps);
    }
    return DYN_OK;
}

static dyn_status check(const dyn_optimizer *o)
{
    if (!o->rule.edge)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s has no preconditioner", o->rule.name);
    if (o->opt.sam_rho > 0 && (o->moment[1] || o->opt.sam_adaptive))
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s with sam_rho %g%s has no preconditioner", o->rule.name,
                         o->opt.sam_rho, o->opt.sam_adaptive ? ", adaptive," : "");
    if ((o->moment[1] || (o->own && o->moment[0])) && o->steps == 0)
        return DYN__FAIL(o->ctx, DYN_ESTATE, "%s has taken no step yet, its moments are 0", o->rule.name);
    return DYN_OK;
}

/* d without groups. */
static dyn_status diagonal(const dyn_optimizer *o, double *d)
{
    double *wide;
    dyn_status s;

    if (o->own)
        return dyn__own_preconditioner(o, d);
    if (!o->moment[1]) {
        for (int64_t i = 0; i < o->size; i++)
            d[i] = 1;
        return DYN_OK;
    }
    wide = dyn__alloc(o->ctx, (size_t)o->size, DYN__MOMENTS * sizeof *wide);
    if (!wide)
        return DYN_ENOMEM;
    s = fill(o, wide, d);
    dyn__free(o->ctx, wide);
    return s;
}

static double factor_now(const dyn_optimizer *o)
{
    const int64_t k = o->steps > 0 ? o->steps : 1;

    return dyn__optimizer_factor(&o->opt, dyn__rate(&o->opt, k - 1), k,
                                 o->opt.kind == DYN_OPTIMIZER_NADAM ? dyn__nadam_product(o, k) : 0);
}

dyn_status dyn_optimizer_preconditioner(const dyn_optimizer *o, double *d, double *c)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, d);
    DYN__NEED(o->ctx, c);
    DYN__TRY(check(o));
    *c = factor_now(o);
    DYN__TRY(diagonal(o, d));
    dyn__span_precondition(o, d);
    return DYN_OK;
}

double dyn_optimizer_threshold(const dyn_optimizer *o)
{
    double rate, c, G;

    if (!o)
        return 0.0;
    rate = dyn_optimizer_rate(o, o->steps - 1);
    if (o->opt.sam_rho == 0)
        return 2 / rate;
    if (o->opt.sam_adaptive || o->steps == 0)
        return NAN;
    c = factor_now(o);
    G = c * o->slope / (2 * o->opt.sam_rho);
    return G == 0 ? 0 : G * (sqrt(1 + 4 / (rate * G)) - 1);
}
