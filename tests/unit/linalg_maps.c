/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps, solves, exponentials and sums over a spectrum, against the matrices spelt out and against numbers of other
 * programs, named where they stand. */
#include "linalg_fixture.h"
#include "linalg/probe.h"

static dyn_ctx *ctx;

/* ---- maps ---- */

enum { R = 4, C = 3 };
static const double A[R][C] = { { 1, 2, 3 }, { 4, -5, 6 }, { 7, 8, -9 }, { 0.5, 0, 2 } };
static const double B[2][2] = { { 2, 1 }, { 1, -3 } };
static const double D[2][3] = { { 1, 0, 2 }, { -1, 3, 0.25 } };

typedef struct matrix {
    int64_t rows, columns;
    const double *a;
    int wrong;                  /* its adjoint is off by this much */
} matrix;

static int32_t forward(void *user, int64_t count, const double *x, double *y)
{
    const matrix *m = user;

    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < m->rows; i++) {
            y[r * m->rows + i] = 0.0;
            for (int64_t j = 0; j < m->columns; j++)
                y[r * m->rows + i] += m->a[i * m->columns + j] * x[r * m->columns + j];
        }
    return 0;
}

static int32_t backward(void *user, int64_t count, const double *y, double *x)
{
    const matrix *m = user;

    for (int64_t r = 0; r < count; r++)
        for (int64_t j = 0; j < m->columns; j++) {
            x[r * m->columns + j] = m->wrong * y[r * m->rows];
            for (int64_t i = 0; i < m->rows; i++)
                x[r * m->columns + j] += m->a[i * m->columns + j] * y[r * m->rows + i];
        }
    return 0;
}

static dyn_operator *map_of(matrix *m)
{
    dyn_operator *out = NULL;

    CHECK_OK(ctx, dyn_operator_from_callbacks(ctx, m->rows, m->columns, forward, backward, m, &out));
    return out;
}

/* The operator written out, and its adjoint, against element(i, j). */
static void check_matrix(dyn_operator *M, int64_t rows, int64_t columns, const double *expected)
{
    static double a[400], t[400];
    dyn_operator *T = NULL;
    double mismatch = 1.0;

    CHECK(dyn_operator_rows(M) == rows && dyn_operator_size(M) == columns);
    CHECK_OK(ctx, dyn_operator_dense(M, a));
    CHECK_OK(ctx, dyn_operator_transposed(M, &T));
    CHECK_OK(ctx, dyn_operator_dense(T, t));
    CHECK_OK(ctx, dyn_operator_adjointness(M, 1, &mismatch));
    CHECK(mismatch < 1e-15);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            CHECK_NEAR(a[i * columns + j], expected[i * columns + j], 1e-14);
            CHECK_NEAR(t[j * rows + i], expected[i * columns + j], 1e-14);
        }
    dyn_operator_unref(T);
}

