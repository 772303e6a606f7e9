/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thread pool: every task once, for 1 to 7 threads, nested, from two threads at once, after fork, and fast enough
 * to be called in an inner loop. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/base.h"
#include "test.h"

enum { TASKS = 1000 };

typedef struct job {
    dyn_ctx *ctx;
    _Atomic int hits[TASKS], bad_worker, in_use[8];
    int exclusive;      /* check that no worker number is used twice at once */
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

TEST(every_task_once)
{
    static const int64_t sizes[] = { 0, 1, 2, 3, 7, 64, TASKS };

    for (int threads = 1; threads <= 7; threads++) {
        dyn_ctx *ctx = context(threads);

        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            job j = { .ctx = ctx, .exclusive = 1 };

            for (int round = 0; round < 20; round++)
                dyn__parallel(ctx, sizes[i], hit, &j);
            CHECK(hit_all(&j, sizes[i], 20));
        }
        dyn_ctx_free(ctx);
    }
}

/* Two tasks that wait for each other end only if two threads run them; the workers have gone to sleep before. */
static void meet(void *arg, int64_t task, int worker)
{
    _Atomic int *arrived = arg;
    time_t end = time(NULL) + 20;

    (void)task;
    (void)worker;
    (*arrived)++;
    while (*arrived < 2 && time(NULL) < end)
        sched_yield();
}

TEST(tasks_run_at_the_same_time)
{
    dyn_ctx *ctx = context(2);
    struct timespec nap = { 0, 2000000 };

    for (int round = 0; round < 5; round++) {
        _Atomic int arrived = 0;

        dyn__parallel(ctx, 2, meet, &arrived);
        CHECK(arrived == 2);
        nanosleep(&nap, NULL);
    }
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
    for (int i = 0; i < 300; i++)
        dyn__parallel(((job *)arg)->ctx, 100, hit, arg);
    return NULL;
}

TEST(two_callers_at_once)
{
    dyn_ctx *ctx = context(3);
    job a = { .ctx = ctx }, b = { .ctx = ctx };
    pthread_t other;

    CHECK(pthread_create(&other, NULL, call_often, &a) == 0);
    call_often(&b);
    pthread_join(other, NULL);
    CHECK(hit_all(&a, 100, 300) && hit_all(&b, 100, 300));
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

/* In the child: 0 when all tasks ran and the context could be freed. The alarm ends a child that hangs. */
static int child(dyn_ctx *ctx)
{
    job j = { .ctx = ctx };

    alarm(20);
    dyn__parallel(ctx, 100, hit, &j);
    dyn_ctx_free(ctx);
    return hit_all(&j, 100, 1) ? 0 : 1;
}

static int fork_and_run(dyn_ctx *ctx)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(child(ctx));
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fork_in_task(void *arg, int64_t task, int worker)
{
    job *j = arg;
    dyn_ctx *ctx = j->ctx;

    (void)worker;
    if (task == 3) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            job own = { .ctx = ctx };

            alarm(20);
            dyn__parallel(ctx, 100, hit, &own);
            _exit(hit_all(&own, 100, 1) ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        j->bad_worker += !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

TEST(fork_before_between_and_inside)
{
    dyn_ctx *ctx = context(3);
    job j = { .ctx = ctx }, k = { .ctx = ctx };

    CHECK(fork_and_run(ctx) == 0);
    dyn__parallel(ctx, 100, hit, &j);
    CHECK(fork_and_run(ctx) == 0);
    dyn__parallel(ctx, 10, fork_in_task, &k);
    CHECK(k.bad_worker == 0);
    dyn__parallel(ctx, 100, hit, &j);
    CHECK(hit_all(&j, 100, 2));
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
    RUN(tasks_run_at_the_same_time);
    RUN(nested_calls);
    RUN(two_callers_at_once);
    RUN(two_messages_at_once);
    RUN(fork_before_between_and_inside);
    RUN(workers_block_signals);
    RUN(latency);
    return test_end();
}
