/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread pool: every task once, for 1 to 9 threads and up to 130 tasks, nested, from two threads at once, after
 * fork, and fast enough to be called in an inner loop. Up to FEW tasks go to the threads by their places in the order,
 * more go one after the other: both ways are tested on both sides of the limit. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/base.h"
#include "test.h"

enum { TASKS = 1000, FEW = 64, MOST_THREADS = 9 };

typedef struct job {
    dyn_ctx *ctx;
    _Atomic int hits[TASKS], bad_worker, in_use[MOST_THREADS];
    int exclusive;      /* check that no worker number is used twice at once */
    int64_t tasks;      /* of the calls of call_often */
} job;

static dyn_ctx *context(int threads)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = threads;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    return ctx;
}

static void hit(void *arg, int64_t task, int worker)
{
    job *j = arg;

    if (worker < 0 || worker >= dyn__workers(j->ctx)) {
        j->bad_worker++;
        return;
    }
    if (j->exclusive && j->in_use[worker]++ != 0)
        j->bad_worker++;
    j->hits[task]++;
    if (j->exclusive)
        j->in_use[worker]--;
}

static int hit_all(const job *j, int64_t tasks, int times)
{
    for (int64_t i = 0; i < TASKS; i++)
        if (j->hits[i] != (i < tasks ? times : 0))
            return 0;
    return j->bad_worker == 0;
}

static void run_and_check(dyn_ctx *ctx, int64_t tasks)
{
    job j = { .ctx = ctx, .exclusive = 1 };

    for (int round = 0; round < 3; round++)
        dyn__parallel(ctx, tasks, hit, &j);
    CHECK(hit_all(&j, tasks, 3));
}

/* Jobs of all sizes, few tasks and many in turn, and more threads than tasks. */
TEST(every_task_once)
{
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        dyn_ctx *ctx = context(threads);

        for (int64_t tasks = 0; tasks <= 130; tasks++) {
            run_and_check(ctx, tasks);
            run_and_check(ctx, 130 - tasks);
        }
        run_and_check(ctx, TASKS);
        dyn_ctx_free(ctx);
    }
}

/* ---- threads that wait for each other ---- */

typedef struct meeting {
    dyn_ctx *ctx;
    _Atomic int64_t first[MOST_THREADS];    /* a thread's first task, + 1 */
    _Atomic int arrived, missed, ended;
} meeting;

/* A thread holds its first task until all threads have one. Then the workers are slower than the caller. */
static void meet(void *arg, int64_t task, int worker)
{
    meeting *m = arg;
    const struct timespec nap = { 0, 1000000 };
    const time_t end = time(NULL) + 20;

    if (!m->first[worker]) {
        m->first[worker] = task + 1;
        m->arrived++;
        while (m->arrived < dyn__workers(m->ctx) && time(NULL) < end)
            sched_yield();
        m->missed += m->arrived < dyn__workers(m->ctx);
        if (worker > 0)
            nanosleep(&nap, NULL);
    }
    m->ended++;
}

/* All threads run at the same time, and the call returns after the last task. The workers have gone to sleep before
 * every other round. */
TEST(threads_run_at_the_same_time)
{
    const struct timespec nap = { 0, 2000000 };
    int missed = 0;

    for (int threads = 2; threads <= MOST_THREADS && !missed; threads++) {
        dyn_ctx *ctx = context(threads);

        for (int round = 0; round < 6 && !missed; round++) {
            const int tasks = round < 4 ? threads : round < 5 ? FEW : FEW + 1;
            meeting m = { .ctx = ctx };

            dyn__parallel(ctx, tasks, meet, &m);
            missed = m.missed;
            CHECK(missed == 0 && m.ended == tasks);
            if (round % 2)
                nanosleep(&nap, NULL);
        }
        dyn_ctx_free(ctx);
    }
}

static void check_places(dyn_ctx *ctx, int64_t tasks)
{
    meeting m = { .ctx = ctx };
    const int threads = dyn__workers(ctx);

    dyn__parallel(ctx, tasks, meet, &m);
    for (int w = 0; w < threads; w++)
        CHECK(tasks <= FEW ? m.first[w] - 1 == tasks * w / threads : m.first[w] <= threads);
}

TEST(few_tasks_have_places)
{
    static const int64_t sizes[] = { MOST_THREADS, 16, FEW - 1, FEW, FEW + 1 };

    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        dyn_ctx *ctx = context(threads);

        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_places(ctx, sizes[i]);
        dyn_ctx_free(ctx);
    }
}

