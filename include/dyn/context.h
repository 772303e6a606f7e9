/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The context: allocator, log, threads and kernels of one use of the library. There is no global state; two contexts
 * know nothing of each other, and objects of different contexts never mix (DYN_EINVAL). */
#ifndef DYN_CONTEXT_H
#define DYN_CONTEXT_H

#include <stddef.h>
#include <dyn/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A context. thread: called from one thread at a time; immutable objects made with it (plans, models, operators'
 * data) may be read from any thread. Objects keep their context alive: freeing it early is safe.
 */
typedef struct dyn_ctx dyn_ctx;

/** Element types. DYN_F64 is what zero means wherever an option asks for one. */
enum dyn_dtype {
    DYN_F64 = 0,    /* IEEE double */
    DYN_F32 = 1,    /* IEEE single */
    DYN_I64 = 2,    /* indices */
    DYN_U8 = 3      /* bytes, 0 to 255, as image files hold them; of arrays only */
};

/** Instruction sets a context may use; DYN_ISA_AUTO takes the best the CPU has. */
enum dyn_isa {
    DYN_ISA_AUTO = 0,
    DYN_ISA_REFERENCE = 1,  /* plain C, one number at a time: for tests */
    DYN_ISA_AVX2 = 2,       /* AVX2 and FMA */
    DYN_ISA_AVX512 = 3,     /* AVX-512 F, DQ, VL, BW */
    DYN_ISA_VECTOR = 4      /* vectors of 128 bits as every CPU has them: SSE2, NEON */
};

/** Where graphs are evaluated. */
enum dyn_backend {
    DYN_BACKEND_CPU = 0,        /* compiled to fused steps on the context's threads */
    DYN_BACKEND_REFERENCE = 1   /* node by node in doubles, by the definitions alone, on one thread: to check with */
};

enum dyn_log_level { DYN_LOG_ERROR = 1, DYN_LOG_WARNING = 2, DYN_LOG_INFO = 3, DYN_LOG_DEBUG = 4 };

/**
 * Receives finished messages: one line without its end, "function: text". text is valid during the call only. Errors
 * come here too, when they are stored. thread: any that uses the context, also two at once.
 */
typedef void (*dyn_log_fn)(void *user, int32_t level, const char *text);

/** Returns size bytes aligned to align (a power of two), or NULL. thread: any, also two at once. */
typedef void *(*dyn_alloc_fn)(void *user, size_t size, size_t align);
/** Gives back what a dyn_alloc_fn returned, with the same size and align. */
typedef void (*dyn_free_fn)(void *user, void *p, size_t size, size_t align);

/**
 * Progress of long work. fraction is in [0, 1]; text says what is being done. Return 0 to go on, anything else to
 * stop: the work then ends cleanly with DYN_STOPPED and keeps what it has.
 */
typedef int32_t (*dyn_progress_fn)(void *user, double fraction, const char *text);

/**
 * Asked about twenty times a second while the library works, on a thread that called it: return 0 to go on, anything
 * else to end the outermost call with DYN_EINTERRUPTED (a training: with DYN_STOPPED, state and history kept). It may
 * do what a program does between two calls, handle signals for example, but not use ctx. One call of LAPACK is not
 * interrupted: see dense.h. A callback of the caller's that returns DYN_EINTERRUPTED ends the call in the same way.
 */
typedef int32_t (*dyn_interrupt_fn)(void *user);

