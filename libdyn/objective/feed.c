/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loss and gradient of a function on the graph, of all samples or of the step's mini-batch, which follows from seed and
 * step. One plan serves the whole batch, a second one a shorter last batch of an epoch. Where a plan would need more
 * memory than the objective allows, the batch goes through in parts, whose losses and gradients add up. */
#include <string.h>
#include "data/data.h"
#include "objective/describe.h"
#include "objective/losses.h"
#include "objective/parts.h"

/* Evaluation of `batch` samples at a time. */
typedef struct size {
    int64_t batch;              /* 0 = there is no such size */
    dyn__parts parts;
} size;

typedef struct feed {
    dyn__evaluator *e;
    size whole, ragged;
    size *now;                  /* being made, or evaluated */
    dyn__turns turns;
    void **rows;                /* [data] the samples of a mini-batch; NULL = all are used as they lie */
    void *partial;              /* gradient of one chunk, when there are several */
    union number { double f64; float f32; } *value;     /* [1 + terms] of the last run */
} feed;

/* ---- plans ---- */

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    feed *f = user;
    dyn_objective *o = f->e->o;

    DYN__TRY(dyn__step_plan_get(f->e, p->samples, f->now->batch, &p->step));
    p->graph = p->step->graph;
    DYN__TRY(dyn__budget_run(b, p->step->plan, &p->exec));
    for (int32_t i = 0; i < dyn__first_gradient(o); i++)
        dyn__exec_set_output(p->exec, i, (char *)f->value + i * o->esize);
    DYN__TRY(dyn__slots_find(o, &p->graph, p->exec, &p->slots));
    dyn__step_plan_keep(f->e, p->step);
    return DYN_OK;
}

/* The whole batch at once or, when that does not fit, beside the gradient of one chunk. What joins samples has no parts. */
static dyn_status make_size(feed *f, size *z, dyn__budget *b)
{
    dyn__evaluator *e = f->e;

    f->now = z;
    dyn_status s = dyn__parts_try(e->o, z->batch, z->batch, make_part, f, b, &z->parts);
    if (s != DYN_EFULL || z->batch == 1 || e->o->coupling[e->training])
        return s;
    if (!e->value_only && !f->partial)
        DYN__TRY(dyn__budget_alloc(b, "gradient of a chunk", e->o->p, e->o->esize, &f->partial));
    return dyn__parts_make(e->o, z->batch, (z->batch + 1) / 2, make_part, f, b, &z->parts);
}

static dyn_status make_rows(feed *f, dyn__budget *b)
{
    dyn_objective *o = f->e->o;

    f->rows = dyn__alloc(o->ctx, (size_t)o->data + 1, sizeof *f->rows);
    if (!f->rows)
        return DYN_ENOMEM;
    DYN__TRY(dyn__turns_open(o, &f->turns));
    for (int32_t i = 0; i < o->data; i++)
        if (!o->datum[i].shared)
            DYN__TRY(dyn__budget_alloc(b, "samples of a batch", f->whole.batch * o->datum[i].row, o->datum[i].esize,
                                       &f->rows[i]));
    return DYN_OK;
}

static void set_sizes(feed *f)
{
    dyn__turns_set(f->e->o, &f->e->feeding, &f->turns);
    f->whole.batch = f->turns.batch;
    f->ragged.batch = f->turns.ragged;
}

/* A batch that is shorter than the others would be another function where the loss joins samples. */
static dyn_status check_ragged(const feed *f)
{
    const dyn_objective *o = f->e->o;
    const char *coupling = o->coupling[f->e->training];

    if (f->ragged.batch == 0 || !coupling)
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the last batch of an epoch has %lld of %lld samples, and the loss joins samples "
                     "at %s: take a batch that divides %lld, or drop_last", (long long)f->ragged.batch,
                     (long long)f->whole.batch, coupling, (long long)o->n);
}

static dyn_status open_feed(feed *f)
{
    dyn_objective *o = f->e->o;
    dyn__budget b = dyn__budget_of(o);

    f->value = dyn__alloc(o->ctx, (size_t)o->terms + 1, sizeof *f->value);
    if (!f->value)
        return DYN_ENOMEM;
    set_sizes(f);
    if (f->whole.batch < o->n || f->e->feeding.fill)
        DYN__TRY(make_rows(f, &b));
    DYN__TRY(make_size(f, &f->whole, &b));
    DYN__TRY(check_ragged(f));
    return f->ragged.batch ? make_size(f, &f->ragged, &b) : DYN_OK;
}

static dyn_status create(dyn__evaluator *e)
{
    feed *f = dyn__alloc(e->o->ctx, 1, sizeof *f);

    if (!f)
        return DYN_ENOMEM;
    e->own = f;
    f->e = e;
    return open_feed(f);
}

static void close_feed(dyn__evaluator *e)
{
    dyn_objective *o = e->o;
    feed *f = e->own;

    if (!f)
        return;
    dyn__parts_free(o, &f->whole.parts);
    dyn__parts_free(o, &f->ragged.parts);
    for (int32_t i = 0; f->rows && i < o->data; i++)
        dyn__free(o->ctx, f->rows[i]);
    dyn__free(o->ctx, f->rows);
    dyn__free(o->ctx, f->turns.order);
    dyn__free(o->ctx, f->partial);
    dyn__free(o->ctx, f->value);
    dyn__free(o->ctx, f);
}

