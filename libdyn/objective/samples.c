/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Derivatives of every sample: Jacobian of the outputs, gradients of the losses. Both are the graph of one sample,
 * differentiated, then batched over the data (and over the outputs), so that many samples go through at once. */
#include "objective/parts.h"

enum { FEW = 8 };

typedef struct rows {
    dyn_objective *o;
    dyn__loss_graph graph;      /* of one sample */
    int64_t samples, per_sample;
    dyn_node *batched;          /* per slot of samples, [samples, 1, ...] */
    dyn_node *row;              /* per tensor [samples, (per_sample,) shape] */
    int of_outputs;             /* 1: a row per output, 0: the gradient of the sample's loss */
    dyn_node eye;               /* of outputs: one cotangent per output, as a batch */
    void *unit;                 /* its values */
    dyn_exec *exec;
    dyn__slots slots;
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

/* Inputs of many samples in place of those of one. What all samples share stays as it is. */
static dyn_status batch_samples(rows *r)
{
    dyn__loss_graph *l = &r->graph;
    dyn_node *one = dyn__alloc(r->o->ctx, (size_t)l->slots + 1, sizeof *one);
    int32_t n = 0;
    dyn_status s = one ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; s == DYN_OK && i < l->slots; i++) {
        if (l->slot[i].role != DYN__SLOT_SAMPLES && l->slot[i].role != DYN__SLOT_KEY)
            continue;
        if (l->slot[i].role == DYN__SLOT_KEY)
            l->slot[i] = (dyn__slot){l->slot[i].node, DYN__SLOT_KEYS, (int32_t)r->samples, 0};
        const dyn__node *x = dyn__at(l->g, one[n] = l->slot[i].node);
        const dyn__shape many = dyn__shape_lead(&x->shape, r->samples);
        r->batched[n] = l->slot[i].node = dyn__tangent_input(l->g, x->dtype, &many);
        s = r->batched[n++] < 0 ? r->batched[n - 1] : DYN_OK;
    }
    if (s == DYN_OK)
        s = dyn_graph_batch(l->g, r->samples, l->parameters, r->row, n, one, r->batched, r->row);
    dyn__free(r->o->ctx, one);
    return s;
}

/* The rows of one sample must be there whatever the limit is; those of several count. */
static dyn_status compile_rows(rows *r)
{
    dyn_objective *o = r->o;
    dyn__budget b = dyn__budget_of(o);
    const int64_t count = r->samples * r->per_sample;

    DYN__TRY(dyn__budget_take(&b, "rows of derivatives", r->samples > 1 ? count * o->p * o->esize : 0));
    DYN__TRY(dyn__budget_exec(&b, r->graph.g, r->graph.parameters, r->row, &(dyn__compile_options){.outer = 0},
                              &r->exec));
    r->native = dyn__alloc(o->ctx, (size_t)(count * o->p), (size_t)o->esize);
    if (!r->native)
        return DYN_ENOMEM;
    dyn__bind_theta(o, &r->graph, r->exec, o->theta);
    if (r->of_outputs)
        dyn__exec_set_input(r->exec, dyn__plan_find(dyn__exec_plan(r->exec), r->eye), r->unit);
    for (int32_t i = 0; i < r->graph.parameters; i++) {
        int64_t at;
        dyn__objective_tensor(o, i, &at, NULL);
        dyn__exec_set_output(r->exec, i, (char *)r->native + count * at * o->esize);
    }
    return dyn__slots_find(o, &r->graph, r->exec, &r->slots);
}

static dyn_status make_rows(rows *r, int64_t samples)
{
    dyn_objective *o = r->o;

    r->samples = samples;
    DYN__TRY(dyn__loss_graph_make(o, 1, 1, 0, &r->graph));
    r->row = dyn__alloc(o->ctx, (size_t)r->graph.parameters + 1, sizeof *r->row);
    r->batched = dyn__alloc(o->ctx, (size_t)r->graph.slots + 1, sizeof *r->batched);
    if (!r->row || !r->batched)
        return DYN_ENOMEM;
    if (r->of_outputs)
        DYN__TRY(output_gradients(r));
    else
        DYN__TRY(dyn_graph_gradient(r->graph.g, r->graph.fit, r->graph.parameters, r->graph.parameter, r->row));
    DYN__TRY(batch_samples(r));
    return compile_rows(r);
}

static void free_rows(rows *r)
{
    dyn_exec_free(r->exec);
    dyn__free(r->o->ctx, r->native);
    dyn__free(r->o->ctx, r->unit);
    dyn__free(r->o->ctx, r->row);
    dyn__free(r->o->ctx, r->batched);
    dyn__slots_free(r->o, &r->slots);
    dyn__loss_graph_free(r->o, &r->graph);
    *r = (rows){.o = r->o, .of_outputs = r->of_outputs, .per_sample = r->per_sample, .out = r->out};
}

static void run_rows(rows *r, int64_t first)
{
    dyn_objective *o = r->o;

    const dyn__inputs in = dyn__measured_inputs(o, first);
    dyn__slots_bind(o, &r->slots, r->exec, &in);
    dyn__exec_go(r->exec);
    dyn__rows_from_native(o, r->samples * r->per_sample, r->out + first * r->per_sample * o->p, r->native);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Samples per run: 64 KiB of rows, which are still near when they are copied; of long rows FEW samples, that share what
 * they read of theta, in half a MiB; or what the limit leaves of that. */
static int64_t samples_per_run(const dyn_objective *o, int64_t per_sample)
{
    const int64_t most = (int64_t)1 << 19, near = (int64_t)1 << 16, limit = o->opt.memory_limit;
    const int64_t row = per_sample * o->p * o->esize, few = least(FEW, most / row), n = near / row;
    const int64_t fit = least(n < few ? few : n, limit / row);
    return fit < 1 ? 1 : least(fit, o->n);
}

/* All samples, `chunk` at a time or half as many until the memory limit is met. The last chunk goes back as far as it
 * lacks samples: one plan serves all. */
static dyn_status in_chunks(rows *r, int64_t chunk)
{
    const int64_t n = r->o->n;

    for (int64_t first = 0; first < n;) {
        dyn_status s = make_rows(r, chunk);
        for (; s == DYN_OK && first < n; first += chunk) {
            run_rows(r, first + chunk <= n ? first : n - chunk);
            s = dyn__check_interrupt(r->o->ctx);
        }
        free_rows(r);
        if (s == DYN_EFULL && chunk > 1)
            chunk = (chunk + 1) / 2;
        else
            DYN__TRY(s);
    }
    return DYN_OK;
}

static dyn_status all_rows(dyn_objective *o, const double *theta, int of_outputs, double *out)
{
    rows r = {.o = o, .of_outputs = of_outputs, .per_sample = of_outputs ? o->c : 1, .out = out};

    dyn__to_native(o, o->p, o->theta, theta);
    return in_chunks(&r, samples_per_run(o, r.per_sample));
}

dyn_status dyn_objective_jacobian(dyn_objective *o, const double *theta, double *jacobian)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_separate(o, "Jacobian"));
    if (o->c == 0)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective calls several models, or none: which outputs are meant is open");
    DYN__TRY(dyn__check_theta(o, theta, jacobian));
    return all_rows(o, theta, 1, jacobian);
}

/* What depends on theta alone, l2 for one, is no sample's. */
dyn_status dyn_objective_sample_gradients(dyn_objective *o, const double *theta, double *gradients)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_separate(o, "gradients of samples"));
    DYN__TRY(dyn__check_theta(o, theta, gradients));
    return all_rows(o, theta, 0, gradients);
}
