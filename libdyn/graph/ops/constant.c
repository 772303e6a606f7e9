/* SPDX-License-Identifier: BSD-3-Clause
 *
 * constant: every element has the value attr.f. No storage: it is broadcast where it is used. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    (void)g, (void)n;
    return DYN_OK;
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k ? DYN_ENOTSUP : dyn_graph_constant(g, 1.5, 2, (int64_t[]){2, 3});
}

const dyn__op dyn__op_constant = {.name = "constant", .nin = 0, .kernel = -1, .shaped = 1, .infer = infer, .sample =
                                  sample};
