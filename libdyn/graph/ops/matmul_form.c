/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How products are compiled: transposed operands, their rows, where a cluster begins. compile/product.c makes their
 * instructions. */
#include "graph/ops/op.h"

/* ---- lowering ---- */

/* A kernel reads rows of neighbouring elements at a stride of at least their length. */
static int product_can_read(const dyn__view *v, const dyn__shape *s)
{
    return v->stride[s->rank - 1] == 1 && (s->dim[s->rank - 2] == 1 || v->stride[s->rank - 2] >= s->dim[s->rank - 1]);
}

static dyn_node transposed(dyn_graph *g, dyn_node x)
{
    int32_t order[DYN_MAX_RANK], rank = dyn__at(g, x)->shape.rank;

    for (int32_t i = 0; i < rank; i++)
        order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return dyn_graph_permute(g, x, order);
}

/* x W^T with a given W and so many rows x that W may be transposed first: every tile then reads W along its rows. For a
 * few tiles it is cheaper to turn what each reads, piece by piece in the cache. */
static int worth_transposing(const dyn_graph *g, dyn_node a, dyn_node b, dyn_node base)
{
    const dyn__shape *s = &dyn__at(g, a)->shape, *w = &dyn__at(g, b)->shape;
    int64_t rows = w->rank == 2 ? dyn__shape_size(s) / s->dim[s->rank - 1] : s->dim[s->rank - 2];

    return dyn__at(g, base)->op == DYN__OP_input && rows > 256 && w->dim[w->rank - 2] > 1 && w->dim[w->rank - 1] > 1;
}

/* Not both operands transposed; rows that a kernel can read. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    int ta = n->attr.i[0] != 0, tb = n->attr.i[1] != 0;
    dyn_node a = in[0], b = in[1];
    dyn_graph *g = l->to;
    const dyn__view *v;

    if (ta && tb) {
        a = transposed(g, a);
        ta = 0;
    }
    DYN__TRY(a = dyn__fitted(l, a, product_can_read));
    v = dyn__lowered_view(l, b);
    if (!v)
        return DYN_ENOMEM;
    if (tb && worth_transposing(g, a, b, v->base)) {
        b = transposed(g, b);
        tb = 0;
    }
    return dyn_graph_matmul(g, a, dyn__fitted(l, b, product_can_read), ta, tb);
}

/* x, dense, with axes first .. last as one. */
static dyn_node flattened(dyn_graph *g, dyn_node x, int first, int last)
{
    const dyn__shape *s = &dyn__at(g, x)->shape;
    dyn__shape flat = {0};

    for (int i = 0; i < s->rank; i++)
        if (i > first && i <= last)
            flat.dim[flat.rank - 1] *= s->dim[i];
        else
            flat.dim[flat.rank++] = s->dim[i];
    return dyn__reshape_to(g, x, &flat);
}

/* The sum of a product x^T y over the last leading axes of its matrices, as one product over all their rows. -1 if x is
 * no such product or it cannot be read so. */
static dyn_node tall_product(dyn__lowering *l, dyn_node x, uint32_t mask)
{
    const dyn__node n = *dyn__at(l->to, x);
    const int last = n.shape.rank - 3, first = mask ? __builtin_ctz(mask) : 0;
    const uint32_t axes = last >= first ? ((1u << (last + 1 - first)) - 1u) << first : 0;

    if (n.op != DYN__OP_matmul || !n.attr.i[0] || n.attr.i[1] || axes == 0 || mask != axes
        || dyn__at(l->to, n.in[0])->shape.rank != n.shape.rank || dyn__at(l->to, n.in[1])->shape.rank != n.shape.rank
        || !dyn__is_dense(l, n.in[0]) || !dyn__is_dense(l, n.in[1]))
        return -1;
    return dyn_graph_matmul(l->to, flattened(l->to, n.in[0], first, last + 1),
                            flattened(l->to, n.in[1], first, last + 1), 1, 0);
}

/* The sum of x over these axes, where x is a product or adds up to so many. */
static dyn_node sum_of_products(dyn__lowering *l, dyn_node x, uint32_t mask, int *most)
{
    const dyn__node n = *dyn__at(l->to, x);

    if (n.op != DYN__OP_add || (*most)-- == 0)
        return tall_product(l, x, mask);
    const dyn_node a = sum_of_products(l, n.in[0], mask, most);
    const dyn_node b = a < 0 ? -1 : sum_of_products(l, n.in[1], mask, most);
    return b < 0 ? -1 : dyn_graph_add(l->to, a, b);
}

