/* SPDX-License-Identifier: BSD-3-Clause
 *
 * matmul: y = A B over the last two axes; attr.i[0] and i[1] say whether A, B are stored transposed. Leading (batch)
 * axes are equal, or one operand has none and serves all.
 * Linear in each operand. transpose: a product with the other operand, summed over the batch where the operand had
 * none. */
#include "graph/ops/op.h"

static dyn_status fail(dyn_graph *g, const dyn__shape *a, const dyn__shape *b, const char *why)
{
    char p[128], q[128];
    return DYN__FAIL(g->ctx, DYN_ESHAPE, "matmul of %s and %s: %s", dyn__shape_text(a, p), dyn__shape_text(b, q), why);
}

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__shape *a = &dyn__at(g, n->in[0])->shape, *b = &dyn__at(g, n->in[1])->shape;
    const dyn__shape *lead = a->rank > b->rank ? a : b;
    int ta = n->attr.i[0] != 0, tb = n->attr.i[1] != 0;

    if (dyn__at(g, n->in[0])->dtype != g->dtype || dyn__at(g, n->in[1])->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "matmul: an operand is a tensor of indices");
    if (a->rank < 2 || b->rank < 2)
        return fail(g, a, b, "both need two axes or more");
    if (a->dim[a->rank - 1 - ta] != b->dim[b->rank - 2 + tb])
        return fail(g, a, b, "inner sizes differ");
    if (a->rank > 2 && b->rank > 2)
        for (int i = 0; i < lead->rank - 2; i++)
            if (a->rank != b->rank || a->dim[i] != b->dim[i])
                return fail(g, a, b, "leading sizes differ");
    n->shape = *lead;
    n->shape.dim[lead->rank - 2] = a->dim[a->rank - 2 + ta];
    n->shape.dim[lead->rank - 1] = b->dim[b->rank - 1 - tb];
    return DYN_OK;
}

/* Sum over the batch axes if operand x has none. */
static dyn_node fold_batch(dyn_graph *g, dyn_node ct, dyn_node x)
{
    int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    if (ct < 0)
        return ct;
    return dyn_graph_sum(g, ct, dyn__at(g, ct)->shape.rank - dyn__at(g, x)->shape.rank, axes);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    int ta = n.attr.i[0] != 0, tb = n.attr.i[1] != 0;
    dyn_node a = n.in[0], b = n.in[1], r;

    if (i == 0)     /* dA = ct B^T, or its transpose B ct^T */
        r = ta ? dyn_graph_matmul(g, b, ct, tb, 1) : dyn_graph_matmul(g, ct, b, 0, !tb);
    else            /* dB = A^T ct, or ct^T A */
        r = tb ? dyn_graph_matmul(g, ct, a, 1, ta) : dyn_graph_matmul(g, a, ct, !ta, 0);
    return fold_batch(g, r, n.in[i]);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__node n = *dyn__at(g, y);
    const int32_t ra = dyn__at(g, n.in[0])->shape.rank, rb = dyn__at(g, n.in[1])->shape.rank;
    dyn_node a = in[0], b = in[1];

    if (ra == 2 && rb == 2)     /* an operand without a batch axis serves all */
        return dyn_graph_matmul(g, a, b, (int)n.attr.i[0], (int)n.attr.i[1]);
    if (!batched[0] && ra > 2)
        a = dyn__lead(g, a, size);
    if (!batched[1] && rb > 2)
        b = dyn__lead(g, b, size);
    if (batched[0] && ra == 2 && rb > 2) {
        int64_t axes[3] = {0, n.shape.rank - 1, n.shape.rank};
        dyn__shape s = dyn__shape_lead(&dyn__at(g, n.in[1])->shape, size), t = dyn__at(g, a)->shape;
        s.dim[s.rank - 2] = t.dim[1], s.dim[s.rank - 1] = t.dim[2];
        a = dyn__broadcast(g, a, &s, axes);
    }
    if (batched[1] && rb == 2 && ra > 2) {
        int64_t axes[3] = {0, n.shape.rank - 1, n.shape.rank};
        dyn__shape s = dyn__shape_lead(&dyn__at(g, n.in[0])->shape, size), t = dyn__at(g, b)->shape;
        s.dim[s.rank - 2] = t.dim[1], s.dim[s.rank - 1] = t.dim[2];
        b = dyn__broadcast(g, b, &s, axes);
    }
    return dyn_graph_matmul(g, a, b, (int)n.attr.i[0], (int)n.attr.i[1]);
}

