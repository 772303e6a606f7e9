/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What windows and random numbers are for. A convolution of two axes with padding, stride and dilation against loops,
 * with its derivatives against the oracle; slices with steps against their elements; a mask that is the same in a
 * function, its gradient and its Hessian product, each compiled on its own, and for any cut of the rows. */
#include "random/random.h"
#include "tests/diff/compiled.h"
#include "tests/test.h"

static dyn_ctx *ctx;

/* ---- convolution ---- */

enum { B = 2, H = 5, W = 6, C = 3, KH = 3, KW = 2, O = 4, STRIDE = 2, DILATION = 2, PAD = 1, P = 2, Q = 3 };

/* x [B, H, W, C] with w [KH, KW, C, O]: [B, P, Q, O] */
static dyn_node convolution(dyn_graph *g, dyn_node x, dyn_node w)
{
    x = dyn_graph_unfold(g, x, 1, KH, STRIDE, DILATION, PAD, PAD);      /* [B, P, KH, W, C] */
    x = dyn_graph_unfold(g, x, 3, KW, STRIDE, DILATION, PAD, PAD);      /* [B, P, KH, Q, KW, C] */
    x = dyn_graph_permute(g, x, (int32_t[]){0, 1, 3, 2, 4, 5});
    x = dyn_graph_reshape(g, x, 2, (int64_t[]){B * P * Q, KH * KW * C});
    w = dyn_graph_reshape(g, w, 2, (int64_t[]){KH * KW * C, O});
    return dyn_graph_reshape(g, dyn_graph_matmul(g, x, w, 0, 0), 4, (int64_t[]){B, P, Q, O});
}

static double convolved(const double *x, const double *w, int b, int p, int q, int o)
{
    double sum = 0;

    for (int i = 0; i < KH; i++)
        for (int j = 0; j < KW; j++) {
            const int r = p * STRIDE + i * DILATION - PAD, s = q * STRIDE + j * DILATION - PAD;
            for (int c = 0; r >= 0 && r < H && s >= 0 && s < W && c < C; c++)
                sum += x[((b * H + r) * W + s) * C + c] * w[((i * KW + j) * C + c) * O + o];
        }
    return sum;
}

TEST(convolution_of_two_axes)
{
    const dyn__shape xs = {4, {B, H, W, C}}, ws = {4, {KH, KW, C, O}};
    dyn_node v[2], out[5];
    problem p;

    problem_new(&p, ctx, DYN_F64);
    function f = {.n = 2, .x = {problem_input(&p, &xs, -1, 1), problem_input(&p, &ws, -1, 1)}};
    dyn_node y = convolution(p.g, f.x[0], f.x[1]);
    const double *value = interpret_value(&p.values, y), *x = p.values.value[f.x[0]], *w = p.values.value[f.x[1]];
    for (int i = 0; i < B * P * Q * O; i++)
        CHECK_NEAR(value[i], convolved(x, w, i / (P * Q * O), i / (Q * O) % P, i / O % Q, i % O), 1e-14);
    f.y = out[0] = dyn_graph_mean(p.g, dyn_graph_tanh(p.g, y));
    problem_directions(&p, &f, v);
    CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, 2, f.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(p.g, f.y, 2, f.x, v, out + 3));
    CHECK(compiled_error(&p, 5, out, NULL) <= 1e-13);
    problem_free(&p);
}

/* ---- slices ---- */

TEST(slices_with_steps)
{
    const dyn__shape s = {2, {5, 7}};
    problem p;

    problem_new(&p, ctx, DYN_F64);
    dyn_node x = problem_input(&p, &s, -1, 1);
    dyn_node y = dyn_graph_slice_step(p.g, x, (int64_t[]){4, 1}, (int64_t[]){3, 2}, (int64_t[]){-2, 4});
    const double *value = interpret_value(&p.values, y), *from = p.values.value[x];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2; j++)
            CHECK(value[2 * i + j] == from[(4 - 2 * i) * 7 + 1 + 4 * j]);
    CHECK(compiled_error(&p, 1, &y, NULL) == 0);
    CHECK(dyn_graph_slice_step(p.g, x, (int64_t[]){0, 0}, s.dim, (int64_t[]){1, 1}) == x);
    problem_free(&p);
}

