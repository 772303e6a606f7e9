/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lowering: the needed nodes are made again in a new graph, each by its primitive's form, as the later passes know
 * them. A copy (the primitive `stop`, which only matters to derivatives) stands where strides cannot express what a
 * reader needs. What each new node is a view of is kept, so that long chains of views cost no more than their nodes. */
#include <string.h>
#include "compile/remake.h"

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

dyn_status dyn__wait_for(dyn__lowering *l, dyn_node y, dyn_node reader)
{
    DYN__TRY(dyn__grow(l->to->ctx, (void **)&l->wait, &l->wait_capacity, l->waits + 1, sizeof *l->wait));
    l->wait[l->waits++] = (dyn__wait){y, reader};
    return DYN_OK;
}

dyn_node dyn__lower_on(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const dyn__form *form = dyn__form_of(n);

    if (form->lower)
        return form->lower(l, n, in);
    return dyn__op_of(n)->fold ? dyn__op_of(n)->fold(l->to, in) : dyn__insert_like(l->to, n, in);
}

static dyn_node lower_node(dyn__lowering *l, dyn__remake *a, dyn_node x, const dyn_node *map)
{
    const dyn__node *n = dyn__at(a->g, x);
    dyn_node in[DYN__MAX_IN] = {0};

    for (int i = 0; i < n->nin; i++)
        DYN__TRY(in[i] = dyn__remake_operand(a, l, x, i, map));
    return dyn__lower_on(l, n, in);
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

static dyn_status lower_nodes(dyn__lowering *l, dyn__remake *a, const uint8_t *need, const uint8_t *is_cut, dyn_node *map)
{
    for (dyn_node x = 0; x < a->g->count; x++) {
        const dyn__node *n = dyn__at(a->g, x);
        map[x] = !need[x] ? -1 : is_cut[x] ? dyn__tangent_input(l->to, n->dtype, &n->shape) : lower_node(l, a, x, map);
        if (need[x])
            DYN__TRY(map[x]);
    }
    return DYN_OK;
}

/* By node of the lowered graph: what it waits for, plus 1; NULL: nothing waits. */
static dyn_status list_waits(const dyn__lowering *l, int32_t **late)
{
    if (!l->waits)
        return DYN_OK;
    *late = dyn__alloc(l->to->ctx, (size_t)l->to->count, sizeof **late);
    for (int64_t i = 0; *late && i < l->waits; i++)
        (*late)[l->wait[i].node] = l->wait[i].reader + 1;
    return *late ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__lower(dyn_graph *g, int32_t count, const dyn_node *outputs, const uint8_t *is_cut, dyn_node *map,
                      dyn_graph **out, int32_t **late)
{
    uint8_t *need = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    dyn__remake remake = {.g = g};
    dyn__lowering l = {0};
    dyn_status s = need ? dyn_graph_create(g->ctx, g->dtype, &l.to) : DYN_ENOMEM;

    if (s == DYN_OK) {
        l.to->tangents = g->tangents;     /* cuts become new unnamed inputs, beside those of g */
        mark_up_to_cuts(g, count, outputs, is_cut, need);
        s = dyn__remake_find(&remake, g, need, is_cut);
    }
    if (s == DYN_OK)
        s = lower_nodes(&l, &remake, need, is_cut, map);
    if (s == DYN_OK)
        s = list_waits(&l, late);
    dyn__remake_free(&remake);
    dyn__free(g->ctx, l.wait);
    dyn__free(g->ctx, l.view);
    dyn__free(g->ctx, need);
    if (s != DYN_OK) {
        dyn_graph_free(l.to);
        l.to = NULL;
    }
    *out = l.to;
    return s;
}
