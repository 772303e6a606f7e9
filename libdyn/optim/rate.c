/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Learning rate as a function of the step: linear warm-up, then a schedule. */
#include "optim/optim.h"

#include <math.h>

/* Half a cosine from a at p = 0 to b at p = 1. */
static double half_cosine(double a, double b, double p) { return b + (a - b) * (1 + cos(M_PI * p)) / 2; }

static double restarts(const dyn_optimizer_options *o, double u)
{
    double length = (double)o->period;

    if (o->period_factor == 1)
        return half_cosine(o->rate, o->floor, fmod(u, length) / length);
    while (u >= length) {
        u -= length;
        length *= (double)o->period_factor;
    }
    return half_cosine(o->rate, o->floor, u / length);
}

static double one_cycle(const dyn_optimizer_options *o, double u)
{
    const double top = o->peak * (double)o->period - 1, end = (double)o->period - 1;

    if (u < top)
        return half_cosine(o->warmup_start * o->rate, o->rate, u / top);
    if (u >= end)
        return o->floor;
    return half_cosine(o->rate, o->floor, (u - fmax(top, 0)) / (end - fmax(top, 0)));
}

static double after_warmup(const dyn_optimizer_options *o, int64_t tick)
{
    const double u = (double)tick, p = u / (double)o->period;

    switch (o->schedule) {
    case DYN_RATE_STEP:
        return fmax(o->floor, o->rate * pow(o->factor, floor(p)));
    case DYN_RATE_EXPONENTIAL:
        return fmax(o->floor, o->rate * pow(o->factor, p));
    case DYN_RATE_COSINE:
        return p >= 1 ? o->floor : half_cosine(o->rate, o->floor, p);
    case DYN_RATE_POLYNOMIAL:
        return p >= 1 ? o->floor : o->floor + (o->rate - o->floor) * pow(1 - p, o->power);
    case DYN_RATE_RESTARTS:
        return restarts(o, u);
    case DYN_RATE_ONE_CYCLE:
        return one_cycle(o, u);
    case DYN_RATE_CALLBACK:
        return o->rate_at(o->rate_user, tick);
    default:
        return o->rate;
    }
}

double dyn__rate(const dyn_optimizer_options *o, int64_t step)
{
    const int64_t tick = step / o->tick_steps;

    if (tick < o->warmup)
        return o->rate * (o->warmup_start + (1 - o->warmup_start) * (double)tick / (double)o->warmup);
    return after_warmup(o, tick - o->warmup);
}

double dyn_optimizer_rate(const dyn_optimizer *o, int64_t step)
{
    return o ? dyn__rate(&o->opt, step > 0 ? step : 0) : 0.0;
}
