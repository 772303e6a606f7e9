/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread pool. A call of dyn__parallel opens a job; workers that are awake join it, take tasks and leave; the
 * caller takes tasks too, closes the job and waits for those who joined. A worker that wakes too late finds the job
 * closed and is not waited for. Of a few tasks each thread first takes those at its own place in their order, so that
 * jobs of one order find in a thread's caches what the last one left there; then it helps the others. Many tasks are
 * taken one after the other. Joining and closing meet in one atomic word:
 *     state = generation << 32 | OPEN | number of workers inside.
 * Workers spin for some tens of microseconds before they sleep. They start with the first job. A forked child has no
 * workers and runs its jobs alone. */
#include "base/context.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_NS = 50000000 };
enum { OPEN = 1 << 16, INSIDE = OPEN - 1, FEW = DYN__FEW_TASKS };

static _Thread_local int is_worker;

typedef struct worker {
    dyn__pool *pool;
    pthread_t thread;
    int number;
} worker;

struct dyn__pool {
    int size;                   /* workers wanted, the caller not counted */
    int64_t spin_ns;
    pid_t owner;                /* process that started the workers; 0 before */
    _Atomic int started;        /* workers that exist */
    _Atomic int busy;           /* somebody uses the pool */

    _Atomic uint64_t state;
    _Atomic int64_t next;       /* many tasks: the next one */
    _Atomic uint64_t left;      /* few: a bit for each that nobody has taken */
    int64_t tasks;
    dyn__task_fn fn;
    void *arg;

    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    _Atomic int sleepers, caller_sleeps, stop;
    worker workers[];
};

int dyn__usable_cores(void)
{
    cpu_set_t set;
    int n = 0;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    if (n < 1)
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > DYN__MAX_THREADS ? DYN__MAX_THREADS : n;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* ---- the worker's side ---- */

/* A job of another generation than `seen` is open, or the pool ends. */
static int has_news(dyn__pool *p, uint32_t seen)
{
    uint64_t s = atomic_load(&p->state);

    return ((s & OPEN) && (uint32_t)(s >> 32) != seen) || atomic_load(&p->stop);
}

static void wait_for_news(dyn__pool *p, uint32_t seen)
{
    int64_t end = now_ns() + p->spin_ns;

    do {
        for (int i = 0; i < 16; i++) {
            if (has_news(p, seen))
                return;
            relax();
        }
    } while (now_ns() < end);
    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->sleepers, 1);
    while (!has_news(p, seen))
        pthread_cond_wait(&p->wake, &p->mutex);
    atomic_fetch_sub(&p->sleepers, 1);
    pthread_mutex_unlock(&p->mutex);
}

/* Enter the open job. *seen becomes its generation, also when it is closed already. */
static int join(dyn__pool *p, uint32_t *seen)
{
    uint64_t s = atomic_load(&p->state);

    for (;;) {
        *seen = (uint32_t)(s >> 32);
        if (!(s & OPEN))
            return 0;
        if (atomic_compare_exchange_weak(&p->state, &s, s + 1))
            return 1;
    }
}

/* One of a few tasks: the first that is left from this thread's place on, else the first of all; FEW if none is. */
static int64_t take_own(dyn__pool *p, int number)
{
    const int place = (int)(p->tasks * number / (p->size + 1));
    uint64_t left = atomic_load_explicit(&p->left, memory_order_relaxed);

    while (left) {
        const uint64_t behind = left >> place << place;
        const int task = __builtin_ctzll(behind ? behind : left);
        if (atomic_compare_exchange_weak_explicit(&p->left, &left, left & ~((uint64_t)1 << task),
                                                  memory_order_relaxed, memory_order_relaxed))
            return task;
    }
    return FEW;
}

static int64_t take(dyn__pool *p, int number)
{
    return p->tasks <= FEW ? take_own(p, number) : atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
}

static void take_tasks(dyn__pool *p, int number)
{
    int64_t task;

    while ((task = take(p, number)) < p->tasks)
        p->fn(p->arg, task, number);
}

static void leave(dyn__pool *p)
{
    uint64_t s = atomic_fetch_sub(&p->state, 1) - 1;

    if (!(s & (OPEN | INSIDE)) && atomic_load(&p->caller_sleeps)) {
        pthread_mutex_lock(&p->mutex);
        pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->mutex);
    }
}

static void *work(void *arg)
{
    worker *w = arg;
    uint32_t seen = 0;

    is_worker = 1;
    dyn__environment_hold();
    while (wait_for_news(w->pool, seen), !atomic_load(&w->pool->stop))
        if (join(w->pool, &seen)) {
            take_tasks(w->pool, w->number);
            leave(w->pool);
        }
    return NULL;
}

/* ---- the caller's side ---- */

/* Start workers until the system refuses one; its error, or 0. Callbacks of the caller may run on them: the C library's
 * default is too small in some of them, and too large where many threads share little memory. */
static int start_workers(dyn__pool *p)
{
    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);

    if (error == 0)
        error = pthread_attr_setstacksize(&attr, DYN__WORKER_STACK);
    for (int i = 0; i < p->size && error == 0; i++) {
        p->workers[i].pool = p;
        p->workers[i].number = i + 1;
        error = pthread_create(&p->workers[i].thread, &attr, work, &p->workers[i]);
        if (error == 0)
            atomic_store(&p->started, i + 1);
    }
    pthread_attr_destroy(&attr);
    return error;
}

