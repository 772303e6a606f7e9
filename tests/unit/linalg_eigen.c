/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The eigen solver on small and medium operators of known spectrum: every end, repeated and clustered values,
 * degenerate operators, warm starts, limits and faults. Expected values are the diagonals themselves, or closed
 * forms. */
#include "linalg_fixture.h"

#define N 500

static dyn_ctx *ctx;
static int64_t bytes_before;
static double spectrum[N];

static dyn_eigen *solve_n(int64_t n, const double *d, const dyn_eigen_options *opt, dyn_status expected)
{
    fixture f = { .n = n, .a = d };
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;
    dyn_status s;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, n, apply_diagonal, &f, &A));
    s = dyn_eigen_solve(A, opt, &e);
    if (s != expected)
        TEST_FAIL("%s: dyn_eigen_solve = %d: %s", test_name_, s, dyn_ctx_message(ctx));
    CHECK(dyn_operator_products(A) == dyn_eigen_products(e));
    dyn_operator_unref(A);
    return e;
}

/* Values, orthonormal vectors, and residuals recomputed here. */
static void check_pairs(const dyn_eigen *e, int64_t n, const double *d, int64_t count, const double *expected)
{
    const double *values = dyn_eigen_values(e), *v = dyn_eigen_vectors(e);

    CHECK(dyn_eigen_count(e) == count && dyn_eigen_size(e) == n && dyn_eigen_all_converged(e));
    for (int64_t i = 0; i < dyn_eigen_count(e) && i < count; i++) {
        double sum = 0.0;

        CHECK_NEAR(values[i], expected[i], 1e-9);
        for (int64_t k = 0; k < n; k++)
            sum += pow((d[k] - values[i]) * v[i * n + k], 2.0);
        CHECK(dyn_eigen_residuals(e)[i] >= sqrt(sum) - 1e-12);
        CHECK(dyn_eigen_residuals(e)[i] <= sqrt(sum) + 1e-12 + 1e-3 * dyn_eigen_tolerance(e));
        CHECK(sqrt(sum) <= dyn_eigen_tolerance(e) * (1 + 1e-9) + 1e-300);
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0.0;

            for (int64_t k = 0; k < n; k++)
                dot += v[i * n + k] * v[j * n + k];
            CHECK_NEAR(dot, i == j ? 1.0 : 0.0, 1e-13);
        }
    }
}

/* A bulk in [-1, 1] with the given outliers at the end. */
static void bulk(int64_t count, const double *outliers)
{
    uint64_t state = 42;

    for (int64_t i = 0; i < N; i++)
        spectrum[i] = 2.0 * uniform(&state) - 1.0;
    for (int64_t i = 0; i < count; i++)
        spectrum[N - 1 - i * 7] = outliers[i];
}

static void check_outliers(int32_t which, int64_t asked, int64_t count, const double *outliers, int64_t returned,
                           const double *expected)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    bulk(count, outliers);
    opt.which = which;
    opt.count = asked;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(e, N, spectrum, returned, expected);
    CHECK(dyn_eigen_miss_bound(e) <= 1e-4);
    dyn_eigen_free(e);
}

TEST(every_end)
{
    const double outliers[6] = { 10, -12, 8, -6, 5, -4 };

    check_outliers(DYN_LARGEST_ALGEBRAIC, 3, 6, outliers, 3, (const double[]){ 10, 8, 5 });
    check_outliers(DYN_SMALLEST_ALGEBRAIC, 2, 6, outliers, 2, (const double[]){ -12, -6 });
    check_outliers(DYN_LARGEST_MAGNITUDE, 4, 6, outliers, 4, (const double[]){ -12, 10, 8, -6 });
    check_outliers(DYN_BOTH_ENDS, 3, 6, outliers, 6, (const double[]){ 10, 8, 5, -4, -6, -12 });
}

