/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events of a flow: the value comes down to stop_value, a kink is met, or one that was slid on is left. A step in
 * which any stage lies behind a kink is not smooth: shorter ones lead to it, and a last one across. For the other events the
 * length of the step is corrected until they are met. */
#include "minimise/flow.h"

dyn_status dyn__flow_signs(dyn__flow *f, const double *theta, double *signs)
{
    if (f->opt.kinks && f->opt.kinks(f->opt.kinks_user, theta, signs) != 0)
        return DYN__FAIL(f->ctx, DYN_EUSER, "the function of the kinks failed");
    for (int64_t i = 0; i < f->opt.kink_count; i++)
        if (f->slide.surface[i] >= 0)
            signs[i] = 0;
    return DYN_OK;
}

int64_t dyn__flow_crossed(const dyn__flow *f)
{
    int64_t count = 0;

    for (int64_t i = 0; i < f->opt.kink_count; i++)
        count += (f->signs[i] > 0 && f->new_signs[i] < 0) || (f->signs[i] < 0 && f->new_signs[i] > 0);
    return count;
}

/* The time in which the kinks, as they rise now, meet the first of them; inf: none. */
static dyn_status first_kink(dyn__flow *f, double *time)
{
    const double speed = dyn__length(f->n, f->k[0]), e = speed > 0 ? 1e-6 * dyn__flow_size(f, f->theta) / speed : 0;

    *time = INFINITY;
    DYN__TRY(dyn__flow_signs(f, f->theta, f->signs));
    for (int64_t i = 0; i < f->n; i++)
        f->probe[i] = f->theta[i] + e * f->k[0][i];
    DYN__TRY(dyn__flow_signs(f, f->probe, f->new_signs));
    for (int64_t j = 0; j < f->opt.kink_count && e > 0; j++) {
        const double rise = (f->new_signs[j] - f->signs[j]) / e;
        if (f->signs[j] * rise < 0)
            *time = fmin(*time, -f->signs[j] / rise);
    }
    return DYN_OK;
}

/* A step across a kink that is next to nothing away; *h its length, 0 where nothing was crossed. */
static dyn_status step_across(dyn__flow *f, double time, double *h)
{
    const double beyond = 1e-11 * dyn__flow_size(f, f->theta) / dyn__length(f->n, f->k[0]);

    for (int k = 0; k < 20; k++) {
        *h = time + ldexp(beyond, k);
        for (int64_t i = 0; i < f->n; i++)
            f->next[i] = f->theta[i] + *h * f->k[0][i];
        DYN__TRY(dyn__flow_signs(f, f->next, f->new_signs));
        if (dyn__flow_crossed(f))
            return dyn__flow_slope(f, f->next, f->k[6], &f->next_value, &f->next_norm);
    }
    *h = 0;
    return DYN_OK;
}

dyn_status dyn__flow_approach(dyn__flow *f, double step, double *most, double *across)
{
    double time;

    *across = 0;
    DYN__TRY(first_kink(f, &time));
    *most = fmin(0.95 * time, 0.5 * step);
    if (time * dyn__length(f->n, f->k[0]) > 1e-10 * dyn__flow_size(f, f->theta))
        return DYN_OK;
    return step_across(f, time, across);
}

/* What becomes negative at the end of a step that is too long. */
typedef double (*event)(const dyn__flow *f);

static double above_stop(const dyn__flow *f) { return f->next_value - f->opt.stop_value; }
static double still_slides(const dyn__flow *f) { return -dyn__slide_excess(f, NULL); }

/* Regula falsi (Illinois) on the length of the step, until the event is within tolerance: it is `above` without a step. */
static dyn_status meet(dyn__flow *f, double *h, event left, double above, double tolerance)
{
    double low = 0, high = *h, below = left(f);

    for (int i = 0; i < 60 && below < 0 && high - low > 1e-15 * high; i++) {
        const double step = low + (high - low) * above / (above - below);

        DYN__TRY(dyn__flow_step(f, step));
        *h = step;
        if (isnan(f->next_value) || fabs(left(f)) <= tolerance)
            break;
        if (left(f) > 0) {
            low = step;
            above = left(f);
            below /= 2;
        } else {
            high = step;
            below = left(f);
            above /= 2;
        }
    }
    return DYN_OK;
}

/* A surface is left in the middle of the step. shares: how far within [0, 1] they were at its start. */
static dyn_status meet_leave(dyn__flow *f, double *h)
{
    const double inside = fmax(f->inside, 0);

    if (!(still_slides(f) < 0))
        return DYN_OK;
    if (inside > 1e-12)
        DYN__TRY(meet(f, h, still_slides, inside, 1e-10));
    dyn__slide_excess(f, &f->slide.leaving);
    return DYN_OK;
}

dyn_status dyn__flow_events(dyn__flow *f, double *h)
{
    if (f->slide.count)
        DYN__TRY(meet_leave(f, h));
    if (f->next_value > f->opt.stop_value)
        return DYN_OK;
    f->done.reason = DYN_FLOW_VALUE;
    return meet(f, h, above_stop, f->value - f->opt.stop_value, 1e-13 * fabs(f->opt.stop_value));
}