/* ---- memory ---- */

typedef struct plain { int64_t in, out[130]; } plain;

static void add_task(void *arg, int64_t task, int worker)
{
    plain *p = arg;

    (void)worker;
    p->out[task] = p->in + task;
}

/* No atomics here: tasks see what was written before the call, and the caller sees what they wrote. */
TEST(writes_are_seen)
{
    dyn_ctx *ctx = context(2);
    int wrong = 0;

    for (int64_t i = 0; i < 2000; i++) {
        const int64_t tasks = i % 2 ? 130 : 40;
        plain p = { .in = i };

        dyn__parallel(ctx, tasks, add_task, &p);
        for (int64_t k = 0; k < 130; k++)
            wrong += p.out[k] != (k < tasks ? i + k : 0);
    }
    CHECK(wrong == 0);
    dyn_ctx_free(ctx);
}

/* ---- nested calls keep the number of the worker that makes them ---- */

typedef struct nest { job inner; _Atomic int changed; } nest;
typedef struct nest_call { nest *n; int worker; } nest_call;

static void inner(void *arg, int64_t task, int worker)
{
    nest_call *c = arg;

    if (worker != c->worker)
        c->n->changed++;
    c->n->inner.hits[task]++;
}

static void outer(void *arg, int64_t task, int worker)
{
    nest_call c = { arg, worker };

    (void)task;
    dyn__parallel(c.n->inner.ctx, 50, inner, &c);
    dyn__parallel(c.n->inner.ctx, 1, inner, &c);
}

TEST(nested_calls)
{
    dyn_ctx *ctx = context(4);
    nest n = { .inner = { .ctx = ctx } };

    dyn__parallel(ctx, 40, outer, &n);
    CHECK(n.inner.hits[0] == 80 && n.inner.hits[49] == 40 && n.changed == 0);
    dyn_ctx_free(ctx);
}

/* ---- two threads, one context ---- */

static void *call_often(void *arg)
{
    job *j = arg;

    for (int i = 0; i < 300; i++)
        dyn__parallel(j->ctx, j->tasks, hit, j);
    return NULL;
}

TEST(two_callers_at_once)
{
    dyn_ctx *ctx = context(3);

    for (int64_t tasks = 10; tasks <= 100; tasks += 90) {
        job a = { .ctx = ctx, .tasks = tasks }, b = a;
        pthread_t other;

        CHECK(pthread_create(&other, NULL, call_often, &a) == 0);
        call_often(&b);
        pthread_join(other, NULL);
        CHECK(hit_all(&a, tasks, 300) && hit_all(&b, tasks, 300));
    }
    dyn_ctx_free(ctx);
}

static void *fail_often(void *arg)
{
    for (int i = 0; i < 2000; i++)
        DYN__FAIL(arg, DYN_EINVAL, "%s", i % 2 ? "the first of two messages" : "2nd");
    return NULL;
}

TEST(two_messages_at_once)
{
    dyn_ctx *ctx = context(1);
    pthread_t other;

    CHECK(pthread_create(&other, NULL, fail_often, ctx) == 0);
    fail_often(ctx);
    pthread_join(other, NULL);
    CHECK(!strcmp(dyn_ctx_message(ctx), "the first of two messages"));
    dyn_ctx_free(ctx);
}

/* ---- fork ---- */

/* 0 when jobs of few and of many tasks run in the child. The alarm ends one that hangs. */
static int run_in_child(dyn_ctx *ctx)
{
    static const int64_t sizes[] = { 1, 2, FEW, FEW + 1, TASKS };
    int good = 1;

    alarm(20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        job j = { .ctx = ctx };

        dyn__parallel(ctx, sizes[i], hit, &j);
        good &= hit_all(&j, sizes[i], 1);
    }
    return good ? 0 : 1;
}

/* The context is freed in a child that forked between two jobs. */
static int fork_and_run(dyn_ctx *ctx, int inside)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        const int failed = run_in_child(ctx);

        if (!inside)
            dyn_ctx_free(ctx);
        _exit(failed);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fork_in_task(void *arg, int64_t task, int worker)
{
    job *j = arg;

    if (task == 3 && fork_and_run(j->ctx, 1) != 0)
        j->bad_worker++;
    hit(j, task, worker);
}

