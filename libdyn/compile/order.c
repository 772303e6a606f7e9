/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The order of nodes in a cluster. It is that in which they were written, except where a cluster computes long products
 * again (remake.c): there all that is wide would wait in the tile from one pass to the next. Then what is narrow is made
 * one after the other, each with what it needs and nothing else, and behind it what is narrow and needs nothing more, and
 * what reads the same wide nodes, as tangents do. */
#include <string.h>
#include "compile/remake.h"

typedef struct ordering {
    dyn__compiler *k;
    int32_t step;
    dyn_node *node, *stack;     /* nodes of the step by number; those on the way to a node */
    dyn_node *made;             /* in the new order */
    int32_t count, made_count;
    int32_t *first;             /* by node: the first edge to a reader in the step, plus 1 */
    int32_t *reader, *next;     /* by edge */
    int32_t edges;
    uint8_t *done, *wide;       /* by node */
} ordering;

static dyn_node base_of(const ordering *o, dyn_node x, int i)
{
    return o->k->node[dyn__at(o->k->g, x)->in[i]].view.base;
}

static int is_ours(const ordering *o, dyn_node x) { return o->k->node[x].step == o->step; }

/* An operand of x that is still to be made, or -1. */
static dyn_node missing(const ordering *o, dyn_node x)
{
    for (int i = 0; i < dyn__at(o->k->g, x)->nin; i++) {
        const dyn_node base = base_of(o, x, i);
        if (is_ours(o, base) && !o->done[base])
            return base;
    }
    return -1;
}

/* x is next, and then what only waited for it, if that is narrow. */
static void put(ordering *o, dyn_node x)
{
    o->done[x] = 1;
    o->k->node[x].before = o->made_count ? o->made[o->made_count - 1] : -1;
    o->made[o->made_count++] = x;
    for (int32_t e = o->first[x]; e; e = o->next[e - 1]) {
        const dyn_node y = o->reader[e - 1];
        if (!o->done[y] && !o->wide[y] && missing(o, y) < 0)
            put(o, y);
    }
}

static void put_with_operands(ordering *o, dyn_node x)
{
    int32_t depth = 0;

    o->stack[depth++] = x;
    while (depth) {
        const dyn_node y = o->stack[depth - 1], before = o->done[y] ? -1 : missing(o, y);
        if (before >= 0) {
            o->stack[depth++] = before;
            continue;
        }
        if (!o->done[y])
            put(o, y);
        depth--;
    }
}

static int contracts(const ordering *o, dyn_node x)
{
    for (int i = 0; !o->wide[x] && i < dyn__at(o->k->g, x)->nin; i++)
        if (o->wide[base_of(o, x, i)])
            return 1;
    return 0;
}

/* Nodes that may be missing to a reader of what has just been made. */
enum { MOST_MISSING = 64 };

/* Can x be made without waiting for what other wide nodes are contracted to? */
static int is_free(ordering *o, dyn_node x)
{
    int32_t depth = 0, budget = MOST_MISSING;

    o->stack[depth++] = x;
    while (depth) {
        const dyn_node y = o->stack[--depth];
        for (int i = 0; i < dyn__at(o->k->g, y)->nin; i++) {
            const dyn_node z = base_of(o, y, i);
            if (!is_ours(o, z) || o->done[z])
                continue;
            if (contracts(o, z) || --budget < 0)
                return 0;
            o->stack[depth++] = z;
        }
    }
    return 1;
}

/* Behind x, what reads the wide nodes made for it, so that they need not wait for it. */
static void put_with_readers(ordering *o, dyn_node x)
{
    const int32_t begin = o->made_count;

    put_with_operands(o, x);
    for (int32_t i = begin; i < o->made_count; i++)
        for (int32_t e = o->wide[o->made[i]] ? o->first[o->made[i]] : 0; e; e = o->next[e - 1])
            if (!o->done[o->reader[e - 1]] && is_free(o, o->reader[e - 1]))
                put_with_operands(o, o->reader[e - 1]);
}

static void add_edges(ordering *o, dyn_node y)
{
    for (int i = 0; i < dyn__at(o->k->g, y)->nin; i++) {
        const dyn_node x = base_of(o, y, i);
        if (!is_ours(o, x))
            continue;
        o->reader[o->edges] = y;
        o->next[o->edges] = o->first[x];
        o->first[x] = ++o->edges;
    }
}

/* The nodes of the step by number; does it compute anything again? */
static int list_nodes(ordering *o)
{
    dyn_node end = dyn__step_end(o->k, o->step);
    int found = 0;

    o->count = o->edges = 0;
    for (dyn_node x = end; x >= 0; x = o->k->node[x].before) {
        o->count++;
        found |= o->k->late[x] != 0;
    }
    for (int32_t i = o->count; i-- > 0; end = o->k->node[end].before)
        o->node[i] = end;
    return found;
}

static void order_step(ordering *o)
{
    dyn__compiler *k = o->k;

    if (!list_nodes(o))
        return;
    for (int32_t i = 0; i < o->count; i++)
        add_edges(o, o->node[i]);
    o->made_count = 0;
    for (int narrow = 1; narrow >= 0; narrow--)
        for (int32_t i = 0; i < o->count; i++)
            if (!o->done[o->node[i]] && (!narrow || !o->wide[o->node[i]]))
                put_with_readers(o, o->node[i]);
    k->plan->step[o->step].node = o->made[0];
    k->node[o->made[0]].end = o->made[o->made_count - 1];
}

dyn_status dyn__order_nodes(dyn__compiler *k)
{
    const size_t room = (size_t)k->count + 1;
    ordering o = {.k = k};

    if (!k->late)
        return DYN_OK;
    dyn_node *nodes = dyn__alloc(k->ctx, room, 4 * sizeof *nodes);
    o.reader = dyn__alloc(k->ctx, room * DYN__MAX_IN, 2 * sizeof *o.reader);
    o.done = dyn__alloc(k->ctx, room, 2);
    if (nodes && o.reader && o.done) {
        o.node = nodes;
        o.stack = nodes + room;
        o.first = nodes + 2 * room;
        o.made = nodes + 3 * room;
        o.next = o.reader + room * DYN__MAX_IN;
        o.wide = o.done + room;
        memset(o.done, 1, room);            /* as what is needed, for a moment */
        dyn__mark_wide(k->g, o.done, o.wide);
        memset(o.done, 0, room);
        for (o.step = 0; o.step < k->plan->steps; o.step++)
            order_step(&o);
    }
    const dyn_status s = nodes && o.reader && o.done ? DYN_OK : DYN_ENOMEM;
    dyn__free(k->ctx, o.done);
    dyn__free(k->ctx, o.reader);
    dyn__free(k->ctx, nodes);
    return s;
}
