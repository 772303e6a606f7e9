/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Estimators against exact traces, diagonals and moments; the standard errors must neither flatter nor exaggerate. */
#include "linalg_fixture.h"

#define N 300

static dyn_ctx *ctx;
static double matrix[N * N];    /* symmetric: decaying spectrum in the cosine basis */
static double trace, diagonal[N], square_trace;
static fixture dense = { .n = N, .a = matrix };

/* A = C^T diag(d) C with C the orthonormal cosine transform, d_k = 10 / (1 + k) - 0.01. */
static void make_matrix(void)
{
    static double c[N * N];

    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            c[k * N + i] = sqrt((k ? 2.0 : 1.0) / N) * cos(acos(-1.0) * k * (i + 0.5) / N);
    for (int k = 0; k < N; k++) {
        double d = 10.0 / (1.0 + k) - 0.01;

        trace += d;
        square_trace += d * d;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                matrix[i * N + j] += d * c[k * N + i] * c[k * N + j];
    }
    for (int i = 0; i < N; i++)
        diagonal[i] = matrix[i * N + i];
}

static dyn_operator *make(fixture *f)
{
    dyn_operator *A = NULL;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, f->n, apply_matrix, f, &A));
    return A;
}

/* Over 100 seeds the squared error must average the squared standard error. */
static void check_trace(int32_t method, double largest_error)
{
    dyn_operator *A = make(&dense);
    double squares = 0.0, claimed = 0.0;

    for (int seed = 0; seed < 100; seed++) {
        dyn_trace_options opt = DYN_TRACE_OPTIONS_INIT;
        double value = 0.0, error = 0.0;

        opt.method = method;
        opt.seed = (uint64_t)seed;
        opt.products = 30;
        CHECK_OK(ctx, dyn_operator_trace(A, &opt, &value, &error));
        squares += pow(value - trace, 2.0) / 100;
        claimed += error * error / 100;
    }
    CHECK(dyn_operator_products(A) == 3000);
    CHECK(sqrt(squares) < largest_error);
    CHECK(squares < 1.6 * claimed && claimed < 1.6 * squares);
    printf("# trace %g, error %g, standard error %g\n", trace, sqrt(squares), sqrt(claimed));
    dyn_operator_unref(A);
}

TEST(trace_estimates)
{
    /* Variance of one probe of random signs: 2 (|A|_F^2 - sum A_ii^2). */
    double variance = square_trace;

    for (int i = 0; i < N; i++)
        variance -= diagonal[i] * diagonal[i];
    check_trace(DYN_TRACE_HUTCHINSON, 1.5 * sqrt(2.0 * variance / 30));
    check_trace(DYN_TRACE_HUTCHPP, 0.6 * sqrt(2.0 * variance / 30));
}

TEST(trace_exact_when_affordable)
{
    const double d[4] = { 1, 2, 3, -5.5 };
    fixture f = { .n = 4, .a = d };
    dyn_operator *A = NULL;
    dyn_trace_options opt = DYN_TRACE_OPTIONS_INIT;
    double value = 0.0, error = 1.0;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, 4, apply_diagonal, &f, &A));
    opt.method = DYN_TRACE_HUTCHINSON;      /* signs see a diagonal exactly */
    CHECK_OK(ctx, dyn_operator_trace(A, &opt, &value, &error));
    CHECK_NEAR(value, 0.5, 1e-13);
    CHECK_NEAR(error, 0.0, 1e-13);
    CHECK_OK(ctx, dyn_operator_trace(A, NULL, &value, &error));
    CHECK_NEAR(value, 0.5, 1e-13);
    CHECK_NEAR(error, 0.0, 1e-13);
    opt.products = 1;
    CHECK(dyn_operator_trace(A, &opt, &value, &error) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_operator_trace: products is 1");
    dyn_operator_unref(A);
}

/* n = 3 with 6 products; and two samples that agree although they differ from the trace: of (0 1; 1 0) padded with
 * zeros, z^T A z is 2 or -2. */
TEST(trace_error_is_not_zero_by_chance)
{
    static double a[49];
    const double full[9] = { 1, 2, 3, 2, 5, -1, 3, -1, 0.25 };
    fixture small = { .n = 3, .a = full }, pair = { .n = 7, .a = a };
    dyn_operator *A = make(&small);
    dyn_trace_options opt = DYN_TRACE_OPTIONS_INIT;
    double value = 0.0, error = 1.0;

    opt.products = 6;
    CHECK_OK(ctx, dyn_operator_trace(A, &opt, &value, &error));
    CHECK(value == 6.25 && error == 0.0);
    dyn_operator_unref(A);
    a[1] = a[7] = 1.0;
    A = make(&pair);
    opt.method = DYN_TRACE_HUTCHINSON;
    opt.products = 2;
    for (opt.seed = 0; opt.seed < 20; opt.seed++) {
        CHECK_OK(ctx, dyn_operator_trace(A, &opt, &value, &error));
        CHECK(fabs(value) <= 2.0 * error);
    }
    dyn_operator_unref(A);
}

