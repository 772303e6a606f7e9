/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events of a flow: the value comes down to stop_value, or a kink is crossed. The first crossing in a step is enclosed
 * on the state within the step; then the step is taken anew with that length, and for the value corrected until it is met. */
#include "minimise/flow.h"

dyn_status dyn__flow_signs(dyn__flow *f, const double *theta, double *signs)
{
    if (f->opt.kinks && f->opt.kinks(f->opt.kinks_user, theta, signs) != 0)
        return DYN__FAIL(f->ctx, DYN_EUSER, "the function of the kinks failed");
    return DYN_OK;
}

int dyn__flow_crossed(const dyn__flow *f)
{
    for (int64_t i = 0; i < f->opt.kink_count; i++)
        if ((f->signs[i] > 0 && f->new_signs[i] < 0) || (f->signs[i] < 0 && f->new_signs[i] > 0))
            return 1;
    return 0;
}

/* The smallest share of the step at which a kink has been crossed, as far as double numbers tell. */
static dyn_status enclose(dyn__flow *f, double h, double *share)
{
    double low = 0, high = 1;

    while (high - low > 1e-14) {
        const double middle = low + (high - low) / 2;

        dyn__flow_between(f, h, middle, f->probe);
        DYN__TRY(dyn__flow_signs(f, f->probe, f->new_signs));
        if (dyn__flow_crossed(f))
            high = middle;
        else
            low = middle;
    }
    *share = high;
    return DYN_OK;
}

/* What lies behind a kink spoils the state within the step: it is enclosed again in the shorter step. */
static dyn_status meet_kink(dyn__flow *f, double *h)
{
    double share;

    for (int i = 0; i < 50; i++) {
        DYN__TRY(dyn__flow_signs(f, f->next, f->new_signs));
        if (!dyn__flow_crossed(f))
            return DYN_OK;      /* a little before it: the next step is a very short one */
        DYN__TRY(enclose(f, *h, &share));
        if (share > 1 - 1e-9)
            return DYN_OK;
        *h *= fmax(share, 1e-12);
        DYN__TRY(dyn__flow_step(f, *h));
        if (share <= 1e-12)
            return DYN_OK;
    }
    return DYN_OK;
}

/* Regula falsi (Illinois) on the length of the step: value(low) > stop >= value(high). */
static dyn_status meet_value(dyn__flow *f, double *h)
{
    const double stop = f->opt.stop_value;
    double low = 0, high = *h, above = f->value - stop, below = f->next_value - stop;

    for (int i = 0; i < 60 && below < 0 && high - low > 1e-15 * high; i++) {
        const double step = low + (high - low) * above / (above - below);

        DYN__TRY(dyn__flow_step(f, step));
        *h = step;
        if (isnan(f->next_value) || fabs(f->next_value - stop) <= 1e-13 * fabs(stop))
            break;
        if (f->next_value > stop) {
            low = step;
            above = f->next_value - stop;
            below /= 2;
        } else {
            high = step;
            below = f->next_value - stop;
            above /= 2;
        }
    }
    f->done.reason = DYN_FLOW_VALUE;
    return DYN_OK;
}

dyn_status dyn__flow_events(dyn__flow *f, double *h)
{
    if (f->opt.kinks)
        DYN__TRY(meet_kink(f, h));
    return f->next_value <= f->opt.stop_value ? meet_value(f, h) : DYN_OK;
}
