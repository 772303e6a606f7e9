/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hessian, Gauss-Newton matrix and the Hessian's derivative along a direction as operators, linearised once: what depends
 * on theta alone is computed when the operator is made and kept; a product runs a second plan that reads it and the direction. Blocks of directions go
 * through plans of their own. Where the memory limit forbids residuals of all samples, every product evaluates the
 * whole in parts.
 *
 * The plans do not depend on theta. When an operator goes, the objective keeps what it was made of for the next one,
 * so that following the curvature along a training run compiles once. */
#include <string.h>
#include "linalg/operator.h"
#include "objective/curvature.h"

/* Directions per run of a block plan, the largest first. A block saves what its directions have in common while they
 * and their images stay in the cache, and costs more than it saves when they do not. */
enum { BLOCKS = 2, CACHED = 2 << 20 };
static const int64_t block_sets[BLOCKS] = {16, 4};

typedef struct block {
    dyn__product product;
    int refused;                /* does not fit the memory limit */
} block;

typedef struct curvature {
    dyn_objective *o;
    int kind;
    dyn__budget budget;
    dyn__curvature_point at;              /* copies, as they were when the operator was made, */
    void *state;                /* likewise */
    dyn__inputs in;
    dyn__product single;
    block block[BLOCKS];        /* made on first use */
    dyn__product_graph graph;   /* of all samples, */
    dyn__residuals residuals;   /* or */
    dyn__parts parts;           /* plans of chunks, that work on the one direction of `single` */
} curvature;

/* ---- products ---- */

/* Each part with theta and data only. */
static void run_parts(curvature *k, double *y)
{
    dyn_objective *o = k->o;

    for (int64_t i = 0; i < o->n; i += k->parts.whole.samples) {
        dyn__inputs in = k->in;
        in.first = i;
        dyn__part_run(o, dyn__part_at(&k->parts, i), &in);
        if (i == 0)
            dyn__from_native(o, o->p, y, k->single.hv);
        else
            dyn__add_native(o, o->p, y, k->single.hv);
    }
}

static dyn_status make_block(curvature *k, int64_t sets, dyn__product *q)
{
    DYN__TRY(dyn__product_begin(k->o, sets, &k->budget, q));
    return dyn__product_compile(k->o, &k->graph, &k->residuals, &k->at, q, &k->budget, &q->exec, &q->slots);
}

/* Without a block plan smaller ones, or the single one, do the work. */
static dyn_status want_block(curvature *k, int64_t sets, block *b)
{
    const dyn__budget before = k->budget;
    dyn_status s;

    if (b->product.exec || b->refused)
        return DYN_OK;
    s = make_block(k, sets, &b->product);
    if (s == DYN_OK)
        return DYN_OK;
    dyn__product_free(k->o, &b->product);
    k->budget = before;
    b->refused = s == DYN_EFULL;
    return b->refused ? DYN_OK : s;
}

/* The plan for the next of `left` directions. */
static dyn_status choose(curvature *k, int64_t left, dyn__product **q)
{
    *q = &k->single;
    for (int i = 0; k->parts.total == 0 && i < BLOCKS; i++) {
        if (left < block_sets[i] || 2 * block_sets[i] * k->o->p * k->o->esize > CACHED)
            continue;
        DYN__TRY(want_block(k, block_sets[i], &k->block[i]));
        if (!k->block[i].product.exec)
            continue;
        *q = &k->block[i].product;
        return DYN_OK;
    }
    return DYN_OK;
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    curvature *k = user;
    const int64_t p = k->o->p;
    dyn__product *q;

    for (int64_t i = 0; i < count; i += q->sets) {
        DYN__TRY(choose(k, count - i, &q));
        dyn__rows_to_native(k->o, q->sets, q->v, x + i * p);
        if (k->parts.total > 0) {
            run_parts(k, y + i * p);
        } else {
            dyn__slots_bind(k->o, &q->slots, q->exec, &k->in);
            dyn__exec_go(q->exec);
            dyn__rows_from_native(k->o, q->sets, y + i * p, q->hv);
        }
    }
    return DYN_OK;
}

/* ---- the operator ---- */