/* Where axis k of operand i is in the result; -1: it is summed over. */
static int64_t result_axis(const dyn_graph *g, const dyn__node *n, int i, int32_t k)
{
    const int32_t rank = dyn__at(g, n->in[i])->shape.rank;
    const int32_t summed = i ? rank - 2 + (n->attr.i[1] != 0) : rank - 1 - (n->attr.i[0] != 0);

    return k < rank - 2 ? k : k == summed ? -1 : n->shape.rank - 2 + i;
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    dyn__label r[2];

    (void)samples;
    for (int i = 0; i < 2; i++)
        r[i] = in[i].axis < 0 ? in[i] : dyn__label_at(in[i], result_axis(g, n, i, in[i].axis));
    return r[0].axis == DYN__COUPLED || r[1].axis == DYN__COUPLED ? dyn__coupled_label() : dyn__label_join(r[0], r[1]);
}

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    const dyn__attr *attr = &dyn__at(g, x)->attr;

    return snprintf(text, size, "%s%s", attr->i[0] ? " A^T" : "", attr->i[1] ? " B^T" : "");
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const struct { int32_t ra; int64_t a[3]; int32_t rb; int64_t b[3]; int ta, tb; } c[] = {
        {2, {2, 3}, 2, {3, 4}, 0, 0}, {2, {3, 2}, 2, {3, 4}, 1, 0}, {2, {2, 3}, 2, {4, 3}, 0, 1},
        {2, {3, 2}, 2, {4, 3}, 1, 1},
        {3, {5, 2, 3}, 3, {5, 3, 4}, 0, 0}, {3, {5, 2, 3}, 2, {3, 4}, 0, 0}, {2, {3, 2}, 3, {5, 3, 4}, 1, 0},
        {3, {5, 3, 2}, 3, {5, 4, 3}, 1, 1}, {2, {1, 3}, 2, {3, 1}, 0, 0}, {2, {4, 1}, 2, {1, 3}, 0, 0},
        {3, {5, 3, 2}, 2, {3, 4}, 1, 0}, {2, {2, 3}, 3, {5, 4, 3}, 0, 1},
    };
    if (k >= (int)(sizeof c / sizeof c[0]))
        return DYN_ENOTSUP;
    return dyn_graph_matmul(g, dyn_graph_input(g, "a", c[k].ra, c[k].a), dyn_graph_input(g, "b", c[k].rb, c[k].b),
                            c[k].ta, c[k].tb);
}

/* The elements of a row or a column of a matrix: the first, and from each to the next. */
typedef struct line { const double *first; int64_t step; } line;

/* Row (across = 0) or column `number` of the matrix that operand k has at the leading coordinates `at`, or everywhere
 * if it has no leading axes. */
static line matrix_line(const dyn__frame *f, int k, const int64_t *at, int64_t number, int across)
{
    const dyn__shape *s = f->shape[k];
    const int rows_stored = (f->n->attr.i[k] != 0) == across;     /* the line is one of the rows as they are stored */
    int64_t here[DYN_MAX_RANK];

    memcpy(here, at, sizeof here);
    here[s->rank - 2] = rows_stored ? number : 0;
    here[s->rank - 1] = rows_stored ? 0 : number;
    return (line){f->in[k] + dyn__flat(s, here), rows_stored ? 1 : s->dim[s->rank - 1]};
}

/* The sum over k, in their order, of row[k] column[k]. */
static double inner_product(line row, line column, int64_t inner)
{
    double sum = 0;

    for (int64_t k = 0; k < inner; k++)
        sum += row.first[k * row.step] * column.first[k * column.step];
    return sum;
}

/* The same for all columns of a matrix whose rows lie one after the other, first the first of them. */
static void row_times(line row, line column, int64_t inner, int64_t cols, double *restrict y)
{
    memset(y, 0, (size_t)cols * sizeof *y);
    for (int64_t k = 0; k < inner; k++) {
        const double a = row.first[k * row.step], *b = column.first + k * column.step;

        for (int64_t j = 0; j < cols; j++)
            y[j] += a * b[j];
    }
}

static void evaluate(const dyn__frame *f)
{
    const dyn__shape *a = f->shape[0], *y = &f->n->shape;
    const int64_t inner = a->dim[a->rank - (f->n->attr.i[0] ? 2 : 1)], cols = y->dim[y->rank - 1];
    int64_t at[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i += cols) {
        dyn__coordinates(y, i, at);
        const line row = matrix_line(f, 0, at, at[y->rank - 2], 0);
        if (f->n->attr.i[1])
            for (int64_t j = 0; j < cols; j++)
                f->out[i + j] = inner_product(row, matrix_line(f, 1, at, j, 1), inner);
        else
            row_times(row, matrix_line(f, 1, at, 0, 1), inner, cols, f->out + i);
    }
}

const dyn__op dyn__op_matmul = {
    .name = "matmul", .nin = 2, .linear = 3, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample, .evaluate = evaluate,
    .print = print, .form = &dyn__matmul_form,
};
