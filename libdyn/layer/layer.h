/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What layers share: shapes, operands that may be missing, means over axes that stay. */
#ifndef DYN__LAYER_H
#define DYN__LAYER_H

#include <dyn/layer.h>
#include "graph/graph.h"

/* x is a node of at least this rank, called `what` in the message. */
dyn_status dyn__need_rank(dyn_graph *g, const char *what, dyn_node x, int32_t rank);
/* An operand that may be missing: passes DYN_NO_NODE, refuses other negative nodes. */
dyn_status dyn__check_optional(const dyn_graph *g, dyn_node x);

static inline const dyn__shape *dyn__shape_of(const dyn_graph *g, dyn_node x) { return &dyn__at(g, x)->shape; }
static inline int64_t dyn__last(const dyn__shape *s) { return s->dim[s->rank - 1]; }
static inline dyn_node dyn__scalar(dyn_graph *g, double value) { return dyn_graph_constant(g, value, 0, NULL); }

/* a + b, a * b where b is there, else a. */
dyn_node dyn__plus(dyn_graph *g, dyn_node a, dyn_node b);
dyn_node dyn__times(dyn_graph *g, dyn_node a, dyn_node b);
/* Mean over the axes from `first` to `end` - 1, which stay as axes of size 1. */
dyn_node dyn__mean_kept(dyn_graph *g, dyn_node x, int32_t first, int32_t end);
/* Sum over the last axis, which stays as an axis of size 1. */
dyn_node dyn__sum_last(dyn_graph *g, dyn_node x);
/* softmax.c: the largest along the last axis, which stays as one of size 1, held fixed in derivatives; a number below all
 * that are seen; one whose exp is 0 in either element type. */
dyn_node dyn__largest(dyn_graph *g, dyn_node x);
dyn_node dyn__lowest(dyn_graph *g);
enum { DYN__GONE = -10000 };
/* Exchanges two axes. */
dyn_node dyn__swap_axes(dyn_graph *g, dyn_node x, int32_t i, int32_t j);
/* `size` elements of an axis from `start` on. */
dyn_node dyn__part(dyn_graph *g, dyn_node x, int32_t axis, int64_t start, int64_t size);

#endif
