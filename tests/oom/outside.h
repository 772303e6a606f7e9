/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The works of the out-of-memory tests under failures from outside, for tests/hostile.sh: with HOSTILE_KIND set each work
 * runs in processes of its own, in which the library is used for the first time. The kinds of tests/hostile/interpose.c
 * fail the first, second, ... call, where there are many every so-manieth (HOSTILE_TRIALS at most); "space" and "stack"
 * limit memory. A work must end with success or an error that fits and says something: no signal, no exit, no hang. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <dyn/dyn.h>
#include "test.h"

__attribute__((weak)) void hostile_arm(int kind, int64_t first, int lasting);
__attribute__((weak)) int64_t hostile_disarm(void);

typedef dyn_status (*oom_work)(dyn_ctx *ctx, void *arg);

enum { OUT_NOTHING, OUT_ALLOCATION, OUT_WRITE, OUT_SYNC, OUT_RENAME, OUT_THREAD, OUT_OPEN, OUT_SPACE, OUT_STACK,
       OUT_KINDS, OUT_SECONDS = 100 };
/* What the last trial of a child ended with, beside the codes of exit. */
typedef struct out_report { dyn_status status; int64_t calls; char message[200]; } out_report;
typedef struct out_trial { oom_work work; void *arg; int kind, lasting; int64_t n; out_report report; } out_trial;

static inline int out_kind(void)
{
    static const char *const names[OUT_KINDS] = { "none", "alloc", "write", "sync", "rename", "thread", "open", "space",
                                                  "stack" };
    const char *wanted = getenv("HOSTILE_KIND");

    for (int i = 0; wanted && i < OUT_KINDS; i++)
        if (!strcmp(wanted, names[i]))
            return i;
    return -1;
}

static inline void out_run_work(out_trial *t)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = 2;
    if (hostile_arm)
        hostile_arm(t->kind, t->n, t->lasting);
    t->report.status = dyn_ctx_create(&o, &ctx);
    if (ctx)
        t->report.status = t->work(ctx, t->arg);
    t->report.calls = hostile_disarm ? hostile_disarm() : 0;
    snprintf(t->report.message, sizeof t->report.message, "%s", ctx ? dyn_ctx_message(ctx) : "no context");
    dyn_ctx_free(ctx);
}

static inline void *out_thread(void *trial)
{
    out_run_work(trial);
    return NULL;
}

/* The stack that the library may ask of its caller is there before memory is limited: it could not grow any more. */
static inline void out_touch_stack(void)
{
    volatile char room[512 << 10];

    for (size_t i = 0; i < sizeof room; i += 4096)
        room[i] = 0;
    (void)room[0];
}

/* n is the size in KiB: of the address space above what the process has, or of the thread's stack. */
static inline void out_limited(out_trial *t)
{
    const rlim_t size = (rlim_t)t->n << 10;
    struct rlimit limit = { size, size };
    pthread_attr_t attr;
    pthread_t thread;

    if (t->kind == OUT_SPACE) {
        out_touch_stack();
        setrlimit(RLIMIT_AS, &limit);
        out_run_work(t);
        return;
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, size);
    if (pthread_create(&thread, &attr, out_thread, t) == 0)
        pthread_join(thread, NULL);
}

static inline void out_child(out_trial *t, int to_parent)
{
    alarm(OUT_SECONDS);
    if (t->kind >= OUT_SPACE)
        out_limited(t);
    else
        out_run_work(t);
    _exit(write(to_parent, &t->report, sizeof t->report) != sizeof t->report);
}

/* 0 if the child did not end by itself. */
static inline int out_in_child(out_trial *t, int *state)
{
    int ends[2];
    ssize_t got;
    pid_t child;

    if (pipe(ends) != 0)
        return 0;
    fflush(stdout);
    child = fork();
    if (child == 0)
        out_child(t, ends[1]);
    close(ends[1]);
    got = read(ends[0], &t->report, sizeof t->report);
    close(ends[0]);
    waitpid(child, state, 0);
    return got == sizeof t->report && WIFEXITED(*state) && WEXITSTATUS(*state) == 0;
}

static inline int out_fits(const out_trial *t)
{
    const dyn_status s = t->report.status;

    if (s >= 0)
        return 1;
    if (s != DYN_ENOMEM && s != DYN_EIO)
        return 0;
    return t->report.message[0] != '\0' && t->kind != OUT_THREAD;
}

static inline void out_try(const char *what, out_trial *t)
{
    int state = 0;

    if (!out_in_child(t, &state))
        TEST_FAIL("%s, %lld%s: %s %d", what, (long long)t->n, t->lasting ? " and on" : "",
                  WIFSIGNALED(state) ? "signal" : "exit", WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
    else if (!out_fits(t))
        TEST_FAIL("%s, %lld%s: %s: %s", what, (long long)t->n, t->lasting ? " and on" : "",
                  dyn_status_name(t->report.status), t->report.message);
}

/* Address spaces from what the program itself needs to plenty; the stack that include/dyn/context.h asks for. */
static inline int64_t out_sizes(const char *what, out_trial *t)
{
    const int64_t first = t->kind == OUT_SPACE ? 40 << 10 : 512, last = t->kind == OUT_SPACE ? 4 << 20 : 512;

    for (t->n = first; t->n <= last; t->n += t->n / 8)
        out_try(what, t);
    return INT32_MAX;
}

static inline int64_t out_calls(const char *what, out_trial *t)
{
    const char *most = getenv("HOSTILE_TRIALS");
    const int64_t trials = most ? atoll(most) : 400;

    t->n = INT64_MAX;
    out_try(what, t);                   /* nothing fails: how many calls are there? */
    const int64_t calls = t->report.calls, every = calls / trials + 1;
    printf("# %s: %lld calls, every %lld. fails\n", what, (long long)calls, (long long)every);
    for (t->lasting = 0; t->lasting < 2; t->lasting++)
        for (t->n = 0; t->n < calls && test_bad_ < 10; t->n += every)
            out_try(what, t);
    return INT32_MAX;                   /* the caller's minimum is for its own allocator */
}

/* Stands for the loop over allocations of the library's own. */
static inline int64_t out_loop(const char *what, oom_work work, void *arg, int kind)
{
    out_trial t = { .work = work, .arg = arg, .kind = kind };

    if (kind < OUT_SPACE && !hostile_arm) {
        TEST_FAIL("%s: tests/hostile/interpose.c is not loaded", what);
        return INT32_MAX;
    }
    return kind >= OUT_SPACE ? out_sizes(what, &t) : out_calls(what, &t);
}

#endif
