/* SPDX-License-Identifier: BSD-3-Clause
 *
 * concat: a and b one after the other along axis attr.n. Linear in both together. transpose: slices of ct. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *a = dyn__at(g, n->in[0]), *b = dyn__at(g, n->in[1]);
    char p[128], q[128];
    int same = a->shape.rank == b->shape.rank && n->attr.n >= 0 && n->attr.n < a->shape.rank;

    if (a->dtype != g->dtype || b->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "concat of a tensor of indices");
    for (int k = 0; same && k < a->shape.rank; k++)
        same = k == n->attr.n || a->shape.dim[k] == b->shape.dim[k];
    if (!same)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "concat of %s and %s along axis %lld", dyn__shape_text(&a->shape, p),
                         dyn__shape_text(&b->shape, q), (long long)n->attr.n);
    n->shape = a->shape;
    n->shape.dim[n->attr.n] += b->shape.dim[n->attr.n];
    return DYN_OK;
}

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    int32_t axis = (int32_t)dyn__at(g, y)->attr.n;
    dyn_node zero = dyn__like(g, 0, dyn__operand(g, y, 1 - i));

    return i == 0 ? dyn_graph_concat(g, t, zero, axis) : dyn_graph_concat(g, zero, t, axis);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__shape a = dyn__at(g, n.in[0])->shape, x = dyn__at(g, n.in[i])->shape;
    int64_t start[DYN_MAX_RANK] = {0};

    if (i == 1)
        start[n.attr.n] = a.dim[n.attr.n];
    return dyn_graph_slice(g, ct, start, x.dim);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    int32_t axis = (int32_t)dyn__at(g, y)->attr.n + 1;

    dyn_node a = batched[0] ? in[0] : dyn__lead(g, in[0], size), b = batched[1] ? in[1] : dyn__lead(g, in[1], size);
    return dyn_graph_concat(g, a, b, axis);
}

/* Two blocks of all samples one after the other are one with more of them. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)g, (void)samples;
    if (n->attr.n != in[0].axis && n->attr.n != in[1].axis)
        return dyn__label_join(in[0], in[1]);
    if (in[0].axis != in[1].axis || in[0].inner != in[1].inner)
        return dyn__coupled_label();
    return (dyn__label){in[0].axis, in[0].outer + in[1].outer, in[0].inner};
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int64_t a[2][2] = {{2, 3}, {2, 3}}, b[2][2] = {{4, 3}, {2, 1}};
    return k < 2 ? dyn_graph_concat(g, dyn_graph_input(g, "a", 2, a[k]), dyn_graph_input(g, "b", 2, b[k]), k)
        : DYN_ENOTSUP;
}

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    int64_t start[DYN_MAX_RANK] = {0};
    dyn__instr *q = dyn__new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    dyn__set_copy(k, &q[0], y, n->in[0], NULL);
    start[n->attr.n] = dyn__at(k->g, n->in[0])->shape.dim[n->attr.n];
    dyn__set_copy(k, &q[1], y, n->in[1], start);
    return DYN_OK;
}

static void evaluate(const dyn__frame *f)
{
    const int64_t axis = f->n->attr.n, first = f->shape[0]->dim[axis];
    int64_t at[DYN_MAX_RANK];

    for (int64_t i = 0; i < f->size; i++) {
        dyn__coordinates(&f->n->shape, i, at);
        const int k = at[axis] >= first;
        at[axis] -= k ? first : 0;
        f->out[i] = f->in[k][dyn__flat(f->shape[k], at)];
    }
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    (void)readers;
    dyn__assign_parts(k, x);
}

static const dyn__form form = {.role = DYN__MOVE, .assign = assign, .select_all = dyn__select_parts, .move = move};

const dyn__op dyn__op_concat = {
    .name = "concat", .nin = 2, .linear = 3, .jointly = 1, .kernel = -1,
    .infer = infer, .label = label, .jvp = jvp, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
