/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lowering: the needed nodes are made again in a new graph, in forms that the later passes know. A sum runs over one
 * group of neighbouring axes, a maximum over the last ones, no product has both operands transposed, and a copy (the
 * primitive `stop`, which only matters to derivatives) stands where strides cannot express a reshape or a product's
 * operand. What each new node is a view of is kept, so that long chains of views cost no more than their nodes. */
#include <string.h>
#include "compile/compile.h"
#include "graph/ops/op.h"

typedef struct lowering {
    dyn_graph *to;
    dyn__view *view;        /* of the new nodes below `known` */
    int64_t capacity;
    dyn_node known;
} lowering;

/* ---- views and copies ---- */

/* The view that the new node x is, until the next call; NULL: out of memory. */
static const dyn__view *view_of(lowering *l, dyn_node x)
{
    if (dyn__grow(l->to->ctx, (void **)&l->view, &l->capacity, (int64_t)x + 1, sizeof *l->view) < 0)
        return NULL;
    for (; l->known <= x; l->known++)
        dyn__view_through(l->to, l->known, &l->view[dyn__at(l->to, l->known)->in[0]], &l->view[l->known]);
    return &l->view[x];
}

/* x itself, or a copy where its elements do not lie as its reader needs them. */
static dyn_node fitted(lowering *l, dyn_node x, int (*fits)(const dyn__view *, const dyn__shape *))
{
    const dyn__view *v;

    if (x < 0)
        return x;
    v = view_of(l, x);
    if (!v)
        return DYN_ENOMEM;
    return fits(v, &dyn__at(l->to, x)->shape) ? x : dyn__insert1(l->to, DYN__OP_stop, x, NULL, NULL);
}

static dyn_node dense(lowering *l, dyn_node x) { return fitted(l, x, dyn__view_dense); }

/* ---- reductions ---- */

static dyn_node without_axes(dyn_graph *g, dyn_node x, uint32_t mask)
{
    dyn__shape from = dyn__at(g, x)->shape, to = {0};

    for (int i = 0; i < from.rank; i++)
        if (!(mask >> i & 1))
            to.dim[to.rank++] = from.dim[i];
    return dyn__reshape_to(g, x, &to);
}

static uint32_t axis_mask(const dyn__node *n)
{
    uint32_t mask = 0;
    for (int64_t k = 0; k < n->attr.n; k++)
        mask |= 1u << n->attr.i[k];
    return mask;
}

/* Groups of neighbouring axes are summed one after the other, the last group first; axes of size 1 just go. */
static dyn_node lower_sum(lowering *l, dyn_node x, uint32_t mask)
{
    dyn_graph *g = l->to;
    int32_t axes[DYN_MAX_RANK];

    while (mask && x >= 0) {
        int hi = 31 - __builtin_clz(mask), lo = hi, n = 0;
        while (lo > 0 && (mask >> (lo - 1) & 1))
            lo--;
        int64_t size = 1;
        for (int a = lo; a <= hi; a++) {
            axes[n++] = a;
            size *= dyn__at(g, x)->shape.dim[a];
            mask &= ~(1u << a);
        }
        uint32_t group = ((1u << n) - 1u) << lo;
        x = size == 1 ? without_axes(g, x, group) : dyn_graph_sum(g, dense(l, x), n, axes);
    }
    return x;
}

static dyn_node lower_amax(lowering *l, dyn_node x, uint32_t mask)
{
    dyn_graph *g = l->to;
    dyn__shape s = dyn__at(g, x)->shape, kept = {0}, flat = {.rank = 2, .dim = {1, 1}};
    int32_t order[DYN_MAX_RANK], n = 0, last = 1;

    for (int i = 0; i < s.rank; i++)
        if (!(mask >> i & 1)) {
            order[n++] = i;
            kept.dim[kept.rank++] = s.dim[i];
            flat.dim[0] *= s.dim[i];
        }
    for (int i = 0; i < s.rank; i++)
        if (mask >> i & 1) {
            order[n++] = i;
            flat.dim[1] *= s.dim[i];
        }
    if (flat.dim[1] == 1)
        return without_axes(g, x, mask);
    /* the last axes: as they are */
    if (kept.rank > 0 && mask == (((1u << s.rank) - 1u) & ~((1u << kept.rank) - 1u))) {
        for (int i = kept.rank; i < s.rank; i++)
            order[i - kept.rank] = i;
        return dyn_graph_amax(g, dense(l, x), s.rank - kept.rank, order);
    }
    x = dyn__reshape_to(g, dyn_graph_permute(g, x, order), &flat);
    return dyn__reshape_to(g, dyn_graph_amax(g, x, 1, &last), &kept);
}

/* ---- products and reshapes ---- */

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

static dyn_node lower_matmul(lowering *l, dyn_node a, dyn_node b, const dyn__attr *attr)
{
    int ta = attr->i[0] != 0, tb = attr->i[1] != 0;
    dyn_graph *g = l->to;
    const dyn__view *v;

    if (ta && tb) {
        a = transposed(g, a);
        ta = 0;
    }
    DYN__TRY(a = fitted(l, a, product_can_read));
    v = view_of(l, b);
    if (!v)
        return DYN_ENOMEM;
    if (tb && worth_transposing(g, a, b, v->base)) {
        b = transposed(g, b);
        tb = 0;
    }
    return dyn_graph_matmul(g, a, fitted(l, b, product_can_read), ta, tb);
}

static int only_ones_differ(const dyn__shape *a, const dyn__shape *b)
{
    int i = 0, j = 0;
    for (;;) {
        while (i < a->rank && a->dim[i] == 1)
            i++;
        while (j < b->rank && b->dim[j] == 1)
            j++;
        if (i == a->rank || j == b->rank)
            return i == a->rank && j == b->rank;
        if (a->dim[i++] != b->dim[j++])
            return 0;
    }
}

