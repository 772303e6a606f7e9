/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hessian and Gauss-Newton matrix as operators, linearised once: what depends on theta alone is computed when the
 * operator is made and kept; a product runs a second plan that reads it and the direction. Blocks of directions go
 * through one plan of their own. Where the memory limit forbids residuals of all samples, every product evaluates the
 * whole in chunks.
 *
 * The plans do not depend on theta. When an operator goes, the objective keeps what it was made of for the next one,
 * so that following the curvature along a training run compiles once. */
#include "linalg/operator.h"
#include "train/objective_curvature.h"

enum { BLOCK = 16 };            /* directions per run of the block plan */

typedef struct curvature {
    dyn_objective *o;
    int gauss_newton, chunked;
    int64_t samples;            /* per run of the plan */
    dyn__product_graph graph;
    dyn__residuals residuals;
    void *theta;
    dyn__product single, block;
    int no_block;               /* the block plan does not fit the memory limit */
    double *sum;                /* chunked: one product */
} curvature;

/* ---- products ---- */

/* Chunk after chunk with theta and data only; a chunk's plan is the single one of its graph. */
static void run_chunks(curvature *k, double *y)
{
    dyn_objective *o = k->o;

    for (int64_t i = 0; i + k->samples <= o->n; i += k->samples) {
        dyn__bind_samples(o, k->single.exec, k->graph.loss.x, k->graph.loss.y, i);
        dyn__exec_go(k->single.exec);
        dyn__rows_from_native(o, 1, k->sum, k->single.hv);
        for (int64_t j = 0; j < o->p; j++)
            y[j] = i == 0 ? k->sum[j] : y[j] + k->sum[j];
    }
}

/* The block plan on first use; without it the single plan does the work. */
static dyn_status want_block(curvature *k)
{
    dyn_status s;

    if (k->block.exec || k->no_block || k->chunked)
        return DYN_OK;
    s = dyn__product_make(k->o, &k->graph, &k->residuals, BLOCK, k->theta, &k->block);
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
        dyn__product *q = k->block.exec && count - i >= BLOCK ? &k->block : &k->single;
        dyn__rows_to_native(k->o, q->sets, q->v, x + i * k->o->p);
        if (k->chunked) {
            run_chunks(k, y + i * k->o->p);
        } else {
            dyn__exec_go(q->exec);
            dyn__rows_from_native(k->o, q->sets, y + i * k->o->p, q->hv);
        }
        i += q->sets;
    }
    return DYN_OK;
}

/* ---- the operator ---- */

static void forget(curvature *k)
{
    dyn__product_free(k->o, &k->single);
    dyn__product_free(k->o, &k->block);
    dyn__residuals_free(k->o, &k->residuals);
    dyn__product_graph_free(k->o, &k->graph);
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

static dyn_status build_single(curvature *k, int64_t samples)
{
    k->samples = samples;
    DYN__TRY(dyn__product_graph_make(k->o, k->gauss_newton, samples, &k->graph));
    if (!k->chunked)
        DYN__TRY(dyn__residuals_make(k->o, &k->graph, k->theta, &k->residuals));
    return dyn__product_make(k->o, &k->graph, &k->residuals, 1, k->theta, &k->single);
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
        s = build_single(k, n / parts);
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
    s = k->theta ? build_single(k, o->n) : DYN_ENOMEM;
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
    dyn__residuals_update(&k->residuals);
    dyn_objective_ref(o);
    s = dyn__operator_create(o->ctx, o->p, apply, k, destroy, out);
    if (s < 0)
        destroy(k);
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
    return o->model ? make_operator(o, theta, 0, out) : dyn__called_operator(o, theta, out);
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
