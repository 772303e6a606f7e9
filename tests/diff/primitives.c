/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every primitive of the list, on every sample it brings: tangents to third order against four-point differences,
 * adjoint identity at each order, Hessian symmetry, reverse over reverse against forward over reverse, third order in
 * reverse, Gauss-Newton product, batching (also of the gradient, and twice) against a loop, closure. A primitive
 * without a sample fails. */
#include "tests/diff/problem.h"
#include "tests/test.h"

#include <stdlib.h>

enum { BATCH = 3 };
static const double exact = 1e-12;      /* two ways to the same number */
static const double quotient = 2e-9;    /* against a difference quotient */

static dyn_ctx *ctx;
static char place[64];

#define EXPECT(what, error, tolerance)                                                       \
    do {                                                                                     \
        const double error_ = (error);                                                       \
        if (!(error_ <= (tolerance)))                                                        \
            TEST_FAIL("%s: %s: error %.3g, expected at most %g", place, (what), error_, (tolerance)); \
    } while (0)

/* ---- what a primitive must bring ---- */

/* What is missing for op to be differentiated any number of times and batched; NULL if nothing. */
static const char *missing(const dyn__op *op)
{
    if (!op->name || !op->infer)
        return "name or shape rule";
    if (!op->sample)
        return "sample";
    if (op->nin > 0 && !op->jvp && !op->linear)
        return "tangent rule";
    if (op->linear && !op->transpose)
        return "transpose rule";
    if (op->nin > 0 && op->kernel < 0 && !op->batch)
        return "batching rule";
    return NULL;
}

TEST(every_primitive_is_complete)
{
    for (int i = 0; i < DYN__OP_COUNT; i++) {
        const char *what = missing(dyn__ops[i]);
        if (what)
            TEST_FAIL("%s has no %s", dyn__ops[i]->name, what);
    }
}

/* Every node of the graph is one of the list and complete: what was emitted can be differentiated again. */
static void check_closure(const problem *p)
{
    for (int32_t x = 0; x < p->g->count; x++) {
        const int32_t op = dyn__at(p->g, x)->op;
        if (op < 0 || op >= DYN__OP_COUNT || missing(dyn__ops[op]))
            TEST_FAIL("%s: node %d of op %d cannot be differentiated", place, (int)x, (int)op);
    }
}

/* ---- derivatives ---- */

/* J v against differences, J^T ct against J v; returns J v as a function of the same inputs. */
static function check_first_order(problem *p, const function *f, const char *what)
{
    dyn_node v[MAX_X], dx[MAX_X];
    function d = *f;
    dyn_node ct = problem_cotangent(p, f);

    problem_directions(p, f, v);
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &f->y, f->n, f->x, v, &d.y));
    CHECK_OK(ctx, dyn_graph_vjp(p->g, 1, &f->y, &ct, f->n, f->x, dx));
    EXPECT(what, tangent_error(p, f, v, d.y), quotient);
    EXPECT(what, adjoint_error(p, f, v, d.y, ct, dx), exact);
    return d;
}

static void check_orders(problem *p, const function *f)
{
    if (dyn__at(p->g, f->y)->op == DYN__OP_stop)    /* its derivative is not that of its values: see below */
        return;
    function first = check_first_order(p, f, "first derivative");
    function second = check_first_order(p, &first, "second derivative");

    check_first_order(p, &second, "third derivative");
}

/* H u, three ways, and H as a symmetric form, of <ct, y>. */
static void check_hessian(problem *p, const function *f)
{
    dyn_node u[MAX_X], v[MAX_X], hu[MAX_X], hv[MAX_X], gradient[MAX_X], again[MAX_X];
    dyn_node ct = problem_cotangent(p, f), loss = problem_inner(p, 1, &ct, &f->y);

    problem_directions(p, f, u);
    problem_directions(p, f, v);
    CHECK_OK(ctx, dyn_graph_hvp(p->g, loss, f->n, f->x, u, hu));
    CHECK_OK(ctx, dyn_graph_hvp(p->g, loss, f->n, f->x, v, hv));
    CHECK_OK(ctx, dyn_graph_gradient(p->g, loss, f->n, f->x, gradient));
    CHECK_OK(ctx, dyn_graph_gradient(p->g, problem_inner(p, f->n, gradient, u), f->n, f->x, again));
    dyn_node vhu = problem_inner(p, f->n, v, hu), uhv = problem_inner(p, f->n, u, hv);
    EXPECT("Hessian symmetry", problem_distance(p, vhu, uhv), exact);
    for (int32_t i = 0; i < f->n; i++)
        EXPECT("reverse over reverse", problem_distance(p, again[i], hu[i]), exact);
}

