/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a sweep will take, from some of its members trained for a few steps. */
#include "sweep/sweep.h"
#include "train/run.h"

enum { SAMPLES = 8 };                   /* members that are looked at */
static const double TRIAL_SECONDS = .05;    /* of training, for each of them */

typedef struct looked { int64_t bytes; double seconds; } looked;

/* Bytes of the history of a whole run. */
static int64_t history_bytes(const dyn_run *run)
{
    return 8 * (int64_t)dyn_run_columns(run) * (run->opt.steps / run->opt.record_every + 1);
}

/* Steps of it after the first, twice as many each time; seconds of one. */
static dyn_status seconds_of_step(dyn_run *run, double *seconds)
{
    const double begun = dyn__seconds();
    int64_t taken = 1, more = 1;

    while (run->opt.steps - taken > 1 && dyn__seconds() - begun < TRIAL_SECONDS) {
        more = more < run->opt.steps - 1 - taken ? more : run->opt.steps - 1 - taken;
        DYN__TRY(dyn_run_train(run, more));
        if (dyn_run_step(run) < taken + more)
            break;                      /* a stop rule */
        taken += more;
        more *= 2;
    }
    *seconds = taken > 1 ? (dyn__seconds() - begun) / (double)(taken - 1) : 0;
    return DYN_OK;
}

static dyn_status look(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn_run **run, looked *out)
{
    const double begun = dyn__seconds();
    const int64_t empty = dyn_ctx_bytes(ctx);
    double made, step = 0;

    DYN__TRY(dyn__member_make(w, ctx, i, run));
    made = dyn__seconds() - begun;
    if ((*run)->opt.steps == INT64_MAX)
        return DYN__FAIL(ctx, DYN_EINVAL, "its run has no end");
    if ((*run)->opt.steps > 1)
        DYN__TRY(dyn_run_train(*run, 1));
    out->bytes = dyn_ctx_bytes(ctx) - empty + history_bytes(*run);
    if ((*run)->opt.steps > 2)
        DYN__TRY(seconds_of_step(*run, &step));
    out->seconds = made + step * (double)(*run)->opt.steps;
    return DYN_OK;
}

static dyn_status look_at(dyn_sweep *w, int64_t i, looked *out)
{
    dyn_ctx *ctx = NULL;
    dyn_run *run = NULL;
    dyn_status s = dyn__sweep_context(w, &ctx);

    if (s == DYN_OK) {
        s = look(w, ctx, i, &run, out);
        if (s < 0)
            s = DYN__FAIL(w->ctx, s, "member %lld: %s", (long long)i, dyn_ctx_message(ctx));
    }
    dyn_run_free(run);
    dyn_ctx_free(ctx);
    return s < 0 ? s : DYN_OK;
}

/* Member number `which` of those that are due. */
static int64_t due(const dyn_sweep *w, int64_t which)
{
    int64_t i = 0;

    while (!dyn__member_is_due(w, i) || which-- > 0)
        i++;
    return i;
}

/* The greatest bytes and the mean seconds of up to SAMPLES of `members` that are due; one that fails costs nothing, but
 * one must be well. */
static dyn_status look_at_some(dyn_sweep *w, int64_t members, looked *out)
{
    const int64_t count = members < SAMPLES ? members : SAMPLES;
    int64_t well = 0;
    dyn_status s = DYN_OK;

    *out = (looked){ 0, 0 };
    for (int64_t k = 0; k < count; k++) {
        looked one = { 0, 0 };
        const dyn_status now = look_at(w, due(w, count > 1 ? k * (members - 1) / (count - 1) : 0), &one);
        if (now == DYN_ENOMEM)          /* says nothing of the member */
            return now;
        if (now < 0) {
            s = now;
            continue;
        }
        well++;
        out->bytes = one.bytes > out->bytes ? one.bytes : out->bytes;
        out->seconds += one.seconds;
    }
    if (count && !well)
        return s;
    out->seconds /= (double)(count ? count : 1);
    return DYN_OK;
}

dyn_status dyn_sweep_cost(dyn_sweep *sweep, int64_t *members, int64_t *bytes, double *seconds, double *total)
{
    int64_t count;
    looked found;

    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    if (sweep->training)
        return DYN__FAIL(sweep->ctx, DYN_ESTATE, "the sweep is training");
    count = dyn__members_due(sweep);
    atomic_store(&sweep->stop, 0);
    DYN__TRY(look_at_some(sweep, count, &found));
    if (members)
        *members = count;
    if (bytes)
        *bytes = found.bytes;
    if (seconds)
        *seconds = found.seconds;
    if (total)
        *total = found.seconds * (double)count / dyn_ctx_threads(sweep->ctx);
    return DYN_OK;
}