TEST(diagonal_estimate)
{
    static double estimate[N], error[N];
    dyn_operator *A = make(&dense);
    int outside = 0;

    CHECK_OK(ctx, dyn_operator_diagonal(A, 101, 5, estimate, error));
    CHECK(dyn_operator_products(A) == 101);
    for (int i = 0; i < N; i++) {
        outside += fabs(estimate[i] - diagonal[i]) > 2.0 * error[i];
        CHECK(fabs(estimate[i] - diagonal[i]) <= 6.0 * error[i]);
    }
    CHECK(outside > 1 && outside < N / 10);     /* about 4.8 % expected */
    CHECK(dyn_operator_diagonal(A, 1, 5, estimate, error) == DYN_EINVAL);
    dyn_operator_unref(A);
}

TEST(density_moments)
{
    enum { PROBES = 40, STEPS = 12 };
    double nodes[PROBES * STEPS], weights[PROBES * STEPS], first = 0.0, second = 0.0, squares = 0.0;
    dyn_operator *A = make(&dense);

    CHECK_OK(ctx, dyn_operator_density(A, PROBES, STEPS, 1, nodes, weights));
    CHECK(dyn_operator_products(A) == PROBES * STEPS);
    for (int p = 0; p < PROBES; p++) {
        double sum = 0.0, m2 = 0.0;

        for (int i = p * STEPS; i < (p + 1) * STEPS; i++) {
            sum += weights[i];
            first += weights[i] * nodes[i] / (double)PROBES;
            m2 += weights[i] * nodes[i] * nodes[i];
            CHECK(weights[i] >= 0.0 && (i % STEPS == 0 || nodes[i] >= nodes[i - 1]));
        }
        CHECK_NEAR(sum, 1.0, 1e-13);
        second += m2 / PROBES;
        squares += m2 * m2 / PROBES;
    }
    CHECK_NEAR(first, trace / N, 0.05);
    CHECK(fabs(second - square_trace / N) < 4.0 * sqrt((squares - second * second) / (PROBES - 1)));
    dyn_operator_unref(A);
}

/* Two eigenvalues only: after two steps the space is exhausted, and the two nodes carry everything. */
TEST(density_exhausted)
{
    static double d[40];
    double nodes[5], weights[5], grid[2001], density[2001], sum = 0.0;
    fixture f = { .n = 40, .a = d };
    dyn_operator *A = NULL;

    for (int i = 0; i < 40; i++)
        d[i] = i < 10 ? 3.0 : -1.0;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, 40, apply_diagonal, &f, &A));
    CHECK_OK(ctx, dyn_operator_density(A, 1, 5, 2, nodes, weights));
    for (int i = 0; i < 5; i++) {
        CHECK(weights[i] < 1e-20 || fabs(nodes[i] - 3.0) < 1e-12 || fabs(nodes[i] + 1.0) < 1e-12);
        sum += weights[i];
    }
    CHECK_NEAR(sum, 1.0, 1e-13);
    for (int i = 0; i <= 2000; i++)
        grid[i] = -10.0 + 0.01 * i;
    CHECK_OK(ctx, dyn_density_curve(ctx, 1, 5, nodes, weights, 0.3, 2001, grid, density, NULL));
    sum = 0.0;
    for (int i = 0; i <= 2000; i++)
        sum += 0.01 * density[i];
    CHECK_NEAR(sum, 1.0, 1e-10);
    dyn_operator_unref(A);
}

TEST(curve_of_given_nodes)
{
    const double nodes[4] = { 0, 2, 0, 2 }, weights[4] = { 0.25, 0.75, 0.75, 0.25 }, grid[1] = { 0 };
    double density = 0.0, error = 0.0, peak = 1.0 / (0.5 * sqrt(2.0 * acos(-1.0))), far = peak * exp(-8.0);

    CHECK_OK(ctx, dyn_density_curve(ctx, 2, 2, nodes, weights, 0.5, 1, grid, &density, &error));
    CHECK_NEAR(density, 0.5 * (peak + far), 1e-14);
    CHECK_NEAR(error, 0.25 * (peak - far), 1e-14);
    CHECK(dyn_density_curve(ctx, 2, 2, nodes, weights, 0.0, 1, grid, &density, &error) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "width is 0");
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    make_matrix();
    RUN(trace_estimates);
    RUN(trace_exact_when_affordable);
    RUN(trace_error_is_not_zero_by_chance);
    RUN(diagonal_estimate);
    RUN(density_moments);
    RUN(density_exhausted);
    RUN(curve_of_given_nodes);
    dyn_ctx_free(ctx);
    return test_end();
}
