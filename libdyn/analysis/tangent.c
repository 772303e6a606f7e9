/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tangent kernel: products of rows of the Jacobian, tile of samples by tile. The traced kernel is the same product, as
 * the rows of a sample's outputs, one after the other, are one long row. */
#include <inttypes.h>
#include <math.h>
#include <dyn/tangent.h>
#include "analysis/jacobian.h"
#include "data/data.h"
#include "kernel/kernel.h"
#include "linalg/operator.h"
#include "model/model.h"

enum { ROWS = 96 };     /* of a block's product are one task, as in linalg/gram.c */

/* Rows of the Jacobian of one side's samples. */
typedef struct side {
    dyn_array *x;
    int64_t n, first, count;    /* samples: of all, the tile's */
    double *jacobian;           /* [tile outputs][p] */
} side;

typedef struct work {
    dyn_model *m;
    const double *theta;
    int symmetric;
    int64_t tile, rows, length; /* samples of a tile; rows of a sample, their length */
    double *targets;
    double *kernel;
    side a, b;
} work;

/* ---- one block of the kernel ---- */

typedef struct block {
    const double *a, *b;
    double *out;
    int64_t tasks;
    dyn__gemm full, last;       /* of ROWS rows, and of what is left */
} block;

static void multiply_rows(void *arg, int64_t task, int worker)
{
    const block *p = arg;
    const int64_t first = task * ROWS;

    (void)worker;
    dyn__gemm_run(task + 1 < p->tasks ? &p->full : &p->last, p->a + first * p->full.lda, p->b,
                  p->out + first * p->full.ldc);
}

static dyn_status multiply(const work *w)
{
    const side *b = w->symmetric && w->a.first == w->b.first ? &w->a : &w->b;
    const dyn__kernels *kernels = dyn__kernels_of(w->m->ctx);
    const int64_t m = w->a.count * w->rows, tasks = (m + ROWS - 1) / ROWS;
    block p = { .a = w->a.jacobian, .b = b->jacobian };

    p.full = (dyn__gemm){ .dtype = DYN_F64, .trans_b = 1, .m = ROWS, .n = b->count * w->rows, .k = w->length,
                          .lda = w->length, .ldb = w->length, .ldc = w->b.n * w->rows };
    p.last = p.full;
    p.last.m = m - (tasks - 1) * ROWS;
    p.tasks = tasks;
    DYN__TRY(dyn__gemm_plan(kernels, &p.full));
    DYN__TRY(dyn__gemm_plan(kernels, &p.last));
    p.out = w->kernel + w->a.first * w->rows * p.full.ldc + b->first * w->rows;
    dyn__parallel(w->m->ctx, tasks, multiply_rows, &p);
    return dyn__check_interrupt(w->m->ctx);
}

/* ---- tiles ---- */

static dyn_status take(const work *w, side *s, int64_t first)
{
    dyn_array *x = NULL;

    s->first = first;
    s->count = s->n - first < w->tile ? s->n - first : w->tile;
    DYN__TRY(dyn_array_slice(s->x, 0, first, s->count, &x));
    dyn_status status = dyn__model_jacobian(w->m, w->theta, x, s->jacobian, w->targets);
    dyn_array_unref(x);
    return status;
}

/* The lower triangle, where it is symmetric. */
static dyn_status fill(work *w)
{
    for (int64_t i = 0; i < w->a.n; i += w->tile) {
        DYN__TRY(take(w, &w->a, i));
        for (int64_t j = 0; j < w->b.n && !(w->symmetric && j > i); j += w->tile) {
            if (w->symmetric && j == i)
                w->b.first = i, w->b.count = w->a.count;
            else
                DYN__TRY(take(w, &w->b, j));
            DYN__TRY(multiply(w));
        }
    }
    return DYN_OK;
}

static void mirror(double *k, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            k[j * n + i] = k[i * n + j];
}

