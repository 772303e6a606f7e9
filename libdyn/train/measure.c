/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Observers. A fused optimiser step changes moments and theta at once, but an observer is to see the new moments with
 * the old theta; so an observed step moves a copy of theta, which takes its place afterwards. The run's last
 * observation undoes the moments too, and so does one that an observer has broken off. */
#include "train/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "optim/chunk.h"

enum { WAIT_NS = 50000000 };

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static dyn_status complete(dyn_ctx *ctx, const dyn_schedule *given, dyn_schedule *w)
{
    *w = (dyn_schedule)DYN_SCHEDULE_INIT;
    w->every = !given;      /* NULL: at every step */
    DYN__TRY(dyn__options(ctx, "dyn_schedule", given, w, sizeof *w, offsetof(dyn_schedule, rest)));
    if (!(w->rest >= 0.0 && w->rest < HUGE_VAL))
        return DYN__FAIL(ctx, DYN_EINVAL, "rest is %g, must be finite and not negative", w->rest);
    if (w->per_decade < 0 || w->every < 0 || w->count < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "per_decade %d, every %lld or count %lld is negative", w->per_decade,
                         (long long)w->every, (long long)w->count);
    if ((w->at_start | w->at_end) & ~1)
        return DYN__FAIL(ctx, DYN_EINVAL, "at_start is %d, at_end %d, not 0 or 1", w->at_start, w->at_end);
    if (w->count && !w->steps)
        return DYN__FAIL(ctx, DYN_EINVAL, "steps is NULL with count %lld", (long long)w->count);
    for (int64_t i = 0; i < w->count; i++)
        if (w->steps[i] < 0)
            return DYN__FAIL(ctx, DYN_EINVAL, "steps[%lld] is %lld", (long long)i, (long long)w->steps[i]);
    return DYN_OK;
}

static dyn_status copy_steps(dyn_ctx *ctx, dyn__observer *o)
{
    if (o->when.count) {
        const size_t bytes = (size_t)o->when.count * sizeof *o->steps;

        o->steps = dyn__alloc(ctx, (size_t)o->when.count, sizeof *o->steps);
        if (!o->steps)
            return DYN_ENOMEM;
        memcpy(o->steps, o->when.steps, bytes);
        qsort(o->steps, (size_t)o->when.count, sizeof *o->steps, ascending);
    }
    o->when.steps = o->steps;
    return DYN_OK;
}

void dyn__measure_find_due(dyn_run *r, int64_t from)
{
    r->due = INT64_MAX;
    for (int64_t i = 0; i < r->observer_count; i++) {
        dyn__observer *o = &r->observers[i];

        o->due = dyn__schedule_next(&o->when, from);
        r->due = o->due < r->due ? o->due : r->due;
    }
}

/* All that a measurement needs, so that none fails for lack of memory in the middle of a run. */
static dyn_status make_room(dyn_run *r)
{
    size_t moments = 0;

    for (int i = 0; i < DYN__MOMENTS; i++)
        moments += r->optimizer->moment[i] != NULL;
    if (!r->next && !(r->next = dyn__alloc(r->ctx, 1 + moments, r->bytes)))
        return DYN_ENOMEM;
    DYN__TRY(dyn__run_widen(r));
    return dyn__grow(r->ctx, (void **)&r->observers, &r->observer_cap, r->observer_count + 1, sizeof *r->observers);
}

dyn_status dyn_run_observe(dyn_run *run, dyn_observer_fn fn, void *user, const dyn_schedule *when)
{
    dyn__observer o = { .fn = fn, .user = user, .measured = -1 };

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, fn);
    if (run->busy)
        return DYN__FAIL(run->ctx, DYN_ESTATE, "the run is training");
    DYN__TRY(complete(run->ctx, when, &o.when));
    DYN__TRY(make_room(run));
    DYN__TRY(copy_steps(run->ctx, &o));
    run->observers[run->observer_count++] = o;
    dyn__measure_find_due(run, run->seen);
    return DYN_OK;
}

void dyn__observers_free(dyn_run *r)
{
    for (int64_t i = 0; i < r->observer_count; i++)
        dyn__free(r->ctx, r->observers[i].steps);
    dyn__free(r->ctx, r->observers);
}

int64_t dyn_run_observers(const dyn_run *run)
{
    return run ? run->observer_count : 0;
}

static int64_t elapsed(const dyn_run *r)
{
    return r->spent_ns + (r->busy ? dyn__now_ns() - r->began_ns : 0);
}

double dyn_run_seconds(const dyn_run *run)
{
    return run ? 1e-9 * (double)elapsed(run) : 0.0;
}

dyn_status dyn_run_observer_cost(const dyn_run *run, int64_t i, double *seconds, int64_t *measured, int64_t *passed_over)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    if (i < 0 || i >= run->observer_count)
        return DYN__FAIL(run->ctx, DYN_EINVAL, "observer %lld of %lld", (long long)i, (long long)run->observer_count);
    if (seconds)
        *seconds = 1e-9 * (double)run->observers[i].spent_ns;
    if (measured)
        *measured = run->observers[i].calls;
    if (passed_over)
        *passed_over = run->observers[i].passed_over;
    return DYN_OK;
}

static int is_due(const dyn_run *r, const dyn__observer *o, int final)
{
    return o->due == r->step || (final && o->when.at_end);
}

int dyn__measure_due(const dyn_run *r, int final)
{
    if (r->due == r->step)
        return 1;
    for (int64_t i = 0; final && i < r->observer_count; i++)
        if (r->observers[i].when.at_end)
            return 1;
    return 0;
}