TEST(maps)
{
    matrix a = { R, C, A[0], 0 }, d = { 2, 3, D[0], 0 };
    dyn_operator *M = map_of(&a), *N = map_of(&d), *T = NULL, *out = NULL;
    double expected[400];
    dyn_eigen *e = NULL;

    check_matrix(M, R, C, A[0]);
    CHECK_OK(ctx, dyn_operator_gram(M, &out));
    for (int i = 0; i < C; i++)
        for (int j = 0; j < C; j++) {
            expected[i * C + j] = 0.0;
            for (int k = 0; k < R; k++)
                expected[i * C + j] += A[k][i] * A[k][j];
        }
    check_matrix(out, C, C, expected);
    CHECK_OK(ctx, dyn_eigen_solve(out, NULL, &e));      /* NumPy: largest singular value squared */
    CHECK_NEAR(dyn_eigen_values(e)[0], 225.7183073808901, 1e-13);
    dyn_eigen_free(e);
    dyn_operator_unref(out);
    CHECK_OK(ctx, dyn_operator_transposed(N, &T));
    CHECK_OK(ctx, dyn_operator_composed(M, T, &out));
    for (int i = 0; i < R; i++)
        for (int j = 0; j < 2; j++) {
            expected[i * 2 + j] = 0.0;
            for (int k = 0; k < C; k++)
                expected[i * 2 + j] += A[i][k] * D[j][k];
        }
    check_matrix(out, R, 2, expected);
    dyn_operator_unref(out);
    CHECK_OK(ctx, dyn_operator_kronecker(M, N, &out));
    for (int i = 0; i < R * 2; i++)
        for (int j = 0; j < C * 3; j++)
            expected[i * C * 3 + j] = A[i / 2][j / 3] * D[i % 2][j % 3];
    check_matrix(out, R * 2, C * 3, expected);
    dyn_operator_unref(out);
    dyn_operator_unref(T);
    CHECK_OK(ctx, dyn_operator_scaled(M, -2.0, &T));
    CHECK_OK(ctx, dyn_operator_sum(M, T, &out));
    for (int i = 0; i < R * C; i++)
        expected[i] = -A[i / C][i % C];
    check_matrix(out, R, C, expected);
    dyn_operator_unref(out);
    CHECK(dyn_eigen_solve(M, NULL, &e) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_eigen_solve: a symmetric operator is needed, this is a map of 4 x 3");
    CHECK(dyn_operator_sum(M, N, &out) == DYN_ESHAPE && dyn_operator_composed(M, N, &out) == DYN_ESHAPE);
    dyn_operator_unref(T);
    dyn_operator_unref(M);
    dyn_operator_unref(N);
}

TEST(symmetric_kronecker_and_low_rank)
{
    const double left[2][R] = { { 1, 2, 0, -1 }, { 0, 1, 1, 3 } }, right[2][C] = { { 1, -1, 2 }, { 0.5, 0, 4 } };
    const double values[2] = { 3, -0.5 };
    fixture f = { .n = 2, .a = B[0] };
    dyn_operator *M = NULL, *out = NULL;
    double expected[R * R], relative = 1.0;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, 2, apply_matrix, &f, &M));
    CHECK_OK(ctx, dyn_operator_kronecker(M, M, &out));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            expected[i * 4 + j] = B[i / 2][j / 2] * B[i % 2][j % 2];
    check_matrix(out, 4, 4, expected);
    CHECK_OK(ctx, dyn_operator_symmetry(out, 0, &relative));
    dyn_operator_unref(out);
    dyn_operator_unref(M);
    CHECK_OK(ctx, dyn_operator_low_rank(ctx, R, C, 2, left[0], values, right[0], &out));
    for (int i = 0; i < R; i++)
        for (int j = 0; j < C; j++)
            expected[i * C + j] = values[0] * left[0][i] * right[0][j] + values[1] * left[1][i] * right[1][j];
    check_matrix(out, R, C, expected);
    dyn_operator_unref(out);
    CHECK_OK(ctx, dyn_operator_low_rank(ctx, R, R, 2, left[0], values, NULL, &out));
    for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++)
            expected[i * R + j] = values[0] * left[0][i] * left[0][j] + values[1] * left[1][i] * left[1][j];
    check_matrix(out, R, R, expected);
    CHECK_OK(ctx, dyn_operator_symmetry(out, 0, &relative));
    CHECK(relative < 1e-15);
    dyn_operator_unref(out);
    CHECK(dyn_operator_low_rank(ctx, R, C, 2, left[0], values, NULL, &out) == DYN_EINVAL);
}

TEST(a_wrong_adjoint_is_seen)
{
    matrix a = { R, C, A[0], 1 };
    dyn_operator *M = map_of(&a);
    double mismatch = 0.0;

    CHECK_OK(ctx, dyn_operator_adjointness(M, 0, &mismatch));
    CHECK(mismatch > 1e-3);
    dyn_operator_unref(M);
}

/* ---- solves: second differences plus a shift; a pole between the eigenvalues for MINRES ---- */

enum { N = 120 };

