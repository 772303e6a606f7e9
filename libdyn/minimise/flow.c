/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gradient flow: options, the choice of steps, the times that are wanted, and the end. */
#include "minimise/flow.h"

#include <stdio.h>

static dyn_status check(dyn_ctx *ctx, const dyn_flow_options *given, dyn_flow_options *o)
{
    *o = (dyn_flow_options)DYN_FLOW_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_flow_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(dyn__check_flag(ctx, "normalised", o->normalised));
    if (!(o->relative > 0 && isfinite(o->relative)) || !(o->absolute >= 0 && isfinite(o->absolute)))
        return DYN__FAIL(ctx, DYN_EINVAL, "relative %g or absolute %g is no tolerance", o->relative, o->absolute);
    if (!(o->end >= 0) || isnan(o->stop_value) || !(o->gradient_tolerance >= 0))
        return DYN__FAIL(ctx, DYN_EINVAL, "end %g, stop_value %g or gradient_tolerance %g is no bound", o->end,
                         o->stop_value, o->gradient_tolerance);
    if (o->max_evaluations < 1 || o->kink_count < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "max_evaluations %lld must be at least 1, kink_count %lld at least 0",
                         (long long)o->max_evaluations, (long long)o->kink_count);
    return DYN_OK;
}

static dyn_status check_times(dyn_ctx *ctx, int64_t count, const double *times, const double *states)
{
    if (count < 0 || (count > 0 && (!times || !states)))
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, times or states are NULL", (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (!(times[i] >= (i ? times[i - 1] : 0)))
            return DYN__FAIL(ctx, DYN_EINVAL, "times[%lld] is %g: not rising from 0", (long long)i, times[i]);
    return DYN_OK;
}

/* What sliding needs lies in 3 kinks + (most + 2) n numbers. */
static void make_slide(dyn__slide *s, int64_t n, int64_t kinks, double *room)
{
    s->leaving = -1;
    s->value = room;
    s->aside = room + kinks;
    s->surface = (int64_t *)(room + 2 * kinks);
    s->point = room + 3 * kinks;
    s->other = s->point + n;
    s->normal = s->other + n;
    for (int64_t i = 0; i < kinks; i++)
        s->surface[i] = -1;
}

/* One block for all vectors. */
static double *make_room(dyn__flow *f)
{
    const int64_t kinks = f->opt.kink_count, most = kinks < DYN__SURFACES ? kinks : DYN__SURFACES;
    double *room = dyn__alloc(f->ctx, (size_t)(f->n * (3 + DYN__STAGES + most + 2) + 5 * kinks), sizeof *room);

    if (!room)
        return NULL;
    f->theta = room;
    f->next = room + f->n;
    f->probe = room + 2 * f->n;
    for (int i = 0; i < DYN__STAGES; i++)
        f->k[i] = room + (3 + i) * f->n;
    f->signs = room + (3 + DYN__STAGES) * f->n;
    f->new_signs = f->signs + kinks;
    f->slide.most = (int32_t)most;
    make_slide(&f->slide, f->n, kinks, f->new_signs + kinks);
    return room;
}

/* The states that are wanted within the step of length h that was just taken. */
static void keep_states(dyn__flow *f, double h)
{
    while (f->done.states < f->count && f->times[f->done.states] <= f->time + h) {
        const double p = (f->times[f->done.states] - f->time) / h;

        dyn__flow_between(f, h, h > 0 ? p : 0, f->states + f->done.states++ * f->n);
    }
}

/* Events that follow each other without time passing between them are not followed for ever. */
static void note_event(dyn__flow *f)
{
    f->events = f->time > f->moved * (1 + 1e-12) ? 0 : f->events + 1;
    f->moved = f->time;
    if (f->events > 100)
        f->done.reason = DYN_FLOW_SLIDING;
}

/* Kinks that the step has met: crossed, slid on from now on, or left. */
static dyn_status pass_kinks(dyn__flow *f)
{
    double *signs = f->signs;
    int64_t crossed;

    DYN__TRY(dyn__flow_signs(f, f->theta, f->new_signs));
    crossed = dyn__flow_crossed(f);
    if (crossed)
        DYN__TRY(dyn__slide_begin(f));
    if (crossed || f->slide.leaving >= 0)
        note_event(f);
    if (f->slide.count) {
        DYN__TRY(dyn__slide_settle(f));
        DYN__TRY(dyn__flow_signs(f, f->theta, f->new_signs));
        f->inside = -dyn__slide_excess(f, NULL);
    }
    f->done.kinks += crossed;
    f->signs = f->new_signs, f->new_signs = signs;
    return DYN_OK;
}

static dyn_status take(dyn__flow *f, double h)
{
    double *swap = f->theta, *first = f->k[0];

    keep_states(f, h);
    f->theta = f->next, f->next = swap;
    f->k[0] = f->k[6], f->k[6] = first;
    f->value = f->next_value;
    f->norm = f->next_norm;
    f->time += h;
    f->done.steps++;
    return f->opt.kinks ? pass_kinks(f) : DYN_OK;
}