TEST(repeated)
{
    check_outliers(DYN_LARGEST_ALGEBRAIC, 2, 3, (const double[]){ 10, 10, 9 }, 2, (const double[]){ 10, 10 });
    check_outliers(DYN_LARGEST_ALGEBRAIC, 3, 3, (const double[]){ 10, 10, 9 }, 3, (const double[]){ 10, 10, 9 });
    check_outliers(DYN_LARGEST_ALGEBRAIC, 4, 5, (const double[]){ 10, 10, 10, 9, 9 }, 4,
                   (const double[]){ 10, 10, 10, 9 });
    check_outliers(DYN_LARGEST_ALGEBRAIC, 1, 3, (const double[]){ 10, 10, 10 }, 1, (const double[]){ 10 });
    check_outliers(DYN_LARGEST_MAGNITUDE, 3, 3, (const double[]){ -10, 9.5, -10 }, 3,
                   (const double[]){ -10, -10, 9.5 });
    check_outliers(DYN_BOTH_ENDS, 2, 4, (const double[]){ 5, 5, -5, -5 }, 4, (const double[]){ 5, 5, -5, -5 });
}

TEST(clustered)
{
    const double near[4] = { 10, 10 - 1e-4, 10 - 2e-4, 10 - 5e-4 };

    check_outliers(DYN_LARGEST_ALGEBRAIC, 4, 4, near, 4, near);
    check_outliers(DYN_LARGEST_ALGEBRAIC, 2, 4, near, 2, near);
}

typedef struct cluster_case {
    int32_t which;
    int64_t asked, outliers;
    double values[6];
    int64_t returned, multiplicity[6], cluster[6];
    int32_t last;
} cluster_case;

static void check_clusters(const dyn_eigen *e, const cluster_case *c)
{
    CHECK(dyn_eigen_count(e) == c->returned && dyn_eigen_last_cluster(e) == c->last);
    for (int64_t i = 0; i < c->returned; i++) {
        CHECK(dyn_eigen_multiplicities(e)[i] == c->multiplicity[i]);
        CHECK(dyn_eigen_clusters(e)[i] == c->cluster[i]);
    }
}

