/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Minimisation: options, the point, and what ends it. */
#include "minimise/minimise.h"

#include <stdio.h>

dyn_status dyn__finite_gradient(dyn_objective *o, int64_t n, const double *theta, double *value, double *gradient)
{
    const dyn_status s = dyn_objective_gradient(o, theta, gradient, value);

    if (s == DYN_ENONFINITE)
        *value = NAN;
    else if (s < 0)
        return s;
    if (!isfinite(*value) || !isfinite(dyn__inner(n, gradient, gradient)))
        *value = NAN;
    return DYN_OK;
}

dyn_status dyn__search_evaluate(dyn__search *s, dyn__point *p, int *spent)
{
    *spent = s->evaluations >= s->opt.max_evaluations;
    if (*spent) {
        s->reason = DYN_MINIMISE_EVALUATIONS;
        return DYN_OK;
    }
    s->evaluations++;
    return dyn__finite_gradient(s->objective, s->n, p->theta, &p->value, p->gradient);
}

void dyn__search_take(dyn__search *s)
{
    const dyn__point old = s->at;

    s->at = s->trial;
    s->trial = old;
    s->steps++;
}

int dyn__search_done(dyn__search *s)
{
    const double norm = dyn__length(s->n, s->at.gradient);
    char text[96];

    if (s->at.value <= s->opt.stop_value)
        s->reason = DYN_MINIMISE_VALUE;
    else if (norm <= s->opt.gradient_tolerance)
        s->reason = DYN_MINIMISE_GRADIENT;
    snprintf(text, sizeof text, "step %lld, value %.6g, gradient %.3g", (long long)s->steps, s->at.value, norm);
    if (!s->reason && s->opt.progress && s->opt.progress(s->opt.progress_user, 0, text))
        s->reason = DYN_MINIMISE_STOPPED;
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

static dyn_status run(dyn__search *s)
{
    int spent;

    DYN__TRY(dyn__search_evaluate(s, &s->at, &spent));
    if (isnan(s->at.value))
        return DYN__FAIL(s->ctx, DYN_ENONFINITE, "value or gradient at the start are not finite");
    switch (s->opt.method) {
    case DYN_MINIMISE_NEWTON:
        return dyn__newton(s);
    case DYN_MINIMISE_MONOTONE:
        return dyn__monotone(s);
    default:
        return dyn__lbfgs(s);
    }
}

static dyn_status finish(const dyn__search *s, double *theta, dyn_minimum *out)
{
    memcpy(theta, s->at.theta, (size_t)s->n * sizeof *theta);
    if (out)
        *out = (dyn_minimum){ .value = s->at.value, .gradient_norm = dyn__length(s->n, s->at.gradient),
                              .rate = s->rate, .steps = s->steps, .evaluations = s->evaluations,
                              .products = s->products, .reason = s->reason };
    if (s->reason == DYN_MINIMISE_STOPPED)
        return DYN_STOPPED;
    return s->reason <= DYN_MINIMISE_VALUE ? DYN_OK : DYN_NOT_CONVERGED;
}

dyn_status dyn_objective_minimise(dyn_objective *o, const dyn_minimise_options *opt, double *theta, dyn_minimum *out)
{
    dyn__search s = { .objective = o };
    double *room;
    dyn_status status;

    if (!o)
        return DYN_EINVAL;
    s.ctx = dyn__objective_ctx(o);
    DYN__ENTER(s.ctx);
    DYN__NEED(s.ctx, theta);
    DYN__TRY(check(s.ctx, opt, &s.opt));
    s.n = dyn_objective_size(o);
    room = dyn__alloc(s.ctx, (size_t)s.n, 4 * sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    s.at = (dyn__point){ room, room + s.n, NAN };
    s.trial = (dyn__point){ room + 2 * s.n, room + 3 * s.n, NAN };
    memcpy(s.at.theta, theta, (size_t)s.n * sizeof *theta);
    status = run(&s);
    if (status >= 0)
        status = finish(&s, theta, out);
    else
        memcpy(theta, s.at.theta, (size_t)s.n * sizeof *theta);
    dyn__free(s.ctx, room);
    return status;
}
