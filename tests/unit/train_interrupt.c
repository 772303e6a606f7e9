/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Interrupts: the context's function is asked while work goes on, and what it ends is as if it had not begun; a
 * training keeps its state, and a callback can interrupt as well. */
#include <stdlib.h>
#include <dyn/dyn.h>
#include "test.h"

enum { N = 300, SIDE = 40, PROBES = 2000, STEPS = 100 };

static int64_t asked, after;   /* how often; from which time on the answer is yes */

static int32_t ask(void *user)
{
    (void)user;
    return ++asked > after;
}

static dyn_ctx *context(int threads)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = threads;
    o.interrupt = ask;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    asked = 0;
    after = 2;
    return ctx;
}

/* Multiplies by 1 .. N, and takes its time. */
static int32_t multiply(void *user, int64_t count, const double *x, double *y)
{
    volatile double waste = 0;

    (void)user;
    for (int64_t i = 0; i < count * N; i++)
        y[i] = x[i] * (double)(i % N + 1);
    for (int i = 0; i < 200000; i++)
        waste = waste + 1;
    return 0;
}

TEST(solvers)
{
    static double nodes[PROBES * STEPS], weights[PROBES * STEPS];
    dyn_ctx *ctx = context(2);
    dyn_operator *A = NULL;
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *pairs = NULL;
    double number, error;
    dyn_trace_options trace = DYN_TRACE_OPTIONS_INIT;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, multiply, NULL, &A));
    opt.count = 50;
    opt.tolerance = 1e-14;
    opt.max_products = 1000000;
    CHECK(dyn_eigen_solve(A, &opt, &pairs) == DYN_EINTERRUPTED || pairs);
    dyn_eigen_free(pairs);
    CHECK(dyn_operator_density(A, PROBES, STEPS, 1, nodes, weights) == DYN_EINTERRUPTED);
    CHECK(asked > after && !strcmp(dyn_ctx_message(ctx), "dyn_operator_density: interrupted"));
    asked = INT32_MIN / 2;      /* from now on the answer is no, and nothing is left of the yes */
    trace.products = 10;
    CHECK_OK(ctx, dyn_operator_trace(A, &trace, &number, &error));
    dyn_operator_unref(A);
    dyn_ctx_free(ctx);
}

static dyn_objective *squares(dyn_ctx *ctx)
{
    static double x[SIDE * SIDE], y[SIDE];
    const int64_t widths[3] = { SIDE, 16, 1 }, xs[2] = { SIDE, SIDE }, ys[2] = { SIDE, 1 };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_array *inputs = NULL, *targets = NULL;
    dyn_model *model = NULL;
    dyn_objective *o = NULL;

    for (int i = 0; i < SIDE; i++)
        x[i * SIDE + i] = y[i] = 0.1 * i;
    net.widths = widths;
    net.widths_count = 3;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &net, &model));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, xs, x, &inputs));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, ys, y, &targets));
    CHECK_OK(ctx, dyn_objective_create(ctx, model, inputs, targets, NULL, &o));
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    dyn_model_unref(model);
    return o;
}

/* Interrupted again and again a training goes the way of one that is not. */
TEST(trainings)
{
    dyn_ctx *ctx = context(2);
    dyn_objective *o = squares(ctx);
    const int64_t p = dyn_objective_size(o), steps = 200000;
    double *theta = calloc((size_t)(3 * p), sizeof *theta);
    dyn_run *run = NULL, *whole = NULL;
    dyn_status s;
    int stops = 0;

    CHECK_OK(ctx, dyn_model_initialise(dyn_objective_model(o), NULL, theta));
    CHECK_OK(ctx, dyn_run_create(o, NULL, NULL, theta, &run));
    CHECK_OK(ctx, dyn_run_create(o, NULL, NULL, theta, &whole));
    asked = INT32_MIN / 2;
    CHECK_OK(ctx, dyn_run_train(whole, steps));
    while (dyn_run_step(run) < steps) {
        asked = stops < 8 ? after : INT32_MIN / 2;
        s = dyn_run_train(run, steps - dyn_run_step(run));
        CHECK(s == DYN_STOPPED ? dyn_run_reason(run) == DYN_RUN_STOPPED : s == DYN_OK);
        stops += s == DYN_STOPPED;
    }
    CHECK(stops > 0);
    CHECK_OK(ctx, dyn_run_theta(run, theta + p));
    CHECK_OK(ctx, dyn_run_theta(whole, theta + 2 * p));
    CHECK(memcmp(theta + p, theta + 2 * p, (size_t)p * sizeof *theta) == 0);
    dyn_run_free(whole);
    dyn_run_free(run);
    dyn_objective_unref(o);
    free(theta);
    dyn_ctx_free(ctx);
}

static int32_t give_up(void *user, int64_t count, const double *x, double *y)
{
    (void)user, (void)count, (void)x, (void)y;
    return DYN_EINTERRUPTED;
}

TEST(callbacks)
{
    dyn_ctx *ctx = NULL;
    dyn_operator *A = NULL;
    double x[N] = { 0 }, y[N];

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, give_up, NULL, &A));
    CHECK(dyn_operator_apply(A, 1, x, y) == DYN_EINTERRUPTED);
    dyn_operator_unref(A);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(solvers);
    RUN(trainings);
    RUN(callbacks);
    return test_end();
}
