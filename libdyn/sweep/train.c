/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Training of a sweep. As many threads as the context has take one member after the other, each in a context of its
 * own; the calling thread waits, reports and listens for interrupts. Results depend neither on the number of threads
 * nor on who takes what. */
#include "sweep/sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { TICK_NS = 50000000 };

int dyn__member_is_due(const dyn_sweep *w, int64_t i)
{
    const int32_t status = w->members[i].status;

    return status == DYN_MEMBER_WAITING || (w->opt.retry && status == DYN_MEMBER_FAILED);
}

int64_t dyn__members_due(const dyn_sweep *w)
{
    int64_t due = 0;

    for (int64_t i = 0; i < w->opt.count; i++)
        due += dyn__member_is_due(w, i);
    return due;
}

/* The next member, or -1. */
static int64_t take(dyn_sweep *w)
{
    int64_t i = -1;

    pthread_mutex_lock(&w->lock);
    while (w->next < w->opt.count && i < 0 && w->failed == DYN_OK && !atomic_load(&w->stop)) {
        i = w->next++;
        i = dyn__member_is_due(w, i) ? i : -1;
    }
    pthread_mutex_unlock(&w->lock);
    return i;
}

/* The first failure counts. */
static void note(dyn_sweep *w, dyn_status s)
{
    if (s < 0 && w->failed == DYN_OK)
        w->failed = s;
}

static void end(dyn_sweep *w, dyn__outcome *o, dyn_run *run)
{
    dyn_status s;

    pthread_mutex_lock(&w->lock);
    s = dyn__member_look(w, o, run);
    if (s == DYN_OK)
        s = dyn__member_keep(w, o);
    if (s == DYN_OK)
        s = dyn__members_settle(w, w->alone);
    note(w, s);
    w->finished++;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void one(dyn_sweep *w, dyn_ctx *ctx, int64_t i)
{
    dyn__outcome o;
    dyn_run *run = NULL;
    const dyn_status s = dyn__member_train(w, ctx, i, &o, &run);

    if (s == DYN_OK)
        end(w, &o, run);
    else if (s < 0) {
        pthread_mutex_lock(&w->lock);
        w->failed = s;
        pthread_mutex_unlock(&w->lock);
    }
    dyn__outcome_clear(&o);
    dyn_run_free(run);
}

static void *work(void *arg)
{
    dyn_sweep *w = arg;
    dyn_ctx *ctx = NULL;
    const dyn_status s = dyn__sweep_context(w, &ctx);

    for (int64_t i; s == DYN_OK && (i = take(w)) >= 0;)
        one(w, ctx, i);
    dyn_ctx_free(ctx);
    pthread_mutex_lock(&w->lock);
    note(w, s);
    w->working--;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the calling thread ---- */

static void wait_a_little(dyn_sweep *w)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&w->wake, &w->lock, &until);
}

static int report(dyn_sweep *w, int64_t due)
{
    char text[64];
    int64_t finished;

    pthread_mutex_lock(&w->lock);
    finished = w->finished;
    pthread_mutex_unlock(&w->lock);
    snprintf(text, sizeof text, "%lld of %lld members", (long long)finished, (long long)due);
    return w->opt.progress(w->opt.progress_user, due ? (double)finished / (double)due : 1, text) != 0;
}

static int still_working(dyn_sweep *w)
{
    int working;

    pthread_mutex_lock(&w->lock);
    if (w->working)
        wait_a_little(w);
    note(w, dyn__members_settle(w, 0));
    working = w->working;
    pthread_mutex_unlock(&w->lock);
    return working;
}

static void watch(dyn_sweep *w, int64_t due)
{
    while (still_working(w))
        if (dyn__interrupted(w->ctx) || (w->opt.progress && report(w, due)))
            atomic_store(&w->stop, 1);
    if (w->opt.progress)
        report(w, due);
}

