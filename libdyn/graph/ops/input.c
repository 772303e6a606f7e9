/* SPDX-License-Identifier: BSD-3-Clause
 *
 * input: a tensor given from outside: parameter, data, or a tangent. attr: kind, number, element type. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    (void)g;
    n->dtype = (int32_t)n->attr.i[2];
    return DYN_OK;
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k ? DYN_ENOTSUP : dyn_graph_input(g, "a", 2, (int64_t[]){2, 3});
}

const dyn__op dyn__op_input = {.name = "input", .nin = 0, .kernel = -1, .shaped = 1, .infer = infer, .sample = sample};