/* Over a bulk in [-1, 1], by Lanczos, and as the whole matrix where the limit of products allows it. */
TEST(clusters_and_multiplicities)
{
    static const cluster_case cases[] = {
        { DYN_LARGEST_ALGEBRAIC, 4, 5, { 10, 10, 10, 10, 5 }, 4, { 4, 4, 4, 4 }, { 0 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_ALGEBRAIC, 3, 5, { 10, 10, 10, 10, 5 }, 3, { 3, 3, 3 }, { 0 }, DYN_CLUSTER_CUT },
        { DYN_LARGEST_ALGEBRAIC, 5, 5, { 10, 10, 10, 10, 5 }, 5, { 4, 4, 4, 4, 1 }, { 0, 0, 0, 0, 1 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_ALGEBRAIC, 4, 4, { 5, 5, 4, 4 }, 4, { 2, 2, 2, 2 }, { 0, 0, 1, 1 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_ALGEBRAIC, 3, 4, { 5, 5, 4, 4 }, 3, { 2, 2, 1 }, { 0, 0, 1 }, DYN_CLUSTER_CUT },
        { DYN_LARGEST_ALGEBRAIC, 3, 3, { 10, 10 - 1e-4, 9 }, 3, { 1, 1, 1 }, { 0, 1, 2 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_ALGEBRAIC, 1, 3, { 10, 10 - 1e-4, 9 }, 1, { 1 }, { 0 }, DYN_CLUSTER_WHOLE },
        { DYN_SMALLEST_ALGEBRAIC, 2, 3, { -7, -7, -7 }, 2, { 2, 2 }, { 0 }, DYN_CLUSTER_CUT },
        { DYN_BOTH_ENDS, 1, 3, { 5, -5, -5 }, 2, { 1, 1 }, { 0, 1 }, DYN_CLUSTER_CUT },
        { DYN_BOTH_ENDS, 2, 4, { 5, 5, -5, -5 }, 4, { 2, 2, 2, 2 }, { 0, 0, 1, 1 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_MAGNITUDE, 3, 3, { -10, 9.5, -10 }, 3, { 2, 2, 1 }, { 0, 0, 1 }, DYN_CLUSTER_WHOLE },
        { DYN_LARGEST_MAGNITUDE, 1, 2, { 10, -10 }, 1, { 1 }, { 0 }, DYN_CLUSTER_WHOLE },
    };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t n = N; n >= 60; n -= N - 60) {
            const cluster_case *c = &cases[i];
            dyn_eigen *e;

            bulk(c->outliers, c->values);
            opt.which = c->which;
            opt.count = c->asked;
            e = solve_n(n, spectrum + N - n, &opt, DYN_OK);
            check_clusters(e, c);
            CHECK((n == 60) == (dyn_eigen_miss_bound(e) == 0.0));
            dyn_eigen_free(e);
        }
}

/* One value of multiplicity N: a Krylov space holds one vector of it. */
TEST(one_cluster_of_all)
{
    static const cluster_case two = { .returned = 2, .multiplicity = { 2, 2 }, .last = DYN_CLUSTER_CUT };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;

    opt.count = 2;
    for (int value = 0; value < 2; value++) {
        dyn_eigen *e;

        for (int i = 0; i < N; i++)
            spectrum[i] = value;
        e = solve_n(N, spectrum, &opt, DYN_OK);
        check_clusters(e, &two);
        dyn_eigen_free(e);
    }
    bulk(2, (const double[]){ 10, 10 });
    opt.count = 1;
    opt.unchecked = 1;
    dyn_eigen *e = solve_n(N, spectrum, &opt, DYN_OK);
    CHECK(dyn_eigen_last_cluster(e) == DYN_CLUSTER_UNKNOWN);
    dyn_eigen_free(e);
}

/* Two small values under a bulk in [1, 2]: what a residual may be, by what it is relative to. */
TEST(tolerance_of)
{
    static const double share[3] = { 2e-6, 0.0, 1e-6 };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;

    opt.which = DYN_SMALLEST_ALGEBRAIC;
    opt.count = 2;
    bulk(0, NULL);
    for (int i = 0; i < N; i++)
        spectrum[i] = 1.5 + 0.5 * spectrum[i];
    spectrum[0] = 2.0;
    spectrum[7] = 0.001;
    spectrum[9] = 0.002;
    for (int32_t of = DYN_TOLERANCE_LARGEST; of <= DYN_TOLERANCE_ABSOLUTE; of++) {
        dyn_eigen *e;

        opt.tolerance_of = of;
        e = solve_n(N, spectrum, &opt, DYN_OK);
        check_pairs(e, N, spectrum, 2, (const double[]){ 0.001, 0.002 });
        for (int i = 0; i < 2; i++) {
            const double expected = of == DYN_TOLERANCE_EACH ? 1e-6 * dyn_eigen_values(e)[i] : share[of];

            CHECK_NEAR(dyn_eigen_tolerances(e)[i] / expected, 1.0, 1e-2);
            CHECK(dyn_eigen_residuals(e)[i] <= dyn_eigen_tolerances(e)[i]);
        }
        CHECK(dyn_eigen_tolerance(e) == fmax(dyn_eigen_tolerances(e)[0], dyn_eigen_tolerances(e)[1]));
        dyn_eigen_free(e);
    }
    opt.tolerance_of = 3;
    CHECK(!solve_n(N, spectrum, &opt, DYN_EINVAL));
    CHECK_STR(dyn_ctx_message(ctx), "tolerance_of is 3, must be in [0, 2]");
    opt.tolerance_of = DYN_TOLERANCE_ABSOLUTE;
    opt.tolerance = 0.0;
    CHECK(!solve_n(N, spectrum, &opt, DYN_EINVAL));
}

TEST(outliers)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    double edge, gap, ratio;
    int64_t found;

    opt.count = 12;
    opt.unchecked = 1;
    for (int apart = 0; apart < 2; apart++) {
        for (int i = 0; i < N; i++)
            spectrum[i] = i / (N - 1.0);
        if (apart)
            memcpy(spectrum + N - 3, (const double[]){ 6, 8, 10 }, 3 * sizeof(double));
        dyn_eigen *e = solve_n(N, spectrum, &opt, DYN_OK);
        CHECK_OK(ctx, dyn_eigen_outliers(e, 3.0, &found, &edge, &gap, &ratio));
        CHECK(found == (apart ? 3 : 0) && (ratio >= 3.0) == apart);
        CHECK_NEAR(edge, apart ? (N - 4.0) / (N - 1.0) : 1.0, 1e-9);
        CHECK_NEAR(gap, apart ? 6.0 - (N - 4.0) / (N - 1.0) : 1.0 / (N - 1.0), 1e-9);
        CHECK(dyn_eigen_outliers(e, 0.0, &found, NULL, NULL, NULL) == DYN_EINVAL);
        dyn_eigen_free(e);
    }
    opt.which = DYN_BOTH_ENDS;
    opt.count = 2;
    dyn_eigen *e = solve_n(N, spectrum, &opt, DYN_OK);
    CHECK(dyn_eigen_outliers(e, 3.0, &found, NULL, NULL, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "4 pairs of two ends");
    dyn_eigen_free(e);
}

TEST(blocks)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    bulk(4, (const double[]){ 10, 10, 10, 9 });
    opt.count = 4;
    opt.block = 4;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(e, N, spectrum, 4, (const double[]){ 10, 10, 10, 9 });
    dyn_eigen_free(e);
}

/* No outliers at all: the search cannot certify cheaply, but pairs must be right. */
TEST(smooth_spectrum)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    for (int i = 0; i < N; i++)
        spectrum[i] = 1.0 + i;
    opt.count = 3;
    opt.tolerance = 1e-8;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(e, N, spectrum, 3, (const double[]){ 500, 499, 498 });
    dyn_eigen_free(e);
}

/* Residuals known without a product per pair must be right through many restarts, in blocks and from both ends. */
TEST(residuals_after_restarts)
{
    const double ends[6] = { 1.0, 0.998, 0.996, 0.006, 0.004, 0.002 };

    for (int i = 0; i < N; i++)
        spectrum[i] = (1.0 + i) / N;
    for (int64_t block = 1; block <= 3; block++)
        for (int32_t which = DYN_LARGEST_ALGEBRAIC; which <= DYN_BOTH_ENDS; which += DYN_BOTH_ENDS) {
            dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
            dyn_eigen *e;

            opt.count = 3;
            opt.which = which;
            opt.block = block;
            opt.subspace = 25;
            opt.tolerance = 1e-8;
            opt.unchecked = 1;
            opt.max_products = 10000;
            e = solve_n(N, spectrum, &opt, DYN_OK);
            check_pairs(e, N, spectrum, which == DYN_BOTH_ENDS ? 6 : 3, ends);
            CHECK(dyn_eigen_products(e) > 4 * opt.subspace);
            dyn_eigen_free(e);
        }
}

/* A repeated value where the search cannot certify: it has to find the second copy by convergence. */
TEST(repeated_in_smooth_spectrum)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    for (int i = 0; i < N; i++)
        spectrum[i] = 1.0 + i;
    spectrum[0] = N;
    opt.count = 3;
    opt.tolerance = 1e-8;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(e, N, spectrum, 3, (const double[]){ 500, 500, 499 });
    dyn_eigen_free(e);
}

/* Two chains of 320 nodes: their Laplacian has every value 2 - 2 cos (pi k / 320) twice. */
TEST(two_chains)
{
    enum { NODES = 640 };
    static double laplacian[NODES * NODES];
    const double second = 4 * pow(sin(acos(-1.0) / (double)NODES), 2.0);
    fixture f = { .n = NODES, .a = laplacian };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;

    for (int i = 1; i < NODES; i++)
        if (i != NODES / 2) {
            laplacian[i * NODES + i - 1] = laplacian[(i - 1) * NODES + i] = -1.0;
            laplacian[i * NODES + i] += 1.0;
            laplacian[(i - 1) * NODES + i - 1] += 1.0;
        }
    opt.which = DYN_SMALLEST_ALGEBRAIC;
    opt.count = 4;
    opt.tolerance = 1e-9;
    opt.max_products = 100000;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, NODES, apply_matrix, &f, &A));
    CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
    for (int i = 0; i < 4; i++)
        CHECK(fabs(dyn_eigen_values(e)[i] - (i < 2 ? 0.0 : second)) < 1e-12);
    CHECK(dyn_eigen_miss_bound(e) <= 1e-4);
    dyn_eigen_free(e);
    opt.max_products = 600;             /* too few to tell: it says so */
    CHECK(dyn_eigen_solve(A, &opt, &e) == DYN_NOT_CONVERGED);
    CHECK(dyn_eigen_miss_bound(e) > 1e-4);
    dyn_eigen_free(e);
    dyn_operator_unref(A);
}

