/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Misuse of every public function: once with NULL, 0 and NaN for all arguments, once with a live object and the same
 * for the others. None may crash; without an object the status is an error; an error with one has a message that begins
 * with the function's name. The table is generated from the headers: a handle type that `live` lacks stops the build,
 * an object that this build cannot make is passed over. Each call has a process of its own, so that a crash is told by
 * name. */
#include <sys/wait.h>
#include <unistd.h>
#include "test.h"
#include "objects.h"

enum { NO_STATUS = 1000, CHILD_GOOD = 0, CHILD_BAD = 1 };
struct entry { const char *name; dyn_status (*null_call)(void); dyn_status (*live_call)(void); };

static struct objects live;

#include "calls_table.inc"

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static const struct entry *now;

/* 1 if the result of a call without an object is right. */
static int null_right(void)
{
    dyn_status s = now->null_call();

    if (s < 0 || s == NO_STATUS)
        return 1;
    printf("# %s: status %d for NULL\n", now->name, (int)s);
    return 0;
}

static int live_right(void)
{
    dyn_status s = now->live_call();
    const char *message = dyn_ctx_message(live.ctx);

    if (s >= 0 || (strncmp(message, now->name, strlen(now->name)) == 0 && message[strlen(now->name)] == ':'))
        return 1;
    printf("# %s: status %d with the message \"%s\"\n", now->name, (int)s, message);
    return 0;
}

static void in_child(int (*right)(void))
{
    int state = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        int good = right();

        fflush(stdout);
        _exit(good ? CHILD_GOOD : CHILD_BAD);
    }
    waitpid(child, &state, 0);
    if (!WIFEXITED(state))
        TEST_FAIL("%s: signal %d", now->name, WTERMSIG(state));
    else if (WEXITSTATUS(state) != CHILD_GOOD)
        TEST_FAIL("%s", now->name);
}

TEST(calls_without_an_object)
{
    for (now = entries; now < entries + ENTRIES; now++)
        in_child(null_right);
}

TEST(calls_with_nothing_but_an_object)
{
    for (now = entries; now < entries + ENTRIES; now++) {
        if (now->live_call)
            in_child(live_right);
    }
}

int main(void)
{
    objects_make(&live);
    RUN(calls_without_an_object);
    RUN(calls_with_nothing_but_an_object);
    objects_free(&live);
    return test_end();
}
