/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Training of replicas. With a progress function it goes in rounds of some steps for every replica, so that the
 * calling thread gets to report; the results do not depend on the rounds. */
#include "train/replicas.h"

#include <stdio.h>

enum { ROUND_NS = 100000000, FIRST_ROUND = 16 };

/* There are as many evaluators as tasks can be under way, so one is free. */
static dyn__loan *borrow(dyn_replicas *t)
{
    for (int64_t i = 0;; i = (i + 1) % t->lent)
        if (!atomic_exchange(&t->loans[i].taken, 1))
            return &t->loans[i];
}

static void train_one(void *arg, int64_t task, int worker)
{
    dyn_replicas *t = arg;
    dyn_run *r = t->runs[task];
    const int64_t last = t->last[task];
    dyn__loan *l;

    (void)worker;
    if (t->done[task])
        return;
    l = borrow(t);
    r->evaluator = l->evaluator;
    t->status[task] = dyn__run_advance(r, last - r->step > t->round ? r->step + t->round : last, last);
    t->done[task] = r->reason != DYN_RUN_READY || r->step >= last;
    atomic_store(&l->taken, 0);
}

static dyn_status begin(dyn_replicas *t, int64_t steps)
{
    if (steps < 0)
        return DYN__FAIL(t->ctx, DYN_EINVAL, "steps is %lld", (long long)steps);
    for (int64_t i = 0; i < t->count; i++) {
        if (steps == DYN_TO_END && t->runs[i]->opt.steps == INT64_MAX)
            return DYN__FAIL(t->ctx, DYN_EINVAL, "steps is DYN_TO_END, and the options of replica %lld give no end",
                             (long long)i);
        if (t->runs[i]->busy)
            return DYN__FAIL(t->ctx, DYN_ESTATE, "the replicas are training");
    }
    atomic_store(&t->team.stop, 0);
    for (int64_t i = 0; i < t->count; i++) {
        atomic_store(&t->runs[i]->stop, 0);
        t->first[i] = t->runs[i]->step;
        t->last[i] = dyn__run_end(t->runs[i], steps);
        t->status[i] = DYN_OK;
        t->done[i] = t->runs[i]->reason == DYN_RUN_NONFINITE;
    }
    t->round = t->progress ? FIRST_ROUND : INT64_MAX;
    return DYN_OK;
}

/* Share of the steps asked for that are taken, or will not be. */
static double fraction_done(const dyn_replicas *t)
{
    double done = 0, all = 0;

    for (int64_t i = 0; i < t->count; i++) {
        const double steps = (double)(t->last[i] - t->first[i]);
        all += steps;
        done += t->done[i] ? steps : (double)(t->runs[i]->step - t->first[i]);
    }
    return all > 0 ? done / all : 1;
}

static int64_t going_on(const dyn_replicas *t)
{
    int64_t n = 0;

    for (int64_t i = 0; i < t->count; i++)
        n += !t->done[i];
    return n;
}

static int report(dyn_replicas *t)
{
    char text[64];

    snprintf(text, sizeof text, "%lld of %lld replicas training", (long long)going_on(t), (long long)t->count);
    return t->progress(t->progress_user, fraction_done(t), text) != 0;
}

/* Steps of the next round, so that it takes about ROUND_NS; a round grows or shrinks by 4 at most. */
static int64_t next_round(int64_t round, int64_t took_ns)
{
    const double wanted = (double)round * (double)ROUND_NS / (double)(took_ns > 1 ? took_ns : 1);
    const double low = (double)round / 4, high = (double)round * 4;

    return 1 + (int64_t)(wanted < low ? low : wanted > high ? high : wanted);
}

/* Rounds until no replica goes on. 1 when the caller stopped it. */
static int train_rounds(dyn_replicas *t)
{
    while (going_on(t)) {
        const int64_t begun = dyn__now_ns();

        dyn__parallel(t->ctx, t->count, train_one, t);
        if (dyn__interrupted(t->ctx) || (t->progress && report(t) && going_on(t)))
            return 1;
        if (t->progress)
            t->round = next_round(t->round, dyn__now_ns() - begun);
    }
    return 0;
}

static dyn_status outcome(dyn_replicas *t, int stopped)
{
    dyn_status s = stopped ? DYN_STOPPED : DYN_OK;

    for (int64_t i = 0; i < t->count; i++) {
        if (t->runs[i]->reason == DYN_RUN_FAILED)
            return DYN__FAIL(t->ctx, t->status[i], "replica %lld failed at step %lld: %s", (long long)i,
                             (long long)t->runs[i]->step, dyn_status_text(t->status[i]));
        if (stopped && !t->done[i])
            t->runs[i]->reason = DYN_RUN_STOPPED;
        if (t->runs[i]->reason == DYN_RUN_STOPPED)
            s = DYN_STOPPED;
    }
    return s;
}

dyn_status dyn_replicas_train(dyn_replicas *replicas, int64_t steps)
{
    int stopped;

    if (!replicas)
        return DYN_EINVAL;
    DYN__ENTER(replicas->ctx);
    DYN__TRY(begin(replicas, steps));
    stopped = train_rounds(replicas);
    return outcome(replicas, stopped);
}

void dyn_replicas_stop(dyn_replicas *replicas)
{
    if (replicas)
        atomic_store(&replicas->team.stop, 1);
}
