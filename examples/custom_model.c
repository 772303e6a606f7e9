/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model the library does not know, written with its graph functions: a d x d matrix as a product A B of two d x d
 * matrices, f(row, column) = (A B)[row, column]. The program completes a matrix of rank r from some of its entries, and
 * asks how many parameters the function really uses: at balanced factors of a matrix of rank r the model rank is
 * 2 r d - r^2, of 2 d^2 parameters (arXiv 2211.11623). So many entries, well chosen, are enough. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

enum { D = 4, ENTRIES = D * D };

/* The first entries in the order in which they are given away: first row, first column, rest of the second row, ... */
static const int ORDER[ENTRIES] = { 0, 1, 2, 3, 4, 8, 12, 5, 6, 7, 9, 13, 10, 11, 14, 15 };

/* One sample is a place in the matrix: x = (row as one-hot, column as one-hot), 2 d numbers.
 * f = sum_k (row A)_k (B column)_k: the graph for any number of samples n. */
static dyn_node build(void *user, dyn_graph *g, dyn_node x)
{
    const int64_t square[2] = { D, D };
    const int32_t columns[1] = { 1 };
    int64_t shape[DYN_MAX_RANK], start[2] = { 0, 0 }, size[2], out[2];
    dyn_node A = dyn_graph_parameter(g, "A", 2, square), B = dyn_graph_parameter(g, "B", 2, square), row, column, f;

    (void)user;
    dyn_graph_shape(g, x, shape);
    size[0] = shape[0];
    size[1] = D;
    row = dyn_graph_slice(g, x, start, size);
    start[1] = D;
    column = dyn_graph_slice(g, x, start, size);
    f = dyn_graph_mul(g, dyn_graph_matmul(g, row, A, 0, 0), dyn_graph_matmul(g, column, B, 0, 1));
    f = dyn_graph_sum(g, f, 1, columns);
    out[0] = shape[0];
    out[1] = 1;
    return dyn_graph_reshape(g, f, 2, out);     /* an operand that failed is passed on: one check at the end */
}

/* Samples for the first n entries in ORDER. x [n][2 D]. */
static void places(int n, double *x)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < D; k++) {
            x[i * 2 * D + k] = k == ORDER[i] / D;
            x[i * 2 * D + D + k] = k == ORDER[i] % D;
        }
}

/* Model rank at random factors of a matrix of rank r: A has r columns, B has r rows, the others are zero. */
static dyn_status rank_of_factors(dyn_ctx *ctx, dyn_model *model, int r, int64_t *rank, double *gap)
{
    double theta[2 * ENTRIES], x[ENTRIES * 2 * D];
    dyn_rank *found = NULL;
    dyn_status s = dyn_random_normal(ctx, 1, 0, 0, 2 * ENTRIES, theta);

    for (int i = 0; i < D; i++)
        for (int k = r; k < D; k++)
            theta[i * D + k] = theta[ENTRIES + k * D + i] = 0.0;
    places(ENTRIES, x);
    if (s >= 0)
        s = dyn_rank_at(model, theta, ENTRIES, x, NULL, &found);
    *rank = dyn_rank_by_tolerance(found, gap);
    dyn_rank_free(found);
    return s;
}

/* The largest difference between A B and the target. */
static double largest_error(const double *theta, const double *target)
{
    double worst = 0.0;

    for (int i = 0; i < ENTRIES; i++) {
        double f = 0.0;

        for (int k = 0; k < D; k++)
            f += theta[i / D * D + k] * theta[ENTRIES + k * D + i % D];
        worst = fmax(worst, fabs(f - target[i]));
    }
    return worst;
}

/* Train on n entries of the target from a tiny start. *error: the largest difference over all entries. */
static dyn_status complete(dyn_ctx *ctx, dyn_model *model, const double *target, int n, double *error)
{
    const int64_t x_shape[2] = { n, 2 * D }, y_shape[2] = { n, 1 };
    double x[ENTRIES * 2 * D], y[ENTRIES], theta[2 * ENTRIES] = { 0 };
    dyn_array *inputs = NULL, *outputs = NULL;
    dyn_objective *loss = NULL;
    dyn_run *run = NULL;
    dyn_init_options tiny = DYN_INIT_OPTIONS_INIT;
    dyn_optimizer_options descent = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options stop = DYN_RUN_OPTIONS_INIT;
    dyn_status s;

    places(n, x);
    for (int i = 0; i < n; i++)
        y[i] = target[ORDER[i]];
    tiny.kind = DYN_INIT_NORMAL;
    tiny.scale = 1e-7;
    tiny.seed = 1;
    descent.rate = 0.05;
    stop.steps = 100000;
    stop.stop_loss = 1e-12;
    stop.record_every = 1000;
    s = dyn_array_wrap(ctx, DYN_F64, 2, x_shape, x, &inputs);
    if (s >= 0)
        s = dyn_array_wrap(ctx, DYN_F64, 2, y_shape, y, &outputs);
    if (s >= 0)
        s = dyn_objective_create(ctx, model, inputs, outputs, NULL, &loss);
    if (s >= 0)
        s = dyn_model_initialise(model, &tiny, theta);
    if (s >= 0)
        s = dyn_run_create(loss, &descent, &stop, theta, &run);
    if (s >= 0)
        s = dyn_run_train(run, DYN_TO_END);
    if (s >= 0)
        s = dyn_run_theta(run, theta);
    *error = largest_error(theta, target);
    dyn_run_free(run);
    dyn_objective_unref(loss);
    dyn_array_unref(outputs);
    dyn_array_unref(inputs);
    return s;
}

static dyn_status experiment(dyn_ctx *ctx, dyn_model *model, int *good)
{
    /* A matrix of rank 1: 2 r d - r^2 = 7 entries determine it. */
    static const double target[ENTRIES] = { 4, .6, 1.8, .8, 8, 1.2, 3.6, 1.6, 8, 1.2, 3.6, 1.6, 6, .9, 2.7, 1.2 };
    dyn_status s = DYN_OK;
    double value;

    puts("rank of the matrix   model rank   2 r d - r^2   gap");
    for (int r = 1; r <= D && s >= 0; r++) {
        int64_t rank = 0;

        s = rank_of_factors(ctx, model, r, &rank, &value);
        printf("%18d   %10d   %11d   %.1e\n", r, (int)rank, 2 * r * D - r * r, value);
        *good = *good && rank == 2 * r * D - r * r;
    }
    puts("\nentries given   largest error over all entries");
    for (int n = 5; n <= 8 && s >= 0; n++) {
        s = complete(ctx, model, target, n, &value);
        printf("%13d   %.1e\n", n, value);
        *good = *good && (n < 7 ? value > 0.1 : value < 1e-3);
    }
    return s;
}

int main(void)
{
    const int64_t input[1] = { 2 * D };
    dyn_ctx *ctx = NULL;
    dyn_model *model = NULL;
    int good = 1;
    dyn_status s = dyn_ctx_create(NULL, &ctx);

    if (s >= 0)
        s = dyn_model_from_callback(ctx, build, NULL, 1, input, &model);
    if (s >= 0)
        s = experiment(ctx, model, &good);
    if (s < 0)
        fprintf(stderr, "%s\n", ctx ? dyn_ctx_message(ctx) : dyn_status_text(s));
    dyn_model_unref(model);
    dyn_ctx_free(ctx);
    return s < 0 || !good;
}