/* Signals are for the host's threads. */
static int start(dyn_sweep *w, int threads, pthread_t *thread)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    int started = 0;

    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    pthread_attr_setstacksize(&attributes, 2 << 20);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&w->lock);
    while (started < threads && pthread_create(&thread[started], &attributes, work, w) == 0)
        started++;
    w->working = started;
    pthread_mutex_unlock(&w->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

/* Where no thread can be started the calling one does the work; between its steps it listens. */
static void work_alone(dyn_sweep *w)
{
    dyn__log(w->ctx, DYN_LOG_WARNING, "no thread could be started: the members are trained on the calling one");
    w->alone = w->working = 1;
    work(w);
    w->alone = 0;
}

static dyn_status train(dyn_sweep *w, int64_t due)
{
    const int64_t most = dyn_ctx_threads(w->ctx), threads = due < most ? due : most;
    pthread_t *thread = dyn__alloc(w->ctx, (size_t)(threads ? threads : 1), sizeof *thread);
    int started;

    if (!thread)
        return DYN_ENOMEM;
    started = start(w, (int)threads, thread);
    if (!started && threads)
        work_alone(w);
    watch(w, due);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    dyn__free(w->ctx, thread);
    note(w, dyn__members_settle(w, 1));
    return w->failed;
}

static void remove_old_checkpoints(dyn_sweep *w)
{
    for (int64_t i = 0; i < w->opt.count; i++)
        if (!dyn__member_is_due(w, i))      /* killed between keeping it and taking its checkpoint away */
            dyn__checkpoint_remove(w, i);
}

dyn_status dyn_sweep_train(dyn_sweep *sweep)
{
    dyn_status s;

    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    if (sweep->training)
        return DYN__FAIL(sweep->ctx, DYN_ESTATE, "the sweep is training");
    DYN__TRY(dyn__store_lock(sweep));
    s = sweep->opt.checkpoint_every > 0 ? dyn__checkpoint_folder(sweep) : DYN_OK;
    if (s == DYN_OK) {
        remove_old_checkpoints(sweep);
        sweep->training = 1;
        sweep->next = sweep->finished = 0;
        sweep->failed = DYN_OK;
        atomic_store(&sweep->stop, 0);
        s = train(sweep, dyn__members_due(sweep));
        sweep->training = 0;
        dyn__store_settle(sweep);
    }
    dyn__store_unlock(sweep);
    return s == DYN_OK && atomic_load(&sweep->stop) ? DYN_STOPPED : s;
}

void dyn_sweep_stop(dyn_sweep *sweep)
{
    if (sweep)
        atomic_store(&sweep->stop, 1);
}

/* ---- by another engine ---- */

static dyn_status pack(dyn_sweep *w, dyn_ctx *ctx, int64_t i, int64_t *size)
{
    dyn__outcome o;
    dyn_run *run = NULL;
    dyn_status s = dyn__member_train(w, ctx, i, &o, &run);

    if (s == DYN_OK)
        s = dyn__member_look(w, &o, run);
    if (s == DYN_OK)
        s = dyn__outcome_pack(&o, &w->packed, size);
    dyn__outcome_clear(&o);
    dyn_run_free(run);
    return s;
}

dyn_status dyn_sweep_member(dyn_sweep *sweep, int64_t i, const void **packed, int64_t *size)
{
    dyn_ctx *ctx = NULL;
    dyn_status s;

    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    DYN__NEED(sweep->ctx, packed);
    DYN__NEED(sweep->ctx, size);
    if (i < 0 || i >= sweep->opt.count)
        return DYN__FAIL(sweep->ctx, DYN_EINVAL, "member %lld of %lld", (long long)i, (long long)sweep->opt.count);
    dyn__free(sweep->ctx, sweep->packed);
    sweep->packed = NULL;
    atomic_store(&sweep->stop, 0);
    DYN__TRY(dyn__sweep_context(sweep, &ctx));
    s = pack(sweep, ctx, i, size);
    dyn_ctx_free(ctx);
    *packed = sweep->packed;
    return s;
}

dyn_status dyn_sweep_keep(dyn_sweep *sweep, const void *packed, int64_t size)
{
    dyn__outcome o = { 0 };
    dyn_status s;

    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    DYN__NEED(sweep->ctx, packed);
    DYN__TRY(dyn__store_lock(sweep));       /* until the sweep goes */
    s = dyn__outcome_unpack(sweep->ctx, packed, size, &o);
    if (s == DYN_OK && (o.index < 0 || o.index >= sweep->opt.count))
        s = DYN__FAIL(sweep->ctx, DYN_EINVAL, "member %lld of %lld", (long long)o.index, (long long)sweep->opt.count);
    if (s == DYN_OK && sweep->members[o.index].status == DYN_MEMBER_WAITING)
        s = dyn__member_keep(sweep, &o);        /* the first to come counts */
    if (s == DYN_OK)
        s = dyn__members_settle(sweep, 1);
    dyn__outcome_clear(&o);
    return s;
}