static dyn_node lower_reshape(lowering *l, dyn_node x, const dyn__shape *shape)
{
    if (!only_ones_differ(&dyn__at(l->to, x)->shape, shape))
        x = dense(l, x);
    return dyn__reshape_to(l->to, x, shape);
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

static int is_dense(lowering *l, dyn_node x)
{
    const dyn__view *v = view_of(l, x);

    return v && dyn__view_dense(v, &dyn__at(l->to, x)->shape);
}

/* The gradient of W where x W has several axes of rows: a sum over the last leading axes of products x^T y is one such
 * product, over all these rows. -1 if x is none or it cannot be read so. */
static dyn_node lower_sum_of_products(lowering *l, dyn_node x, uint32_t mask)
{
    const dyn__node n = *dyn__at(l->to, x);
    const int last = n.shape.rank - 3, first = mask ? __builtin_ctz(mask) : 0;
    const uint32_t axes = last >= first ? ((1u << (last + 1 - first)) - 1u) << first : 0;

    if (n.op != DYN__OP_matmul || !n.attr.i[0] || n.attr.i[1] || axes == 0 || mask != axes
        || dyn__at(l->to, n.in[0])->shape.rank != n.shape.rank || dyn__at(l->to, n.in[1])->shape.rank != n.shape.rank
        || !is_dense(l, n.in[0]) || !is_dense(l, n.in[1]))
        return -1;
    return dyn_graph_matmul(l->to, flattened(l->to, n.in[0], first, last + 1),
                            flattened(l->to, n.in[1], first, last + 1), 1, 0);
}

/* ---- windows ---- */

/* The zeros around the axis are written out, so that all windows lie within it and are a view. */
static dyn_node lower_unfold(dyn_graph *g, dyn_node x, dyn__attr attr)
{
    const int64_t axis = attr.i[DYN__WINDOW_AXIS];
    dyn__shape s = dyn__at(g, x)->shape;
    int64_t low, high, before[DYN_MAX_RANK] = {0};

    dyn__windows_span(&attr, &low, &high);
    before[axis] = low < 0 ? -low : 0;
    s.dim[axis] = before[axis] + (high < s.dim[axis] ? s.dim[axis] : high + 1);
    attr.i[DYN__WINDOW_START] += before[axis];
    return dyn__insert1(g, DYN__OP_unfold, dyn_graph_pad(g, x, before, s.dim), &attr, NULL);
}

/* ---- the walk ---- */

static dyn_node lower_node(lowering *l, const dyn__node *n, const dyn_node *map)
{
    dyn_graph *to = l->to;
    dyn_node in[DYN__MAX_IN] = {0};

    for (int i = 0; i < n->nin; i++)
        in[i] = map[n->in[i]];
    switch (n->op) {
    case DYN__OP_sum: {
        const dyn_node product = lower_sum_of_products(l, in[0], axis_mask(n));
        return product >= 0 ? product : lower_sum(l, in[0], axis_mask(n));
    }
    case DYN__OP_amax: return lower_amax(l, in[0], axis_mask(n));
    case DYN__OP_matmul: return lower_matmul(l, in[0], in[1], &n->attr);
    case DYN__OP_reshape: return lower_reshape(l, in[0], &n->shape);
    case DYN__OP_stop: case DYN__OP_identity: return in[0];
    case DYN__OP_unfold: return lower_unfold(to, in[0], n->attr);
    case DYN__OP_gather: case DYN__OP_scatter_add:
        in[0] = dense(l, in[0]);
        return dyn__insert(to, n->op, 2, in, &n->attr, NULL);
    default:
        return dyn__op_of(n)->fold ? dyn__op_of(n)->fold(to, in)
                                   : dyn__insert(to, n->op, n->nin, in, &n->attr,
                                                 dyn__op_of(n)->shaped ? &n->shape : NULL);
    }
}

/* Needed nodes, where a cut needs nothing behind it. */
static void mark_up_to_cuts(const dyn_graph *g, int32_t count, const dyn_node *outputs, const uint8_t *is_cut,
                            uint8_t *need)
{
    memset(need, 0, (size_t)g->count);
    for (int32_t i = 0; i < count; i++)
        need[outputs[i]] = 1;
    for (dyn_node x = g->count - 1; x >= 0; x--)
        for (int i = 0; need[x] && !is_cut[x] && i < dyn__at(g, x)->nin; i++)
            need[dyn__at(g, x)->in[i]] = 1;
}

dyn_status dyn__lower(dyn_graph *g, int32_t count, const dyn_node *outputs, const uint8_t *is_cut, dyn_node *map,
                      dyn_graph **out)
{
    uint8_t *need = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    lowering l = {0};
    dyn_status s = need ? dyn_graph_create(g->ctx, g->dtype, &l.to) : DYN_ENOMEM;

    if (s == DYN_OK) {
        l.to->tangents = g->tangents;     /* cuts become new unnamed inputs, beside those of g */
        mark_up_to_cuts(g, count, outputs, is_cut, need);
    }
    for (dyn_node x = 0; s == DYN_OK && x < g->count; x++) {
        const dyn__node *n = dyn__at(g, x);
        map[x] = !need[x] ? -1 : is_cut[x] ? dyn__tangent_input(l.to, n->dtype, &n->shape) : lower_node(&l, n, map);
        s = need[x] && map[x] < 0 ? map[x] : DYN_OK;
    }
    dyn__free(g->ctx, l.view);
    dyn__free(g->ctx, need);
    if (s != DYN_OK) {
        dyn_graph_free(l.to);
        l.to = NULL;
    }
    *out = l.to;
    return s;
}
