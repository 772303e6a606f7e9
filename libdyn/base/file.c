/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replace a file whole or not at all: write a new one beside it, sync, rename, sync the folder. A reader sees the old
 * bytes or the new ones, also after a crash. The new file has the access rights of the old one. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dyn__file {
    dyn_ctx *ctx;
    const char *path;
    char *beside;       /* path of the new file */
    int fd;
};

static dyn_status io_error(dyn__file *f, const char *action)
{
    return DYN__FAIL(f->ctx, DYN_EIO, "cannot %s \"%s\": %s", action, f->path, strerrordesc_np(errno));
}

dyn_status dyn__file_put(dyn__file *f, const void *data, size_t size)
{
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(f->fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(f, "write");
        p += n;
        size -= (size_t)n;
    }
    return DYN_OK;
}

/* Create the file beside, under a name that nobody has. */
static dyn_status open_beside(dyn__file *f)
{
    size_t size = strlen(f->path) + 32;
    struct stat old;

    f->beside = dyn__alloc(f->ctx, size, 1);
    if (!f->beside)
        return DYN_ENOMEM;
    f->fd = -1;
    for (unsigned i = 0; f->fd < 0; i++) {
        snprintf(f->beside, size, "%s.%ld-%u.tmp", f->path, (long)getpid(), i);
        f->fd = open(f->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd < 0 && errno != EEXIST && errno != EINTR)
            return io_error(f, "create a file beside");
    }
    if (stat(f->path, &old) == 0 && fchmod(f->fd, old.st_mode & 0777) != 0)
        return io_error(f, "keep the access rights of");
    return DYN_OK;
}

/* A rename is lasting once its folder is synced. Some file systems cannot sync folders and say EINVAL. */
static dyn_status sync_folder(dyn__file *f)
{
    char *slash = strrchr(f->beside, '/');
    const char *folder = !slash ? "." : slash == f->beside ? "/" : f->beside;
    int fd, bad;

    if (slash)
        *slash = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_error(f, "open the folder of");
    bad = fsync(fd) != 0 && errno != EINVAL;
    if (bad)
        io_error(f, "sync the folder of");
    close(fd);
    return bad ? DYN_EIO : DYN_OK;
}

static dyn_status put_in_place(dyn__file *f)
{
    int closed;

    if (fsync(f->fd) != 0)
        return io_error(f, "sync");
    closed = close(f->fd);
    f->fd = -1;
    if (closed != 0)
        return io_error(f, "close");
    if (rename(f->beside, f->path) != 0)
        return io_error(f, "replace");
    return DYN_OK;
}

dyn_status dyn__file_replace(dyn_ctx *ctx, const char *path, dyn__file_writer writer, void *arg)
{
    dyn__file f = { .ctx = ctx, .path = path, .fd = -1 };
    dyn_status s = open_beside(&f);
    int created = f.fd >= 0;

    if (s == DYN_OK)
        s = writer(arg, &f);
    if (s == DYN_OK)
        s = put_in_place(&f);
    if (s == DYN_OK) {
        s = sync_folder(&f);
    } else if (created) {
        if (f.fd >= 0)
            close(f.fd);
        unlink(f.beside);
    }
    dyn__free(ctx, f.beside);
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
