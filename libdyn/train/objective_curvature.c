/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hessian and Gauss-Newton matrix as operators, linearised once: what depends on theta alone is computed by a first
 * plan when the operator is made and kept (residuals); a product runs a second plan that reads the residuals and the
 * direction. Blocks of directions go through one plan of their own, with the direction as the outer axis. Where the
 * memory limit forbids residuals of all samples, every product evaluates the whole in chunks.
 *
 * The plans do not depend on theta. When an operator goes, the objective keeps what it was made of for the next one,
 * so that following the curvature along a training run compiles once. */
#include <string.h>
#include "linalg/operator.h"
#include "train/objective_impl.h"

enum { BLOCK = 16 };            /* directions per run of the block plan */

typedef struct product {        /* a plan for `sets` directions at once */
    int64_t sets;
    dyn_exec *exec;
    void *v, *hv;               /* per tensor: [sets, size], one tensor after the other */
} product;

typedef struct curvature {
    dyn_objective *o;
    int gauss_newton, chunked;
    dyn__loss_graph graph;
    int64_t samples;            /* per run of the plan */
    dyn_node *direction, *image;    /* per tensor: tangent input, result */
    dyn_node *residual;
    void **stored;
    int32_t residuals;
    dyn_exec *first;            /* computes the residuals; NULL if there are none */
    void *theta;
    product single, block;
    int no_block;               /* the block plan does not fit the memory limit */
    double *sum;                /* chunked: one product */
} curvature;

/* ---- graphs ---- */

static dyn_status add_product(curvature *k)
{
    dyn__loss_graph *l = &k->graph;

    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn__shape s = dyn__at(l->g, l->parameter[i])->shape;
        DYN__TRY(k->direction[i] = dyn__tangent_input(l->g, l->g->dtype, &s));
    }
    return k->gauss_newton ? dyn_graph_ggn(l->g, l->loss, l->f, l->parameters, l->parameter, k->direction, k->image)
                           : dyn_graph_hvp(l->g, l->loss, l->parameters, l->parameter, k->direction, k->image);
}

/* l2 |theta|^2 / 2 depends on theta directly, not through f: the Gauss-Newton matrix of the whole objective adds l2
 * v. */
static dyn_status add_l2_term(curvature *k, double share)
{
    if (!k->gauss_newton || k->o->opt.l2 == 0)
        return DYN_OK;
    for (int32_t i = 0; i < k->graph.parameters; i++)
        DYN__TRY(k->image[i] = dyn_graph_add(k->graph.g, k->image[i],
                                             dyn_graph_scale(k->graph.g, k->direction[i], k->o->opt.l2 * share)));
    return DYN_OK;
}

static dyn_status make_graph(curvature *k, int64_t samples)
{
    dyn_objective *o = k->o;
    const size_t n = (size_t)dyn_model_tensors(o->model) + 1;

    DYN__TRY(dyn__loss_graph_make(o, samples, o->n, &k->graph));
    k->direction = dyn__alloc(o->ctx, n, sizeof *k->direction);
    k->image = dyn__alloc(o->ctx, n, sizeof *k->image);
    if (!k->direction || !k->image)
        return DYN_ENOMEM;
    DYN__TRY(add_product(k));
    return add_l2_term(k, (double)samples / (double)o->n);
}

/* ---- residuals ---- */

static dyn_status allocate_residuals(curvature *k)
{
    for (int32_t i = 0; i < k->residuals; i++) {
        const dyn__node *n = dyn__at(k->graph.g, k->residual[i]);
        k->stored[i] = dyn__alloc(k->o->ctx, (size_t)dyn__shape_size(&n->shape), (size_t)k->o->esize);
        if (!k->stored[i])
            return DYN_ENOMEM;
    }
    return DYN_OK;
}

static dyn_status plan_residuals(curvature *k)
{
    dyn_objective *o = k->o;
    dyn__compile_options opt = {.arena_limit = o->opt.memory_limit};
    dyn_plan *plan = NULL;
    dyn_status s;

    if (k->residuals == 0)
        return DYN_OK;
    DYN__TRY(dyn__compile(k->graph.g, k->residuals, k->residual, &opt, &plan));
    s = dyn_exec_create(plan, &k->first);
    dyn_plan_unref(plan);
    DYN__TRY(s);
    dyn__bind_theta(o, &k->graph, k->first, k->theta);
    dyn__exec_set_input(k->first, dyn__plan_find(dyn__exec_plan(k->first), k->graph.x), dyn_array_data(o->x));
    dyn__exec_set_input(k->first, dyn__plan_find(dyn__exec_plan(k->first), k->graph.y), dyn_array_data(o->y));
    for (int32_t i = 0; i < k->residuals; i++)
        dyn__exec_set_output(k->first, i, k->stored[i]);
    return DYN_OK;
}

