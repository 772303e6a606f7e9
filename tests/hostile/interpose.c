/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loaded before the C library (LD_PRELOAD), it makes the n-th call of one kind fail, and on request all later ones:
 * allocations, of whatever library in the process, and the system's calls by which files are written and threads
 * start. Nothing fails before hostile_arm. For glibc, whose own functions it calls by their second names. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { NOTHING, ALLOCATION, WRITE, SYNC, RENAME, THREAD, OPEN };

static _Atomic int armed;
static _Atomic int64_t calls;
static int64_t pass;
static int for_ever;

/* Let `first` calls of the kind pass, then fail one, or all. */
void hostile_arm(int kind, int64_t first, int lasting);
/* Stop failing; the number of calls of the kind since. */
int64_t hostile_disarm(void);

void hostile_arm(int kind, int64_t first, int lasting)
{
    pass = first;
    for_ever = lasting;
    atomic_store(&calls, 0);
    atomic_store(&armed, kind);
}

int64_t hostile_disarm(void)
{
    atomic_store(&armed, NOTHING);
    return atomic_load(&calls);
}

static int fails(int kind, int error)
{
    int64_t call;

    if (atomic_load_explicit(&armed, memory_order_relaxed) != kind)
        return 0;
    call = atomic_fetch_add(&calls, 1);
    if (call < pass || (call > pass && !for_ever))
        return 0;
    errno = error;
    return 1;
}

/* ---- memory ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size) { return fails(ALLOCATION, ENOMEM) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(ALLOCATION, ENOMEM) ? NULL : __libc_calloc(count, size); }
void *realloc(void *p, size_t size) { return fails(ALLOCATION, ENOMEM) ? NULL : __libc_realloc(p, size); }
void *memalign(size_t align, size_t size) { return fails(ALLOCATION, ENOMEM) ? NULL : __libc_memalign(align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void **out, size_t align, size_t size)
{
    void *p = memalign(align, size);

    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* ---- files and threads ---- */

ssize_t write(int fd, const void *data, size_t size)
{
    return fails(WRITE, ENOSPC) ? -1 : syscall(SYS_write, fd, data, size);
}

int fsync(int fd) { return fails(SYNC, EIO) ? -1 : (int)syscall(SYS_fsync, fd); }

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return fails(RENAME, EACCES) ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int open64(const char *path, int flags, ...);
int open64(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(OPEN, EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    void *p = dlsym(RTLD_NEXT, "pthread_create");

    memcpy(&real, &p, sizeof real);
    return fails(THREAD, EAGAIN) ? EAGAIN : real(thread, attr, fn, arg);
}
