/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What layers share: see layer.h. */
#include "layer/layer.h"

dyn_status dyn__need_rank(dyn_graph *g, const char *what, dyn_node x, int32_t rank)
{
    char text[128];

    DYN__TRY(dyn__check_node(g, x));
    if (dyn__shape_of(g, x)->rank < rank)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "%s has shape %s, expected %d axes or more", what,
                         dyn__shape_text(dyn__shape_of(g, x), text), (int)rank);
    return DYN_OK;
}

dyn_status dyn__check_optional(const dyn_graph *g, dyn_node x)
{
    return x == DYN_NO_NODE ? DYN_OK : dyn__check_node(g, x);
}

dyn_node dyn__plus(dyn_graph *g, dyn_node a, dyn_node b)
{
    return b == DYN_NO_NODE ? a : dyn_graph_add(g, a, b);
}

dyn_node dyn__times(dyn_graph *g, dyn_node a, dyn_node b)
{
    return b == DYN_NO_NODE ? a : dyn_graph_mul(g, a, b);
}

static dyn_node sum_kept(dyn_graph *g, dyn_node x, int32_t first, int32_t end)
{
    int32_t axes[DYN_MAX_RANK];

    DYN__TRY(x);
    dyn__shape s = *dyn__shape_of(g, x);
    for (int32_t i = first; i < end; i++) {
        axes[i - first] = i;
        s.dim[i] = 1;
    }
    return dyn__reshape_to(g, dyn_graph_sum(g, x, end - first, axes), &s);
}

dyn_node dyn__mean_kept(dyn_graph *g, dyn_node x, int32_t first, int32_t end)
{
    DYN__TRY(x);
    const dyn__shape *s = dyn__shape_of(g, x);
    double count = 1;

    for (int32_t i = first; i < end; i++)
        count *= (double)s->dim[i];
    return dyn_graph_scale(g, sum_kept(g, x, first, end), 1 / count);
}

dyn_node dyn__sum_last(dyn_graph *g, dyn_node x)
{
    DYN__TRY(x);
    const int32_t rank = dyn__shape_of(g, x)->rank;

    return sum_kept(g, x, rank - 1, rank);
}

dyn_node dyn__swap_axes(dyn_graph *g, dyn_node x, int32_t i, int32_t j)
{
    int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    axes[i] = j;
    axes[j] = i;
    return dyn_graph_permute(g, x, axes);
}

dyn_node dyn__part(dyn_graph *g, dyn_node x, int32_t axis, int64_t start, int64_t size)
{
    int64_t from[DYN_MAX_RANK] = {0};

    DYN__TRY(x);
    dyn__shape s = *dyn__shape_of(g, x);
    from[axis] = start;
    s.dim[axis] = size;
    return dyn_graph_slice(g, x, from, s.dim);
}
