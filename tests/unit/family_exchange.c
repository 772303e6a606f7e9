/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models in safetensors files under PyTorch's names: where single numbers land, there and back, what is refused. That
 * PyTorch computes the same from them is compared from Python. */
#include "oom/oom.h"
#include "test.h"
#include <dyn/dyn.h>
#include <stdlib.h>
#include <unistd.h>

static dyn_ctx *ctx;
static char path[] = "/tmp/dyn-exchange-XXXXXX";

static dyn_model *gpt2(void)
{
    dyn_transformer_options o;
    dyn_model *m = NULL;

    dyn_transformer_defaults(DYN_TRANSFORMER_GPT2, &o);
    o.vocabulary = 5;
    o.length = 3;
    o.layers = 1;
    o.heads = 2;
    o.width = 4;
    o.hidden = 8;
    CHECK_OK(ctx, dyn_model_transformer(ctx, &o, &m));
    return m;
}

static dyn_model *cnn(int32_t batch_norm)
{
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;
    dyn_model *m = NULL;

    o.input = (int64_t[]){4, 4, 1};
    o.convolutions = 2;
    o.channels = (int64_t[]){3, 0};
    o.outputs = 2;
    o.batch_norm = batch_norm;
    CHECK_OK(ctx, dyn_model_cnn(ctx, &o, &m));
    return m;
}

static int64_t offset(const dyn_model *m, const char *name)
{
    for (int32_t i = 0; i < dyn_model_tensors(m); i++) {
        int64_t at;
        if (strcmp(dyn_model_tensor_name(m, i), name) == 0 && dyn_model_tensor(m, i, NULL, &at) >= 0)
            return at;
    }
    TEST_FAIL("no tensor is called %s", name);
    return 0;
}

/* theta counts from 0, so that a number says where it came from. */
static double *counted(int64_t size)
{
    double *theta = malloc((size_t)size * sizeof *theta);

    for (int64_t i = 0; i < size; i++)
        theta[i] = (double)i;
    return theta;
}

static dyn_array *written(const char *name)
{
    dyn_safetensors *st = NULL;
    dyn_array *a = NULL;

    CHECK_OK(ctx, dyn_safetensors_open(ctx, path, &st));
    CHECK_OK(ctx, dyn_safetensors_read(st, name, &a));
    dyn_safetensors_free(st);
    return a;
}

TEST(queries_keys_and_values_are_one_matrix)
{
    dyn_model *m = gpt2();
    double *theta = counted(dyn_model_size(m));

    CHECK_OK(ctx, dyn_exchange_write(m, theta, NULL, DYN_F64, path));
    dyn_array *a = written("transformer.h.0.attn.c_attn.weight"), *tied = written("lm_head.weight");
    const double *x = dyn_array_data(a), *table = dyn_array_data(tied);
    CHECK(dyn_array_rank(a) == 2 && dyn_array_shape(a)[0] == 4 && dyn_array_shape(a)[1] == 12);
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 12; j++) {
            const char *const from[] = {"layer1.Wq", "layer1.Wk", "layer1.Wv"};
            CHECK(x[i * 12 + j] == (double)(offset(m, from[j / 4]) + i * 4 + j % 4));
        }
    CHECK(table[7] == (double)(offset(m, "embedding") + 7));
    dyn_array_unref(tied);
    dyn_array_unref(a);
    free(theta);
    dyn_model_unref(m);
}

TEST(channels_come_before_places_where_pytorch_flattens)
{
    dyn_model *m = cnn(0);
    double *theta = counted(dyn_model_size(m));

    CHECK_OK(ctx, dyn_exchange_write(m, theta, NULL, DYN_F32, path));
    dyn_array *a = written("classifier.0.weight"), *kernel = written("features.0.weight");
    const float *x = dyn_array_data(a), *k = dyn_array_data(kernel);
    CHECK(dyn_array_dtype(a) == DYN_F32 && dyn_array_shape(a)[0] == 2 && dyn_array_shape(a)[1] == 12);
    for (int64_t out = 0; out < 2; out++)
        for (int64_t channel = 0; channel < 3; channel++)
            for (int64_t place = 0; place < 4; place++)
                CHECK(x[out * 12 + channel * 4 + place] == (float)(offset(m, "W2") + (place * 3 + channel) * 2 + out));
    for (int64_t out = 0; out < 3; out++)
        for (int64_t place = 0; place < 9; place++)
            CHECK(k[out * 9 + place] == (float)(place * 3 + out));
    dyn_array_unref(kernel);
    dyn_array_unref(a);
    free(theta);
    dyn_model_unref(m);
}

