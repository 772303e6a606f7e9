/* SPDX-License-Identifier: BSD-3-Clause
 *
 * First fit. The gaps between the pieces in use are kept in a search tree by offset (a treap: random ranks keep it
 * flat), and every gap knows the most room in the tree below it. */
#include "compile/gaps.h"

static int64_t start_of(const dyn__gaps *g, const dyn__gap *x, int on_line)
{
    return on_line ? (x->begin + g->line - 1) / g->line * g->line : x->begin;
}

static void renew(dyn__gaps *g, int32_t t)
{
    dyn__gap *x = &g->gap[t];

    for (int i = 0; i < 2; i++) {
        const int64_t before = g->gap[x->side[0]].room[i], behind = g->gap[x->side[1]].room[i];
        const int64_t below = before > behind ? before : behind, own = x->end - start_of(g, x, i);
        x->room[i] = own > below ? own : below;
    }
}

/* The gaps of tree t that begin before the offset, and the others. */
static void split(dyn__gaps *g, int32_t t, int64_t offset, int32_t *before, int32_t *behind)
{
    if (t == 0) {
        *before = *behind = 0;
        return;
    }
    dyn__gap *x = &g->gap[t];
    if (x->begin < offset) {
        split(g, x->side[1], offset, &x->side[1], behind);
        *before = t;
    } else {
        split(g, x->side[0], offset, before, &x->side[0]);
        *behind = t;
    }
    renew(g, t);
}

/* One tree of two, where all gaps of a lie before those of b. */
static int32_t join(dyn__gaps *g, int32_t a, int32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    const int first = g->gap[a].rank > g->gap[b].rank;
    const int32_t top = first ? a : b;
    if (first)
        g->gap[a].side[1] = join(g, g->gap[a].side[1], b);
    else
        g->gap[b].side[0] = join(g, a, g->gap[b].side[0]);
    renew(g, top);
    return top;
}

static void add(dyn__gaps *g, int64_t begin, int64_t end)
{
    const int32_t t = g->spare ? g->spare : g->count;
    int32_t before, behind;

    if (begin == end)
        return;
    if (g->spare)
        g->spare = g->gap[t].side[0];
    else
        g->count++;
    g->rank = g->rank * 1664525u + 1013904223u;
    g->gap[t] = (dyn__gap){.begin = begin, .end = end, .rank = g->rank};
    renew(g, t);
    split(g, g->root, begin, &before, &behind);
    g->root = join(g, join(g, before, t), behind);
}

static void drop(dyn__gaps *g, int32_t t)
{
    const int64_t begin = g->gap[t].begin;
    int32_t before, behind;

    split(g, g->root, begin, &before, &behind);
    split(g, behind, begin + 1, &t, &behind);
    g->root = join(g, before, behind);
    g->gap[t].side[0] = g->spare;
    g->spare = t;
}

/* For one piece more. There is at most one gap before every piece and one behind the last, so giving back needs no
 * memory. */
static dyn_status reserve(dyn__gaps *g)
{
    DYN__TRY(dyn__grow(g->ctx, (void **)&g->gap, &g->capacity, g->pieces + 3, sizeof *g->gap));
    if (g->count == 0) {
        g->gap[0] = (dyn__gap){.begin = -1, .end = -1};
        g->count = 1;
        add(g, 0, INT64_MAX / 2);
    }
    g->pieces++;
    return DYN_OK;
}

dyn_status dyn__gaps_take(dyn__gaps *g, int64_t size, int64_t *offset_out)
{
    const int on_line = size >= g->line;

    *offset_out = 0;
    if (size == 0)
        return DYN_OK;
    DYN__TRY(reserve(g));
    int32_t t = g->root;
    for (;;) {
        const int32_t before = g->gap[t].side[0];
        if (g->gap[before].room[on_line] >= size)
            t = before;
        else if (g->gap[t].end - start_of(g, &g->gap[t], on_line) >= size)
            break;
        else
            t = g->gap[t].side[1];
    }
    const int64_t begin = g->gap[t].begin, end = g->gap[t].end;
    *offset_out = start_of(g, &g->gap[t], on_line);
    drop(g, t);
    add(g, begin, *offset_out);
    add(g, *offset_out + size, end);
    if (*offset_out + size > g->top)
        g->top = *offset_out + size;
    return DYN_OK;
}

/* The last gap that begins before the offset, or 0. */
static int32_t before_offset(const dyn__gaps *g, int64_t offset)
{
    int32_t found = 0, t = g->root;

    while (t) {
        const int is_before = g->gap[t].begin < offset;
        if (is_before)
            found = t;
        t = g->gap[t].side[is_before];
    }
    return found;
}

void dyn__gaps_give(dyn__gaps *g, int64_t offset, int64_t size)
{
    int64_t begin = offset, end = offset + size;

    if (size == 0)
        return;
    const int32_t before = before_offset(g, begin), behind = before_offset(g, end + 1);

    if (g->gap[before].end == begin) {
        begin = g->gap[before].begin;
        drop(g, before);
    }
    if (g->gap[behind].begin == end) {
        end = g->gap[behind].end;
        drop(g, behind);
    }
    add(g, begin, end);
    g->pieces--;
}
