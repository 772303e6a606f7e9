/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every family: the names and shapes of its tensors, its derivatives against differences on random data, and each of its
 * allocations failing in turn. Values are compared with PyTorch's from Python. */
#include "oom/oom.h"
#include "test.h"
#include <dyn/dyn.h>

enum { N = 3, MOST = 200 };

static dyn_ctx *ctx;

/* ---- one small model of each family ---- */

static dyn_status perceptron(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;

    (void)arg;
    o.widths_count = 4;
    o.widths = (int64_t[]){2, 3, 3, 2};
    o.activation = DYN_TANH;
    o.skip = 1;
    o.parametrisation = DYN_PARAMETRISATION_NTK;
    return dyn_model_perceptron(c, &o, out);
}

static dyn_status cnn(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;

    (void)arg;
    o.input = (int64_t[]){4, 4, 1};
    o.convolutions = 2;
    o.channels = (int64_t[]){2, 0};
    o.dense = 1;
    o.hidden = (int64_t[]){3};
    o.activation = o.dense_activation = DYN_TANH;
    return dyn_model_cnn(c, &o, out);
}

static dyn_status resnet(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_resnet_options o = DYN_RESNET_OPTIONS_INIT;

    (void)arg;
    o.stages = 2;
    o.blocks = (int64_t[]){1, 1};
    o.height = o.width = 4;
    o.channels = 1;
    o.base = 1;
    o.outputs = 2;
    o.activation = DYN_TANH;
    return dyn_model_resnet(c, &o, out);
}

static dyn_status transformer(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_transformer_options o = DYN_TRANSFORMER_OPTIONS_INIT;

    (void)arg;
    o.vocabulary = 5;
    o.length = 3;
    o.layers = 1;
    o.width = 4;
    o.key_width = 2;
    o.hidden = 3;
    o.heads = 2;
    o.activation = DYN_GELU;
    o.pad = 0;
    return dyn_model_transformer(c, &o, out);
}

static dyn_status buffered(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_transformer_options o = DYN_TRANSFORMER_OPTIONS_INIT;

    (void)arg;
    o.vocabulary = 5;
    o.length = 3;
    o.width = 3;
    o.key_width = 2;
    o.hidden = 0;
    o.buffers = DYN_BUFFERS_RANDOM;
    return dyn_model_transformer(c, &o, out);
}

static dyn_status recurrent(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_recurrent_options o = DYN_RECURRENT_OPTIONS_INIT;

    (void)arg;
    o.inputs = 2;
    o.length = 3;
    o.width = 2;
    return dyn_model_recurrent(c, &o, out);
}

static dyn_status factorisation(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_factorisation_options o = DYN_FACTORISATION_OPTIONS_INIT;

    (void)arg;
    o.widths = (int64_t[]){2, 3, 4};
    return dyn_model_factorisation(c, &o, out);
}

static dyn_status tensor(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_tensor_options o = DYN_TENSOR_OPTIONS_INIT;

    (void)arg;
    o.sizes = (int64_t[]){2, 3, 2};
    o.rank = 2;
    return dyn_model_tensor_factorisation(c, &o, out);
}

static dyn_status diagonal(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_diagonal_options o = DYN_DIAGONAL_OPTIONS_INIT;

    (void)arg;
    o.inputs = 3;
    o.depth = 3;
    return dyn_model_diagonal(c, &o, out);
}

static dyn_status polynomial(dyn_ctx *c, void *arg, dyn_model **out)
{
    dyn_polynomial_options o = DYN_POLYNOMIAL_OPTIONS_INIT;

    (void)arg;
    o.degree = 3;
    return dyn_model_polynomial(c, &o, out);
}

static const struct family {
    const char *name;
    dyn_status (*make)(dyn_ctx *c, void *arg, dyn_model **out);
    int64_t indices;            /* below which they are; 0 = numbers */
    const char *tensors;        /* their names */
} families[] = {
    {"perceptron", perceptron, 0, "W1 b1 W2 b2 W3 b3 "},
    {"cnn", cnn, 0, "W1 b1 W2 b2 W3 b3 "},
    {"resnet", resnet, 0, "begin.W begin.gain begin.shift stage1.block1.W1 stage1.block1.gain1 stage1.block1.shift1 "
     "stage1.block1.W2 stage1.block1.gain2 stage1.block1.shift2 stage2.block1.W1 stage2.block1.gain1 "
     "stage2.block1.shift1 stage2.block1.W2 stage2.block1.gain2 stage2.block1.shift2 stage2.block1.shortcut.W "
     "stage2.block1.shortcut.gain stage2.block1.shortcut.shift W b "},
    {"transformer", transformer, 5, "embedding position layer1.Wq layer1.Wk layer1.Wv layer1.Wo layer1.gain1 layer1.shift1 "
     "layer1.W1 layer1.W2 layer1.gain2 layer1.shift2 W b "},
    {"buffered", buffered, 5, "embedding position layer1.Wq layer1.Wk layer1.Wv layer1.Wo layer1.alpha layer1.gain1 "
     "layer1.shift1 layer2.Wq layer2.Wk layer2.Wv layer2.beta layer2.Wo layer2.alpha layer2.gain1 layer2.shift1 W b "},
    {"recurrent", recurrent, 0, "layer1.W layer1.U layer1.b layer1.c W b "},
    {"factorisation", factorisation, 8, "W1 W2 "},
    {"tensor", tensor, 12, "A1 A2 A3 "},
    {"diagonal", diagonal, 0, "a1 a2 a3 "},
    {"polynomial", polynomial, 0, "W1 W2 W3 b "},
};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* ---- names ---- */

