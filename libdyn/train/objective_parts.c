/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Evaluation in parts: one plan for equal chunks of samples and one for the samples that are left. Both are made
 * within the same budget; the chunk is halved until they fit. */
#include "train/objective_parts.h"

static void free_part(dyn_objective *o, dyn__part *p)
{
    dyn_exec_free(p->exec);
    dyn__free(o->ctx, p->out);
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

void dyn__part_inputs(dyn__part *p, const dyn__loss_graph *l)
{
    p->x = dyn__plan_find(dyn__exec_plan(p->exec), l->x);
    p->y = dyn__plan_find(dyn__exec_plan(p->exec), l->y);
}

dyn__part *dyn__part_at(dyn__parts *p, int64_t first)
{
    return p->total - first < p->whole.samples ? &p->tail : &p->whole;
}

void dyn__part_run(const dyn_objective *o, dyn__part *p, const void *x, const void *y, int64_t first)
{
    dyn__exec_set_input(p->exec, p->x, (const char *)x + first * o->d * o->esize);
    dyn__exec_set_input(p->exec, p->y, (const char *)y + first * o->c * o->esize);
    dyn__exec_go(p->exec);
}
