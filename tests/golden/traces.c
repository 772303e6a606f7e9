/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fifty steps of every optimiser against PyTorch (and, for what PyTorch has not, against the formulas in Python): theta
 * after every step, in float64 to 1e-10. The gradients are the library's own. */
#include "tests/golden/golden.h"

#include <dyn/objective.h>
#include "tests/optimizers.h"

enum { STEPS = 50, SIZE = 13 };
static const double tolerance = 1e-10;

#define RULE(k, ...) OPTIMIZER_OPTIONS(.kind = DYN_OPTIMIZER_##k, __VA_ARGS__)

static const dyn_optimizer_matrix matrices[] = { { 0, 2, 3 }, { 9, 3, 1 } };
#define MATRICES .matrices = matrices, .matrices_count = 2

/* The order of OPTIMISERS in make_golden.py. */
static const dyn_optimizer_options optimisers[] = {
    RULE(GD, .rate = 0.1),
    RULE(GD, .rate = 0.1, .weight_decay = 0.05),
    RULE(HEAVY_BALL, .rate = 0.05, .beta1 = 0.9),
    RULE(HEAVY_BALL, .rate = 0.1, .beta1 = 0.8, .ema = 1, .init_from_gradient = 1),
    RULE(NESTEROV, .rate = 0.05, .beta1 = 0.9),
    RULE(ADAM, .rate = 0.02),
    RULE(ADAM, .rate = 0.02, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-4, .weight_decay = 0.03),
    RULE(ADAMW, .rate = 0.02, .weight_decay = 0.1),
    RULE(RMSPROP, .beta2 = 0.99, .rate = 0.01),
    RULE(SIGN, .rate = 0.01),
    RULE(GD, .rate = 0.1, .clip_norm = 0.2),
    RULE(ADAMW, .rate = 0.02, .weight_decay = 0.1, .clip_norm = 0.2),
    RULE(ADAM, .rate = 0.02, .eps = 1e-3, .no_bias_correction = 1),
    RULE(ADAM, .rate = 0.02, .eps = 1e-3, .eps_inside = 1),
    RULE(ADAM, .rate = 0.02, .eps = 1e-3, .init_from_gradient = 1),
    RULE(RMSPROP, .beta2 = 0.99, .rate = 0.01, .eps = 1e-3, .init_from_gradient = 1),
    RULE(GD, .rate = 0.1, .schedule = DYN_RATE_STEP, .period = 15, .factor = 0.5),
    RULE(ADAM, .rate = 0.02, .schedule = DYN_RATE_COSINE, .warmup = 10, .warmup_start = 0.1, .period = 30,
     .floor = 0.001),
    RULE(ADAM, .rate = 0.02, .amsgrad = 1),
    RULE(ADAMW, .rate = 0.02, .weight_decay = 0.1, .amsgrad = 1),
    RULE(ADAMAX, .rate = 0.02, .weight_decay = 0.03),
    RULE(NADAM, .rate = 0.02),
    RULE(NADAM, .rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .momentum_decay = 0.1),
    RULE(RMSPROP, .rate = 0.01, .beta2 = 0.99, .momentum = 0.7),
    RULE(RMSPROP, .rate = 0.01, .beta2 = 0.9, .eps = 1e-3, .centered = 1),
    RULE(RMSPROP, .rate = 0.01, .beta2 = 0.9, .eps = 1e-3, .centered = 1, .momentum = 0.5),
    RULE(ADAGRAD, .rate = 0.05, .eps = 1e-10),
    RULE(ADAGRAD, .rate = 0.05, .eps = 1e-10, .accumulator = 0.2),
    RULE(ADADELTA, .rate = 1, .beta2 = 0.9, .eps = 1e-6),
    RULE(LION, .rate = 0.003, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1),
    RULE(MUON, .rate = 0.01, .momentum = 0.9, .weight_decay = 0.1, .adam_rate = 0.02, MATRICES),
    RULE(MUON, .rate = 0.01, .match_rms = 1, .nesterov = 0, .adam_rate = 0.01, .iterations = 3, MATRICES),
    RULE(GD, .rate = 0.1, .schedule = DYN_RATE_EXPONENTIAL, .period = 1, .factor = 0.9),
    RULE(GD, .rate = 0.1, .schedule = DYN_RATE_POLYNOMIAL, .period = 40, .power = 2),
    RULE(GD, .rate = 0.1, .schedule = DYN_RATE_RESTARTS, .period = 4, .period_factor = 2, .floor = 0.01),
    RULE(GD, .rate = 0.1, .schedule = DYN_RATE_ONE_CYCLE, .period = 50, .warmup_start = 0.04, .floor = 4e-7),
};
enum { OPTIMISERS = sizeof optimisers / sizeof optimisers[0] };

static dyn_ctx *ctx;
static dyn_array *start, *traces;

static dyn_objective *make_objective(void)
{
    static const int64_t widths[] = {2, 3, 1};
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_array *x = golden_read(ctx, "trace_x", 0), *y = golden_read(ctx, "trace_y", 0);
    dyn_model *m = NULL;
    dyn_objective *o = NULL;

    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, NULL, &o));
    dyn_model_unref(m);
    dyn_array_unref(x);
    dyn_array_unref(y);
    return o;
}

static void check_trace(dyn_objective *o, int k)
{
    const double *expected = (const double *)dyn_array_data(traces) + (int64_t)k * STEPS * SIZE;
    dyn_optimizer *optimiser = NULL;
    double theta[SIZE], gradient[SIZE];

    memcpy(theta, dyn_array_data(start), sizeof theta);
    CHECK_OK(ctx, dyn_optimizer_create(ctx, SIZE, DYN_F64, &optimisers[k], &optimiser));
    for (int64_t i = 0; optimiser && i < STEPS; i++) {
        CHECK_OK(ctx, dyn_objective_gradient(o, theta, gradient, NULL));
        CHECK_OK(ctx, dyn_optimizer_step(optimiser, theta, gradient));
        const double e = golden_error(SIZE, theta, expected + i * SIZE);
        if (!(e <= tolerance)) {
            TEST_FAIL("optimiser %d (kind %d), step %d: relative error %.3g", k, (int)optimisers[k].kind, (int)i, e);
            break;
        }
    }
    dyn_optimizer_free(optimiser);
}

TEST(every_optimiser)
{
    const int64_t *shape = dyn_array_shape(traces);
    dyn_objective *o = make_objective();

    CHECK(shape[0] == OPTIMISERS && shape[1] == STEPS && shape[2] == SIZE);
    for (int k = 0; k < OPTIMISERS; k++)
        check_trace(o, k);
    dyn_objective_unref(o);
}

/* The traces differ from one another: a comparison with the wrong one would be noticed. */
TEST(traces_are_different)
{
    const double *t = dyn_array_data(traces);
    const int64_t size = STEPS * SIZE;

    for (int a = 0; a < OPTIMISERS; a++)
        for (int b = 0; b < a; b++)
            CHECK(golden_error(size, t + a * size, t + b * size) > 1e-6);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    start = golden_read(ctx, "trace_theta", 0);
    traces = golden_read(ctx, "traces", 0);
    RUN(every_optimiser);
    RUN(traces_are_different);
    dyn_array_unref(start);
    dyn_array_unref(traces);
    dyn_ctx_free(ctx);
    return test_end();
}
