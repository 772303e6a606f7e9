/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the context, of the base room and of the random draws fails in turn. */
#include <unistd.h>
#include "oom/oom.h"
#include "base/base.h"

static dyn_status nothing(dyn_ctx *ctx, void *arg)
{
    (void)arg;
    return ctx ? DYN_OK : DYN_EINTERNAL;
}

/* Strings and a growing array; what was in the array before a failure must still be there. */
static dyn_status strings_and_arrays(dyn_ctx *ctx, void *arg)
{
    char *name = dyn__strdup(ctx, "a name");
    int64_t *list = NULL, cap = 0;
    dyn_status s = name ? DYN_OK : DYN_ENOMEM;

    (void)arg;
    for (int64_t i = 0; i < 100 && s == DYN_OK; i++) {
        s = dyn__grow(ctx, (void **)&list, &cap, i + 1, sizeof *list);
        if (s == DYN_OK)
            list[i] = i;
        for (int64_t j = 0; j < i; j++)
            CHECK(list[j] == j);
    }
    dyn__free(ctx, list);
    dyn__free(ctx, name);
    return s;
}

static dyn_status replace_file(dyn_ctx *ctx, void *arg)
{
    return dyn__file_write(ctx, arg, "text", 4);
}

static void count(void *arg, int64_t task, int worker)
{
    (void)task;
    (void)worker;
    atomic_fetch_add((_Atomic int *)arg, 1);
}

/* Needs no memory beyond the context's. */
static dyn_status parallel_and_random(dyn_ctx *ctx, void *arg)
{
    _Atomic int done = 0;
    double x[10];

    (void)arg;
    dyn__parallel(ctx, 50, count, &done);
    CHECK(done == 50);
    return dyn_random_normal(ctx, 1, 2, 0, 10, x);
}

/* The harness itself must see a leak and an error that is hidden. A leaked block begins one header of 64 bytes
 * earlier. */
enum { RUNS = 8, HEADER = 64 };
static char *leaked[RUNS];

static dyn_status leaks(dyn_ctx *ctx, void *arg)
{
    int i = 0;

    (void)arg;
    while (leaked[i])
        i++;
    leaked[i] = dyn__alloc(ctx, 1, 1);
    return leaked[i] ? DYN_OK : DYN_ENOMEM;
}

static dyn_status hides(dyn_ctx *ctx, void *arg)
{
    (void)arg;
    dyn__free(ctx, dyn__alloc(ctx, 1, 1));
    return DYN_OK;
}

static int complaints(oom_work work)
{
    int before = test_bad_, found;

    test_bad_ = 10;     /* silent */
    for (int64_t pass = 0; pass < RUNS; pass++)
        oom_run("on purpose", work, NULL, pass, 0);
    found = test_bad_ - 10;
    test_bad_ = before;
    return found;
}

TEST(context) { CHECK(oom_try("context", nothing, NULL) >= 3); }
TEST(strings) { CHECK(oom_try("strings", strings_and_arrays, NULL) >= 5); }
TEST(parallel) { oom_try("parallel", parallel_and_random, NULL); }

TEST(file)
{
    char path[] = "/tmp/dyn-oom-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    oom_try("file", replace_file, path);
    close(fd);
    unlink(path);
}

TEST(harness_finds_faults)
{
    CHECK(complaints(nothing) == 0);
    CHECK(complaints(leaks) > 0);
    CHECK(complaints(hides) > 0);
    for (int i = 0; i < RUNS && leaked[i]; i++)
        free(leaked[i] - HEADER);
}

int main(void)
{
    RUN(context);
    RUN(strings);
    RUN(parallel);
    RUN(file);
    RUN(harness_finds_faults);
    return test_end();
}
