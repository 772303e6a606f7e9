/* SPDX-License-Identifier: BSD-3-Clause
 *
 * random: uniform numbers in [0, 1) that are a function of a key given at run time, {seed, step, first row}, of the
 * site attr.n and of their place: element (r, c) is draw (first row + r) columns + c. The same node in a function and in
 * its derivatives is the same numbers. A key with leading axes [.., 3] gives every leading index numbers of its own key.
 * No derivative. */
#include "compile/exec.h"
#include "graph/ops/op.h"
#include "random/random.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *key = dyn__at(g, n->in[0]);
    const int32_t lead = key->shape.rank - 1;
    char p[128], q[128];

    if (key->dtype != DYN_I64)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "random needs a key of indices");
    if (lead < 0 || key->shape.dim[lead] != 3 || lead > n->shape.rank)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "random numbers of shape %s by a key of shape %s: expected [.., 3]",
                         dyn__shape_text(&n->shape, q), dyn__shape_text(&key->shape, p));
    for (int k = 0; k < lead; k++)
        if (key->shape.dim[k] != n->shape.dim[k])
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "random numbers of shape %s by keys of shape %s: leading sizes differ",
                             dyn__shape_text(&n->shape, q), dyn__shape_text(&key->shape, p));
    return DYN_OK;
}

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i, (void)t;
    return DYN__ZERO;
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__attr attr = dyn__at(g, y)->attr;
    const dyn__shape s = dyn__shape_lead(&dyn__at(g, y)->shape, size);

    (void)batched;
    return dyn__insert1(g, DYN__OP_random, in[0], &attr, &s);
}

/* Keys of samples of their own. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)samples;
    return in[0].axis + 1 < dyn__at(g, n->in[0])->shape.rank ? in[0] : dyn__coupled_label();
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const struct { int32_t rank; int64_t key[2]; } c[] = {{1, {3}}, {2, {4, 3}}};

    if (k >= 2)
        return DYN_ENOTSUP;
    dyn_node key = dyn_graph_indices(g, "k", c[k].rank, c[k].key);
    return dyn_graph_uniform(g, key, 7, 3, (int64_t[]){4, 3, 2});
}

/* One draw at a time, each by its own number. */
static void evaluate(const dyn__frame *f)
{
    const int32_t lead = f->shape[0]->rank - 1;
    int64_t keys = 1;

    for (int32_t k = 0; k < lead; k++)
        keys *= f->n->shape.dim[k];
    const int64_t per_key = f->size / keys, cols = f->n->shape.rank > lead ? per_key / f->n->shape.dim[lead] : 1;
    for (int64_t i = 0; i < f->size; i++) {
        const int64_t *key = f->index[0] + i / per_key * 3;
        const dyn__key k = {(uint64_t)key[0], DYN__STREAM_NODE, (uint32_t)key[1], (uint32_t)f->n->attr.n};
        float narrow;
        dyn__uniform_f64(k, key[2] * cols + i % per_key, 1, &f->out[i]);
        if (f->single) {
            dyn__uniform_f32(k, key[2] * cols + i % per_key, 1, &narrow);
            f->out[i] = (double)narrow;
        }
    }
}

/* ---- how it is compiled ---- */

/* In each of the sets, which have a key each, so many rows and columns; the site. */
typedef struct draws { int64_t sets, rows, cols; uint32_t site; } draws;

/* Drawing in so many parts. */
typedef struct parts { const dyn_exec *e; const dyn__step *step; int64_t tasks; } parts;

/* Numbers by the keys { seed, step, first row }: of every set the part with this number. */
static void draw_part(void *arg, int64_t number, int worker)
{
    const parts *p = arg;
    const draws *d = p->step->own;
    const int64_t *key = dyn__indices(p->e, &p->step->instr[0], 1);
    const int64_t size = d->rows * d->cols, from = size * number / p->tasks, to = size * (number + 1) / p->tasks;
    char *y = dyn__argument(p->e, &p->step->instr[0], 0) + from * p->e->plan->esize;

    (void)worker;
    for (int64_t set = 0; set < d->sets; set++, key += 3, y += size * p->e->plan->esize) {
        const dyn__key k = {(uint64_t)key[0], DYN__STREAM_NODE, (uint32_t)key[1], d->site};
        p->e->plan->table->uniform(k, key[2] * d->cols + from, to - from, y);
    }
}

static void run(const dyn_exec *e, const dyn__step *step)
{
    const draws *d = step->own;
    parts p = {e, step, dyn__tasks_for(d->sets * d->rows * d->cols, d->rows * d->cols)};

    dyn__share_out(e, p.tasks, 1, draw_part, &p);
}

static const dyn__step_kind drawing = {.name = "random", .run = run};

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *key = dyn__shape_of(k, n->in[0]);
    draws *d = dyn__own_step(k, step, y, &drawing, sizeof *d);

    if (!d)
        return DYN_ENOMEM;
    d->sets = dyn__shape_size(key) / 3;
    d->rows = n->shape.rank >= key->rank ? n->shape.dim[key->rank - 1] : 1;
    d->cols = dyn__shape_size(&n->shape) / (d->sets * d->rows);
    d->site = (uint32_t)n->attr.n;
    return DYN_OK;
}

static const dyn__form form = {.role = DYN__MOVE, .move = move};

const dyn__op dyn__op_random = {
    .name = "random", .nin = 1, .kernel = -1, .shaped = 1,
    .infer = infer, .label = label, .jvp = jvp, .batch = batch, .sample = sample, .evaluate = evaluate,
    .form = &form,
};
