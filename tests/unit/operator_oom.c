/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of rectangular operators, of solvers and of sums over spectra fails in turn. */
#include "linalg_fixture.h"
#include "oom/oom.h"
#include "oom/then.h"

enum { ROWS = 3, COLUMNS = 2, BOTH = ROWS * COLUMNS, OPERATORS = 7 };

static const double tall[BOTH] = { 1, 2, -1, .5, 3, 1 }, diagonal[BOTH] = { 1, 2, 3, 4, 5, 6 };

static int32_t forth(void *user, int64_t count, const double *x, double *y)
{
    (void)user;
    for (int64_t c = 0; c < count; c++)
        for (int i = 0; i < ROWS; i++)
            y[c * ROWS + i] = tall[2 * i] * x[2 * c] + tall[2 * i + 1] * x[2 * c + 1];
    return 0;
}

static int32_t back(void *user, int64_t count, const double *y, double *x)
{
    (void)user;
    for (int64_t c = 0; c < count; c++)
        for (int j = 0; j < COLUMNS; j++)
            x[2 * c + j] = tall[j] * y[3 * c] + tall[2 + j] * y[3 * c + 1] + tall[4 + j] * y[3 * c + 2];
    return 0;
}

static void drop(dyn_operator **A)
{
    for (int i = 0; i < OPERATORS; i++)
        dyn_operator_unref(A[i]);
}

static dyn_status rectangular(dyn_ctx *ctx, void *arg)
{
    const double one[2] = { 1, 1 };
    dyn_operator *A[OPERATORS] = { NULL };
    double x[BOTH] = { 1, 1, 1, 1, 1, 1 }, y[BOTH], matrix[BOTH * BOTH], mismatch;
    dyn_status s = dyn_operator_from_callbacks(ctx, ROWS, COLUMNS, forth, back, NULL, &A[0]);

    (void)arg;
    THEN(dyn_operator_transposed(A[0], &A[1]));
    THEN(dyn_operator_gram(A[0], &A[2]));
    THEN(dyn_operator_composed(A[0], A[1], &A[3]));
    THEN(dyn_operator_kronecker(A[2], A[3], &A[4]));
    THEN(dyn_operator_low_rank(ctx, ROWS, COLUMNS, 1, tall, one, one, &A[5]));
    THEN(dyn_operator_sum(A[0], A[5], &A[6]));
    THEN(dyn_operator_apply(A[4], 1, x, y));
    THEN(dyn_operator_apply_adjoint(A[6], 1, x, y));
    THEN(dyn_operator_product_errors(A[4], 1, x, y));
    THEN(dyn_operator_adjointness(A[6], 5, &mismatch));
    THEN(dyn_operator_dense(A[4], matrix));
    drop(A);
    return s;
}

static double logarithm(void *user, double value)
{
    (void)user;
    return log(value);
}

static dyn_status solved(dyn_ctx *ctx, void *arg)
{
    fixture f = { .n = BOTH, .a = diagonal };
    const double b[BOTH] = { 1, 0, -1, 2, 1, 1 }, grid[2] = { 1, 4 };
    double x[BOTH], value, error, nodes[6], weights[6], density[2];
    dyn_solve_options gradients = DYN_SOLVE_OPTIONS_INIT;
    dyn_operator *A = NULL;
    int64_t products;
    dyn_status s = dyn_operator_from_callback(ctx, BOTH, apply_diagonal, &f, &A);

    (void)arg;
    gradients.method = DYN_SOLVE_GRADIENTS;
    THEN(dyn_operator_solve(A, b, NULL, x, &error, &products));
    THEN(dyn_operator_solve(A, b, &gradients, x, &error, &products));
    THEN(dyn_operator_exponential(A, -1, b, 1e-8, 100, x, &error));
    THEN(dyn_operator_log_determinant(A, 0, 2, 3, 1, &value, &error));
    THEN(dyn_operator_density(A, 2, 3, 1, nodes, weights));
    THEN(dyn_density_curve(ctx, 2, 3, nodes, weights, .1, 2, grid, density, NULL));
    THEN(dyn_density_sum(ctx, 2, 3, nodes, weights, BOTH, logarithm, NULL, &value, &error));
    dyn_operator_unref(A);
    return s;
}

TEST(out_of_memory)
{
    oom_try("rectangular operators", rectangular, NULL);
    oom_try("solvers and sums", solved, NULL);
}

int main(void)
{
    RUN(out_of_memory);
    return test_end();
}
