/* SPDX-License-Identifier: BSD-3-Clause
 *
 * gather: y[b.., i.., ..] = table[b.., index[b.., i..], ..] with attr.i[0] leading axes b in common; an index out of
 * range gives NaN. Linear in the table. transpose: scatter_add.
 * batch: indices that carry the axis share it with the table; else it travels behind the rows of the table and back. */
#include "graph/ops/indexed.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]), *index = dyn__at(g, n->in[1]);
    const int64_t lead = n->attr.i[0];
    char p[128], q[128];

    if (x->dtype != g->dtype || index->dtype != DYN_I64)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "gather needs a table of numbers and a tensor of indices");
    int fits = lead >= 0 && x->shape.rank > lead && index->shape.rank >= lead
            && index->shape.rank + x->shape.rank - lead - 1 <= DYN_MAX_RANK;
    for (int k = 0; fits && k < lead; k++)
        fits = x->shape.dim[k] == index->shape.dim[k];
    if (!fits)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "gather from %s by indices %s with %lld leading axes in common",
                         dyn__shape_text(&x->shape, p), dyn__shape_text(&index->shape, q), (long long)lead);
    n->shape = index->shape;
    for (int64_t k = lead + 1; k < x->shape.rank; k++)
        n->shape.dim[n->shape.rank++] = x->shape.dim[k];
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const int32_t lead = (int32_t)dyn__at(g, y)->attr.i[0];
    const int64_t rows = dyn__at(g, dyn__operand(g, y, i))->shape.dim[lead];

    return dyn_graph_batched_scatter_add(g, ct, dyn__operand(g, y, 1), lead, rows);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const int32_t lead = (int32_t)dyn__at(g, y)->attr.i[0];
    const int32_t rank = dyn__at(g, dyn__operand(g, y, 1))->shape.rank;

    if (batched[1] && !batched[0] && lead == 0)
        return dyn_graph_gather(g, in[0], in[1]);
    if (batched[1])
        return dyn_graph_batched_gather(g, batched[0] ? in[0] : dyn__lead(g, in[0], size), in[1], lead + 1);
    dyn_node rows = dyn_graph_batched_gather(g, dyn__move_axis(g, in[0], 0, lead + 1), in[1], lead);
    return dyn__move_axis(g, rows, rank, 0);
}

/* Rows for every sample from a table that all share, or from tables that run along behind the rows; or samples along a
 * leading axis that table and indices have in common. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int32_t lead = (int32_t)n->attr.i[0], table = in[0].axis, index = in[1].axis;

    (void)samples;
    if (table < 0)
        return in[1];
    if (table < lead)
        return index < 0 || dyn__label_equal(in[0], in[1]) ? in[0] : dyn__coupled_label();
    if (index >= 0 || table == lead)
        return dyn__coupled_label();
    return dyn__label_at(in[0], table - lead - 1 + dyn__at(g, n->in[1])->shape.rank);
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const struct { int32_t table, index; int64_t rows[3], at[2]; int32_t lead; } c[] = {
        {2, 1, {3, 2}, {4}, 0}, {1, 1, {3}, {4}, 0}, {2, 2, {3, 2}, {4, 5}, 0}, {2, 0, {3, 2}, {0}, 0},
        {2, 1, {4, 3}, {4}, 1}, {3, 2, {4, 3, 2}, {4, 5}, 1},
    };

    if (k >= (int)(sizeof c / sizeof c[0]))
        return DYN_ENOTSUP;
    dyn_node index = dyn_graph_indices(g, "i", c[k].index, c[k].at);
    return dyn_graph_batched_gather(g, dyn_graph_input(g, "a", c[k].table, c[k].rows), index, c[k].lead);
}

static void evaluate(const dyn__frame *f)
{
    for (int64_t i = 0; i < f->size; i++) {
        const int64_t from = dyn__table_element(f, f->shape[0], &f->n->shape, i);
        f->out[i] = from >= 0 ? f->in[0][from] : (double)NAN;
    }
}

/* ---- how it is compiled: rows of a cluster, which reads of the table what its tile needs ---- */

/* Rows are counted by the axes that table and indices have in common, or, where they have none but the outer one, by
 * those of the indices, all of them if the readers wish for nothing else. */
static void assign(dyn__compiler *k, dyn_node y, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, y);
    const int outer = dyn__carries_outer(k, y), lead = (int)n->attr.i[0], in_common = lead > outer;
    const int most = (in_common ? lead : dyn__shape_of(k, n->in[1])->rank) - outer;
    dyn__cnode *c = &k->node[y];

    (void)readers;
    c->role = k->unfused || most < 1 ? DYN__MOVE : DYN__ROW;
    if (c->role == DYN__MOVE)
        return;
    int axes = in_common ? dyn__axes_for(k, y, &n->shape, outer, most)
             : c->wish ? dyn__row_axes(&n->shape, outer, c->wish) : most;
    dyn__set_rows(c, &n->shape, outer, axes < 1 || axes > most ? most : axes);
}

/* The table, unless every row has its own. */
static int reads_whole(const dyn__compiler *k, dyn_node y, int i)
{
    const dyn__cnode *c = &k->node[y];

    return i == 0 && c->outer + c->row_axes > dyn__at(k->g, y)->attr.i[0];
}

