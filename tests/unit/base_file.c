/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replacing files: contents, access rights, and faults, after each of which the old file must be whole and nothing else
 * lie in its folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/base.h"
#include "test.h"

static char folder[] = "/tmp/dyn-file-XXXXXX", path[64];
static dyn_ctx *ctx;

/* Faults: these stand in for the C library's functions in this program. */
static enum { NO_FAULT, SHORT_WRITES, NO_SPACE, NO_SYNC, NO_RENAME } fault;
static int calls;

ssize_t write(int fd, const void *data, size_t size)
{
    calls++;
    if (fault == SHORT_WRITES && calls % 2) {
        errno = EINTR;
        return -1;
    }
    if (fault == NO_SPACE && calls > 1) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, data, fault && size > 3 ? 3 : size);
}

int fsync(int fd)
{
    errno = EIO;
    return fault == NO_SYNC ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    errno = EACCES;
    return fault == NO_RENAME ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int entries(void)
{
    DIR *d = opendir(folder);
    int n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n - 2;
}

static int holds(const char *text)
{
    char got[256] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(text) && !strcmp(got, text);
}

TEST(write_and_replace)
{
    struct stat st;

    CHECK_OK(ctx, dyn__file_write(ctx, path, "first", 5));
    CHECK(holds("first") && entries() == 1);
    CHECK(chmod(path, 0640) == 0);
    CHECK_OK(ctx, dyn__file_write(ctx, path, "second one", 10));
    CHECK(holds("second one") && entries() == 1);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
    CHECK_OK(ctx, dyn__file_write(ctx, path, NULL, 0));
    CHECK(holds(""));
}

TEST(relative_path)
{
    char *old = getcwd(NULL, 0);

    CHECK(chdir(folder) == 0);
    CHECK_OK(ctx, dyn__file_write(ctx, strrchr(path, '/') + 1, "here", 4));
    CHECK(holds("here"));
    CHECK(chdir(old) == 0);
    free(old);
}

static dyn_status two_pieces(void *arg, dyn__file *f)
{
    DYN__TRY(dyn__file_put(f, "one ", 4));
    DYN__TRY(dyn__file_put(f, arg, strlen(arg)));
    return DYN_OK;
}

static dyn_status gives_up(void *arg, dyn__file *f)
{
    DYN__TRY(dyn__file_put(f, "half", 4));
    return *(dyn_status *)arg;
}

TEST(writers)
{
    dyn_status status = DYN_EUSER;

    CHECK_OK(ctx, dyn__file_replace(ctx, path, two_pieces, "two"));
    CHECK(holds("one two"));
    CHECK(dyn__file_replace(ctx, path, gives_up, &status) == DYN_EUSER);
    CHECK(holds("one two") && entries() == 1);
    status = DYN_STOPPED;
    CHECK(dyn__file_replace(ctx, path, gives_up, &status) == DYN_STOPPED);
    CHECK(holds("one two") && entries() == 1);
}

TEST(short_and_interrupted_writes)
{
    fault = SHORT_WRITES;
    calls = 0;
    CHECK_OK(ctx, dyn__file_write(ctx, path, "twenty bytes of text", 20));
    fault = NO_FAULT;
    CHECK(calls == 14 && holds("twenty bytes of text") && entries() == 1);
}

TEST(failing_calls)
{
    static const char *const message[] = { [NO_SPACE] = "cannot write \"/", [NO_SYNC] = "cannot sync \"/",
                                           [NO_RENAME] = "cannot replace \"/" };

    CHECK_OK(ctx, dyn__file_write(ctx, path, "old", 3));
    for (int f = NO_SPACE; f <= NO_RENAME; f++) {
        fault = f;
        calls = 0;
        CHECK(dyn__file_write(ctx, path, "something new", 13) == DYN_EIO);
        fault = NO_FAULT;
        CHECK_STR(dyn_ctx_message(ctx), message[f]);
        CHECK(holds("old") && entries() == 1);
    }
}

/* A limit on the size of files makes write(2) write short, then fail. */
TEST(disk_full)
{
    static char big[100000];
    struct rlimit old, limit;

    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    limit = old;
    limit.rlim_cur = 70000;
    CHECK_OK(ctx, dyn__file_write(ctx, path, "old", 3));
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(dyn__file_write(ctx, path, big, sizeof big) == DYN_EIO);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK_STR(dyn_ctx_message(ctx), "cannot write");
    CHECK_STR(dyn_ctx_message(ctx), path);
    CHECK(holds("old") && entries() == 1);
}

TEST(bad_places)
{
    char inside[96];

    CHECK_OK(ctx, dyn__file_write(ctx, path, "old", 3));
    snprintf(inside, sizeof inside, "%s/file", path);
    CHECK(dyn__file_write(ctx, inside, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "Not a directory");
    snprintf(inside, sizeof inside, "%s/none/file", folder);
    CHECK(dyn__file_write(ctx, inside, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "No such file or directory");
    CHECK(dyn__file_write(ctx, "", "x", 1) == DYN_EIO);
    snprintf(inside, sizeof inside, "%s/sub", folder);
    CHECK(mkdir(inside, 0777) == 0);
    CHECK(dyn__file_write(ctx, inside, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "cannot replace");
    rmdir(inside);
    CHECK(holds("old") && entries() == 1);
}

int main(void)
{
    if (!mkdtemp(folder) || dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    snprintf(path, sizeof path, "%s/data", folder);
    RUN(write_and_replace);
    RUN(relative_path);
    RUN(writers);
    RUN(short_and_interrupted_writes);
    RUN(failing_calls);
    RUN(disk_full);
    RUN(bad_places);
    unlink(path);
    rmdir(folder);
    dyn_ctx_free(ctx);
    return test_end();
}
