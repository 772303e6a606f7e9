/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives and models that are misused: the status, a message that begins with the function's name and gives the
 * sizes, outputs set to NULL, no byte lost. */
#include "graph_refused.h"
#include "train_problem.h"

static dyn_ctx *ctx;

static dyn_array *array_of(int32_t rank, const int64_t *shape, double fill)
{
    double data[256];
    dyn_array *a = NULL;

    for (int i = 0; i < 256; i++)
        data[i] = fill;
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, rank, shape, data, &a));
    return a;
}

static dyn_model *model_2_6_1(void)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = NULL;

    opt.widths_count = 3;
    opt.widths = SHAPE(2, 6, 1);
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    return m;
}

/* One try with these data; DYN_OK is not expected. */
static dyn_status try_data(dyn_model *m, dyn_array *x, dyn_array *y)
{
    dyn_objective *o = (dyn_objective *)&ctx;
    dyn_status s = dyn_objective_create(ctx, m, x, y, NULL, &o);

    CHECK(!o);
    dyn_array_unref(x);
    dyn_array_unref(y);
    return s;
}

TEST(data_of_the_wrong_shape)
{
    const int64_t start = dyn_ctx_bytes(ctx);
    dyn_model *m = model_2_6_1();

    REFUSED(try_data(m, array_of(2, SHAPE(7, 3), 1), array_of(1, SHAPE(7), 1)), DYN_ESHAPE, "dyn_objective_create",
            "x has 21 numbers in 7 samples, the model takes 2");
    REFUSED(try_data(m, array_of(2, SHAPE(7, 2), 1), array_of(1, SHAPE(8), 1)), DYN_ESHAPE, "dyn_objective_create",
            "y has 8 numbers in 8 samples, expected 7 samples of 1");
    REFUSED(try_data(m, array_of(2, SHAPE(7, 2), 1), array_of(2, SHAPE(7, 2), 1)), DYN_ESHAPE, "dyn_objective_create",
            "y has 14 numbers in 7 samples");
    REFUSED(try_data(m, array_of(0, NULL, 1), array_of(1, SHAPE(8), 1)), DYN_ESHAPE, "dyn_objective_create", "rank 0");
    REFUSED(try_data(m, array_of(2, SHAPE(0, 2), 1), array_of(1, SHAPE(0), 1)), DYN_ESHAPE, "dyn_objective_create",
            "0 samples");
    REFUSED(try_data(m, array_of(2, SHAPE(7, 2), (double)NAN), array_of(1, SHAPE(7), 1)), DYN_ENONFINITE,
            "dyn_objective_create", "x: number 0");
    REFUSED(try_data(m, array_of(2, SHAPE(7, 2), 1), array_of(1, SHAPE(7), (double)INFINITY)), DYN_ENONFINITE,
            "dyn_objective_create", "y: number 0");
    REFUSED(try_data(NULL, array_of(2, SHAPE(7, 2), 1), array_of(1, SHAPE(7), 1)), DYN_EINVAL, "dyn_objective_create",
            "NULL");
    REFUSED(try_data(m, NULL, array_of(1, SHAPE(7), 1)), DYN_EINVAL, "dyn_objective_create", "NULL");
    dyn_model_unref(m);
    CHECK(dyn_ctx_bytes(ctx) == start);
}

static dyn_status try_options(const dyn_objective_options *opt)
{
    dyn_model *m = model_2_6_1();
    dyn_array *x = array_of(2, SHAPE(7, 2), 1), *y = array_of(1, SHAPE(7), 1);
    dyn_objective *o = NULL;
    dyn_status s = dyn_objective_create(ctx, m, x, y, opt, &o);

    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(m);
    return s;
}

#pragma GCC diagnostic ignored "-Woverride-init"     /* the default limit is overridden */
#define OBJECTIVE(...) &(dyn_objective_options){ .struct_size = sizeof(dyn_objective_options), \
                                                  .memory_limit = INT64_MAX, __VA_ARGS__ }

