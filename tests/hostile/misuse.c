/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Misuse of every public function with live objects: NULL, zeros and NaN behind pointers, zero, one, negative and huge
 * numbers, infinities, long and empty text, an object of another context. None may crash, hang or end the program; an
 * error has a message. The table is generated from the headers. A trial has a process of its own. Sizes are huge only
 * where pointers are NULL: a size that lies about the caller's memory cannot be noticed. */
#include <limits.h>
#include <math.h>
#include <sys/wait.h>
#include "test.h"
#include "abi/objects.h"

enum { NO_STATUS = 1000, SECONDS = 20, ARGUMENT = 1 << 13, NUMBERS = 16 * ARGUMENT };

struct values { int64_t integer; double number; void *pointer, **handles; const char *text; int foreign; };
struct entry { const char *name; int32_t (*call)(void); int object, second; };

static struct objects live, other;
static struct values v;

/* Memory for one argument: they do not overlap. */
static void *memory(int place)
{
    return v.pointer ? (double *)v.pointer + place * ARGUMENT : NULL;
}

#include "misuse_table.inc"

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static double zeros[NUMBERS], nans[NUMBERS], ones[NUMBERS];
static void *no_handles[NUMBERS];
static char long_text[5000];

/* 1 if the answer is right: an error says what is wrong. Negative nodes pass through as they are. */
static int right(const struct entry *e)
{
    const int32_t s = e->call();

    if (s >= 0 || s == (int32_t)v.integer || dyn_ctx_message(live.ctx)[0] || dyn_ctx_message(other.ctx)[0] || e->object < 0)
        return v.foreign < 0 || s < 0 || s == NO_STATUS;
    printf("# %s: status %d without a message\n", e->name, (int)s);
    return 0;
}

static void describe(char *text, size_t size)
{
    snprintf(text, size, "integers %lld, numbers %g, pointers %s, text %.8s, foreign object %d", (long long)v.integer,
             v.number, v.pointer == zeros ? "to 0" : v.pointer == nans ? "to NaN" : v.pointer ? "to 1" : "NULL",
             v.text ? v.text : "NULL", v.foreign);
}

static void attempt(const struct entry *e)
{
    char how[160];
    int state = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(SECONDS);
        const int good = right(e);
        fflush(stdout);
        _exit(!good);
    }
    waitpid(child, &state, 0);
    describe(how, sizeof how);
    if (WIFSIGNALED(state))
        printf("# %s: signal %d with %s\n", e->name, WTERMSIG(state), how);
    else if (WEXITSTATUS(state))
        printf("# %s: wrong with %s\n", e->name, how);
    test_bad_ += state != 0;
}

/* Training for ever is what such a number of steps asks for. */
static int works_for_ever(const struct entry *e)
{
    return v.integer > 1000 && strstr(e->name, "_train") != NULL;
}

static void attempt_all(int64_t integer, double number, void *pointer, const char *text)
{
    v = (struct values){ integer, number, pointer, pointer ? no_handles : NULL, text, -1 };
    for (const struct entry *e = entries; e < entries + ENTRIES; e++)
        if (!works_for_ever(e))
            attempt(e);
}

TEST(numbers_that_mean_nothing)
{
    static const int64_t integers[] = { 0, -1, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, INT64_C(1) << 40 };

    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        attempt_all(integers[i], (double)NAN, NULL, "x");
    attempt_all(1, (double)INFINITY, NULL, NULL);
}

TEST(memory_that_holds_nonsense)
{
    void *const contents[] = { zeros, ones, nans };

    for (int i = 0; i < 3; i++)
        for (int64_t integer = -1; integer < 3; integer++)
            attempt_all(integer, integer ? -1.0 : 0.5, contents[i], integer ? "x" : long_text);
    attempt_all(1, 1e300, ones, "");
}

/* Where two objects meet, the second is of another context. */
TEST(objects_of_another_context)
{
    v = (struct values){ 1, 1.0, ones, no_handles, "x", -1 };
    for (const struct entry *e = entries; e < entries + ENTRIES; e++)
        if (e->second >= 0) {
            v.foreign = e->second;
            attempt(e);
        }
}

int main(void)
{
    char folder[] = "/tmp/dyn-misuse-XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) != 0)     /* some of the calls write files */
        return 1;
    for (int i = 0; i < NUMBERS; i++) {
        nans[i] = (double)NAN;
        ones[i] = 1;
    }
    memset(long_text, 'y', sizeof long_text - 1);
    objects_make(&live);
    objects_make(&other);
    RUN(numbers_that_mean_nothing);
    RUN(memory_that_holds_nonsense);
    RUN(objects_of_another_context);
    objects_free(&other);
    objects_free(&live);
    unlink("x");
    if (chdir("/") == 0)
        rmdir(folder);
    return test_end();
}
