/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models of the caller's own making: what is read off the first build, and that a function which does not keep to it is
 * found out. */
#include "tests/test.h"

#include <dyn/model.h>

static dyn_ctx *ctx;

/* A build function whose behaviour a test can change after the model was made. */
typedef struct recipe {
    int64_t width;
    int extra;          /* one more parameter */
    const char *name;
    int64_t outputs;
    dyn_node returned;  /* nonzero: returned instead of the result */
} recipe;

/* f = x^2 W + c, samples of shape [2, 3]. */
static dyn_node build(void *user, dyn_graph *g, dyn_node x)
{
    const recipe *r = user;
    int64_t shape[DYN_MAX_RANK];

    dyn_graph_shape(g, x, shape);
    dyn_node flat = dyn_graph_reshape(g, x, 2, (int64_t[]){shape[0], 6});
    dyn_node w = dyn_graph_parameter(g, r->name, 2, (int64_t[]){6, r->width});
    dyn_node c = dyn_graph_parameter(g, "c", 1, &r->width);
    if (r->extra)
        dyn_graph_parameter(g, "extra", 0, NULL);
    dyn_node f = dyn_graph_add(g, dyn_graph_matmul(g, dyn_graph_mul(g, flat, flat), w, 0, 0), c);
    if (r->returned)
        return r->returned;
    return dyn_graph_reshape(g, f, 3, (int64_t[]){shape[0], r->outputs, r->width / r->outputs});
}

static recipe plain(void)
{
    return (recipe){.width = 4, .name = "w", .outputs = 2};
}

static dyn_status create(recipe *r, dyn_model **m)
{
    return dyn_model_from_callback(ctx, build, r, 2, (int64_t[]){2, 3}, m);
}

TEST(tensors_of_a_callback)
{
    recipe r = plain();
    dyn_model *m = NULL;
    int64_t shape[DYN_MAX_RANK], offset;

    CHECK_OK(ctx, create(&r, &m));
    CHECK(dyn_model_size(m) == 28 && dyn_model_tensors(m) == 2);
    CHECK(dyn_model_input_size(m) == 6 && dyn_model_output_size(m) == 4);
    CHECK(dyn_model_tensor(m, 1, shape, &offset) == 1 && shape[0] == 4 && offset == 24);
    CHECK(!strcmp(dyn_model_tensor_name(m, 1), "c"));
    dyn_model_unref(m);
}

TEST(any_number_of_samples)
{
    recipe r = plain();
    dyn_model *m = NULL;
    dyn_graph *g = NULL;
    int64_t shape[DYN_MAX_RANK];

    CHECK_OK(ctx, create(&r, &m));
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        CHECK_OK(ctx, dyn_graph_create(ctx, dtype, &g));
        dyn_node f = dyn_model_build(m, g, dyn_graph_input(g, "x", 3, (int64_t[]){7, 2, 3}));
        CHECK(dyn_graph_shape(g, f, shape) == 3 && shape[0] == 7 && shape[1] == 2 && shape[2] == 2);
        CHECK(dyn_model_build(m, g, dyn_graph_find(g, "x")) == DYN_EINVAL);     /* the names are taken */
        CHECK_STR(dyn_ctx_message(ctx), "is taken");
        dyn_graph_free(g);
    }
    dyn_model_unref(m);
}

