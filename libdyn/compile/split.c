/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linearise once: which values a plan that varies in some inputs should be given ready-made. Whatever the other inputs
 * fix and a varying node reads is computed once and stored, except what is cheaper to do again from the first caches
 * than to load: views and a few passes of arithmetic. */
#include "compile/form.h"
#include "compile/remake.h"
#include "diff/diff.h"

/* Passes over a tile in the cache that are worth one load of it. Measured in Hessian products: with 8 gated recurrent
 * cells take .88 of the time without a limit, GPT and LLaMA .97; with 3 it is .92, .99 and 1.03. */
enum { MOST_PASSES = 8 };

/* What x takes in cheap arithmetic from what is not cheap, in elements. */
static double cheap_work(const dyn_graph *g, dyn_node x, const double *work)
{
    const dyn__node *n = dyn__at(g, x);
    double sum = dyn__has_elements(n) ? (double)dyn__shape_size(&n->shape) : 0;

    for (int i = 0; i < n->nin; i++)
        if (i == 0 || n->in[i] != n->in[0])
            sum += work[n->in[i]];
    return sum;
}

/* Cheap nodes that take too many passes are stored as well. */
static void mark_cheap(const dyn_graph *g, int32_t nodes, const uint8_t *wide, double *work, uint8_t *cheap)
{
    for (dyn_node x = 0; x < nodes; x++) {
        const dyn__node *n = dyn__at(g, x);
        work[x] = dyn__op_of(n)->cheap ? cheap_work(g, x, work) : 0;
        const int is_long = dyn__has_elements(n) && work[x] > (double)MOST_PASSES * (double)dyn__shape_size(&n->shape);
        cheap[x] = wide[x] || (dyn__op_of(n)->cheap && !is_long);
    }
}

/* What is stored instead of the wanted fixed nodes: a node itself, or, where it is cheap or wide, what it reads. */
static int32_t collect(const dyn_graph *g, int32_t nodes, const uint8_t *cheap, uint8_t *wanted, dyn_node *frontier)
{
    int32_t found = 0;

    for (dyn_node x = nodes - 1; x >= 0; x--) {
        const dyn__node *n = dyn__at(g, x);
        if (!wanted[x] || n->op == DYN__OP_input || n->op == DYN__OP_constant)
            continue;
        if (!cheap[x])
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
    uint8_t *need = dyn__alloc(g->ctx, 5 * (size_t)nodes + 1, 1);
    double *work = dyn__alloc(g->ctx, (size_t)nodes + 1, sizeof *work);

    if (!need || !work) {
        dyn__free(g->ctx, work);
        dyn__free(g->ctx, need);
        return DYN_ENOMEM;
    }
    uint8_t *dep = need + nodes, *wanted = dep + nodes, *wide = wanted + nodes, *cheap = wide + nodes;
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
    mark_cheap(g, nodes, wide, work, cheap);
    const int32_t found = collect(g, nodes, cheap, wanted, frontier);
    dyn__free(g->ctx, work);
    dyn__free(g->ctx, need);
    return found;
}
