/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Derivatives as transforms from graph to graph. Forward mode is a walk over the nodes with the jvp rules; reverse
 * mode walks the tangent part, which is linear, backwards with the transpose rules. Everything else is built of these
 * two and of batching. */
#ifndef DYN__DIFF_H
#define DYN__DIFF_H

#include "graph/graph.h"

/* Tangents of the outputs; tangents[i] may be DYN__ZERO, and out[j] too unless solid is set: then it is made of
 * zeros. out may be outputs. */
dyn_status dyn__jvp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, int32_t n_in, const dyn_node *inputs,
                    const dyn_node *tangents, int solid, dyn_node *out);
/* Cotangents of `inputs` from those of `outputs`, which depend on inputs linearly. cotangents[j] and out[i] may be
 * DYN__ZERO. */
dyn_status dyn__transpose(dyn_graph *g, int32_t n_out, const dyn_node *outputs, const dyn_node *cotangents,
                          int32_t n_in, const dyn_node *inputs, dyn_node *out);
/* Gauss-Newton product J^T (d^2 scalar / d f^2) J v, where scalar depends on the inputs through all of f together. */
dyn_status dyn__ggn(dyn_graph *g, dyn_node scalar, int32_t n_f, const dyn_node *f, int32_t n_in,
                    const dyn_node *inputs, const dyn_node *v, dyn_node *out);
/* dep[x] = 1 for the nodes that depend on the inputs (themselves included), for x < count. */
void dyn__mark_dependent(const dyn_graph *g, int32_t count, int32_t n_in, const dyn_node *inputs, uint8_t *dep);
/* Item i of the list `what`, node x, must have this shape. */
dyn_status dyn__check_shape(dyn_graph *g, const char *what, int32_t i, dyn_node x, const dyn__shape *shape);
dyn_status dyn__check_nodes(dyn_graph *g, const char *what, int32_t count, const dyn_node *list);

#endif