static dyn_status linearise(curvature *k)
{
    dyn_objective *o = k->o;
    int64_t bytes = 0;

    k->residual = dyn__alloc(o->ctx, (size_t)k->graph.g->count + 1, sizeof *k->residual);
    if (!k->residual)
        return DYN_ENOMEM;
    DYN__TRY(k->residuals = dyn__frontier(k->graph.g, k->graph.parameters, k->image, k->graph.parameters,
                                          k->direction, k->residual));
    for (int32_t i = 0; i < k->residuals; i++)
        bytes += dyn__shape_size(&dyn__at(k->graph.g, k->residual[i])->shape) * o->esize;
    if (o->opt.memory_limit > 0 && bytes > o->opt.memory_limit)
        return DYN__FAIL(o->ctx, DYN_EFULL, "residuals need %lld bytes, the limit is %lld", (long long)bytes,
                         (long long)o->opt.memory_limit);
    k->stored = dyn__alloc(o->ctx, (size_t)k->residuals + 1, sizeof *k->stored);
    if (!k->stored)
        return DYN_ENOMEM;
    DYN__TRY(allocate_residuals(k));
    return plan_residuals(k);
}

/* ---- products ---- */

/* Inputs of the block plan carry the outer axis; the image is batched over them. */
static dyn_status batch_directions(curvature *k, int64_t sets, dyn_node *in, dyn_node *out)
{
    dyn__loss_graph *l = &k->graph;

    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn__shape s = dyn__shape_lead(&dyn__at(l->g, k->direction[i])->shape, sets);
        DYN__TRY(in[i] = dyn__tangent_input(l->g, l->g->dtype, &s));
    }
    return dyn_graph_batch(l->g, sets, l->parameters, k->image, l->parameters, k->direction, in, out);
}

static void bind_product(curvature *k, product *q, const dyn_plan *plan, const dyn_node *in)
{
    dyn_objective *o = k->o;
    int64_t offset;

    dyn__bind_theta(o, &k->graph, q->exec, k->theta);
    dyn__exec_set_input(q->exec, dyn__plan_find(plan, k->graph.x), dyn_array_data(o->x));
    dyn__exec_set_input(q->exec, dyn__plan_find(plan, k->graph.y), dyn_array_data(o->y));
    for (int32_t i = 0; i < k->residuals; i++)
        dyn__exec_set_input(q->exec, dyn__plan_find(plan, k->residual[i]), k->stored[i]);
    for (int32_t i = 0; i < k->graph.parameters; i++) {
        dyn_model_tensor(o->model, i, NULL, &offset);
        dyn__exec_set_input(q->exec, dyn__plan_find(plan, in[i]), (char *)q->v + q->sets * offset * o->esize);
        dyn__exec_set_output(q->exec, i, (char *)q->hv + q->sets * offset * o->esize);
    }
}

static dyn_status make_product(curvature *k, product *q, int64_t sets)
{
    dyn_objective *o = k->o;
    const size_t n = (size_t)k->graph.parameters;
    dyn_node *in = dyn__alloc(o->ctx, 2 * n + 2, sizeof *in), *out = in + n;
    dyn__compile_options opt = {.outer = sets > 1 ? sets : 0, .outer_inputs = sets > 1 ? (int32_t)n : 0, .cuts =
                                k->residuals,
                                .cut = k->residual, .arena_limit = o->opt.memory_limit};
    dyn_plan *plan = NULL;
    dyn_status s = in ? DYN_OK : DYN_ENOMEM;

    q->sets = sets;
    q->v = dyn__alloc(o->ctx, (size_t)(sets * o->p), (size_t)o->esize);
    q->hv = dyn__alloc(o->ctx, (size_t)(sets * o->p), (size_t)o->esize);
    if (!q->v || !q->hv)
        s = DYN_ENOMEM;
    if (s == DYN_OK && sets > 1)
        s = batch_directions(k, sets, in, out);
    if (s == DYN_OK && sets == 1) {
        memcpy(in, k->direction, n * sizeof *in);
        memcpy(out, k->image, n * sizeof *out);
    }
    opt.outer_input = in;
    if (s == DYN_OK)
        s = dyn__compile(k->graph.g, (int32_t)n, out, &opt, &plan);
    if (s == DYN_OK)
        s = dyn_exec_create(plan, &q->exec);
    if (s == DYN_OK)
        bind_product(k, q, plan, in);
    dyn_plan_unref(plan);
    dyn__free(o->ctx, in);
    return s;
}

