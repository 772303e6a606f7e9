/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the file of a primitive needs. Rules emit primitives only; they may call any builder, since a builder emits
 * nothing else. The operands of node y are read before the first emission: the node array moves when it grows.
 *
 * How a primitive is compiled stands at the end of its file: compile/form.h. */
#ifndef DYN__OP_H
#define DYN__OP_H

#include <stdio.h>
#include <string.h>
#include "compile/move.h"
#include "graph/evaluate.h"
#include "graph/label.h"
#include "graph/windows.h"
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

/* Where element i of the operand goes. */
int64_t dyn__reduced_index(const dyn__frame *f, int64_t i);
/* The axes as bits; x without those of them that have size 1 (in a graph being lowered); the instruction. */
uint32_t dyn__axis_mask(const dyn__node *n);
dyn_node dyn__without_axes(dyn_graph *g, dyn_node x, uint32_t mask);
dyn_status dyn__select_reduction(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into);

/* matmul_form.c */
extern const dyn__form dyn__matmul_form;
dyn_node dyn__lower_sum_of_products(dyn__lowering *l, dyn_node x, uint32_t mask);

/* A window: a tensor of shape `part` that begins at attr.i[k] along every axis k of one of shape `whole`. */
dyn_status dyn__infer_window(dyn_graph *g, dyn__node *n, const dyn__shape *part, const dyn__shape *whole);
/* Where the window of y begins when a leading axis has been added. */
void dyn__shifted_start(const dyn_graph *g, dyn_node y, int64_t start[DYN_MAX_RANK]);

/* Windows along an axis, of unfold and fold: graph/windows.h. */
int dyn__windows_span(const dyn__attr *attr, int64_t *low, int64_t *high);
dyn_status dyn__check_windows(dyn_graph *g, const dyn__node *n, int32_t axes);
/* The windows of y when a leading axis has been added. */
dyn__attr dyn__windows_behind_lead(const dyn_graph *g, dyn_node y);
int dyn__sample_windows(int k, dyn__attr *attr);
/* Element of `whole` that element i of the windows stands for; -1 outside. */
int64_t dyn__whole_element(const dyn__frame *f, const dyn__shape *windows, const dyn__shape *whole, int64_t i);

/* Axis `from` of x becomes axis `to`, the others keep their order. */
static inline dyn_node dyn__move_axis(dyn_graph *g, dyn_node x, int32_t from, int32_t to)
{
    int32_t axes[DYN_MAX_RANK] = {0};

    if (x < 0)
        return x;
    for (int32_t k = 0, next = 0; k < dyn__at(g, x)->shape.rank; k++) {
        next += next == from;
        axes[k] = k == to ? from : next++;
    }
    return dyn_graph_permute(g, x, axes);
}

#endif
