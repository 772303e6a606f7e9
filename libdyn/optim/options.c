/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of optimisers: what the kinds are, their defaults, and which values are allowed. */
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

dyn_status dyn_optimizer_defaults(int32_t kind, dyn_optimizer_options *out)
{
    if (!out || !dyn__optimizer_rule(kind))
        return DYN_EINVAL;
    *out = (dyn_optimizer_options)DYN_OPTIMIZER_OPTIONS_INIT;
    out->kind = kind;
    if (kind == DYN_OPTIMIZER_RMSPROP)
        out->beta2 = 0.99;
    return DYN_OK;
}

/* A real field and its range [0, limit], or [0, limit) where `below`. */
typedef struct real {
    const char *name;
    double value, limit;
    int below;
} real;

static dyn_status check_reals(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    const real fields[] = {
        { "rate", o->rate, INFINITY, 1 },
        { "beta1", o->beta1, 1, 1 },
        { "beta2", o->beta2, 1, 1 },
        { "eps", o->eps, INFINITY, 1 },
        { "weight_decay", o->weight_decay, INFINITY, 1 },
        { "clip_norm", o->clip_norm, INFINITY, 1 },
        { "warmup_start", o->warmup_start, 1, 0 },
        { "factor", o->factor, 1, 0 },
        { "floor", o->floor, o->rate, 0 },
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const real *f = &fields[i];

        if (!isfinite(f->value) || f->value < 0 || f->value > f->limit || (f->below && f->value == f->limit))
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %g, allowed is [0, %g%s", f->name, f->value, f->limit,
                             f->below ? ")" : "]");
    }
    return DYN_OK;
}

static dyn_status check_schedule(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    if (o->schedule < DYN_RATE_CONSTANT || o->schedule > DYN_RATE_COSINE)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d is unknown", o->schedule);
    if (o->warmup < 0 || o->period < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "warmup %lld or period %lld is negative", (long long)o->warmup,
                         (long long)o->period);
    if (o->tick_steps < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "tick_steps is %lld, must be at least 1", (long long)o->tick_steps);
    if (o->schedule != DYN_RATE_CONSTANT && o->period == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d needs a period, period is 0", o->schedule);
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

    *full = (dyn_optimizer_options)DYN_OPTIMIZER_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_optimizer_options", given, full, sizeof *full, sizeof *full));
    if (!dyn__optimizer_rule(full->kind))
        return DYN__FAIL(ctx, DYN_EINVAL, "kind %d is unknown", full->kind);
    DYN__TRY(check_reals(ctx, full));
    DYN__TRY(check_schedule(ctx, full));
    DYN__TRY(check_flags(ctx, full));
    if (full->init_from_gradient)
        full->no_bias_correction = 1;
    return DYN_OK;
}
