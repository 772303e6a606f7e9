/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How far apart the rows of an intermediate result are in its tile buffer. */
#include <string.h>
#include "compile/form.h"

/* Elements of y meet, one to one, elements that lie in memory without gaps: with gaps in its own rows the two could not
 * be worked through as one long row. */
static int meets_memory(const dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    for (int i = 0; i < n->nin; i++) {
        const dyn__cnode *base = &k->node[k->node[n->in[i]].view.base];
        if ((base->role == DYN__LEAF || base->stored) && dyn__shape_equal(&dyn__at(k->g, n->in[i])->shape, &n->shape)
            && dyn__view_dense(&k->node[n->in[i]].view, &n->shape))
            return 1;
    }
    return k->node[y].stored;
}

/* Whole cache lines; never so that the rows of a tile share a few sets of the caches. */
static int64_t whole_lines(const dyn__compiler *k, int64_t columns)
{
    const int64_t line = dyn__line(k), pitch = dyn__divide_up(columns, line) * line;

    return pitch % (16 * line) == 0 ? pitch + line : pitch;
}

/* Rows of a vector or more begin on a cache line in a tile, except in steps where that would be in the way. */
static int64_t pitch_of(const dyn__compiler *k, dyn_node x, const uint8_t *dense)
{
    const dyn__cnode *c = &k->node[x];

    return c->step >= 0 && dyn__in_tile(k, c->step, x) && !dense[c->step] && c->R > 1 && c->C >= dyn__line(k)
         ? whole_lines(k, c->C) : c->C;
}

/* x is read row by row, if its base is in a tile: the axes that count rows step by the pitch. */
static void follow_pitch(dyn__compiler *k, dyn_node x)
{
    dyn__view *v = &k->node[x].view;
    const dyn__cnode *base = &k->node[v->base];
    const int rows = base->pitch != base->C ? dyn__row_axes(&dyn__at(k->g, x)->shape, base->outer, base->R) : 0;

    for (int i = base->outer; i < base->outer + rows; i++)
        v->stride[i] = v->stride[i] / base->C * base->pitch;
}

void dyn__set_pitches(dyn__compiler *k, uint8_t *dense)
{
    memset(dense, 0, (size_t)k->count);
    for (dyn_node y = 0; y < k->count; y++) {
        const dyn__cnode *c = &k->node[y];
        if (c->role == DYN__ROW && c->step >= 0 && c->C >= dyn__line(k) && dyn__has_elements(dyn__at(k->g, y))
            && meets_memory(k, y))
            dense[c->step] = 1;
    }
    for (dyn_node x = 0; x < k->count; x++)
        k->node[x].pitch = pitch_of(k, x, dense);
    for (dyn_node x = 0; x < k->count; x++)
        follow_pitch(k, x);
}