/* A gap that a search needs more steps for than the basis has rows: it goes on without them, and finds what is hidden
 * from the first run by a multiplicity. */
TEST(long_searches)
{
    enum { LONG = 5000 };
    static double d[LONG];
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    for (int i = 0; i < LONG; i++)
        d[i] = cos(acos(-1.0) * i / (double)LONG);
    d[7] = d[8] = 1.003;
    opt.count = 1;
    opt.subspace = 12;
    opt.max_products = 5000 - 1;
    opt.tolerance = 1e-5;
    e = solve_n(LONG, d, &opt, DYN_OK);
    CHECK_NEAR(dyn_eigen_values(e)[0], 1.003, 1e-9);
    CHECK(dyn_eigen_miss_bound(e) <= 1e-4);
    dyn_eigen_free(e);
    opt.count = 2;
    opt.subspace = 14;
    e = solve_n(LONG, d, &opt, DYN_OK);
    CHECK_NEAR(dyn_eigen_values(e)[1], 1.003, 1e-7);
    CHECK(dyn_eigen_miss_bound(e) <= 1e-4);
    printf("# %d products\n", (int)dyn_eigen_products(e));
    dyn_eigen_free(e);
}

static int32_t apply_single(void *user, int64_t count, const double *x, double *y)
{
    int32_t r = apply_diagonal(user, count, x, y);

    for (int64_t i = 0; i < count * N; i++)
        y[i] = (float)y[i];
    return r;
}

