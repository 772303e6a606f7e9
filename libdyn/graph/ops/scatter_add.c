/* SPDX-License-Identifier: BSD-3-Clause
 *
 * scatter_add: tables of attr.n rows, zero but for x[b.., i.., ..] added at row index[b.., i..] of table b, in the
 * order of i; attr.i[0] leading axes b are in common. Indices out of range are skipped. Linear in x. transpose: gather.
 * batch: as gather. */
#include "graph/ops/indexed.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]), *index = dyn__at(g, n->in[1]);
    const int64_t lead = n->attr.i[0];
    char p[128], q[128];

    if (x->dtype != g->dtype || index->dtype != DYN_I64)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "scatter_add needs a tensor of numbers and a tensor of indices");
    int fits = lead >= 0 && n->attr.n >= 1 && index->shape.rank >= lead && x->shape.rank >= index->shape.rank
            && lead + 1 + x->shape.rank - index->shape.rank <= DYN_MAX_RANK;
    for (int k = 0; fits && k < index->shape.rank; k++)
        fits = x->shape.dim[k] == index->shape.dim[k];
    if (!fits)
        return DYN__FAIL(g->ctx, DYN_ESHAPE,
                         "scatter_add of %s by indices %s into %lld rows with %lld leading axes in common",
                         dyn__shape_text(&x->shape, p), dyn__shape_text(&index->shape, q), (long long)n->attr.n,
                         (long long)lead);
    n->shape = (dyn__shape){.rank = (int32_t)lead + 1};
    memcpy(n->shape.dim, x->shape.dim, (size_t)lead * sizeof x->shape.dim[0]);
    n->shape.dim[lead] = n->attr.n;
    for (int k = index->shape.rank; k < x->shape.rank; k++)
        n->shape.dim[n->shape.rank++] = x->shape.dim[k];
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)i;
    return dyn_graph_batched_gather(g, ct, dyn__operand(g, y, 1), (int32_t)dyn__at(g, y)->attr.i[0]);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const int64_t rows = dyn__at(g, y)->attr.n;
    const int32_t lead = (int32_t)dyn__at(g, y)->attr.i[0];
    const int32_t rank = dyn__at(g, dyn__operand(g, y, 1))->shape.rank;

    if (batched[1])
        return dyn_graph_batched_scatter_add(g, batched[0] ? in[0] : dyn__lead(g, in[0], size), in[1], lead + 1, rows);
    dyn_node tables = dyn_graph_batched_scatter_add(g, dyn__move_axis(g, in[0], 0, rank), in[1], lead, rows);
    return dyn__move_axis(g, tables, lead + 1, 0);
}

/* As gather; what is added to one table from several samples joins them. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int32_t lead = (int32_t)n->attr.i[0], behind = dyn__at(g, n->in[1])->shape.rank;
    const dyn__label common = dyn__label_join(in[0], in[1]);

    (void)samples;
    if (in[0].axis >= behind && in[1].axis < 0)
        return dyn__label_at(in[0], in[0].axis - behind + lead + 1);
    return common.axis < lead ? common : dyn__coupled_label();
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const struct { int32_t x, index; int64_t rows[3], at[2]; int32_t lead; } c[] = {
        {2, 1, {4, 2}, {4}, 0}, {1, 1, {4}, {4}, 0}, {3, 2, {4, 5, 2}, {4, 5}, 0}, {1, 0, {2}, {0}, 0},
        {1, 1, {4}, {4}, 1}, {3, 2, {4, 5, 2}, {4, 5}, 1},
    };

    if (k >= (int)(sizeof c / sizeof c[0]))
        return DYN_ENOTSUP;
    dyn_node index = dyn_graph_indices(g, "i", c[k].index, c[k].at);
    return dyn_graph_batched_scatter_add(g, dyn_graph_input(g, "a", c[k].x, c[k].rows), index, c[k].lead, 3);
}

static void evaluate(const dyn__frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        const int64_t to = dyn__table_element(f, &f->n->shape, f->shape[0], i);
        if (to >= 0)
            f->out[to] += f->in[0][i];
    }
}

/* ---- how it is compiled ---- */

static void run(const dyn_exec *e, const dyn__step *step)
{
    const dyn__indexed *d = step->own;
    const dyn__instr *q = &step->instr[0];
    char *y = dyn__argument(e, q, 0), *x = dyn__argument(e, q, 1);
    const int64_t *index = dyn__indices(e, q, 2);
    const int64_t rows = d->rows * d->cols * e->plan->esize, table = d->table * d->cols * e->plan->esize;

    memset(y, 0, (size_t)(d->sets * table));
    for (int64_t set = 0; set < d->sets; set++, index += d->rows)
        e->plan->table->scatter_add(d->rows, d->cols, y + set * table, d->table, x + set * rows, index);
}

static const dyn__step_kind scattering = {.name = "scatter", .run = run};

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *x = dyn__shape_of(k, n->in[0]);
    const int32_t behind = dyn__shape_of(k, n->in[1])->rank;

    return dyn__indexed_step(k, step, y, &scattering, dyn__size_of_axes(x, behind, x->rank), n->attr.n);
}

static const dyn__form form = {.role = DYN__MOVE, .lower = dyn__lower_indexed, .move = move};

const dyn__op dyn__op_scatter_add = {
    .name = "scatter_add", .nin = 2, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample, .evaluate = evaluate,
    .form = &form,
};
