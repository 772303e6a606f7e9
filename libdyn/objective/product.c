/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Products with the Hessian or the Gauss-Newton matrix of some samples: the graph, and plans for one direction or for
 * several, which then are the outer axis of the plan. */
#include <string.h>
#include "diff/diff.h"
#include "objective/curvature.h"

/* ---- the graph ---- */

/* Of the loss through the outputs of the models; a penalty, which depends on theta directly, adds its Hessian. */
static dyn_status add_gauss_newton(dyn_objective *o, dyn__product_graph *g)
{
    dyn__loss_graph *l = &g->loss;
    const dyn_node *cut;
    int32_t cuts;

    DYN__TRY(dyn__loss_graph_cuts(o, l, &cut, &cuts));
    if (l->fit < 0)
        return dyn_graph_hvp(l->g, l->loss, l->parameters, l->parameter, g->direction, g->image);
    DYN__TRY(dyn__ggn(l->g, l->fit, cuts, cut, l->parameters, l->parameter, g->direction, g->image));
    if (l->penalty < 0)
        return DYN_OK;
    DYN__TRY(dyn_graph_hvp(l->g, l->penalty, l->parameters, l->parameter, g->direction, g->extra));
    for (int32_t i = 0; i < l->parameters; i++)
        DYN__TRY(g->image[i] = dyn_graph_add(l->g, g->image[i], g->extra[i]));
    return DYN_OK;
}

/* The tangent along a direction of the Hessian product. */
static dyn_status add_third(dyn__product_graph *g)
{
    dyn__loss_graph *l = &g->loss;

    DYN__TRY(dyn_graph_hvp(l->g, l->loss, l->parameters, l->parameter, g->along, g->extra));
    return dyn_graph_jvp(l->g, l->parameters, g->extra, l->parameters, l->parameter, g->direction, g->image);
}

static dyn_status add_inputs(const dyn__loss_graph *l, dyn_node *inputs)
{
    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn__shape s = dyn__at(l->g, l->parameter[i])->shape;
        DYN__TRY(inputs[i] = dyn__tangent_input(l->g, l->g->dtype, &s));
    }
    return DYN_OK;
}

static dyn_status add_product(dyn_objective *o, dyn__product_graph *g, int kind)
{
    dyn__loss_graph *l = &g->loss;

    DYN__TRY(add_inputs(l, g->direction));
    if (g->along)
        DYN__TRY(add_inputs(l, g->along));
    if (kind == DYN__THIRD)
        return add_third(g);
    return kind == DYN__GAUSS_NEWTON ? add_gauss_newton(o, g)
                                     : dyn_graph_hvp(l->g, l->loss, l->parameters, l->parameter, g->direction, g->image);
}

static dyn_status fill(dyn_objective *o, int kind, int64_t samples, dyn__product_graph *g)
{
    const size_t n = (size_t)o->tensors + 1;

    DYN__TRY(dyn__loss_graph_make(o, samples, o->n, 0, &g->loss));
    g->direction = dyn__alloc(o->ctx, n, sizeof *g->direction);
    g->image = dyn__alloc(o->ctx, n, sizeof *g->image);
    g->extra = dyn__alloc(o->ctx, n, sizeof *g->extra);
    if (kind == DYN__THIRD)
        g->along = dyn__alloc(o->ctx, n, sizeof *g->along);
    if (!g->direction || !g->image || !g->extra || (kind == DYN__THIRD && !g->along))
        return DYN_ENOMEM;
    return add_product(o, g, kind);
}

dyn_status dyn__product_graph_make(dyn_objective *o, int kind, int64_t samples, dyn__product_graph *out)
{
    *out = (dyn__product_graph){.direction = NULL};
    dyn_status s = fill(o, kind, samples, out);
    if (s < 0)
        dyn__product_graph_free(o, out);
    return s;
}

void dyn__product_graph_free(dyn_objective *o, dyn__product_graph *g)
{
    dyn__free(o->ctx, g->direction);
    dyn__free(o->ctx, g->image);
    dyn__free(o->ctx, g->extra);
    dyn__free(o->ctx, g->along);
    dyn__loss_graph_free(o, &g->loss);
    g->direction = g->image = g->extra = g->along = NULL;
}

/* ---- plans ---- */

