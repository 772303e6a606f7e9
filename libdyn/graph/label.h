/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where the samples lie in a tensor. A label is carried from the inputs through the nodes by a rule of each primitive,
 * so that what depends on one sample only is told from what joins several, and at which node it does. */
#ifndef DYN__LABEL_H
#define DYN__LABEL_H

#include "graph/graph.h"

/* Along `axis` element ((o * n) + i) * inner + j belongs to sample i of n, for o < outer and j < inner. */
typedef struct dyn__label { int32_t axis; int64_t outer, inner; } dyn__label;
/* Values of axis: the tensor is the same whatever the samples are; some of its elements depend on several samples. */
enum { DYN__SHARED = -1, DYN__COUPLED = -2 };

static inline dyn__label dyn__shared_label(void) { return (dyn__label){DYN__SHARED, 1, 1}; }
static inline dyn__label dyn__coupled_label(void) { return (dyn__label){DYN__COUPLED, 1, 1}; }
static inline int dyn__label_equal(dyn__label a, dyn__label b)
{
    return a.axis == b.axis && a.outer == b.outer && a.inner == b.inner;
}
/* The label of operands that are read element by element. */
dyn__label dyn__label_join(dyn__label a, dyn__label b);
/* x with its labelled axis moved to `axis`; negative: coupled. */
static inline dyn__label dyn__label_at(dyn__label x, int64_t axis)
{
    return axis < 0 ? dyn__coupled_label() : (dyn__label){(int32_t)axis, x.outer, x.inner};
}

/* Label the nodes of g that are called shared, [g->count] of them, from those that are not: inputs of samples above all. */
void dyn__label_samples(const dyn_graph *g, int64_t samples, dyn__label *label);
/* The node at which x, which is coupled, first joins samples. */
dyn_node dyn__coupling_node(const dyn_graph *g, const dyn__label *label, dyn_node x);

#endif