/* The gradient of u H v along w against three tangents of <ct, y>. */
static void check_third_in_reverse(problem *p, const function *f)
{
    dyn_node u[MAX_X], v[MAX_X], w[MAX_X], hu[MAX_X], third[MAX_X], a = -1, b = -1, c = -1;
    dyn_node ct = problem_cotangent(p, f), loss = problem_inner(p, 1, &ct, &f->y);

    problem_directions(p, f, u);
    problem_directions(p, f, v);
    problem_directions(p, f, w);
    CHECK_OK(ctx, dyn_graph_hvp(p->g, loss, f->n, f->x, u, hu));
    CHECK_OK(ctx, dyn_graph_gradient(p->g, problem_inner(p, f->n, hu, v), f->n, f->x, third));
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &loss, f->n, f->x, u, &a));
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &a, f->n, f->x, v, &b));
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &b, f->n, f->x, w, &c));
    EXPECT("third derivative in reverse", problem_distance(p, problem_inner(p, f->n, third, w), c), exact);
}

/* For sum e^y the Gauss-Newton matrix is J^T diag(e^y) J. (A loss of |y|^2 would not do: (-x)^2 is made as x^2 and
 * leaves y out.) */
static void check_gauss_newton(problem *p, const function *f)
{
    dyn_node v[MAX_X], product[MAX_X], expected[MAX_X], moved = -1;
    const dyn__shape shape = dyn__at(p->g, f->y)->shape;
    dyn_node e = dyn_graph_exp(p->g, f->y), one = dyn__splat(p->g, 1, &shape), loss = problem_inner(p, 1, &e, &one);

    problem_directions(p, f, v);
    CHECK_OK(ctx, dyn_graph_ggn(p->g, loss, f->y, f->n, f->x, v, product));
    CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &f->y, f->n, f->x, v, &moved));
    dyn_node curved = dyn_graph_mul(p->g, e, moved);
    CHECK_OK(ctx, dyn_graph_vjp(p->g, 1, &f->y, &curved, f->n, f->x, expected));
    for (int32_t i = 0; i < f->n; i++)
        EXPECT("Gauss-Newton product", problem_distance(p, product[i], expected[i]), exact);
}

/* ---- batching ---- */

/* f with a leading axis for the inputs in mask; the batched inputs are the inputs of the result. */
static function check_batch(problem *p, const function *f, uint32_t mask, const char *what)
{
    dyn_node from[MAX_X], to[MAX_X], w[MAX_X];
    function b = {.y = -1};

    for (int32_t i = 0; i < f->n; i++) {
        if (!(mask >> i & 1))
            continue;
        const dyn__shape s = dyn__shape_lead(&dyn__at(p->g, f->x[i])->shape, BATCH);
        w[i] = problem_input(p, &s, 0.2, 1.8);
        from[b.n] = f->x[i];
        to[b.n] = b.x[b.n] = w[i];
        b.n++;
    }
    CHECK_OK(ctx, dyn_graph_batch(p->g, BATCH, 1, &f->y, b.n, from, to, &b.y));
    EXPECT(what, batch_error(p, f, mask, BATCH, w, b.y), exact);
    return b;
}

/* The gradient of <ct, y> in x[i], as a function of all x and ct. */
static function gradient_of(problem *p, const function *f, int32_t i)
{
    function d = *f;
    dyn_node dx[MAX_X];
    dyn_node ct = problem_cotangent(p, f);

    CHECK_OK(ctx, dyn_graph_vjp(p->g, 1, &f->y, &ct, f->n, f->x, dx));
    d.y = dx[i];
    d.x[d.n++] = ct;
    return d;
}

static void check_batching(problem *p, const function *f)
{
    for (uint32_t mask = 1; mask < 1u << f->n; mask++) {
        function once = check_batch(p, f, mask, "batch");
        check_batch(p, &once, (1u << once.n) - 1, "batch of a batch");
    }
    for (int32_t i = 0; i < f->n; i++) {
        function d = gradient_of(p, f, i);
        for (uint32_t mask = 1; mask < 1u << d.n; mask++)
            check_batch(p, &d, mask, "batch of the gradient");
    }
}