TEST(fork_before_between_and_inside)
{
    dyn_ctx *ctx = context(3);

    CHECK(fork_and_run(ctx, 0) == 0);
    run_and_check(ctx, 100);
    CHECK(fork_and_run(ctx, 0) == 0);
    for (int64_t tasks = 10; tasks <= 100; tasks += 90) {
        job j = { .ctx = ctx };

        dyn__parallel(ctx, tasks, fork_in_task, &j);
        CHECK(hit_all(&j, tasks, 1));
    }
    run_and_check(ctx, 100);
    dyn_ctx_free(ctx);
}

/* Shortly after a job, when workers that go to sleep hold the lock, which the child must then leave alone. */
TEST(fork_at_any_moment)
{
    dyn_ctx *ctx = context(3);
    int failed = 0;

    for (int i = 0; i < 200 && !failed; i++) {
        run_and_check(ctx, i % 2 ? 10 : 100);
        for (int k = 0; k < i % 64; k++)
            sched_yield();
        failed = fork_and_run(ctx, 0);
    }
    CHECK(failed == 0);
    dyn_ctx_free(ctx);
}

/* A context that has run no job gives a forked child threads of its own, and the parent too. */
TEST(fork_before_the_first_job)
{
    dyn_ctx *ctx = context(3);
    meeting m = { .ctx = ctx };
    int status = -1;
    pid_t pid = fork();

    dyn__parallel(ctx, 3, meet, &m);
    if (pid == 0) {
        dyn_ctx_free(ctx);
        _exit(m.missed);
    }
    waitpid(pid, &status, 0);
    CHECK(m.missed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dyn_ctx_free(ctx);
}

/* ---- signals stay with the program's own threads ---- */

static void see_mask(void *arg, int64_t task, int worker)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (worker > 0 && !sigismember(&mask, SIGINT))
        ((job *)arg)->bad_worker++;
    ((job *)arg)->hits[task]++;
}

TEST(workers_block_signals)
{
    dyn_ctx *ctx = context(4);
    job j = { .ctx = ctx };
    sigset_t mask;

    for (int i = 0; i < 50; i++)
        dyn__parallel(ctx, 100, see_mask, &j);
    CHECK(hit_all(&j, 100, 50));
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGINT));
    dyn_ctx_free(ctx);
}

/* ---- threads that cannot start ---- */

static int most_starts = 1 << 30, starts;

/* Stands in for the C library's in this program. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    void *p = dlsym(RTLD_NEXT, "pthread_create");

    memcpy(&real, &p, sizeof real);
    return starts++ < most_starts ? real(thread, attr, fn, arg) : EAGAIN;
}

static void keep_warning(void *user, int32_t level, const char *text)
{
    if (level == DYN_LOG_WARNING)
        snprintf(user, 256, "%s", text);
}

/* The work is done by those there are, and the log says how many are missing. */
TEST(threads_that_cannot_start)
{
    for (int most = 0; most < 4; most++) {
        dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
        char warning[256] = "", expected[64];
        dyn_ctx *ctx = NULL;

        o.threads = 4;
        o.log = keep_warning;
        o.log_user = warning;
        CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
        starts = 0;
        most_starts = most;
        run_and_check(ctx, 100);
        most_starts = 1 << 30;
        snprintf(expected, sizeof expected, "only %d of 3 worker threads could be started", most);
        CHECK(most == 3 ? !*warning : strstr(warning, expected) != NULL);
        dyn_ctx_free(ctx);
    }
}

/* The bound is a hundred times the usual: it finds a pool that sleeps where it should spin. */
TEST(latency)
{
    dyn_ctx *ctx = context(2);
    job j = { .ctx = ctx };
    struct timespec a, b;
    double us;

    dyn__parallel(ctx, 2, hit, &j);
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < 5000; i++)
        dyn__parallel(ctx, 2, hit, &j);
    clock_gettime(CLOCK_MONOTONIC, &b);
    us = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 5000 / 1000;
    printf("# %.2f us per call with 2 threads\n", us);
    CHECK(us < 100);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(every_task_once);
    RUN(threads_run_at_the_same_time);
    RUN(few_tasks_have_places);
    RUN(writes_are_seen);
    RUN(nested_calls);
    RUN(two_callers_at_once);
    RUN(two_messages_at_once);
    RUN(fork_before_between_and_inside);
    RUN(fork_at_any_moment);
    RUN(fork_before_the_first_job);
    RUN(workers_block_signals);
    RUN(threads_that_cannot_start);
    RUN(latency);
    return test_end();
}
