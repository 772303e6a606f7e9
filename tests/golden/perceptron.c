/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Perceptrons of one to three hidden layers against PyTorch: loss, gradient, Hessian product, Gauss-Newton product and
 * Jacobian, for every activation and every loss, in float64 to 1e-10. */
#include "tests/golden/golden.h"

#include <dyn/objective.h>

enum { DEPTHS = 3, ACTIVATIONS = 16, LOSSES = 7, CYCLE = 6, ROWS = 6, MOST = 64 };
static const double tolerance = 1e-10;

/* The order of LOSSES in make_golden.py. */
static const dyn_objective_options losses[LOSSES] = {
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_MSE},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_MSE, .half = 1},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_MSE, .mean_outputs = 1},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_MSE, .sum_samples = 1},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_CROSS_ENTROPY},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_BINARY_CROSS_ENTROPY},
    {.struct_size = sizeof losses[0], .memory_limit = INT64_MAX, .loss = DYN_LOSS_CROSS_ENTROPY, .l2 = 0.1},
};

static const int64_t widths[DEPTHS][5] = {{3, 4, 2}, {3, 4, 4, 2}, {3, 4, 3, 4, 2}};

static dyn_ctx *ctx;
static dyn_array *x, *y;

/* ---- one network with one loss ---- */

typedef struct setting {
    int depth;
    int32_t activation;
    double output_scale;
    dyn_objective_options loss;
} setting;

static dyn_objective *make(const setting *c)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = NULL;
    dyn_objective *o = NULL;

    opt.widths_count = c->depth + 2;
    opt.widths = widths[c->depth - 1];
    opt.activation = c->activation;
    opt.output_scale = c->output_scale != 0 ? c->output_scale : 1;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, &c->loss, &o));
    dyn_model_unref(m);
    return o;
}

static void expect(const setting *c, const char *what, int64_t n, const double *a, const double *b, double limit)
{
    const double e = golden_error(n, a, b);

    if (!(e <= limit))
        TEST_FAIL("depth %d, activation %d, loss %d: %s: relative error %.3g", c->depth, (int)c->activation,
                  (int)c->loss.loss, what, e);
}

typedef dyn_status (*operator_at)(dyn_objective *o, const double *theta, dyn_operator **out);

static void product(dyn_objective *o, operator_at at, const double *theta, const double *v, double *out)
{
    dyn_operator *A = NULL;

    CHECK_OK(ctx, at(o, theta, &A));
    if (A)
        CHECK_OK(ctx, dyn_operator_apply(A, 1, v, out));
    dyn_operator_unref(A);
}

/* expected: gradient, H v, G v, one after the other. */
static void check(const setting *c, const double *theta, const double *v, double value, const double *expected)
{
    dyn_objective *o = make(c);
    const int64_t p = dyn_objective_size(o);
    double got[MOST], loss = 0;
    const double limit = c->loss.dtype == DYN_F64 ? tolerance : 2e-5;

    CHECK(p <= MOST);
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, got, &loss));
    expect(c, "loss", 1, &loss, &value, limit);
    expect(c, "gradient", p, got, expected, limit);
    CHECK_OK(ctx, dyn_objective_value(o, theta, &loss));
    expect(c, "loss alone", 1, &loss, &value, limit);
    product(o, dyn_objective_hessian, theta, v, got);
    expect(c, "Hessian product", p, got, expected + p, limit);
    product(o, dyn_objective_ggn, theta, v, got);
    expect(c, "Gauss-Newton product", p, got, expected + 2 * p, limit);
    dyn_objective_unref(o);
}

static void check_jacobian(const setting *c, const double *theta, const double *expected)
{
    dyn_objective *o = make(c);
    const int64_t p = dyn_objective_size(o);
    double got[ROWS * MOST];

    CHECK_OK(ctx, dyn_objective_jacobian(o, theta, got));
    expect(c, "Jacobian", ROWS * p, got, expected, tolerance);
    dyn_objective_unref(o);
}

/* ---- the reference numbers of one depth ---- */

typedef struct reference {
    dyn_array *array[5];
    const double *theta, *v, *activations, *losses, *values;
    int64_t p;
} reference;

