/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lowering: the needed nodes are made again in a new graph, in forms that the later passes know. A sum runs over one
 * group of neighbouring axes, a maximum over the last ones, no product has both operands transposed, and a copy (the
 * primitive `stop`, which only matters to derivatives) stands where strides cannot express a reshape or a product's
 * operand. */
#include <string.h>
#include "compile/compile.h"

static dyn_node copied(dyn_graph *g, dyn_node x)
{
    return dyn__insert1(g, DYN__OP_stop, x, NULL, NULL);
}

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

static int is_dense(const dyn_graph *g, dyn_node x)
{
    dyn__view v;
    dyn__view_of(g, x, &v);
    return dyn__view_dense(&v, &dyn__at(g, x)->shape);
}

/* Groups of neighbouring axes are summed one after the other, the last group first; axes of size 1 just go. */
static dyn_node lower_sum(dyn_graph *g, dyn_node x, uint32_t mask)
{
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
        if (!is_dense(g, x))
            x = copied(g, x);
        x = size == 1 ? without_axes(g, x, group) : dyn_graph_sum(g, x, n, axes);
    }
    return x;
}

static dyn_node lower_amax(dyn_graph *g, dyn_node x, uint32_t mask)
{
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
        if (!is_dense(g, x))
            x = copied(g, x);
        return dyn_graph_amax(g, x, s.rank - kept.rank, order);
    }
    x = dyn__reshape_to(g, dyn_graph_permute(g, x, order), &flat);
    return dyn__reshape_to(g, dyn_graph_amax(g, x, 1, &last), &kept);
}

/* ---- products and reshapes ---- */

/* A kernel reads rows of neighbouring elements at a stride of at least their length. */
static int product_can_read(const dyn_graph *g, dyn_node x)
{
    const dyn__shape *s = &dyn__at(g, x)->shape;
    dyn__view v;

    dyn__view_of(g, x, &v);
    return v.stride[s->rank - 1] == 1 && (s->dim[s->rank - 2] == 1 || v.stride[s->rank - 2] >= s->dim[s->rank - 1]);
}

static dyn_node transposed(dyn_graph *g, dyn_node x)
{
    int32_t order[DYN_MAX_RANK], rank = dyn__at(g, x)->shape.rank;

    for (int32_t i = 0; i < rank; i++)
        order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return dyn_graph_permute(g, x, order);
}

/* x W^T with a given W and so many rows x that W may be transposed first: every tile then reads W along its rows. */
static int worth_transposing(const dyn_graph *g, dyn_node a, dyn_node b)
{
    const dyn__shape *s = &dyn__at(g, a)->shape, *w = &dyn__at(g, b)->shape;
    int64_t rows = w->rank == 2 ? dyn__shape_size(s) / s->dim[s->rank - 1] : s->dim[s->rank - 2];
    dyn__view v;

    dyn__view_of(g, b, &v);
    return dyn__at(g, v.base)->op == DYN__OP_input && rows >= 64 && w->dim[w->rank - 2] > 1 && w->dim[w->rank - 1] > 1;
}

static dyn_node lower_matmul(dyn_graph *g, dyn_node a, dyn_node b, const dyn__attr *attr)
{
    int ta = attr->i[0] != 0, tb = attr->i[1] != 0;

    if (ta && tb) {
        a = transposed(g, a);
        ta = 0;
    }
    if (a >= 0 && !product_can_read(g, a))
        a = copied(g, a);
    if (tb && worth_transposing(g, a, b)) {
        b = transposed(g, b);
        tb = 0;
    }
    if (b >= 0 && !product_can_read(g, b))
        b = copied(g, b);
    return dyn_graph_matmul(g, a, b, ta, tb);
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

static dyn_node lower_reshape(dyn_graph *g, dyn_node x, const dyn__shape *to)
{
    if (!is_dense(g, x) && !only_ones_differ(&dyn__at(g, x)->shape, to))
        x = copied(g, x);
    return dyn__reshape_to(g, x, to);
}

/* ---- the walk ---- */

static dyn_node lower_node(dyn_graph *to, const dyn__node *n, const dyn_node *map)
{
    dyn_node in[DYN__MAX_IN] = {0};

    for (int i = 0; i < n->nin; i++)
        in[i] = map[n->in[i]];
    switch (n->op) {
    case DYN__OP_sum: return lower_sum(to, in[0], axis_mask(n));
    case DYN__OP_amax: return lower_amax(to, in[0], axis_mask(n));
    case DYN__OP_matmul: return lower_matmul(to, in[0], in[1], &n->attr);
    case DYN__OP_reshape: return lower_reshape(to, in[0], &n->shape);
    case DYN__OP_stop: case DYN__OP_identity: return in[0];
    case DYN__OP_gather: case DYN__OP_scatter_add:
        if (!is_dense(to, in[0]))
            in[0] = copied(to, in[0]);
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
    dyn_graph *to = NULL;
    dyn_status s = need ? dyn_graph_create(g->ctx, g->dtype, &to) : DYN_ENOMEM;

    if (s == DYN_OK) {
        to->tangents = g->tangents;     /* cuts become new unnamed inputs, beside those of g */
        mark_up_to_cuts(g, count, outputs, is_cut, need);
    }
    for (dyn_node x = 0; s == DYN_OK && x < g->count; x++) {
        const dyn__node *n = dyn__at(g, x);
        map[x] = !need[x] ? -1 : is_cut[x] ? dyn__tangent_input(to, n->dtype, &n->shape) : lower_node(to, n, map);
        s = need[x] && map[x] < 0 ? map[x] : DYN_OK;
    }
    dyn__free(g->ctx, need);
    if (s != DYN_OK) {
        dyn_graph_free(to);
        to = NULL;
    }
    *out = to;
    return s;
}
