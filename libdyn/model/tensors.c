/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of a model's tensors, read off the parameters of a graph: name, shape, place in theta, layer and fans.
 * A tensor of rank 2 or more is a weight whose last axis is what it feeds, and begins a layer; other tensors are biases
 * of the layer before them. Of several equal copies, each starts equal to the first. */
#include "model/build.h"

static void set_fans(dyn_model *m, int32_t i)
{
    dyn__tensor *t = &m->tensor[i];

    t->bias = t->shape.rank < 2;
    if (!t->bias) {
        t->fan_out = t->shape.dim[t->shape.rank - 1];
        t->fan_in = t->size / t->fan_out;
        t->layer = m->layers++;
    } else if (i > 0) {
        t->fan_in = t[-1].fan_in;
        t->fan_out = t[-1].fan_out;
        t->layer = t[-1].layer;
    } else {
        t->fan_in = t->fan_out = t->size;
    }
}

static dyn_status read_tensor(dyn_model *m, const dyn_graph *g, int32_t i, dyn_node x)
{
    dyn__tensor *t = &m->tensor[i];

    t->name = dyn__strdup(m->ctx, dyn__name_of(g, x));
    if (!t->name)
        return DYN_ENOMEM;
    t->shape = dyn__at(g, x)->shape;
    t->size = dyn__shape_size(&t->shape);
    t->offset = m->size;
    t->twin = -1;
    if (t->size > INT64_MAX / 16 - m->size)
        return DYN__FAIL(m->ctx, DYN_ESHAPE, "the parameters up to \"%s\" do not fit in memory", t->name);
    m->size += t->size;
    set_fans(m, i);
    return DYN_OK;
}

static void pair_copies(dyn_model *m, int copies)
{
    const int32_t part = m->tensors / copies;

    m->layers /= copies;
    for (int32_t i = part; i < m->tensors; i++) {
        m->tensor[i].twin = i % part;
        m->tensor[i].layer = m->tensor[i % part].layer;
    }
}

static void take_own_inits(dyn_model *m, const dyn__draft *d, const dyn_node *x)
{
    for (int32_t i = 0; i < m->tensors; i++)
        for (int64_t k = 0; k < d->owns; k++)
            if (d->own[k].node == x[i]) {
                m->tensor[i].has_init = 1;
                m->tensor[i].init = d->own[k].init;
            }
}

dyn_status dyn__model_read_tensors(dyn_model *m, const dyn__draft *d, int copies)
{
    const int32_t count = dyn__parameters(d->g, NULL);

    if (count == 0)
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made no parameters");
    dyn_node *x = dyn__alloc(m->ctx, (size_t)count, sizeof *x);
    m->tensor = dyn__alloc(m->ctx, (size_t)count, sizeof *m->tensor);
    m->tensors = m->tensor ? count : 0;
    dyn_status s = x && m->tensor ? DYN_OK : DYN_ENOMEM;
    if (s == DYN_OK)
        dyn__parameters(d->g, x);
    for (int32_t i = 0; s == DYN_OK && i < count; i++)
        s = read_tensor(m, d->g, i, x[i]);
    if (s == DYN_OK) {
        take_own_inits(m, d, x);
        pair_copies(m, copies);
    }
    dyn__free(m->ctx, x);
    return s;
}

dyn_status dyn__model_read_states(dyn_model *m, const dyn__draft *d)
{
    if (d->states == 0)
        return DYN_OK;
    m->state = dyn__alloc(m->ctx, (size_t)d->states, sizeof *m->state);
    if (!m->state)
        return DYN_ENOMEM;
    while (m->states < d->states) {
        const dyn__state_node *from = &d->state[m->states];
        dyn__model_state *s = &m->state[m->states++];
        s->shape = dyn__at(d->g, from->node)->shape;
        s->size = dyn__shape_size(&s->shape);
        s->offset = m->states_size;
        s->name = dyn__strdup(m->ctx, from->name);
        s->initial = dyn__copied(m->ctx, from->initial, s->size);
        if (!s->name || !s->initial)
            return DYN_ENOMEM;
        m->states_size += s->size;
    }
    return DYN_OK;
}
