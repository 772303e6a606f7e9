/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The networks on which derivatives are evaluated again and again: 64-100-100-10 on the handwritten digits and 1-1000-1
 * on 80 points, and every derivative an objective offers, one after the other in one array. */
#ifndef EXEC_PROBLEMS_H
#define EXEC_PROBLEMS_H

#include <stdlib.h>
#include <dyn/dyn.h>
#include "test.h"

enum { DIRECTIONS = 40, ROWS = 30 };    /* ROWS: samples of Jacobian and sample gradients */

typedef struct problem {
    int digits;
    int32_t dtype;
    int64_t samples;
    int64_t memory_limit;       /* 0 = none */
} problem;

static inline dyn_ctx *make_ctx(int32_t threads, int32_t isa)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = threads;
    o.isa = isa;
    return dyn_ctx_create(&o, &ctx) == DYN_OK ? ctx : NULL;
}

static inline dyn_array *read_digits(dyn_ctx *ctx, const char *what)
{
    const char *root = getenv("DYN_TEST_SOURCE");
    char path[1024];
    dyn_array *a = NULL;

    snprintf(path, sizeof path, "%s/examples/data/digits-%s.npy", root ? root : ".", what);
    CHECK_OK(ctx, dyn_array_read(ctx, path, NULL, &a));
    return a;
}

static inline void digits_data(dyn_ctx *ctx, dyn_array **x, dyn_array **y)
{
    dyn_array *images = read_digits(ctx, "images"), *labels = read_digits(ctx, "labels"), *wide = NULL;

    CHECK_OK(ctx, dyn_array_convert(images, DYN_F64, &wide));
    CHECK_OK(ctx, dyn_array_standardise(wide, DYN_MOMENTS_WHOLE, NULL, NULL, x));
    CHECK_OK(ctx, dyn_array_one_hot(labels, 10, DYN_F64, y));
    dyn_array_unref(images);
    dyn_array_unref(labels);
    dyn_array_unref(wide);
}

static inline void curve_data(dyn_ctx *ctx, dyn_array **x, dyn_array **y)
{
    double in[80], out[80];

    for (int i = 0; i < 80; i++) {
        in[i] = -1 + i / 39.5;
        out[i] = sin(3 * in[i]) + 0.3 * cos(11 * in[i]);
    }
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[]){ 80, 1 }, in, x));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[]){ 80, 1 }, out, y));
}

static inline dyn_model *make_model(dyn_ctx *ctx, int digits)
{
    static const int64_t deep[] = { 64, 100, 100, 10 }, wide[] = { 1, 1000, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = NULL;

    opt.widths = digits ? deep : wide;
    opt.widths_count = digits ? 4 : 3;
    opt.activation = DYN_TANH;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    return m;
}

static inline dyn_objective *make_objective(dyn_ctx *ctx, const problem *p, int64_t samples)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_model *m = make_model(ctx, p->digits);
    dyn_array *x = NULL, *y = NULL, *xs = NULL, *ys = NULL;
    dyn_objective *o = NULL;

    (p->digits ? digits_data : curve_data)(ctx, &x, &y);
    CHECK_OK(ctx, dyn_array_slice(x, 0, 0, samples, &xs));
    CHECK_OK(ctx, dyn_array_slice(y, 0, 0, samples, &ys));
    opt.loss = p->digits ? DYN_LOSS_CROSS_ENTROPY : DYN_LOSS_MSE;
    opt.dtype = p->dtype;
    opt.l2 = 1e-3;
    opt.memory_limit = p->memory_limit ? p->memory_limit : INT64_MAX;
    CHECK_OK(ctx, dyn_objective_create(ctx, m, xs, ys, &opt, &o));
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_array_unref(xs);
    dyn_array_unref(ys);
    dyn_model_unref(m);
    return o;
}

static inline double *start_of(dyn_objective *o)
{
    double *theta = malloc((size_t)dyn_objective_size(o) * sizeof *theta);

    CHECK(dyn_model_initialise(dyn_objective_model(o), NULL, theta) == DYN_OK);
    return theta;
}

