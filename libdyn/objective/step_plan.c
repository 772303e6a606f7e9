/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Graph and plan of a step on some samples. They follow from the objective and from what is asked alone, so that runs of
 * one objective, one after another or side by side, write and compile once; each has an executor and buffers of its own. */
#include <string.h>
#include "compile/shared.h"
#include "objective/parts.h"

int32_t dyn__first_gradient(const dyn_objective *o) { return 1 + (o->terms > 1 ? o->terms : 0); }

/* ---- making one ---- */

static int32_t list_outputs(const dyn__evaluator *e, const dyn__loss_graph *l, dyn_node *out)
{
    const int32_t terms = dyn__first_gradient(e->o) - 1;
    int32_t n = 0;

    out[n++] = l->loss;
    for (int32_t i = 0; i < terms; i++)
        out[n++] = l->term[i];
    if (!e->value_only)
        n += l->parameters;
    for (int64_t i = 0; e->training && i < l->draft.states; i++)
        out[n++] = l->draft.state[i].value;
    return n;
}

static dyn_status compile(const dyn__evaluator *e, dyn__step_plan *s)
{
    dyn__loss_graph *l = &s->graph;
    const dyn__compile_options opt = {.threads = s->threads};
    dyn_node *out = dyn__alloc(e->o->ctx, (size_t)(2 + e->o->terms + l->parameters + l->draft.states), sizeof *out);

    if (!out)
        return DYN_ENOMEM;
    const int32_t count = list_outputs(e, l, out);
    dyn_status status = e->value_only ? DYN_OK : dyn_graph_gradient(l->g, l->loss, l->parameters, l->parameter,
                                                                    out + dyn__first_gradient(e->o));
    if (status == DYN_OK)
        status = dyn__compile_shared(l->g, count, out, &opt, &s->plan);
    dyn__free(e->o->ctx, out);
    return status;
}

static dyn_status make(const dyn__evaluator *e, int64_t samples, int64_t total, dyn__step_plan **out)
{
    dyn__step_plan *s = dyn__alloc(e->o->ctx, 1, sizeof *s);

    if (!s)
        return DYN_ENOMEM;
    dyn__ref_init(&s->ref);
    s->samples = samples;
    s->total = total;
    s->threads = e->feeding.threads;
    dyn_status status = dyn__loss_graph_make(e->o, samples, total, e->training, &s->graph);
    if (status == DYN_OK)
        status = compile(e, s);
    if (status == DYN_OK)
        *out = s;
    else
        dyn__step_plan_unref(e->o, s);
    return status;
}

void dyn__step_plan_unref(dyn_objective *o, dyn__step_plan *s)
{
    if (!s || !dyn__ref_drop(&s->ref))
        return;
    dyn_plan_unref(s->plan);
    dyn__loss_graph_free(o, &s->graph);
    dyn__free(o->ctx, s);
}

/* ---- those that are kept ---- */

static dyn__step_plan *find(const dyn_objective *o, int64_t samples, int64_t total, int32_t threads)
{
    for (int i = 0; i < DYN__STEP_PLANS && o->step_plan[i]; i++) {
        dyn__step_plan *s = o->step_plan[i];
        if (s->samples == samples && s->total == total && s->threads == threads)
            return s;
    }
    return NULL;
}

dyn_status dyn__step_plan_get(const dyn__evaluator *e, int64_t samples, int64_t total, dyn__step_plan **out)
{
    dyn__step_plan *s = e->training ? find(e->o, samples, total, e->feeding.threads) : NULL;

    if (!s)
        return make(e, samples, total, out);
    dyn__ref_take(&s->ref);
    *out = s;
    return DYN_OK;
}

void dyn__step_plan_keep(const dyn__evaluator *e, dyn__step_plan *s)
{
    dyn_objective *o = e->o;

    if (!e->training || find(o, s->samples, s->total, s->threads))
        return;
    dyn__step_plan_unref(o, o->step_plan[DYN__STEP_PLANS - 1]);
    memmove(o->step_plan + 1, o->step_plan, (DYN__STEP_PLANS - 1) * sizeof *o->step_plan);
    o->step_plan[0] = s;
    dyn__ref_take(&s->ref);
}