/* The gradient of W where x W has several axes of rows, and its derivatives, where there are several products. */
dyn_node dyn__lower_sum_of_products(dyn__lowering *l, dyn_node x, uint32_t mask)
{
    int most = DYN__MOST_SUMS;

    return sum_of_products(l, x, mask, &most);
}

/* ---- rows ---- */

/* W of x W is the same for all rows of x. */
static int is_shared(const dyn__compiler *k, dyn_node w, int outer)
{
    const dyn__shape *s = dyn__shape_of(k, w);

    for (int i = outer; i < s->rank - 2; i++)
        if (s->dim[i] > 1 && k->node[w].view.stride[i] != 0)
            return 0;
    return 1;
}

/* Operand i of y has the axes that count the rows of y. */
static int has_rows(const dyn__compiler *k, const dyn__node *n, int i, int tall)
{
    return dyn__shape_of(k, n->in[i])->rank == n->shape.rank && !(tall && i == 1);
}

/* Can so many axes count the rows: are those of each operand equally far apart? */
static int readable_by(const dyn__compiler *k, const dyn__node *n, int outer, int axes, int tall)
{
    int64_t stride;

    for (int i = 0; i < n->nin; i++)
        if (has_rows(k, n, i, tall)
            && !dyn__row_stride(&k->node[n->in[i]].view, dyn__shape_of(k, n->in[i]), outer, axes, &stride))
            return 0;
    return 1;
}

/* The finest rows: of x W those of x, else whole matrices. */
static void set_product_rows(const dyn__compiler *k, dyn__cnode *c, const dyn__node *n, int outer)
{
    const int lead = n->shape.rank - 2 - outer;
    int axes = lead + 1;

    c->tall = lead == 0 || (is_shared(k, n->in[1], outer) && dyn__shape_of(k, n->in[0])->rank == n->shape.rank
                            && !n->attr.i[0] && readable_by(k, n, outer, axes, 1));
    if (!c->tall)
        for (axes = lead; axes > 1 && !readable_by(k, n, outer, axes, 0);)
            axes--;
    dyn__set_rows(c, &n->shape, outer, axes);
}

/* x W: rows of x. x^T y: a sum over rows of both. Anything with more axes: products of matrices, some per row. */
static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);
    dyn__cnode *c = &k->node[x];
    const dyn__shape *a = dyn__shape_of(k, n->in[0]), *b = dyn__shape_of(k, n->in[1]);
    const int outer = dyn__carries_outer(k, x);

    (void)readers;
    if (n->shape.rank == 2 + outer && n->attr.i[0]) {
        dyn__set_rows(c, &n->shape, outer, 1);
        c->role = DYN__TERM;
        c->R = a->dim[a->rank - 2];
        c->C = a->dim[a->rank - 1] * b->dim[b->rank - 1];
    } else {
        set_product_rows(k, c, n, outer);
        c->role = DYN__ROW;
    }
}

/* ---- clusters ---- */

static int64_t weight_bytes(const dyn__compiler *k, const dyn__node *n)
{
    const dyn__shape *w = dyn__shape_of(k, n->in[1]);

    return w->dim[w->rank - 2] * w->dim[w->rank - 1] * k->plan->esize;
}

/* x W begins a cluster, and x lies in memory, where a tile would read too much of weights for its rows. Not where
 * memory is limited. */
static int begins(const dyn__compiler *k, dyn_node y, const dyn__load *load)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *x = dyn__shape_of(k, n->in[0]);
    const dyn__cnode *c = &k->node[y];

    return c->role == DYN__ROW && c->tall && !k->arena_limit
        && dyn__is_cheaper_apart(k, load, c->R, x->dim[x->rank - 1], n->shape.dim[n->shape.rank - 1]);
}

/* A tile reads W, keeps x W and adds to a sum over rows. */
static void loads(const dyn__compiler *k, dyn_node y, dyn__load *load)
{
    const dyn__cnode *c = &k->node[y];

    if (c->role == DYN__TERM) {
        load->whole += 2 * c->C * k->plan->esize;
    } else if (c->tall) {
        load->whole += weight_bytes(k, dyn__at(k->g, y));
        load->row += c->C * k->plan->esize;
    }
}

/* The right operand of x W is read whole whatever its rows are; so is one that serves all leading indices. */
static int reads_whole(const dyn__compiler *k, dyn_node y, int i)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__cnode *c = &k->node[y];

    return (i == 1 && c->role == DYN__ROW && c->tall) || dyn__shape_of(k, n->in[i])->rank < n->shape.rank;
}

const dyn__form dyn__matmul_form = {
    .role = DYN__ROW, .own_rows = 1, .lower = lower, .assign = assign, .reads_whole = reads_whole, .begins = begins,
    .loads = loads, .select = dyn__select_product,
};