/* Why the flow ends here; 0 if it does not. */
static int32_t reason(dyn__flow *f)
{
    char text[96];

    if (f->done.reason)
        return f->done.reason;
    if (f->value <= f->opt.stop_value)
        return DYN_FLOW_VALUE;
    if (f->norm <= f->opt.gradient_tolerance)
        return DYN_FLOW_GRADIENT;
    if (f->time >= f->opt.end)
        return DYN_FLOW_TIME;
    snprintf(text, sizeof text, "time %.6g, value %.6g", f->time, f->value);
    if (f->opt.progress && f->opt.progress(f->opt.progress_user, f->time / f->opt.end, text))
        return DYN_FLOW_STOPPED;
    return f->done.evaluations >= f->opt.max_evaluations ? DYN_FLOW_EVALUATIONS : 0;
}

/* A first step from the sizes of theta and its slope. */
static double first_step(const dyn__flow *f)
{
    const double slope = dyn__length(f->n, f->k[0]), size = dyn__length(f->n, f->theta);

    return slope > 0 ? 0.01 * fmax(size, 1e-3) / slope * pow(fmin(f->opt.relative * 1e3, 1), 0.2) : 1;
}

/* What the next step should be, by the error of one of length step. */
static double next_step(const dyn__flow *f, double step)
{
    return step * (isnan(f->next_value) ? 0.1 : fmin(5, fmax(0.2, 0.9 * pow(fmax(f->error, 1e-10), -0.2))));
}

/* Try steps until one is good, from *h; *h becomes what the next one should be. One that was short because of a kink says
 * nothing about that. */
static dyn_status move(dyn__flow *f, double *h)
{
    double most = INFINITY;

    while (f->done.evaluations < f->opt.max_evaluations) {
        double step = fmin(fmin(*h, most), f->opt.end - f->time), across;

        if (f->time + step == f->time && isinf(most)) {
            f->done.reason = DYN_FLOW_STEP;
            return DYN_OK;
        }
        DYN__TRY(dyn__flow_step(f, step));
        if (f->met) {
            DYN__TRY(dyn__flow_approach(f, step, &most, &across));
            if (across > 0)
                return take(f, across);
        } else if (!isnan(f->next_value) && f->error <= 1) {
            if (step < most || f->error > 0.5)
                *h = next_step(f, step);
            DYN__TRY(dyn__flow_events(f, &step));
            return take(f, step);
        } else {
            *h = next_step(f, step);
        }
        f->done.rejected++;
    }
    return DYN_OK;
}

static dyn_status run(dyn__flow *f)
{
    double h;

    DYN__TRY(dyn__flow_slope(f, f->theta, f->k[0], &f->value, &f->norm));
    if (isnan(f->value))
        return DYN__FAIL(f->ctx, DYN_ENONFINITE, "value or gradient at the start are not finite");
    f->done.kink = -1;
    DYN__TRY(dyn__flow_signs(f, f->theta, f->signs));
    while (f->done.states < f->count && f->times[f->done.states] == 0)
        memcpy(f->states + f->done.states++ * f->n, f->theta, (size_t)f->n * sizeof(double));
    h = first_step(f);
    while (!(f->done.reason = reason(f)))
        DYN__TRY(move(f, &h));
    return DYN_OK;
}

static dyn_status finish(dyn__flow *f, double *theta, dyn_flow_result *out)
{
    memcpy(theta, f->theta, (size_t)f->n * sizeof *theta);
    f->done.time = f->time;
    f->done.value = f->value;
    f->done.gradient_norm = f->norm;
    if (out)
        *out = f->done;
    if (f->done.reason == DYN_FLOW_STOPPED)
        return DYN_STOPPED;
    return f->done.reason <= DYN_FLOW_GRADIENT ? DYN_OK : DYN_NOT_CONVERGED;
}

dyn_status dyn_objective_flow(dyn_objective *o, const dyn_flow_options *opt, int64_t count, const double *times,
                              double *states, double *theta, dyn_flow_result *out)
{
    dyn__flow f = { .objective = o, .count = count, .times = times, .states = states };
    double *room;
    dyn_status s;

    if (!o)
        return DYN_EINVAL;
    f.ctx = dyn__objective_ctx(o);
    DYN__ENTER(f.ctx);
    DYN__NEED(f.ctx, theta);
    DYN__TRY(check(f.ctx, opt, &f.opt));
    DYN__TRY(check_times(f.ctx, count, times, states));
    f.n = dyn_objective_size(o);
    room = make_room(&f);
    if (!room)
        return DYN_ENOMEM;
    memcpy(f.theta, theta, (size_t)f.n * sizeof *theta);
    s = run(&f);
    if (s >= 0)
        s = finish(&f, theta, out);
    dyn__free(f.ctx, room);
    return s;
}
