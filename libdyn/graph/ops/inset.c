/* SPDX-License-Identifier: BSD-3-Clause
 *
 * inset: y = x with a added from attr.i[k] on along every axis k. Linear in both together. transpose: ct, and a slice of
 * it. What several slices of one tensor send back is added up so, without a tensor of zeros for each. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    n->shape = dyn__at(g, n->in[0])->shape;
    if (dyn__at(g, n->in[0])->dtype != g->dtype || dyn__at(g, n->in[1])->shape.rank != n->shape.rank)
        return DYN__FAIL(g->ctx, DYN_EINTERNAL, "inset of node %d into node %d", (int)n->in[1], (int)n->in[0]);
    return dyn__infer_window(g, n, &dyn__at(g, n->in[1])->shape, &n->shape);
}

static dyn_node inset(dyn_graph *g, dyn_node x, dyn_node a, const int64_t *start)
{
    const dyn_node in[2] = {x, a};
    dyn__attr attr = {{0}, 0, 0};

    DYN__TRY(x);
    attr.n = dyn__at(g, x)->shape.rank;
    memcpy(attr.i, start, (size_t)attr.n * sizeof *start);
    return dyn__insert(g, DYN__OP_inset, 2, in, &attr, NULL);
}

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    const dyn__node n = *dyn__at(g, y);

    return i == 0 ? t : dyn_graph_pad(g, t, n.attr.i, n.shape.dim);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__shape a = dyn__at(g, n.in[1])->shape;

    return i == 0 ? ct : dyn_graph_slice(g, ct, n.attr.i, a.dim);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    int64_t start[DYN_MAX_RANK];
    dyn_node x = batched[0] ? in[0] : dyn__lead(g, in[0], size), a = batched[1] ? in[1] : dyn__lead(g, in[1], size);

    dyn__shifted_start(g, y, start);
    return inset(g, x, a, start);
}

/* What is set in may hold whole blocks of all samples, as for pad. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int32_t k = in[1].axis;
    const int64_t block = samples * in[1].inner;
    dyn__label part = in[1];

    (void)g;
    if (k >= 0)
        part = n->attr.i[k] % block || n->shape.dim[k] % block
                   ? dyn__coupled_label() : (dyn__label){k, n->shape.dim[k] / block, in[1].inner};
    return dyn__label_join(in[0], part);
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int64_t start[2][2] = {{1, 2}, {0, 0}}, size[2][2] = {{2, 3}, {4, 1}};

    return k < 2 ? inset(g, dyn_graph_input(g, "a", 2, (int64_t[]){4, 6}), dyn_graph_input(g, "b", 2, size[k]), start[k])
                 : DYN_ENOTSUP;
}

/* y = x with a added in a window; x may lie where y does. */
static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q = dyn__new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    dyn__set_copy(k, &q[0], y, n->in[0], NULL);
    dyn__set_copy(k, &q[1], y, n->in[1], n->attr.i);
    q[1].kernel = DYN__K_ADD;
    q[1].nargs = 3;
    q[1].arg[2] = q[1].arg[1];
    q[1].arg[1] = q[1].arg[0];
    return DYN_OK;
}

static void evaluate(const dyn__frame *f)
{
    int64_t at[DYN_MAX_RANK];

    memcpy(f->out, f->in[0], (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[1]); i++) {
        dyn__coordinates(f->shape[1], i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[dyn__flat(&f->n->shape, at)] += f->in[1][i];
    }
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    (void)readers;
    dyn__assign_parts(k, x);
}

static const dyn__form form = {.role = DYN__MOVE, .assign = assign, .select_all = dyn__select_parts, .move = move, .in_place = 1};

const dyn__op dyn__op_inset = {
    .name = "inset", .nin = 2, .linear = 3, .jointly = 1, .kernel = -1,
    .infer = infer, .label = label, .jvp = jvp, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
