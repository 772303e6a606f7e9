/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loss and gradient for a training loop. One plan serves the whole batch. Where that plan would need more memory than
 * the objective allows, the batch goes through in equal chunks and a shorter last one, whose losses and gradients add
 * up. */
#include <math.h>
#include "train/objective_impl.h"

typedef struct part {           /* a plan for this many samples */
    dyn__loss_graph graph;
    dyn_exec *exec;
    int64_t samples;
    int32_t x, y;               /* input numbers */
    const void *theta;
    void *gradient;
} part;

struct dyn__evaluator {
    dyn_objective *o;           /* not counted: the owner of the evaluator holds the objective */
    part whole, tail;           /* chunks of whole.samples, then one of tail.samples (0 = none) */
    int64_t batch;
    int value_only;             /* no gradient */
    void *bx, *by;              /* rows of a mini-batch */
    void *partial;              /* gradient of one chunk, when there are several */
    union { double f64; float f32; } value;     /* the loss of the last run */
};

/* ---- plans ---- */

static dyn_status compile_part(dyn__evaluator *e, part *p, int threads, int64_t limit)
{
    dyn_objective *o = e->o;
    const int32_t n = e->value_only ? 0 : p->graph.parameters;
    dyn_node *out = dyn__alloc(o->ctx, (size_t)n + 1, sizeof *out);
    dyn__compile_options opt = {.threads = threads, .arena_limit = limit};
    dyn_plan *plan = NULL;
    dyn_status s = out ? DYN_OK : DYN_ENOMEM;

    if (s == DYN_OK)
        s = dyn_graph_gradient(p->graph.g, p->graph.loss, n, p->graph.parameter, out + 1);
    if (s == DYN_OK) {
        out[0] = p->graph.loss;
        s = dyn__compile(p->graph.g, n + 1, out, &opt, &plan);
    }
    if (s == DYN_OK)
        s = dyn_exec_create(plan, &p->exec);
    if (s == DYN_OK) {
        p->x = dyn__plan_find(plan, p->graph.x);
        p->y = dyn__plan_find(plan, p->graph.y);
        dyn__exec_set_output(p->exec, 0, &e->value);
    }
    dyn_plan_unref(plan);
    dyn__free(o->ctx, out);
    return s;
}

static void free_part(dyn_objective *o, part *p)
{
    dyn_exec_free(p->exec);
    dyn__loss_graph_free(o, &p->graph);
    *p = (part){.samples = 0};
}

static dyn_status make_part(dyn__evaluator *e, part *p, int64_t samples, int threads, int64_t limit)
{
    dyn_status s = dyn__loss_graph_make(e->o, samples, e->batch, &p->graph);

    p->samples = samples;
    if (s == DYN_OK)
        s = compile_part(e, p, threads, limit);
    if (s < 0)
        free_part(e->o, p);
    return s;
}

/* Both plans within the limit together. */
static dyn_status make_pair(dyn__evaluator *e, int64_t chunk, int threads)
{
    const int64_t limit = e->o->opt.memory_limit, rest = e->batch % chunk;

    DYN__TRY(make_part(e, &e->whole, chunk, threads, limit));
    if (rest == 0)
        return DYN_OK;
    const int64_t taken = dyn_plan_bytes(dyn__exec_plan(e->whole.exec));
    dyn_status s = make_part(e, &e->tail, rest, threads, limit == 0 ? 0 : limit > taken ? limit - taken : 1);
    if (s < 0)
        free_part(e->o, &e->whole);
    return s;
}

/* Halve the chunk until its plans fit. */
static dyn_status make_parts(dyn__evaluator *e, int threads)
{
    int64_t chunk = e->batch;
    dyn_status s;

    while ((s = make_pair(e, chunk, threads)) == DYN_EFULL && chunk > 1)
        chunk = (chunk + 1) / 2;
    return s;
}

static dyn_status make_buffers(dyn__evaluator *e, int64_t batch)
{
    dyn_objective *o = e->o;

    if (batch > 0) {
        e->bx = dyn__alloc(o->ctx, (size_t)(batch * o->d), (size_t)o->esize);
        e->by = dyn__alloc(o->ctx, (size_t)(batch * o->c), (size_t)o->esize);
        if (!e->bx || !e->by)
            return DYN_ENOMEM;
    }
    if (e->whole.samples < e->batch && !e->value_only) {
        e->partial = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
        if (!e->partial)
            return DYN_ENOMEM;
    }
    return DYN_OK;
}

