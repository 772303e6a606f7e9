/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Groups of parameters: spans of theta with factors on rate and decay of their own. */
#include "optim/optim.h"

#include <string.h>

double dyn__span_rate(const dyn__span *s) { return s->frozen ? 0 : s->rate; }
double dyn__span_decay(const dyn__span *s) { return s->frozen ? 0 : s->decay; }
double dyn__span_moves(const dyn__span *s) { return !s->frozen; }

dyn__update dyn__span_update(const dyn__span *s, const dyn__update *h)
{
    dyn__update own = *h;

    own.rate *= s->rate;
    own.of_g *= s->rate;
    own.of_m *= s->rate;
    own.decay *= s->rate * s->decay;
    own.l2 *= s->decay;
    return own;
}

const dyn__span *dyn__span_of(const dyn_optimizer *o, int64_t i)
{
    int64_t low = 0, high = o->spans - 1;

    while (low < high) {
        const int64_t middle = (low + high + 1) / 2;
        if (o->span[middle].from <= i)
            low = middle;
        else
            high = middle - 1;
    }
    return &o->span[low];
}

void dyn__optimizer_mask(const dyn_optimizer *o, void *gradient)
{
    for (int64_t k = 0; k < o->spans; k++)
        if (o->span[k].frozen)
            memset((char *)gradient + (size_t)o->span[k].from * o->width, 0, (size_t)o->span[k].count * o->width);
}

dyn_node dyn__span_node(const dyn_optimizer *o, dyn_graph *g, double (*factor)(const dyn__span *))
{
    double *values;
    dyn_node x;

    if (!o->spans)
        return dyn_graph_constant(g, 1, 0, NULL);
    values = dyn__alloc(o->ctx, (size_t)o->size, sizeof *values);
    if (!values)
        return DYN_ENOMEM;
    for (int64_t k = 0; k < o->spans; k++)
        for (int64_t i = 0; i < o->span[k].count; i++)
            values[o->span[k].from + i] = factor(&o->span[k]);
    x = dyn_graph_constant_array(g, 1, &o->size, values);
    dyn__free(o->ctx, values);
    return x;
}

/* A group's own decay has its part in the answer, in place of that of the others, which is in c. */
void dyn__span_precondition(const dyn_optimizer *o, double *d)
{
    const double decay = o->rule.decoupled ? dyn__rate(&o->opt, o->steps > 0 ? o->steps - 1 : 0) * o->opt.weight_decay : 0;

    for (int64_t k = 0; k < o->spans; k++) {
        const dyn__span *s = &o->span[k];
        const double by = dyn__span_rate(s) * (2 - decay) / (2 - decay * s->rate * s->decay);
        for (int64_t i = s->from; i < s->from + s->count; i++)
            d[i] *= by;
    }
}
