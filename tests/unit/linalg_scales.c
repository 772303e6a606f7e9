/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrices from 1e-300 to 1e300: everything that is measured scales with them. The eigenvalues of the tridiagonal
 * matrix (1, i + 1, 1) of size 100 are NumPy's. */
#include <float.h>
#include "linalg_fixture.h"

#define N 100

static dyn_ctx *ctx;
static double matrix[N * N];
static const double LARGEST[2] = { 100.74619418290345, 99.21067864733307 };
static const double SCALES[] = { 1e-300, 1e-170, 1e-20, 1.0, 1e20, 1e170, 1e298 };
enum { COUNT = sizeof SCALES / sizeof *SCALES };

/* scale * (1, i + 1, 1 + skew) */
static dyn_operator *make(fixture *f, double scale, double skew)
{
    dyn_operator *A = NULL;

    memset(matrix, 0, sizeof matrix);
    for (int i = 0; i < N; i++) {
        matrix[i * N + i] = scale * (i + 1);
        if (i > 0) {
            matrix[i * N + i - 1] = scale;
            matrix[(i - 1) * N + i] = scale * (1 + skew);
        }
    }
    *f = (fixture){ .n = N, .a = matrix };
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_matrix, f, &A));
    return A;
}

static void check_pairs(dyn_operator *A, double scale, int64_t products)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;

    opt.count = 2;
    opt.max_products = products;
    opt.tolerance = 1e-9;
    opt.unchecked = 1;
    CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
    for (int i = 0; i < 2; i++) {
        const double *v = dyn_eigen_vectors(e) + i * N;
        double norm = 0.0, squares = 0.0;

        CHECK_NEAR(dyn_eigen_values(e)[i] / scale, LARGEST[i], 1e-14);
        for (int r = 0; r < N; r++) {
            double sum = -dyn_eigen_values(e)[i] / scale * v[r];

            for (int c = 0; c < N; c++)
                sum += matrix[r * N + c] / scale * v[c];
            norm += sum * sum;
            squares += v[r] * v[r];
        }
        CHECK_NEAR(squares, 1.0, 1e-12);
        CHECK(sqrt(norm) <= dyn_eigen_residuals(e)[i] / scale + 1e-12);
        CHECK(dyn_eigen_residuals(e)[i] / scale < 1e-9 * 101);
    }
    dyn_eigen_free(e);
}

TEST(eigenpairs)
{
    for (int k = 0; k < COUNT; k++) {
        fixture f;
        dyn_operator *A = make(&f, SCALES[k], 0.0);

        check_pairs(A, SCALES[k], 99);      /* Lanczos */
        check_pairs(A, SCALES[k], 100000);
        dyn_operator_unref(A);
    }
}

TEST(asymmetry)
{
    double first = 0.0, value = 0.0;

    for (int k = 0; k < COUNT; k++) {
        fixture f;
        dyn_operator *A = make(&f, SCALES[k], 0.5);

        CHECK_OK(ctx, dyn_operator_symmetry(A, 3, &value));
        first = k == 0 ? value : first;
        CHECK(value > 1e-4 && fabs(value / first - 1.0) < 1e-9);
        dyn_operator_unref(A);
    }
}

/* Trace, diagonal and their errors. */
TEST(estimates)
{
    double first[4] = { 0.0 };
    static double diagonal[N], error[N];

    for (int k = 0; k < COUNT; k++) {
        fixture f;
        dyn_operator *A = make(&f, SCALES[k], 0.0);
        dyn_trace_options opt = DYN_TRACE_OPTIONS_INIT;
        double value[4];

        CHECK_OK(ctx, dyn_operator_trace(A, &opt, &value[0], &value[1]));
        CHECK(fabs(value[0] / SCALES[k] - N * (N + 1) / 2.0) < 4 * value[1] / SCALES[k]);
        CHECK_OK(ctx, dyn_operator_diagonal(A, 8, 1, diagonal, error));
        value[2] = diagonal[5];
        value[3] = error[5];
        for (int i = 0; i < 4; i++) {
            first[i] = k == 0 ? value[i] / SCALES[0] : first[i];
            CHECK_NEAR(value[i] / SCALES[k] / first[i], 1.0, 1e-9);
        }
        dyn_operator_unref(A);
    }
}

TEST(projected)
{
    for (int k = 0; k < COUNT; k++) {
        static double v[N], x[N], y[N];
        fixture f;
        dyn_operator *A = make(&f, 1.0, 0.0), *P = NULL;

        for (int i = 0; i < N; i++) {
            v[i] = SCALES[k] * (i % 3);
            x[i] = i % 3;
        }
        CHECK_OK(ctx, dyn_operator_projected(A, 1, v, &P));
        CHECK_OK(ctx, dyn_operator_apply(P, 1, x, y));
        for (int i = 0; i < N; i++)
            CHECK(fabs(y[i]) < 1e-10);
        dyn_operator_unref(P);
        dyn_operator_unref(A);
    }
}

/* Two eigenvalues, 1 and 3, each of half the weight on average. */
TEST(density)
{
    for (int k = 0; k < COUNT; k++) {
        static double d[N];
        double nodes[2], weights[2];
        fixture f = { .n = N, .a = d };
        dyn_operator *A = NULL;

        for (int i = 0; i < N; i++)
            d[i] = SCALES[k] * (1 + 2 * (i % 2));
        CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_diagonal, &f, &A));
        CHECK_OK(ctx, dyn_operator_density(A, 1, 2, 0, nodes, weights));
        CHECK_NEAR(nodes[0] / SCALES[k], 1.0, 1e-12);
        CHECK_NEAR(nodes[1] / SCALES[k], 3.0, 1e-12);
        CHECK_NEAR(weights[0] + weights[1], 1.0, 1e-12);
        dyn_operator_unref(A);
    }
}

/* |a| |w| where the product is a number, an error where it is not. */
TEST(amplitudes)
{
    const double w[6] = { 3e-170, 4e-170, 3e160, 4e160, 3e-100, 4e-100 }, a[3] = { 2e160, 1e-170, 7e100 };
    const double tiny[2] = { 1e-200, 1e-200 };
    dyn_condensation *c = NULL;

    CHECK_OK(ctx, dyn_condensation_measure(ctx, 3, 2, w, 1, a, NULL, &c));
    CHECK_NEAR(dyn_condensation_amplitudes(c)[0] / 1e-9, 1.0, 1e-14);
    CHECK_NEAR(dyn_condensation_amplitudes(c)[1] / 5e-10, 1.0, 1e-14);
    CHECK_NEAR(dyn_condensation_amplitudes(c)[2], 35.0, 1e-14);
    dyn_condensation_free(c);
    CHECK(dyn_condensation_measure(ctx, 2, 1, tiny, 1, tiny, NULL, &c) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "the amplitudes |a| |w| underflow");
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(eigenpairs);
    RUN(asymmetry);
    RUN(estimates);
    RUN(projected);
    RUN(density);
    RUN(amplitudes);
    dyn_ctx_free(ctx);
    return test_end();
}