static dyn_status create(dyn_objective *o, int64_t batch, int threads, int value_only, dyn__evaluator **out)
{
    dyn__evaluator *e;
    dyn_status s;

    *out = NULL;
    if (!o->model && (batch > 0 || !o->gradient_fn))
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "an objective of callbacks has no %s", batch > 0 ? "mini-batches"
                         : "gradient");
    if (batch < 0 || (o->model && batch > o->n))
        return DYN__FAIL(o->ctx, DYN_EINVAL, "a batch of %lld, the objective has %lld samples", (long long)batch,
                         (long long)o->n);
    e = dyn__alloc(o->ctx, 1, sizeof *e);
    if (!e)
        return DYN_ENOMEM;
    e->o = o;
    e->value_only = value_only;
    e->batch = batch > 0 ? batch : o->n;
    s = o->model ? make_parts(e, threads) : DYN_OK;
    if (s == DYN_OK && o->model)
        s = make_buffers(e, batch);
    if (s < 0)
        dyn__evaluator_free(e);
    else
        *out = e;
    return s;
}

dyn_status dyn__evaluator_create(dyn_objective *o, int64_t batch, int threads, dyn__evaluator **out)
{
    return create(o, batch, threads, 0, out);
}

dyn_status dyn__evaluator_create_value(dyn_objective *o, dyn__evaluator **out)
{
    return create(o, 0, 0, 1, out);
}

void dyn__evaluator_free(dyn__evaluator *e)
{
    if (!e)
        return;
    dyn_ctx *ctx = e->o->ctx;
    free_part(e->o, &e->whole);
    free_part(e->o, &e->tail);
    dyn__free(ctx, e->bx);
    dyn__free(ctx, e->by);
    dyn__free(ctx, e->partial);
    dyn__free(ctx, e);
}

/* ---- evaluation ---- */

static double loss_of(const dyn__evaluator *e)
{
    return e->o->opt.dtype == DYN_F32 ? (double)e->value.f32 : e->value.f64;
}

static void run_part(dyn__evaluator *e, part *p, const void *theta, const void *x, const void *y, void *gradient)
{
    if (p->theta != theta) {
        dyn__bind_theta(e->o, &p->graph, p->exec, theta);
        p->theta = theta;
    }
    if (!e->value_only && p->gradient != gradient) {
        dyn__bind_gradient(e->o, p->exec, 1, gradient);
        p->gradient = gradient;
    }
    dyn__exec_set_input(p->exec, p->x, x);
    dyn__exec_set_input(p->exec, p->y, y);
    dyn__exec_go(p->exec);
}

static void add_to(const dyn_objective *o, void *sum, void *x)
{
    dyn__arg arg[3] = {{sum, 0, 1}, {sum, 0, 1}, {x, 0, 1}};
    const dyn__kernels *k = dyn__kernels_of(o->ctx);

    (o->opt.dtype == DYN_F32 ? &k->f32 : &k->f64)->tile[DYN__K_ADD](1, o->p, arg, 0);
}

static double run_chunks(dyn__evaluator *e, const void *theta, const char *x, const char *y, void *gradient)
{
    const int64_t sx = e->o->d * e->o->esize, sy = e->o->c * e->o->esize;
    double value = 0;

    for (int64_t i = 0; i < e->batch; i += e->whole.samples) {
        part *p = e->batch - i < e->whole.samples ? &e->tail : &e->whole;
        void *to = i == 0 ? gradient : e->partial;
        run_part(e, p, theta, x + i * sx, y + i * sy, to);
        if (i > 0 && !e->value_only)
            add_to(e->o, gradient, to);
        value += loss_of(e);
    }
    return value;
}

static dyn_status run_callback(dyn__evaluator *e, const void *theta, void *gradient, double *value)
{
    int32_t r = e->o->gradient_fn(e->o->user, theta, value, gradient);
    return r == 0 ? DYN_OK : DYN__FAIL(e->o->ctx, DYN_EUSER, "the caller's gradient function returned %d", (int)r);
}

dyn_status dyn__evaluator_gradient(dyn__evaluator *e, const void *theta, const int64_t *rows, void *gradient,
                                   double *value)
{
    dyn_objective *o = e->o;
    const void *x, *y;

    if (!o->model)
        return run_callback(e, theta, gradient, value);
    x = dyn_array_data(o->x);
    y = dyn_array_data(o->y);
    if (rows) {
        const dyn__kernels *k = dyn__kernels_of(o->ctx);
        const dyn__kernel_table *t = o->opt.dtype == DYN_F32 ? &k->f32 : &k->f64;
        t->gather(e->batch, o->d, e->bx, x, o->n, rows);
        t->gather(e->batch, o->c, e->by, y, o->n, rows);
        x = e->bx;
        y = e->by;
    }
    *value = run_chunks(e, theta, x, y, gradient);
    return DYN_OK;
}
