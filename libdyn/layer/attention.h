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

#endif
