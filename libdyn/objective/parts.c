/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Evaluation in parts: one plan for equal chunks of samples and one for the samples that are left. Both are made
 * within the same budget; the chunk is halved until they fit. */
#include "objective/parts.h"

static void free_part(dyn_objective *o, dyn__part *p)
{
    dyn_exec_free(p->exec);
    dyn__free(o->ctx, p->out);
    dyn__slots_free(o, &p->slots);
    if (p->step)
        dyn__step_plan_unref(o, p->step);
    else
        dyn__loss_graph_free(o, &p->graph);
    *p = (dyn__part){.samples = 0};
}

void dyn__parts_free(dyn_objective *o, dyn__parts *p)
{
    free_part(o, &p->whole);
    free_part(o, &p->tail);
    p->total = 0;
}

dyn_status dyn__parts_try(dyn_objective *o, int64_t total, int64_t chunk, dyn__part_fn make, void *user,
                          dyn__budget *b, dyn__parts *out)
{
    const dyn__budget before = *b;

    *out = (dyn__parts){.total = total, .whole.samples = chunk, .tail.samples = total % chunk};
    dyn_status s = make(user, &out->whole, b);
    if (s == DYN_OK && out->tail.samples > 0)
        s = make(user, &out->tail, b);
    if (s < 0) {
        dyn__parts_free(o, out);
        *b = before;
    }
    return s;
}

dyn_status dyn__parts_make(dyn_objective *o, int64_t total, int64_t chunk, dyn__part_fn make, void *user,
                           dyn__budget *b, dyn__parts *out)
{
    dyn_status s;

    while ((s = dyn__parts_try(o, total, chunk, make, user, b, out)) == DYN_EFULL && chunk > 1)
        chunk = (chunk + 1) / 2;
    return s;
}

dyn__part *dyn__part_at(dyn__parts *p, int64_t first)
{
    return p->total - first < p->whole.samples ? &p->tail : &p->whole;
}

void dyn__part_run(const dyn_objective *o, dyn__part *p, const dyn__inputs *in)
{
    dyn__slots_bind(o, &p->slots, p->exec, in);
    dyn__exec_go(p->exec);
}