/* Products of single precision: their noise must neither stall the iteration nor be hidden. */
TEST(single_precision_products)
{
    fixture f = { .n = N, .a = spectrum };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;

    bulk(3, (const double[]){ 10, 10, -9 });
    opt.count = 2;
    opt.max_products = 400;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_single, &f, &A));
    CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
    CHECK_NEAR(dyn_eigen_values(e)[1], 10.0, 1e-7);
    dyn_eigen_free(e);
    opt.tolerance = 1e-10;              /* beyond what such products can give */
    CHECK(dyn_eigen_solve(A, &opt, &e) == DYN_NOT_CONVERGED);
    CHECK_NEAR(dyn_eigen_values(e)[1], 10.0, 1e-7);
    CHECK(!dyn_eigen_all_converged(e) && dyn_eigen_residuals(e)[0] > 1e-9);
    dyn_eigen_free(e);
    dyn_operator_unref(A);
}

/* Noise of 1e-7 of the vector's norm, another at each product. */
static int32_t apply_noisy(void *user, int64_t count, const double *x, double *y)
{
    static uint64_t state = 5;
    int32_t r = apply_diagonal(user, count, x, y);

    for (int64_t i = 0; i < count; i++) {
        double norm = 0.0;

        for (int64_t k = 0; k < N; k++)
            norm += x[i * N + k] * x[i * N + k];
        for (int64_t k = 0; k < N; k++)
            y[i * N + k] += 1e-7 * sqrt(3.0 * norm / N) * (2.0 * uniform(&state) - 1.0);
    }
    return r;
}

/* Residuals confirmed by one product, or by none where there is no search, must still cover what the noise does to each
 * vector. */
TEST(noisy_products)
{
    const double outliers[5] = { 10, 9, 8, 7, 6 };
    int64_t most = 0;

    bulk(5, outliers);
    for (uint64_t seed = 0; seed < 40; seed++) {
        fixture f = { .n = N, .a = spectrum };
        dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
        dyn_operator *A = NULL;
        dyn_eigen *e = NULL;

        opt.count = 5;
        opt.seed = seed;
        opt.unchecked = seed % 2;
        CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_noisy, &f, &A));
        CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
        for (int64_t i = 0; i < 5; i++) {
            const double *v = dyn_eigen_vectors(e) + i * N;
            double sum = 0.0;

            for (int64_t k = 0; k < N; k++)
                sum += pow((spectrum[k] - dyn_eigen_values(e)[i]) * v[k], 2.0);
            CHECK(sqrt(sum) <= dyn_eigen_residuals(e)[i] && dyn_eigen_residuals(e)[i] > 1e-7);
        }
        most = dyn_eigen_products(e) > most ? dyn_eigen_products(e) : most;
        dyn_eigen_free(e);
        dyn_operator_unref(A);
    }
    printf("# at most %d products\n", (int)most);
    CHECK(most <= 24);
}

