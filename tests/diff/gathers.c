/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows chosen by indices, as part of the cluster that reads them: an embedding with positions, what is unrolled
 * through time on it, an element picked from every computed row, a table that is computed itself. Value, gradient,
 * Hessian product and a block of directions against the oracle; no step of their own; the same bits from any number of
 * threads; an index out of range. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/diff/compiled.h"
#include "tests/test.h"

enum { SETS = 3, TABLE = 11 };

static dyn_ctx *ctx;

typedef struct sizes { int64_t n, length, width; } sizes;

static dyn_node indices(problem *p, int32_t rank, const int64_t *shape, int64_t limit)
{
    static double value[1 << 16];
    const int64_t size = dyn__shape_size(&(dyn__shape){rank, {shape[0], rank > 1 ? shape[1] : 1}});
    dyn_node x = dyn_graph_indices(p->g, "i", rank, shape);

    for (int64_t i = 0; i < size; i++)
        value[i] = (double)(i * i % 101 % limit);
    interpret_set(&p->values, x, value);
    return x;
}

static dyn_node matrix(problem *p, int64_t rows, int64_t columns)
{
    return problem_input(p, &(dyn__shape){2, {rows, columns}}, -1, 1);
}

static dyn_node cubes(dyn_graph *g, dyn_node x)
{
    return dyn_graph_mean(g, dyn_graph_mul(g, dyn_graph_mul(g, x, x), x));
}

/* Of the table and positions, and of W behind them. */
static function embedded(problem *p, sizes s)
{
    dyn_graph *g = p->g;
    function f = {.n = 3, .x = {matrix(p, TABLE, s.width), matrix(p, s.length, s.width), matrix(p, s.width, 3)}};
    dyn_node rows = dyn_graph_gather(g, f.x[0], indices(p, 2, (int64_t[]){s.n, s.length}, TABLE));

    f.y = cubes(g, dyn_graph_tanh(g, dyn_graph_matmul(g, dyn_graph_add(g, rows, f.x[1]), f.x[2], 0, 0)));
    return f;
}

/* Place after place: h = tanh(x_t + h W). */
static function unrolled(problem *p, sizes s)
{
    dyn_graph *g = p->g;
    function f = {.n = 2, .x = {matrix(p, TABLE, s.width), matrix(p, s.width, s.width)}};
    dyn_node rows = dyn_graph_gather(g, f.x[0], indices(p, 2, (int64_t[]){s.n, s.length}, TABLE));
    dyn_node h = problem_input(p, &(dyn__shape){2, {s.n, s.width}}, -1, 1);

    for (int64_t t = 0; t < s.length; t++) {
        dyn_node x = dyn_graph_slice(g, rows, (int64_t[]){0, t, 0}, (int64_t[]){s.n, 1, s.width});
        x = dyn_graph_reshape(g, x, 2, (int64_t[]){s.n, s.width});
        h = dyn_graph_tanh(g, dyn_graph_add(g, x, dyn_graph_matmul(g, h, f.x[1], 0, 0)));
    }
    f.y = cubes(g, h);
    return f;
}

/* Some elements of each row of tanh(x W). */
static function picked(problem *p, sizes s)
{
    dyn_graph *g = p->g;
    function f = {.n = 2, .x = {matrix(p, s.n, s.width), matrix(p, s.width, TABLE)}};
    dyn_node rows = dyn_graph_tanh(g, dyn_graph_matmul(g, f.x[0], f.x[1], 0, 0));

    f.y = cubes(g, dyn_graph_batched_gather(g, rows, indices(p, 2, (int64_t[]){s.n, s.length}, TABLE), 1));
    return f;
}

/* For each of n tables [TABLE, width] its own rows. */
static function own_tables(problem *p, sizes s)
{
    dyn_graph *g = p->g;
    function f = {.n = 1, .x = {problem_input(p, &(dyn__shape){3, {s.n, TABLE, s.width}}, -1, 1)}};
    dyn_node rows = dyn_graph_tanh(g, f.x[0]);

    f.y = cubes(g, dyn_graph_batched_gather(g, rows, indices(p, 2, (int64_t[]){s.n, s.length}, TABLE), 1));
    return f;
}

