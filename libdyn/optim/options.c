/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of optimisers: what the kinds are, which values are allowed, and the defaults. */
#include "optim/optim.h"

#include <math.h>

static const dyn__rule rules[] = {
    [DYN_OPTIMIZER_GD] = { "GD", DYN__U_GD, 0, 0 },
    [DYN_OPTIMIZER_HEAVY_BALL] = { "HEAVY_BALL", DYN__U_HEAVY_BALL, 1, 0 },
    [DYN_OPTIMIZER_NESTEROV] = { "NESTEROV", DYN__U_NESTEROV, 1, 0 },
    [DYN_OPTIMIZER_ADAM] = { "ADAM", DYN__U_ADAM, 1, 1 },
    [DYN_OPTIMIZER_ADAMW] = { "ADAMW", DYN__U_ADAM, 1, 1 },
    [DYN_OPTIMIZER_RMSPROP] = { "RMSPROP", DYN__U_RMSPROP, 0, 1 },
    [DYN_OPTIMIZER_SIGN] = { "SIGN", DYN__U_SIGN, 0, 0 },
};

const dyn__rule *dyn__optimizer_rule(int32_t kind)
{
    return kind >= 0 && kind < (int32_t)(sizeof rules / sizeof *rules) ? &rules[kind] : NULL;
}

/* A real field: its default, whether DYN_EXACT_ZERO is understood, and the allowed range [0, limit] or [0, limit). */
typedef struct real {
    const char *name;
    double *value, standard, limit;
    int exact_zero, below;
} real;

static dyn_status complete_real(dyn_ctx *ctx, const real *f)
{
    double v = *f->value;

    if (v == 0.0)
        *f->value = f->standard;
    else if (f->exact_zero && v == DYN_EXACT_ZERO)
        *f->value = 0.0;
    else if (!isfinite(v) || v < 0 || v > f->limit || (f->below && v == f->limit))
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is %g, allowed is [0, %g%s", f->name, v, f->limit, f->below ? ")" : "]");
    return DYN_OK;
}

static dyn_status complete_reals(dyn_ctx *ctx, dyn_optimizer_options *o)
{
    const double beta2 = o->kind == DYN_OPTIMIZER_RMSPROP ? 0.99 : 0.999;
    const real fields[] = {
        { "rate", &o->rate, 1e-3, INFINITY, 0, 1 },
        { "beta1", &o->beta1, 0.9, 1, 1, 1 },
        { "beta2", &o->beta2, beta2, 1, 1, 1 },
        { "eps", &o->eps, 1e-8, INFINITY, 1, 1 },
        { "weight_decay", &o->weight_decay, 0, INFINITY, 0, 1 },
        { "clip_norm", &o->clip_norm, 0, INFINITY, 0, 1 },
        { "warmup_start", &o->warmup_start, 0, 1, 0, 0 },
        { "factor", &o->factor, 0.1, 1, 0, 0 },
        { "floor", &o->floor, 0, o->rate == 0 ? 1e-3 : o->rate, 0, 0 },
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        DYN__TRY(complete_real(ctx, &fields[i]));
    return DYN_OK;
}

static dyn_status complete_schedule(dyn_ctx *ctx, dyn_optimizer_options *o)
{
    if (o->schedule < DYN_RATE_CONSTANT || o->schedule > DYN_RATE_COSINE)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d is unknown", o->schedule);
    if (o->warmup < 0 || o->period < 0 || o->tick_steps < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "warmup %lld, period %lld or tick_steps %lld is negative",
                         (long long)o->warmup, (long long)o->period, (long long)o->tick_steps);
    if (o->schedule != DYN_RATE_CONSTANT && o->period == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d needs a period, period is 0", o->schedule);
    if (o->tick_steps == 0)
        o->tick_steps = 1;
    return DYN_OK;
}

static dyn_status check_flags(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    const struct { const char *name; int32_t value; } flags[] = {
        { "eps_inside", o->eps_inside }, { "no_bias_correction", o->no_bias_correction }, { "ema", o->ema },
        { "init_from_gradient", o->init_from_gradient },
    };
    const dyn__rule *rule = dyn__optimizer_rule(o->kind);

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        DYN__TRY(dyn__check_flag(ctx, flags[i].name, flags[i].value));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    if (o->init_from_gradient && !rule->has_v && !(o->kind == DYN_OPTIMIZER_HEAVY_BALL && o->ema))
        return DYN__FAIL(ctx, DYN_EINVAL, "init_from_gradient: %s keeps no average", rule->name);
    return DYN_OK;
}

dyn_status dyn__optimizer_options(dyn_ctx *ctx, const dyn_optimizer_options *given, dyn_optimizer_options *full)
{
    _Static_assert(sizeof *full == 128 && offsetof(dyn_optimizer_options, floor) == 120, "no implicit padding");

    DYN__TRY(dyn__options(ctx, "dyn_optimizer_options", given, full, sizeof *full, sizeof *full));
    if (!dyn__optimizer_rule(full->kind))
        return DYN__FAIL(ctx, DYN_EINVAL, "kind %d is unknown", full->kind);
    DYN__TRY(complete_reals(ctx, full));
    DYN__TRY(complete_schedule(ctx, full));
    DYN__TRY(check_flags(ctx, full));
    if (full->init_from_gradient)
        full->no_bias_correction = 1;
    return DYN_OK;
}
