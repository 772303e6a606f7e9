/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of optimisers: what the kinds are, their defaults, and which values are allowed. */
#include "optim/optim.h"

#include <math.h>

enum { M = 1, V = 2, W = 4 };

static const dyn__rule rules[] = {
    /*                            name          update              moments  decoupled  edge */
    [DYN_OPTIMIZER_GD] = { "GD", DYN__U_GD, 0, 0, 1 },
    [DYN_OPTIMIZER_HEAVY_BALL] = { "HEAVY_BALL", DYN__U_HEAVY_BALL, M, 0, 1 },
    [DYN_OPTIMIZER_NESTEROV] = { "NESTEROV", DYN__U_NESTEROV, M, 0, 1 },
    [DYN_OPTIMIZER_ADAM] = { "ADAM", DYN__U_ADAM, M | V, 0, 1 },
    [DYN_OPTIMIZER_ADAMW] = { "ADAMW", DYN__U_ADAM, M | V, 1, 1 },
    [DYN_OPTIMIZER_RMSPROP] = { "RMSPROP", DYN__U_RMSPROP, V, 0, 1 },
    [DYN_OPTIMIZER_SIGN] = { "SIGN", DYN__U_SIGN, 0, 0, 0 },
    [DYN_OPTIMIZER_ADAMAX] = { "ADAMAX", DYN__U_ADAMAX, M | V, 0, 1 },
    [DYN_OPTIMIZER_NADAM] = { "NADAM", DYN__U_NADAM, M | V, 0, 1 },
    [DYN_OPTIMIZER_ADAGRAD] = { "ADAGRAD", DYN__U_ADAGRAD, V, 0, 1 },
    [DYN_OPTIMIZER_ADADELTA] = { "ADADELTA", DYN__U_ADADELTA, M | V | W, 0, 1 },
    [DYN_OPTIMIZER_LION] = { "LION", DYN__U_LION, M, 1, 0 },
    [DYN_OPTIMIZER_SOPHIA] = { "SOPHIA", DYN__U_SOPHIA, M | V, 1, 1 },
    [DYN_OPTIMIZER_MUON] = { "MUON", DYN__U_ADAM, M | V, 1, 0 },
    [DYN_OPTIMIZER_LBFGS] = { "LBFGS", DYN__U_GD, 0, 0, 0 },
    [DYN_OPTIMIZER_RULE] = { "RULE", DYN__U_GD, 0, 0, 0 },
};
enum { RULES = sizeof rules / sizeof *rules };

static dyn__rule rmsprop(const dyn_optimizer_options *o)
{
    dyn__rule rule = rules[DYN_OPTIMIZER_RMSPROP];

    if (o->momentum > 0)
        rule.moments |= M;
    if (o->centered)
        rule.moments |= W;
    rule.update = o->centered ? (o->momentum > 0 ? DYN__U_CENTRED_MOMENTUM : DYN__U_CENTRED)
                              : (o->momentum > 0 ? DYN__U_RMSPROP_MOMENTUM : DYN__U_RMSPROP);
    return rule;
}

dyn__rule dyn__optimizer_rule(const dyn_optimizer_options *o)
{
    dyn__rule rule = rules[o->kind];

    if (o->kind == DYN_OPTIMIZER_RMSPROP)
        return rmsprop(o);
    if (o->kind == DYN_OPTIMIZER_RULE) {
        rule.moments = (1 << o->moments) - 1;
        rule.edge = o->preconditioner != NULL;
    }
    if (rule.update == DYN__U_ADAM && o->kind != DYN_OPTIMIZER_MUON && o->amsgrad) {
        rule.update = DYN__U_AMSGRAD;
        rule.moments |= W;
    }
    return rule;
}

const char *dyn__moment_name(int i)
{
    static const char *const names[DYN__MOMENTS] = { "m", "v", "w" };

    return names[i];
}

static int is_kind(int32_t kind) { return kind >= 0 && kind < RULES; }

