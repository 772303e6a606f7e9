/* SPDX-License-Identifier: BSD-3-Clause
 *
 * add: y = a + b, elementwise. Linear in both together, so a tangent passes unchanged. transpose: ct to each. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i;
    return t;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)g, (void)y, (void)i;
    return ct;
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_add(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_add, k, NULL);
}

DYN__EVALUATE(a + b)

/* ---- how it is compiled ---- */

/* x = a + b of two sums over the same rows that nobody else reads is such a sum itself. */
static int adds_terms(const dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);

    if (k->unfused || n->op != DYN__OP_add || n->in[0] == n->in[1] || k->node[x].sums > DYN__MOST_SUMS)
        return 0;
    const dyn__cnode *a = &k->node[n->in[0]], *b = &k->node[n->in[1]];
    for (int i = 0; i < 2; i++)
        if (k->node[n->in[i]].role != DYN__TERM || readers[n->in[i]] > 1
            || !dyn__shape_equal(&dyn__at(k->g, n->in[i])->shape, &n->shape))
            return 0;
    return a->stage == b->stage && dyn__same_rows(a, b) && a->C == b->C;
}

static int32_t most_sums(const dyn__cnode *a, const dyn__cnode *b) { return a->sums > b->sums ? a->sums : b->sums; }

static void set_as(dyn__cnode *c, const dyn__cnode *a)
{
    c->role = a->role;
    c->outer = a->outer;
    c->V = a->V;
    c->R = a->R;
    c->C = a->C;
    c->row_axes = a->row_axes;
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);
    dyn__cnode *c = &k->node[x];

    c->sums = 1 + most_sums(&k->node[n->in[0]], &k->node[n->in[1]]);
    if (adds_terms(k, x, readers))
        set_as(c, &k->node[n->in[0]]);
    else
        dyn__assign_rows(k, x, &n->shape, n->shape.rank);
}

static int fuse(dyn__compiler *k, dyn__instr *q, dyn_node y) { return dyn__multiply_add(k, q, y, y); }

static const dyn__form form = {.role = DYN__ROW, .assign = assign, .fuse = fuse};

const dyn__op dyn__op_add = {
    .name = "add", .nin = 2, .linear = 3, .kernel = DYN__K_ADD, .cheap = 1, .commutative = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
