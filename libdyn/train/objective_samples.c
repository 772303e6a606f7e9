/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Quantities per sample: outputs, accuracy, Jacobian, gradients of every sample's loss. The last two are the graph of
 * one sample, differentiated, then batched over the data (and over the outputs), so that all samples go through at
 * once. */
#include <string.h>
#include "train/objective_impl.h"

/* ---- chunks of samples ---- */

typedef struct chunked {        /* an evaluation made for so many samples, run on those from `first` on */
    dyn_status (*make)(void *user, int64_t samples);
    void (*run)(void *user, int64_t first);
    void (*release)(void *user);
    void *user;
} chunked;

/* All n samples, `chunk` at a time or half as many until the memory limit is met; the last chunk may be shorter. */
static dyn_status in_chunks(int64_t n, int64_t chunk, const chunked *c)
{
    for (int64_t first = 0; first < n;) {
        if (n - first < chunk)
            chunk = n - first;
        dyn_status s = c->make(c->user, chunk);
        for (; s == DYN_OK && first + chunk <= n; first += chunk)
            c->run(c->user, first);
        c->release(c->user);
        if (s == DYN_EFULL && chunk > 1)
            chunk = (chunk + 1) / 2;
        else
            DYN__TRY(s);
    }
    return DYN_OK;
}

/* ---- outputs ---- */

typedef struct forward {
    dyn_objective *o;
    dyn__loss_graph graph;
    dyn_exec *exec;
    void *f;                    /* [n, c] in the element type */
} forward;

static dyn_status forward_make(void *user, int64_t samples)
{
    forward *w = user;
    dyn__compile_options opt = {.arena_limit = w->o->opt.memory_limit};
    dyn_plan *plan = NULL;

    DYN__TRY(dyn__loss_graph_make(w->o, samples, w->o->n, &w->graph));
    DYN__TRY(dyn__compile(w->graph.g, 1, &w->graph.f, &opt, &plan));
    dyn_status s = dyn_exec_create(plan, &w->exec);
    if (s == DYN_OK)
        dyn__bind_theta(w->o, &w->graph, w->exec, w->o->theta);
    dyn_plan_unref(plan);
    return s;
}

static void forward_run(void *user, int64_t first)
{
    forward *w = user;

    dyn__bind_samples(w->o, w->exec, w->graph.x, w->graph.y, first);
    dyn__exec_set_output(w->exec, 0, (char *)w->f + first * w->o->c * w->o->esize);
    dyn__exec_go(w->exec);
}

static void forward_free(void *user)
{
    forward *w = user;

    dyn_exec_free(w->exec);
    dyn__loss_graph_free(w->o, &w->graph);
    w->exec = NULL;
}

static dyn_status predict_native(dyn_objective *o, const double *theta, void *f)
{
    forward w = {.o = o, .f = f};

    dyn__to_native(o, o->p, o->theta, theta);
    return in_chunks(o->n, o->n, &(chunked){forward_make, forward_run, forward_free, &w});
}

dyn_status dyn_objective_predict(dyn_objective *o, const double *theta, double *f)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, f));
    void *native = dyn__alloc(o->ctx, (size_t)(o->n * o->c), (size_t)o->esize);
    if (!native)
        return DYN_ENOMEM;
    dyn_status s = predict_native(o, theta, native);
    if (s == DYN_OK)
        dyn__from_native(o, o->n * o->c, f, native);
    dyn__free(o->ctx, native);
    return s;
}

static int64_t largest(int64_t n, const double *v)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

/* One output: f and y on the same side of the threshold; logits against probabilities for binary cross-entropy. */
static int is_right(const dyn_objective *o, const double *f, const double *y)
{
    if (o->c > 1)
        return largest(o->c, f) == largest(o->c, y);
    return (f[0] > (o->opt.loss == DYN_LOSS_BINARY_CROSS_ENTROPY ? 0.0 : 0.5)) == (y[0] > 0.5);
}

dyn_status dyn_objective_accuracy(dyn_objective *o, const double *theta, double *accuracy)
{
    int64_t right = 0;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, accuracy));
    double *f = dyn__alloc(o->ctx, 2 * (size_t)(o->n * o->c), sizeof *f);
    if (!f)
        return DYN_ENOMEM;
    double *y = f + o->n * o->c;
    dyn_status s = dyn_objective_predict(o, theta, f);
    if (s == DYN_OK) {
        dyn__from_native(o, o->n * o->c, y, dyn_array_data(o->y));
        for (int64_t i = 0; i < o->n; i++)
            right += is_right(o, f + i * o->c, y + i * o->c);
        *accuracy = (double)right / (double)o->n;
    }
    dyn__free(o->ctx, f);
    return s;
}

/* ---- rows of derivatives, one or several per sample ---- */

typedef struct rows {
    dyn_objective *o;
    dyn__loss_graph graph;      /* of one sample */
    int64_t samples, per_sample;
    dyn_node x, y, *row;        /* batched inputs; per tensor [samples, (per_sample,) shape] */
    int of_outputs;             /* 1: a row per output, 0: the gradient of the sample's loss */
    dyn_node eye;               /* one cotangent per output, as a batch; -1 = none */
    void *unit;                 /* its values */
    dyn_exec *exec;
    void *native;               /* per tensor, one after the other */
    double *out;                /* rows of length p, of all samples */
} rows;

