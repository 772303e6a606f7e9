/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory given out by first fit: each piece has the lowest offset that has room for it. Sizes and offsets are in any
 * unit; pieces of a line or more begin on a line; a piece of size 0 lies at offset 0 and takes nothing. Taking and
 * giving back cost a logarithm of the number of pieces. */
#ifndef DYN__GAPS_H
#define DYN__GAPS_H

#include "base/base.h"

typedef struct dyn__gap {
    int64_t begin, end;
    int64_t room[2];        /* the most in one gap from here down: from any offset, from the start of a line */
    int32_t side[2];        /* gaps before it, gaps behind it; 0 = none */
    uint32_t rank;          /* none below has a higher one */
} dyn__gap;

typedef struct dyn__gaps {
    dyn_ctx *ctx;
    int64_t line;
    int64_t top;            /* behind all that was ever taken */
    dyn__gap *gap;          /* gap[0] is no gap: it has no room */
    int64_t capacity, pieces;
    int32_t count, root;
    int32_t spare;          /* gaps that are no more, linked by side[0] */
    uint32_t rank;
} dyn__gaps;

/* g begins as { .ctx, .line }; g->gap is to be freed at the end. */
dyn_status dyn__gaps_take(dyn__gaps *g, int64_t size, int64_t *offset_out);
/* What was taken is free again, in one gap with the gaps beside it. */
void dyn__gaps_give(dyn__gaps *g, int64_t offset, int64_t size);

#endif
