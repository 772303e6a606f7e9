/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Products with the Hessian or the Gauss-Newton matrix of some samples: the graph, and plans for one direction or for
 * several, which then are the outer axis of the plan. */
#include <string.h>
#include "train/objective_curvature.h"

/* ---- the graph ---- */

static dyn_status add_product(dyn__product_graph *g, int gauss_newton)
{
    dyn__loss_graph *l = &g->loss;

    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn__shape s = dyn__at(l->g, l->parameter[i])->shape;
        DYN__TRY(g->direction[i] = dyn__tangent_input(l->g, l->g->dtype, &s));
    }
    return gauss_newton ? dyn_graph_ggn(l->g, l->loss, l->f, l->parameters, l->parameter, g->direction, g->image)
                        : dyn_graph_hvp(l->g, l->loss, l->parameters, l->parameter, g->direction, g->image);
}

/* l2 |theta|^2 / 2 depends on theta directly, not through f: the Gauss-Newton matrix of the whole objective adds
 * l2 v. */
static dyn_status add_l2_term(dyn__product_graph *g, double l2)
{
    for (int32_t i = 0; l2 > 0 && i < g->loss.parameters; i++)
        DYN__TRY(g->image[i] = dyn_graph_add(g->loss.g, g->image[i],
                                             dyn_graph_scale(g->loss.g, g->direction[i], l2)));
    return DYN_OK;
}

static dyn_status fill(dyn_objective *o, int gauss_newton, int64_t samples, dyn__product_graph *g)
{
    const size_t n = (size_t)o->model->tensors + 1;

    DYN__TRY(dyn__loss_graph_make(o, samples, o->n, &g->loss));
    g->direction = dyn__alloc(o->ctx, n, sizeof *g->direction);
    g->image = dyn__alloc(o->ctx, n, sizeof *g->image);
    if (!g->direction || !g->image)
        return DYN_ENOMEM;
    DYN__TRY(add_product(g, gauss_newton));
    return gauss_newton ? add_l2_term(g, o->opt.l2 * ((double)samples / (double)o->n)) : DYN_OK;
}

dyn_status dyn__product_graph_make(dyn_objective *o, int gauss_newton, int64_t samples, dyn__product_graph *out)
{
    *out = (dyn__product_graph){.direction = NULL};
    dyn_status s = fill(o, gauss_newton, samples, out);
    if (s < 0)
        dyn__product_graph_free(o, out);
    return s;
}

void dyn__product_graph_free(dyn_objective *o, dyn__product_graph *g)
{
    dyn__free(o->ctx, g->direction);
    dyn__free(o->ctx, g->image);
    dyn__loss_graph_free(o, &g->loss);
    g->direction = g->image = NULL;
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

static void bind(dyn_objective *o, const dyn__product_graph *g, const dyn__residuals *r, const void *theta,
                 const dyn_node *in, const dyn__product *q, dyn_exec *exec)
{
    const dyn_plan *plan = dyn__exec_plan(exec);

    dyn__bind_theta(o, &g->loss, exec, theta);
    dyn__bind_samples(o, exec, g->loss.x, g->loss.y, 0);
    for (int32_t i = 0; i < r->count; i++)
        dyn__exec_set_input(exec, dyn__plan_find(plan, r->node[i]), r->value[i]);
    for (int32_t i = 0; i < g->loss.parameters; i++) {
        const int64_t at = q->sets * o->model->tensor[i].offset * o->esize;
        dyn__exec_set_input(exec, dyn__plan_find(plan, in[i]), (char *)q->v + at);
        dyn__exec_set_output(exec, i, (char *)q->hv + at);
    }
}

dyn_status dyn__product_begin(const dyn_objective *o, int64_t sets, dyn__budget *b, dyn__product *out)
{
    *out = (dyn__product){.sets = sets};
    DYN__TRY(dyn__budget_alloc(b, "directions", sets * o->p, o->esize, &out->v));
    return dyn__budget_alloc(b, "images", sets * o->p, o->esize, &out->hv);
}

dyn_status dyn__product_compile(dyn_objective *o, const dyn__product_graph *g, const dyn__residuals *r,
                                const void *theta, const dyn__product *q, dyn__budget *b, dyn_exec **out)
{
    const size_t n = (size_t)g->loss.parameters;
    dyn_node *in = dyn__alloc(o->ctx, 2 * n + 2, sizeof *in);

    if (!in)
        return DYN_ENOMEM;
    dyn_status s = compile(g, r, q->sets, in, in + n, b, out);
    if (s == DYN_OK)
        bind(o, g, r, theta, in, q, *out);
    dyn__free(o->ctx, in);
    return s;
}

void dyn__product_free(dyn_objective *o, dyn__product *q)
{
    dyn_exec_free(q->exec);
    dyn__free(o->ctx, q->v);
    dyn__free(o->ctx, q->hv);
    *q = (dyn__product){.sets = 0};
}
