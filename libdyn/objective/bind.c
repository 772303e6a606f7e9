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

dyn_status dyn__slots_find(dyn_objective *o, const dyn__loss_graph *l, const dyn_exec *e, dyn__slots *out)
{
    *out = (dyn__slots){.slot = dyn__alloc(o->ctx, (size_t)l->slots + 1, sizeof *out->slot)};
    if (!out->slot)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < l->slots; i++) {
        dyn__slot s = l->slot[i];
        s.node = dyn__plan_find(dyn__exec_plan(e), s.node);
        if (s.node >= 0)
            out->slot[out->count++] = s;
    }
    return DYN_OK;
}

void dyn__slots_free(dyn_objective *o, dyn__slots *s)
{
    dyn__free(o->ctx, s->slot);
    *s = (dyn__slots){0};
}

void dyn__slots_bind(const dyn_objective *o, const dyn__slots *s, dyn_exec *e, const void *state, void *const *rows,
                     int64_t first)
{
    for (int64_t i = 0; i < s->count; i++) {
        const dyn__slot *t = &s->slot[i];
        const dyn__datum *d = &o->datum[t->number];
        const char *from;

        if (t->role == DYN__SLOT_STATE)
            from = (const char *)(state ? state : o->state) + t->offset * o->esize;
        else if (t->role == DYN__SLOT_SHARED)
            from = dyn_array_data(d->array);
        else
            from = (const char *)(rows ? rows[t->number] : dyn_array_data(d->array)) + first * d->row * d->esize;
        dyn__exec_set_input(e, t->node, from);
    }
}

dyn_status dyn__bind_data(dyn_objective *o, const dyn__loss_graph *l, dyn_exec *e)
{
    dyn__slots slots;

    DYN__TRY(dyn__slots_find(o, l, e, &slots));
    dyn__slots_bind(o, &slots, e, NULL, NULL, 0);
    dyn__slots_free(o, &slots);
    return DYN_OK;
}