TEST(options)
{
    REFUSED(try_options(OBJECTIVE(.loss = 7)), DYN_EINVAL, "dyn_objective_create", "loss 7");
    REFUSED(try_options(OBJECTIVE(.loss = -1)), DYN_EINVAL, "dyn_objective_create", "loss -1");
    REFUSED(try_options(OBJECTIVE(.dtype = DYN_I64)), DYN_EDTYPE, "dyn_objective_create", "dtype 2");
    REFUSED(try_options(OBJECTIVE(.l2 = -0.5)), DYN_EINVAL, "dyn_objective_create", "l2 -0.5");
    REFUSED(try_options(OBJECTIVE(.l2 = (double)NAN)), DYN_EINVAL, "dyn_objective_create", "l2");
    REFUSED(try_options(OBJECTIVE(.l2 = (double)INFINITY)), DYN_EINVAL, "dyn_objective_create", "inf");
    REFUSED(try_options(OBJECTIVE(.memory_limit = -8)), DYN_EINVAL, "dyn_objective_create", "memory_limit -8");
}

typedef dyn_status (*to_numbers)(dyn_objective *, const double *, double *);
typedef dyn_status (*to_operator)(dyn_objective *, const double *, dyn_operator **);
static dyn_status gradient(dyn_objective *o, const double *theta, double *g)
{
    return dyn_objective_gradient(o, theta, g, NULL);
}

static const struct { const char *name; to_numbers fn; } numbers[] = {
    { "dyn_objective_value", dyn_objective_value }, { "dyn_objective_gradient", gradient },
    { "dyn_objective_predict", dyn_objective_predict }, { "dyn_objective_accuracy", dyn_objective_accuracy },
    { "dyn_objective_jacobian", dyn_objective_jacobian },
    { "dyn_objective_sample_gradients", dyn_objective_sample_gradients },
};
static const struct { const char *name; to_operator fn; } operators[] = {
    { "dyn_objective_hessian", dyn_objective_hessian }, { "dyn_objective_ggn", dyn_objective_ggn },
};

/* Every evaluation refuses a theta that is not finite or missing, and a missing place for the result. */
TEST(theta)
{
    const int64_t start = dyn_ctx_bytes(ctx);
    dyn_objective *o = make_network(ctx, DYN_F64);
    double good[NETWORK_SIZE], bad[NETWORK_SIZE], out[SAMPLES * NETWORK_SIZE];
    const int64_t made = dyn_ctx_bytes(ctx);
    dyn_operator *A = NULL;

    network_start(good);
    network_start(bad);
    bad[11] = -(double)INFINITY;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        REFUSED(numbers[i].fn(o, bad, out), DYN_ENONFINITE, numbers[i].name, "theta[11] = -inf");
        REFUSED(numbers[i].fn(o, NULL, out), DYN_EINVAL, numbers[i].name, "NULL");
        REFUSED(numbers[i].fn(o, good, NULL), DYN_EINVAL, numbers[i].name, "NULL");
        CHECK(numbers[i].fn(NULL, good, out) == DYN_EINVAL);
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        REFUSED(operators[i].fn(o, bad, &A), DYN_ENONFINITE, operators[i].name, "theta[11] = -inf");
        CHECK(operators[i].fn(o, NULL, &A) == DYN_EINVAL && operators[i].fn(o, good, NULL) == DYN_EINVAL);
        CHECK(operators[i].fn(NULL, good, &A) == DYN_EINVAL);
    }
    CHECK(dyn_ctx_bytes(ctx) == made);
    dyn_objective_unref(o);
    CHECK(dyn_ctx_bytes(ctx) == start);
}

TEST(callbacks)
{
    dyn_objective *o = (dyn_objective *)&ctx;

    REFUSED(dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 0, .value = quadratic_value), &o), DYN_EINVAL,
            "dyn_objective_from_callbacks", "0 parameters");
    CHECK(!o);
    REFUSED(dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 3, .value = NULL), &o), DYN_EINVAL,
            "dyn_objective_from_callbacks", "NULL");
    CHECK(dyn_objective_from_callbacks(NULL, &FUNCTIONS(.size = 3, .value = quadratic_value), &o) == DYN_EINVAL);
    CHECK(dyn_objective_size(NULL) == 0 && dyn_objective_samples(NULL) == 0 && dyn_objective_outputs(NULL) == 0);
    CHECK(!dyn_objective_model(NULL) && !dyn_objective_ref(NULL));
    dyn_objective_unref(NULL);
}