static void check_sample(problem *p, const function *f)
{
    check_orders(p, f);
    check_hessian(p, f);
    check_third_in_reverse(p, f);
    check_gauss_newton(p, f);
    check_batching(p, f);
    check_closure(p);
}

TEST(every_primitive)
{
    for (int i = 0; i < DYN__OP_COUNT; i++) {
        int k = 0;
        for (;; k++) {
            problem p;
            function f;
            problem_new(&p, ctx, DYN_F64);
            const int given = dyn__ops[i]->sample && problem_sample(&p, dyn__ops[i], k, &f);
            snprintf(place, sizeof place, "%s, case %d", dyn__ops[i]->name, k);
            if (given)
                check_sample(&p, &f);
            problem_free(&p);
            if (!given)
                break;
        }
        if (k == 0)
            TEST_FAIL("%s has no sample", dyn__ops[i]->name);
    }
}

TEST(stop_has_no_derivative)
{
    problem p;
    function f;
    double c = 1;

    problem_new(&p, ctx, DYN_F64);
    CHECK(problem_sample(&p, dyn__ops[DYN__OP_stop], 0, &f));
    dyn_node v, dx = -1, dy = -1, ct = problem_cotangent(&p, &f);
    problem_directions(&p, &f, &v);
    CHECK_OK(ctx, dyn_graph_jvp(p.g, 1, &f.y, 1, f.x, &v, &dy));
    CHECK(dyn__is_constant(p.g, dy, &c) && c == 0);
    CHECK_OK(ctx, dyn_graph_vjp(p.g, 1, &f.y, &ct, 1, f.x, &dx));
    CHECK(dyn__is_constant(p.g, dx, &c) && c == 0);
    problem_free(&p);
}

/* ---- the checks can fail ---- */

static function tanh_sample(problem *p)
{
    function f = {.y = -1};

    problem_new(p, ctx, DYN_F64);
    CHECK(problem_sample(p, dyn__ops[DYN__OP_tanh], 0, &f));
    return f;
}

TEST(wrong_signs_are_found)
{
    problem p;
    function f = tanh_sample(&p);
    dyn_node v, dy = -1, dx = -1, ct = problem_cotangent(&p, &f);

    problem_directions(&p, &f, &v);
    CHECK_OK(ctx, dyn_graph_jvp(p.g, 1, &f.y, 1, f.x, &v, &dy));
    CHECK_OK(ctx, dyn_graph_vjp(p.g, 1, &f.y, &ct, 1, f.x, &dx));
    dyn_node wrong_dy = dyn_graph_neg(p.g, dy), wrong_dx = dyn_graph_neg(p.g, dx);
    CHECK(tangent_error(&p, &f, &v, dy) < quotient && tangent_error(&p, &f, &v, wrong_dy) > 0.1);
    CHECK(adjoint_error(&p, &f, &v, dy, ct, &dx) < exact && adjoint_error(&p, &f, &v, dy, ct, &wrong_dx) > 0.1);
    CHECK(tangent_error(&p, &f, &v, dyn_graph_scale(p.g, dy, 1 + 1e-7)) > quotient);
    problem_free(&p);
}

TEST(wrong_batches_are_found)
{
    problem p;
    function f = tanh_sample(&p);
    const dyn__shape s = dyn__shape_lead(&dyn__at(p.g, f.y)->shape, BATCH);
    dyn_node w = problem_input(&p, &s, 0.2, 1.8), out = -1;

    CHECK_OK(ctx, dyn_graph_batch(p.g, BATCH, 1, &f.y, 1, f.x, &w, &out));
    CHECK(batch_error(&p, &f, 1, BATCH, &w, out) < exact);
    CHECK(batch_error(&p, &f, 1, BATCH, &w, dyn_graph_neg(p.g, out)) > 0.1);
    CHECK(!(batch_error(&p, &f, 1, BATCH, &w, f.y) <= 1));
    problem_free(&p);
}

TEST(incomplete_primitives_are_found)
{
    dyn__op op = *dyn__ops[DYN__OP_sum];

    CHECK(missing(&op) == NULL);
    op.transpose = NULL;
    CHECK(missing(&op) != NULL);
    op = *dyn__ops[DYN__OP_tanh];
    op.sample = NULL;
    CHECK(missing(&op) != NULL);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(every_primitive_is_complete);
    RUN(every_primitive);
    RUN(stop_has_no_derivative);
    RUN(wrong_signs_are_found);
    RUN(wrong_batches_are_found);
    RUN(incomplete_primitives_are_found);
    dyn_ctx_free(ctx);
    return test_end();
}