dyn_status dyn_optimizer_defaults(int32_t kind, dyn_optimizer_options *out)
{
    /* rate, beta1, beta2, eps, weight_decay, momentum */
    static const double special[RULES][6] = {
        [DYN_OPTIMIZER_ADAMW] = { 1e-3, 0.9, 0.999, 1e-8, 0.01, 0 },
        [DYN_OPTIMIZER_RMSPROP] = { 1e-3, 0.9, 0.99, 1e-8, 0, 0 },
        [DYN_OPTIMIZER_ADAMAX] = { 2e-3, 0.9, 0.999, 1e-8, 0, 0 },
        [DYN_OPTIMIZER_NADAM] = { 2e-3, 0.9, 0.999, 1e-8, 0, 0 },
        [DYN_OPTIMIZER_ADAGRAD] = { 0.01, 0.9, 0.999, 1e-10, 0, 0 },
        [DYN_OPTIMIZER_ADADELTA] = { 1, 0.9, 0.9, 1e-6, 0, 0 },
        [DYN_OPTIMIZER_LION] = { 1e-4, 0.9, 0.99, 1e-8, 0, 0 },
        [DYN_OPTIMIZER_SOPHIA] = { 1e-4, 0.96, 0.99, 1e-12, 0.1, 0 },
        [DYN_OPTIMIZER_MUON] = { 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.95 },
    };
    const double *own;

    if (!out || !is_kind(kind))
        return DYN_EINVAL;
    *out = (dyn_optimizer_options)DYN_OPTIMIZER_OPTIONS_INIT;
    out->kind = kind;
    own = special[kind];
    if (own[0] == 0)
        return DYN_OK;
    out->rate = own[0], out->beta1 = own[1], out->beta2 = own[2], out->eps = own[3];
    out->weight_decay = own[4], out->momentum = own[5];
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
        { "power", o->power, INFINITY, 1 },
        { "peak", o->peak, 1, 0 },
        { "momentum", o->momentum, 1, 1 },
        { "momentum_decay", o->momentum_decay, INFINITY, 1 },
        { "accumulator", o->accumulator, INFINITY, 1 },
        { "gamma", o->gamma, INFINITY, 1 },
        { "sam_rho", o->sam_rho, INFINITY, 1 },
        { "adam_rate", o->adam_rate, INFINITY, 1 },
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const real *f = &fields[i];

        if (!isfinite(f->value) || f->value < 0 || f->value > f->limit || (f->below && f->value == f->limit))
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %g, allowed is [0, %g%s", f->name, f->value, f->limit,
                             f->below ? ")" : "]");
    }
    return DYN_OK;
}

static dyn_status check_ticks(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    const struct { const char *name; int64_t value, least; } ticks[] = {
        { "warmup", o->warmup, 0 }, { "period", o->period, 0 }, { "tick_steps", o->tick_steps, 1 },
        { "period_factor", o->period_factor, 1 }, { "curvature_every", o->curvature_every, 0 },
    };

    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++)
        if (ticks[i].value < ticks[i].least)
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %lld, must be at least %lld", ticks[i].name,
                             (long long)ticks[i].value, (long long)ticks[i].least);
    return DYN_OK;
}

static dyn_status check_schedule(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    const int32_t s = o->schedule;

    if (s < DYN_RATE_CONSTANT || s > DYN_RATE_CALLBACK)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d is unknown", s);
    DYN__TRY(check_ticks(ctx, o));
    if (s != DYN_RATE_CONSTANT && s != DYN_RATE_CALLBACK && o->period == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "schedule %d needs a period, period is 0", s);
    if (s == DYN_RATE_ONE_CYCLE && o->warmup > 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "ONE_CYCLE has its own rise, warmup is %lld", (long long)o->warmup);
    if (s == DYN_RATE_CALLBACK && !o->rate_at)
        return DYN__FAIL(ctx, DYN_EINVAL, "CALLBACK needs rate_at, which is NULL");
    return DYN_OK;
}

static dyn_status check_muon(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    if (o->iterations < 0 || o->iterations > 100)
        return DYN__FAIL(ctx, DYN_EINVAL, "iterations is %d, allowed is 0 to 100", o->iterations);
    if (o->matrices_count < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "matrices_count is %lld", (long long)o->matrices_count);
    if (o->kind == DYN_OPTIMIZER_MUON && (o->matrices_count == 0 || !o->matrices))
        return DYN__FAIL(ctx, DYN_EINVAL, "MUON needs matrices, there are none");
    return DYN_OK;
}

