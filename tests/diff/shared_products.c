/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random graphs of many products that share operands, layers and sums over rows alike, in every size class: which of
 * them run in one cluster, in strips, in chunks or with their columns shared out depends on sizes alone. Plans against
 * the oracle, each within a time limit that only a pass without an end could exceed. */
#include <unistd.h>
#include "tests/diff/compiled.h"
#include "tests/diff/draw.h"
#include "tests/test.h"

enum { SIZES = 30, PRODUCTS = 6, POOL = 3 + PRODUCTS, SECONDS = 60 };

static dyn_ctx *ctx;

/* Matrices over the same rows, and products of them so far. */
typedef struct maker {
    problem p;
    drawing d;
    int64_t rows;
    int32_t count, outputs;
    dyn_node pool[POOL], output[PRODUCTS];
} maker;

static const dyn__shape *shape_of(const maker *m, dyn_node x) { return &dyn__at(m->p.g, x)->shape; }
static dyn_node any(maker *m) { return m->pool[draw_from(&m->d, m->count)]; }

/* x^T y of two of the pool. */
static dyn_node sum_over_rows(maker *m)
{
    return dyn_graph_matmul(m->p.g, any(m), any(m), 1, 0);
}

/* x W, or tanh of it, joins the pool; W is new or, where it fits, the sum over rows last made. */
static dyn_node layer(maker *m, int64_t width)
{
    dyn_graph *g = m->p.g;
    dyn_node x = any(m), w = m->outputs ? m->output[m->outputs - 1] : -1;
    const int64_t in = shape_of(m, x)->dim[1];
    const double most = 2 / sqrt((double)in);

    if (w < 0 || shape_of(m, w)->dim[0] != in || draw_from(&m->d, 2))
        w = problem_input(&m->p, &(dyn__shape){2, {in, width}}, -most, most);
    dyn_node y = dyn_graph_matmul(g, x, w, 0, 0);
    m->pool[m->count++] = draw_from(&m->d, 2) ? dyn_graph_tanh(g, y) : y;
    return m->pool[m->count - 1];
}

static void make(maker *m, uint32_t number, int32_t dtype)
{
    static const int64_t rows[] = {1, 7, 64, 200, 400}, widths[] = {1, 20, 100, 200, 400, 531};

    *m = (maker){.d = {.seed = 11, .number = number}};
    problem_new(&m->p, ctx, dtype);
    m->rows = rows[number % 5];
    const int64_t width = widths[number / 5 % 6];
    for (int i = 0; i < 3; i++)
        m->pool[m->count++] = problem_input(&m->p, &(dyn__shape){2, {m->rows, width}}, -1, 1);
    while (m->outputs < PRODUCTS) {
        dyn_node y = draw_from(&m->d, 3) ? sum_over_rows(m) : layer(m, draw_from(&m->d, 3) ? width : 33);
        m->output[m->outputs++] = y;
    }
}

static void check(uint32_t number, int32_t dtype, double tolerance)
{
    maker m;

    make(&m, number, dtype);
    for (int unfused = 0; unfused < 2; unfused++) {
        dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
        opt.unfused = unfused;
        alarm(SECONDS);
        const double error = compiled_error(&m.p, m.outputs, m.output, &opt);
        alarm(0);
        if (!(error <= tolerance))
            TEST_FAIL("graph %u of %d rows, unfused %d: error %.3g: %s", number, (int)m.rows, unfused, error,
                      dyn_ctx_message(ctx));
    }
    problem_free(&m.p);
}

TEST(float64)
{
    for (uint32_t i = 0; i < SIZES; i++)
        check(i, DYN_F64, 1e-11);
}

TEST(float32)
{
    for (uint32_t i = 0; i < SIZES; i++)
        check(SIZES + i, DYN_F32, 1e-3);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(float64);
    RUN(float32);
    dyn_ctx_free(ctx);
    return test_end();
}
