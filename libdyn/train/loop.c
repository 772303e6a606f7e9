/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The loop over steps. Next to evaluation and update it costs some tens of nanoseconds: all that is rare is asked for
 * by comparing numbers. */
#include "train/run.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { SHOW_NS = 50000000 };

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t dyn__now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* At every step: a few nanoseconds, and a few milliseconds behind. */
static int64_t rough_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC_COARSE);
}

/* ---- progress and stopping ---- */

static int show(dyn_run *r)
{
    const double done = (double)(r->step - r->first) / (double)(r->last > r->first ? r->last - r->first : 1);
    char text[96];

    snprintf(text, sizeof text, "step %lld of %lld, loss %.4g", (long long)r->step, (long long)r->last, r->loss);
    return r->opt.progress(r->opt.progress_user, done, text) != 0;
}

static int time_to_show(dyn_run *r)
{
    int64_t now;

    if (r->opt.progress_every)
        return r->step % r->opt.progress_every == 0;
    now = rough_ns();
    if (now - r->shown_ns < SHOW_NS)
        return 0;
    r->shown_ns = now;
    return 1;
}

int dyn__run_wants_stop(const dyn_run *r)
{
    return (r->team && atomic_load_explicit(&r->team->stop, memory_order_relaxed))
        || atomic_load_explicit(&r->stop, memory_order_relaxed);
}

static int asked_to_stop(dyn_run *r)
{
    if (dyn__run_wants_stop(r)) {
        atomic_store(&r->stop, 0);
        return 1;
    }
    if (dyn__interrupted(r->ctx))
        return 1;
    return r->opt.progress && r->step > r->first && time_to_show(r) && show(r);
}

/* ---- one step ---- */

static dyn_status check_finite(dyn_run *r, double x, const char *what)
{
    if (isfinite(x))
        return DYN_OK;
    r->reason = DYN_RUN_NONFINITE;
    return DYN__FAIL(r->ctx, DYN_ENONFINITE, "%s is %g at step %lld", what, x, (long long)r->step);
}

/* The reason for which the run ends at this step, DYN_RUN_READY for none; *accuracy is NaN where nobody asks for it. */
static dyn_status find_end(dyn_run *r, double norm, double *accuracy)
{
    const dyn_run_options *o = &r->opt;

    *accuracy = NAN;
    if (o->stop_accuracy <= 1 && (r->step % o->accuracy_every == 0 || r->step == r->end))
        DYN__TRY(dyn__measure_accuracy(r, accuracy));
    if (r->loss <= o->stop_loss)
        r->reason = DYN_RUN_LOSS;
    else if (norm <= o->gradient_tolerance)
        r->reason = DYN_RUN_GRADIENT;
    else if (*accuracy >= o->stop_accuracy)
        r->reason = DYN_RUN_ACCURACY;
    else if (r->step == o->steps)
        r->reason = DYN_RUN_STEPS;
    return DYN_OK;
}

/* The next row of the history. */
static void fill_row(dyn_run *r, double norm)
{
    const int32_t terms = dyn_objective_terms(r->objective) > 1 ? dyn_objective_terms(r->objective) : 0;
    double *row = r->history.row;

    row[DYN__COL_STEP] = (double)r->step;
    row[DYN__COL_LOSS] = r->loss;
    row[DYN__COL_NORM] = norm;
    row[DYN__COL_RATE] = r->descending ? r->descending->taken : dyn__rate(&r->optimizer->opt, r->step);
    for (int32_t i = 0; i < terms; i++)
        row[DYN__COL_FIRST_TERM + i] = r->terms[i];
    if (r->validated) {
        row[DYN__COL_FIRST_TERM + terms] = r->best.now;
        row[DYN__COL_FIRST_TERM + terms + 1] = r->best.accuracy;
    }
}

/* All or nothing: what can fail comes first. */
static dyn_status record(dyn_run *r, int row, double norm, double accuracy)
{
    if (row)
        DYN__TRY(dyn__history_reserve(r->ctx, &r->history, r->history.rows + 1));
    if (!isnan(accuracy))
        DYN__TRY(dyn__series_push(r, "accuracy", r->step, 1, &accuracy));
    if (row) {
        fill_row(r, norm);
        dyn__history_push(&r->history);
    }
    return DYN_OK;
}

