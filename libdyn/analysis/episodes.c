/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Episodes: where a series is above a level, and how the episodes of two series go together. */
#include <inttypes.h>
#include <math.h>
#include "analysis/episodes.h"

void dyn_episodes_free(dyn_episodes *e)
{
    dyn_ctx *ctx;

    if (!e)
        return;
    ctx = e->ctx;
    dyn__free(ctx, e->start);
    dyn__free(ctx, e->end);
    dyn__free(ctx, e->peak);
    dyn__free(ctx, e);
    dyn__ctx_unref(ctx);
}

dyn_status dyn__episodes_create(dyn_ctx *ctx, int64_t room, dyn_episodes **out)
{
    dyn_episodes *e = dyn__alloc(ctx, 1, sizeof *e);

    *out = NULL;
    if (!e)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    e->ctx = ctx;
    e->start = dyn__alloc(ctx, (size_t)room, sizeof *e->start);
    e->end = e->start ? dyn__alloc(ctx, (size_t)room, sizeof *e->end) : NULL;
    e->peak = e->end ? dyn__alloc(ctx, (size_t)room, sizeof *e->peak) : NULL;
    if (!e->peak) {
        dyn_episodes_free(e);
        return DYN_ENOMEM;
    }
    *out = e;
    return DYN_OK;
}

static int begins(const double *series, const double *level, int64_t i)
{
    return series[i] > level[i] && (i == 0 || !(series[i - 1] > level[i - 1]));
}

dyn_status dyn__episodes_check(dyn_ctx *ctx, int64_t n, const int64_t *steps)
{
    for (int64_t i = 1; steps && i < n; i++)
        if (steps[i] <= steps[i - 1])
            return DYN__FAIL(ctx, DYN_EINVAL, "steps[%" PRId64 "] is %" PRId64 " after %" PRId64 ", steps must ascend", i,
                             steps[i], steps[i - 1]);
    return DYN_OK;
}

/* A series while its intervals are found. */
typedef struct search {
    int64_t n, merge;
    const int64_t *steps;
    const double *series, *level;
    double highest;             /* value at the last interval's peak */
} search;

/* The interval that begins at i, added or joined to the last one. Returns the index behind it. */
static int64_t add(dyn_episodes *e, search *f, int64_t i)
{
    int64_t k = e->count - 1;
    const int64_t start = dyn__episodes_step(f->steps, i);

    if (k < 0 || start - e->start[k] >= f->merge) {
        k = e->count++;
        e->start[k] = e->peak[k] = start;
        f->highest = f->series[i];
    }
    for (; i < f->n && f->series[i] > f->level[i]; i++)
        if (f->series[i] > f->highest) {
            f->highest = f->series[i];
            e->peak[k] = dyn__episodes_step(f->steps, i);
        }
    e->end[k] = dyn__episodes_step(f->steps, i - 1) + 1;
    return i;
}

dyn_status dyn__episodes_find(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *series,
                              const double *level, int64_t merge, dyn_episodes **out)
{
    search f = { .n = n, .merge = merge, .steps = steps, .series = series, .level = level };
    int64_t room = 1;

    for (int64_t i = 0; i < n; i++)
        room += begins(series, level, i);
    DYN__TRY(dyn__episodes_create(ctx, room, out));
    for (int64_t i = 0; i < n;)
        i = begins(series, level, i) ? add(*out, &f, i) : i + 1;
    return DYN_OK;
}

dyn_status dyn_episodes_above(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *series,
                              const double *threshold, dyn_episodes **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || !series || !threshold || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 " or an array is NULL", n);
    DYN__TRY(dyn__episodes_check(ctx, n, steps));
    return dyn__episodes_find(ctx, n, steps, series, threshold, 0, out);
}

dyn_status dyn_episodes_sustained(dyn_ctx *ctx, int64_t n, const double *series, double *out)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || !series || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 " or an array is NULL", n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = series[i];
        if (i > 0)
            out[i] = fmin(out[i], series[i - 1]);
        if (i + 1 < n)
            out[i] = fmin(out[i], series[i + 1]);
    }
    return DYN_OK;
}

static int hits_spike(const dyn_episodes *p, int64_t i, const dyn_episodes *s, int64_t k, int64_t lead)
{
    return p->end[i] > s->start[k] - lead && p->start[i] <= s->peak[k];
}

/* Episodes of a that have a partner in b; forward says which of the two is the predictor. */
static int64_t count_partners(const dyn_episodes *a, const dyn_episodes *b, int64_t lead, int forward)
{
    int64_t found = 0;

    for (int64_t i = 0; i < a->count; i++) {
        int any = 0;

        for (int64_t k = 0; k < b->count && !any; k++)
            any = forward ? hits_spike(a, i, b, k, lead) : hits_spike(b, k, a, i, lead);
        found += any;
    }
    return found;
}

dyn_status dyn_episodes_confusion(const dyn_episodes *predictor, const dyn_episodes *spikes, int64_t lead,
                                  int64_t *hits, int64_t *missed, int64_t *false_alarms)
{
    int64_t hit;

    if (!predictor)
        return DYN_EINVAL;
    DYN__ENTER(predictor->ctx);
    DYN__NEED(predictor->ctx, spikes);
    DYN__TRY(dyn__check_ctx(predictor->ctx, "spikes", spikes->ctx));
    if (lead < 0)
        return DYN__FAIL(predictor->ctx, DYN_EINVAL, "lead is %" PRId64 ", may not be negative", lead);
    hit = count_partners(spikes, predictor, lead, 0);
    if (hits)
        *hits = hit;
    if (missed)
        *missed = spikes->count - hit;
    if (false_alarms)
        *false_alarms = predictor->count - count_partners(predictor, spikes, lead, 1);
    return DYN_OK;
}

int64_t dyn_episodes_count(const dyn_episodes *e)
{
    return e ? e->count : 0;
}

#define FIELD(name, field)                                          \
    const int64_t *dyn_episodes_##name(const dyn_episodes *e)       \
    {                                                               \
        return e ? e->field : NULL;                                 \
    }

FIELD(starts, start)
FIELD(ends, end)
FIELD(peaks, peak)