/* The diagonal with an antisymmetric coupling of each two neighbours. */
static double skew;

static int32_t apply_skewed(void *user, int64_t count, const double *x, double *y)
{
    int32_t r = apply_diagonal(user, count, x, y);

    for (int64_t i = 0; i < count * N; i += 2) {
        y[i] += skew * x[i + 1];
        y[i + 1] -= skew * x[i];
    }
    return r;
}

static void check_skewed(double size, dyn_status expected)
{
    fixture f = { .n = N, .a = spectrum };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;
    double image[N], sum = 0.0;

    opt.unchecked = 1;
    skew = size;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_skewed, &f, &A));
    CHECK(dyn_eigen_solve(A, &opt, &e) == expected);
    const double *v = dyn_eigen_vectors(e);
    CHECK(apply_skewed(&f, 1, v, image) == 0);
    for (int64_t k = 0; k < N; k++)
        sum += pow(image[k] - dyn_eigen_values(e)[0] * v[k], 2.0);
    CHECK(sqrt(sum) <= dyn_eigen_residuals(e)[0] * (1 + 1e-12));
    dyn_eigen_free(e);
    dyn_operator_unref(A);
}

/* Without a search the recurrence alone has to see that products are not those of a symmetric operator. */
TEST(asymmetric_products)
{
    bulk(1, (const double[]){ 10 });
    check_skewed(0.0, DYN_OK);
    check_skewed(1e-7, DYN_OK);
    check_skewed(1e-2, DYN_NOT_CONVERGED);
}

/* A Krylov space of three values is complete after three products: without a search there is no fourth. */
TEST(no_product_for_residuals)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    for (int i = 0; i < N; i++)
        spectrum[i] = i % 3;
    opt.unchecked = 1;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(e, N, spectrum, 1, (const double[]){ 2 });
    CHECK(dyn_eigen_products(e) == 3);
    dyn_eigen_free(e);
}

TEST(zero_and_identity)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    static double expected[3];

    opt.count = 3;
    for (int value = 0; value < 3; value++) {
        dyn_eigen *e;

        for (int i = 0; i < N; i++)
            spectrum[i] = value - 1;
        for (int i = 0; i < 3; i++)
            expected[i] = value - 1;
        e = solve_n(N, spectrum, &opt, DYN_OK);
        check_pairs(e, N, spectrum, 3, expected);
        dyn_eigen_free(e);
    }
}

/* Most of the spectrum, all of it, one number; also 1 / 0 and 2 x 2. */
TEST(whole_spectrum)
{
    static double d[200], expected[200];
    const int64_t sizes[] = { 1, 2, 3, 40, 65, 200 };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int64_t less = 0; less < 2 && less < sizes[k]; less++) {
            int64_t n = sizes[k];
            dyn_eigen *e;

            for (int64_t i = 0; i < n; i++) {
                d[i] = cos((double)(i * 37 % n)) * (double)n;
                expected[i] = d[i];
            }
            for (int64_t i = 1; i < n; i++)
                for (int64_t j = i; j > 0 && expected[j] > expected[j - 1]; j--) {
                    double t = expected[j];

                    expected[j] = expected[j - 1];
                    expected[j - 1] = t;
                }
            opt.count = n - less;
            e = solve_n(n, d, &opt, DYN_OK);
            check_pairs(e, n, d, n - less, expected);
            CHECK(dyn_eigen_miss_bound(e) == 0.0);
            dyn_eigen_free(e);
        }
}

/* The second difference: eigenvalues 2 - 2 cos(pi k / (n + 1)); a limit on products forces Lanczos at a size below
 * 64. */
TEST(second_difference)
{
    enum { SIZE = 50 };
    static double a[SIZE * SIZE];
    fixture f = { .n = SIZE, .a = a };
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;

    for (int i = 0; i < SIZE; i++) {
        a[i * SIZE + i] = 2.0;
        if (i > 0)
            a[i * SIZE + i - 1] = a[(i - 1) * SIZE + i] = -1.0;
    }
    opt.count = 2;
    opt.which = DYN_SMALLEST_ALGEBRAIC;
    opt.max_products = 49;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, SIZE, apply_matrix, &f, &A));
    CHECK(dyn_eigen_solve(A, &opt, &e) == DYN_NOT_CONVERGED);
    CHECK(dyn_eigen_count(e) == 2 && dyn_eigen_products(e) <= 49);
    dyn_eigen_free(e);
    opt.max_products = 0;
    CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
    for (int k = 0; k < 2; k++)
        CHECK_NEAR(dyn_eigen_values(e)[k], 2.0 - 2.0 * cos(acos(-1.0) * (k + 1) / (SIZE + 1)), 1e-13);
    dyn_eigen_free(e);
    dyn_operator_unref(A);
}

