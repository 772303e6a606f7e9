/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pad: y is zero but for x, which begins at attr.i[k] along every axis k. Linear. transpose: slice. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    return dyn__infer_window(g, n, &dyn__at(g, n->in[0])->shape, &n->shape);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__shape x = dyn__at(g, n.in[i])->shape;

    return dyn_graph_slice(g, ct, n.attr.i, x.dim);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__shape s = dyn__shape_lead(&dyn__at(g, y)->shape, size);
    int64_t start[DYN_MAX_RANK];

    (void)batched;
    dyn__shifted_start(g, y, start);
    return dyn_graph_pad(g, in[0], start, s.dim);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int32_t k = in[0].axis;
    const int64_t block = samples * in[0].inner;

    (void)g;
    if (n->attr.i[k] % block || n->shape.dim[k] % block)
        return dyn__coupled_label();
    return (dyn__label){k, n->shape.dim[k] / block, in[0].inner};
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int64_t start[2][2] = {{1, 2}, {0, 0}}, size[2][2] = {{6, 9}, {5, 6}};
    return k < 2 ? dyn_graph_pad(g, dyn_graph_input(g, "a", 2, (int64_t[]){4, 6}), start[k], size[k]) : DYN_ENOTSUP;
}

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q = dyn__new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    dyn__set_clear(k, &q[0], y);
    dyn__set_copy(k, &q[1], y, n->in[0], n->attr.i);
    return DYN_OK;
}

static void evaluate(const dyn__frame *f)
{
    int64_t at[DYN_MAX_RANK];

    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        dyn__coordinates(f->shape[0], i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[dyn__flat(&f->n->shape, at)] = f->in[0][i];
    }
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    (void)readers;
    dyn__assign_parts(k, x);
}

static const dyn__form form = {.role = DYN__MOVE, .assign = assign, .select_all = dyn__select_parts, .move = move};

const dyn__op dyn__op_pad = {
    .name = "pad", .nin = 1, .linear = 1, .kernel = -1, .shaped = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