static reference read_reference(int depth)
{
    static const char *const names[5] = {"theta", "v", "activations", "losses", "values"};
    reference r;

    for (int i = 0; i < 5; i++)
        r.array[i] = golden_read(ctx, names[i], depth);
    r.theta = dyn_array_data(r.array[0]);
    r.v = dyn_array_data(r.array[1]);
    r.activations = dyn_array_data(r.array[2]);
    r.losses = dyn_array_data(r.array[3]);
    r.values = dyn_array_data(r.array[4]);
    r.p = dyn_array_size(r.array[0]);
    return r;
}

static void free_reference(reference *r)
{
    for (int i = 0; i < 5; i++)
        dyn_array_unref(r->array[i]);
}

/* ---- tests ---- */

static void check_activations(int32_t dtype)
{
    for (int depth = 1; depth <= DEPTHS; depth++) {
        reference r = read_reference(depth);
        for (int32_t a = 0; a < ACTIVATIONS; a++) {
            setting c = {depth, a, 0, losses[(a + depth) % CYCLE]};
            const double *expected = r.activations + a * (3 + ROWS) * r.p;
            c.loss.dtype = dtype;
            check(&c, r.theta, r.v, r.values[a], expected);
            if (dtype == DYN_F64)
                check_jacobian(&c, r.theta, expected + 3 * r.p);
        }
        free_reference(&r);
    }
}

TEST(every_activation) { check_activations(DYN_F64); }
TEST(every_activation_in_float32) { check_activations(DYN_F32); }

TEST(every_loss)
{
    for (int depth = 1; depth <= DEPTHS; depth++) {
        reference r = read_reference(depth);
        for (int l = 0; l < LOSSES; l++) {
            const setting c = {depth, DYN_TANH, 0, losses[l]};
            check(&c, r.theta, r.v, r.values[ACTIVATIONS + l], r.losses + 3 * l * r.p);
        }
        free_reference(&r);
    }
}

/* A block of directions goes another way through the library than a single one. */
TEST(blocks_of_directions)
{
    enum { BLOCK = 37 };
    reference r = read_reference(2);
    const setting c = {2, DYN_TANH, 0, losses[4]};
    dyn_objective *o = make(&c);
    dyn_operator *H = NULL;
    double v[BLOCK * MOST], hv[BLOCK * MOST], expected[MOST];

    for (int64_t k = 0; k < BLOCK; k++)
        for (int64_t i = 0; i < r.p; i++)
            v[k * r.p + i] = (double)(k - 17) * r.v[i];
    CHECK_OK(ctx, dyn_objective_hessian(o, r.theta, &H));
    CHECK_OK(ctx, dyn_operator_apply(H, BLOCK, v, hv));
    for (int64_t k = 0; k < BLOCK; k++) {
        for (int64_t i = 0; i < r.p; i++)
            expected[i] = (double)(k - 17) * r.losses[(3 * 4 + 1) * r.p + i];
        expect(&c, "Hessian product in a block", r.p, hv + k * r.p, expected, tolerance);
    }
    dyn_operator_unref(H);
    dyn_objective_unref(o);
    free_reference(&r);
}

/* Whatever the graph makes of -f: the Gauss-Newton matrix of binary cross-entropy depends neither on the sign of f nor
 * on the target. */
TEST(negated_outputs)
{
    reference r = read_reference(1);
    const setting c = {1, DYN_TANH, -1, losses[5]};
    dyn_objective *o = make(&c);
    double got[MOST];

    product(o, dyn_objective_ggn, r.theta, r.v, got);
    expect(&c, "Gauss-Newton product of -f", r.p, got, r.losses + (3 * 5 + 2) * r.p, tolerance);
    dyn_objective_unref(o);
    free_reference(&r);
}

TEST(sample_gradients)
{
    reference r = read_reference(3);
    const setting c = {3, DYN_TANH, 0, losses[3]};
    dyn_objective *o = make(&c);
    double rows[3 * MOST], sum[MOST] = {0};

    CHECK_OK(ctx, dyn_objective_sample_gradients(o, r.theta, rows));
    for (int64_t k = 0; k < 3 * r.p; k++)
        sum[k % r.p] += rows[k];
    expect(&c, "sum of the samples' gradients", r.p, sum, r.losses + 3 * 3 * r.p, tolerance);
    dyn_objective_unref(o);
    free_reference(&r);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    x = golden_read(ctx, "x", 0);
    y = golden_read(ctx, "y", 0);
    RUN(every_activation);
    RUN(every_activation_in_float32);
    RUN(every_loss);
    RUN(blocks_of_directions);
    RUN(negated_outputs);
    RUN(sample_gradients);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_ctx_free(ctx);
    return test_end();
}
