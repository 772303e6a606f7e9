/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Labels of all nodes, by the rules of the primitives. A rule is asked only where an operand has samples and none joins
 * them; a primitive without a rule that is not elementwise joins samples. */
#include "graph/label.h"

dyn__label dyn__label_join(dyn__label a, dyn__label b)
{
    if (a.axis == DYN__SHARED)
        return b;
    return b.axis == DYN__SHARED || dyn__label_equal(a, b) ? a : dyn__coupled_label();
}

static dyn__label elementwise(const dyn__node *n, const dyn__label *in)
{
    dyn__label r = in[0];

    for (int i = 1; i < n->nin; i++)
        r = dyn__label_join(r, in[i]);
    return r;
}

static dyn__label label_of(const dyn_graph *g, const dyn__node *n, const dyn__label *label, int64_t samples)
{
    const dyn__op *op = dyn__op_of(n);
    dyn__label in[DYN__MAX_IN];
    int sampled = 0;

    for (int i = 0; i < n->nin; i++) {
        in[i] = label[n->in[i]];
        if (in[i].axis == DYN__COUPLED)
            return in[i];
        sampled |= in[i].axis >= 0;
    }
    if (!sampled)
        return dyn__shared_label();
    return op->label ? op->label(g, n, in, samples) : op->kernel >= 0 ? elementwise(n, in) : dyn__coupled_label();
}

void dyn__label_samples(const dyn_graph *g, int64_t samples, dyn__label *label)
{
    for (dyn_node x = 0; x < g->count; x++)
        if (dyn__at(g, x)->nin > 0 && label[x].axis == DYN__SHARED)
            label[x] = label_of(g, dyn__at(g, x), label, samples);
}

dyn_node dyn__coupling_node(const dyn_graph *g, const dyn__label *label, dyn_node x)
{
    for (int i = 0; i < dyn__at(g, x)->nin; i++)
        if (label[dyn__at(g, x)->in[i]].axis == DYN__COUPLED)
            return dyn__coupling_node(g, label, dyn__at(g, x)->in[i]);
    return x;
}