/* From a table that must be whole before a row of it is read. */
static function computed(problem *p, sizes s)
{
    dyn_graph *g = p->g;
    function f = {.n = 2, .x = {matrix(p, s.n, s.width), matrix(p, s.width, 3)}};
    dyn_node table = dyn_graph_matmul(g, dyn_graph_sin(g, f.x[0]), f.x[1], 0, 0);
    dyn_node rows = dyn_graph_gather(g, table, indices(p, 1, (int64_t[]){s.n * s.length}, s.n));

    f.y = cubes(g, dyn_graph_sin(g, rows));
    return f;
}

typedef struct shown { const char *name; function (*make)(problem *p, sizes s); int scatters; } shown;

static const shown networks[] = {{"embedded", embedded, 1}, {"unrolled", unrolled, 1}, {"picked", picked, 1},
                                 {"own tables", own_tables, 1}, {"computed", computed, 1}};

static void check(const shown *network, sizes s, int32_t dtype)
{
    dyn_node v[MAX_X], u[MAX_X], out[1 + 3 * MAX_X];
    problem p;

    problem_new(&p, ctx, dtype);
    function f = network->make(&p, s);
    problem_directions(&p, &f, v);
    out[0] = f.y;
    CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(p.g, f.y, f.n, f.x, v, out + 1 + f.n));
    for (int i = 0; i < f.n; i++) {
        const dyn__shape block = dyn__shape_lead(&dyn__at(p.g, v[i])->shape, SETS);
        u[i] = problem_input(&p, &block, -1, 1);
    }
    CHECK_OK(ctx, dyn_graph_batch(p.g, SETS, f.n, out + 1 + f.n, f.n, v, u, out + 1 + 2 * f.n));
    for (int unfused = 0; unfused < 2; unfused++) {
        dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
        opt.unfused = unfused;
        const double error = compiled_error(&p, 1 + 3 * f.n, out, &opt);
        if (!(error <= (dtype == DYN_F64 ? 1e-12 : 2e-4)))
            TEST_FAIL("%s, %d x %d of %d, unfused %d: error %.3g: %s", network->name, (int)s.n, (int)s.length,
                      (int)s.width, unfused, error, dyn_ctx_message(ctx));
    }
    problem_free(&p);
}

TEST(rows_by_index)
{
    static const sizes all[] = {{1, 1, 1}, {5, 3, 4}, {SETS, 2, 3}, {4, 1, 7}, {33, 5, 16}, {40, 3, 41}, {7, 2, 150}};

    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++) {
            check(&networks[i], all[j], DYN_F64);
            check(&networks[i], all[j], DYN_F32);
        }
}

/* The plan's steps of this name. */
static int steps_of(const dyn_plan *plan, const char *name)
{
    static char text[1 << 16], line[64];
    int count = 0;

    CHECK(dyn_plan_print(plan, text, sizeof text) < (int64_t)sizeof text);
    snprintf(line, sizeof line, ": %s", name);
    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
        count++;
    return count;
}

/* Loss and gradient: rows are read where they are wanted; only their gradients are added up in a step. */
TEST(no_step_of_their_own)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        dyn_node out[1 + MAX_X];
        dyn_plan *plan = NULL;
        problem p;

        problem_new(&p, ctx, DYN_F64);
        function f = networks[i].make(&p, (sizes){40, 3, 16});
        out[0] = f.y;
        CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
        CHECK_OK(ctx, dyn_plan_compile(p.g, 1 + f.n, out, NULL, &plan));
        CHECK(steps_of(plan, "gather") == 0);
        CHECK(steps_of(plan, "scatter") == networks[i].scatters);
        dyn_plan_unref(plan);
        problem_free(&p);
    }
}

