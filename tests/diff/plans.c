/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans against the oracle: every primitive's samples with their derivatives and batches, float64 and float32, fused
 * and unfused, alone and all outputs at once, with the best kernels and with the reference. */
#include "tests/diff/compiled.h"
#include "tests/test.h"

enum { MOST = 64, BATCH = 3 };

static dyn_ctx *ctx;
static char place[64];

/* ---- what is compiled ---- */

typedef struct outputs {
    int32_t n;
    dyn_node node[MOST];
} outputs;

static void add(outputs *o, int32_t n, const dyn_node *x)
{
    for (int32_t i = 0; i < n && o->n < MOST; i++)
        o->node[o->n++] = x[i];
}

/* Value, tangent, cotangents, Hessian product of a function. */
static void add_derivatives(problem *p, const function *f, outputs *o)
{
    dyn_node v[MAX_X], dx[MAX_X], hv[MAX_X], dy = -1, ct = problem_cotangent(p, f);
    dyn_node square = dyn_graph_mul(p->g, f->y, f->y), loss = problem_inner(p, 1, &ct, &square);

    problem_directions(p, f, v);
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &f->y, f->n, f->x, v, &dy));
    CHECK_OK(ctx, dyn_graph_vjp(p->g, 1, &f->y, &ct, f->n, f->x, dx));
    CHECK_OK(ctx, dyn_graph_hvp(p->g, loss, f->n, f->x, v, hv));
    add(o, 1, &f->y);
    add(o, 1, &dy);
    add(o, f->n, dx);
    add(o, f->n, hv);
}

/* All of them with a leading axis on the first operand only, and on every operand. */
static void add_batches(problem *p, const function *f, outputs *o)
{
    const int32_t n = o->n;
    dyn_node w[MAX_X];
    outputs batched = {n, {0}};

    for (int32_t i = 0; i < f->n; i++) {
        const dyn__shape s = dyn__shape_lead(&dyn__at(p->g, f->x[i])->shape, BATCH);
        w[i] = problem_input(p, &s, 0.2, 1.8);
    }
    for (int32_t used = 1; used <= f->n; used += f->n > 1 ? f->n - 1 : 1) {
        CHECK_OK(ctx, dyn_graph_batch(p->g, BATCH, n, o->node, used, f->x, w, batched.node));
        add(o, n, batched.node);
    }
}

static void check_outputs(problem *p, const outputs *o, const dyn_plan_options *opt)
{
    const double tolerance = p->g->dtype == DYN_F64 ? 1e-13 : 3e-5;
    const double together = compiled_error(p, o->n, o->node, opt);

    if (!(together <= tolerance))
        TEST_FAIL("%s: all outputs: error %.3g: %s", place, together, dyn_ctx_message(ctx));
    for (int32_t i = 0; i < o->n; i++) {
        const double alone = compiled_error(p, 1, &o->node[i], opt);
        if (!(alone <= tolerance))
            TEST_FAIL("%s: output %d: error %.3g: %s", place, (int)i, alone, dyn_ctx_message(ctx));
    }
}

/* ---- tests ---- */

static int check_case(const dyn__op *op, int k, int32_t dtype, const dyn_plan_options *opt)
{
    problem p;
    function f;
    outputs o = {0, {0}};

    problem_new(&p, ctx, dtype);
    const int given = problem_sample(&p, op, k, &f);
    snprintf(place, sizeof place, "%s, case %d, %s, %s", op->name, k, dtype == DYN_F64 ? "float64" : "float32",
             opt->unfused ? "unfused" : "fused");
    if (given) {
        add_derivatives(&p, &f, &o);
        add_batches(&p, &f, &o);
        check_outputs(&p, &o, opt);
    }
    problem_free(&p);
    return given;
}

static void check_primitives(int32_t dtype, int32_t unfused)
{
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;

    opt.unfused = unfused;
    for (int i = 0; i < DYN__OP_COUNT; i++)
        for (int k = 0; check_case(dyn__ops[i], k, dtype, &opt); k++)
            ;
}

TEST(primitives_float64_fused) { check_primitives(DYN_F64, 0); }
TEST(primitives_float64_unfused) { check_primitives(DYN_F64, 1); }
TEST(primitives_float32_fused) { check_primitives(DYN_F32, 0); }
TEST(primitives_float32_unfused) { check_primitives(DYN_F32, 1); }

/* The comparison itself: an oracle with another number must be seen. */
TEST(a_wrong_number_is_found)
{
    problem p;
    function f;
    double wrong[6] = {9, 9, 9, 9, 9, 9};

    problem_new(&p, ctx, DYN_F64);
    CHECK(problem_sample(&p, dyn__ops[DYN__OP_tanh], 0, &f));
    interpret_set(&p.values, f.y, wrong);
    CHECK(compiled_error(&p, 1, &f.y, NULL) > 0.1);
    problem_free(&p);
}

static int run_with(int32_t isa)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;

    opt.isa = isa;
    if (dyn_ctx_create(&opt, &ctx) != DYN_OK)
        return 0;
    RUN(primitives_float64_fused);
    RUN(primitives_float64_unfused);
    RUN(primitives_float32_fused);
    RUN(primitives_float32_unfused);
    RUN(a_wrong_number_is_found);
    dyn_ctx_free(ctx);
    return 1;
}

int main(void)
{
    if (!run_with(DYN_ISA_AUTO) || !run_with(DYN_ISA_VECTOR) || !run_with(DYN_ISA_REFERENCE))
        return 1;
    return test_end();
}
