/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plan of rows of derivatives: the graph of one sample, differentiated, then batched over a chunk of samples (and
 * over the outputs), so that many go through at once. Chunks of short rows are shared out: each thread has an executor
 * of its own. Long rows leave the threads to the inside of a chunk. */
#include "compile/shared.h"
#include "objective/row_plan.h"

enum { FEW = 8, PER_THREAD = 2 };                   /* samples; chunks from which a thread has its own executor */
static const int64_t NEAR = (int64_t)1 << 16, SHORT = (int64_t)1 << 19;    /* bytes of a chunk's rows */

typedef struct writing {
    dyn_objective *o;
    dyn__row_plan *p;
    dyn__loss_graph graph;      /* of one sample */
    dyn_node *batched;          /* per slot of samples, [samples, 1, ...] */
    dyn_node *row;              /* per tensor [samples, (per_sample,) shape] */
    dyn_node eye;               /* of outputs: the cotangents, as a batch */
} writing;

/* ---- graph ---- */

/* The gradient of every output: a batch of unit cotangents. */
static dyn_status output_gradients(writing *w)
{
    dyn__loss_graph *l = &w->graph;
    const int64_t c = w->o->c;
    const dyn__shape fs = dyn__at(l->g, l->f)->shape, us = dyn__shape_lead(&fs, c);
    dyn_node u = dyn__tangent_input(l->g, l->g->dtype, &fs);

    DYN__TRY(u);
    DYN__TRY(dyn_graph_vjp(l->g, 1, &l->f, &u, l->parameters, l->parameter, w->row));
    DYN__TRY(w->eye = dyn__tangent_input(l->g, l->g->dtype, &us));
    DYN__TRY(dyn_graph_batch(l->g, c, l->parameters, w->row, 1, &u, &w->eye, w->row));
    w->p->unit = dyn__alloc(w->o->ctx, (size_t)(c * c), (size_t)w->o->esize);
    if (!w->p->unit)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < c; i++)
        dyn__to_native(w->o, 1, (char *)w->p->unit + i * (c + 1) * w->o->esize, &(double){1});
    return DYN_OK;
}

/* Inputs of many samples in place of those of one. What all samples share stays as it is. */
static dyn_status batch_samples(writing *w)
{
    dyn__loss_graph *l = &w->graph;
    const int64_t samples = w->p->samples;
    dyn_node *one = dyn__alloc(w->o->ctx, (size_t)l->slots + 1, sizeof *one);
    int32_t n = 0;
    dyn_status s = one ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; s == DYN_OK && i < l->slots; i++) {
        if (l->slot[i].role != DYN__SLOT_SAMPLES && l->slot[i].role != DYN__SLOT_KEY)
            continue;
        if (l->slot[i].role == DYN__SLOT_KEY)
            l->slot[i] = (dyn__slot){l->slot[i].node, DYN__SLOT_KEYS, (int32_t)samples, 0};
        const dyn__node *x = dyn__at(l->g, one[n] = l->slot[i].node);
        const dyn__shape many = dyn__shape_lead(&x->shape, samples);
        w->batched[n] = l->slot[i].node = dyn__tangent_input(l->g, x->dtype, &many);
        s = w->batched[n++] < 0 ? w->batched[n - 1] : DYN_OK;
    }
    if (s == DYN_OK)
        s = dyn_graph_batch(l->g, samples, l->parameters, w->row, n, one, w->batched, w->row);
    dyn__free(w->o->ctx, one);
    return s;
}

static dyn_status write_graph(writing *w)
{
    dyn_objective *o = w->o;

    DYN__TRY(dyn__loss_graph_make(o, 1, 1, 0, &w->graph));
    w->row = dyn__alloc(o->ctx, (size_t)w->graph.parameters + 1, sizeof *w->row);
    w->batched = dyn__alloc(o->ctx, (size_t)w->graph.slots + 1, sizeof *w->batched);
    if (!w->row || !w->batched)
        return DYN_ENOMEM;
    if (w->p->of_outputs)
        DYN__TRY(output_gradients(w));
    else
        DYN__TRY(dyn_graph_gradient(w->graph.g, w->graph.fit, w->graph.parameters, w->graph.parameter, w->row));
    return batch_samples(w);
}

/* ---- executors ---- */

static int64_t bytes_of_rows(const dyn_objective *o, const dyn__row_plan *p)
{
    return p->samples * p->per_sample * o->p * o->esize;
}

static int is_short(const dyn_objective *o, const dyn__row_plan *p) { return bytes_of_rows(o, p) <= SHORT; }

/* Threads that could each have an executor. */
static int32_t threads_for(const dyn_objective *o, const dyn__row_plan *p)
{
    const int32_t threads = dyn__workers(o->ctx);

    return is_short(o, p) && dyn__divide_up(o->n, p->samples) >= PER_THREAD * threads ? threads : 1;
}

