/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Buffers of a transformer (arXiv 2405.15302): what attention hands on is written through a fixed matrix Z_l of its layer,
 * and the next layer looks for it there. Without them scores and output of an attention are those of its weights alone. */
#ifndef DYN__BUFFERS_H
#define DYN__BUFFERS_H

#include <dyn/transformer.h>

/* scores [n, heads, T, T] + beta x Z_(l-1)^T y^T / sqrt(key_width), in layers l > 1. x, y: [n, T, width]. */
dyn_node dyn__buffers_matched(dyn_build *b, const dyn_transformer_options *o, int32_t layer, dyn_node scores, dyn_node x,
                              dyn_node y);
/* out [n, T, width] + sum_h alpha_h maps_h y Z_l. maps: [n, heads, T, T]. */
dyn_node dyn__buffers_carried(dyn_build *b, const dyn_transformer_options *o, int32_t layer, dyn_node out, dyn_node maps,
                              dyn_node y);

#endif
