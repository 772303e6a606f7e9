/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replace a file whole or not at all: write a new one in its folder, sync, rename, sync the folder. A reader sees the
 * old bytes or the new ones, also after a crash. The new file has the access rights of the old one and no name until it
 * is whole, where the file system can do that, so that a process that is killed leaves nothing behind. A link is
 * followed first. What is no regular file (a device, a pipe) cannot be replaced and is written into. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_LINKS = 40, NAME_SIZE = 48 };

struct dyn__file {
    dyn_ctx *ctx;
    const char *path;           /* as the caller gave it */
    char target[PATH_MAX];      /* where its links lead */
    const char *name;           /* last part of that */
    char beside[NAME_SIZE];     /* name of the new file while it is not in place; "" before it has one */
    int folder, fd;
    int replaces;               /* 0 for what is written into */
};

static dyn_status io_error(dyn__file *f, const char *action)
{
    return dyn__fail_system(f->ctx, action, f->path);
}

/* A signal ends the waiting for the reader of a pipe: the caller may have asked to stop. */
dyn_status dyn__file_put(dyn__file *f, const void *data, size_t size)
{
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(f->fd, p, size);

        if (n < 0 && errno == EINTR && f->replaces)
            continue;
        if (n < 0)
            return io_error(f, "write");
        if (n == 0)
            return DYN__FAIL(f->ctx, DYN_EIO, "cannot write \"%s\": the system takes no more bytes", f->path);
        p += n;
        size -= (size_t)n;
    }
    return DYN_OK;
}

/* ---- where to write ---- */

/* Replace the last part of the target by what the link there says. */
static dyn_status follow(dyn__file *f, const char *link)
{
    char *slash = strrchr(f->target, '/');
    size_t folder = *link == '/' || !slash ? 0 : (size_t)(slash + 1 - f->target), n = strlen(link);

    errno = ENAMETOOLONG;
    if (folder + n >= sizeof f->target)
        return io_error(f, "follow the link");
    memcpy(f->target + folder, link, n + 1);
    return DYN_OK;
}

/* Follow the links at the end of the path, also to a file that is not there yet. */
static dyn_status resolve(dyn__file *f)
{
    char link[PATH_MAX];
    ssize_t n;

    f->target[0] = '\0';
    DYN__TRY(follow(f, f->path));
    for (int links = 0; (n = readlink(f->target, link, sizeof link - 1)) >= 0; links++) {
        link[n] = '\0';
        errno = ELOOP;
        if (links == MOST_LINKS)
            return io_error(f, "follow the link");
        DYN__TRY(follow(f, link));
    }
    return DYN_OK;
}

/* The folder stays open: what is made, renamed and synced is in the same one, wherever it may be moved meanwhile. */
static dyn_status open_folder(dyn__file *f)
{
    char *slash = strrchr(f->target, '/');

    f->name = slash ? slash + 1 : f->target;
    if (slash)
        *slash = '\0';
    f->folder = open(!slash ? "." : slash == f->target ? "/" : f->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->folder < 0)
        return io_error(f, "open the folder of");
    errno = *f->path ? EISDIR : ENOENT;
    return *f->name ? DYN_OK : io_error(f, "write");
}

/* ---- the new file ---- */