TEST(there_and_back)
{
    dyn_model *models[] = {gpt2(), cnn(0), cnn(1)};

    for (int i = 0; i < 3; i++) {
        const int64_t p = dyn_model_size(models[i]), k = dyn_model_state_size(models[i]);
        double *theta = counted(p), *states = counted(k + 1), *back = calloc((size_t)(p + k + 1), sizeof *back);
        CHECK_OK(ctx, dyn_exchange_write(models[i], theta, states, DYN_F64, path));
        CHECK_OK(ctx, dyn_exchange_read(models[i], path, back, back + p));
        CHECK(memcmp(theta, back, (size_t)p * sizeof *theta) == 0);
        CHECK(memcmp(states, back + p, (size_t)k * sizeof *theta) == 0);
        free(back);
        free(states);
        free(theta);
        dyn_model_unref(models[i]);
    }
}

static void refused(dyn_model *m, const char *name, dyn_array *a, dyn_status s, const char *message)
{
    double theta[200] = {0}, zero[200] = {0};
    dyn_array *const one[] = {a};

    CHECK_OK(ctx, dyn_safetensors_write(ctx, path, 1, &name, one));
    CHECK(dyn_exchange_read(m, path, theta, NULL) == s);
    CHECK_STR(dyn_ctx_message(ctx), message);
    CHECK(memcmp(theta, zero, sizeof zero) == 0);
}

TEST(wrong_files_are_named)
{
    dyn_model *m = cnn(0);
    double numbers[27] = {0}, theta[200] = {0};
    dyn_array *wrong = NULL, *bad = NULL, *integers = NULL;
    dyn_exchange_part part;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 1, (int64_t[]){3}, numbers, &wrong));
    numbers[11] = NAN;
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 4, (int64_t[]){3, 1, 3, 3}, numbers, &bad));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_I64, 4, (int64_t[]){3, 1, 3, 3}, (int64_t[27]){0}, &integers));
    refused(m, "features.7.weight", wrong, DYN_EINVAL, "\"features.7.weight\" is not in the model");
    refused(m, "features.0.bias", wrong, DYN_EINVAL, "\"features.0.weight\" is missing");
    refused(m, "features.0.weight", wrong, DYN_ESHAPE, "has shape [3], expected [3, 1, 3, 3]");
    refused(m, "features.0.weight", bad, DYN_ENONFINITE, "number 11 of \"features.0.weight\" is nan");
    refused(m, "features.0.weight", integers, DYN_EDTYPE, "holds integers");
    CHECK(dyn_exchange_read(m, "/tmp/no such file", theta, NULL) == DYN_EIO);
    CHECK(dyn_exchange_write(m, theta, NULL, DYN_I64, path) == DYN_EDTYPE);
    CHECK(dyn_exchange_entry(m, 4, &part) == DYN_EINVAL);
    dyn_array_unref(integers);
    dyn_array_unref(bad);
    dyn_array_unref(wrong);
    dyn_model_unref(m);
}

TEST(frozen_models_go_by_the_whole_one)
{
    dyn_model *m = cnn(1), *frozen = NULL, *moved = NULL;
    double *theta = counted(dyn_model_size(m)), *states = counted(dyn_model_state_size(m));
    const char *const pattern[] = {"W1"};
    dyn_exchange_part part;

    CHECK_OK(ctx, dyn_model_freeze(m, 1, pattern, theta, &frozen));
    CHECK(dyn_exchange_write(frozen, theta, NULL, DYN_F64, path) == DYN_ENOTSUP);
    CHECK_OK(ctx, dyn_model_with_states(m, states, &moved));
    CHECK_OK(ctx, dyn_exchange_entry(moved, dyn_model_tensors(m), &part));
    CHECK(strcmp(part.name, "features.1.running_mean") == 0 && part.state == 1 && part.source == 0);
    dyn_model_unref(moved);
    dyn_model_unref(frozen);
    dyn_model_unref(m);
    free(states);
    free(theta);
}

static dyn_status both_ways(dyn_ctx *c, void *arg)
{
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;
    dyn_model *m = NULL;
    double theta[200] = {0}, states[8];

    (void)arg;
    o.input = (int64_t[]){4, 4, 1};
    o.convolutions = 1;
    o.channels = (int64_t[]){3};
    o.batch_norm = 1;
    dyn_status s = dyn_model_cnn(c, &o, &m);
    if (s == DYN_OK)
        s = dyn_exchange_write(m, theta, NULL, DYN_F32, path);
    if (s == DYN_OK)
        s = dyn_exchange_read(m, path, theta, states);
    dyn_model_unref(m);
    return s;
}

TEST(no_memory) { CHECK(oom_try("exchange", both_ways, NULL) > 20); }

int main(void)
{
    close(mkstemp(path));
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    if (dyn_safetensors_write(ctx, path, 0, NULL, NULL) == DYN_ENOTSUP)
        return 77;      /* a build without jansson: skipped */
    RUN(queries_keys_and_values_are_one_matrix);
    RUN(channels_come_before_places_where_pytorch_flattens);
    RUN(there_and_back);
    RUN(wrong_files_are_named);
    RUN(frozen_models_go_by_the_whole_one);
    RUN(no_memory);
    dyn_ctx_free(ctx);
    unlink(path);
    return test_end();
}
