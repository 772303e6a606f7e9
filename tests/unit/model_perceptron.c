/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Perceptrons: the table of tensors, the function they compute (against loops in this file), the antisymmetric form,
 * and what the options refuse. */
#include "tests/test.h"

#include <stdlib.h>
#include <dyn/model.h>
#include <dyn/plan.h>

static dyn_ctx *ctx;

static dyn_perceptron_options options(int32_t count, const int64_t *widths)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;

    opt.widths_count = count;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    return opt;
}

static dyn_model *make(const dyn_perceptron_options *opt)
{
    dyn_model *m = NULL;

    CHECK_OK(ctx, dyn_model_perceptron(ctx, opt, &m));
    return m;
}

/* Outputs of m for n samples. */
static int64_t shape_size(int32_t rank, const int64_t *shape)
{
    int64_t size = 1;

    for (int32_t i = 0; i < rank; i++)
        size *= shape[i];
    return size;
}

static void evaluate(const dyn_model *m, const double *theta, int64_t n, const double *x, double *f)
{
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;
    int64_t offset, shape[DYN_MAX_RANK];

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node in = dyn_graph_input(g, "x", 2, (int64_t[]){n, dyn_model_input_size(m)});
    dyn_node out = dyn_model_build(m, g, in);
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &out, NULL, &plan));
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DYN_F64, n * dyn_model_input_size(m), x));
    for (int32_t i = 0; i < dyn_model_tensors(m); i++) {
        const int32_t rank = dyn_model_tensor(m, i, shape, &offset);
        CHECK_OK(ctx, dyn_exec_bind(e, dyn_model_tensor_name(m, i), DYN_F64, shape_size(rank, shape), theta + offset));
    }
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, n * dyn_model_output_size(m), f));
    CHECK_OK(ctx, dyn_exec_run(e));
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
}

/* One layer with loops: y = act(x W + b), b may be NULL. */
static void layer(int64_t in, int64_t out, const double *w, const double *b, double (*act)(double), const double *x,
                  double *y)
{
    for (int64_t j = 0; j < out; j++) {
        double z = b ? b[j] : 0;
        for (int64_t i = 0; i < in; i++)
            z += x[i] * w[i * out + j];
        y[j] = act ? act(z) : z;
    }
}

static void numbers(int64_t n, double *v)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = sin((double)(3 * i + 1));
}

/* ---- the table ---- */

static void check_tensor(const dyn_model *m, int32_t i, const char *name, int32_t rank, int64_t d0, int64_t d1,
                         int64_t at)
{
    int64_t shape[DYN_MAX_RANK] = {0}, offset = -1;

    CHECK(dyn_model_tensor_name(m, i) && !strcmp(dyn_model_tensor_name(m, i), name));
    CHECK(dyn_model_tensor(m, i, shape, &offset) == rank);
    CHECK(shape[0] == d0 && shape[1] == d1 && offset == at);
}