/* Inputs of a plan for several directions carry the outer axis; the image is batched over them. */
static dyn_status batch_directions(const dyn__product_graph *g, int64_t sets, dyn_node *in, dyn_node *out)
{
    const dyn__loss_graph *l = &g->loss;

    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn__shape s = dyn__shape_lead(&dyn__at(l->g, g->direction[i])->shape, sets);
        DYN__TRY(in[i] = dyn__tangent_input(l->g, l->g->dtype, &s));
    }
    return dyn_graph_batch(l->g, sets, l->parameters, g->image, l->parameters, g->direction, in, out);
}

/* in, out: inputs and outputs of the plan, per tensor. */
static dyn_status compile(const dyn__product_graph *g, const dyn__residuals *r, int64_t sets,
                          dyn_node *in, dyn_node *out, dyn__budget *b, dyn_exec **exec)
{
    const int32_t n = g->loss.parameters;
    dyn__compile_options opt = {.cuts = r->count, .cut = r->node};

    if (sets > 1) {
        opt.outer = sets;
        opt.outer_inputs = n;
        opt.outer_input = in;
        DYN__TRY(batch_directions(g, sets, in, out));
    } else {
        memcpy(in, g->direction, (size_t)n * sizeof *in);
        memcpy(out, g->image, (size_t)n * sizeof *out);
    }
    return dyn__budget_exec(b, g->loss.g, n, out, &opt, exec);
}

void dyn__bind_point(const dyn_objective *o, const dyn__product_graph *g, dyn_exec *e, const dyn__curvature_point *at)
{
    int64_t offset;

    dyn__bind_theta(o, &g->loss, e, at->theta);
    for (int32_t i = 0; g->along && i < g->loss.parameters; i++) {
        dyn__objective_tensor(o, i, &offset, NULL);
        dyn__exec_set_input(e, dyn__plan_find(dyn__exec_plan(e), g->along[i]), (const char *)at->along + offset * o->esize);
    }
}

static void bind(dyn_objective *o, const dyn__product_graph *g, const dyn__residuals *r, const dyn__curvature_point *at,
                 const dyn_node *in, const dyn__product *q, dyn_exec *exec)
{
    const dyn_plan *plan = dyn__exec_plan(exec);

    dyn__bind_point(o, g, exec, at);
    for (int32_t i = 0; i < r->count; i++)
        dyn__exec_set_input(exec, dyn__plan_find(plan, r->node[i]), r->value[i]);
    for (int32_t i = 0; i < g->loss.parameters; i++) {
        int64_t offset;
        dyn__objective_tensor(o, i, &offset, NULL);
        dyn__exec_set_input(exec, dyn__plan_find(plan, in[i]), (char *)q->v + q->sets * offset * o->esize);
        dyn__exec_set_output(exec, i, (char *)q->hv + q->sets * offset * o->esize);
    }
}

dyn_status dyn__product_begin(const dyn_objective *o, int64_t sets, dyn__budget *b, dyn__product *out)
{
    *out = (dyn__product){.sets = sets};
    DYN__TRY(dyn__budget_alloc(b, "directions", sets * o->p, o->esize, &out->v));
    return dyn__budget_alloc(b, "images", sets * o->p, o->esize, &out->hv);
}

dyn_status dyn__product_compile(dyn_objective *o, const dyn__product_graph *g, const dyn__residuals *r,
                                const dyn__curvature_point *at, const dyn__product *q, dyn__budget *b, dyn_exec **out,
                                dyn__slots *slots)
{
    const size_t n = (size_t)g->loss.parameters;
    dyn_node *in = dyn__alloc(o->ctx, 2 * n + 2, sizeof *in);

    if (!in)
        return DYN_ENOMEM;
    dyn_status s = compile(g, r, q->sets, in, in + n, b, out);
    if (s == DYN_OK) {
        bind(o, g, r, at, in, q, *out);
        s = dyn__slots_find(o, &g->loss, *out, slots);
    }
    dyn__free(o->ctx, in);
    return s;
}

void dyn__product_free(dyn_objective *o, dyn__product *q)
{
    dyn_exec_free(q->exec);
    dyn__slots_free(o, &q->slots);
    dyn__free(o->ctx, q->v);
    dyn__free(o->ctx, q->hv);
    *q = (dyn__product){.sets = 0};
}
