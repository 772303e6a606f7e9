/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jacobians and gradients of samples against their closed form: over chunks that do not divide the samples, threads,
 * types and results too large for the caches; and what the objective keeps for the next call. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <dyn/dyn.h>
#include "test.h"

enum { IN = 3 };

static int64_t blocks;      /* asked for so far */

static void *count_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    blocks++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void count_free(void *user, void *p, size_t size, size_t align)
{
    (void)user, (void)size, (void)align;
    free(p);
}

static dyn_ctx *make_ctx(int32_t threads)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    opt.threads = threads, opt.alloc = count_alloc, opt.free = count_free;
    CHECK(dyn_ctx_create(&opt, &ctx) == DYN_OK);
    return ctx;
}

/* In [-1, 1), float32 too, so that both types read the same numbers. */
static double number(int64_t i, int64_t phase) { return (double)((37 * i + 11 * phase) % 97 % 64 - 32) / 32; }

static dyn_array *numbers(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t phase)
{
    double *data = calloc((size_t)(rows * columns), sizeof *data);
    dyn_array *out = NULL;

    for (int64_t i = 0; i < rows * columns; i++)
        data[i] = number(i, phase);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[]){ rows, columns }, data, &out));
    free(data);
    return out;
}

/* f(x) = sum_j a_j tanh(w_j x + b_j) of `width` units, of a loss (f - y)^2 / 2 with targets 0. */
static dyn_objective *network(dyn_ctx *ctx, int64_t width, int64_t samples, int32_t dtype, int64_t memory_limit)
{
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    const int64_t widths[] = { IN, width, 1 }, shape[] = { samples, 1 };
    double *zeros = calloc((size_t)samples, sizeof *zeros);
    dyn_array *x = numbers(ctx, samples, IN, 0), *y = NULL;
    dyn_model *m = NULL;
    dyn_objective *o = NULL;

    net.widths = widths, net.widths_count = 3, net.no_output_bias = 1;
    opt.dtype = dtype, opt.half = 1;
    if (memory_limit > 0)
        opt.memory_limit = memory_limit;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &net, &m));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, shape, zeros, &y));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, &opt, &o));
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(m);
    free(zeros);
    return o;
}

/* Row i of the Jacobian and f, for inputs of this phase and theta of that. */
static double closed_form(int64_t width, int64_t i, int64_t phase, int64_t theta_phase, double *row)
{
    double f = 0, x[IN];

    for (int k = 0; k < IN; k++)
        x[k] = number(i * IN + k, phase);
    for (int64_t j = 0; j < width; j++) {
        double a = number((IN + 1) * width + j, theta_phase), z = number(IN * width + j, theta_phase);

        for (int k = 0; k < IN; k++)
            z += x[k] * number(k * width + j, theta_phase);
        f += a * tanh(z);
        row[(IN + 1) * width + j] = tanh(z);
        row[IN * width + j] = a * (1 - tanh(z) * tanh(z));
        for (int k = 0; k < IN; k++)
            row[k * width + j] = x[k] * row[IN * width + j];
    }
    return f;
}

typedef struct given { int64_t width, samples; int32_t dtype; int64_t phase, theta_phase; } given;

static double *theta_of(const given *g)
{
    const int64_t p = (IN + 2) * g->width;
    double *theta = calloc((size_t)p, sizeof *theta);

    for (int64_t i = 0; i < p; i++)
        theta[i] = number(i, g->theta_phase);
    return theta;
}

/* How far the rows are off, relative to what a sum of so many terms can be; a loss's gradients are f times the rows. */
static double error_of(const given *g, int of_outputs, const double *rows)
{
    const int64_t p = (IN + 2) * g->width;
    double *row = calloc((size_t)p, sizeof *row), off = 0;

    for (int64_t i = 0; i < g->samples; i++) {
        const double f = closed_form(g->width, i, g->phase, g->theta_phase, row), c = of_outputs ? 1 : f;

        for (int64_t k = 0; k < p; k++)
            off = fmax(off, fabs(rows[i * p + k] - c * row[k]) / (double)g->width);
    }
    free(row);
    return off;
}