/* Tensor by tensor between rows of length p and the plan's own order. */
static void scatter_directions(const curvature *k, product *q, const double *x)
{
    const dyn_objective *o = k->o;
    int64_t offset;

    for (int32_t i = 0; i < k->graph.parameters; i++) {
        dyn_model_tensor(o->model, i, NULL, &offset);
        int64_t size = dyn__shape_size(&dyn__at(k->graph.g, k->graph.parameter[i])->shape);
        for (int64_t v = 0; v < q->sets; v++)
            dyn__to_native(o, size, (char *)q->v + (q->sets * offset + v * size) * o->esize, x + v * o->p + offset);
    }
}

static void gather_images(const curvature *k, const product *q, double *y)
{
    const dyn_objective *o = k->o;
    int64_t offset;

    for (int32_t i = 0; i < k->graph.parameters; i++) {
        dyn_model_tensor(o->model, i, NULL, &offset);
        int64_t size = dyn__shape_size(&dyn__at(k->graph.g, k->graph.parameter[i])->shape);
        for (int64_t v = 0; v < q->sets; v++)
            dyn__from_native(o, size, y + v * o->p + offset, (const char *)q->hv + (q->sets * offset
                    + v * size) * o->esize);
    }
}

/* Chunk after chunk with theta and data only; a chunk's plan is the single one of its graph. */
static void run_chunks(curvature *k, double *y)
{
    dyn_objective *o = k->o;
    const dyn_plan *plan = dyn__exec_plan(k->single.exec);

    for (int64_t i = 0; i + k->samples <= o->n; i += k->samples) {
        dyn__exec_set_input(k->single.exec, dyn__plan_find(plan, k->graph.x), dyn__sample_x(o, i));
        dyn__exec_set_input(k->single.exec, dyn__plan_find(plan, k->graph.y), dyn__sample_y(o, i));
        dyn__exec_go(k->single.exec);
        gather_images(k, &k->single, k->sum);
        for (int64_t j = 0; j < o->p; j++)
            y[j] = i == 0 ? k->sum[j] : y[j] + k->sum[j];
    }
}

static void free_product(dyn_ctx *ctx, product *q)
{
    dyn_exec_free(q->exec);
    dyn__free(ctx, q->v);
    dyn__free(ctx, q->hv);
    *q = (product){0};
}

/* The block plan on first use; without it the single plan does the work. */
static dyn_status want_block(curvature *k)
{
    dyn_status s;

    if (k->block.exec || k->no_block || k->chunked)
        return DYN_OK;
    s = make_product(k, &k->block, BLOCK);
    if (s < 0)
        free_product(k->o->ctx, &k->block);
    k->no_block = s == DYN_EFULL;
    return s == DYN_EFULL ? DYN_OK : s;
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    curvature *k = user;
    int64_t i = 0;

    if (count >= BLOCK)
        DYN__TRY(want_block(k));
    while (i < count) {
        product *q = k->block.exec && count - i >= BLOCK ? &k->block : &k->single;
        scatter_directions(k, q, x + i * k->o->p);
        if (k->chunked) {
            run_chunks(k, y + i * k->o->p);
        } else {
            dyn__exec_go(q->exec);
            gather_images(k, q, y + i * k->o->p);
        }
        i += q->sets;
    }
    return DYN_OK;
}

/* ---- the operator ---- */

static void forget(curvature *k)
{
    dyn_ctx *ctx = k->o->ctx;

    free_product(ctx, &k->single);
    free_product(ctx, &k->block);
    dyn_exec_free(k->first);
    k->first = NULL;
    for (int32_t i = 0; k->stored && i < k->residuals; i++)
        dyn__free(ctx, k->stored[i]);
    dyn__free(ctx, k->stored);
    dyn__free(ctx, k->residual);
    dyn__free(ctx, k->direction);
    dyn__free(ctx, k->image);
    dyn__loss_graph_free(k->o, &k->graph);
    k->stored = NULL;
    k->residual = k->direction = k->image = NULL;
    k->residuals = 0;
}