static dyn_node no_parameter(void *user, dyn_graph *g, dyn_node x) { (void)user; return dyn_graph_tanh(g, x); }
static dyn_node failing(void *user, dyn_graph *g, dyn_node x) { (void)user; return dyn_graph_matmul(g, x, x, 0, 0); }
static dyn_node nonsense(void *user, dyn_graph *g, dyn_node x)
{
    (void)user, (void)x;
    dyn_graph_parameter(g, "w", 0, NULL);
    return 4711;
}

TEST(models)
{
    const int64_t start = dyn_ctx_bytes(ctx);
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = (dyn_model *)&ctx;
    dyn_graph *g = NULL;
    double theta[25];

    REFUSED(dyn_model_perceptron(ctx, &opt, &m), DYN_EINVAL, "dyn_model_perceptron", "widths");
    CHECK(!m);
    opt.widths_count = 3;
    opt.widths = SHAPE(2, 0, 1);
    REFUSED(dyn_model_perceptron(ctx, &opt, &m), DYN_ESHAPE, "dyn_model_perceptron", "0");
    opt.widths = SHAPE(2, 6, 1);
    opt.activation = 16;
    REFUSED(dyn_model_perceptron(ctx, &opt, &m), DYN_EINVAL, "dyn_model_perceptron", "16");
    REFUSED(dyn_model_from_callback(ctx, NULL, NULL, 1, SHAPE(3), &m), DYN_EINVAL, "dyn_model_from_callback", "NULL");
    REFUSED(dyn_model_from_callback(ctx, no_parameter, NULL, 1, SHAPE(3), &m), DYN_EUSER, "dyn_model_from_callback",
            "parameter");
    REFUSED(dyn_model_from_callback(ctx, failing, NULL, 1, SHAPE(3), &m), DYN_ESHAPE, "dyn_model_from_callback",
            "[1, 3] and [1, 3]");
    REFUSED(dyn_model_from_callback(ctx, nonsense, NULL, 1, SHAPE(3), &m), DYN_EUSER, "dyn_model_from_callback",
            "4711");
    REFUSED(dyn_model_from_callback(ctx, no_parameter, NULL, 8, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), &m), DYN_ESHAPE,
            "dyn_model_from_callback", "8");
    REFUSED(dyn_model_from_callback(ctx, no_parameter, NULL, 1, SHAPE(-3), &m), DYN_ESHAPE, "dyn_model_from_callback",
            "-3");
    CHECK(dyn_ctx_bytes(ctx) == start);
    m = model_2_6_1();
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    REFUSED(dyn_model_build(m, g, dyn_graph_input(g, "x", 2, SHAPE(5, 3))), DYN_ESHAPE, "dyn_model_build", "[5, 3]");
    REFUSED(dyn_model_build(m, g, 99), DYN_EINVAL, "dyn_model_build", "99");
    CHECK(dyn_model_build(m, g, DYN_EFULL) == DYN_EFULL && dyn_model_build(m, NULL, 0) < 0
          && dyn_model_build(NULL, g, 0) < 0);
    REFUSED(dyn_model_initialise(m, NULL, NULL), DYN_EINVAL, "dyn_model_initialise", "NULL");
    REFUSED(dyn_graph_activation(g, 99, 0), DYN_EINVAL, "dyn_graph_activation", "99");
    CHECK(dyn_model_initialise(NULL, NULL, theta) == DYN_EINVAL && dyn_model_size(NULL) == 0
          && dyn_model_tensors(NULL) == 0);
    CHECK(!dyn_model_tensor_name(m, 4) && !dyn_model_tensor_name(m, -1) && dyn_model_tensor(m, 4, NULL, NULL) < 0);
    dyn_graph_free(g);
    dyn_model_unref(m);
    CHECK(dyn_ctx_bytes(ctx) == start);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(data_of_the_wrong_shape);
    RUN(options);
    RUN(theta);
    RUN(callbacks);
    RUN(models);
    dyn_ctx_free(ctx);
    return test_end();
}