TEST(names)
{
    for (int i = 0; i < FAMILIES; i++) {
        char all[1024] = "";
        dyn_model *m = NULL;

        CHECK_OK(ctx, families[i].make(ctx, NULL, &m));
        for (int32_t k = 0; k < dyn_model_tensors(m); k++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", dyn_model_tensor_name(m, k));
        if (strcmp(all, families[i].tensors))
            TEST_FAIL("%s has tensors %s", families[i].name, all);
        dyn_model_unref(m);
    }
}

TEST(states)
{
    dyn_model *m = NULL;
    int64_t shape[DYN_MAX_RANK];
    double initial[64], given[64];
    dyn_model *other = NULL;

    CHECK_OK(ctx, resnet(ctx, NULL, &m));
    CHECK(dyn_model_states(m) == 12 && dyn_model_state_size(m) <= 64);
    CHECK(!strcmp(dyn_model_state_name(m, 1), "begin.norm.var") && !dyn_model_state_name(m, 12));
    CHECK(dyn_model_state(m, 1, shape) == 1 && shape[0] == 1);
    CHECK_OK(ctx, dyn_model_initial_states(m, initial));
    CHECK(initial[0] == 0 && initial[1] == 1);
    CHECK(dyn_model_state(m, 12, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "state 12: the model has 12");
    for (int i = 0; i < 64; i++)
        given[i] = i + .5;
    CHECK_OK(ctx, dyn_model_with_states(m, given, &other));
    dyn_model_unref(m);
    CHECK_OK(ctx, dyn_model_initial_states(other, initial));
    CHECK(!memcmp(initial, given, sizeof given[0] * (size_t)dyn_model_state_size(other)));
    CHECK(!strcmp(dyn_model_state_name(other, 1), "begin.norm.var"));
    dyn_model_unref(other);
}

/* ---- derivatives ---- */

static dyn_array *random_input(const dyn_model *m, int64_t below)
{
    int64_t shape[DYN_MAX_RANK + 1] = {N}, size = N;
    const int32_t rank = dyn_model_input(m, 0, shape + 1, NULL);
    double x[MOST];
    int64_t id[MOST];
    dyn_array *a = NULL;

    for (int32_t i = 1; i <= rank; i++)
        size *= shape[i];
    CHECK_OK(ctx, dyn_random_uniform(ctx, 1, 7, 0, size, x));
    for (int64_t i = 0; i < size; i++) {
        id[i] = (int64_t)(x[i] * (double)below);
        x[i] = 4 * x[i] - 2;
    }
    CHECK_OK(ctx, dyn_array_create(ctx, below ? DYN_I64 : DYN_F64, rank + 1, shape, below ? (void *)id : x, &a));
    return a;
}

static void check_derivatives(const struct family *f)
{
    double theta[MOST], y[MOST] = {0};
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_model *m = NULL;
    dyn_array *target = NULL;
    dyn_objective *o = NULL;
    dyn_check *c = NULL;

    init.seed = 3;
    CHECK_OK(ctx, f->make(ctx, NULL, &m));
    CHECK(dyn_model_size(m) <= MOST);
    CHECK_OK(ctx, dyn_model_initialise(m, &init, theta));
    dyn_array *x = random_input(m, f->indices);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){N, dyn_model_output_size(m)}, y, &target));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, target, NULL, &o));
    CHECK_OK(ctx, dyn_check_gradient(o, theta, 1, &c));
    if (!dyn_check_passed(c))
        TEST_FAIL("%s: gradient is off by %g", f->name, dyn_check_error(c));
    dyn_check_free(c);
    CHECK_OK(ctx, dyn_check_hessian(o, theta, 1, &c));
    if (!dyn_check_passed(c))
        TEST_FAIL("%s: Hessian is off by %g", f->name, dyn_check_error(c));
    dyn_check_free(c);
    dyn_objective_unref(o);
    dyn_array_unref(target);
    dyn_array_unref(x);
    dyn_model_unref(m);
}

TEST(derivatives)
{
    for (int i = 0; i < FAMILIES; i++)
        check_derivatives(&families[i]);
}

/* ---- memory ---- */

static dyn_status made(dyn_ctx *c, void *arg)
{
    const struct family *f = arg;
    dyn_model *m = NULL;
    dyn_status s = f->make(c, NULL, &m);

    CHECK((s == DYN_OK) == (m != NULL));
    dyn_model_unref(m);
    return s;
}

TEST(every_allocation_may_fail)
{
    for (int i = 0; i < FAMILIES; i++)
        oom_try(families[i].name, made, (void *)&families[i]);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(names);
    RUN(states);
    RUN(derivatives);
    RUN(every_allocation_may_fail);
    dyn_ctx_free(ctx);
    return test_end();
}
