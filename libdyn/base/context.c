/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Life of a context. The caller holds one reference and every object made with the context another, so that the
 * context goes with the last of them. It lives in memory of its own allocator, which is why the heap is set up on the
 * stack and moved in. */
#include "base/child.h"
#include "base/context.h"
#include "base/shelf.h"

#include <stdlib.h>

static void *libc_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void libc_free(void *user, void *p, size_t size, size_t align)
{
    (void)user;
    (void)size;
    (void)align;
    free(p);
}

static int options_valid(const dyn_ctx_options *o)
{
    return o->threads >= 0 && o->threads <= DYN__MAX_THREADS && o->log_level >= 0 &&
           o->log_level <= DYN_LOG_DEBUG && !o->alloc == !o->free && o->backend >= DYN_BACKEND_CPU &&
           o->backend <= DYN_BACKEND_REFERENCE && o->reserved == 0;
}

static dyn_ctx *allocate(const dyn_ctx_options *o)
{
    dyn__heap heap = { .alloc = o->alloc ? o->alloc : libc_alloc, .free = o->free ? o->free : libc_free,
                       .user = o->alloc ? o->alloc_user : NULL, .kept = { .on = 0 } };
    dyn_ctx *ctx;

    atomic_init(&heap.live, 0);
    ctx = dyn__heap_alloc(&heap, sizeof *ctx);
    if (!ctx)
        return NULL;
    ctx->heap.alloc = heap.alloc;
    ctx->heap.free = heap.free;
    ctx->heap.user = heap.user;
    atomic_init(&ctx->heap.live, atomic_load(&heap.live));
    if (!o->alloc)
        dyn__kept_init(&ctx->heap.kept);
    dyn__ref_init(&ctx->refs);
    atomic_init(&ctx->interrupted, 0);
    atomic_init(&ctx->asked_ns, 0);
    atomic_init(&ctx->shelf, NULL);
    atomic_init(&ctx->depth, 0);
    atomic_init(&ctx->function, NULL);
    atomic_init(&ctx->failures, 0);
    atomic_init(&ctx->exhausted, 0);
    atomic_flag_clear(&ctx->message_lock);
    return ctx;
}

/* The keeper lives as long as those that share. */
dyn_status dyn__ctx_share(dyn_ctx *ctx, dyn_ctx *keeper)
{
    if (dyn__shelf_open(keeper) < 0)
        return DYN__FAIL(ctx, DYN_ENOMEM, "out of memory: no keeper");
    dyn__ctx_ref(keeper);
    ctx->keeper = keeper;
    return DYN_OK;
}

static void take_options(dyn_ctx *ctx, const dyn_ctx_options *o)
{
    ctx->log = o->log;
    ctx->log_user = o->log_user;
    ctx->log_level = o->log_level;
    ctx->backend = o->backend;
    if (o->numerics && dyn__numerics_is(o->numerics, "backend", "reference"))
        ctx->backend = DYN_BACKEND_REFERENCE;
    ctx->interrupt = o->interrupt;
    ctx->interrupt_user = o->interrupt_user;
    ctx->threads = o->threads ? o->threads : dyn__usable_cores();
}

/* Kernels and threads. Its messages, which go to the log, name the function that was called. */
static dyn_status fit_out(dyn_ctx *ctx, const dyn_ctx_options *o)
{
    __attribute__((cleanup(dyn__leave), unused)) dyn__scope scope = dyn__enter(ctx, "dyn_ctx_create");

    DYN__TRY(dyn__ctx_choose_kernels(ctx, o->isa, o->numerics));
    dyn__ctx_write_report(ctx);
    if (o->numerics)
        DYN__TRY(dyn__numerics_check(ctx, o->numerics));
    return dyn__pool_create(ctx, ctx->threads, &ctx->pool);
}

dyn_status dyn_ctx_create(const dyn_ctx_options *opt, dyn_ctx **out)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_status s;
    dyn_ctx *ctx;

    if (!out)
        return DYN_EINVAL;
    *out = NULL;
    DYN__TRY(dyn__options(NULL, "dyn_ctx_options", opt, &o, sizeof o, sizeof o));
    if (!options_valid(&o))
        return DYN_EINVAL;
    ctx = allocate(&o);
    if (!ctx)
        return DYN_ENOMEM;
    take_options(ctx, &o);
    s = fit_out(ctx, &o);
    if (s != DYN_OK) {
        dyn_ctx_free(ctx);
        return s;
    }
    dyn__log(ctx, DYN_LOG_DEBUG, "dyn_ctx_create: version %s, instruction set %d, %d threads", dyn_version(),
             (int)ctx->isa, (int)ctx->threads);
    *out = ctx;
    return DYN_OK;
}

dyn_status dyn__ctx_child(dyn_ctx *ctx, dyn_interrupt_fn interrupt, void *user, dyn_ctx **out)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_status s;

    o.threads = 1;
    o.numerics = ctx->numerics;
    o.log_level = ctx->log_level;
    o.alloc = ctx->heap.alloc;
    o.free = ctx->heap.free;
    o.alloc_user = ctx->heap.user;
    o.log = ctx->log;
    o.log_user = ctx->log_user;
    o.interrupt = interrupt;
    o.interrupt_user = user;
    s = dyn_ctx_create(&o, out);
    if (s >= 0)
        s = dyn__ctx_share(*out, ctx);
    if (s < 0) {
        dyn_ctx_free(*out);
        *out = NULL;
    }
    return s;
}

void dyn__ctx_ref(dyn_ctx *ctx)
{
    dyn__ref_take(&ctx->refs);
}

void dyn__ctx_unref(dyn_ctx *ctx)
{
    dyn__heap heap = { .kept = { .on = 0 } };
    dyn_ctx *keeper;

    if (!ctx || !dyn__ref_drop(&ctx->refs))
        return;
    keeper = ctx->keeper;
    dyn__shelf_free(ctx);
    dyn__pool_free(ctx, ctx->pool);
    dyn__free(ctx, ctx->kernels);
    dyn__kept_end(&ctx->heap.kept);
    heap.alloc = ctx->heap.alloc;
    heap.free = ctx->heap.free;
    heap.user = ctx->heap.user;
    atomic_init(&heap.live, atomic_load(&ctx->heap.live));
    dyn__heap_free(&heap, ctx);
    dyn__ctx_unref(keeper);
}

dyn_status dyn__check_ctx(dyn_ctx *ctx, const char *name, const dyn_ctx *other)
{
    return ctx == other ? DYN_OK : DYN__FAIL(ctx, DYN_EINVAL, "%s belongs to another context", name);
}

void dyn_ctx_free(dyn_ctx *ctx)
{
    if (ctx)
        dyn__shelf_close(ctx);
    dyn__ctx_unref(ctx);
}

int32_t dyn_ctx_threads(const dyn_ctx *ctx)
{
    return ctx ? ctx->threads : 0;
}

int32_t dyn_ctx_isa(const dyn_ctx *ctx)
{
    return ctx ? ctx->isa : 0;
}

int64_t dyn_ctx_bytes(const dyn_ctx *ctx)
{
    return ctx ? atomic_load(&ctx->heap.live) : 0;
}

const char *dyn_ctx_report(const dyn_ctx *ctx)
{
    return ctx ? ctx->report : "";
}

const char *dyn_ctx_numerics(const dyn_ctx *ctx)
{
    return ctx ? ctx->numerics : "";
}

int32_t dyn__backend_number(const dyn_ctx *ctx) { return ctx->backend; }

const struct dyn__kernels *dyn__kernels_of(const dyn_ctx *ctx)
{
    return ctx->kernels;
}