static const int64_t *tile_indices(const dyn_exec *e, const dyn__operand_ref *r, const dyn__piece *at)
{
    return (const int64_t *)e->base[r->place.base] + r->place.offset + at->set * r->set + at->row * r->row;
}

/* Row after row, in one call where they lie one after the other. */
static void run_rows(const dyn_exec *e, const dyn__instr *q, const dyn__piece *at)
{
    const dyn__sizes size = dyn__sizes_with(q, 0, at->rows);
    const int64_t *rows = tile_indices(e, &q->arg[2], at);
    char *y = dyn__address(e, &q->arg[0], at), *table = dyn__address(e, &q->arg[1], at);
    const int last = q->ndim - 1, esize = e->plan->esize;
    const int at_once = last == 1 && q->arg[0].stride[0] == q->dim[1] && !q->arg[1].stride[0]
                     && q->arg[2].stride[0] == 1;
    int64_t index[DYN__MAX_DIM] = {0};

    if (at_once) {
        e->plan->table->gather(at->rows, q->dim[1], y, table, (int64_t)q->c, rows);
        return;
    }
    do {
        int64_t row = 0;
        for (int d = 0; d < last; d++)
            row += index[d] * q->arg[2].stride[d];
        e->plan->table->gather(1, q->dim[last], dyn__element(q, 0, y, index, last, esize),
                               dyn__element(q, 1, table, index, last, esize), (int64_t)q->c, rows + row);
    } while (dyn__next(&size, index, last));
}

static const dyn__own_kernel kernel = {.name = "GATHER", .cost = 0.06};

/* The table as an operand over the axes of the indices: it steps along those that both have. */
static dyn__operand_ref table_ref(const dyn__compiler *k, const dyn__cnode *c, dyn_node table, int64_t lead)
{
    const dyn__view *v = &k->node[table].view;
    const int first = c->outer + c->row_axes;
    dyn__operand_ref r = {.node = v->base, .offset = v->offset};

    r.view_set = c->outer && lead ? v->stride[0] : 0;
    if (first <= lead)
        dyn__row_stride(v, dyn__shape_of(k, table), c->outer, c->row_axes, &r.view_row);
    r.stride[0] = r.view_row;
    for (int axis = first; axis < lead; axis++)
        r.stride[axis - first + 1] = v->stride[axis];
    return r;
}

/* Dimensions: rows, what is left of the axes of the indices, all axes of a row of the table as one. */
static dyn_status select(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__cnode *c = &k->node[y];
    const dyn__shape *index = dyn__shape_of(k, n->in[1]), *table = dyn__shape_of(k, n->in[0]);
    const int64_t lead = n->attr.i[0];

    (void)into;
    q->kernel = DYN__K_OWN;
    q->own = &kernel;
    q->run = run_rows;
    q->nargs = 3;
    q->multiple = 1;
    q->c = (double)table->dim[lead];
    q->arg[0] = dyn__over_rows(k, y, y);
    q->arg[1] = table_ref(k, c, n->in[0], lead);
    q->arg[2] = dyn__ref_of(k, n->in[1], c->outer, c->row_axes);
    dyn__space_of(q, index, c->outer, c->row_axes);
    q->dim[q->ndim] = dyn__size_of_axes(table, lead + 1, table->rank);
    for (int a = 0; a < 3; a++)
        q->arg[a].stride[q->ndim] = a < 2;
    q->ndim++;
    return DYN_OK;
}

/* ---- a step of its own: by scalar indices, and in unfused plans ---- */

/* It in so many parts. */
typedef struct parts { const dyn_exec *e; const dyn__step *step; int64_t tasks; } parts;

/* Of every set the rows of the part with this number. */
static void gather_part(void *arg, int64_t number, int worker)
{
    const parts *p = arg;
    const dyn__indexed *d = p->step->own;
    const dyn__instr *q = &p->step->instr[0];
    const int64_t bytes = d->cols * p->e->plan->esize;
    const int64_t from = d->rows * number / p->tasks, to = d->rows * (number + 1) / p->tasks;
    char *y = dyn__argument(p->e, q, 0), *x = dyn__argument(p->e, q, 1);
    const int64_t *index = dyn__indices(p->e, q, 2);

    (void)worker;
    for (int64_t set = 0; set < d->sets; set++)
        p->e->plan->table->gather(to - from, d->cols, y + (set * d->rows + from) * bytes,
                                  x + set * d->table * bytes, d->table, index + set * d->rows + from);
}

static void run(const dyn_exec *e, const dyn__step *step)
{
    const dyn__indexed *d = step->own;
    parts p = {e, step, dyn__tasks_for(d->sets * d->rows * d->cols, d->rows)};

    dyn__share_out(e, p.tasks, 1, gather_part, &p);
}

static const dyn__step_kind gathering = {.name = "gather", .run = run};

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *x = dyn__shape_of(k, n->in[0]);
    const int64_t lead = n->attr.i[0];

    return dyn__indexed_step(k, step, y, &gathering, dyn__size_of_axes(x, lead + 1, x->rank), x->dim[lead]);
}

static const dyn__form form = {
    .role = DYN__MOVE, .lower = dyn__lower_indexed, .assign = assign, .reads_whole = reads_whole,
    .select = select, .move = move,
};

const dyn__op dyn__op_gather = {
    .name = "gather", .nin = 2, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample, .evaluate = evaluate,
    .form = &form,
};