static dyn_status choose_tile(work *w, int64_t limit)
{
    const int64_t each = (int64_t)sizeof(double) * w->rows * w->length, most = w->a.n > w->b.n ? w->a.n : w->b.n;

    w->tile = w->symmetric && w->a.n <= limit / each ? w->a.n : limit / each / 2;
    if (w->tile < 1)
        return DYN__FAIL(w->m->ctx, DYN_EFULL, "memory_limit is %" PRId64 " bytes, two samples at a time need %" PRId64,
                         limit, 2 * each);
    w->tile = w->tile < most ? w->tile : most;
    return DYN_OK;
}

static dyn_status allocate(work *w)
{
    dyn_ctx *ctx = w->m->ctx;
    const size_t numbers = (size_t)(w->rows * w->length);

    w->a.jacobian = dyn__alloc(ctx, (size_t)w->tile, numbers * sizeof(double));
    if (!w->symmetric || w->tile < w->a.n)
        w->b.jacobian = dyn__alloc(ctx, (size_t)w->tile, numbers * sizeof(double));
    w->targets = dyn__alloc(ctx, (size_t)(w->tile * dyn_model_output_size(w->m)), sizeof *w->targets);
    return w->a.jacobian && w->targets && (w->b.jacobian || (w->symmetric && w->tile == w->a.n)) ? DYN_OK : DYN_ENOMEM;
}

static dyn_status run(work *w, int64_t limit)
{
    dyn_status s = choose_tile(w, limit);

    if (s == DYN_OK)
        s = allocate(w);
    if (s == DYN_OK)
        s = fill(w);
    if (s == DYN_OK && w->symmetric)
        mirror(w->kernel, w->a.n * w->rows);
    dyn__free(w->m->ctx, w->targets);
    dyn__free(w->m->ctx, w->b.jacobian);
    dyn__free(w->m->ctx, w->a.jacobian);
    return s;
}

/* ---- the public function ---- */

static dyn_status check_samples(dyn_model *m, const char *name, const dyn_array *x)
{
    DYN__TRY(dyn__check_ctx(m->ctx, name, x->ctx));
    if (dyn_array_rank(x) >= 1 && dyn_array_shape(x)[0] >= 1)
        return DYN_OK;
    return DYN__FAIL(m->ctx, DYN_ESHAPE, "%s has no samples", name);
}

static dyn_status check_options(dyn_ctx *ctx, const dyn_tangent_options *given, dyn_tangent_options *o)
{
    *o = (dyn_tangent_options)DYN_TANGENT_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_tangent_options", given, o, sizeof *o, sizeof *o));
    return dyn__check_flag(ctx, "traced", o->traced);
}

dyn_status dyn_tangent_kernel(dyn_model *model, const double *theta, dyn_array *x, dyn_array *z,
                              const dyn_tangent_options *opt, double *kernel)
{
    dyn_tangent_options o;
    int64_t outputs;

    if (!model)
        return DYN_EINVAL;
    DYN__ENTER(model->ctx);
    DYN__NEED(model->ctx, theta);
    DYN__NEED(model->ctx, x);
    DYN__NEED(model->ctx, kernel);
    DYN__TRY(check_options(model->ctx, opt, &o));
    DYN__TRY(check_samples(model, "x", x));
    if (z)
        DYN__TRY(check_samples(model, "z", z));
    outputs = dyn_model_output_size(model);
    work w = { .m = model, .theta = theta, .symmetric = !z, .rows = o.traced ? 1 : outputs,
               .length = o.traced ? outputs * model->size : model->size, .kernel = kernel,
               .a = { .x = x, .n = dyn_array_shape(x)[0] }, .b = { .x = z ? z : x } };
    w.b.n = dyn_array_shape(w.b.x)[0];
    if (model->size < 1)
        return DYN__FAIL(model->ctx, DYN_EINVAL, "the model has no parameters");
    DYN__TRY(dyn__check_finite(model->ctx, "theta", model->size, theta));
    return run(&w, o.memory_limit);
}
