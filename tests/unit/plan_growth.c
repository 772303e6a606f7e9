/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making a graph, its gradient and a plan takes time that grows with the nodes, no faster: of many layers and of many
 * named inputs. Sizes four times as large may take nine times as long; a quadratic pass takes 16 times. What a plan for
 * the gradient through many slices of a tensor holds and copies grows with the tensor too, counted and not timed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <dyn/plan.h>
#include "tests/test.h"

enum { LAYERS = 1000, INPUTS = 20000, TIMES = 4, WIDTH = 8, ROWS = 16, MOST = 9, SLICES = 400, SIDE = 256, LOOKS = 6 };

static dyn_ctx *ctx;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dyn_node named(dyn_graph *g, char kind, int number, int32_t rank, const int64_t *shape)
{
    char name[32];

    snprintf(name, sizeof name, "%c%d", kind, number);
    return dyn_graph_input(g, name, rank, shape);
}

/* Seconds for loss and gradient of so many layers of tanh, as a plan. */
static double time_layers(int layers)
{
    const double start = now();
    const int64_t rows[] = {ROWS, WIDTH}, square[] = {WIDTH, WIDTH};
    dyn_node *x = calloc(4 * (size_t)layers + 1, sizeof *x);
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;

    if (!x)
        abort();
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F32, &g));
    dyn_node h = dyn_graph_input(g, "x", 2, rows);
    for (int i = 0; i < layers; i++) {
        x[2 * i] = named(g, 'W', i, 2, square);
        x[2 * i + 1] = named(g, 'b', i, 1, square);
        h = dyn_graph_tanh(g, dyn_graph_add(g, dyn_graph_matmul(g, h, x[2 * i], 0, 0), x[2 * i + 1]));
    }
    dyn_node loss = dyn_graph_mean(g, dyn_graph_mul(g, h, h));
    CHECK_OK(ctx, dyn_graph_gradient(g, loss, 2 * layers, x, x + 2 * layers));
    CHECK_OK(ctx, dyn_plan_compile(g, 2 * layers, x + 2 * layers, NULL, &plan));
    dyn_plan_unref(plan);
    dyn_graph_free(g);
    free(x);
    return now() - start;
}

/* Seconds for so many named inputs, found again, in a plan of their sum, and bound. */
static double time_inputs(int inputs)
{
    static double number;
    const double start = now();
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node sum = named(g, 'x', 0, 0, NULL);
    for (int i = 1; i < inputs; i++)
        sum = dyn_graph_add(g, sum, named(g, 'x', i, 0, NULL));
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &sum, NULL, &plan));
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK(dyn_plan_inputs(plan) == inputs);
    for (int32_t i = 0; i < dyn_plan_inputs(plan); i++) {
        CHECK(dyn_graph_find(g, dyn_plan_input_name(plan, i)) >= 0);
        CHECK_OK(ctx, dyn_exec_bind(e, dyn_plan_input_name(plan, i), DYN_F64, 1, &number));
    }
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
    return now() - start;
}

/* The least of three, since other work disturbs. */
static double least(double (*seconds)(int), int size)
{
    double best = seconds(size);

    for (int i = 0; i < 2; i++)
        best = fmin(best, seconds(size));
    return best;
}

/* Other work on the machine can only add to a time: one look within the bound will do, a quadratic pass has none. */
static void check_growth(const char *what, double (*seconds)(int), int size)
{
    double few = 0, many = 1;

    for (int look = 0; look < LOOKS && many > MOST * few; look++) {
        few = least(seconds, size);
        many = least(seconds, TIMES * size);
    }
    if (!(many <= MOST * few))
        TEST_FAIL("%d %s take %.3g s, %d take %.3g s", size, what, few, TIMES * size, many);
}

/* ---- slices ---- */

/* Bytes of a plan, and the instructions that it consists of. */
typedef struct amount { int64_t bytes, instructions; } amount;

static amount amount_of(dyn_graph *g, dyn_node y)
{
    amount a = {0, 0};
    dyn_plan *plan = NULL;

    CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, NULL, &plan));
    const int64_t length = dyn_plan_print(plan, NULL, 0);
    char *text = calloc((size_t)length + 1, 1);
    if (!text)
        abort();
    dyn_plan_print(plan, text, length + 1);
    for (const char *c = text; *c; c++)
        a.instructions += *c == '\n' && c[1] == ' ';
    a.bytes = dyn_plan_bytes(plan);
    free(text);
    dyn_plan_unref(plan);
    return a;
}

/* The gradient by x of the mean of all its rows, or columns, as so many slices, each through its own tanh. */
static amount of_slices(int slices, int columns)
{
    const int64_t shape[] = {columns ? SIDE : slices, columns ? slices : SIDE};
    const int64_t size[] = {columns ? SIDE : 1, columns ? 1 : SIDE};
    dyn_node sum = -1, gradient;
    dyn_graph *g = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F32, &g));
    const dyn_node x = dyn_graph_input(g, "x", 2, shape);
    for (int i = 0; i < slices; i++) {
        const int64_t start[] = {columns ? 0 : i, columns ? i : 0};
        const dyn_node y = dyn_graph_tanh(g, dyn_graph_scale(g, dyn_graph_slice(g, x, start, size), i + 1));
        sum = i ? dyn_graph_add(g, sum, y) : y;
    }
    CHECK_OK(ctx, dyn_graph_gradient(g, dyn_graph_mean(g, sum), 1, &x, &gradient));
    const amount a = amount_of(g, gradient);
    dyn_graph_free(g);
    return a;
}

TEST(slices)
{
    for (int columns = 0; columns <= 1; columns++) {
        const amount few = of_slices(SLICES, columns), many = of_slices(TIMES * SLICES, columns);
        if (many.bytes > 5 * few.bytes || many.instructions > 5 * few.instructions)
            TEST_FAIL("%d %s: %lld bytes, %lld instructions; %d: %lld, %lld", SLICES, columns ? "columns" : "rows",
                      (long long)few.bytes, (long long)few.instructions, TIMES * SLICES, (long long)many.bytes,
                      (long long)many.instructions);
    }
}

TEST(layers) { check_growth("layers", time_layers, LAYERS); }
TEST(inputs) { check_growth("inputs", time_inputs, INPUTS); }

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(layers);
    RUN(inputs);
    RUN(slices);
    dyn_ctx_free(ctx);
    return test_end();
}