static dyn_status check_rule(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    if (o->moments < 0 || o->moments > DYN__MOMENTS)
        return DYN__FAIL(ctx, DYN_EINVAL, "moments is %d, allowed is 0 to %d", o->moments, DYN__MOMENTS);
    if (o->kind == DYN_OPTIMIZER_RULE && !o->rule)
        return DYN__FAIL(ctx, DYN_EINVAL, "RULE needs a rule, which is NULL");
    return DYN_OK;
}

static dyn_status check_lbfgs(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    if (o->memory < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "memory is %lld, must be at least 1", (long long)o->memory);
    if (o->kind == DYN_OPTIMIZER_LBFGS &&
        (o->weight_decay != 0 || o->clip_norm != 0 || o->sam_rho != 0 || o->groups_count != 0))
        return DYN__FAIL(ctx, DYN_ENOTSUP, "LBFGS takes no weight_decay (%g), clip_norm (%g), sam_rho (%g), groups (%d)",
                         o->weight_decay, o->clip_norm, o->sam_rho, o->groups_count);
    return DYN_OK;
}

static dyn_status check_groups(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    if (o->groups_count < 0 || (o->groups_count > 0 && !o->groups))
        return DYN__FAIL(ctx, DYN_EINVAL, "groups_count is %d%s", o->groups_count, o->groups ? "" : ", groups NULL");
    for (int32_t i = 0; i < o->groups_count; i++) {
        const dyn_optimizer_group *g = &o->groups[i];

        DYN__NEED(ctx, g->pattern);
        DYN__TRY(dyn__check_flag(ctx, "frozen", g->frozen));
        DYN__TRY(dyn__check_reserved(ctx, (uint32_t)g->reserved));
        if (!(g->rate >= 0 && isfinite(g->rate) && g->decay >= 0 && isfinite(g->decay)))
            return DYN__FAIL(ctx, DYN_EINVAL, "group \"%s\": rate is %g, decay %g, both must be finite and not negative",
                             g->pattern, g->rate, g->decay);
    }
    return DYN_OK;
}

static dyn_status check_flags(dyn_ctx *ctx, const dyn_optimizer_options *o)
{
    const struct { const char *name; int32_t value; } flags[] = {
        { "eps_inside", o->eps_inside }, { "no_bias_correction", o->no_bias_correction }, { "ema", o->ema },
        { "init_from_gradient", o->init_from_gradient }, { "amsgrad", o->amsgrad }, { "centered", o->centered },
        { "sam_adaptive", o->sam_adaptive }, { "nesterov", o->nesterov }, { "match_rms", o->match_rms },
    };
    const int averages = o->kind == DYN_OPTIMIZER_ADAM || o->kind == DYN_OPTIMIZER_ADAMW
                         || o->kind == DYN_OPTIMIZER_RMSPROP || (o->kind == DYN_OPTIMIZER_HEAVY_BALL && o->ema);

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        DYN__TRY(dyn__check_flag(ctx, flags[i].name, flags[i].value));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    if (o->init_from_gradient && !averages)
        return DYN__FAIL(ctx, DYN_EINVAL, "init_from_gradient is not for %s", rules[o->kind].name);
    if (o->kind == DYN_OPTIMIZER_SOPHIA && o->gamma == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "gamma is 0, must be positive");
    return DYN_OK;
}

dyn_status dyn__optimizer_options(dyn_ctx *ctx, const dyn_optimizer_options *given, dyn_optimizer_options *full)
{
    _Static_assert(sizeof *full == 312 && offsetof(dyn_optimizer_options, matrices) == 248, "no implicit padding");

    *full = (dyn_optimizer_options)DYN_OPTIMIZER_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_optimizer_options", given, full, sizeof *full, sizeof *full));
    if (!is_kind(full->kind))
        return DYN__FAIL(ctx, DYN_EINVAL, "kind %d is unknown", full->kind);
    DYN__TRY(check_reals(ctx, full));
    DYN__TRY(check_schedule(ctx, full));
    DYN__TRY(check_flags(ctx, full));
    DYN__TRY(check_muon(ctx, full));
    DYN__TRY(check_rule(ctx, full));
    DYN__TRY(check_groups(ctx, full));
    DYN__TRY(check_lbfgs(ctx, full));
    if (full->init_from_gradient)
        full->no_bias_correction = 1;
    return DYN_OK;
}
