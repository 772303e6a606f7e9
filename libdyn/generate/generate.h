/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the generators share: integers at random, a row at a time, and arrays to write to. */
#ifndef DYN__GENERATE_H
#define DYN__GENERATE_H

#include <dyn/generate.h>
#include "data/data.h"
#include "random/random.h"

/* A source of draws that is a function of (seed, kind, row). */
typedef struct dyn__dice {
    dyn__key key;
    int64_t next;
} dyn__dice;

/* What the draws are for: sets of different kinds do not share them. */
enum dyn__kind { DYN__KIND_ANCHOR = 1, DYN__KIND_CHAIN, DYN__KIND_COMPOSITE, DYN__KIND_TARGET, DYN__KIND_MATRIX,
                 DYN__KIND_ORDER };

static inline dyn__dice dyn__dice_of(uint64_t seed, int kind, int64_t row)
{
    return (dyn__dice){ { seed, DYN__STREAM_DATA, (uint32_t)row, (uint32_t)kind << 24 | (uint32_t)(row >> 32) }, 0 };
}

/* Uniform in [0, 1), and uniform among low .. high - 1. */
static inline double dyn__roll_real(dyn__dice *d)
{
    double u;

    dyn__uniform_f64(d->key, d->next++, 1, &u);
    return u;
}

static inline int64_t dyn__roll(dyn__dice *d, int64_t low, int64_t high)
{
    return low + (int64_t)(dyn__roll_real(d) * (double)(high - low));
}

static inline void dyn__roll_order(dyn__dice *d, int64_t n, int64_t *x)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = dyn__roll(d, 0, i + 1), kept = x[i];

        x[i] = x[j];
        x[j] = kept;
    }
}

/* A new int64 or float64 matrix and its elements; rank 1 for columns 0. */
dyn_status dyn__new_tokens(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_array **out, int64_t **data);
dyn_status dyn__new_reals(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_array **out, double **data);
/* What every generator begins with: *out = NULL, ctx and out given; messages carry its name from here on. */
#define DYN__GENERATE(ctx, out) \
    if (out)                    \
        *(out) = NULL;          \
    if (!(ctx))                 \
        return DYN_EINVAL;      \
    DYN__ENTER(ctx);            \
    DYN__NEED(ctx, out)
#define DYN__RANGE(ctx, name, value, low, high)                                                                 \
    do {                                                                                                        \
        if ((value) < (low) || (value) > (high))                                                                \
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %lld, allowed is %lld to %lld", name, (long long)(value),  \
                             (long long)(low), (long long)(high));                                              \
    } while (0)
enum { DYN__MOST_ROWS = 100000000 };

#endif
