/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of a context, for the files of this room only. The message and the scope may be touched from several threads
 * (executors share their plan's context), hence the atomics and the lock; all else is written once, at creation. */
#ifndef DYN__CONTEXT_H
#define DYN__CONTEXT_H

#include <pthread.h>
#include "base/base.h"
#include "base/numerics.h"

/* kept.c. Blocks that were given back, the oldest first. */
enum { DYN__KEPT_BLOCKS = 16 };
typedef struct dyn__kept {
    pthread_mutex_t lock;
    int on, count;              /* on = 0: nothing is kept */
    size_t bytes, size[DYN__KEPT_BLOCKS];
    char *block[DYN__KEPT_BLOCKS];
} dyn__kept;
void dyn__kept_init(dyn__kept *k);
void dyn__kept_end(dyn__kept *k);
/* A block of this size, not cleared, or NULL. */
char *dyn__kept_take(dyn__kept *k, size_t size);
/* 1: it is kept; 0: the caller frees it. */
int dyn__kept_give(dyn__kept *k, char *block, size_t size);
/* Frees all; 1: there were some. */
int dyn__kept_clear(dyn__kept *k);

/* The allocator hooks and the bytes that went through them. */
typedef struct dyn__heap {
    dyn_alloc_fn alloc;
    dyn_free_fn free;
    void *user;
    _Atomic int64_t live;
    dyn__kept kept;
} dyn__heap;

/* Zeroed block of `size` bytes or NULL, without a message: for the time before the context exists. */
void *dyn__heap_alloc(dyn__heap *h, size_t size);
void dyn__heap_free(dyn__heap *h, void *p);

typedef struct dyn__shelf dyn__shelf;
typedef struct dyn__pool dyn__pool;
dyn_status dyn__pool_create(dyn_ctx *ctx, int threads, dyn__pool **out);
void dyn__pool_free(dyn_ctx *ctx, dyn__pool *p);
/* Whether the calling thread is a worker of some context's pool. */
int dyn__is_worker(void);
/* Cores this process may use, at least 1. */
int dyn__usable_cores(void);

enum { DYN__MESSAGE_SIZE = 1024, DYN__REPORT_SIZE = 512, DYN__MAX_THREADS = 1024,
       DYN__WORKER_STACK = 2 << 20 };

struct dyn_ctx {
    dyn__ref refs;
    dyn__heap heap;
    dyn_log_fn log;
    void *log_user;
    int32_t log_level, threads, isa, backend;
    dyn__pool *pool;
    struct dyn__kernels *kernels;
    dyn_ctx *keeper;                    /* what this context shares lies on its shelf; NULL = nothing is shared */
    _Atomic(dyn__shelf *) shelf;        /* of what others share; NULL = none do */

    dyn_interrupt_fn interrupt;
    void *interrupt_user;
    _Atomic int32_t interrupted;        /* until the outermost public function returns */
    _Atomic int64_t asked_ns;           /* when interrupt was called last */

    _Atomic int32_t depth;              /* public functions now inside one another */
    _Atomic(const char *) function;     /* the outermost of them */
    _Atomic int64_t failures;           /* messages so far */
    _Atomic int64_t exhausted;          /* allocations that failed so far */
    atomic_flag message_lock;
    char message[DYN__MESSAGE_SIZE];
    char report[DYN__REPORT_SIZE];
    char numerics[DYN__NUMERICS];
};

/* shelf.c: make that of a context if there is none; empty it for good, when its owner frees it; free it at its end. */
dyn_status dyn__shelf_open(dyn_ctx *keeper);
void dyn__shelf_close(dyn_ctx *keeper);
void dyn__shelf_free(dyn_ctx *keeper);

/* The kernel table, of an instruction set or of a numeric class (NULL: of none); report and class, which tell of it.
 * Defined in kernel/context.c. */
dyn_status dyn__ctx_choose_kernels(dyn_ctx *ctx, int isa, const char *numerics);
void dyn__ctx_write_report(dyn_ctx *ctx);

#endif