static const given cases[] = {
    { 7, 203, DYN_F64, 0, 1 },          /* one chunk */
    { 40, 333, DYN_F64, 0, 1 },         /* chunks and a remainder, each on a thread of its own */
    { 40, 333, DYN_F32, 0, 1 },
    { 201, 1051, DYN_F64, 0, 1 },       /* past the caches, to rows that begin within a cache line */
};

static dyn_status (*const rows_of[2])(dyn_objective *, const double *, double *)
    = { dyn_objective_sample_gradients, dyn_objective_jacobian };

static void check_case(const given *g, int of_outputs, int64_t memory_limit)
{
    const size_t size = (size_t)((IN + 2) * g->width * g->samples);
    double *theta = theta_of(g), *first = calloc(size + 1, sizeof *first), *rows = calloc(size + 1, sizeof *rows);

    for (int32_t threads = 1; threads <= 3; threads++) {
        dyn_ctx *ctx = make_ctx(threads);
        dyn_objective *o = network(ctx, g->width, g->samples, g->dtype, memory_limit);

        rows[size] = -3;
        CHECK_OK(ctx, rows_of[of_outputs](o, theta, rows));
        CHECK(error_of(g, of_outputs, rows) < (g->dtype == DYN_F32 ? 1e-6 : 1e-14));
        CHECK(rows[size] == -3);
        if (threads == 1)
            memcpy(first, rows, size * sizeof *first);
        CHECK(memcmp(first, rows, size * sizeof *first) == 0);
        dyn_objective_unref(o);
        dyn_ctx_free(ctx);
    }
    free(rows);
    free(first);
    free(theta);
}

TEST(closed_form_on_any_threads)
{
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int of_outputs = 0; of_outputs < 2; of_outputs++)
            check_case(&cases[k], of_outputs, 0);
}

/* Under a limit that leaves no room for an executor of each thread. */
TEST(closed_form_under_a_limit)
{
    for (int of_outputs = 0; of_outputs < 2; of_outputs++)
        check_case(&cases[1], of_outputs, 40000);
}

/* At another theta, on other data: what is kept is the plan, not what it was bound to. */
TEST(the_next_call_allocates_nothing)
{
    given g = { 40, 333, DYN_F64, 0, 1 };
    double *rows = calloc((size_t)((IN + 2) * g.width * g.samples), sizeof *rows), *theta = theta_of(&g);
    dyn_ctx *ctx = make_ctx(2);
    dyn_objective *o = network(ctx, g.width, g.samples, g.dtype, 0);
    dyn_array *x = numbers(ctx, g.samples, IN, 2);

    CHECK_OK(ctx, dyn_objective_jacobian(o, theta, rows));
    CHECK_OK(ctx, dyn_objective_sample_gradients(o, theta, rows));
    CHECK_OK(ctx, dyn_objective_set_data(o, "x", x));
    free(theta);
    g.phase = 2, g.theta_phase = 3;
    theta = theta_of(&g);
    const int64_t before = blocks;
    for (int of_outputs = 0; of_outputs < 2; of_outputs++) {
        CHECK_OK(ctx, rows_of[of_outputs](o, theta, rows));
        CHECK(error_of(&g, of_outputs, rows) < 1e-14);
    }
    CHECK(blocks == before);
    dyn_array_unref(x);
    dyn_objective_unref(o);
    CHECK(dyn_ctx_bytes(ctx) < 1 << 16);
    dyn_ctx_free(ctx);
    free(rows);
    free(theta);
}

int main(void)
{
    RUN(closed_form_on_any_threads);
    RUN(closed_form_under_a_limit);
    RUN(the_next_call_allocates_nothing);
    return test_end();
}
