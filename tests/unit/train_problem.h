/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives for the tests of training: a quadratic of callbacks with known solution, and a small tanh network on
 * 23 samples, so that batches of 5 leave a last one of 3. */
#ifndef TRAIN_PROBLEM_H
#define TRAIN_PROBLEM_H

#include <stdlib.h>
#include <unistd.h>
#include <dyn/dyn.h>
#include "optimizers.h"
#include "test.h"

enum { QUADRATIC_SIZE = 3, SAMPLES = 23 };
static const double curvature[QUADRATIC_SIZE] = { 0.5, 1, 4 };
static const double quadratic_start[QUADRATIC_SIZE] = { 1, -2, 0.25 };

/* f = 1/2 sum_i h_i x_i^2 */
static inline int32_t quadratic_form(const double *x, double *value, double *g)
{
    *value = 0;
    for (int i = 0; i < QUADRATIC_SIZE; i++) {
        *value += curvature[i] * x[i] * x[i] / 2;
        g[i] = curvature[i] * x[i];
    }
    return 0;
}

static inline int32_t quadratic_gradient(void *user, const dyn_objective_view *at)
{
    (void)user;
    return quadratic_form(at->theta, at->value, at->gradient);
}

static inline int32_t quadratic_value(void *user, const dyn_objective_view *at)
{
    double g[QUADRATIC_SIZE];

    (void)user;
    return quadratic_form(at->theta, at->value, g);
}

static inline dyn_objective *make_quadratic(dyn_ctx *ctx)
{
    dyn_objective *o = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = QUADRATIC_SIZE, .value = quadratic_value,
                                                               .gradient = quadratic_gradient),
                                               &o));
    return o;
}

static inline dyn_status make_data(dyn_ctx *ctx, int32_t dtype, dyn_array **x, dyn_array **y)
{
    double inputs[SAMPLES * 2], targets[SAMPLES];
    dyn_array *wide_x = NULL, *wide_y = NULL;
    dyn_status s;

    for (int i = 0; i < SAMPLES; i++) {
        inputs[2 * i] = cos(1.0 + i);
        inputs[2 * i + 1] = sin(2.0 * i);
        targets[i] = inputs[2 * i] * inputs[2 * i + 1] > 0;
    }
    s = dyn_array_create(ctx, DYN_F64, 2, (const int64_t[2]){ SAMPLES, 2 }, inputs, &wide_x);
    if (s == DYN_OK)
        s = dyn_array_create(ctx, DYN_F64, 1, (const int64_t[1]){ SAMPLES }, targets, &wide_y);
    if (s == DYN_OK)
        s = dyn_array_convert(wide_x, dtype, x);
    if (s == DYN_OK)
        s = dyn_array_convert(wide_y, dtype, y);
    dyn_array_unref(wide_x);
    dyn_array_unref(wide_y);
    return s;
}

/* 2-6-1 tanh, mean squared error of 0/1 targets. */
static inline dyn_status try_network_with(dyn_ctx *ctx, const dyn_objective_options *opt, dyn_objective **out)
{
    dyn_perceptron_options shape = DYN_PERCEPTRON_OPTIONS_INIT;
    const int64_t widths[3] = { 2, 6, 1 };
    dyn_model *model = NULL;
    dyn_array *x = NULL, *y = NULL;
    dyn_status s;

    shape.widths_count = 3;
    shape.widths = widths;
    shape.activation = DYN_TANH;
    *out = NULL;
    s = dyn_model_perceptron(ctx, &shape, &model);
    if (s == DYN_OK)
        s = make_data(ctx, opt->dtype, &x, &y);
    if (s == DYN_OK)
        s = dyn_objective_create(ctx, model, x, y, opt, out);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(model);
    return s;
}

static inline dyn_status try_network(dyn_ctx *ctx, int32_t dtype, dyn_objective **out)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;

    opt.dtype = dtype;
    return try_network_with(ctx, &opt, out);
}

static inline dyn_objective *make_network(dyn_ctx *ctx, int32_t dtype)
{
    dyn_objective *o = NULL;

    CHECK_OK(ctx, try_network(ctx, dtype, &o));
    return o;
}

enum { NETWORK_SIZE = 25 };

static inline void network_start(double *theta)
{
    for (int i = 0; i < NETWORK_SIZE; i++)
        theta[i] = 0.7 * sin(3.0 * i + 1);
}

static inline dyn_ctx *make_ctx(int threads)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = threads;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    return ctx;
}

#define RUN_OPTIONS(...) ((dyn_run_options){ .struct_size = sizeof(dyn_run_options), .steps = INT64_MAX, \
    .batch = INT64_MAX, .record_every = 1, .stop_loss = -HUGE_VAL, .stop_accuracy = HUGE_VAL, \
    .accuracy_every = 100, .validate_every = 100, .mean_from = INT64_MAX, .gradient_tolerance = -(double)INFINITY, \
    .accumulate = 1, __VA_ARGS__ })
#define SCHEDULE(...) ((dyn_schedule){ .struct_size = sizeof(dyn_schedule), __VA_ARGS__ })

/* A path that did not exist; the caller unlinks it. */
static inline const char *temporary(char *room)
{
    int fd;

    strcpy(room, "/tmp/dyn-train-XXXXXX");
    fd = mkstemp(room);
    CHECK(fd >= 0);
    close(fd);
    return room;
}

/* The same rows, bit for bit, in history and all series. */
static inline void check_same_records(const dyn_run *a, const dyn_run *b)
{
    const char *const columns[] = { "step", "loss", "gradient_norm", "rate" };

    for (int c = 0; c < 4; c++) {
        int64_t n, m;
        const double *p = dyn_run_history(a, columns[c], &n), *q = dyn_run_history(b, columns[c], &m);
        CHECK(n == m && memcmp(p, q, (size_t)n * sizeof *p) == 0);
    }
    CHECK(dyn_run_series_count(a) == dyn_run_series_count(b));
    for (int64_t i = 0; i < dyn_run_series_count(a); i++) {
        const char *name = dyn_run_series_name(a, i);
        int64_t n, m, k, l;
        const int64_t *s, *t;
        const double *v, *w;

        CHECK(dyn_run_series(a, name, &n, &k, &s, &v) == DYN_OK);
        CHECK(dyn_run_series(b, name, &m, &l, &t, &w) == DYN_OK);
        CHECK(n == m && k == l && memcmp(s, t, (size_t)n * sizeof *s) == 0);
        CHECK(memcmp(v, w, (size_t)(n * k) * sizeof *v) == 0);
    }
}

static inline void check_same_theta(const dyn_run *a, const dyn_run *b, int64_t size)
{
    int32_t dtype;
    const void *p = dyn_run_parameters(a, &dtype), *q = dyn_run_parameters(b, NULL);

    CHECK(memcmp(p, q, (size_t)size * (dtype == DYN_F32 ? sizeof(float) : sizeof(double))) == 0);
}

#endif
