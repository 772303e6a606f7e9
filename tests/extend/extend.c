/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A primitive, a kernel, a kind of step and a loss from outside the library, each from one file here, go through
 * derivatives, compiler, both backends and training as those of the library do. CONTRIBUTING.md shows these files. */
#include "extend/extend.h"
#include "diff/compiled.h"
#include "test.h"

static dyn_ctx *ctx;

/* ---- by the checks that the library's own primitives pass ---- */

static void check_derivatives(problem *p, const function *f)
{
    dyn_node v[MAX_X], dx[MAX_X], w[MAX_X];
    function d = *f;
    const dyn_node ct = problem_cotangent(p, f);

    problem_directions(p, f, v);
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &f->y, f->n, f->x, v, &d.y));
    CHECK_OK(ctx, dyn_graph_vjp(p->g, 1, &f->y, &ct, f->n, f->x, dx));
    CHECK(tangent_error(p, f, v, d.y) < 2e-9);
    CHECK(adjoint_error(p, f, v, d.y, ct, dx) < 1e-12);
    problem_directions(p, f, w);        /* second order */
    dyn_node second = -1;
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &d.y, f->n, f->x, w, &second));
    CHECK(tangent_error(p, &d, w, second) < 2e-9);
}

static void check_batching(problem *p, const function *f)
{
    const dyn__shape s = dyn__shape_lead(&dyn__at(p->g, f->x[0])->shape, 3);
    const dyn_node w = problem_input(p, &s, 0.2, 1.8);
    dyn_node out = -1;

    CHECK_OK(ctx, dyn_graph_batch(p->g, 3, 1, &f->y, 1, f->x, &w, &out));
    CHECK(batch_error(p, f, 1, 3, &w, out) < 1e-12);
}

static void check_primitive(const dyn__op *op, int32_t dtype)
{
    problem p;
    function f;

    for (int k = 0;; k++) {
        problem_new(&p, ctx, dtype);
        const int given = problem_sample(&p, op, k, &f);
        if (given && dtype == DYN_F64) {
            check_derivatives(&p, &f);
            check_batching(&p, &f);
        }
        if (given)
            CHECK(compiled_error(&p, 1, &f.y, NULL) < (dtype == DYN_F64 ? 1e-14 : 1e-6));
        problem_free(&p);
        if (!given) {
            CHECK(k == 2);
            return;
        }
    }
}

TEST(primitives)
{
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        check_primitive(&op_arctan, dtype);
        check_primitive(&op_running_sum, dtype);
    }
}

/* ---- in plans ---- */

/* 4 arctan of running sums of x [2, 3]. */
static dyn_plan *small_plan(void)
{
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    const dyn_node x = dyn_graph_input(g, "x", 2, (int64_t[]){2, 3});
    const dyn_node y = dyn_graph_scale(g, arctan(g, running_sum(g, x, 0)), 4);
    CHECK(running_sum(g, x, 0) != running_sum(g, x, 1) && arctan(g, x) == arctan(g, x) && arctan(g, x) != x);
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, NULL, &plan));
    dyn_graph_free(g);
    return plan;
}

static void check_values(dyn_plan *plan)
{
    const double x[6] = {1, 0, -2, 0, 1e300, 1}, expected[6] = {M_PI, M_PI, -M_PI, 0, 2 * M_PI, 2 * M_PI};
    double y[6] = {0};
    dyn_exec *e = NULL;

    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DOUBLES(x)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DOUBLES(y)));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(y[i], expected[i], 1e-15);
    dyn_exec_free(e);
}

/* Its kernel and its step are shown by their names; what the step holds goes with the plan. */
TEST(plan)
{
    const int64_t before = dyn_ctx_bytes(ctx);
    dyn_plan *plan = small_plan();
    char text[2048] = "";

    check_values(plan);
    CHECK(dyn_plan_print(plan, text, sizeof text) < (int64_t)sizeof text);
    CHECK_STR(text, "running sum, from the first of 2 rows");
    CHECK_STR(text, "= ARCTAN x3");
    dyn_plan_unref(plan);
    CHECK(dyn_ctx_bytes(ctx) == before);
}

TEST(reference_backend)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *compiled = ctx;
    char text[2048] = "";

    opt.backend = DYN_BACKEND_REFERENCE;
    CHECK(dyn_ctx_create(&opt, &ctx) == DYN_OK);
    CHECK_STR(dyn_ctx_report(ctx), "backend: reference");
    dyn_plan *plan = small_plan();
    check_values(plan);
    CHECK(dyn_plan_print(plan, text, sizeof text) > 0);
    CHECK_STR(text, ": running_sum\n");
    dyn_plan_unref(plan);
    dyn_ctx_free(ctx);
    ctx = compiled;
}

/* ---- the loss ---- */

/* f = w + x arctan(w): one parameter, so that quantiles of y at x = 0 are values of w. */
static dyn_node constant_model(void *user, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    const dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){1});
    const dyn_node w = dyn_build_parameter(b, "w", 1, (int64_t[]){1}, NULL);

    (void)user;
    return dyn_graph_add(g, w, dyn_graph_mul(g, x, arctan(g, w)));
}

/* q = 1/4 of 1, 2, 3, 4 at w = 2.5: mean of .75 * 1.5, .75 * .5, .25 * .5, .25 * 1.5; slope by w
 * (2 * .75 - 2 * .25) / 4. */
TEST(loss)
{
    static const double xs[4] = {0, 0, 0, 0}, ys[4] = {1, 2, 3, 4};
    const double w = 2.5;
    double value = 0, slope = 0, by_sample[4] = {0};
    dyn_array *x = NULL, *y = NULL;
    quantile u = {NULL, 0.25};
    dyn_objective *o = NULL;

    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, (int64_t[]){4, 1}, xs, &x));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, (int64_t[]){4}, ys, &y));
    CHECK_OK(ctx, dyn_model_create(ctx, constant_model, NULL, &u.model));
    CHECK_OK(ctx, pinball_objective(ctx, &u, x, y, &o));
    CHECK_OK(ctx, dyn_objective_gradient(o, &w, &slope, &value));
    CHECK_NEAR(value, (0.75 * 1.5 + 0.75 * 0.5 + 0.25 * 0.5 + 0.25 * 1.5) / 4, 1e-15);
    CHECK_NEAR(slope, 0.25, 1e-15);
    CHECK_OK(ctx, dyn_objective_sample_gradients(o, &w, by_sample));
    CHECK(by_sample[0] == 0.75 && by_sample[1] == 0.75 && by_sample[2] == -0.25 && by_sample[3] == -0.25);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
    dyn_array_unref(x);
    dyn_array_unref(y);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(primitives);
    RUN(plan);
    RUN(reference_backend);
    RUN(loss);
    dyn_ctx_free(ctx);
    return test_end();
}
