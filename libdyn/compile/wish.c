/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of nodes that nothing behind them prescribes: elementwise work on what lies in memory, such as what a second
 * plan does again with the values that it is given. They take the rows of those who read them, and run in their clusters;
 * rows of the first axis alone would be a cluster of its own, whose results have to be stored. */
#include "compile/form.h"

/* Rows of x are what its operands have: those of none, or of others that are free. free: of the nodes before x. */
static int is_free(const dyn__compiler *k, dyn_node x, const uint8_t *free)
{
    const dyn__node *n = dyn__at(k->g, x);

    if (k->node[x].role != DYN__ROW || dyn__form_of(n)->own_rows)
        return 0;
    for (int i = 0; i < n->nin; i++) {
        const dyn_node b = k->node[n->in[i]].view.base;
        if (k->node[b].role == DYN__ROW && !free[b])
            return 0;
    }
    return 1;
}

/* Rows of y, if its operand i could be read by them and is made in as many; else 0. */
static int64_t rows_wanted(const dyn__compiler *k, dyn_node y, int i)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__cnode *c = &k->node[y];
    const dyn_node x = n->in[i], base = k->node[x].view.base;
    const dyn__form *form = dyn__form_of(n);
    const int axes = dyn__row_axes(dyn__shape_of(k, x), c->outer, c->R);
    int64_t stride;

    if (form->reads_whole && form->reads_whole(k, y, i))
        return 0;
    if (axes == 0 || !dyn__row_stride(&k->node[x].view, dyn__shape_of(k, x), c->outer, axes, &stride))
        return 0;
    return dyn__carries_outer(k, base) == c->outer && dyn__row_axes(dyn__shape_of(k, base), c->outer, c->R) > 0
         ? c->R : 0;
}

/* Could x be made in as many rows as are wished for: are those of what it reads row by row equally far apart? */
static int can_have_wish(const dyn__compiler *k, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);
    const dyn__cnode *c = &k->node[x];
    const int axes = dyn__row_axes(&n->shape, c->outer, c->wish);
    const dyn__form *form = dyn__form_of(n);
    int64_t stride;

    for (int i = 0; i < n->nin; i++)
        if (!(form->reads_whole && form->reads_whole(k, x, i))
            && !dyn__row_stride(&k->node[n->in[i]].view, dyn__shape_of(k, n->in[i]), c->outer, axes, &stride))
            return 0;
    return axes > 0;
}

/* The rows of y from now on: those it wishes for, or where it cannot have them its own. Does it want these of others? */
static int settle(dyn__compiler *k, dyn_node y, int is_free)
{
    dyn__cnode *c = &k->node[y];

    if (!c->wish)
        return !is_free;
    if (can_have_wish(k, y))
        c->R = c->wish;
    else
        c->wish = 0;
    return 1;
}

/* Readers before what they read: a free one has got its own wish by then. */
static void ask_readers(dyn__compiler *k, const uint8_t *need, const uint8_t *free)
{
    for (dyn_node y = k->count - 1; y >= 0; y--) {
        const dyn__node *n = dyn__at(k->g, y);
        if (!need[y] || (k->node[y].role != DYN__ROW && k->node[y].role != DYN__TERM))
            continue;
        const int wants = settle(k, y, free[y]);
        for (int i = 0; i < n->nin; i++) {
            const dyn_node base = k->node[n->in[i]].view.base;
            const int64_t rows = free[base] && wants ? rows_wanted(k, y, i) : 0;
            if (rows > k->node[base].wish)
                k->node[base].wish = rows;
        }
    }
}

void dyn__find_wishes(dyn__compiler *k, const uint8_t *need, uint8_t *free)
{
    for (dyn_node x = 0; x < k->count; x++)
        free[x] = (uint8_t)is_free(k, x, free);
    ask_readers(k, need, free);
}