/* One vector's products see one copy of a repeated value: the others must come from what its first products are stirred by.
 * Of the like spectrum of tests/bench/eigenpairs.py ARPACK takes 31 products and PRIMME 27. */
TEST(copies_without_a_search)
{
    const double copies[8] = { 8, 8, 6, 6, 4, 4, 3, 3 };
    int64_t sum = 0;

    bulk(8, copies);
    for (int seed = 0; seed < 21; seed++) {
        dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
        dyn_eigen *e;

        opt.count = 5;
        opt.seed = (uint64_t)seed;
        opt.tolerance = 1e-6;
        opt.unchecked = 1;
        e = solve_n(N, spectrum, &opt, DYN_OK);
        check_pairs(e, N, spectrum, 5, copies);
        sum += dyn_eigen_products(e);
        dyn_eigen_free(e);
    }
    CHECK(sum <= 21 * 29);
    printf("# copies: %g products\n", (double)sum / 21);
}

TEST(warm_start)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *cold, *warm;

    bulk(3, (const double[]){ 2.0, 1.8, 1.6 });
    opt.count = 3;
    opt.unchecked = 1;
    cold = solve_n(N, spectrum, &opt, DYN_OK);
    CHECK(dyn_eigen_miss_bound(cold) == 1.0);
    spectrum[N - 1] *= 1.0001;
    opt.start = dyn_eigen_vectors(cold);
    opt.start_count = 3;
    warm = solve_n(N, spectrum, &opt, DYN_OK);
    check_pairs(warm, N, spectrum, 3, (const double[]){ 2.0002, 1.8, 1.6 });
    CHECK(3 * dyn_eigen_products(warm) <= dyn_eigen_products(cold));
    printf("# products cold %d, warm %d\n", (int)dyn_eigen_products(cold), (int)dyn_eigen_products(warm));
    dyn_eigen_free(warm);
    dyn_eigen_free(cold);
}

/* A start that is an exact eigenvector of the second pair must not hide the first. */
TEST(misleading_start)
{
    static double start[N];
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    bulk(2, (const double[]){ 10, 9 });
    memset(start, 0, sizeof start);
    start[N - 8] = 1.0;
    opt.start = start;
    opt.start_count = 1;
    opt.tolerance = 0.05;
    e = solve_n(N, spectrum, &opt, DYN_OK);
    CHECK_NEAR(dyn_eigen_values(e)[0], 10.0, 0.02);
    dyn_eigen_free(e);
}

TEST(product_limit)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e;

    bulk(2, (const double[]){ 1.01, 1.005 });
    opt.count = 2;
    opt.max_products = 12;
    e = solve_n(N, spectrum, &opt, DYN_NOT_CONVERGED);
    CHECK(dyn_eigen_count(e) == 2 && !dyn_eigen_all_converged(e) && dyn_eigen_products(e) <= 12);
    CHECK(dyn_eigen_residuals(e)[0] > dyn_eigen_tolerance(e) || dyn_eigen_residuals(e)[1] > dyn_eigen_tolerance(e));
    dyn_eigen_free(e);
}

static int32_t stop_late(void *user, double fraction, const char *text)
{
    CHECK(fraction >= 0.0 && fraction <= 1.0 && text != NULL);
    return ++*(int *)user >= 9;
}

TEST(stopped)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    int calls = 0;
    dyn_eigen *e;

    bulk(2, (const double[]){ 1.01, 1.005 });
    opt.count = 2;
    opt.progress = stop_late;
    opt.progress_user = &calls;
    e = solve_n(N, spectrum, &opt, DYN_STOPPED);
    CHECK(calls == 9 && dyn_eigen_products(e) == 9 && dyn_eigen_count(e) == 2);
    CHECK(dyn_eigen_residuals(e)[0] > 0.0);
    dyn_eigen_free(e);
}