void dyn__curvature_free(void *spare)
{
    curvature *k = spare;
    dyn_ctx *ctx;

    if (!k)
        return;
    ctx = k->o->ctx;
    forget(k);
    dyn__free(ctx, k->sum);
    dyn__free(ctx, k->theta);
    dyn__free(ctx, k);
}

/* The end of an operator: its plans stay with the objective, if there is room for them. */
static void destroy(void *user)
{
    curvature *k = user;
    dyn_objective *o = k->o;

    if (!o->spare[k->gauss_newton])
        o->spare[k->gauss_newton] = k;
    else
        dyn__curvature_free(k);
    dyn_objective_unref(o);
}

static dyn_status build_whole(curvature *k)
{
    k->samples = k->o->n;
    DYN__TRY(make_graph(k, k->o->n));
    DYN__TRY(linearise(k));
    return make_product(k, &k->single, 1);
}

/* The largest divisor of n samples, at most half of the last one tried, whose plan fits. */
static dyn_status build_chunked(curvature *k)
{
    int64_t n = k->o->n;
    dyn_status s = DYN_EFULL;

    k->chunked = 1;
    k->sum = dyn__alloc(k->o->ctx, (size_t)k->o->p, sizeof *k->sum);
    if (!k->sum)
        return DYN_ENOMEM;
    for (int64_t parts = 2; s == DYN_EFULL && parts <= n; parts++) {
        if (n % parts)
            continue;
        forget(k);
        k->samples = n / parts;
        s = make_graph(k, k->samples);
        if (s == DYN_OK)
            s = make_product(k, &k->single, 1);
    }
    return s;
}

static dyn_status build(dyn_objective *o, int gauss_newton, curvature **out)
{
    curvature *k = dyn__alloc(o->ctx, 1, sizeof *k);
    dyn_status s;

    if (!k)
        return DYN_ENOMEM;
    k->o = o;
    k->gauss_newton = gauss_newton;
    k->theta = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    s = k->theta ? build_whole(k) : DYN_ENOMEM;
    if (s == DYN_EFULL)
        s = build_chunked(k);
    if (s < 0)
        dyn__curvature_free(k);
    else
        *out = k;
    return s;
}

static dyn_status make_operator(dyn_objective *o, const double *theta, int gauss_newton, dyn_operator **out)
{
    curvature *k = o->spare[gauss_newton];
    dyn_status s;

    if (!k)
        DYN__TRY(build(o, gauss_newton, &k));
    o->spare[gauss_newton] = NULL;
    dyn__to_native(o, o->p, k->theta, theta);
    if (k->first)
        dyn__exec_go(k->first);
    dyn_objective_ref(o);
    s = dyn__operator_create(o->ctx, o->p, apply, k, destroy, out);
    if (s < 0)
        destroy(k);
    return s;
}

/* ---- callbacks ---- */

typedef struct called { dyn_objective *o; double theta[]; } called;

static dyn_status apply_called(void *user, int64_t count, const double *x, double *y)
{
    called *c = user;
    int32_t r = c->o->product(c->o->user, c->theta, count, x, y);

    return r == 0 ? DYN_OK : DYN__FAIL(c->o->ctx, DYN_EUSER, "the caller's product function returned %d", (int)r);
}

static void destroy_called(void *user)
{
    called *c = user;
    dyn_objective *o = c->o;

    dyn__free(o->ctx, c);
    dyn_objective_unref(o);
}

static dyn_status make_called(dyn_objective *o, const double *theta, dyn_operator **out)
{
    called *c;
    dyn_status s;

    if (!o->product)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective has no Hessian product function");
    c = dyn__alloc(o->ctx, 1, sizeof *c + (size_t)o->p * sizeof c->theta[0]);
    if (!c)
        return DYN_ENOMEM;
    c->o = dyn_objective_ref(o);
    memcpy(c->theta, theta, (size_t)o->p * sizeof *theta);
    s = dyn__operator_create(o->ctx, o->p, apply_called, c, destroy_called, out);
    if (s < 0)
        destroy_called(c);
    return s;
}

dyn_status dyn_objective_hessian(dyn_objective *o, const double *theta, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    return o->model ? make_operator(o, theta, 0, out) : make_called(o, theta, out);
}

dyn_status dyn_objective_ggn(dyn_objective *o, const double *theta, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    DYN__TRY(dyn__need_model(o));
    return make_operator(o, theta, 1, out);
}
