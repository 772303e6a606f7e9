/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Out-of-memory harness: an allocator that lets N allocations pass and then fails once or for ever, and the loop that
 * runs a piece of work for N = 0, 1, 2, ... until it succeeds. Each time the work must give DYN_ENOMEM and leave no
 * byte behind. Usage:
 *     static dyn_status work(dyn_ctx *ctx, void *arg) { ... returns the first status that is not DYN_OK ... }
 *     TEST(my_room) { oom_try("my room", work, arg); }
 * The kernels are the reference ones, as they need no other library. */
#ifndef OOM_H
#define OOM_H

#include <stdatomic.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "oom/outside.h"
#include "test.h"

typedef struct oom_heap {
    _Atomic int64_t calls, live, blocks;
    int64_t pass;       /* allocations that succeed before the failure */
    int for_ever;       /* all later ones fail too */
} oom_heap;

static inline void *oom_alloc(void *user, size_t size, size_t align)
{
    oom_heap *h = user;
    int64_t call = atomic_fetch_add(&h->calls, 1);
    void *p;

    if (call == h->pass || (h->for_ever && call > h->pass))
        return NULL;
    p = aligned_alloc(align, (size + align - 1) / align * align);
    if (p) {
        memset(p, 0xa5, size);
        atomic_fetch_add(&h->live, (int64_t)size);
        atomic_fetch_add(&h->blocks, 1);
    }
    return p;
}

static inline void oom_free(void *user, void *p, size_t size, size_t align)
{
    oom_heap *h = user;

    (void)align;
    atomic_fetch_sub(&h->live, (int64_t)size);
    atomic_fetch_sub(&h->blocks, 1);
    free(p);
}

static inline dyn_status oom_create(oom_heap *h, dyn_ctx **out)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;

    o.threads = 2;
    o.isa = DYN_ISA_REFERENCE;
    o.alloc = oom_alloc;
    o.free = oom_free;
    o.alloc_user = h;
    return dyn_ctx_create(&o, out);
}

/* Run the work with a failure after `pass` allocations. Returns what it returned, or what dyn_ctx_create did. */
static inline dyn_status oom_run(const char *what, oom_work work, void *arg, int64_t pass, int for_ever)
{
    oom_heap h = { .pass = pass, .for_ever = for_ever };
    dyn_ctx *ctx = NULL;
    dyn_status s = oom_create(&h, &ctx);

    if (s == DYN_OK) {
        s = work(ctx, arg);
        if (s == DYN_ENOMEM && !strstr(dyn_ctx_message(ctx), "out of memory"))
            TEST_FAIL("%s: allocation %lld: message is \"%s\"", what, (long long)pass, dyn_ctx_message(ctx));
    } else if (ctx) {
        TEST_FAIL("%s: allocation %lld: a context beside an error", what, (long long)pass);
    }
    dyn_ctx_free(ctx);
    if (h.live != 0 || h.blocks != 0)
        TEST_FAIL("%s: allocation %lld fails: %lld bytes in %lld blocks are left", what, (long long)pass,
                  (long long)h.live, (long long)h.blocks);
    if (s != DYN_ENOMEM && h.calls > pass)
        TEST_FAIL("%s: allocation %lld failed, status is %s", what, (long long)pass, dyn_status_name(s));
    return s;
}

/* The whole loop, with single and with lasting failures. Returns the number of allocations of the work. */
static inline int64_t oom_try(const char *what, oom_work work, void *arg)
{
    int64_t pass = 0;

    if (out_kind() >= 0)
        return out_loop(what, work, arg, out_kind());
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        dyn_status s = DYN_ENOMEM;

        for (pass = 0; pass < 1000000 && test_bad_ < 10; pass++) {
            s = oom_run(what, work, arg, pass, for_ever);
            if (s != DYN_ENOMEM)
                break;
        }
        if (s != DYN_OK)
            TEST_FAIL("%s: ends with %s after %lld allocations", what, dyn_status_name(s), (long long)pass);
    }
    return pass;
}

#endif
