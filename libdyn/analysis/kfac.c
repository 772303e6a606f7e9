/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kronecker factors: sums over samples of what comes into layers and of gradients by what goes out, for every column;
 * then their eigenvectors, and for EKFAC a second pass that takes the block's diagonal in their basis. */
#include <math.h>
#include <string.h>
#include "analysis/kfac.h"
#include "kernel/kernel.h"
#include "linalg/dense.h"

typedef struct work {
    dyn_objective *o;
    dyn_kfac *k;
    dyn__layers *layers;
    double *f, *u;              /* [n, c] */
    double *rows_a, *rows_b;    /* of some samples of a layer: what comes in with its 1, gradients */
    double *room;               /* [2 largest][largest] */
    dyn_status status;          /* of what a visit did */
    int with_a, diagonal;       /* the pass: A is summed as well; the diagonal is taken */
    double scale;               /* of the gradients */
} work;

/* ---- rows ---- */

/* What came in, widened by 1 for the bias; or averaged over the positions of a sample. Returns the number of rows. */
static int64_t take_inputs(const work *w, const dyn__factors *t, int64_t count, const void *input)
{
    const int64_t rows = count * t->positions;
    double *to = w->rows_a;

    dyn__from_native(w->o, rows * t->in, to, input);
    for (int64_t r = rows - 1; t->na > t->in && r >= 0; r--) {
        memmove(to + r * t->na, to + r * t->in, (size_t)t->in * sizeof *to);
        to[r * t->na + t->in] = 1.0;
    }
    return rows;
}

static int64_t take_gradients(const work *w, const dyn__factors *t, int64_t count, const void *gradient)
{
    const int64_t rows = count * t->positions;

    dyn__from_native(w->o, rows * t->nb, w->rows_b, gradient);
    for (int64_t i = 0; i < rows * t->nb; i++)
        w->rows_b[i] *= w->scale;
    return rows;
}

/* Rows of each sample added up, times a factor. */
static int64_t reduce(double *x, int64_t count, int64_t positions, int64_t width, double factor)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < width; j++) {
            double sum = 0.0;
            for (int64_t s = 0; s < positions; s++)
                sum += x[(i * positions + s) * width + j];
            x[i * width + j] = factor * sum;
        }
    return count;
}

/* c [m][n] (+)= op(a) b, dense rows. */
static dyn_status multiply(const work *w, int trans_a, int accumulate, int64_t m, int64_t n, int64_t k, const double *a,
                           const double *b, double *c)
{
    dyn__gemm g = {.dtype = DYN_F64, .trans_a = trans_a, .accumulate = accumulate, .m = m, .n = n, .k = k,
                   .lda = trans_a ? m : k, .ldb = n, .ldc = n};

    DYN__TRY(dyn__gemm_plan(dyn__kernels_of(w->o->ctx), &g));
    dyn__gemm_run(&g, a, b, c);
    return DYN_OK;
}

/* ---- the two passes ---- */

static dyn_status add_factors(const work *w, const dyn__factors *t, int64_t count, const void *input, const void *gradient)
{
    int64_t rows;

    if (w->with_a) {
        rows = take_inputs(w, t, count, input);
        if (w->k->opt.reduce)
            rows = reduce(w->rows_a, count, t->positions, t->na, 1.0 / (double)t->positions);
        DYN__TRY(multiply(w, 1, 1, t->na, t->na, rows, w->rows_a, w->rows_a, t->a));
    }
    rows = take_gradients(w, t, count, gradient);
    if (w->k->opt.reduce)
        rows = reduce(w->rows_b, count, t->positions, t->nb, 1.0);
    return multiply(w, 1, 1, t->nb, t->nb, rows, w->rows_b, w->rows_b, t->b);
}

/* Squares of U_A G U_B^T, G = sum over positions of a g^T, of every sample. */
static dyn_status add_diagonal(const work *w, const dyn__factors *t, int64_t count, const void *input, const void *gradient)
{
    double *first = w->room, *second = w->room + t->na * t->nb;

    take_inputs(w, t, count, input);
    take_gradients(w, t, count, gradient);
    for (int64_t i = 0; i < count; i++) {
        const double *a = w->rows_a + i * t->positions * t->na, *b = w->rows_b + i * t->positions * t->nb;
        DYN__TRY(multiply(w, 1, 0, t->na, t->nb, t->positions, a, b, first));
        DYN__TRY(multiply(w, 0, 0, t->na, t->nb, t->na, t->ua, first, second));
        for (int64_t r = 0; r < t->na; r++)
            for (int64_t c = 0; c < t->nb; c++) {
                double sum = 0.0;
                for (int64_t j = 0; j < t->nb; j++)
                    sum += second[r * t->nb + j] * t->ub[c * t->nb + j];
                t->values[r * t->nb + c] += sum * sum;
            }
    }
    return DYN_OK;
}

static void visit(void *user, int32_t k, int64_t count, const void *input, const void *gradient)
{
    work *w = user;

    if (w->status == DYN_OK)
        w->status = (w->diagonal ? add_diagonal : add_factors)(w, &w->k->layer[k], count, input, gradient);
}

