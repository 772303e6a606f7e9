/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Minimisation: options, the point, and what ends it. */
#include "minimise/minimise.h"

#include <stdio.h>

dyn_status dyn__finite_gradient(dyn_objective *o, int64_t n, const double *theta, double *value, double *gradient,
                                double *length)
{
    const dyn_status s = dyn_objective_gradient(o, theta, gradient, value);

    if (s == DYN_ENONFINITE)
        *value = NAN;
    else if (s < 0)
        return s;
    *length = dyn__norm(dyn__objective_ctx(o), n, gradient);
    if (!isfinite(*value) || !isfinite(*length * *length))
        *value = NAN;
    return DYN_OK;
}

dyn_status dyn__search_evaluate(dyn__search *s, dyn__point *p)
{
    s->on.spent = s->evaluations >= s->opt.max_evaluations;
    if (s->on.spent) {
        s->reason = DYN_MINIMISE_EVALUATIONS;
        return DYN_OK;
    }
    s->evaluations++;
    return dyn__finite_gradient(s->objective, s->on.n, p->theta, &p->value, p->gradient, &p->length);
}

void dyn__search_take(dyn__search *s)
{
    dyn__descent_take(&s->on);
    s->steps++;
}

int dyn__search_done(dyn__search *s)
{
    const double norm = s->on.at.length;
    char text[96];

    if (s->on.at.value <= s->opt.stop_value)
        s->reason = DYN_MINIMISE_VALUE;
    else if (norm <= s->opt.gradient_tolerance)
        s->reason = DYN_MINIMISE_GRADIENT;
    if (!s->reason && s->opt.progress) {
        snprintf(text, sizeof text, "step %lld, value %.6g, gradient %.3g", (long long)s->steps, s->on.at.value, norm);
        if (s->opt.progress(s->opt.progress_user, 0, text))
            s->reason = DYN_MINIMISE_STOPPED;
    }
    return s->reason != 0;
}

static dyn_status check(dyn_ctx *ctx, const dyn_minimise_options *given, dyn_minimise_options *o)
{
    *o = (dyn_minimise_options)DYN_MINIMISE_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_minimise_options", given, o, sizeof *o, sizeof *o));
    if (o->method < DYN_MINIMISE_LBFGS || o->method > DYN_MINIMISE_MONOTONE)
        return DYN__FAIL(ctx, DYN_EINVAL, "method %d is unknown", o->method);
    if (o->memory < 1 || o->max_evaluations < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "memory %lld and max_evaluations %lld must be at least 1",
                         (long long)o->memory, (long long)o->max_evaluations);
    if (!(o->gradient_tolerance >= 0) || isnan(o->stop_value))
        return DYN__FAIL(ctx, DYN_EINVAL, "gradient_tolerance %g or stop_value %g is no bound", o->gradient_tolerance,
                         o->stop_value);
    if (!(o->rate > 0 && isfinite(o->rate)) || !(o->growth >= 1 && isfinite(o->growth)) ||
        !(o->shrink > 0 && o->shrink < 1))
        return DYN__FAIL(ctx, DYN_EINVAL, "rate %g, growth %g, shrink %g: needed are > 0, >= 1 and in (0, 1)", o->rate,
                         o->growth, o->shrink);
    return DYN_OK;
}

static dyn_status evaluate(dyn__descent *d, dyn__point *p) { return dyn__search_evaluate((dyn__search *)(void *)d, p); }

static dyn_status lbfgs(dyn__search *s, dyn__pairs *p)
{
    int found;

    while (!dyn__search_done(s)) {
        DYN__TRY(dyn__lbfgs_seek(&s->on, p, &found));
        if (found) {
            dyn__lbfgs_take(&s->on, p);
            s->steps++;
        } else if (!s->reason) {
            s->reason = DYN_MINIMISE_STALLED;
        }
        if (s->reason)
            break;
    }
    return DYN_OK;
}

static dyn_status run_lbfgs(dyn__search *s)
{
    dyn__pairs p;
    dyn_status status = dyn__pairs_open(s->on.ctx, s->on.n, s->opt.memory, &p);

    if (status == DYN_OK)
        status = lbfgs(s, &p);
    dyn__pairs_free(s->on.ctx, &p);
    return status;
}

static dyn_status run(dyn__search *s)
{
    DYN__TRY(dyn__search_evaluate(s, &s->on.at));
    if (isnan(s->on.at.value))
        return DYN__FAIL(s->on.ctx, DYN_ENONFINITE, "value or gradient at the start are not finite");
    switch (s->opt.method) {
    case DYN_MINIMISE_NEWTON:
        return dyn__newton(s);
    case DYN_MINIMISE_MONOTONE:
        return dyn__monotone(s);
    default:
        return run_lbfgs(s);
    }
}

static dyn_status finish(const dyn__search *s, double *theta, dyn_minimum *out)
{
    memcpy(theta, s->on.at.theta, (size_t)s->on.n * sizeof *theta);
    if (out)
        *out = (dyn_minimum){ .value = s->on.at.value, .gradient_norm = s->on.at.length,
                              .rate = s->rate, .steps = s->steps, .evaluations = s->evaluations,
                              .products = s->products, .reason = s->reason };
    if (s->reason == DYN_MINIMISE_STOPPED)
        return DYN_STOPPED;
    return s->reason <= DYN_MINIMISE_VALUE ? DYN_OK : DYN_NOT_CONVERGED;
}

dyn_status dyn_objective_minimise(dyn_objective *o, const dyn_minimise_options *opt, double *theta, dyn_minimum *out)
{
    dyn__search s = { .objective = o, .on = { .evaluate = evaluate } };
    double *room;
    dyn_status status;

    if (!o)
        return DYN_EINVAL;
    s.on.ctx = dyn__objective_ctx(o);
    DYN__ENTER(s.on.ctx);
    DYN__NEED(s.on.ctx, theta);
    DYN__TRY(check(s.on.ctx, opt, &s.opt));
    s.on.n = dyn_objective_size(o);
    room = dyn__alloc(s.on.ctx, (size_t)s.on.n, 4 * sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    s.on.at = (dyn__point){ room, room + s.on.n, NAN, NAN };
    s.on.trial = (dyn__point){ room + 2 * s.on.n, room + 3 * s.on.n, NAN, NAN };
    memcpy(s.on.at.theta, theta, (size_t)s.on.n * sizeof *theta);
    status = run(&s);
    if (status >= 0)
        status = finish(&s, theta, out);
    else
        memcpy(theta, s.on.at.theta, (size_t)s.on.n * sizeof *theta);
    dyn__free(s.on.ctx, room);
    return status;
}
