/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Spikes of a loss: episodes above a multiple of the smallest loss in the window before. The window's minimum is kept
 * by a queue of candidates that only rise, so that the cost does not depend on its length. */
#include <inttypes.h>
#include <math.h>
#include "analysis/episodes.h"

static dyn_status read_options(dyn_ctx *ctx, const dyn_spike_options *given, dyn_spike_options *o)
{
    _Static_assert(sizeof *o == 40 && offsetof(dyn_spike_options, ratio) == 32, "no implicit padding");

    *o = (dyn_spike_options)DYN_SPIKE_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_spike_options", given, o, sizeof *o, sizeof *o));
    if (o->window < 1 || o->merge < 0 || o->smooth < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "window is %" PRId64 " (at least 1), merge %" PRId64 " (at least 0), smooth %"
                         PRId64 " (at least 1)", o->window, o->merge, o->smooth);
    if (!(o->ratio > 1.0 && isfinite(o->ratio)))
        return DYN__FAIL(ctx, DYN_EINVAL, "ratio is %g, must be above 1", o->ratio);
    return dyn__check_reserved(ctx, o->reserved);
}

/* The mean over the last `width` steps. Each sum is made anew: a running one would keep what an enormous or not finite
 * value left behind. */
static void smooth(int64_t n, const int64_t *steps, const double *loss, int64_t width, double *out)
{
    for (int64_t i = 0, first = 0; i < n; i++) {
        double sum = 0.0;

        while (dyn__episodes_step(steps, i) - dyn__episodes_step(steps, first) >= width)
            first++;
        for (int64_t j = first; j <= i; j++)
            sum += loss[j];
        out[i] = sum / (double)(i + 1 - first);
    }
}

/* level[i] = ratio * the smallest value of the `window` steps before; infinite where there is none. NaN is never the
 * smallest. queue [n]. */
static void rising_level(int64_t n, const int64_t *steps, const double *series, const dyn_spike_options *o,
                         int64_t *queue, double *level)
{
    int64_t head = 0, tail = 0;

    for (int64_t i = 0; i < n; i++) {
        while (head < tail && dyn__episodes_step(steps, i) - dyn__episodes_step(steps, queue[head]) > o->window)
            head++;
        level[i] = head < tail ? o->ratio * series[queue[head]] : HUGE_VAL;
        if (isnan(series[i]))
            continue;
        while (head < tail && series[queue[tail - 1]] >= series[i])
            tail--;
        queue[tail++] = i;
    }
}

dyn_status dyn_episodes_spikes(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss,
                               const dyn_spike_options *opt, dyn_episodes **out)
{
    dyn_spike_options o;
    double *series, *level;
    int64_t *queue;
    dyn_status s = DYN_ENOMEM;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || !loss || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 " or an array is NULL", n);
    DYN__TRY(read_options(ctx, opt, &o));
    DYN__TRY(dyn__episodes_check(ctx, n, steps));
    series = dyn__alloc(ctx, (size_t)n + 1, sizeof *series);
    level = dyn__alloc(ctx, (size_t)n + 1, sizeof *level);
    queue = dyn__alloc(ctx, (size_t)n + 1, sizeof *queue);
    if (series && level && queue) {
        smooth(n, steps, loss, o.smooth, series);
        rising_level(n, steps, series, &o, queue, level);
        s = dyn__episodes_find(ctx, n, steps, series, level, o.merge, out);
    }
    dyn__free(ctx, queue);
    dyn__free(ctx, level);
    dyn__free(ctx, series);
    return s;
}
