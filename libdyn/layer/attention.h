/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Attention with all that passes on the way, for those who name it. */
#ifndef DYN__ATTENTION_H
#define DYN__ATTENTION_H

#include "layer/layer.h"

typedef struct dyn__attention {
    dyn_node scores;    /* [.., L, S], scaled, before the mask */
    dyn_node weights;   /* [.., L, S] */
    dyn_node heads;     /* [.., L, dv] */
} dyn__attention;

/* As dyn_layer_scaled_dot_product_attention. */
dyn_status dyn__attend(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v, dyn_node mask, int32_t causal, double scale,
                       dyn__attention *out);

#endif