/* With all signals blocked, so that the program's handlers run in its own threads. As many workers as the system gives
 * are enough. */
static void start(dyn_ctx *ctx, dyn__pool *p)
{
    sigset_t all, old;
    char room[128];
    int error;

    p->owner = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = start_workers(p);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error)
        dyn__log(ctx, DYN_LOG_WARNING, "only %d of %d worker threads could be started: %s", atomic_load(&p->started),
                 p->size, dyn__system_text(error, room, sizeof room));
    else
        dyn__log(ctx, DYN_LOG_DEBUG, "%d worker threads started", p->size);
}

static void open_job(dyn__pool *p, int64_t tasks, dyn__task_fn fn, void *arg)
{
    uint64_t generation = (atomic_load(&p->state) >> 32) + 1;
    int sleepers;

    p->tasks = tasks;
    p->fn = fn;
    p->arg = arg;
    atomic_store(&p->next, 0);
    atomic_store(&p->left, ~(uint64_t)0 >> (tasks < FEW ? FEW - tasks : 0));
    atomic_store(&p->state, generation << 32 | OPEN);
    sleepers = atomic_load(&p->sleepers);
    if (sleepers == 0)
        return;
    pthread_mutex_lock(&p->mutex);
    for (int i = 0; i < sleepers && i < tasks - 1; i++)
        pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
}

static int all_left(dyn__pool *p)
{
    return !(atomic_load(&p->state) & INSIDE);
}

/* Until the last worker left, or for a twentieth of a second; called with the mutex. */
static void wait_a_while(dyn__pool *p)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += WAIT_NS;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&p->done, &p->mutex, &t);
}

/* Waiting for the others, the caller sees to interrupts, which may take its time. */
static void close_job(dyn_ctx *ctx, dyn__pool *p)
{
    int64_t end;

    atomic_fetch_and(&p->state, ~(uint64_t)OPEN);
    if (all_left(p))
        return;
    end = now_ns() + p->spin_ns;
    do {
        for (int i = 0; i < 16; i++) {
            if (all_left(p))
                return;
            relax();
        }
    } while (now_ns() < end);
    pthread_mutex_lock(&p->mutex);
    atomic_store(&p->caller_sleeps, 1);
    while (!all_left(p)) {
        wait_a_while(p);
        pthread_mutex_unlock(&p->mutex);
        dyn__interrupted(ctx);
        pthread_mutex_lock(&p->mutex);
    }
    atomic_store(&p->caller_sleeps, 0);
    pthread_mutex_unlock(&p->mutex);
}

/* Number of the calling thread: a worker's own, 0 for all others. */
static int own_number(dyn__pool *p)
{
    int n = atomic_load(&p->started);

    for (int i = 0; i < n; i++)
        if (pthread_equal(p->workers[i].thread, pthread_self()))
            return i + 1;
    return 0;
}

static void run_alone(dyn__pool *p, int64_t tasks, dyn__task_fn fn, void *arg)
{
    int number = own_number(p);

    for (int64_t task = 0; task < tasks; task++)
        fn(arg, task, number);
}

/* Take the pool for a job; 0 when it is in use or this is a forked child of its process. */
static int acquire(dyn_ctx *ctx, dyn__pool *p)
{
    if (atomic_exchange(&p->busy, 1))
        return 0;
    if (p->owner == 0)
        start(ctx, p);
    if (p->owner == getpid())
        return 1;
    atomic_store(&p->busy, 0);
    return 0;
}

void dyn__parallel(dyn_ctx *ctx, int64_t tasks, dyn__task_fn fn, void *arg)
{
    dyn__pool *p = ctx->pool;

    if (tasks < 2 || p->size == 0 || !acquire(ctx, p)) {
        run_alone(p, tasks, fn, arg);
        return;
    }
    open_job(p, tasks, fn, arg);
    take_tasks(p, 0);
    close_job(ctx, p);
    atomic_store(&p->busy, 0);
}

int dyn__is_worker(void)
{
    return is_worker;
}

int dyn__workers(const dyn_ctx *ctx)
{
    return ctx->threads;
}

dyn_status dyn__pool_create(dyn_ctx *ctx, int threads, dyn__pool **out)
{
    dyn__pool *p = dyn__alloc(ctx, 1, sizeof *p + (size_t)(threads - 1) * sizeof *p->workers);

    *out = p;
    if (!p)
        return DYN_ENOMEM;
    p->size = threads - 1;
    p->spin_ns = threads <= dyn__usable_cores() ? 60000 : 0;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    return DYN_OK;
}

/* In a forked child there is nobody to stop, and the lock may be held for ever by a thread that is not there. */
void dyn__pool_free(dyn_ctx *ctx, dyn__pool *p)
{
    if (p && (p->owner == 0 || p->owner == getpid())) {
        pthread_mutex_lock(&p->mutex);
        atomic_store(&p->stop, 1);
        pthread_cond_broadcast(&p->wake);
        pthread_mutex_unlock(&p->mutex);
        for (int i = 0; i < atomic_load(&p->started); i++)
            pthread_join(p->workers[i].thread, NULL);
        pthread_cond_destroy(&p->done);
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->mutex);
    }
    dyn__free(ctx, p);
}
