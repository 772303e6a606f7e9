/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Residuals: what a curvature product needs that depends on theta and the samples but not on the direction, and is
 * worth keeping. A plan of their own computes them once per theta; the plans of the product read them. */
#include "objective/curvature.h"

static dyn_status choose(dyn_objective *o, const dyn__product_graph *g, dyn__residuals *r)
{
    const dyn__loss_graph *l = &g->loss;

    r->node = dyn__alloc(o->ctx, (size_t)l->g->count + 1, sizeof *r->node);
    if (!r->node)
        return DYN_ENOMEM;
    const int32_t count = dyn__frontier(l->g, l->parameters, g->image, l->parameters, g->direction, r->node);
    DYN__TRY(count);
    r->value = dyn__alloc(o->ctx, (size_t)count + 1, sizeof *r->value);
    if (!r->value)
        return DYN_ENOMEM;
    r->count = count;
    return DYN_OK;
}

static int64_t size_of(const dyn__product_graph *g, const dyn__residuals *r, int32_t i)
{
    return dyn__shape_size(&dyn__at(g->loss.g, r->node[i])->shape);
}

static dyn_status allocate(dyn_objective *o, const dyn__product_graph *g, dyn__budget *b, dyn__residuals *r)
{
    for (int32_t i = 0; i < r->count; i++)
        DYN__TRY(dyn__budget_alloc(b, "values at theta", size_of(g, r, i), o->esize, &r->value[i]));
    return DYN_OK;
}

static dyn_status plan(dyn_objective *o, const dyn__product_graph *g, const dyn__curvature_point *at, dyn__budget *b,
                       dyn__residuals *r)
{
    if (r->count == 0)
        return DYN_OK;
    DYN__TRY(dyn__budget_exec(b, g->loss.g, r->count, r->node, &(dyn__compile_options){.outer = 0}, &r->exec));
    dyn__bind_point(o, g, r->exec, at);
    DYN__TRY(dyn__slots_find(o, &g->loss, r->exec, &r->slots));
    for (int32_t i = 0; i < r->count; i++)
        dyn__exec_set_output(r->exec, i, r->value[i]);
    return DYN_OK;
}

dyn_status dyn__residuals_make(dyn_objective *o, const dyn__product_graph *g, const dyn__curvature_point *at, dyn__budget *b,
                               dyn__residuals *out)
{
    *out = (dyn__residuals){0};
    dyn_status s = choose(o, g, out);
    if (s == DYN_OK)
        s = allocate(o, g, b, out);
    if (s == DYN_OK)
        s = plan(o, g, at, b, out);
    if (s < 0)
        dyn__residuals_free(o, out);
    return s;
}

void dyn__residuals_update(const dyn_objective *o, dyn__residuals *r, const dyn__inputs *in)
{
    if (!r->exec)
        return;
    dyn__slots_bind(o, &r->slots, r->exec, in);
    dyn__exec_go(r->exec);
}

void dyn__residuals_free(dyn_objective *o, dyn__residuals *r)
{
    dyn_exec_free(r->exec);
    dyn__slots_free(o, &r->slots);
    for (int32_t i = 0; i < r->count; i++)
        dyn__free(o->ctx, r->value[i]);
    dyn__free(o->ctx, r->value);
    dyn__free(o->ctx, r->node);
    *r = (dyn__residuals){0};
}