static void move_on(dyn_run *r)
{
    void *state = r->state;

    r->state = r->next_state;
    r->next_state = state;
    r->step++;
    dyn__average_take(r);
}

/* Record and take the step; where the run ends, the former only. An unfinished one is taken later. */
static dyn_status take_step(dyn_run *r, int final, double norm, double accuracy)
{
    const int fresh = r->step >= r->seen, new = r->step >= r->recorded;
    const int row = new && (final || r->step % r->opt.record_every == 0 || !isnan(r->best.now));
    dyn_status s = DYN_OK;

    if (new) {
        DYN__TRY(record(r, row, norm, accuracy));
        r->recorded = r->step + 1;
    }
    if (fresh && dyn__measure_due(r, final))
        s = dyn__measure(r, norm, final);
    else if (!final)
        s = dyn__run_move(r, r->theta, norm);
    if (r->unfinished)
        return s;
    r->seen = r->recorded;
    if (!final)
        move_on(r);
    return s;
}

static dyn_status one_step(dyn_run *r, int *final)
{
    double accuracy, norm;

    DYN__TRY(dyn__run_evaluate(r));
    DYN__TRY(check_finite(r, r->loss, "loss"));
    norm = dyn__optimizer_norm(r->optimizer, r->gradient);  /* at every step: the end must not depend on rows */
    DYN__TRY(check_finite(r, norm, "norm of the gradient"));
    DYN__TRY(find_end(r, norm, &accuracy));
    if (r->step >= r->recorded)
        DYN__TRY(dyn__validate(r, r->reason != DYN_RUN_READY || r->step == r->end));
    if (r->descending && r->reason == DYN_RUN_READY && r->step != r->end)
        DYN__TRY(dyn__descend_seek(r));
    *final = r->reason != DYN_RUN_READY || r->step == r->end;
    return take_step(r, *final, norm, accuracy);
}

/* ---- the loop ---- */

static dyn_status loop(dyn_run *r)
{
    int final = 0;
    dyn_status s = DYN_OK;

    /* The end is recorded once, also when the run comes back to it. It is evaluated for that, as no step has been at its
     * theta. */
    while (s == DYN_OK && !final && (r->step < r->last || (r->step == r->end && r->seen <= r->step)))
        s = asked_to_stop(r) ? DYN_STOPPED : one_step(r, &final);
    return s;
}

int64_t dyn__run_end(const dyn_run *r, int64_t steps)
{
    const int64_t last = steps < INT64_MAX - r->step ? r->step + steps : INT64_MAX;

    return last < r->opt.steps ? last : r->opt.steps;
}

dyn_status dyn__run_advance(dyn_run *r, int64_t last, int64_t end)
{
    dyn_status s;

    r->first = r->step;
    r->last = last;
    r->end = r->opt.steps < INT64_MAX ? r->opt.steps : end;
    r->shown_ns = rough_ns();
    r->began_ns = dyn__now_ns();
    r->reason = DYN_RUN_READY;
    if (r->opt.feed || !dyn__objective_stays(r->objective))
        r->known = -1;
    r->unfinished = 0;
    r->busy = 1;
    s = loop(r);
    r->busy = 0;
    r->spent_ns += dyn__now_ns() - r->began_ns;
    if (!r->team)
        dyn__objective_set_state(r->objective, r->state, r->opt.seed, r->step);    /* what is measured next is measured on this run */
    if (s == DYN_EINTERRUPTED)
        s = DYN_STOPPED;        /* the step is not taken */
    if (s == DYN_OK && r->step >= r->opt.steps && r->reason == DYN_RUN_READY)
        r->reason = DYN_RUN_STEPS;      /* it was there already */
    if (s != DYN_OK && r->reason != DYN_RUN_NONFINITE)
        r->reason = s > 0 ? DYN_RUN_STOPPED : DYN_RUN_FAILED;
    if (s == DYN_OK && r->opt.progress)
        show(r);
    dyn__log(r->ctx, DYN_LOG_DEBUG, "steps %lld to %lld, loss %g, status %d", (long long)r->first, (long long)r->step,
             r->loss, (int)s);
    return s > 0 ? DYN_STOPPED : s;
}
