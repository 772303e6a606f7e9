/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A primitive that is a step by itself, and the kind of that step, in one file: sums along the last axis up to each
 * element (attr.n = 0), or from each on (1). Linear. transpose: the other direction. */
#include "compile/exec.h"
#include "extend/extend.h"
#include "graph/ops/op.h"

/* ---- what it is ---- */

dyn_node running_sum(dyn_graph *g, dyn_node x, int backwards)
{
    const dyn__attr attr = {.n = backwards};

    return dyn__insert_kind(g, &op_running_sum, &x, &attr, NULL);
}

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);

    if (x->dtype != g->dtype || x->shape.rank < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "running_sum of a tensor of rank %d: expected numbers along an axis",
                         (int)x->shape.rank);
    n->shape = x->shape;
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)i;
    return running_sum(g, ct, !dyn__at(g, y)->attr.n);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    (void)batched, (void)size;
    return running_sum(g, in[0], (int)dyn__at(g, y)->attr.n);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)g, (void)samples;
    return in[0].axis + 1 == n->shape.rank ? dyn__coupled_label() : in[0];
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k < 2 ? running_sum(g, dyn_graph_input(g, "a", 2, (int64_t[]){3, 5}), k) : DYN_ENOTSUP;
}

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    return snprintf(text, size, "%s", dyn__at(g, x)->attr.n ? " backwards" : "");
}

static void evaluate(const dyn__frame *f)
{
    const int64_t cols = f->n->shape.dim[f->n->shape.rank - 1];

    for (int64_t i = 0; i < f->size; i++) {
        const int64_t row = i / cols * cols, from = f->n->attr.n ? i : row, to = f->n->attr.n ? row + cols : i + 1;
        f->out[i] = 0;
        for (int64_t j = from; j < to; j++)
            f->out[i] += f->in[0][j];
    }
}

/* ---- the kind of its step ---- */

typedef struct scan { int64_t rows, cols; int backwards; char *title; } scan;

#define SCAN(name, T)                                                                        \
    static void name(const scan *d, T *y, const T *x)                                        \
    {                                                                                        \
        for (int64_t r = 0; r < d->rows; r++, y += d->cols, x += d->cols) {                  \
            T sum = 0;                                                                       \
            for (int64_t i = 0; i < d->cols; i++) {                                          \
                const int64_t at = d->backwards ? d->cols - 1 - i : i;                       \
                y[at] = sum += x[at];                                                        \
            }                                                                                \
        }                                                                                    \
    }
SCAN(scan_f64, double)
SCAN(scan_f32, float)

static void run(const dyn_exec *e, const dyn__step *step)
{
    char *y = dyn__argument(e, &step->instr[0], 0), *x = dyn__argument(e, &step->instr[0], 1);

    if (e->plan->dtype == DYN_F32)
        scan_f32(step->own, (float *)y, (const float *)x);
    else
        scan_f64(step->own, (double *)y, (const double *)x);
}

static int print_step(const dyn__step *step, char *text, size_t size)
{
    const scan *d = step->own;

    return snprintf(text, size, ", %s of %lld rows", d->title, (long long)d->rows);
}

static void free_step(dyn_ctx *ctx, void *own) { dyn__free(ctx, ((scan *)own)->title); }

static const dyn__step_kind running = {.name = "running sum", .run = run, .print = print_step, .free = free_step};

/* ---- how it is compiled: elements in their order in front, then that step ---- */

static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const dyn_node x = dyn__densely(l, in[0]);

    return dyn__insert_like(l->to, n, &x);
}

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    scan *d = dyn__own_step(k, step, y, &running, sizeof *d);

    if (!d)
        return DYN_ENOMEM;
    d->cols = n->shape.dim[n->shape.rank - 1];
    d->rows = dyn__shape_size(&n->shape) / d->cols;
    d->backwards = (int)n->attr.n;
    d->title = dyn__strdup(k->ctx, d->backwards ? "from the last" : "from the first");
    return d->title ? DYN_OK : DYN_ENOMEM;
}

static const dyn__form form = {.role = DYN__MOVE, .lower = lower, .move = move};

const dyn__op op_running_sum = {
    .name = "running_sum", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample, .print = print,
    .evaluate = evaluate, .form = &form,
};
