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

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    const int is_array = dyn__at(g, x)->attr.i[0] == DYN__ARRAY;

    return snprintf(text, size, " %s", is_array ? "constant" : dyn__name_of(g, x));
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k ? DYN_ENOTSUP : dyn_graph_input(g, "a", 2, (int64_t[]){2, 3});
}

static const dyn__form form = {.role = DYN__LEAF};

const dyn__op dyn__op_input = {
    .name = "input", .nin = 0, .kernel = -1, .shaped = 1,
    .infer = infer, .sample = sample, .print = print, .form = &form,
};