static int32_t apply_chain(void *user, int64_t count, const double *x, double *y)
{
    const double shift = *(const double *)user;

    for (int64_t r = 0; r < count; r++, x += N, y += N)
        for (int i = 0; i < N; i++)
            y[i] = (2.0 + shift) * x[i] - (i > 0 ? x[i - 1] : 0.0) - (i + 1 < N ? x[i + 1] : 0.0);
    return 0;
}

static void check_solve(double shift, int32_t method, double scale)
{
    double b[N], x[N], y[N], residual = 0.0, sum = 0.0, norm = 0.0;
    dyn_solve_options opt = DYN_SOLVE_OPTIONS_INIT;
    dyn_operator *M = NULL;
    int64_t products = 0;

    for (int i = 0; i < N; i++)
        b[i] = scale * cos(0.3 * i * i);
    opt.method = method;
    opt.tolerance = 1e-11;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_chain, &shift, &M));
    CHECK_OK(ctx, dyn_operator_solve(M, b, &opt, x, &residual, &products));
    apply_chain(&shift, 1, x, y);
    for (int i = 0; i < N; i++) {
        sum += (b[i] - y[i]) / scale * ((b[i] - y[i]) / scale);
        norm += b[i] / scale * (b[i] / scale);
    }
    CHECK(sqrt(sum / norm) <= 1e-11 && fabs(residual / scale - sqrt(sum)) < 1e-13);
    CHECK(products == dyn_operator_products(M) && products <= 4 * N);
    dyn_operator_unref(M);
}

TEST(solves)
{
    const double scales[3] = { 1.0, 1e-200, 1e200 };

    for (int k = 0; k < 3; k++) {
        check_solve(0.1, DYN_SOLVE_MINRES, scales[k]);
        check_solve(0.1, DYN_SOLVE_GRADIENTS, scales[k]);
        check_solve(-1.03, DYN_SOLVE_MINRES, scales[k]);
    }
}

TEST(solves_that_end_early)
{
    double shift = -1.03, b[N] = { 1, 2 }, x[N], residual = 0.0;
    dyn_solve_options opt = DYN_SOLVE_OPTIONS_INIT;
    dyn_operator *M = NULL;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_chain, &shift, &M));
    opt.max_products = 10;
    CHECK(dyn_operator_solve(M, b, &opt, x, &residual, NULL) == DYN_NOT_CONVERGED);
    CHECK(residual > 0.0 && residual < sqrt(5.0) && dyn_operator_products(M) == 10);
    opt.method = DYN_SOLVE_GRADIENTS;
    opt.max_products = 0;
    CHECK(dyn_operator_solve(M, b, &opt, x, NULL, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "not positive definite");
    b[0] = b[1] = 0.0;
    CHECK_OK(ctx, dyn_operator_solve(M, b, NULL, x, &residual, NULL));
    CHECK(x[0] == 0.0 && residual == 0.0);
    dyn_operator_unref(M);
}

/* ---- exponential: exp(t A) of the chain in its sine basis ---- */

TEST(exponentials)
{
    const double times[4] = { 0.0, -3.0, 40.0, -500.0 }, pi = acos(-1.0);
    double shift = -2.0, x[N], y[N], error;
    dyn_operator *M = NULL;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_chain, &shift, &M));
    for (int k = 0; k < 4; k++) {
        double t = times[k], off = 0.0, norm = 0.0;

        shift = k == 3 ? 0.0 : -2.0;
        for (int i = 0; i < N; i++)
            x[i] = 1.0 + sin(0.9 * i);
        CHECK_OK(ctx, dyn_operator_exponential(M, t, x, 1e-12, 0, y, &error));
        for (int i = 0; i < N; i++) {
            double exact = 0.0;

            for (int m = 1; m <= N; m++) {
                double along = 0.0, value = 2.0 + shift - 2.0 * cos(pi * m / (N + 1));

                for (int j = 0; j < N; j++)
                    along += sin(pi * m * (j + 1) / (N + 1)) * x[j];
                exact += 2.0 / (N + 1) * exp(t * value) * along * sin(pi * m * (i + 1) / (N + 1));
            }
            off += (y[i] - exact) * (y[i] - exact);
            norm += exact * exact;
        }
        CHECK(sqrt(off / norm) < 1e-11 && error <= 1e-11);
    }
    CHECK(dyn_operator_exponential(M, 1e4, x, 0.0, 0, y, NULL) == DYN_ENONFINITE);
    CHECK(dyn_operator_exponential(M, -500.0, x, 0.0, 40, y, NULL) == DYN_NOT_CONVERGED);
    dyn_operator_unref(M);
}