TEST(tensors)
{
    dyn_perceptron_options opt = options(4, (int64_t[]){2, 5, 3, 4});
    dyn_model *m = make(&opt);

    CHECK(dyn_model_size(m) == 15 + 18 + 16 && dyn_model_tensors(m) == 6);
    CHECK(dyn_model_input_size(m) == 2 && dyn_model_output_size(m) == 4);
    check_tensor(m, 0, "W1", 2, 2, 5, 0);
    check_tensor(m, 1, "b1", 1, 5, 0, 10);
    check_tensor(m, 2, "W2", 2, 5, 3, 15);
    check_tensor(m, 5, "b3", 1, 4, 0, 45);
    CHECK(dyn_model_tensor_name(m, 6) == NULL && dyn_model_tensor_name(m, -1) == NULL);
    CHECK(dyn_model_tensor(m, 6, NULL, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_model_tensor: tensor 6: the model has 6");
    dyn_model_unref(m);
}

TEST(copies_follow_one_another)
{
    dyn_perceptron_options opt = options(3, (int64_t[]){2, 5, 1});
    opt.antisymmetric = 1;
    opt.no_output_bias = 1;
    dyn_model *m = make(&opt);

    CHECK(dyn_model_size(m) == 40 && dyn_model_tensors(m) == 6);
    check_tensor(m, 2, "W2", 2, 5, 1, 15);
    check_tensor(m, 3, "W1.2", 2, 2, 5, 20);
    check_tensor(m, 5, "W2.2", 2, 5, 1, 35);
    dyn_model_unref(m);
}

TEST(references)
{
    dyn_perceptron_options opt = options(2, (int64_t[]){1, 1});
    const int64_t bytes = dyn_ctx_bytes(ctx);
    dyn_model *m = make(&opt);

    CHECK(dyn_model_ref(m) == m && dyn_model_ref(NULL) == NULL);
    dyn_model_unref(m);
    CHECK(dyn_model_size(m) == 2);
    dyn_model_unref(m);
    dyn_model_unref(NULL);
    CHECK(dyn_ctx_bytes(ctx) == bytes);
    CHECK(dyn_model_size(NULL) == 0 && dyn_model_tensors(NULL) == 0);
    CHECK(dyn_model_tensor(NULL, 0, NULL, NULL) == DYN_EINVAL);
    CHECK(dyn_model_input_size(NULL) == 0 && dyn_model_output_size(NULL) == 0 && !dyn_model_tensor_name(NULL, 0));
}

/* ---- the function ---- */

TEST(function_of_three_layers)
{
    dyn_perceptron_options opt = options(4, (int64_t[]){2, 5, 3, 4});
    opt.activations = (int32_t[]){DYN_TANH, DYN_SIN, DYN_ERF};
    opt.bias = (int32_t[]){1, 0, 1};
    opt.output_scale = 2.5;
    dyn_model *m = make(&opt);
    double theta[64], x[6], f[12], h1[5], h2[3], y[4];

    CHECK(dyn_model_size(m) == 15 + 15 + 16);
    numbers(46, theta);
    numbers(6, x);
    evaluate(m, theta, 3, x, f);
    for (int n = 0; n < 3; n++) {
        layer(2, 5, theta, theta + 10, tanh, x + 2 * n, h1);
        layer(5, 3, theta + 15, NULL, sin, h1, h2);
        layer(3, 4, theta + 30, theta + 42, erf, h2, y);
        for (int k = 0; k < 4; k++)
            CHECK_NEAR(f[4 * n + k], 2.5 * y[k], 1e-14);
    }
    dyn_model_unref(m);
}

TEST(the_output_is_linear_by_default)
{
    dyn_perceptron_options opt = options(2, (int64_t[]){3, 2});
    opt.no_bias = 1;
    dyn_model *m = make(&opt);
    double theta[6], x[3], f[2], y[2];

    CHECK(dyn_model_size(m) == 6);
    numbers(6, theta);
    numbers(3, x);
    evaluate(m, theta, 1, x, f);
    layer(3, 2, theta, NULL, NULL, x, y);
    CHECK_NEAR(f[0], y[0], 1e-15);
    CHECK_NEAR(f[1], y[1], 1e-15);
    dyn_model_unref(m);
}

TEST(antisymmetric_pair)
{
    dyn_perceptron_options opt = options(3, (int64_t[]){2, 5, 2});
    opt.antisymmetric = 1;
    opt.output_scale = 0.5;
    dyn_model *m = make(&opt);
    double theta[54], x[4], f[4], h[5], y1[2], y2[2];

    numbers(4, x);
    CHECK_OK(ctx, dyn_model_initialise(m, NULL, theta));
    CHECK(!memcmp(theta, theta + 27, 27 * sizeof *theta) && theta[0] != 0 && theta[24] != 0);
    evaluate(m, theta, 2, x, f);
    for (int k = 0; k < 4; k++)
        CHECK(f[k] == 0);
    numbers(54, theta);
    evaluate(m, theta, 1, x, f);
    layer(2, 5, theta, theta + 10, tanh, x, h);
    layer(5, 2, theta + 15, theta + 25, NULL, h, y1);
    layer(2, 5, theta + 27, theta + 37, tanh, x, h);
    layer(5, 2, theta + 42, theta + 52, NULL, h, y2);
    CHECK_NEAR(f[0], 0.5 * (y1[0] - y2[0]), 1e-14);
    CHECK_NEAR(f[1], 0.5 * (y1[1] - y2[1]), 1e-14);
    dyn_model_unref(m);
}

/* ---- refusals ---- */

static void refused(const dyn_perceptron_options *opt, dyn_status code, const char *message)
{
    const int64_t bytes = dyn_ctx_bytes(ctx);
    dyn_model *m = (dyn_model *)&bytes;

    CHECK(dyn_model_perceptron(ctx, opt, &m) == code);
    CHECK(m == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_model_perceptron: ");
    CHECK_STR(dyn_ctx_message(ctx), message);
    CHECK(dyn_ctx_bytes(ctx) == bytes);
}

#define REFUSED(change, code, message)                                                       \
    do {                                                                                     \
        dyn_perceptron_options o = options(3, (int64_t[]){2, 5, 1});                         \
        change;                                                                              \
        refused(&o, (code), (message));                                                      \
    } while (0)

TEST(bad_options)
{
    dyn_model *m = NULL;

    CHECK(dyn_model_perceptron(NULL, NULL, &m) == DYN_EINVAL && dyn_model_perceptron(ctx, NULL, NULL) == DYN_EINVAL);
    refused(NULL, DYN_EINVAL, "widths_count is 0");
    REFUSED(o.widths_count = 1, DYN_EINVAL, "widths_count is 1, expected at least 2");
    REFUSED(o.widths = NULL, DYN_EINVAL, "widths is NULL");
    REFUSED(o.widths = ((int64_t[]){2, 0, 1}), DYN_ESHAPE, "widths[1] is 0");
    REFUSED(o.widths = ((int64_t[]){1ll << 40, 1ll << 40, 1}), DYN_ESHAPE, "1099511627776");
    REFUSED(o.activation = 16, DYN_EINVAL, "activation 16 is outside [0, 15]");
    REFUSED(o.activations = ((int32_t[]){DYN_TANH, -1}), DYN_EINVAL, "activation -1");
    REFUSED(o.bias = ((int32_t[]){1, 2}), DYN_EINVAL, "is 2, not 0 or 1");
    REFUSED(o.no_bias = 7, DYN_EINVAL, "no_bias is 7");
    REFUSED(o.no_output_bias = -1, DYN_EINVAL, "no_output_bias is -1");
    REFUSED(o.antisymmetric = 2, DYN_EINVAL, "antisymmetric is 2");
    REFUSED(o.output_scale = (double)NAN, DYN_EINVAL, "output_scale is nan");
    REFUSED(o.struct_size = 8, DYN_EABI_OLD, "struct_size is 8");
    REFUSED(o.struct_size = 2, DYN_EABI_SIZE, "struct_size is 2");
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(tensors);
    RUN(copies_follow_one_another);
    RUN(references);
    RUN(function_of_three_layers);
    RUN(the_output_is_linear_by_default);
    RUN(antisymmetric_pair);
    RUN(bad_options);
    dyn_ctx_free(ctx);
    return test_end();
}
