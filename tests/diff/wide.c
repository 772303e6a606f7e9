/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wide layers against the oracle: what runs strip by strip of columns, with several tiles and chunks, widths that are
 * no multiple of anything, and things between the layers that must be whole: softmax over the columns, a slice of them,
 * the columns as another shape. Value, gradient, Hessian product and a block of directions. */
#include "tests/diff/compiled.h"
#include "tests/test.h"

enum { SETS = 3 };

static dyn_ctx *ctx;
static size_t least;          /* the first of the sizes that are tried */

typedef struct sizes { int64_t rows, in, first, second; } sizes;
typedef dyn_node (*between)(dyn_graph *g, dyn_node h);
typedef function (*network)(problem *p, const sizes *s, between f);

static dyn_node nothing(dyn_graph *g, dyn_node h)
{
    (void)g;
    return h;
}

static dyn_node softmax(dyn_graph *g, dyn_node h)
{
    const dyn__shape s = dyn__at(g, h)->shape, column = {2, {s.dim[0], 1}};
    dyn_node lse = dyn_graph_reshape(g, dyn_graph_logsumexp(g, h), 2, column.dim);

    return dyn_graph_mul(g, h, dyn_graph_exp(g, dyn_graph_sub(g, h, lse)));
}

static dyn_node columns_from_5(dyn_graph *g, dyn_node h)
{
    const int64_t *dim = dyn__at(g, h)->shape.dim, start[] = {0, 5}, size[] = {dim[0], dim[1] - 5};

    return dyn_graph_mul(g, dyn_graph_slice(g, h, start, size), dyn_graph_slice(g, h, (int64_t[]){0, 0}, size));
}

/* As [rows, 2, columns/2], the halves multiplied, back to a matrix of half the columns. */
static dyn_node halves(dyn_graph *g, dyn_node h)
{
    const int64_t rows = dyn__at(g, h)->shape.dim[0], half = dyn__at(g, h)->shape.dim[1] / 2;
    const int64_t size[] = {rows, 1, half};
    dyn_node cube = dyn_graph_reshape(g, h, 3, (int64_t[]){rows, 2, half});
    dyn_node a = dyn_graph_slice(g, cube, (int64_t[]){0, 0, 0}, size);
    dyn_node b = dyn_graph_slice(g, cube, (int64_t[]){0, 1, 0}, size);

    return dyn_graph_reshape(g, dyn_graph_mul(g, a, dyn_graph_sin(g, b)), 2, (int64_t[]){rows, half});
}

static dyn_node all_but_5_columns(dyn_graph *g, dyn_node h)
{
    const int64_t *dim = dyn__at(g, h)->shape.dim;

    return dyn_graph_slice(g, h, (int64_t[]){0, 0}, (int64_t[]){dim[0], dim[1] - 5});
}

static dyn_node matrix(problem *p, int64_t rows, int64_t columns)
{
    const dyn__shape s = {2, {rows, columns}};
    const double most = 2 / sqrt((double)rows);

    return problem_input(p, &s, -most, most);
}

/* mean over rows of (tanh(f(tanh(x W + b)) V) a)^2, as a function of W, b, V, a */
static function perceptron(problem *p, const sizes *s, between f)
{
    dyn_node x = matrix(p, s->rows, s->in);
    function fn = {.n = 4, .x = {matrix(p, s->in, s->first), matrix(p, 1, s->first)}};
    dyn_node h = dyn_graph_tanh(p->g, dyn_graph_add(p->g, dyn_graph_matmul(p->g, x, fn.x[0], 0, 0), fn.x[1]));
    dyn_node k = f(p->g, h);

    fn.x[2] = matrix(p, dyn__at(p->g, k)->shape.dim[1], s->second);
    fn.x[3] = matrix(p, s->second, 1);
    k = dyn_graph_tanh(p->g, dyn_graph_matmul(p->g, k, fn.x[2], 0, 0));
    k = dyn_graph_matmul(p->g, k, fn.x[3], 0, 0);
    fn.y = dyn_graph_mean(p->g, dyn_graph_mul(p->g, k, k));
    return fn;
}

/* mean over rows and columns of tanh(x U + f(h) V)^2 where h = tanh(x W + b): x U goes strip by strip
 * with h, and the product that is added to it comes behind all of h. */