/* ---- spectra: diag(.1, .2 .. 1.8, 5, 10), where all vectors of signs give the same; computed with mpmath ---- */

static double ratio(void *user, double value)
{
    (void)user;
    return value / (value + 0.5);
}

TEST(sums_over_a_spectrum)
{
    const double quadrature[4] = { 0.365815167704, 1.378207076873, 4.952173182689, 9.999153799587 };
    const double shares[4] = { 0.385968047708, 0.511906756368, 0.052085007105, 0.050040188820 };
    double d[20], nodes[12], weights[12], value = 0.0, error = 1.0;
    fixture f = { .n = 20, .a = d };
    dyn_operator *M = NULL;

    for (int i = 0; i < 18; i++)
        d[i] = 0.1 * (i + 1);
    d[18] = 5;
    d[19] = 10;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, 20, apply_diagonal, &f, &M));
    CHECK_OK(ctx, dyn_operator_density(M, 1, 4, 9, nodes, weights));
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(nodes[i], quadrature[i], 1e-11);
        CHECK_NEAR(weights[i], shares[i], 1e-11);
    }
    CHECK_OK(ctx, dyn_density_sum(ctx, 1, 4, nodes, weights, 20, ratio, NULL, &value, NULL));
    CHECK_NEAR(value, 12.673443248226, 1e-11);
    CHECK_OK(ctx, dyn_operator_log_determinant(M, 0.0, 2, 4, 3, &value, &error));
    CHECK_NEAR(value, -0.507683594605, 1e-11);
    CHECK(error < 1e-12);
    CHECK_OK(ctx, dyn_operator_log_determinant(M, 0.0, 1, 6, 3, &value, NULL));
    CHECK_NEAR(value, -1.070465702179, 1e-9);
    CHECK(dyn_operator_log_determinant(M, -1.0, 1, 6, 3, &value, NULL) == DYN_EINVAL);
    dyn_operator_unref(M);
}

/* A_ij = 1 / (i + j - 1) + .5 i delta_ij and given vectors: the leave-one-out estimates of the authors' program. */
TEST(xtrace)
{
    const double omega[3][6] = { { 1, 1, -1, 1, -1, 1 }, { 1, -1, 1, 1, -1, -1 }, { -1, 1, 1, 1, 1, -1 } };
    double a[36], value = 0.0, error = 0.0;
    fixture f = { .n = 6, .a = a };
    dyn_operator *M = NULL;

    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            a[i * 6 + j] = 1.0 / (i + j + 1) + (i == j ? 0.5 * (i + 1) : 0.0);
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, 6, apply_matrix, &f, &M));
    CHECK_OK(ctx, dyn__xtrace(M, 3, omega[0], 0, &value, &error));
    CHECK_NEAR(value, 14.831279257544, 1e-11);
    CHECK_NEAR(error, 0.446075670477, 1e-11);
    CHECK_OK(ctx, dyn__xtrace(M, 3, omega[0], 1, &value, &error));
    CHECK_NEAR(value, 12.341934231287, 1e-11);
    CHECK_NEAR(error, 0.366933759179, 1e-11);
    dyn_operator_unref(M);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(maps);
    RUN(symmetric_kronecker_and_low_rank);
    RUN(a_wrong_adjoint_is_seen);
    RUN(solves);
    RUN(solves_that_end_early);
    RUN(exponentials);
    RUN(sums_over_a_spectrum);
    RUN(xtrace);
    dyn_ctx_free(ctx);
    return test_end();
}
