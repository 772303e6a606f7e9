/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random graphs: a few inputs, then primitives drawn at random on nodes drawn at random, then the derivatives of the
 * whole. The plan must agree with the oracle, fused or not, in float64 and float32. */
#include "tests/diff/compiled.h"
#include "tests/test.h"

#include <stdlib.h>
#include <dyn/model.h>
#include "tests/diff/draw.h"

enum { STEPS = 24, POOL = 64 };

static dyn_ctx *ctx;

/* A growing graph. */
typedef struct maker {
    problem p;
    drawing drawing;
    int32_t count;
    dyn_node pool[POOL];
    function f;         /* x: the inputs */
} maker;

static int64_t draw(maker *m, int64_t limit) { return draw_from(&m->drawing, limit); }

static const dyn__node *at(const maker *m, dyn_node x) { return dyn__at(m->p.g, x); }
static dyn_node any(maker *m) { return m->pool[draw(m, m->count)]; }

static void keep(maker *m, dyn_node x)
{
    if (x >= 0 && m->count < POOL && dyn__shape_size(&at(m, x)->shape) <= 4096)
        m->pool[m->count++] = x;
}

/* ---- one random node each; a negative node means that the choice did not fit ---- */

/* Bounded, so that chains do not overflow. */
static dyn_node make_unary(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node x = any(m), small = dyn_graph_tanh(g, x);
    dyn_node positive = dyn_graph_add(g, dyn_graph_mul(g, small, small), dyn_graph_constant(g, 0.5, 0, NULL));

    switch (draw(m, 10)) {
    case 0: return dyn_graph_sin(g, x);
    case 1: return dyn_graph_cos(g, x);
    case 2: return dyn_graph_exp(g, small);
    case 3: return dyn_graph_expm1(g, small);
    case 4: return dyn_graph_log(g, positive);
    case 5: return dyn_graph_log1p(g, positive);
    case 6: return dyn_graph_sqrt(g, positive);
    case 7: return dyn_graph_pow(g, positive, 1.3);
    case 8: return dyn_graph_powi(g, small, 3);
    default: return dyn_graph_erf(g, x);
    }
}

static dyn_node make_activation(maker *m)
{
    static const int32_t smooth[] = {DYN_TANH, DYN_SIGMOID, DYN_GELU, DYN_GELU_TANH, DYN_SILU, DYN_SOFTPLUS};

    return dyn_graph_activation(m->p.g, smooth[draw(m, 6)], any(m));
}

static dyn_node make_binary(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node a = any(m), b = any(m), c = dyn_graph_constant(g, 2.5, 0, NULL);

    switch (draw(m, 5)) {
    case 0: return dyn_graph_add(g, a, b);
    case 1: return dyn_graph_sub(g, a, b);
    case 2: return dyn_graph_mul(g, a, dyn_graph_tanh(g, b));
    case 3: return dyn_graph_div(g, a, dyn_graph_add(g, c, dyn_graph_tanh(g, b)));
    default: return dyn_graph_neg(g, a);
    }
}

/* Conditions look at inputs only: rounding must not decide a branch. */
static dyn_node make_choice(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node x = m->f.x[draw(m, m->f.n)], limit = dyn_graph_constant(g, 0.1, 0, NULL);

    switch (draw(m, 3)) {
    case 0: return dyn_graph_select(g, dyn_graph_greater(g, x, limit), any(m), any(m));
    case 1: return dyn_graph_select(g, dyn_graph_greater_equal(g, limit, x), any(m), any(m));
    default: return dyn_graph_mul(g, any(m), dyn_graph_max(g, x, limit));
    }
}

static dyn_node make_product(maker *m)
{
    dyn_node a = any(m), b = any(m);

    return dyn_graph_scale(m->p.g, dyn_graph_matmul(m->p.g, a, b, (int32_t)draw(m, 2), (int32_t)draw(m, 2)), 0.3);
}

static dyn_node make_reduction(maker *m)
{
    dyn_node x = any(m);
    const int32_t rank = at(m, x)->shape.rank, axis = rank ? (int32_t)draw(m, rank) : 0;
    const int both = rank > 1 && draw(m, 3) == 0;

    if (rank == 0)
        return DYN_ENOTSUP;
    dyn_node y = dyn_graph_sum(m->p.g, x, both ? 2 : 1, both ? (int32_t[]){0, 1} : &axis);
    return dyn_graph_scale(m->p.g, y, 0.2);
}

