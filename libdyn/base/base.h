/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every room stands on: context, messages, memory, threads, option structs, reference counts. */
#ifndef DYN__BASE_H
#define DYN__BASE_H

#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>
#include <dyn/context.h>
#include "base/environment.h"

struct dyn__kernels;

/* Messages. A public function begins with DYN__ENTER(ctx); its name then heads every message until it returns, also
 * when it calls other public functions, and the floating-point environment is the default one. A function that may drop the last reference to ctx does not enter.
 * DYN__FAIL(ctx, code, "format", ...) stores the message, passes it to the log and evaluates to the code; with ctx
 * NULL it only does the last. */
typedef struct dyn__scope { dyn_ctx *ctx; dyn__environment host; } dyn__scope;
dyn__scope dyn__enter(dyn_ctx *ctx, const char *function);
void dyn__leave(dyn__scope *s);
#define DYN__ENTER(ctx) \
    __attribute__((cleanup(dyn__leave), unused)) dyn__scope dyn__scope_ = dyn__enter((ctx), __func__)
dyn_status dyn__fail(dyn_ctx *ctx, dyn_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define DYN__FAIL(ctx, code, ...) dyn__fail((ctx), (code), __VA_ARGS__)
/* After a failed call of the system: "cannot ACTION "PATH": text of errno"; DYN_ENOMEM or DYN_EIO. */
dyn_status dyn__fail_system(dyn_ctx *ctx, const char *action, const char *path);
/* The text of an errno, in room or static. Thread-safe. */
const char *dyn__system_text(int error, char *room, size_t size);
/* How often something has failed in ctx: tells whether the message is new. */
int64_t dyn__failures(const dyn_ctx *ctx);
/* For the arguments after the object: fail with the name of the one that is NULL. */
#define DYN__NEED(ctx, p) do { if (!(p)) return DYN__FAIL((ctx), DYN_EINVAL, "%s is NULL", #p); } while (0)
#define DYN__TRY(call) do { dyn_status dyn__s_ = (call); if (dyn__s_ < 0) return dyn__s_; } while (0)
void dyn__log(dyn_ctx *ctx, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Interrupts. Long work asks dyn__interrupted at every few microseconds to milliseconds of it and winds up when it says
 * yes; it stays so until the outermost public function returns. Costs some nanoseconds; any thread.
 * dyn__check_interrupt is the same as a status with its message; dyn__callback_status the status that a callback of the
 * caller's means by its result, `what` naming it. */
int dyn__interrupted(dyn_ctx *ctx);
void dyn__set_interrupted(dyn_ctx *ctx);
dyn_status dyn__check_interrupt(dyn_ctx *ctx);
dyn_status dyn__callback_status(dyn_ctx *ctx, const char *what, int32_t result);

/* Memory. Blocks are aligned to 64 bytes and know their size; dyn__alloc zeroes them. NULL means out of memory, and
 * the message is already set, so that callers return DYN_ENOMEM. dyn__free takes NULL. Thread-safe. dyn__exhausted: how
 * often it has run out in ctx, which tells after a caller's function whether what it says is a consequence. */
void *dyn__alloc(dyn_ctx *ctx, size_t count, size_t size);
int64_t dyn__exhausted(const dyn_ctx *ctx);
void dyn__free(dyn_ctx *ctx, void *p);
char *dyn__strdup(dyn_ctx *ctx, const char *s);
double *dyn__copied(dyn_ctx *ctx, const double *x, int64_t n);
/* Make room for `need` elements of `size` bytes in the growing array *p of capacity *cap; the old elements stay. */
dyn_status dyn__grow(dyn_ctx *ctx, void **p, int64_t *cap, int64_t need, size_t size);

/* Reference counts: dyn__ref_init at creation gives one, dyn__ref_drop says whether the last reference went. */
typedef struct dyn__ref { _Atomic int32_t count; } dyn__ref;
static inline void dyn__ref_init(dyn__ref *r) { atomic_init(&r->count, 1); }
static inline void dyn__ref_take(dyn__ref *r) { atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed); }
static inline int dyn__ref_drop(dyn__ref *r)
{
    return atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel) == 1;
}
void dyn__ctx_ref(dyn_ctx *ctx);
void dyn__ctx_unref(dyn_ctx *ctx);
/* For functions of several objects: DYN_EINVAL unless the one called name, of the context `other`, belongs to ctx. */
dyn_status dyn__check_ctx(dyn_ctx *ctx, const char *name, const dyn_ctx *other);

/* Up to so many tasks are taken by their place: jobs of one order find in a thread's caches what the last one left. */
enum { DYN__FEW_TASKS = 64 };
/* Threads: run fn(arg, task, worker) for task = 0 .. tasks-1, worker in [0, dyn__workers(ctx)). Which worker takes a
 * task is not fixed, so results must depend on the task only. A call from inside a task, while another thread uses
 * the pool, or in a forked child of the process that used it first, runs on the caller alone, with the worker number
 * of the caller (0 from outside). Latency about a microsecond. */
typedef void (*dyn__task_fn)(void *arg, int64_t task, int worker);
void dyn__parallel(dyn_ctx *ctx, int64_t tasks, dyn__task_fn fn, void *arg);
int dyn__workers(const dyn_ctx *ctx);

const struct dyn__kernels *dyn__kernels_of(const dyn_ctx *ctx);
int32_t dyn__backend_number(const dyn_ctx *ctx);        /* enum dyn_backend */

/* Option structs. *full, of full_size bytes, holds the defaults (its INIT macro); the caller's struct is laid over them
 * as far as it reaches, so that fields its program does not know keep theirs. NULL = all defaults. v1_size is the size
 * the struct had in its first supported release. Errors: DYN_EABI_SIZE (below 4, above 4096, not a multiple of 4),
 * DYN_EABI_OLD (below v1_size), DYN_EABI_NEW (unknown tail bytes that are not zero). */
dyn_status dyn__options(dyn_ctx *ctx, const char *what, const void *given, void *full, size_t full_size,
                        size_t v1_size);
/* Fields of option structs: one that is 0 or 1; one that has no meaning yet, so that it must be 0. */
dyn_status dyn__check_flag(dyn_ctx *ctx, const char *name, int32_t value);
dyn_status dyn__check_reserved(dyn_ctx *ctx, uint32_t reserved);

/* Files are replaced whole or not at all: written beside, synced, then renamed over the old one, which stays as it is
 * when anything fails. A link is followed; what is no regular file is written into. The writer calls dyn__file_put as
 * often as it likes and returns its status. Errors: DYN_EIO, DYN_ENOMEM, or what the writer returns. */
typedef struct dyn__file dyn__file;
typedef dyn_status (*dyn__file_writer)(void *arg, dyn__file *f);
dyn_status dyn__file_put(dyn__file *f, const void *data, size_t size);
dyn_status dyn__file_replace(dyn_ctx *ctx, const char *path, dyn__file_writer writer, void *arg);
/* The same for one block in memory. */
dyn_status dyn__file_write(dyn_ctx *ctx, const char *path, const void *data, size_t size);

#endif