static dyn_status with_fault(int64_t fail_at, int64_t nan_at)
{
    fixture f = { .n = N, .a = spectrum, .fail_at = fail_at, .nan_at = nan_at };
    dyn_operator *A = NULL;
    dyn_eigen *e = (dyn_eigen *)&f;
    dyn_status s;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_diagonal, &f, &A));
    s = dyn_eigen_solve(A, NULL, &e);
    CHECK(e == NULL);
    dyn_operator_unref(A);
    return s;
}

TEST(faults)
{
    bulk(1, (const double[]){ 3 });
    for (int64_t call = 1; call < 14; call += 3) {
        CHECK(with_fault(call, 0) == DYN_EUSER);
        CHECK_STR(dyn_ctx_message(ctx), "dyn_eigen_solve: the operator's callback returned 7");
        CHECK(with_fault(0, call) == DYN_ENONFINITE);
    }
}

TEST(arguments)
{
    const struct { int32_t which; int64_t count, max_products, subspace, block,
                   start_count; double tolerance; const char *message; }
    bad[] = {
        { 4, 0, 0, 0, 0, 0, 0, "which is 4" }, { 0, -1, 0, 0, 0, 0, 0, "count is -1" },
        { 0, N + 1, 0, 0, 0, 0, 0, "count is 501" }, { DYN_BOTH_ENDS, 251, 0, 0, 0, 0, 0, "count is 251" },
        { 0, 0, 3, 0, 0, 0, 0, "max_products is 3" }, { 0, 5, 0, 6, 0, 0, 0, "subspace is 6" },
        { 0, 0, 0, 0, -2, 0, 0, "block is -2" }, { 0, 0, 0, 0, 0, 1, 0, "start_count is 1" },
        { 0, 0, 0, 0, 0, 0, (double)NAN, "tolerance is" }, { 0, 0, 0, 0, 0, 0, 0.5, "tolerance is 0.5" },
        { 0, 400, 100, 0, 0, 0, 0, "need the whole matrix" },
    };
    dyn_eigen *e;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;

        opt.which = bad[i].which;
        opt.count = bad[i].count != 0 ? bad[i].count : opt.count;
        opt.max_products = bad[i].max_products != 0 ? bad[i].max_products : opt.max_products;
        opt.subspace = bad[i].subspace != 0 ? bad[i].subspace : opt.subspace;
        opt.block = bad[i].block != 0 ? bad[i].block : opt.block;
        opt.start_count = bad[i].start_count != 0 ? bad[i].start_count : opt.start_count;
        opt.tolerance = bad[i].tolerance != 0 ? bad[i].tolerance : opt.tolerance;
        e = solve_n(N, spectrum, &opt, DYN_EINVAL);
        CHECK(e == NULL);
        CHECK_STR(dyn_ctx_message(ctx), bad[i].message);
    }
    CHECK(dyn_eigen_solve(NULL, NULL, &e) == DYN_EINVAL);
    CHECK(dyn_eigen_count(NULL) == 0 && !dyn_eigen_all_converged(NULL));
    dyn_eigen_free(NULL);
}

TEST(no_leak)
{
    CHECK(dyn_ctx_bytes(ctx) == bytes_before);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    bytes_before = dyn_ctx_bytes(ctx);
    RUN(every_end);
    RUN(repeated);
    RUN(clustered);
    RUN(clusters_and_multiplicities);
    RUN(one_cluster_of_all);
    RUN(tolerance_of);
    RUN(outliers);
    RUN(blocks);
    RUN(smooth_spectrum);
    RUN(residuals_after_restarts);
    RUN(repeated_in_smooth_spectrum);
    RUN(two_chains);
    RUN(long_searches);
    RUN(single_precision_products);
    RUN(noisy_products);
    RUN(asymmetric_products);
    RUN(no_product_for_residuals);
    RUN(zero_and_identity);
    RUN(whole_spectrum);
    RUN(second_difference);
    RUN(copies_without_a_search);
    RUN(warm_start);
    RUN(misleading_start);
    RUN(product_limit);
    RUN(stopped);
    RUN(faults);
    RUN(arguments);
    RUN(no_leak);
    dyn_ctx_free(ctx);
    return test_end();
}