/* ---- random numbers ---- */

enum { ROWS = 6, COLS = 5, SITE = 3 };

typedef struct masked { dyn_graph *g; dyn_node x, v, out[3]; } masked;

/* f = sum mask x^2 / 2, its gradient mask x and Hessian product mask v */
static masked make_masked(int64_t rows)
{
    masked m = {0};
    const int64_t shape[] = {rows, COLS};

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &m.g));
    dyn_node key = dyn_graph_indices(m.g, "key", 1, (int64_t[]){3});
    m.x = dyn_graph_input(m.g, "x", 2, shape);
    m.v = dyn_graph_input(m.g, "v", 2, shape);
    dyn_node mask = dyn_graph_bernoulli(m.g, key, SITE, 0.6, 2, shape);
    dyn_node square = dyn_graph_mul(m.g, dyn_graph_mul(m.g, m.x, m.x), mask);
    m.out[0] = dyn_graph_scale(m.g, dyn_graph_sum(m.g, square, 2, (int32_t[]){0, 1}), 0.5);
    CHECK_OK(ctx, dyn_graph_gradient(m.g, m.out[0], 1, &m.x, &m.out[1]));
    CHECK_OK(ctx, dyn_graph_hvp(m.g, m.out[0], 1, &m.x, &m.v, &m.out[2]));
    return m;
}

/* Output i of m, a plan of its own, at x = v = 1. */
static void run_masked(const masked *m, int i, const int64_t key[3], double *y)
{
    double ones[ROWS * COLS];
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;

    for (int j = 0; j < ROWS * COLS; j++)
        ones[j] = 1;
    CHECK_OK(ctx, dyn_plan_compile(m->g, 1, &m->out[i], NULL, &plan));
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    for (int32_t j = 0; j < dyn_plan_inputs(plan); j++) {
        const char *name = dyn_plan_input_name(plan, j);
        int32_t dtype;
        const int64_t size = dyn_plan_input_size(plan, j, &dtype);
        CHECK_OK(ctx, dyn_exec_bind(e, name, dtype, size, strcmp(name, "key") ? (const void *)ones : (const void *)key));
    }
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, dyn_plan_output_size(plan, 0), y));
    CHECK_OK(ctx, dyn_exec_run(e));
    dyn_exec_free(e);
    dyn_plan_unref(plan);
}

TEST(one_mask_in_all_derivatives)
{
    const int64_t key[3] = {42, 7, 2}, rest[3] = {42, 7, 4}, later[3] = {42, 8, 2};
    double u[ROWS * COLS], f, gradient[ROWS * COLS], product[ROWS * COLS], other[ROWS * COLS], sum = 0;
    masked m = make_masked(ROWS), part = make_masked(ROWS - 2);

    dyn__uniform_f64((dyn__key){42, DYN__STREAM_NODE, 7, SITE}, 2 * COLS, ROWS * COLS, u);
    run_masked(&m, 0, key, &f);
    run_masked(&m, 1, key, gradient);
    run_masked(&m, 2, key, product);
    for (int i = 0; i < ROWS * COLS; i++) {
        CHECK(gradient[i] == (u[i] < 0.6) && product[i] == gradient[i]);
        sum += gradient[i];
    }
    CHECK(f == sum / 2 && sum > 5 && sum < 28);
    run_masked(&part, 1, rest, other);      /* the last rows on their own */
    CHECK(!memcmp(other, gradient + 2 * COLS, (ROWS - 2) * COLS * sizeof *other));
    run_masked(&m, 1, later, other);
    CHECK(memcmp(other, gradient, sizeof other));
    dyn_graph_free(m.g);
    dyn_graph_free(part.g);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(convolution_of_two_axes);
    RUN(slices_with_steps);
    RUN(one_mask_in_all_derivatives);
    dyn_ctx_free(ctx);
    return test_end();
}
