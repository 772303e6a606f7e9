/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Interrupts. Long work asks often and cheaply whether it is to end; the caller's function is asked about twenty times a
 * second, and only on a thread that called the library. Once it has said yes, everything under the outermost public
 * call sees it, on every thread, and unwinds. */
#include "base/context.h"

#include <time.h>

enum { ASK_NS = 50000000 };

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int dyn__interrupted(dyn_ctx *ctx)
{
    int64_t now;

    if (atomic_load_explicit(&ctx->interrupted, memory_order_relaxed))
        return 1;
    if (!ctx->interrupt || dyn__is_worker())
        return 0;
    now = now_ns();
    if (now - atomic_load_explicit(&ctx->asked_ns, memory_order_relaxed) < ASK_NS)
        return 0;
    atomic_store_explicit(&ctx->asked_ns, now, memory_order_relaxed);
    if (!ctx->interrupt(ctx->interrupt_user))
        return 0;
    dyn__set_interrupted(ctx);
    return 1;
}

void dyn__set_interrupted(dyn_ctx *ctx)
{
    atomic_store_explicit(&ctx->interrupted, 1, memory_order_relaxed);
}

dyn_status dyn__check_interrupt(dyn_ctx *ctx)
{
    return dyn__interrupted(ctx) ? DYN__FAIL(ctx, DYN_EINTERRUPTED, "interrupted") : DYN_OK;
}

dyn_status dyn__callback_status(dyn_ctx *ctx, const char *what, int32_t result)
{
    if (result == 0)
        return DYN_OK;
    if (result != DYN_EINTERRUPTED)
        return DYN__FAIL(ctx, DYN_EUSER, "%s returned %d", what, (int)result);
    dyn__set_interrupted(ctx);
    return DYN__FAIL(ctx, DYN_EINTERRUPTED, "%s was interrupted", what);
}
