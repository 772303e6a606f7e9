/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replacing files: contents, access rights, links, devices and pipes, and faults, after each of which the old file must
 * be whole and nothing else lie in its folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/base.h"
#include "test.h"

static char folder[] = "/tmp/dyn-file-XXXXXX", path[64];
static dyn_ctx *ctx;

/* Faults: these stand in for the C library's functions in this program. */
static enum { NO_FAULT, SHORT_WRITES, NO_SPACE, TAKES_NOTHING, NO_SYNC, NO_RENAME, NO_FOLDER_SYNC } fault;
static int calls, syncs, warnings;

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
    if (fault == TAKES_NOTHING && calls > 1)
        return 0;
    return syscall(SYS_write, fd, data, fault && size > 3 ? 3 : size);
}

int fsync(int fd)
{
    syncs++;
    errno = EIO;
    return fault == NO_SYNC || (fault == NO_FOLDER_SYNC && syncs == 2) ? -1 : (int)syscall(SYS_fsync, fd);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    errno = EACCES;
    return fault == NO_RENAME ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

static void count_warnings(void *user, int32_t level, const char *text)
{
    (void)user, (void)text;
    warnings += level == DYN_LOG_WARNING;
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
    static const char *const message[] = { [NO_SPACE] = "cannot write \"/", [TAKES_NOTHING] = "takes no more bytes",
                                           [NO_SYNC] = "cannot sync \"/",
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

/* After the rename there is no way back: the call has done what it was asked to. */
TEST(folder_not_synced)
{
    warnings = syncs = calls = 0;
    fault = NO_FOLDER_SYNC;
    CHECK_OK(ctx, dyn__file_write(ctx, path, "in place", 8));
    fault = NO_FAULT;
    CHECK(holds("in place") && entries() == 1 && warnings == 1);
}

static dyn_status is_killed(void *arg, dyn__file *f)
{
    DYN__TRY(dyn__file_put(f, arg, 4));
    raise(SIGKILL);
    return DYN_OK;
}

TEST(killed)
{
    int status = 0;
    pid_t child;

    CHECK_OK(ctx, dyn__file_write(ctx, path, "old", 3));
    child = fork();
    if (child == 0)
        _exit(dyn__file_replace(ctx, path, is_killed, "half") == DYN_OK);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(holds("old") && entries() == 1);
}

/* The longest name that a folder takes. */
TEST(long_name)
{
    char name[400];

    snprintf(name, sizeof name, "%s/%0255d", folder, 1);
    CHECK_OK(ctx, dyn__file_write(ctx, name, "x", 1));
    CHECK(entries() == 2 && unlink(name) == 0);
}

static int is_link(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0 && S_ISLNK(st.st_mode);
}

TEST(links)
{
    char link[64], second[64];

    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    CHECK_OK(ctx, dyn__file_write(ctx, path, "old", 3));
    CHECK(symlink("data", link) == 0 && symlink(link, second) == 0);
    CHECK_OK(ctx, dyn__file_write(ctx, second, "through two", 11));
    CHECK(holds("through two") && is_link(link) && is_link(second) && entries() == 3);
    CHECK(unlink(path) == 0);
    CHECK_OK(ctx, dyn__file_write(ctx, link, "made", 4));
    CHECK(holds("made") && is_link(link) && entries() == 3);
    CHECK(unlink(link) == 0 && symlink("second", link) == 0);
    CHECK(dyn__file_write(ctx, link, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "symbolic links");
    CHECK(unlink(link) == 0 && unlink(second) == 0 && holds("made"));
}

TEST(devices)
{
    struct stat before, after;

    CHECK(stat("/dev/null", &before) == 0 && S_ISCHR(before.st_mode));
    CHECK_OK(ctx, dyn__file_write(ctx, "/dev/null", "nowhere", 7));
    CHECK(stat("/dev/null", &after) == 0 && S_ISCHR(after.st_mode) && before.st_ino == after.st_ino);
    CHECK(dyn__file_write(ctx, "/dev/full", "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "No space left");
}

TEST(pipes)
{
    static char more_than_a_pipe_holds[1 << 17];
    char pipe[64], got[8] = "";
    int reader, status = 0;
    pid_t child;

    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    CHECK(mkfifo(pipe, 0600) == 0);
    CHECK(dyn__file_write(ctx, pipe, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "nobody reads");
    reader = open(pipe, O_RDONLY | O_NONBLOCK);
    CHECK_OK(ctx, dyn__file_write(ctx, pipe, "hello", 5));
    CHECK(read(reader, got, sizeof got) == 5 && !strcmp(got, "hello"));
    child = fork();
    if (child == 0) {       /* a reader that goes: no signal may end the writer */
        int own = open(pipe, O_RDONLY);
        close(reader);
        _exit(own < 0 || read(own, got, 1) != 1);
    }
    close(reader);
    usleep(100000);
    CHECK(dyn__file_write(ctx, pipe, more_than_a_pipe_holds, sizeof more_than_a_pipe_holds) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "Broken pipe");
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(unlink(pipe) == 0 && entries() == 1);
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
    CHECK_STR(dyn_ctx_message(ctx), "Is a directory");
    strcat(inside, "/");
    CHECK(dyn__file_write(ctx, inside, "x", 1) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(ctx), "Is a directory");
    rmdir(inside);
    CHECK(holds("old") && entries() == 1);
}

int main(void)
{
    dyn_ctx_options options = DYN_CTX_OPTIONS_INIT;

    options.log = count_warnings;
    if (!mkdtemp(folder) || dyn_ctx_create(&options, &ctx) != DYN_OK)
        return 1;
    snprintf(path, sizeof path, "%s/data", folder);
    RUN(write_and_replace);
    RUN(relative_path);
    RUN(writers);
    RUN(short_and_interrupted_writes);
    RUN(failing_calls);
    RUN(folder_not_synced);
    RUN(killed);
    RUN(long_name);
    RUN(links);
    RUN(devices);
    RUN(pipes);
    RUN(disk_full);
    RUN(bad_places);
    unlink(path);
    rmdir(folder);
    dyn_ctx_free(ctx);
    return test_end();
}
