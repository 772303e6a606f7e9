/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lowering: the needed nodes are made again in a new graph, each by its primitive's form, as the later passes know
 * them. A copy (the primitive `stop`, which only matters to derivatives) stands where strides cannot express what a
 * reader needs. What each new node is a view of is kept, so that long chains of views cost no more than their nodes. */
#include <string.h>
#include "compile/form.h"

/* ---- views and copies ---- */

/* The view that the new node x is, until the next call; NULL: out of memory. */
const dyn__view *dyn__lowered_view(dyn__lowering *l, dyn_node x)
{
    if (dyn__grow(l->to->ctx, (void **)&l->view, &l->capacity, (int64_t)x + 1, sizeof *l->view) < 0)
        return NULL;
    for (; l->known <= x; l->known++)
        dyn__view_through(l->to, l->known, &l->view[dyn__at(l->to, l->known)->in[0]], &l->view[l->known]);
    return &l->view[x];
}

/* x itself, or a copy where its elements do not lie as its reader needs them. */
dyn_node dyn__fitted(dyn__lowering *l, dyn_node x, int (*fits)(const dyn__view *, const dyn__shape *))
{
    const dyn__view *v;

    if (x < 0)
        return x;
    v = dyn__lowered_view(l, x);
    if (!v)
        return DYN_ENOMEM;
    return fits(v, &dyn__at(l->to, x)->shape) ? x : dyn__insert1(l->to, DYN__OP_stop, x, NULL, NULL);
}

dyn_node dyn__densely(dyn__lowering *l, dyn_node x) { return dyn__fitted(l, x, dyn__view_dense); }

int dyn__is_dense(dyn__lowering *l, dyn_node x)
{
    const dyn__view *v = dyn__lowered_view(l, x);

    return v && dyn__view_dense(v, &dyn__at(l->to, x)->shape);
}

/* ---- the walk ---- */

static dyn_node lower_node(dyn__lowering *l, const dyn__node *n, const dyn_node *map)
{
    const dyn__form *form = dyn__form_of(n);
    dyn_node in[DYN__MAX_IN] = {0};

    for (int i = 0; i < n->nin; i++)
        in[i] = map[n->in[i]];
    if (form->lower)
        return form->lower(l, n, in);
    return dyn__op_of(n)->fold ? dyn__op_of(n)->fold(l->to, in) : dyn__insert_like(l->to, n, in);
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
    dyn__lowering l = {0};
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