static dyn_node make_amax(maker *m)
{
    dyn_node x = m->f.x[draw(m, m->f.n)];
    const int32_t axis = (int32_t)draw(m, at(m, x)->shape.rank);

    return dyn_graph_amax(m->p.g, x, 1, &axis);
}

/* The first axes as one. */
static dyn_node merged_axes(maker *m, dyn_node x)
{
    const dyn__shape s = at(m, x)->shape;
    int64_t shape[DYN_MAX_RANK] = {1, 1};
    const int32_t merged = s.rank > 1 ? 1 + (int32_t)draw(m, s.rank - 1) : 0;

    if (merged == 0)
        return DYN_ENOTSUP;
    for (int32_t i = 0; i < s.rank; i++)
        shape[i <= merged ? 0 : i - merged] = i > 0 && i <= merged ? shape[0] * s.dim[i] : s.dim[i];
    return dyn_graph_reshape(m->p.g, x, s.rank - merged, shape);
}

static dyn_node make_moved(maker *m)
{
    dyn_node x = any(m);
    const dyn__shape s = at(m, x)->shape;
    int64_t start[DYN_MAX_RANK] = {0}, size[DYN_MAX_RANK] = {0};
    int32_t axes[DYN_MAX_RANK];

    for (int32_t i = 0; i < s.rank; i++) {
        axes[i] = s.rank - 1 - i;
        start[i] = draw(m, s.dim[i]);
        size[i] = 1 + draw(m, s.dim[i] - start[i]);
    }
    switch (draw(m, 5)) {
    case 4: return merged_axes(m, x);
    case 0: return dyn_graph_permute(m->p.g, x, axes);
    case 1: return dyn_graph_slice(m->p.g, x, start, size);
    case 2: return dyn_graph_reshape(m->p.g, x, 1, (int64_t[]){dyn__shape_size(&s)});
    default: break;
    }
    for (int32_t i = 0; i < s.rank; i++)
        size[i] = s.dim[i] + start[i];
    return dyn_graph_pad(m->p.g, x, start, size);
}

/* Windows of an axis, back again, or every other element from the end. */
static dyn_node make_windows(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node x = any(m);
    const dyn__shape s = at(m, x)->shape;
    int64_t start[DYN_MAX_RANK] = {0}, size[DYN_MAX_RANK] = {0}, step[DYN_MAX_RANK] = {0};

    if (s.rank == 0)
        return DYN_ENOTSUP;
    const int32_t axis = (int32_t)draw(m, s.rank);
    const int64_t stride = 1 + draw(m, 3), dilation = 1 + draw(m, 2), before = draw(m, 3);
    for (int32_t i = 0; i < s.rank; i++) {
        step[i] = i == axis ? -2 : 1;
        start[i] = i == axis ? s.dim[i] - 1 : 0;
        size[i] = i == axis ? (s.dim[i] + 1) / 2 : s.dim[i];
    }
    if (draw(m, 3) == 0)
        return dyn_graph_slice_step(g, x, start, size, step);
    dyn_node w = dyn_graph_unfold(g, x, axis, 1 + draw(m, 3), stride, dilation, before, draw(m, 3));
    return draw(m, 2) ? w : dyn_graph_fold(g, dyn_graph_tanh(g, w), axis, s.dim[axis], stride, dilation, before);
}

static dyn_node make_joined(maker *m)
{
    dyn_node a = any(m), b = any(m);

    return at(m, a)->shape.rank ? dyn_graph_concat(m->p.g, a, b, (int32_t)draw(m, at(m, a)->shape.rank)) : DYN_ENOTSUP;
}

static dyn_node make_lead(maker *m)
{
    dyn_node x = any(m);

    return at(m, x)->shape.rank < 3 ? dyn__lead(m->p.g, x, 1 + draw(m, 3)) : DYN_ENOTSUP;
}

/* Indices into the rows of a node, some of them twice. */
static dyn_node make_rows(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node x = any(m);
    const int64_t n = 5;
    double index[5];
    char name[16];

    if (at(m, x)->shape.rank == 0)
        return DYN_ENOTSUP;
    for (int i = 0; i < n; i++)
        index[i] = (double)draw(m, at(m, x)->shape.dim[0]);
    snprintf(name, sizeof name, "i%d", (int)m->drawing.draws);
    dyn_node indices = dyn_graph_indices(g, name, 1, &n);
    if (indices < 0)
        return indices;
    interpret_set(&m->p.values, indices, index);
    dyn_node rows = dyn_graph_gather(g, x, indices);
    return draw(m, 2) ? rows : dyn_graph_scatter_add(g, dyn_graph_tanh(g, rows), indices, at(m, x)->shape.dim[0]);
}