/* theta or gradient as doubles. */
const double *dyn__run_doubles(dyn_run *r, const void *x, double *room)
{
    if (r->dtype == DYN_F64)
        return x;
    dyn__to_double(r->dtype, r->size, x, room);
    return room;
}

void dyn__run_lock(dyn_run *r)
{
    struct timespec t;

    while (r->team) {
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += WAIT_NS;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        if (pthread_mutex_timedlock(&r->team->callbacks, &t) == 0)
            return;
        dyn__interrupted(r->ctx);
    }
}

void dyn__run_unlock(dyn_run *r)
{
    if (r->team)
        pthread_mutex_unlock(&r->team->callbacks);
}

dyn_status dyn__measure_accuracy(dyn_run *r, double *accuracy)
{
    const double *theta = dyn__run_doubles(r, r->theta, r->wide);
    dyn_status s;

    dyn__run_lock(r);
    dyn__objective_set_state(r->objective, r->state, r->opt.seed, r->step);
    s = dyn_objective_accuracy(r->objective, theta, accuracy);
    dyn__run_unlock(r);
    return s;
}

/* What an observer's answer means. An error whose message is older than the call would mislead and gets one of its
 * own; so does a number that means nothing. */
static dyn_status judge(dyn_run *r, int64_t number, int32_t answer, int64_t failures)
{
    const int known = answer < 0 && answer >= DYN_EINTERNAL;

    if (answer == DYN_OK || answer == DYN_STOPPED)
        return answer;
    if (known && dyn__failures(r->ctx) != failures)
        return answer;
    return DYN__FAIL(r->ctx, known ? answer : DYN_EUSER, "observer %lld returned %d (%s) at step %lld", (long long)number,
                     (int)answer, dyn_status_name(answer), (long long)r->step);
}

static dyn_status call(dyn_run *r, int64_t number, const dyn_run_view *view)
{
    const dyn__observer o = r->observers[number];
    const int64_t failures = dyn__failures(r->ctx);
    const int64_t began = dyn__now_ns();
    const int32_t answer = o.fn(o.user, view);

    r->observers[number].spent_ns += dyn__now_ns() - began;
    r->observers[number].owed = r->unfinished || answer == DYN_EINTERRUPTED;
    r->observers[number].calls += !r->observers[number].owed;
    if (answer == DYN_EINTERRUPTED) {
        dyn__set_interrupted(r->ctx);
        return dyn__run_break_off(r);
    }
    if (!r->unfinished)
        r->observers[number].measured = r->step;
    return judge(r, number, answer, failures);
}

/* Has the run rested enough for another measurement as long as the mean one? */
static int affords(const dyn_run *r, const dyn__observer *o)
{
    const double mean = o->calls > 0 ? (double)o->spent_ns / (double)o->calls : 0.0;

    return o->calls == 0 || o->owed || o->when.rest == 0.0
           || o->when.rest * ((double)o->spent_ns + mean) <= (double)(elapsed(r) - o->spent_ns);
}

/* All that are due are called, up to one that breaks off; the first answer that is not 0 counts. */
static dyn_status call_observers(dyn_run *r, int final)
{
    const dyn_run_view view = {
        .struct_size = sizeof view, .ending = final, .run = r, .step = r->step, .size = r->size, .loss = r->loss,
        .rate = dyn_optimizer_rate(r->optimizer, r->step), .theta = dyn__run_doubles(r, r->theta, r->wide),
        .gradient = dyn__run_doubles(r, r->gradient, r->wide ? r->wide + r->size : NULL),
    };
    dyn_status first = DYN_OK;

    dyn__run_lock(r);
    dyn__objective_set_state(r->objective, r->state, r->opt.seed, r->step);
    for (int64_t i = 0; i < r->observer_count && !r->unfinished; i++) {
        dyn__observer *o = &r->observers[i];
        const int due = is_due(r, o, final) && o->measured != r->step;
        const int now = due && ((final && o->when.at_end) || affords(r, o));
        const dyn_status s = now ? call(r, i, &view) : DYN_OK;

        r->observers[i].passed_over += due && !now;
        first = first == DYN_OK ? s : first;
    }
    dyn__run_unlock(r);
    return first;
}

/* Copy the optimiser's moments to the room behind r->next, or back. */
static void copy_moments(dyn_run *r, int back)
{
    void *const *moment = r->optimizer->moment;
    char *room = r->next;

    for (int i = 0; i < DYN__MOMENTS; i++)
        if (moment[i]) {
            room += r->bytes;
            memcpy(back ? moment[i] : room, back ? room : moment[i], r->bytes);
        }
}

dyn_status dyn__run_break_off(dyn_run *r)
{
    r->unfinished = 1;
    atomic_store(&r->stop, 0);
    return DYN_STOPPED;
}

/* L-BFGS has no preconditioner that an observer could ask for: the step is taken afterwards. */
static dyn_status measure_descending(dyn_run *r, double norm, int final)
{
    const dyn_status s = call_observers(r, final);

    if (!final && !r->unfinished)
        DYN__TRY(dyn__run_move(r, r->theta, norm));
    if (!r->unfinished)
        dyn__measure_find_due(r, r->step + 1);
    return s;
}

dyn_status dyn__measure(dyn_run *r, double norm, int final)
{
    dyn_status s;

    if (r->descending)
        return measure_descending(r, norm, final);
    copy_moments(r, 0);
    memcpy(r->next, r->theta, r->bytes);
    DYN__TRY(dyn__run_move(r, r->next, norm));
    s = call_observers(r, final);
    if (final || r->unfinished) {
        copy_moments(r, 1);
        r->optimizer->steps--;
    } else {
        memcpy(r->theta, r->next, r->bytes);
    }
    if (!r->unfinished)
        dyn__measure_find_due(r, r->step + 1);
    return s;
}
