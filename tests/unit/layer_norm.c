/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Norms: closed forms, a constant input with its derivatives up to the third, what batch norm keeps and what it refuses. */
#include "layer_fixture.h"

TEST(layer_norm_of_a_constant)
{
    static const double x[] = {3, 3}, first[] = {1, 0};
    dyn_node second, third, v, a, f;

    begin(DYN_F64);
    a = NUMBERS(x, 1, 2);
    v = NUMBERS(first, 1, 2);
    dyn_node y = dyn_layer_layer_norm(g, a, 1, DYN_NO_NODE, DYN_NO_NODE, 1e-5);
    f = total(dyn_graph_mul(g, y, v));
    IS(y, 0, 0, 0);
    IS(slope(f, a), 1e-6, 158.11388300841898, -158.11388300841898);
    CHECK_OK(ctx, dyn_graph_hvp(g, f, 1, &a, &v, &second));
    IS(second, 1e-9, 0, 0);
    dyn_node along = total(dyn_graph_mul(g, second, v));
    CHECK_OK(ctx, dyn_graph_gradient(g, along, 1, &a, &third));
    const double *d3 = values(third);
    CHECK_NEAR(d3[0] / -1.185854e7, 1, 1e-6);
    finish();
}

TEST(layer_norm_over_axes)
{
    static const double x[] = {1, 3, 5, 7}, gain[] = {2, 2}, shift[] = {0, 1};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 1, 2, 2);
    IS(dyn_layer_layer_norm(g, a, 1, NUMBERS(gain, 2), NUMBERS(shift, 2), 0), 1e-15, -2, 3, -2, 3);
    const double s = sqrt(5);
    IS(dyn_layer_layer_norm(g, a, 2, DYN_NO_NODE, DYN_NO_NODE, 0), 1e-15, -3 / s, -1 / s, 1 / s, 3 / s);
    REFUSED(dyn_layer_layer_norm(g, a, 4, DYN_NO_NODE, DYN_NO_NODE, 0), DYN_EINVAL, "axes is 4, x has shape [1, 2, 2]");
    REFUSED(dyn_layer_layer_norm(g, a, 1, DYN_NO_NODE, DYN_NO_NODE, -1), DYN_EINVAL, "eps is -1");
    finish();
}

TEST(rms_norm)
{
    static const double x[] = {3, 4}, gain[] = {1, 10};

    begin(DYN_F64);
    IS(dyn_layer_rms_norm(g, NUMBERS(x, 2), NUMBERS(gain, 2), 0), 1e-15, 3 / sqrt(12.5), 40 / sqrt(12.5));
    finish();
}

TEST(group_norm)
{
    static const double x[] = {0, 1, 2, 3}, place[] = {0, 10, 2, 30};     /* two places, two channels */

    begin(DYN_F64);
    IS(dyn_layer_group_norm(g, NUMBERS(x, 1, 4), 2, DYN_NO_NODE, DYN_NO_NODE, 0), 1e-15, -1, 1, -1, 1);
    IS(dyn_layer_group_norm(g, NUMBERS(place, 1, 2, 2), 2, DYN_NO_NODE, DYN_NO_NODE, 0), 1e-15, -1, -1, 1, 1);
    REFUSED(dyn_layer_group_norm(g, dyn_graph_constant(g, 1, 2, (int64_t[]){1, 6}), 5, DYN_NO_NODE, DYN_NO_NODE, 0),
            DYN_EINVAL, "5 groups of 6 channels");
    finish();
}

/* ---- batch norm, in a model whose output is the normalised input times a weight ---- */

static dyn_node build(void *user, dyn_build *b)
{
    dyn_graph *graph = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", *(int32_t *)user, (int64_t[]){2, 2, 1});

    x = dyn_layer_batch_norm(b, "norm", x, DYN_NO_NODE, DYN_NO_NODE, .1, 0);
    return dyn_graph_mul(graph, x, dyn_graph_parameter(graph, "w", 0, NULL));
}

TEST(batch_norm_in_evaluation)
{
    static const double x[] = {4}, w[] = {3}, mean[] = {1}, var[] = {9};
    int32_t rank = 3;
    dyn_model *m = NULL;

    CHECK_OK(ctx, dyn_model_create(ctx, build, &rank, &m));
    CHECK(dyn_model_state_size(m) == 2);
    begin(DYN_F64);
    dyn_node in = dyn_graph_broadcast_to(g, NUMBERS(x, 1), 4, (int64_t[]){1, 2, 2, 1});
    dyn_node f = dyn_model_build(m, g, in);
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;
    double out[4];
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &f, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "0", DYN_F64, 1, x));
    CHECK_OK(ctx, dyn_exec_bind(e, "w", DYN_F64, 1, w));
    CHECK_OK(ctx, dyn_exec_bind(e, "norm.mean", DYN_F64, 1, mean));
    CHECK_OK(ctx, dyn_exec_bind(e, "norm.var", DYN_F64, 1, var));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DOUBLES(out)));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(out[i], 3, 1e-15);
    dyn_exec_free(e);
    dyn_plan_unref(p);
    finish();
    dyn_model_unref(m);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(layer_norm_of_a_constant);
    RUN(layer_norm_over_axes);
    RUN(rms_norm);
    RUN(group_norm);
    RUN(batch_norm_in_evaluation);
    dyn_ctx_free(ctx);
    return test_end();
}
