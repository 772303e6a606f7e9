/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the file of a primitive needs. Rules emit primitives only; they may call any builder, since a builder emits
 * nothing else. The operands of node y are read before the first emission: the node array moves when it grows. */
#ifndef DYN__OP_H
#define DYN__OP_H

#include "graph/graph.h"
#include "graph/label.h"
#include "kernel/kernel.h"

static inline dyn_node dyn__operand(const dyn_graph *g, dyn_node y, int i) { return g->node[y].in[i]; }

/* Reductions over the axes in attr. */
dyn_status dyn__infer_reduction(dyn_graph *g, dyn__node *n);
/* A value of the shape of reduction y, repeated into the shape of its operand. */
dyn_node dyn__spread(dyn_graph *g, dyn_node y, dyn_node value);
/* The axes of y when a leading axis has been added; returns their number. */
int32_t dyn__shifted_axes(const dyn_graph *g, dyn_node y, int32_t axes[DYN_MAX_RANK]);
dyn__label dyn__label_reduction(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples);
dyn_node dyn__sample_reduction(dyn_graph *g, int op, int k);

/* A window: a tensor of shape `part` that begins at attr.i[k] along every axis k of one of shape `whole`. */
dyn_status dyn__infer_window(dyn_graph *g, dyn__node *n, const dyn__shape *part, const dyn__shape *whole);
/* Where the window of y begins when a leading axis has been added. */
void dyn__shifted_start(const dyn_graph *g, dyn_node y, int64_t start[DYN_MAX_RANK]);

/* The first two axes exchanged. */
static inline dyn_node dyn__swap_lead(dyn_graph *g, dyn_node x)
{
    static const int32_t axes[DYN_MAX_RANK] = {1, 0, 2, 3, 4, 5, 6, 7};
    return x < 0 ? x : dyn_graph_permute(g, x, axes);
}

#endif
