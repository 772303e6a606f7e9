/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jordan types by formula: Hom, tensor products, and the matrix of a type. */
#include <inttypes.h>
#include <string.h>
#include <dyn/nilpotent.h>
#include "base/base.h"

enum { HOM, REPEATED, PRODUCT, SUM, MOST = 10000 };

/* Counts blocks by size, so that they come out sorted. */
typedef struct blocks {
    int64_t largest, *of;       /* of[size] = how many, size 1 .. largest */
} blocks;

static void pair(blocks *b, int32_t which, int64_t p, int64_t q)
{
    int64_t least = p < q ? p : q, most = p < q ? q : p;

    if (which == HOM)
        b->of[least]++;
    else if (which == PRODUCT) {
        b->of[least] += most - least + 1;
        for (int64_t size = 1; size < least; size++)
            b->of[size] += 2;
    } else if (which == SUM)
        for (int64_t size = most - least + 1; size <= p + q - 1; size += 2)
            b->of[size]++;
    else
        b->of[p] += q;
}

static dyn_status sum_of(dyn_ctx *ctx, const char *name, int64_t count, const int64_t *parts, int64_t *sum)
{
    *sum = 0;
    if (count < 0 || count > MOST || (count > 0 && !parts))
        return DYN__FAIL(ctx, DYN_EINVAL, "%s has %" PRId64 " parts, or is NULL", name, count);
    for (int64_t i = 0; i < count; i++) {
        if (parts[i] < 1 || parts[i] > MOST || (*sum += parts[i]) > MOST)
            return DYN__FAIL(ctx, DYN_EINVAL, "%s[%" PRId64 "] is %" PRId64
                             ": parts are positive and sum to %d at most", name, i, parts[i], MOST);
    }
    return DYN_OK;
}

static int64_t write(const blocks *b, int64_t capacity, int64_t *parts)
{
    int64_t count = 0;

    for (int64_t size = b->largest; size >= 1; size--)
        for (int64_t i = 0; i < b->of[size]; i++, count++)
            if (parts && count < capacity)
                parts[count] = size;
    return count;
}

dyn_status dyn_nilpotent_functor(dyn_ctx *ctx, int32_t which, int64_t p_count, const int64_t *p, int64_t q_count,
                                 const int64_t *q, int64_t capacity, int64_t *parts, int64_t *count)
{
    blocks b = { 0 };
    int64_t p_sum = 0, q_sum = 0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (which < HOM || which > SUM || capacity < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "which is %d (0 .. 3), capacity %" PRId64, (int)which, capacity);
    DYN__NEED(ctx, count);
    DYN__TRY(sum_of(ctx, "p", p_count, p, &p_sum));
    DYN__TRY(sum_of(ctx, "q", q_count, q, &q_sum));
    b.largest = p_sum + q_sum + 1;
    b.of = dyn__alloc(ctx, (size_t)b.largest + 1, sizeof *b.of);
    if (!b.of)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < p_count; i++)
        for (int64_t j = 0; j < q_count; j++)
            pair(&b, which, p[i], q[j]);
    *count = write(&b, capacity, parts);
    dyn__free(ctx, b.of);
    return DYN_OK;
}

dyn_status dyn_nilpotent_matrix(dyn_ctx *ctx, int64_t count, const int64_t *parts, int64_t *a)
{
    int64_t n = 0, first = 0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(sum_of(ctx, "parts", count, parts, &n));
    DYN__NEED(ctx, a);
    memset(a, 0, (size_t)(n * n) * sizeof *a);
    for (int64_t i = 0; i < count; first += parts[i++])
        for (int64_t j = first; j + 1 < first + parts[i]; j++)
            a[j * n + j + 1] = 1;
    return DYN_OK;
}
