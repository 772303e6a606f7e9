/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Intervals of a series, and the one loop that finds them all. */
#ifndef DYN__ANALYSIS_EPISODES_H
#define DYN__ANALYSIS_EPISODES_H

#include <dyn/sharpness.h>
#include "base/base.h"

struct dyn_episodes {
    dyn_ctx *ctx;
    int64_t count;
    int64_t *start, *end, *peak;
};

/* With room for so many intervals, at least 1. */
dyn_status dyn__episodes_create(dyn_ctx *ctx, int64_t room, dyn_episodes **out);
/* A step for each value of a series; without steps values are numbered. */
static inline int64_t dyn__episodes_step(const int64_t *steps, int64_t i) { return steps ? steps[i] : i; }
/* Steps must ascend. */
dyn_status dyn__episodes_check(dyn_ctx *ctx, int64_t n, const int64_t *steps);
/* The intervals in which series[i] > level[i]. Those that start less than `merge` steps after the start of the one
 * before are joined to it, with the gap between. */
dyn_status dyn__episodes_find(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *series,
                              const double *level, int64_t merge, dyn_episodes **out);

#endif
