/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dyn-bench: libdyn's side of the benchmark. It reads requests from standard input, one a line,
 *     prepare VERB key=value ...     make the problem, do the work once, show results to be compared
 *     measure SECONDS UNITS          repeat UNITS units of it for so long; show the least time of a unit
 *     quit
 * and answers with lines "name value unit", ended by a line ".". The programs of the peers do the same. Options:
 * dyn-bench [ISA [THREADS]], as in dyn_ctx_options. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const verb *const verbs[] = { &verb_train, &verb_replicas, &verb_gradient, &verb_product, &verb_eigen,
                                     &verb_dense, &verb_singular, &verb_call, &verb_attention };

typedef struct session {
    dyn_ctx *ctx;
    problem problem;
    const verb *verb;
    void *work;
} session;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Largest resident memory of the process so far. */
static void show_peak(void)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lf", &kib) == 1)
            show("peak", kib / 1024, "MiB");
    if (f)
        fclose(f);
}

static void forget(session *b)
{
    if (!b->verb)
        return;
    b->verb->free(b->work);
    problem_free(&b->problem);
    b->verb = NULL;
}

static void prepare(session *b, const char *request)
{
    char name[32] = "";
    int length = 0;
    spec s;

    forget(b);
    sscanf(request, "%31s%n", name, &length);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(verbs[i]->name, name))
            b->verb = verbs[i];
    if (!b->verb) {
        printf("error: no verb \"%s\"\n", name);
        exit(1);
    }
    spec_parse(&s, request + length);
    problem_create(&b->problem, b->ctx, &s);
    b->work = b->verb->prepare(&b->problem, &s);
    show_peak();
}

static void measure(session *b, const char *request)
{
    double seconds = 0, start = now(), best = 1e300;
    long long units = 1;
    int repeats = 0;

    sscanf(request, "%lf %lld", &seconds, &units);
    do {
        double t = now();

        b->verb->run(b->work, units);
        t = (now() - t) / (double)units;
        best = t < best ? t : best;
        repeats++;
    } while (now() - start < seconds);
    show("time", best, "s");
    show("repeats", repeats, "-");
    show_peak();
}

static void serve(session *b)
{
    char line[2048];

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "prepare ", 8))
            prepare(b, line + 8);
        else if (!strncmp(line, "measure ", 8) && b->verb)
            measure(b, line + 8);
        else
            break;
        printf(".\n");
        fflush(stdout);
    }
    forget(b);
}

int main(int argc, char **argv)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    session b = { 0 };

    opt.isa = argc > 1 ? atoi(argv[1]) : 0;
    opt.threads = argc > 2 ? atoi(argv[2]) : 0;
    if (dyn_ctx_create(&opt, &b.ctx)) {
        printf("error: no context with instruction set %d\n", opt.isa);
        return 77;
    }
    serve(&b);
    dyn_ctx_free(b.ctx);
    return 0;
}
