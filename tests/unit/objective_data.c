/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Data as a host has them: bytes as pixels, tokens and classes; arrays exchanged and buffers filled anew, of a compiled
 * objective. The loss of one linear layer is written out. */
#include <dyn/dyn.h>
#include "test.h"

enum { N = 3, D = 2, C = 3 };
static dyn_ctx *ctx;
static const double theta[D * C + C] = { 0.1, -0.2, 0.3, 0.5, 0, -0.4, 0.2, 0.1, -0.3 };
static const uint8_t bytes[N * D] = { 1, 16, 255, 0, 3, 7 }, labels[N] = { 2, 0, 1 };

static dyn_array *array_of(int32_t dtype, int32_t rank, int64_t columns, const void *data)
{
    dyn_array *out = NULL;

    CHECK_OK(ctx, dyn_array_wrap(ctx, dtype, rank, (int64_t[]){ N, columns }, data, &out));
    return out;
}

static double cross_entropy(const double *x, const int *class)
{
    double sum = 0;

    for (int i = 0; i < N; i++) {
        double f[C], all = 0;
        for (int k = 0; k < C; k++) {
            f[k] = x[i * D] * theta[k] + x[i * D + 1] * theta[C + k] + theta[D * C + k];
            all += exp(f[k]);
        }
        sum += log(all) - f[class[i]];
    }
    return sum / N;
}

static dyn_objective *softmax_layer(dyn_array *x, dyn_array *y)
{
    dyn_objective_options entropy = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_model *m = NULL;

    entropy.loss = DYN_LOSS_CROSS_ENTROPY;
    CHECK_OK(ctx, dyn_model_mlp(ctx, 2, (int64_t[]){ D, C }, DYN_TANH, &m));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, &entropy, &o));
    dyn_model_unref(m);
    dyn_array_unref(x);
    dyn_array_unref(y);
    return o;
}

static double value_of(dyn_objective *o)
{
    double value = NAN;

    CHECK_OK(ctx, dyn_objective_value(o, theta, &value));
    return value;
}

static void set(dyn_objective *o, const char *name, dyn_array *a)
{
    CHECK_OK(ctx, dyn_objective_set_data(o, name, a));
    dyn_array_unref(a);
}

TEST(bytes_are_pixels_and_classes)
{
    dyn_objective *o = softmax_layer(array_of(DYN_U8, 2, D, bytes), array_of(DYN_U8, 1, 1, labels));

    CHECK_NEAR(value_of(o), cross_entropy((double[]){ 1, 16, 255, 0, 3, 7 }, (int[]){ 2, 0, 1 }), 1e-13);
    dyn_objective_unref(o);
}

/* Given anew as at the start: classes [n], numbers of other types, another number of axes. */
TEST(exchanged)
{
    static const double near[N * D] = { 0.5, -1, 2, 0, 1, 1 };
    static const int64_t swapped[N] = { 0, 1, 1 }, beyond[N] = { 0, 1, C };
    static const double shares[N * C] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    dyn_objective *o = softmax_layer(array_of(DYN_U8, 2, D, bytes), array_of(DYN_I64, 1, 1, (int64_t[]){ 2, 0, 1 }));
    dyn_array *bad = array_of(DYN_I64, 1, 1, beyond), *wide = array_of(DYN_F64, 2, C, shares);

    set(o, "y", array_of(DYN_I64, 1, 1, swapped));
    set(o, "x", array_of(DYN_F64, 2, D, near));
    CHECK_NEAR(value_of(o), cross_entropy(near, (int[]){ 0, 1, 1 }), 1e-13);
    set(o, "y", array_of(DYN_U8, 1, 1, labels));
    CHECK_NEAR(value_of(o), cross_entropy(near, (int[]){ 2, 0, 1 }), 1e-13);
    CHECK(dyn_objective_set_data(o, "y", bad) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "number 2 is 3");
    CHECK(dyn_objective_set_data(o, "y", wide) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "held classes");
    CHECK(dyn_objective_set_data(o, "classes", wide) == DYN_EINVAL);
    CHECK(dyn_objective_set_data(o, "z", wide) == DYN_EINVAL);
    CHECK_NEAR(value_of(o), cross_entropy(near, (int[]){ 2, 0, 1 }), 1e-13);
    dyn_array_unref(bad);
    dyn_array_unref(wide);
    dyn_objective_unref(o);
}

/* The host writes into its own memory, which the objective reads at each evaluation. */
TEST(buffer_filled_anew)
{
    static double buffer[N * D] = { 0.5, -1, 2, 0, 1, 1 };
    dyn_objective *o = softmax_layer(array_of(DYN_F64, 2, D, buffer), array_of(DYN_U8, 1, 1, labels));
    const int class[N] = { 2, 0, 1 };

    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < N * D; i++)
            buffer[i] = 0.3 * i - k;
        CHECK_NEAR(value_of(o), cross_entropy(buffer, class), 1e-13);
    }
    dyn_objective_unref(o);
}

TEST(refused_numbers_leave_the_old_ones)
{
    static const double x[N * D] = { 0.5, -1, 2, 0, 1, 1 }, hole[N * D] = { 0.5, -1, NAN, 0, 1, 1 };
    dyn_objective *o = softmax_layer(array_of(DYN_F64, 2, D, x), array_of(DYN_U8, 1, 1, labels));
    dyn_array *bad = array_of(DYN_F64, 2, D, hole);

    CHECK(dyn_objective_set_data(o, "x", bad) == DYN_ENONFINITE);
    dyn_array_unref(bad);
    CHECK_NEAR(value_of(o), cross_entropy(x, (int[]){ 2, 0, 1 }), 1e-13);
    dyn_objective_unref(o);
}

int main(void)
{
    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    RUN(bytes_are_pixels_and_classes);
    RUN(exchanged);
    RUN(buffer_filled_anew);
    RUN(refused_numbers_leave_the_old_ones);
    CHECK(dyn_ctx_bytes(ctx) > 0);
    dyn_ctx_free(ctx);
    return test_end();
}
