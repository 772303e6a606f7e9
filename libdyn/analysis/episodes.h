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

/* The intervals in which series[i] > level[i]. Those that start less than `merge` after the start of the one before are
 * joined to it, with the gap between. */
dyn_status dyn__episodes_find(dyn_ctx *ctx, int64_t n, const double *series, const double *level, int64_t merge,
                              dyn_episodes **out);

#endif