/* The results of one evaluation; part[i] begins at number at[i]. */
enum part { LOSS, GRADIENT, HESSIAN_1, HESSIAN_40, GGN_40, JACOBIAN, SAMPLE_GRADIENTS, PARTS };
static const char *const part_names[PARTS] = { "loss", "gradient", "Hessian product", "40 Hessian products",
                                               "40 Gauss-Newton products", "Jacobian", "sample gradients" };
typedef struct results { double *number; int64_t at[PARTS + 1]; } results;

static inline results make_results(int64_t p, int64_t outputs)
{
    const int64_t size[PARTS] = { 1, p, p, DIRECTIONS * p, DIRECTIONS * p, ROWS * outputs * p, ROWS * p };
    results r = { .number = NULL };

    for (int i = 0; i < PARTS; i++)
        r.at[i + 1] = r.at[i] + size[i];
    r.number = calloc((size_t)r.at[PARTS], sizeof *r.number);
    return r;
}

static inline void directions(int64_t p, double *v)
{
    for (int64_t i = 0; i < DIRECTIONS * p; i++)
        v[i] = sin(0.37 * (double)(i % 100003) + 1e-5 * (double)i);
}

typedef struct measured { dyn_objective *whole, *few; dyn_operator *H, *G; double *theta, *v; } measured;

static inline void derive(dyn_ctx *ctx, const measured *m, results *r)
{
    CHECK_OK(ctx, dyn_objective_gradient(m->whole, m->theta, r->number + r->at[GRADIENT], r->number + r->at[LOSS]));
    CHECK_OK(ctx, dyn_operator_apply(m->H, 1, m->v, r->number + r->at[HESSIAN_1]));
    CHECK_OK(ctx, dyn_operator_apply(m->H, DIRECTIONS, m->v, r->number + r->at[HESSIAN_40]));
    CHECK_OK(ctx, dyn_operator_apply(m->G, DIRECTIONS, m->v, r->number + r->at[GGN_40]));
    CHECK_OK(ctx, dyn_objective_jacobian(m->few, m->theta, r->number + r->at[JACOBIAN]));
    CHECK_OK(ctx, dyn_objective_sample_gradients(m->few, m->theta, r->number + r->at[SAMPLE_GRADIENTS]));
}

static inline int same_bits(const results *a, const results *b)
{
    return memcmp(a->number, b->number, (size_t)a->at[PARTS] * sizeof *a->number) == 0;
}

/* Every derivative at the model's default start. Where `again` is set, twice from the same executors. */
static inline results evaluate(dyn_ctx *ctx, const problem *p, int again)
{
    measured m = { .whole = make_objective(ctx, p, p->samples), .few = make_objective(ctx, p, ROWS) };
    const int64_t size = dyn_objective_size(m.whole);
    results r = make_results(size, dyn_objective_outputs(m.whole));

    m.theta = start_of(m.whole);
    m.v = malloc((size_t)(DIRECTIONS * size) * sizeof *m.v);
    directions(size, m.v);
    CHECK_OK(ctx, dyn_objective_hessian(m.whole, m.theta, &m.H));
    CHECK_OK(ctx, dyn_objective_ggn(m.whole, m.theta, &m.G));
    derive(ctx, &m, &r);
    if (again) {
        results second = make_results(size, dyn_objective_outputs(m.whole));
        derive(ctx, &m, &second);
        CHECK(same_bits(&second, &r));
        free(second.number);
    }
    dyn_operator_unref(m.H);
    dyn_operator_unref(m.G);
    dyn_objective_unref(m.whole);
    dyn_objective_unref(m.few);
    free(m.theta);
    free(m.v);
    return r;
}

/* Largest difference over the largest number of a part; NaN if there is one. */
static inline double part_error(const results *a, const results *b, int part)
{
    double worst = 0, scale = 0;

    for (int64_t i = a->at[part]; i < a->at[part + 1]; i++) {
        double d = fabs(a->number[i] - b->number[i]);
        if (isnan(d))
            return d;
        worst = fmax(worst, d);
        scale = fmax(scale, fabs(b->number[i]));
    }
    return scale > 0 ? worst / scale : worst;
}

static inline void check_close(const char *what, const results *a, const results *b, double tolerance)
{
    for (int i = 0; i < PARTS; i++)
        if (!(part_error(a, b, i) <= tolerance))
            TEST_FAIL("%s: %s differs by %.3g", what, part_names[i], part_error(a, b, i));
}

#endif
