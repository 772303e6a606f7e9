/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a plan's inputs and outputs are bound to: tensors to their places in theta and in the gradient, slots to data and
 * state. Inputs the plan does not read are skipped. */
#include "objective/impl.h"

void dyn__bind_theta(const dyn_objective *o, const dyn__loss_graph *l, dyn_exec *e, const void *theta)
{
    int64_t offset;

    for (int32_t i = 0; i < l->parameters; i++) {
        dyn__objective_tensor(o, i, &offset, NULL);
        dyn__exec_set_input(e, dyn__plan_find(dyn__exec_plan(e), l->parameter[i]),
                            (const char *)theta + offset * o->esize);
    }
}

void dyn__bind_gradient(const dyn_objective *o, dyn_exec *e, int32_t first, void *gradient)
{
    int64_t offset;

    for (int32_t i = 0; i < o->tensors; i++) {
        dyn__objective_tensor(o, i, &offset, NULL);
        dyn__exec_set_output(e, first + i, (char *)gradient + offset * o->esize);
    }
}

static int64_t keys_of(const dyn__slot *s)
{
    return s->role == DYN__SLOT_KEYS ? s->number : s->role == DYN__SLOT_KEY;
}

dyn_status dyn__slots_find(dyn_objective *o, const dyn__loss_graph *l, const dyn_exec *e, dyn__slots *out)
{
    int64_t keys = 1;

    *out = (dyn__slots){.slot = dyn__alloc(o->ctx, (size_t)l->slots + 1, sizeof *out->slot)};
    if (!out->slot)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < l->slots; i++) {
        dyn__slot s = l->slot[i];
        s.node = dyn__plan_find(dyn__exec_plan(e), s.node);
        keys += keys_of(&s);
        if (s.node >= 0)
            out->slot[out->count++] = s;
    }
    out->key = dyn__alloc(o->ctx, (size_t)keys, sizeof *out->key);
    return out->key ? DYN_OK : DYN_ENOMEM;
}

void dyn__slots_free(dyn_objective *o, dyn__slots *s)
{
    dyn__free(o->ctx, s->slot);
    dyn__free(o->ctx, s->key);
    *s = (dyn__slots){0};
}

dyn__inputs dyn__measured_inputs(const dyn_objective *o, int64_t first)
{
    return (dyn__inputs){.state = o->state, .first = first, .seed = o->seed, .step = o->step};
}

/* The same number for sample and step, however the samples are cut. */
static const void *fill_keys(int64_t (*key)[3], int64_t count, const dyn__inputs *in)
{
    for (int64_t i = 0; i < count; i++) {
        key[i][0] = (int64_t)in->seed;
        key[i][1] = in->step;
        key[i][2] = in->first + i;
    }
    return key;
}

static const void *datum_at(const dyn_objective *o, const dyn__slot *s, const dyn__inputs *in)
{
    const dyn__datum *d = &o->datum[s->number];

    if (s->role == DYN__SLOT_SHARED)
        return dyn_array_data(d->array);
    return (const char *)(in->rows ? in->rows[s->number] : dyn_array_data(d->array)) + in->first * d->row * d->esize;
}

void dyn__slots_bind(const dyn_objective *o, dyn__slots *s, dyn_exec *e, const dyn__inputs *in)
{
    int64_t keys = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const dyn__slot *t = &s->slot[i];
        const int64_t count = keys_of(t);

        if (count > 0)
            dyn__exec_set_input(e, t->node, fill_keys(s->key + keys, count, in));
        else if (t->role == DYN__SLOT_STATE)
            dyn__exec_set_input(e, t->node, (const char *)in->state + t->offset * o->esize);
        else
            dyn__exec_set_input(e, t->node, datum_at(o, t, in));
        keys += count;
    }
}

dyn_status dyn__batch_names_open(dyn_objective *o, dyn__batch_names *out)
{
    const size_t n = (size_t)o->data + 1;
    char *room = dyn__alloc(o->ctx, n, sizeof *out->size + sizeof *out->name + sizeof *out->rows + 2 * sizeof *out->dtype);

    if (!room)
        return DYN_ENOMEM;
    *out = (dyn__batch_names){ .size = (int64_t *)(void *)room };
    out->name = (const char **)(void *)(out->size + n);
    out->rows = (void **)(void *)(out->name + n);
    out->dtype = (int32_t *)(void *)(out->rows + n);
    out->number = out->dtype + n;
    for (int32_t i = 0; i < o->data; i++) {
        const dyn__datum *d = &o->datum[i];
        if (d->shared)
            continue;
        out->name[out->count] = d->name;
        out->dtype[out->count] = dyn_array_dtype(d->array);
        out->number[out->count] = i;
        out->size[out->count++] = d->row;
    }
    return DYN_OK;
}

void dyn__batch_names_close(dyn_objective *o, dyn__batch_names *names) { dyn__free(o->ctx, names->size); }
