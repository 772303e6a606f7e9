/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random networks with layers so wide that they go strip by strip, many with their columns shared out: layers of few or
 * many units in any order, square weights among them, with a bias or a sum with the layer before, activations,
 * softmax. Loss, gradient and Hessian product against the oracle. */
#include "tests/diff/compiled.h"
#include "tests/test.h"

#include "tests/diff/draw.h"

static dyn_ctx *ctx;

typedef struct maker { problem p; function f; drawing drawing; } maker;

static int64_t draw(maker *m, int64_t limit) { return draw_from(&m->drawing, limit); }

static int64_t columns_of(const maker *m, dyn_node x) { return dyn__at(m->p.g, x)->shape.dim[1]; }

static dyn_node matrix(maker *m, int64_t rows, int64_t columns)
{
    const dyn__shape s = {2, {rows, columns}};
    const double most = 2 / sqrt((double)rows);

    return problem_input(&m->p, &s, -most, most);
}

/* The function has the matrix as an argument, as long as there is room. */
static dyn_node parameter(maker *m, int64_t rows, int64_t columns)
{
    dyn_node x = matrix(m, rows, columns);

    if (m->f.n < MAX_X)
        m->f.x[m->f.n++] = x;
    return x;
}

static dyn_node softmax(dyn_graph *g, dyn_node h)
{
    const int64_t rows = dyn__at(g, h)->shape.dim[0];
    dyn_node lse = dyn_graph_reshape(g, dyn_graph_logsumexp(g, h), 2, (int64_t[]){rows, 1});

    return dyn_graph_exp(g, dyn_graph_sub(g, h, lse));
}

static dyn_node activation(maker *m, dyn_node z)
{
    dyn_graph *g = m->p.g;

    switch (draw(m, 6)) {
    case 0: return z;
    case 1: return dyn_graph_sin(g, z);
    case 2: return softmax(g, z);
    case 3: return dyn_graph_mul(g, z, dyn_graph_tanh(g, z));
    default: return dyn_graph_tanh(g, z);
    }
}

static dyn_node layer(maker *m, dyn_node h, int64_t columns)
{
    dyn_graph *g = m->p.g;
    dyn_node z = dyn_graph_matmul(g, h, parameter(m, columns_of(m, h), columns), 0, 0);

    if (draw(m, 2))
        z = dyn_graph_add(g, z, parameter(m, 1, columns));
    z = activation(m, z);
    return columns == columns_of(m, h) && draw(m, 2) ? dyn_graph_add(g, z, h) : z;
}

static void make(maker *m, uint32_t number, int32_t dtype)
{
    static const int64_t rows[] = {1, 5, 21, 70, 141}, widths[] = {1, 20, 259, 530, 530};
    const int64_t wide = widths[3];

    *m = (maker){.drawing = {.seed = 4, .number = number}};
    problem_new(&m->p, ctx, dtype);
    dyn_node h = matrix(m, rows[draw(m, 5)], widths[draw(m, 5)]);
    h = layer(m, h, wide);
    for (int64_t more = 1 + draw(m, 2); more > 0; more--)
        h = layer(m, h, widths[draw(m, 5)]);
    m->f.y = dyn_graph_mean(m->p.g, dyn_graph_mul(m->p.g, h, h));
}

static void check(uint32_t number, int32_t dtype)
{
    const dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn_node v[MAX_X], out[1 + 2 * MAX_X];
    maker m;

    make(&m, number, dtype);
    problem_directions(&m.p, &m.f, v);
    out[0] = m.f.y;
    CHECK_OK(ctx, dyn_graph_gradient(m.p.g, m.f.y, m.f.n, m.f.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(m.p.g, m.f.y, m.f.n, m.f.x, v, out + 1 + m.f.n));
    const double error = compiled_error(&m.p, 1 + 2 * m.f.n, out, &opt);
    if (!(error <= (dtype == DYN_F64 ? 1e-11 : 1e-4)))
        TEST_FAIL("network %u, %s: error %.3g: %s", number, dtype == DYN_F64 ? "float64" : "float32", error,
                  dyn_ctx_message(ctx));
    problem_free(&m.p);
}

TEST(float64)
{
    for (uint32_t i = 0; i < 30; i++)
        check(i, DYN_F64);
}

TEST(float32)
{
    for (uint32_t i = 30; i < 50; i++)
        check(i, DYN_F32);
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