static function cell(problem *p, const sizes *s, between f)
{
    dyn_node x = matrix(p, s->rows, s->in);
    function fn = {.n = 4, .x = {matrix(p, s->in, s->first), matrix(p, 1, s->first), matrix(p, s->in, s->second)}};
    dyn_node h = dyn_graph_tanh(p->g, dyn_graph_add(p->g, dyn_graph_matmul(p->g, x, fn.x[0], 0, 0), fn.x[1]));
    dyn_node u = dyn_graph_matmul(p->g, x, fn.x[2], 0, 0), k = f(p->g, h);

    fn.x[3] = matrix(p, dyn__at(p->g, k)->shape.dim[1], s->second);
    k = dyn_graph_tanh(p->g, dyn_graph_add(p->g, u, dyn_graph_matmul(p->g, k, fn.x[3], 0, 0)));
    fn.y = dyn_graph_mean(p->g, dyn_graph_mul(p->g, k, k));
    return fn;
}

static void check(const sizes *s, int32_t dtype, network make, between f)
{
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn_node v[MAX_X], w[MAX_X], out[1 + 3 * MAX_X];
    problem p;

    problem_new(&p, ctx, dtype);
    function fn = make(&p, s, f);
    problem_directions(&p, &fn, v);
    out[0] = fn.y;
    CHECK_OK(ctx, dyn_graph_gradient(p.g, fn.y, fn.n, fn.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(p.g, fn.y, fn.n, fn.x, v, out + 5));
    for (int i = 0; i < fn.n; i++) {
        const dyn__shape block = dyn__shape_lead(&dyn__at(p.g, v[i])->shape, SETS);
        w[i] = problem_input(&p, &block, -1, 1);
    }
    CHECK_OK(ctx, dyn_graph_batch(p.g, SETS, fn.n, out + 5, fn.n, v, w, out + 9));
    for (opt.unfused = 0; opt.unfused < 2; opt.unfused++)
        for (int32_t count = 5; count <= 13; count += 8) {
            const double error = compiled_error(&p, count, out, &opt);
            if (!(error <= (dtype == DYN_F64 ? 1e-12 : 1e-4)))
                TEST_FAIL("%d x %d x %d x %d, %d outputs, unfused %d: error %.3g: %s", (int)s->rows, (int)s->in,
                          (int)s->first, (int)s->second, (int)count, (int)opt.unfused, error, dyn_ctx_message(ctx));
        }
    problem_free(&p);
}

static void check_all(between f)
{
    static const sizes all[] = {{1, 2, 530, 12}, {37, 3, 531, 130}, {21, 1, 1024, 1}, {70, 10, 515, 1}};

    for (size_t i = least; i < sizeof all / sizeof all[0]; i++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++)
            check(&all[i], dtype, perceptron, f);
}

TEST(nothing_between) { check_all(nothing); }
TEST(softmax_between) { check_all(softmax); }
TEST(slice_between) { check_all(columns_from_5); }
/* The gradient of a square W may be cut along its rows or along its columns. */
TEST(square_weights)
{
    check(&(sizes){37, 3, 531, 531}, DYN_F64, perceptron, nothing);
    check(&(sizes){37, 3, 531, 531}, DYN_F64, cell, nothing);
}
/* Enough rows for clusters of one layer each. */
TEST(stored_between) { check(&(sizes){400, 3, 531, 532}, DYN_F64, perceptron, nothing); }
TEST(shape_between) { check(&(sizes){37, 3, 1060, 300}, DYN_F64, perceptron, halves); }
TEST(sum_of_two_groups) { check(&(sizes){37, 3, 531, 531}, DYN_F64, cell, all_but_5_columns); }

static int run_with(int32_t isa)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;

    opt.isa = isa;
    if (dyn_ctx_create(&opt, &ctx) != DYN_OK)
        return 0;
    least = isa == DYN_ISA_AUTO ? 0 : 2;
    RUN(nothing_between);
    if (isa == DYN_ISA_AUTO) {      /* what stands between the layers is the same for all */
        RUN(softmax_between);
        RUN(slice_between);
        RUN(square_weights);
        RUN(stored_between);
        RUN(shape_between);
        RUN(sum_of_two_groups);
    }
    dyn_ctx_free(ctx);
    return 1;
}

int main(void)
{
    if (!run_with(DYN_ISA_AUTO) || !run_with(DYN_ISA_VECTOR) || !run_with(DYN_ISA_REFERENCE))
        return 1;
    run_with(DYN_ISA_AVX2);         /* where the CPU has it */
    return test_end();
}