static void fill_cotangent(void *user, int64_t column, int64_t first, int64_t count)
{
    work *w = user;

    w->with_a = column == 0;
    if (w->layers->targets)
        return;
    dyn__kfac_column(w->o, &w->k->opt, column, first, count, w->f, w->u);
    dyn__to_native(w->o, count * w->o->c, w->layers->cotangent, w->u);
}

static dyn_status pass(work *w, int diagonal)
{
    w->diagonal = diagonal;
    DYN__TRY(dyn__layers_run(w->layers, dyn__kfac_columns(w->o, &w->k->opt), fill_cotangent, visit, w));
    return w->status;
}

/* ---- after the sums ---- */

static void scale(int64_t n, double *x, double factor)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= factor;
}

/* Means: of A over rows, of B over samples. */
static void take_means(const work *w, dyn__factors *t)
{
    const double n = (double)w->o->n, positions = w->k->opt.reduce ? 1.0 : (double)t->positions;

    scale(t->na * t->na, t->a, 1.0 / (n * positions));
    scale(t->nb * t->nb, t->b, w->o->opt.sum_samples ? 1.0 : 1.0 / n);
}

static dyn_status decompose(const work *w, dyn__factors *t)
{
    memcpy(t->ua, t->a, (size_t)(t->na * t->na) * sizeof *t->a);
    memcpy(t->ub, t->b, (size_t)(t->nb * t->nb) * sizeof *t->b);
    DYN__TRY(dyn__eigh(w->o->ctx, t->na, t->ua, t->wa, 1));
    DYN__TRY(dyn__eigh(w->o->ctx, t->nb, t->ub, t->wb, 1));
    for (int64_t i = 0; i < t->na * t->nb; i++)
        t->values[i] = w->k->opt.eigenvalues ? 0.0 : t->wa[i / t->nb] * t->wb[i % t->nb];
    return DYN_OK;
}

static dyn_status compute(work *w)
{
    dyn_kfac *k = w->k;

    DYN__TRY(pass(w, 0));
    for (int32_t i = 0; i < k->count; i++) {
        take_means(w, &k->layer[i]);
        DYN__TRY(decompose(w, &k->layer[i]));
    }
    if (!k->opt.eigenvalues)
        return DYN_OK;
    DYN__TRY(pass(w, 1));
    for (int32_t i = 0; i < k->count; i++)
        scale(k->layer[i].na * k->layer[i].nb, k->layer[i].values, w->o->opt.sum_samples ? 1.0 : 1.0 / (double)w->o->n);
    return DYN_OK;
}

/* ---- memory ---- */

static dyn_status make_layer(dyn_objective *o, const dyn__layer *from, dyn__factors *t)
{
    const int64_t na = from->in + (from->bias >= 0), nb = from->out;
    double *room;

    *t = (dyn__factors){.weight = from->weight, .bias = from->bias, .in = from->in, .na = na, .nb = nb,
                        .positions = from->positions};
    dyn__objective_tensor(o, from->weight, &t->weight_at, NULL);
    if (from->bias >= 0)
        dyn__objective_tensor(o, from->bias, &t->bias_at, NULL);
    room = dyn__alloc(o->ctx, (size_t)(2 * na * na + 2 * nb * nb + na + nb + na * nb), sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    t->a = room;
    t->b = t->a + na * na;
    t->ua = t->b + nb * nb;
    t->ub = t->ua + na * na;
    t->wa = t->ub + nb * nb;
    t->wb = t->wa + na;
    t->values = t->wb + nb;
    return DYN_OK;
}

static dyn_status make_layers(dyn_kfac *k, dyn_objective *o, const dyn__layers *l)
{
    k->layer = dyn__alloc(k->ctx, (size_t)l->count, sizeof *k->layer);
    if (!k->layer)
        return DYN_ENOMEM;
    for (k->count = 0; k->count < l->count; k->count++)
        DYN__TRY(make_layer(o, &l->layer[k->count], &k->layer[k->count]));
    return DYN_OK;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static dyn_status make_room(work *w)
{
    const int64_t outputs = w->o->n * w->o->c, samples = w->layers->parts.whole.samples;
    int64_t a = 0, b = 0, room = 0;
    dyn_ctx *ctx = w->o->ctx;

    for (int32_t i = 0; i < w->k->count; i++) {
        const dyn__factors *t = &w->k->layer[i];
        a = larger(a, samples * t->positions * t->na);
        b = larger(b, samples * t->positions * t->nb);
        room = larger(room, 2 * t->na * t->nb);
    }
    w->rows_a = dyn__alloc(ctx, (size_t)a, sizeof *w->rows_a);
    w->rows_b = dyn__alloc(ctx, (size_t)b, sizeof *w->rows_b);
    w->room = dyn__alloc(ctx, (size_t)room, sizeof *w->room);
    w->f = dyn__alloc(ctx, (size_t)outputs, sizeof *w->f);
    w->u = dyn__alloc(ctx, (size_t)outputs, sizeof *w->u);
    return w->rows_a && w->rows_b && w->room && w->f && w->u ? DYN_OK : DYN_ENOMEM;
}

static void free_room(work *w)
{
    dyn__free(w->o->ctx, w->u);
    dyn__free(w->o->ctx, w->f);
    dyn__free(w->o->ctx, w->room);
    dyn__free(w->o->ctx, w->rows_b);
    dyn__free(w->o->ctx, w->rows_a);
}

static dyn_status fill(dyn_kfac *k, dyn_objective *o, const double *theta, dyn__layers *l)
{
    work w = {.o = o, .k = k, .layers = l, .scale = 1.0};

    if (l->targets && !o->opt.sum_samples)
        w.scale = (double)o->n;         /* the gradient of the mean is a sample's by n */
    DYN__TRY(make_layers(k, o, l));
    dyn_status s = make_room(&w);
    if (s == DYN_OK && !l->targets)
        s = dyn_objective_predict(o, theta, w.f);
    if (s == DYN_OK)
        s = compute(&w);
    free_room(&w);
    return s;
}

/* ---- creation ---- */

static dyn_status check_options(dyn_ctx *ctx, const dyn_kfac_options *given, dyn_kfac_options *o)
{
    *o = (dyn_kfac_options)DYN_KFAC_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_kfac_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    DYN__TRY(dyn__check_flag(ctx, "reduce", o->reduce));
    DYN__TRY(dyn__check_flag(ctx, "eigenvalues", o->eigenvalues));
    if (o->columns >= DYN_KFAC_EXACT && o->columns <= DYN_KFAC_EMPIRICAL && o->draws >= 1)
        return DYN_OK;
    return DYN__FAIL(ctx, DYN_EINVAL, "columns is %d, draws %d: one of enum dyn_kfac_columns, and at least one draw",
                     (int)o->columns, (int)o->draws);
}

static dyn_status check_loss(dyn_objective *o, const dyn_kfac_options *opt)
{
    const int32_t loss = o->opt.loss;

    DYN__TRY(dyn__need_separate(o, "Kronecker factors"));
    if (o->target < 0 || o->c == 0 || o->target + 1 < o->data)      /* the weights would stand behind the targets */
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "a model's loss on x and y is needed, without weights of samples");
    if (opt->columns == DYN_KFAC_EMPIRICAL || loss == DYN_LOSS_MSE || loss == DYN_LOSS_CROSS_ENTROPY || loss == DYN_LOSS_KL ||
        loss == DYN_LOSS_BINARY_CROSS_ENTROPY)
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP, "loss %d is no log likelihood: mean squared error or a cross-entropy is needed",
                     (int)loss);
}

