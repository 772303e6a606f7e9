/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linearise once: which values a plan that varies in some inputs should be given ready-made. Whatever the other inputs
 * fix and a varying node reads is computed once and stored, except what is cheaper to do again from the first caches
 * than to load, as its primitive says: views, and arithmetic that needs no more operands than it saves. */
#include "compile/remake.h"
#include "diff/diff.h"

/* What is stored instead of the wanted fixed nodes: a node itself, or, where it is cheap or wide, what it reads. */
static int32_t collect(const dyn_graph *g, int32_t nodes, const uint8_t *wide, uint8_t *wanted, dyn_node *frontier)
{
    int32_t found = 0;

    for (dyn_node x = nodes - 1; x >= 0; x--) {
        const dyn__node *n = dyn__at(g, x);
        if (!wanted[x] || n->op == DYN__OP_input || n->op == DYN__OP_constant)
            continue;
        if (!dyn__op_of(n)->cheap && !wide[x])
            frontier[found++] = x;
        else
            for (int i = 0; i < n->nin; i++)
                wanted[n->in[i]] = 1;
    }
    return found;
}

int32_t dyn__frontier(dyn_graph *g, int32_t count, const dyn_node *outputs, int32_t n_varying,
                      const dyn_node *varying, dyn_node *frontier)
{
    const int32_t nodes = g->count;
    uint8_t *need = dyn__alloc(g->ctx, 4 * (size_t)nodes + 1, 1);

    if (!need)
        return DYN_ENOMEM;
    uint8_t *dep = need + nodes, *wanted = dep + nodes, *wide = wanted + nodes;
    dyn__mark_needed(g, count, outputs, need);
    dyn__mark_dependent(g, nodes, n_varying, varying, dep);
    for (dyn_node y = 0; y < nodes; y++)
        for (int i = 0; need[y] && dep[y] && i < dyn__at(g, y)->nin; i++)
            if (!dep[dyn__at(g, y)->in[i]])
                wanted[dyn__at(g, y)->in[i]] = 1;
    for (int32_t j = 0; j < count; j++)     /* an output that does not vary at all */
        if (!dep[outputs[j]])
            wanted[outputs[j]] = 1;
    dyn__mark_wide(g, need, wide);
    const int32_t found = collect(g, nodes, wide, wanted, frontier);
    dyn__free(g->ctx, need);
    return found;
}