/* Loss and gradient of the network with these kernels by so many threads; *size doubles, the caller frees them; NULL:
 * the CPU lacks the instructions. */
static double *results_of(const shown *network, int32_t isa, int32_t threads, int64_t *size)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *own = NULL;
    dyn_node out[1 + MAX_X];
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;
    problem p;

    opt.threads = threads;
    opt.isa = isa;
    if (dyn_ctx_create(&opt, &own) != DYN_OK)
        return NULL;
    problem_new(&p, own, DYN_F64);
    function f = network->make(&p, (sizes){700, 3, 40});
    out[0] = f.y;
    CHECK_OK(own, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
    CHECK_OK(own, dyn_plan_compile(p.g, 1 + f.n, out, NULL, &plan));
    CHECK_OK(own, dyn_exec_create(plan, &e));
    int64_t *index = NULL;
    for (int32_t i = 0; i < dyn_plan_inputs(plan); i++) {
        int32_t dtype = 0;
        const char *name = dyn_plan_input_name(plan, i);
        const int64_t n = dyn_plan_input_size(plan, i, &dtype);
        double *value = p.values.value[dyn_graph_find(p.g, name)];
        if (dtype == DYN_I64) {
            index = calloc((size_t)n, sizeof *index);
            for (int64_t k = 0; k < n; k++)
                index[k] = (int64_t)value[k];
        }
        CHECK_OK(own, dyn_exec_bind(e, name, dtype, n, dtype == DYN_I64 ? (void *)index : value));
    }
    *size = 0;
    for (int32_t i = 0; i <= f.n; i++)
        *size += dyn_plan_output_size(plan, i);
    double *result = calloc((size_t)*size, sizeof *result), *at = result;
    for (int32_t i = 0; i <= f.n; at += dyn_plan_output_size(plan, i++))
        CHECK_OK(own, dyn_exec_bind_output(e, i, DYN_F64, dyn_plan_output_size(plan, i), at));
    CHECK_OK(own, dyn_exec_run(e));
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    problem_free(&p);
    dyn_ctx_free(own);
    free(index);
    return result;
}

TEST(same_bits_from_any_threads)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        for (int32_t isa = DYN_ISA_AUTO; isa <= DYN_ISA_VECTOR; isa++) {
            int64_t size, again;
            double *one = results_of(&networks[i], isa, 1, &size), *three = results_of(&networks[i], isa, 3, &again);

            CHECK(!one == !three && (!one || (size == again && memcmp(one, three, (size_t)size * sizeof *one) == 0)));
            free(one);
            free(three);
        }
}

/* Rows 2, 3 (of three), 0, -1 of {{1, 2}, {3, 4}, {5, 6}}, and 1. */
TEST(out_of_range)
{
    static const double table[6] = {1, 2, 3, 4, 5, 6};
    static const int64_t index[4] = {2, 3, 0, -1};
    double y[8];
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node x = dyn_graph_input(g, "x", 2, (int64_t[]){3, 2}), i = dyn_graph_indices(g, "i", 1, (int64_t[]){4});
    dyn_node out = dyn_graph_add(g, dyn_graph_gather(g, x, i), dyn_graph_constant(g, 1, 0, NULL));
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &out, NULL, &plan));
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DYN_F64, 6, table));
    CHECK_OK(ctx, dyn_exec_bind(e, "i", DYN_I64, 4, index));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, 8, y));
    CHECK_OK(ctx, dyn_exec_run(e));
    CHECK(y[0] == 6 && y[1] == 7 && isnan(y[2]) && isnan(y[3]) && y[4] == 2 && y[5] == 3 && isnan(y[6]) && isnan(y[7]));
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(rows_by_index);
    RUN(no_step_of_their_own);
    RUN(same_bits_from_any_threads);
    RUN(out_of_range);
    dyn_ctx_free(ctx);
    return test_end();
}
