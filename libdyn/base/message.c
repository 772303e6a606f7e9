/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages and log. A message is formatted on the stack and copied into the context's fixed buffer, so that nothing is
 * allocated, an old message may be part of a new one, and of two threads that fail at once the last one wins whole. */
#include "base/context.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

dyn__scope dyn__enter(dyn_ctx *ctx, const char *function)
{
    if (ctx && atomic_fetch_add_explicit(&ctx->depth, 1, memory_order_relaxed) == 0) {
        atomic_store_explicit(&ctx->function, function, memory_order_relaxed);
        atomic_store_explicit(&ctx->interrupted, 0, memory_order_relaxed);
    }
    return (dyn__scope){ ctx, dyn__environment_hold() };
}

void dyn__leave(dyn__scope *s)
{
    dyn__environment_restore(&s->host);
    if (s->ctx)
        atomic_fetch_sub_explicit(&s->ctx->depth, 1, memory_order_relaxed);
}

/* Write "function: text" and return its length, cut to what fits. */
__attribute__((format(printf, 3, 0)))
static size_t compose(dyn_ctx *ctx, char *text, const char *format, va_list args)
{
    const char *function = atomic_load_explicit(&ctx->function, memory_order_relaxed);
    size_t used = 0;

    if (function && atomic_load_explicit(&ctx->depth, memory_order_relaxed) > 0)
        used = (size_t)snprintf(text, DYN__MESSAGE_SIZE, "%s: ", function);
    vsnprintf(text + used, DYN__MESSAGE_SIZE - used, format, args);
    return strlen(text);
}

static void keep(dyn_ctx *ctx, const char *text, size_t length)
{
    while (atomic_flag_test_and_set_explicit(&ctx->message_lock, memory_order_acquire))
        sched_yield();
    memcpy(ctx->message, text, length + 1);
    atomic_flag_clear_explicit(&ctx->message_lock, memory_order_release);
}

static void log_text(dyn_ctx *ctx, int level, const char *text)
{
    if (ctx->log && level <= ctx->log_level)
        ctx->log(ctx->log_user, level, text);
}

dyn_status dyn__fail(dyn_ctx *ctx, dyn_status code, const char *format, ...)
{
    char text[DYN__MESSAGE_SIZE];
    va_list args;
    size_t length;

    if (!ctx)
        return code;
    va_start(args, format);
    length = compose(ctx, text, format, args);
    va_end(args);
    keep(ctx, text, length);
    atomic_fetch_add_explicit(&ctx->failures, 1, memory_order_relaxed);
    log_text(ctx, DYN_LOG_ERROR, text);
    return code;
}

int64_t dyn__failures(const dyn_ctx *ctx)
{
    return atomic_load_explicit(&ctx->failures, memory_order_relaxed);
}

/* Both standards' forms of strerror_r. */
const char *dyn__system_text(int error, char *room, size_t size)
{
#if defined(__GLIBC__)
    return strerror_r(error, room, size);
#else
    return strerror_r(error, room, size) == 0 ? room : "unknown error";
#endif
}

dyn_status dyn__fail_system(dyn_ctx *ctx, const char *action, const char *path)
{
    const int error = errno;
    char room[128];

    return DYN__FAIL(ctx, error == ENOMEM ? DYN_ENOMEM : DYN_EIO, "cannot %s \"%s\": %s", action, path,
                     dyn__system_text(error, room, sizeof room));
}

void dyn__log(dyn_ctx *ctx, int level, const char *format, ...)
{
    char text[DYN__MESSAGE_SIZE];
    va_list args;

    if (!ctx || !ctx->log || level > ctx->log_level)
        return;
    va_start(args, format);
    compose(ctx, text, format, args);
    va_end(args);
    log_text(ctx, level, text);
}

const char *dyn_ctx_message(const dyn_ctx *ctx)
{
    return ctx ? ctx->message : "";
}