typedef struct dyn_ctx_options {
    uint32_t struct_size;   /* sizeof(dyn_ctx_options); set by DYN_CTX_OPTIONS_INIT */
    int32_t threads;        /* worker threads with the caller, up to 1024; 0 = one per usable core */
    int32_t isa;            /* enum dyn_isa; one the CPU has not: DYN_ENOTSUP */
    int32_t log_level;      /* highest level passed to log; 0 = none */
    dyn_alloc_fn alloc;     /* NULL = the C library's; both or neither of alloc and free */
    dyn_free_fn free;
    void *alloc_user;
    dyn_log_fn log;         /* NULL = silent */
    void *log_user;
    dyn_interrupt_fn interrupt;     /* NULL = nothing interrupts */
    void *interrupt_user;
    int32_t backend;        /* enum dyn_backend */
    uint32_t reserved;      /* must be 0 */
    const char *numerics;   /* the numeric class to compute in, as dyn_ctx_numerics writes it; NULL = this machine's */
} dyn_ctx_options;
#define DYN_CTX_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_ctx_options), 0, DYN_ISA_AUTO, DYN_LOG_WARNING, NULL, NULL, NULL, NULL, NULL, \
      NULL, NULL, DYN_BACKEND_CPU, 0, NULL }

/**
 * Make a context. opt may be NULL. *out is owned by the caller, NULL on error; there is no message then, as there is no
 * context to keep it: what is wrong with numerics or isa goes to opt->log. The worker threads start with the first work
 * that can use them, with all signals blocked and stacks of 2 MiB; fewer than asked for are a warning in the log. A
 * thread that calls the library needs 512 KiB of stack. A forked child may go on using the context; work that had
 * threads in the parent then runs on the calling thread. Up to 64 MiB of blocks that were given back are kept for the
 * next of their size, unless alloc and free are the caller's.
 *
 * numerics chooses the instruction set, the classes of the caches, the backend, and to do without BLIS or LIBXSMM; the
 * versions of libdyn and of the other libraries must be those it names. isa and backend need not be given beside it,
 * and must not contradict it.
 *
 * errors: DYN_EINVAL a field is out of its range, or one of alloc and free is missing, or numerics is no such text;
 *         DYN_ENOTSUP isa, or numerics asks for what cannot be had here: the log gets both values; DYN_ENOMEM;
 *         DYN_EABI_SIZE, DYN_EABI_OLD, DYN_EABI_NEW.
 * thread: any.   since: 0.1
 */
DYN_API dyn_status dyn_ctx_create(const dyn_ctx_options *opt, dyn_ctx **out);

/**
 * Give back the caller's reference; NULL is allowed. The memory goes when the last object made with it goes. Not to be
 * called from a callback that runs on a worker thread. since: 0.1
 */
DYN_API void dyn_ctx_free(dyn_ctx *ctx);

/**
 * The message of the last error: begins with the name of the public function that failed. Never NULL; "" before
 * any error. At most 1023 bytes. Borrowed, valid until the next call on ctx; success does not clear it. since: 0.1
 */
DYN_API const char *dyn_ctx_message(const dyn_ctx *ctx);

/** Threads in use, the caller's included. since: 0.1 */
DYN_API int32_t dyn_ctx_threads(const dyn_ctx *ctx);

/** The instruction set in use (enum dyn_isa, never AUTO). since: 0.1 */
DYN_API int32_t dyn_ctx_isa(const dyn_ctx *ctx);

/** Bytes now allocated through this context, its own and the blocks' headers included. since: 0.1 */
DYN_API int64_t dyn_ctx_bytes(const dyn_ctx *ctx);

/**
 * The numeric class (docs/numerics.md) as a text "key: value; key: value" of less than 512 bytes: all that decides the
 * bits of results beside sizes, seeds and limits. Two contexts whose texts are equal give equal bits, on any machine;
 * dyn_ctx_options takes such a text. Never NULL. Borrowed, lives as long as ctx. since: 0.1
 */
DYN_API const char *dyn_ctx_numerics(const dyn_ctx *ctx);

/**
 * Which providers and kernels are in use, as lines "key: value" (version, isa, caches, backend, threads, blis,
 * blis-arch, large-products, libxsmm, sleef, lapack, libzip, zlib, jansson, sqlite). Borrowed, lives as long as ctx.
 * since: 0.1
 */
DYN_API const char *dyn_ctx_report(const dyn_ctx *ctx);

/** Version of the library that runs, "0.1.0". since: 0.1 */
DYN_API const char *dyn_version(void);

#ifdef __cplusplus
}
#endif
#endif
