/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Windows along the spatial axes of a tensor [n, spatial.., channels]: their number, and the zeros around. */
#ifndef DYN__WINDOW_H
#define DYN__WINDOW_H

#include "layer/layer.h"

enum { DYN__SPATIAL = 3 };  /* most spatial axes */

typedef struct dyn__window {
    int64_t length;         /* of the axis */
    int64_t size, stride, dilation;
    int64_t before, after;  /* around the axis */
    int64_t count;          /* of windows */
} dyn__window;

/* As the caller gives them: [axes], or NULL for 1, 0, 1; size is needed. */
typedef struct dyn__window_options {
    const int64_t *size, *stride, *padding, *dilation;
    int32_t ceil_mode;      /* 1: a last window that begins inside counts, too */
} dyn__window_options;

/* Fill w[axes] for x [n, spatial.., channels]. */
dyn_status dyn__windows(dyn_graph *g, dyn_node x, int32_t axes, const dyn__window_options *o, dyn__window *w);
/* Entry i of a list that may be missing. */
static inline int64_t dyn__entry(const int64_t *list, int32_t i, int64_t missing) { return list ? list[i] : missing; }

#endif
