/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The steps of attention, for those who name what passes between them. q [.., heads, L, dk]; keys and values may have
 * fewer heads. */
#ifndef DYN__ATTENTION_H
#define DYN__ATTENTION_H

#include "layer/layer.h"

/* scale q k^T [.., L, S]; scale NAN: 1/sqrt(dk). */
dyn_node dyn__attention_scores(dyn_graph *g, dyn_node q, dyn_node k, double scale);
/* Their softmax over what mask (or DYN_NO_NODE) and causality leave. */
dyn_node dyn__attention_weights(dyn_graph *g, dyn_node scores, dyn_node mask, int32_t causal);
dyn_node dyn__attention_values(dyn_graph *g, dyn_node weights, dyn_node v);
/* The scale; keys or values y [.., heads, S, ..] repeated for the heads of x. */
double dyn__attention_scale(const dyn_graph *g, dyn_node q, double scale);
dyn_node dyn__attention_heads(dyn_graph *g, dyn_node y, dyn_node x);

/* attention_blocks.c: all of it without scores and weights as a whole, where there are queries for several blocks. */
int dyn__attention_has_blocks(const dyn_graph *g, dyn_node q);
dyn_node dyn__attention_in_blocks(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v, dyn_node mask, int32_t causal,
                                  double scale);

#endif