void dyn__curvature_free(void *spare)
{
    curvature *k = spare;
    dyn_ctx *ctx;

    if (!k)
        return;
    ctx = k->o->ctx;
    dyn__parts_free(k->o, &k->parts);
    dyn__product_free(k->o, &k->single);
    for (int i = 0; i < BLOCKS; i++)
        dyn__product_free(k->o, &k->block[i].product);
    dyn__residuals_free(k->o, &k->residuals);
    dyn__product_graph_free(k->o, &k->graph);
    dyn__free(ctx, k->at.theta);
    dyn__free(ctx, k->at.along);
    dyn__free(ctx, k->state);
    dyn__free(ctx, k);
}

/* The end of an operator: its plans stay with the objective, if there is room for them. */
static void destroy(void *user)
{
    curvature *k = user;
    dyn_objective *o = k->o;

    if (!o->spare[k->kind])
        o->spare[k->kind] = k;
    else
        dyn__curvature_free(k);
    dyn_objective_unref(o);
}

static dyn_status build_whole(curvature *k)
{
    DYN__TRY(dyn__product_graph_make(k->o, k->kind, k->o->n, &k->graph));
    DYN__TRY(dyn__residuals_make(k->o, &k->graph, &k->at, &k->budget, &k->residuals));
    return dyn__product_compile(k->o, &k->graph, &k->residuals, &k->at, &k->single, &k->budget, &k->single.exec,
                                &k->single.slots);
}

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    static const dyn__residuals none;
    curvature *k = user;
    dyn__product_graph g;

    DYN__TRY(dyn__product_graph_make(k->o, k->kind, p->samples, &g));
    dyn_status s = dyn__product_compile(k->o, &g, &none, &k->at, &k->single, b, &p->exec, &p->slots);
    dyn__product_graph_free(k->o, &g);
    return s;
}

static dyn_status build_parts(curvature *k)
{
    dyn__residuals_free(k->o, &k->residuals);
    dyn__product_graph_free(k->o, &k->graph);
    return dyn__parts_make(k->o, k->o->n, (k->o->n + 1) / 2, make_part, k, &k->budget, &k->parts);
}

static dyn_status build_plans(curvature *k)
{
    dyn_objective *o = k->o;

    k->budget = dyn__budget_of(o);
    DYN__TRY(dyn__budget_alloc(&k->budget, "theta", o->p, o->esize, &k->at.theta));
    if (k->kind == DYN__THIRD)
        DYN__TRY(dyn__budget_alloc(&k->budget, "the direction", o->p, o->esize, &k->at.along));
    DYN__TRY(dyn__budget_alloc(&k->budget, "state", o->states, o->esize, &k->state));
    DYN__TRY(dyn__product_begin(o, 1, &k->budget, &k->single));
    const dyn__budget before = k->budget;
    dyn_status s = build_whole(k);
    if (s != DYN_EFULL || o->n == 1 || o->coupling[0])
        return s;
    k->budget = before;
    return build_parts(k);
}

static dyn_status build(dyn_objective *o, int kind, curvature **out)
{
    curvature *k = dyn__alloc(o->ctx, 1, sizeof *k);
    dyn_status s;

    if (!k)
        return DYN_ENOMEM;
    k->o = o;
    k->kind = kind;
    s = build_plans(k);
    if (s < 0)
        dyn__curvature_free(k);
    else
        *out = k;
    return s;
}

/* Where the operator is, with the state and the random numbers of now. */
static void take_point(curvature *k, const dyn__curvature_at *at)
{
    const dyn_objective *o = k->o;

    dyn__to_native(o, o->p, k->at.theta, at->theta);
    if (k->at.along)
        dyn__to_native(o, o->p, k->at.along, at->along);
    k->in = dyn__measured_inputs(o, 0);
    if (o->states)
        memcpy(k->state, o->state, (size_t)(o->states * o->esize));
    k->in.state = k->state;
}

dyn_status dyn__graph_curvature(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out)
{
    curvature *k = o->spare[at->kind];
    dyn_status s;

    if (!k)
        DYN__TRY(build(o, at->kind, &k));
    o->spare[at->kind] = NULL;
    take_point(k, at);
    dyn__residuals_update(o, &k->residuals, &k->in);
    dyn_objective_ref(o);
    s = dyn__check_interrupt(o->ctx);
    if (s == DYN_OK)
        s = dyn__operator_create(o->ctx, o->p, apply, k, destroy, out);
    if (s < 0)
        destroy(k);
    else
        (*out)->dtype = o->opt.dtype;
    return s;
}
