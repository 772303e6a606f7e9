/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The oracle: evaluates a graph node by node with plain loops in double, by each primitive's definition alone
 * (graph/evaluate.h), which shares no code with the compiler and the kernels. Of a float32 graph, the result of every node is rounded to float32.
 *
 * Usage: interpret_new, interpret_set for every leaf, interpret_run, then read interpret_value. */
#ifndef INTERPRET_H
#define INTERPRET_H

#include "graph/graph.h"

typedef struct interpreter {
    const dyn_graph *g;
    int32_t capacity;
    double **value;     /* one array per node, NULL = not computed; indices are kept as doubles */
    uint8_t *given;     /* set from outside: kept from run to run */
} interpreter;

void interpret_new(interpreter *p, const dyn_graph *g);
void interpret_free(interpreter *p);
/* Give node x, of any kind, its elements. */
void interpret_set(interpreter *p, dyn_node x, const double *data);
/* Evaluate all that the outputs need; returns the number of leaves that were not set. The graph may have grown. */
int interpret_run(interpreter *p, int32_t count, const dyn_node *outputs);
/* interpret_run for one output, and its elements. */
const double *interpret_value(interpreter *p, dyn_node x);

#endif