/* Call make(f) for one name after the other until it finds one that nobody has. */
static int make_named(dyn__file *f, int (*make)(dyn__file *f))
{
    for (unsigned i = 0;; i++) {
        snprintf(f->beside, sizeof f->beside, ".dyn-%ld-%u.tmp", (long)getpid(), i);
        if (make(f) == 0)
            return 0;
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    f->beside[0] = '\0';
    return -1;
}

static int create(dyn__file *f)
{
    f->fd = openat(f->folder, f->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return f->fd < 0 ? -1 : 0;
}

static int give_name(dyn__file *f)
{
    char open_file[NAME_SIZE];

    snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", f->fd);
    return linkat(AT_FDCWD, open_file, f->folder, f->beside, AT_SYMLINK_FOLLOW);
}

static dyn_status open_new(dyn__file *f)
{
    struct stat old;

    if (access("/proc/self/fd", X_OK) == 0)     /* which is how a name is given later */
        f->fd = openat(f->folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    if (f->fd < 0 && make_named(f, create) != 0)
        return io_error(f, "create a file beside");
    if (fstatat(f->folder, f->name, &old, 0) == 0 && fchmod(f->fd, old.st_mode & 0777) != 0)
        return io_error(f, "keep the access rights of");
    return DYN_OK;
}

static dyn_status put_in_place(dyn__file *f)
{
    int closed;

    if (fsync(f->fd) != 0)
        return io_error(f, "sync");
    if (!f->beside[0] && make_named(f, give_name) != 0)
        return io_error(f, "name the new file of");
    closed = close(f->fd);
    f->fd = -1;
    if (closed != 0)
        return io_error(f, "close");
    if (renameat(f->folder, f->beside, f->folder, f->name) != 0)
        return io_error(f, "replace");
    f->beside[0] = '\0';
    return DYN_OK;
}

/* A rename is lasting once its folder is synced. Some file systems cannot sync folders and say EINVAL. */
static void sync_folder(dyn__file *f)
{
    char room[128];

    if (fsync(f->folder) != 0 && errno != EINVAL)
        dyn__log(f->ctx, DYN_LOG_WARNING, "\"%s\" is replaced, but its folder cannot be synced (%s): after a power "
                 "failure the old file may be back", f->path, dyn__system_text(errno, room, sizeof room));
}

static dyn_status replace(dyn__file *f, dyn__file_writer writer, void *arg)
{
    dyn_status s;

    DYN__TRY(resolve(f));
    DYN__TRY(open_folder(f));
    DYN__TRY(open_new(f));
    s = writer(arg, f);
    if (s == DYN_OK)
        s = put_in_place(f);
    if (s == DYN_OK) {
        dyn__log(f->ctx, DYN_LOG_DEBUG, "\"%s\" is written", f->path);
        sync_folder(f);
    }
    return s;
}

static void close_all(dyn__file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->beside[0])
        unlinkat(f->folder, f->beside, 0);
    if (f->folder >= 0)
        close(f->folder);
}

/* ---- devices and pipes ---- */

/* Without waiting for a reader who may never come; writing then waits. */
static dyn_status open_there(dyn__file *f)
{
    f->fd = open(f->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (f->fd < 0 && errno == ENXIO)
        return DYN__FAIL(f->ctx, DYN_EIO, "cannot write \"%s\": nobody reads from it", f->path);
    if (f->fd < 0 || fcntl(f->fd, F_SETFL, 0) != 0)
        return io_error(f, "write");
    return DYN_OK;
}

/* The signal that the system sends when the reader of a pipe has gone would end the program: it is held off, and taken
 * away if it came from here. */
static dyn_status write_into(dyn__file *f, dyn__file_writer writer, void *arg)
{
    const struct timespec now = { 0, 0 };
    sigset_t broken, before, pending;
    dyn_status s;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    sigpending(&pending);
    s = open_there(f);
    if (s == DYN_OK)
        s = writer(arg, f);
    if (!sigismember(&pending, SIGPIPE))
        sigtimedwait(&broken, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s;
}

dyn_status dyn__file_replace(dyn_ctx *ctx, const char *path, dyn__file_writer writer, void *arg)
{
    dyn__file *f = dyn__alloc(ctx, 1, sizeof *f);
    struct stat there;
    dyn_status s;

    if (!f)
        return DYN_ENOMEM;
    f->ctx = ctx;
    f->path = path;
    f->folder = f->fd = -1;
    f->replaces = stat(path, &there) != 0 || S_ISREG(there.st_mode);
    s = f->replaces ? replace(f, writer, arg) : write_into(f, writer, arg);
    close_all(f);
    dyn__free(ctx, f);
    return s;
}

typedef struct block {
    const void *data;
    size_t size;
} block;

static dyn_status put_block(void *arg, dyn__file *f)
{
    const block *b = arg;

    return dyn__file_put(f, b->data, b->size);
}

dyn_status dyn__file_write(dyn_ctx *ctx, const char *path, const void *data, size_t size)
{
    block b = { data, size };

    return dyn__file_replace(ctx, path, put_block, &b);
}