static dyn_status open_runner(const writing *w, dyn_plan *plan, dyn__row_runner *r)
{
    dyn_objective *o = w->o;
    const int64_t count = w->p->samples * w->p->per_sample;

    r->native = dyn__alloc(o->ctx, (size_t)(count * o->p), (size_t)o->esize);
    if (!r->native)
        return DYN_ENOMEM;
    DYN__TRY(dyn__exec_create(o->ctx, plan, &r->exec));
    dyn__bind_theta(o, &w->graph, r->exec, o->theta);
    if (w->p->of_outputs)
        dyn__exec_set_input(r->exec, dyn__plan_find(plan, w->eye), w->p->unit);
    for (int32_t i = 0; i < w->graph.parameters; i++) {
        int64_t at;
        dyn__objective_tensor(o, i, &at, NULL);
        dyn__exec_set_output(r->exec, i, (char *)r->native + count * at * o->esize);
    }
    return dyn__slots_find(o, &w->graph, r->exec, &r->slots);
}

/* The rows of one sample must be there whatever the limit is; those of several count, and so does what further threads
 * take: without room for it the one executor runs alone. */
static dyn_status open_runners(const writing *w, dyn_plan *plan, int32_t threads)
{
    dyn_objective *o = w->o;
    dyn__row_plan *p = w->p;
    dyn__budget b = dyn__budget_of(o);
    const int64_t rows = bytes_of_rows(o, p), each = rows + dyn__plan_bytes_of_one_thread(plan);

    DYN__TRY(dyn__budget_take(&b, "rows of derivatives", p->samples > 1 ? rows : 0));
    DYN__TRY(dyn__budget_take(&b, "the plan", dyn__plan_bytes_of_one_thread(plan)));
    if (each > (b.limit - b.used) / threads)
        threads = 1;
    p->runner = dyn__alloc(o->ctx, (size_t)threads, sizeof *p->runner);
    if (!p->runner)
        return DYN_ENOMEM;
    p->runners = threads;
    for (int32_t i = 0; i < threads; i++)
        DYN__TRY(open_runner(w, plan, &p->runner[i]));
    return DYN_OK;
}

static dyn_status compile(writing *w)
{
    const int32_t threads = threads_for(w->o, w->p);
    const dyn__compile_options opt = {.threads = threads > 1 ? 1 : 0};
    dyn_plan *plan = NULL;

    DYN__TRY(write_graph(w));
    DYN__TRY(dyn__compile_shared(w->graph.g, w->graph.parameters, w->row, &opt, &plan));
    const dyn_status s = open_runners(w, plan, threads);
    dyn_plan_unref(plan);
    return s;
}

/* ---- making and keeping one ---- */

static dyn_status make(dyn_objective *o, int of_outputs, int64_t samples, dyn__row_plan **out)
{
    writing w = {.o = o, .p = dyn__alloc(o->ctx, 1, sizeof *w.p)};

    if (!w.p)
        return DYN_ENOMEM;
    *w.p = (dyn__row_plan){.of_outputs = of_outputs, .samples = samples, .per_sample = of_outputs ? o->c : 1};
    const dyn_status s = compile(&w);
    dyn__free(o->ctx, w.row);
    dyn__free(o->ctx, w.batched);
    dyn__loss_graph_free(o, &w.graph);
    if (s == DYN_OK)
        *out = w.p;
    else
        dyn__row_plan_free(o, w.p);
    return s;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Samples per run: NEAR of rows, which are still near when they are copied; of long rows FEW samples, that share what
 * they read of theta, in SHORT; or what the limit leaves of that. */
static int64_t samples_per_run(const dyn_objective *o, int64_t per_sample)
{
    const int64_t row = per_sample * o->p * o->esize, few = least(FEW, SHORT / row), n = NEAR / row;
    const int64_t fit = least(n < few ? few : n, o->opt.memory_limit / row);

    return fit < 1 ? 1 : least(fit, o->n);
}

dyn_status dyn__row_plan_get(dyn_objective *o, int of_outputs, dyn__row_plan **out)
{
    int64_t samples = samples_per_run(o, of_outputs ? o->c : 1);
    dyn_status s;

    *out = o->row_plan[of_outputs];
    if (*out)
        return DYN_OK;
    while ((s = make(o, of_outputs, samples, out)) == DYN_EFULL && samples > 1)
        samples = (samples + 1) / 2;
    return s;
}

void dyn__row_plan_give(dyn_objective *o, dyn__row_plan *p)
{
    if (is_short(o, p))
        o->row_plan[p->of_outputs] = p;
    else
        dyn__row_plan_free(o, p);
}

void dyn__row_plan_free(dyn_objective *o, dyn__row_plan *p)
{
    if (!p)
        return;
    for (int32_t i = 0; i < p->runners; i++) {
        dyn_exec_free(p->runner[i].exec);
        dyn__free(o->ctx, p->runner[i].native);
        dyn__slots_free(o, &p->runner[i].slots);
    }
    dyn__free(o->ctx, p->runner);
    dyn__free(o->ctx, p->unit);
    dyn__free(o->ctx, p);
}
