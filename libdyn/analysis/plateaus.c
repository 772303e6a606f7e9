/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plateaus of a loss. A window moves along the series; its largest and smallest value are kept by two queues of
 * candidates, so that the cost does not depend on its length. */
#include <inttypes.h>
#include <math.h>
#include <dyn/plateaus.h>
#include "analysis/episodes.h"

static dyn_status read_options(dyn_ctx *ctx, const dyn_plateau_options *given, dyn_plateau_options *o)
{
    _Static_assert(sizeof *o == 24 && offsetof(dyn_plateau_options, length) == 16, "no implicit padding");

    *o = (dyn_plateau_options)DYN_PLATEAU_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_plateau_options", given, o, sizeof *o, sizeof *o));
    if (!(o->change >= 0.0 && isfinite(o->change)) || !(o->length > 1.0 && isfinite(o->length)))
        return DYN__FAIL(ctx, DYN_EINVAL, "change is %g (at least 0), length %g (above 1)", o->change, o->length);
    return dyn__check_reserved(ctx, o->reserved);
}

static dyn_status check_loss(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss)
{
    DYN__TRY(dyn__episodes_check(ctx, n, steps));
    if (n > 0 && dyn__episodes_step(steps, 0) < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "the first step is %" PRId64, steps[0]);
    for (int64_t i = 0; i < n; i++)
        if (loss[i] < 0.0)
            return DYN__FAIL(ctx, DYN_EINVAL, "loss[%" PRId64 "] is %g: below 0 there is no factor", i, loss[i]);
    return DYN_OK;
}

/* Candidates for the largest (sign 1) or smallest (sign -1) value of a window: indices whose values only fall. */
typedef struct queue {
    int64_t *at, head, tail;
    double sign;
} queue;

static void push(queue *q, const double *v, int64_t i)
{
    while (q->head < q->tail && q->sign * v[q->at[q->tail - 1]] <= q->sign * v[i])
        q->tail--;
    q->at[q->tail++] = i;
}

static void drop_before(queue *q, int64_t first)
{
    while (q->head < q->tail && q->at[q->head] < first)
        q->head++;
}

typedef struct search {
    int64_t n;
    const int64_t *steps;
    const double *loss;
    dyn_plateau_options o;
    queue high, low;
    int64_t start;              /* of the window */
    int64_t *first, *last;      /* of the plateaus found [count] */
    int64_t count;
} search;

/* The window is to end at i: its start moves on until the loss keeps within the factor. */
static void move_to(search *s, int64_t i)
{
    if (!isfinite(s->loss[i])) {
        s->start = i + 1;
        s->high.head = s->high.tail = s->low.head = s->low.tail = 0;
        return;
    }
    push(&s->high, s->loss, i);
    push(&s->low, s->loss, i);
    while (s->loss[s->high.at[s->high.head]] > (1.0 + s->o.change) * s->loss[s->low.at[s->low.head]]) {
        s->start++;
        drop_before(&s->high, s->start);
        drop_before(&s->low, s->start);
    }
}

/* A window that is long enough joins the last plateau, if they share a step, or is a new one. */
static void take_window(search *s, int64_t i)
{
    const double begin = (double)dyn__episodes_step(s->steps, s->start) + 1.0;

    if (s->start > i || (double)dyn__episodes_step(s->steps, i) + 1.0 < s->o.length * begin)
        return;
    if (s->count == 0 || s->start > s->last[s->count - 1])
        s->first[s->count++] = s->start;
    s->last[s->count - 1] = i;
}

static void fill(const search *s, dyn_episodes *e)
{
    for (int64_t k = 0; k < s->count; k++) {
        int64_t peak = s->first[k];

        for (int64_t i = peak; i <= s->last[k]; i++)
            if (s->loss[i] > s->loss[peak])
                peak = i;
        e->start[k] = dyn__episodes_step(s->steps, s->first[k]);
        e->end[k] = dyn__episodes_step(s->steps, s->last[k]) + 1;
        e->peak[k] = dyn__episodes_step(s->steps, peak);
    }
    e->count = s->count;
}

dyn_status dyn_episodes_plateaus(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss,
                                 const dyn_plateau_options *opt, dyn_episodes **out)
{
    search s = {.n = n, .steps = steps, .loss = loss, .high.sign = 1.0, .low.sign = -1.0};
    int64_t *room;
    dyn_status status;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || !loss || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 " or an array is NULL", n);
    DYN__TRY(read_options(ctx, opt, &s.o));
    DYN__TRY(check_loss(ctx, n, steps, loss));
    room = dyn__alloc(ctx, (size_t)n + 1, 4 * sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    s.high.at = room;
    s.low.at = room + n;
    s.first = room + 2 * n;
    s.last = room + 3 * n;
    for (int64_t i = 0; i < n; i++) {
        move_to(&s, i);
        take_window(&s, i);
    }
    status = dyn__episodes_create(ctx, s.count + 1, out);
    if (status >= 0)
        fill(&s, *out);
    dyn__free(ctx, room);
    return status;
}

dyn_status dyn_loss_histogram(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss, int64_t bins,
                              double low, double high, double *counts)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || bins < 1 || !loss || !counts)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 ", bins %" PRId64 ", or an array is NULL", n, bins);
    if (!(low < high && isfinite(high - low)))
        return DYN__FAIL(ctx, DYN_EINVAL, "the range is [%g, %g)", low, high);
    DYN__TRY(dyn__episodes_check(ctx, n, steps));
    for (int64_t b = 0; b < bins; b++)
        counts[b] = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double at = floor((log10(loss[i]) - low) / (high - low) * (double)bins);

        if (at >= 0.0 && at < (double)bins)
            counts[(int64_t)at] += steps && i + 1 < n ? (double)(steps[i + 1] - steps[i]) : 1.0;
    }
    return DYN_OK;
}