dyn_status dyn_kfac_create(dyn_objective *o, const double *theta, const dyn_kfac_options *opt, dyn_kfac **out)
{
    dyn_kfac_options full;
    dyn__layers l;
    dyn_kfac *k;

    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    DYN__TRY(check_options(o->ctx, opt, &full));
    DYN__TRY(check_loss(o, &full));
    DYN__TRY(dyn__layers_open(o, theta, full.columns == DYN_KFAC_EMPIRICAL, &l));
    k = dyn__alloc(o->ctx, 1, sizeof *k);
    dyn_status s = DYN_ENOMEM;
    if (k) {
        *k = (dyn_kfac){.ctx = o->ctx, .opt = full, .p = o->p};
        s = fill(k, o, theta, &l);
    }
    dyn__layers_close(&l);
    if (s < 0)
        dyn_kfac_free(k);
    else
        *out = k;
    return s;
}

/* ---- accessors ---- */

void dyn_kfac_free(dyn_kfac *k)
{
    if (!k)
        return;
    for (int32_t i = 0; i < k->count; i++)
        dyn__free(k->ctx, k->layer[i].a);
    dyn__free(k->ctx, k->layer);
    dyn__free(k->ctx, k);
}

int32_t dyn_kfac_layers(const dyn_kfac *k) { return k ? k->count : 0; }

static const dyn__factors *layer_at(const dyn_kfac *k, int32_t i) { return k && i >= 0 && i < k->count ? &k->layer[i] : NULL; }

dyn_status dyn_kfac_layer(const dyn_kfac *k, int32_t i, int32_t *weight, int32_t *bias, int64_t *size_a, int64_t *size_b)
{
    const dyn__factors *t = layer_at(k, i);

    if (!k)
        return DYN_EINVAL;
    DYN__ENTER(k->ctx);
    if (!t)
        return DYN__FAIL(k->ctx, DYN_EINVAL, "layer %d of %d", (int)i, (int)k->count);
    if (weight)
        *weight = t->weight;
    if (bias)
        *bias = t->bias;
    if (size_a)
        *size_a = t->na;
    if (size_b)
        *size_b = t->nb;
    return DYN_OK;
}

const double *dyn_kfac_a(const dyn_kfac *k, int32_t i) { return layer_at(k, i) ? layer_at(k, i)->a : NULL; }
const double *dyn_kfac_b(const dyn_kfac *k, int32_t i) { return layer_at(k, i) ? layer_at(k, i)->b : NULL; }
const double *dyn_kfac_eigenvalues(const dyn_kfac *k, int32_t i) { return layer_at(k, i) ? layer_at(k, i)->values : NULL; }
