/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See remake.h. The level of a node grows with every contraction of a wide node behind it. A reader of a higher level than
 * a wide operand's is in a later pass. */
#include "compile/remake.h"

/* ---- wide nodes ---- */

/* Rows of the other operand per column of either, from which a product is much larger than its operands; bytes of all such
 * products of the same tensors from which memory counts. */
enum { MANY_ROWS = 8, MANY_BYTES = 1 << 25 };

/* The tensor of which x is a part. */
static dyn_node whole_of(const dyn_graph *g, dyn_node x)
{
    while (dyn__at(g, x)->op == DYN__OP_slice)
        x = dyn__at(g, x)->in[0];
    return x;
}

/* x y^T, matrix by matrix, of matrices y with many more rows than columns. */
static int is_source(const dyn_graph *g, const dyn__node *n, const uint8_t *wide)
{
    if (n->op != DYN__OP_matmul || n->attr.i[0] || !n->attr.i[1] || n->shape.rank < 3 || wide[n->in[0]] || wide[n->in[1]])
        return 0;
    const dyn__shape *y = &dyn__at(g, whole_of(g, n->in[1]))->shape;
    if (y->rank != n->shape.rank)
        return 0;
    const int64_t rows = y->dim[y->rank - 2], columns = y->dim[y->rank - 1];
    return rows >= MANY_ROWS * columns
        && dyn__shape_size(y) / columns * rows * (g->dtype == DYN_F32 ? 4 : 8) >= MANY_BYTES;
}

static int is_made_of_wide(const dyn_graph *g, const dyn__node *n, const uint8_t *wide)
{
    for (int i = 0; dyn__has_elements(n) && i < n->nin; i++)
        if (wide[n->in[i]] && dyn__shape_equal(&dyn__at(g, n->in[i])->shape, &n->shape))
            return 1;
    return 0;
}

int32_t dyn__mark_wide(const dyn_graph *g, const uint8_t *need, uint8_t *wide)
{
    int32_t count = 0;

    for (dyn_node x = 0; x < g->count; x++) {
        const dyn__node *n = dyn__at(g, x);
        wide[x] = need[x] && (is_source(g, n, wide) || is_made_of_wide(g, n, wide));
        count += wide[x];
    }
    return count;
}

/* ---- levels ---- */

/* The level at which y reads. */
static int32_t level_of_reading(const dyn__remake *a, dyn_node y)
{
    const dyn__node *n = dyn__at(a->g, y);
    int32_t level = 0;

    for (int i = 0; i < n->nin; i++)
        level = a->level[n->in[i]] > level ? a->level[n->in[i]] : level;
    return level;
}

/* y is no wide node but what one is contracted to; what reduces its rows still belongs to them. */
static int contracts(const dyn__remake *a, dyn_node y)
{
    const dyn__node *n = dyn__at(a->g, y);
    int found = 0;

    for (int i = 0; i < n->nin; i++)
        found |= a->wide[n->in[i]];
    if (!found || a->wide[y])
        return 0;
    return !(n->op == DYN__OP_amax || n->op == DYN__OP_sum)
        || n->attr.n != 1 || n->attr.i[0] != dyn__at(a->g, n->in[0])->shape.rank - 1;
}

dyn_status dyn__remake_find(dyn__remake *a, const dyn_graph *g, const uint8_t *need, const uint8_t *is_cut)
{
    const size_t nodes = (size_t)g->count + 1;

    *a = (dyn__remake){.g = g, .wide = dyn__alloc(g->ctx, nodes, 1)};
    if (!a->wide)
        return DYN_ENOMEM;
    a->count = dyn__mark_wide(g, need, a->wide);
    if (!a->count)
        return DYN_OK;
    a->level = dyn__alloc(g->ctx, nodes, sizeof *a->level);
    a->first = dyn__alloc(g->ctx, nodes, sizeof *a->first);
    if (!a->level || !a->first)
        return DYN_ENOMEM;
    for (dyn_node y = 0; y < g->count; y++)
        if (need[y] && !is_cut[y])
            a->level[y] = level_of_reading(a, y) + contracts(a, y);
    return DYN_OK;
}

void dyn__remake_free(dyn__remake *a)
{
    dyn__free(a->g->ctx, a->copy);
    dyn__free(a->g->ctx, a->first);
    dyn__free(a->g->ctx, a->level);
    dyn__free(a->g->ctx, a->wide);
}

/* ---- making ---- */

static dyn_node remember(dyn__remake *a, dyn_node x, int32_t level, dyn_node made)
{
    DYN__TRY(made);
    DYN__TRY(dyn__grow(a->g->ctx, (void **)&a->copy, &a->capacity, a->copies + 1, sizeof *a->copy));
    a->copy[a->copies] = (dyn__copy){x, made, level, a->first[x]};
    a->first[x] = (int32_t)++a->copies;
    return made;
}

/* Wide node x for readers of this level, of which `reader` has what they wait for. The left operand of a product is
 * copied: equal nodes would be one. */
static dyn_node make(dyn__remake *a, dyn__lowering *l, dyn_node x, int32_t level, dyn_node reader, const dyn_node *map)
{
    const dyn__node *n = dyn__at(a->g, x);
    const dyn_node before = l->to->count;
    dyn_node in[DYN__MAX_IN] = {0};

    for (int32_t i = a->first[x]; i; i = a->copy[i - 1].next)
        if (a->copy[i - 1].level == level)
            return a->copy[i - 1].made;
    for (int i = 0; i < n->nin; i++) {
        const dyn_node o = n->in[i];
        DYN__TRY(in[i] = a->wide[o] ? make(a, l, o, level, reader, map) : map[o]);
        if (n->op == DYN__OP_matmul && i == 0)
            DYN__TRY(in[i] = dyn__insert1(l->to, DYN__OP_stop, in[i], &(dyn__attr){.n = level}, NULL));
    }
    const dyn_node made = dyn__lower_on(l, n, in);
    for (dyn_node y = before; y < l->to->count; y++)
        DYN__TRY(dyn__wait_for(l, y, reader));
    return remember(a, x, level, made);
}

dyn_node dyn__remake_operand(dyn__remake *a, dyn__lowering *l, dyn_node y, int i, const dyn_node *map)
{
    const dyn_node x = dyn__at(a->g, y)->in[i];
    int32_t level;

    if (!a->count || !a->wide[x] || a->level[x] >= (level = level_of_reading(a, y)))
        return map[x];
    for (int j = 0; j < dyn__at(a->g, y)->nin; j++)
        if (a->level[dyn__at(a->g, y)->in[j]] == level)
            return make(a, l, x, level, map[dyn__at(a->g, y)->in[j]], map);
    return map[x];
}
