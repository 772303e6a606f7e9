/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loss and gradient for a training loop. One plan serves the whole batch. Where that plan would need more memory than
 * the objective allows, the batch goes through in parts, whose losses and gradients add up. */
#include "train/objective_parts.h"

struct dyn__evaluator {
    dyn_objective *o;           /* not counted: the owner of the evaluator holds the objective */
    dyn__parts parts;
    int64_t batch;
    int threads;
    int value_only;             /* no gradient */
    void *bx, *by;              /* rows of a mini-batch */
    void *partial;              /* gradient of one chunk, when there are several */
    union { double f64; float f32; } value;     /* the loss of the last run */
};

/* ---- plans ---- */

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    dyn__evaluator *e = user;
    const dyn__compile_options opt = {.threads = e->threads};

    DYN__TRY(dyn__loss_graph_make(e->o, p->samples, e->batch, &p->graph));
    const int32_t n = e->value_only ? 0 : p->graph.parameters;
    dyn_node *out = dyn__alloc(e->o->ctx, (size_t)n + 1, sizeof *out);
    if (!out)
        return DYN_ENOMEM;
    out[0] = p->graph.loss;
    dyn_status s = dyn_graph_gradient(p->graph.g, p->graph.loss, n, p->graph.parameter, out + 1);
    if (s == DYN_OK)
        s = dyn__budget_exec(b, p->graph.g, n + 1, out, &opt, &p->exec);
    if (s == DYN_OK) {
        dyn__part_inputs(p, &p->graph);
        dyn__exec_set_output(p->exec, 0, &e->value);
    }
    dyn__free(e->o->ctx, out);
    return s;
}

/* The whole batch at once or, when that does not fit, beside the gradient of one chunk. */
static dyn_status make_parts(dyn__evaluator *e, dyn__budget *b)
{
    dyn_status s = dyn__parts_try(e->o, e->batch, e->batch, make_part, e, b, &e->parts);

    if (s != DYN_EFULL || e->batch == 1)
        return s;
    if (!e->value_only)
        DYN__TRY(dyn__budget_alloc(b, "gradient of a chunk", e->o->p, e->o->esize, &e->partial));
    return dyn__parts_make(e->o, e->batch, (e->batch + 1) / 2, make_part, e, b, &e->parts);
}

/* batch: rows to gather, 0 = none */
static dyn_status make(dyn__evaluator *e, int64_t batch)
{
    dyn_objective *o = e->o;
    dyn__budget b = dyn__budget_of(o);

    if (batch > 0) {
        DYN__TRY(dyn__budget_alloc(&b, "inputs of a batch", batch * o->d, o->esize, &e->bx));
        DYN__TRY(dyn__budget_alloc(&b, "targets of a batch", batch * o->c, o->esize, &e->by));
    }
    return make_parts(e, &b);
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
    e->threads = threads;
    e->batch = batch > 0 ? batch : o->n;
    s = o->model ? make(e, batch) : DYN_OK;
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
    dyn__parts_free(e->o, &e->parts);
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

static void bind(dyn__evaluator *e, dyn__part *p, const void *theta, void *gradient)
{
    if (p->theta != theta) {
        dyn__bind_theta(e->o, &p->graph, p->exec, theta);
        p->theta = theta;
    }
    if (!e->value_only && p->gradient != gradient) {
        dyn__bind_gradient(e->o, p->exec, 1, gradient);
        p->gradient = gradient;
    }
}

static void add_to(const dyn_objective *o, void *sum, void *x)
{
    dyn__arg arg[3] = {{sum, 0, 1}, {sum, 0, 1}, {x, 0, 1}};
    const dyn__kernels *k = dyn__kernels_of(o->ctx);

    (o->opt.dtype == DYN_F32 ? &k->f32 : &k->f64)->tile[DYN__K_ADD](1, o->p, arg, 0);
}

static double run_parts(dyn__evaluator *e, const void *theta, const void *x, const void *y, void *gradient)
{
    double value = 0;

    for (int64_t i = 0; i < e->batch; i += e->parts.whole.samples) {
        dyn__part *p = dyn__part_at(&e->parts, i);
        void *to = i == 0 ? gradient : e->partial;
        bind(e, p, theta, to);
        dyn__part_run(e->o, p, x, y, i);
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
    *value = run_parts(e, theta, x, y, gradient);
    return DYN_OK;
}