TEST(wrong_samples)
{
    recipe r = plain();
    dyn_model *m = NULL;
    dyn_graph *g = NULL;

    CHECK_OK(ctx, create(&r, &m));
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    CHECK(dyn_model_build(NULL, g, 0) == DYN_EINVAL && dyn_model_build(m, NULL, 0) == DYN_EINVAL);
    CHECK(dyn_model_build(m, g, 5) == DYN_EINVAL && dyn_model_build(m, g, DYN_ENOMEM) == DYN_ENOMEM);
    CHECK(dyn_model_build(m, g, dyn_graph_input(g, "x", 3, (int64_t[]){7, 3, 2})) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_model_build: x has shape [7, 3, 2]; expected an axis of samples, then [2, 3]");
    CHECK(dyn_model_build(m, g, dyn_graph_constant(g, 1, 0, NULL)) == DYN_ESHAPE);
    dyn_graph_free(g);
    dyn_model_unref(m);
}

/* ---- functions that misbehave ---- */

static void refused_at_creation(recipe r, dyn_status code, const char *message)
{
    const int64_t bytes = dyn_ctx_bytes(ctx);
    dyn_model *m = (dyn_model *)&r;

    CHECK(create(&r, &m) == code && m == NULL);
    CHECK_STR(dyn_ctx_message(ctx), message);
    CHECK(dyn_ctx_bytes(ctx) == bytes);
}

static dyn_node no_parameters(void *user, dyn_graph *g, dyn_node x)
{
    (void)user;
    return dyn_graph_tanh(g, x);
}

TEST(refused_callbacks)
{
    recipe r = plain();
    dyn_model *m = NULL;

    r.returned = 99;
    refused_at_creation(r, DYN_EUSER, "the build function returned node 99");
    r.returned = DYN_EUSER;
    refused_at_creation(r, DYN_EUSER, "");
    r = plain();
    r.outputs = 3;
    refused_at_creation(r, DYN_ESHAPE, "reshape of [1, 4]");
    r = plain();
    r.name = "c";
    refused_at_creation(r, DYN_EINVAL, "\"c\" is taken");
    CHECK(dyn_model_from_callback(ctx, no_parameters, NULL, 1, (int64_t[]){3}, &m) == DYN_EUSER && !m);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_model_from_callback: the build function made no parameters");
    CHECK(dyn_model_from_callback(ctx, NULL, NULL, 1, (int64_t[]){3}, &m) == DYN_EINVAL);
    CHECK(dyn_model_from_callback(ctx, build, &r, 1, NULL, &m) == DYN_ESHAPE);
    CHECK(dyn_model_from_callback(ctx, build, &r, DYN_MAX_RANK, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1}, &m) == DYN_ESHAPE);
    CHECK(dyn_model_from_callback(ctx, build, &r, 1, (int64_t[]){-3}, &m) == DYN_ESHAPE);
    CHECK(dyn_model_from_callback(NULL, build, &r, 1, (int64_t[]){3}, &m) == DYN_EINVAL);
    CHECK(dyn_model_from_callback(ctx, build, &r, 1, (int64_t[]){3}, NULL) == DYN_EINVAL);
}

/* After creation the function does something else. */
static void refused_at_build(recipe changed, dyn_status code, const char *message)
{
    recipe r = plain();
    dyn_model *m = NULL;
    dyn_graph *g = NULL;

    CHECK_OK(ctx, create(&r, &m));
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    r = changed;
    CHECK(dyn_model_build(m, g, dyn_graph_input(g, "x", 3, (int64_t[]){7, 2, 3})) == code);
    CHECK_STR(dyn_ctx_message(ctx), message);
    dyn_graph_free(g);
    dyn_model_unref(m);
}

TEST(inconstant_callbacks)
{
    recipe r = plain();

    r.extra = 1;
    refused_at_build(r, DYN_EUSER, "made 3 parameters, before it made 2");
    r = plain();
    r.width = 8;
    refused_at_build(r, DYN_EUSER, "made \"c\" of shape [8], before \"c\" of shape [4]");
    r = plain();
    r.name = "v";
    refused_at_build(r, DYN_EUSER, "made \"v\" of shape [6, 4], before \"w\" of shape [6, 4]");
    r = plain();
    r.outputs = 1;
    refused_at_build(r, DYN_EUSER, "outputs of shape [7, 1, 4], before of shape [7, 2, 2]");
    r = plain();
    r.returned = 1000;
    refused_at_build(r, DYN_EUSER, "returned node 1000");
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(tensors_of_a_callback);
    RUN(any_number_of_samples);
    RUN(wrong_samples);
    RUN(refused_callbacks);
    RUN(inconstant_callbacks);
    dyn_ctx_free(ctx);
    return test_end();
}
