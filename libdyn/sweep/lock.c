/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The right to train the sweep of a store, which one process has at a time, in C or Python: a lock on a file beside the
 * store. It ends with the process, whatever ends that. */
#include "sweep/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".lock"

static dyn_status taken(dyn_sweep *w, int file)
{
    char owner[24] = "unknown";
    const ssize_t got = read(file, owner, sizeof owner - 1);

    if (got > 0)
        owner[got] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
    return DYN__FAIL(w->ctx, DYN_ESTATE, "%s is being trained by process %s", w->path, owner);
}

static void say_who(int file)
{
    char text[24];
    const int length = snprintf(text, sizeof text, "%lld\n", (long long)getpid());

    if (ftruncate(file, 0) == 0 && write(file, text, (size_t)length) < 0)
        return;     /* it only helps a message */
}

/* *kept = 0: the file was taken away by who had it while we waited, and its lock is nobody's. */
static dyn_status lock(dyn_sweep *w, const char *path, int *kept)
{
    struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat facts;
    dyn_status s = DYN_OK;

    if (file < 0)
        return dyn__fail_system(w->ctx, "open", path);
    if (fcntl(file, F_SETLK, &all) != 0)
        s = errno == EACCES || errno == EAGAIN ? taken(w, file) : dyn__fail_system(w->ctx, "lock", path);
    *kept = s == DYN_OK && fstat(file, &facts) == 0 && facts.st_nlink > 0;
    if (*kept) {
        say_who(file);
        w->lock_file = file;
    } else {
        close(file);
    }
    return s;
}

/* The path of the lock; to be freed. */
static char *path_of(dyn_sweep *w)
{
    const size_t size = strlen(w->path) + sizeof SUFFIX;
    char *path = dyn__alloc(w->ctx, size, 1);

    if (path)
        snprintf(path, size, "%s" SUFFIX, w->path);
    return path;
}

dyn_status dyn__store_lock(dyn_sweep *w)
{
    int kept = 0;
    dyn_status s = DYN_OK;

    if (!w->path || w->lock_path)
        return DYN_OK;
    w->lock_path = path_of(w);
    if (!w->lock_path)
        return DYN_ENOMEM;
    while (s == DYN_OK && !kept)
        s = lock(w, w->lock_path, &kept);
    if (s != DYN_OK) {
        dyn__free(w->ctx, w->lock_path);
        w->lock_path = NULL;
    }
    return s;
}

void dyn__store_unlock(dyn_sweep *w)
{
    if (!w->lock_path)
        return;
    unlink(w->lock_path);
    close(w->lock_file);
    dyn__free(w->ctx, w->lock_path);
    w->lock_path = NULL;
}