/* One element of every row. */
static dyn_node make_picked(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node x = any(m);
    const dyn__shape s = at(m, x)->shape;
    double index[4096];
    char name[16];

    if (s.rank < 2)
        return DYN_ENOTSUP;
    for (int64_t i = 0; i < s.dim[0]; i++)
        index[i] = (double)draw(m, s.dim[1]);
    snprintf(name, sizeof name, "p%d", (int)m->drawing.draws);
    dyn_node indices = dyn_graph_indices(g, name, 1, s.dim);
    if (indices < 0)
        return indices;
    interpret_set(&m->p.values, indices, index);
    return dyn_graph_batched_gather(g, x, indices, 1);
}

static dyn_node (*const makers[])(maker *m) = {
    make_unary, make_activation, make_binary, make_binary, make_choice, make_product, make_product, make_reduction,
    make_amax, make_moved, make_windows, make_windows, make_joined, make_lead, make_rows, make_picked,
};

/* ---- the whole graph ---- */

/* Mean of tanh of every node that has no reader yet, so that all take part. */
static dyn_node loss_of(maker *m)
{
    dyn_graph *g = m->p.g;
    dyn_node loss = dyn_graph_constant(g, 0, 0, NULL);

    for (int32_t i = 0; i < m->count; i++)
        loss = dyn_graph_add(g, loss, dyn_graph_mean(g, dyn_graph_tanh(g, m->pool[i])));
    return loss;
}

static void make(maker *m, uint32_t number, int32_t dtype)
{
    static const int64_t rows[] = {1, 4, 7, 33, 80}, cols[] = {1, 3, 8, 17}, sets_of[] = {1, 2, 5};

    *m = (maker){.drawing = {.seed = 3, .number = number}};
    problem_new(&m->p, ctx, dtype);
    const int64_t r = rows[draw(m, 5)], c = cols[draw(m, 4)], d = cols[draw(m, 4)];
    const int64_t sets = sets_of[draw(m, 3)];
    const dyn__shape shape[MAX_X] = {{2, {r, c}}, {2, {c, d}}, {1, {d}}, {4, {sets, 2, 3, c}}};
    for (int i = 0; i < MAX_X; i++)
        keep(m, m->f.x[m->f.n++] = problem_input(&m->p, &shape[i], -1, 1));
    for (int i = 0; i < STEPS; i++)
        keep(m, makers[draw(m, sizeof makers / sizeof makers[0])](m));
    m->f.y = loss_of(m);
}

/* Loss, gradient, Hessian product. */
static int32_t derivatives_of(maker *m, dyn_node *out)
{
    dyn_node v[MAX_X], hv[MAX_X], dx[MAX_X];
    int32_t n = 0;

    problem_directions(&m->p, &m->f, v);
    CHECK_OK(ctx, dyn_graph_gradient(m->p.g, m->f.y, m->f.n, m->f.x, dx));
    CHECK_OK(ctx, dyn_graph_hvp(m->p.g, m->f.y, m->f.n, m->f.x, v, hv));
    out[n++] = m->f.y;
    for (int32_t i = 0; i < m->f.n; i++) {
        out[n++] = dx[i];
        out[n++] = hv[i];
    }
    return n;
}

static void check_graph(uint32_t number, int32_t dtype, double tolerance)
{
    maker m;
    dyn_node out[POOL + 2 * MAX_X + 1];     /* then every node of the pool */

    make(&m, number, dtype);
    const int32_t n = derivatives_of(&m, out);
    for (int32_t i = 0; i < m.count; i++)
        out[n + i] = m.pool[i];
    for (int unfused = 0; unfused < 2; unfused++) {
        dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
        opt.unfused = unfused;
        const double derivatives = compiled_error(&m.p, n, out, &opt);
        const double all = compiled_error(&m.p, n + m.count, out, &opt);
        if (!(derivatives <= tolerance) || !(all <= tolerance))
            TEST_FAIL("graph %u, %s, %s: error %.3g, with all nodes as outputs %.3g: %s", number,
                      dtype == DYN_F64 ? "float64" : "float32", unfused ? "unfused" : "fused", derivatives, all,
                      dyn_ctx_message(ctx));
    }
    problem_free(&m.p);
}

TEST(float64)
{
    for (uint32_t i = 0; i < 200; i++)
        check_graph(i, DYN_F64, 1e-12);
}

TEST(float32)
{
    for (uint32_t i = 0; i < 200; i++)
        check_graph(i, DYN_F32, 1e-4);
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