/* The gradient of every output: a batch of unit cotangents. */
static dyn_status output_gradients(rows *r)
{
    dyn__loss_graph *l = &r->graph;
    const int64_t c = r->o->c;
    const dyn__shape fs = dyn__at(l->g, l->f)->shape, us = dyn__shape_lead(&fs, c);
    dyn_node u = dyn__tangent_input(l->g, l->g->dtype, &fs);

    DYN__TRY(u);
    DYN__TRY(dyn_graph_vjp(l->g, 1, &l->f, &u, l->parameters, l->parameter, r->row));
    DYN__TRY(r->eye = dyn__tangent_input(l->g, l->g->dtype, &us));
    DYN__TRY(dyn_graph_batch(l->g, c, l->parameters, r->row, 1, &u, &r->eye, r->row));
    r->unit = dyn__alloc(r->o->ctx, (size_t)(c * c), (size_t)r->o->esize);
    if (!r->unit)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < c; i++)
        dyn__to_native(r->o, 1, (char *)r->unit + i * (c + 1) * r->o->esize, &(double){1});
    return DYN_OK;
}

static dyn_status batch_samples(rows *r)
{
    dyn__loss_graph *l = &r->graph;
    const dyn__shape xs = dyn__shape_lead(&dyn__at(l->g, l->x)->shape, r->samples);
    const dyn__shape ys = dyn__shape_lead(&dyn__at(l->g, l->y)->shape, r->samples);

    DYN__TRY(r->x = dyn__tangent_input(l->g, l->g->dtype, &xs));
    DYN__TRY(r->y = dyn__tangent_input(l->g, l->g->dtype, &ys));
    return dyn_graph_batch(l->g, r->samples, l->parameters, r->row, 2, (dyn_node[]){l->x, l->y}, (dyn_node[]){r->x,
            r->y}, r->row);
}

static dyn_status compile_rows(rows *r)
{
    dyn_objective *o = r->o;
    dyn__compile_options opt = {.arena_limit = o->opt.memory_limit};
    dyn_plan *plan = NULL;

    DYN__TRY(dyn__compile(r->graph.g, r->graph.parameters, r->row, &opt, &plan));
    dyn_status s = dyn_exec_create(plan, &r->exec);
    dyn_plan_unref(plan);
    r->native = s == DYN_OK ? dyn__alloc(o->ctx, (size_t)(r->samples * r->per_sample * o->p), (size_t)o->esize) : NULL;
    if (!r->native)
        return s < 0 ? s : DYN_ENOMEM;
    dyn__bind_theta(o, &r->graph, r->exec, o->theta);
    dyn__exec_set_input(r->exec, r->eye >= 0 ? dyn__plan_find(plan, r->eye) : -1, r->unit);
    for (int32_t i = 0; i < r->graph.parameters; i++)
        dyn__exec_set_output(r->exec, i, (char *)r->native
                             + r->samples * r->per_sample * o->model->tensor[i].offset * o->esize);
    return DYN_OK;
}

static dyn_status rows_make(void *user, int64_t samples)
{
    rows *r = user;
    dyn_objective *o = r->o;

    r->samples = samples;
    r->eye = -1;
    DYN__TRY(dyn__loss_graph_make(o, 1, 1, &r->graph));
    r->row = dyn__alloc(o->ctx, (size_t)r->graph.parameters + 1, sizeof *r->row);
    if (!r->row)
        return DYN_ENOMEM;
    if (r->of_outputs)
        DYN__TRY(output_gradients(r));
    else
        DYN__TRY(dyn_graph_gradient(r->graph.g, r->graph.loss, r->graph.parameters, r->graph.parameter, r->row));
    DYN__TRY(batch_samples(r));
    return compile_rows(r);
}

static void rows_free(void *user)
{
    rows *r = user;

    dyn_exec_free(r->exec);
    dyn__free(r->o->ctx, r->native);
    dyn__free(r->o->ctx, r->unit);
    dyn__free(r->o->ctx, r->row);
    dyn__loss_graph_free(r->o, &r->graph);
    *r = (rows){.o = r->o, .of_outputs = r->of_outputs, .per_sample = r->per_sample, .out = r->out};
}

static void rows_run(void *user, int64_t first)
{
    rows *r = user;
    dyn_objective *o = r->o;

    dyn__bind_samples(o, r->exec, r->x, r->y, first);
    dyn__exec_go(r->exec);
    dyn__rows_from_native(o, r->samples * r->per_sample, r->out + first * r->per_sample * o->p, r->native);
}

/* Samples per run: about 32 MiB of rows, or what the limit leaves of that. */
static int64_t samples_per_run(const dyn_objective *o, int64_t per_sample)
{
    const int64_t most = (int64_t)32 << 20, limit = o->opt.memory_limit;
    int64_t n = (limit > 0 && limit < most ? limit : most) / (per_sample * o->p * o->esize);
    return n < 1 ? 1 : n > o->n ? o->n : n;
}

static dyn_status all_rows(dyn_objective *o, const double *theta, int of_outputs, double *out)
{
    rows r = {.o = o, .of_outputs = of_outputs, .per_sample = of_outputs ? o->c : 1, .out = out};

    dyn__to_native(o, o->p, o->theta, theta);
    return in_chunks(o->n, samples_per_run(o, r.per_sample), &(chunked){rows_make, rows_run, rows_free, &r});
}

dyn_status dyn_objective_jacobian(dyn_objective *o, const double *theta, double *jacobian)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, jacobian));
    return all_rows(o, theta, 1, jacobian);
}

static dyn_status without_l2(dyn_objective *o, const double *theta, double *gradients)
{
    dyn_objective_options opt = o->opt;
    dyn_status s;

    o->opt.l2 = 0;
    s = all_rows(o, theta, 0, gradients);
    o->opt = opt;
    return s;
}

dyn_status dyn_objective_sample_gradients(dyn_objective *o, const double *theta, double *gradients)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, gradients));
    return without_l2(o, theta, gradients);
}
