/* SPDX-License-Identifier: BSD-3-Clause
 *
 * constant: every element has the value attr.f. No storage: it is broadcast where it is used. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    (void)g, (void)n;
    return DYN_OK;
}

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    return snprintf(text, size, " %.9g", dyn__at(g, x)->attr.f);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k ? DYN_ENOTSUP : dyn_graph_constant(g, 1.5, 2, (int64_t[]){2, 3});
}

/* One element for all. */
static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    (void)g, (void)in;
    *v = (dyn__view){x, 0, {0}};
}

static void evaluate(const dyn__frame *f)
{
    for (int64_t i = 0; i < f->size; i++)
        f->out[i] = f->n->attr.f;
}

static const dyn__form form = {.role = DYN__LEAF, .view = view};

const dyn__op dyn__op_constant = {
    .name = "constant", .nin = 0, .kernel = -1, .shaped = 1,
    .infer = infer, .sample = sample, .evaluate = evaluate, .print = print, .form = &form,
};