/* ---- the samples of a step ---- */

/* Whether the plan reads the samples of a datum. */
static int is_read(const dyn__slots *s, int32_t number)
{
    for (int64_t i = 0; i < s->count; i++)
        if (s->slot[i].role == DYN__SLOT_SAMPLES && s->slot[i].number == number)
            return 1;
    return 0;
}

static void gather(const dyn_objective *o, const dyn__datum *d, int64_t count, const int64_t *index, void *to)
{
    const dyn__kernels *k = dyn__kernels_of(o->ctx);
    const char *from = dyn_array_data(d->array);
    const size_t bytes = (size_t)(d->row * d->esize);

    if (dyn_array_dtype(d->array) != DYN_I64)
        (o->opt.dtype == DYN_F32 ? &k->f32 : &k->f64)->gather(count, d->row, to, from, o->n, index);
    else
        for (int64_t i = 0; i < count; i++)
            memcpy((char *)to + (size_t)i * bytes, from + (size_t)index[i] * bytes, bytes);
}

/* A batch from outside: its indices are checked as those of the data were. */
static dyn_status take_batch(feed *f, const dyn__step_io *io)
{
    dyn_objective *o = f->e->o;

    DYN__TRY(f->e->feeding.fill(f->e->feeding.fill_user, o, io->seed, io->step, f->rows));
    for (int32_t i = 0; i < o->data; i++)
        if (!o->datum[i].shared)
            DYN__TRY(dyn__check_id_numbers(o, &o->datum[i], o->n * o->datum[i].row, f->rows[i]));
    return o->target < 0 ? DYN_OK : dyn__loss_check_rows(o, f->rows[o->target]);
}

/* Chooses the size, fills the rows. */
static dyn_status next_batch(feed *f, const dyn__step_io *io)
{
    const dyn_objective *o = f->e->o;
    int64_t count;

    f->now = &f->whole;
    if (f->e->feeding.fill)
        return take_batch(f, io);
    if (!f->rows)
        return DYN_OK;
    DYN__TRY(dyn__turns_go(o, &f->turns, io->seed, io->step, &count));
    f->now = count == f->whole.batch ? &f->whole : &f->ragged;
    for (int32_t i = 0; i < o->data; i++)
        if (is_read(&f->now->parts.whole.slots, i))
            gather(o, &o->datum[i], f->now->batch, f->turns.at, f->rows[i]);
    return DYN_OK;
}

/* ---- evaluation ---- */

static double number(const feed *f, int32_t i)
{
    return f->e->o->opt.dtype == DYN_F32 ? (double)((const float *)f->value)[i] : ((const double *)f->value)[i];
}

static void bind(feed *f, dyn__part *p, const dyn__step_io *io, void *gradient)
{
    dyn_objective *o = f->e->o;
    int32_t first = dyn__first_gradient(o);

    if (p->theta != io->theta) {
        dyn__bind_theta(o, &p->graph, p->exec, io->theta);
        p->theta = io->theta;
    }
    if (!f->e->value_only && p->gradient != gradient) {
        dyn__bind_gradient(o, p->exec, first, gradient);
        p->gradient = gradient;
    }
    first += f->e->value_only ? 0 : p->graph.parameters;
    for (int64_t i = 0, k = 0; f->e->training && i < p->graph.slots; i++)
        if (p->graph.slot[i].role == DYN__SLOT_STATE)
            dyn__exec_set_output(p->exec, first + (int32_t)k++, (char *)io->next + p->graph.slot[i].offset * o->esize);
}

static void add_up(const dyn_objective *o, void *sum, void *x)
{
    dyn__arg arg[3] = {{sum, 0, 1}, {sum, 0, 1}, {x, 0, 1}};
    const dyn__kernels *k = dyn__kernels_of(o->ctx);

    (o->opt.dtype == DYN_F32 ? &k->f32 : &k->f64)->tile[DYN__K_ADD](1, o->p, arg, 0);
}

static void take_values(feed *f, dyn__step_io *io)
{
    dyn__evaluator *e = f->e;

    io->loss += number(f, 0);
    for (int32_t i = 0; i < e->o->terms; i++)
        e->term[i] += number(f, e->o->terms > 1 ? i + 1 : 0);
}

static dyn_status step(dyn__evaluator *e, dyn__step_io *io)
{
    feed *f = e->own;

    DYN__TRY(next_batch(f, io));
    dyn__inputs in = {.state = io->state, .rows = f->rows, .seed = io->seed, .step = io->step};
    dyn__parts *parts = &f->now->parts;
    io->loss = 0;
    memset(e->term, 0, (size_t)e->o->terms * sizeof *e->term);
    for (int64_t i = 0; i < f->now->batch; i += parts->whole.samples) {
        dyn__part *p = dyn__part_at(parts, i);
        void *to = i == 0 ? io->gradient : f->partial;
        bind(f, p, io, to);
        in.first = i;
        dyn__part_run(e->o, p, &in);
        if (i > 0 && !e->value_only)
            add_up(e->o, io->gradient, to);
        take_values(f, io);
    }
    return dyn__check_interrupt(e->o->ctx);
}

/* ---- the kind ---- */

const dyn__objective_kind dyn__graph_kind = {
    .evaluator_create = create, .evaluator_step = step, .evaluator_free = close_feed,
    .curvature = dyn__graph_curvature, .describe = dyn__graph_describe, .stays = 1,
};
