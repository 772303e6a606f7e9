/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files beside this one add to the library, each on its own, from outside. */
#ifndef EXTEND_H
#define EXTEND_H

#include <dyn/dyn.h>
#include "graph/graph.h"

/* arctan.c: a primitive with a kernel of its own. */
extern const dyn__op op_arctan;
dyn_node arctan(dyn_graph *g, dyn_node x);

/* running_sum.c: a primitive with a kind of step of its own. Along the last axis, from the first element on or from the
 * last. */
extern const dyn__op op_running_sum;
dyn_node running_sum(dyn_graph *g, dyn_node x, int backwards);

/* pinball.c: a loss. The quantile q of targets y [n] given x, by a model of one output; u lives as long as *out. */
typedef struct quantile { dyn_model *model; double q; } quantile;
dyn_status pinball_objective(dyn_ctx *ctx, quantile *u, dyn_array *x, dyn_array *y, dyn_objective **out);

#endif
