/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Learning rate as a function of the step: linear warm-up, then constant, in steps, or half a cosine. */
#include "optim/optim.h"

#include <math.h>

static double after_warmup(const dyn_optimizer_options *o, double u)
{
    switch (o->schedule) {
    case DYN_RATE_STEP:
        return fmax(o->floor, o->rate * pow(o->factor, floor(u / (double)o->period)));
    case DYN_RATE_COSINE:
        if (u >= (double)o->period)
            return o->floor;
        return o->floor + (o->rate - o->floor) * (1 + cos(M_PI * u / (double)o->period)) / 2;
    default:
        return o->rate;
    }
}

double dyn__rate(const dyn_optimizer_options *o, int64_t step)
{
    const int64_t tick = step / o->tick_steps;

    if (tick < o->warmup)
        return o->rate * (o->warmup_start + (1 - o->warmup_start) * (double)tick / (double)o->warmup);
    return after_warmup(o, (double)(tick - o->warmup));
}

double dyn_optimizer_rate(const dyn_optimizer *o, int64_t step)
{
    return o ? dyn__rate(&o->opt, step > 0 ? step : 0) : 0.0;
}

double dyn_optimizer_threshold(const dyn_optimizer *o)
{
    return o ? 2 / dyn_optimizer_rate(o, o->steps - 1) : 0.0;
}
