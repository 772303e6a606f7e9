/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory. A block is preceded by one cache line that keeps its size, so that the caller's allocator gets sized frees
 * and the context can count its live bytes. Blocks begin on a cache line and come zeroed, unless asked for as they
 * are. */
#include "base/context.h"
#include "base/unset.h"

#include <string.h>

enum { ALIGN = 64 };
_Static_assert(sizeof(size_t) <= ALIGN, "the block's size fits in its header");

static void *take(dyn__heap *h, size_t size)
{
    size_t total;
    char *block;

    if (__builtin_add_overflow(size, (size_t)ALIGN, &total) || total > PTRDIFF_MAX - ALIGN)
        return NULL;
    block = dyn__kept_take(&h->kept, total);
    if (!block)
        block = h->alloc(h->user, total, ALIGN);
    if (!block && dyn__kept_clear(&h->kept))
        block = h->alloc(h->user, total, ALIGN);
    if (!block)
        return NULL;
    memcpy(block, &total, sizeof total);
    atomic_fetch_add_explicit(&h->live, (int64_t)total, memory_order_relaxed);
    return block + ALIGN;
}

void *dyn__heap_alloc(dyn__heap *h, size_t size)
{
    void *p = take(h, size);

    return p ? memset(p, 0, size) : NULL;
}

void dyn__heap_free(dyn__heap *h, void *p)
{
    char *block = (char *)p - ALIGN;
    size_t total;

    memcpy(&total, block, sizeof total);
    atomic_fetch_sub_explicit(&h->live, (int64_t)total, memory_order_relaxed);
    if (!dyn__kept_give(&h->kept, block, total))
        h->free(h->user, block, total, ALIGN);
}

void *dyn__alloc(dyn_ctx *ctx, size_t count, size_t size)
{
    void *p = dyn__alloc_unset(ctx, count, size);

    return p ? memset(p, 0, count * size) : NULL;
}

void *dyn__alloc_unset(dyn_ctx *ctx, size_t count, size_t size)
{
    size_t bytes;
    void *p = NULL;

    if (!__builtin_mul_overflow(count, size, &bytes))
        p = take(&ctx->heap, bytes);
    if (!p) {
        atomic_fetch_add(&ctx->exhausted, 1);
        DYN__FAIL(ctx, DYN_ENOMEM, "out of memory: %zu elements of %zu bytes asked for, %lld bytes in use", count, size,
                  (long long)atomic_load(&ctx->heap.live));
    }
    return p;
}

int64_t dyn__exhausted(const dyn_ctx *ctx)
{
    return atomic_load(&ctx->exhausted);
}

void dyn__free(dyn_ctx *ctx, void *p)
{
    if (p)
        dyn__heap_free(&ctx->heap, p);
}

char *dyn__strdup(dyn_ctx *ctx, const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = dyn__alloc(ctx, size, 1);

    if (copy)
        memcpy(copy, s, size);
    return copy;
}

double *dyn__copied(dyn_ctx *ctx, const double *x, int64_t n)
{
    double *copy = dyn__alloc(ctx, (size_t)n + 1, sizeof *copy);

    if (copy)
        memcpy(copy, x, (size_t)n * sizeof *copy);
    return copy;
}

dyn_status dyn__grow(dyn_ctx *ctx, void **p, int64_t *cap, int64_t need, size_t size)
{
    int64_t room = *cap + *cap / 2;
    void *bigger;

    if (need <= *cap)
        return DYN_OK;
    if (room < 8)
        room = 8;
    if (room < need)
        room = need;
    bigger = dyn__alloc(ctx, (size_t)room, size);
    if (!bigger)
        return DYN_ENOMEM;
    if (*p)
        memcpy(bigger, *p, (size_t)*cap * size);
    dyn__free(ctx, *p);
    *p = bigger;
    *cap = room;
    return DYN_OK;
}
