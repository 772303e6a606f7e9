/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Four spectra of size 20010 on which published tools return a wrong largest eigenvalue without a warning: outliers
 * over a bulk, ten outliers two per cent apart, and a negative end larger than the positive one, by far and by
 * little. The answer must be right to the residual promised, from every one of 41 random starts. */
#include "linalg_fixture.h"

#define N 20010
#define STARTS 41

static dyn_ctx *ctx;
static double spectrum[N];

/* Bulk in [-scale, scale] and the outliers before it. */
static void fill(double scale, int count, const double *outliers)
{
    uint64_t state = 7;

    for (int i = 0; i < N; i++)
        spectrum[i] = i < count ? outliers[i] : scale * (2.0 * uniform(&state) - 1.0);
}

static void solve_all(int starts, int64_t count, const double *expected)
{
    int64_t most = 0;

    for (int seed = 0; seed < starts; seed++) {
        fixture f = { .n = N, .a = spectrum };
        dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
        dyn_operator *A = NULL;
        dyn_eigen *e = NULL;

        opt.count = count;
        opt.seed = (uint64_t)seed;
        CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, apply_diagonal, &f, &A));
        CHECK_OK(ctx, dyn_eigen_solve(A, &opt, &e));
        for (int64_t i = 0; i < count; i++)
            CHECK_NEAR(dyn_eigen_values(e)[i], expected[i], 1e-11);
        CHECK(dyn_eigen_all_converged(e) && dyn_eigen_miss_bound(e) <= 1e-4);
        most = dyn_eigen_products(e) > most ? dyn_eigen_products(e) : most;
        dyn_eigen_free(e);
        dyn_operator_unref(A);
    }
    printf("# %d starts, %d pairs: at most %d products\n", starts, (int)count, (int)most);
}

TEST(outliers_over_bulk)
{
    const double outliers[3] = { 20, 10, 5 };

    fill(1.0, 3, outliers);
    solve_all(STARTS, 1, outliers);
    solve_all(5, 3, outliers);
}

TEST(ten_outliers_two_per_cent_apart)
{
    double outliers[10];

    for (int i = 0; i < 10; i++)
        outliers[i] = 10.0 * pow(0.98, i);
    fill(1.0, 10, outliers);
    solve_all(STARTS, 1, outliers);
    solve_all(5, 10, outliers);
}

TEST(negative_end_larger)
{
    const double outliers[2] = { 10, -12 };

    fill(1.0, 2, outliers);
    solve_all(STARTS, 1, outliers);
}

TEST(ends_nearly_equal)
{
    const double outliers[2] = { 10, -9.9 };

    fill(1.0, 2, outliers);
    solve_all(STARTS, 1, outliers);
}

/* The same bits for one thread and for many. */
TEST(threads_do_not_matter)
{
    double values[2][2];
    static double vectors[2][2 * N];
    double outliers[2] = { 10, 9 };

    fill(1.0, 2, outliers);
    for (int k = 0; k < 2; k++) {
        dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
        dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
        fixture f = { .n = N, .a = spectrum };
        dyn_operator *A = NULL;
        dyn_eigen *e = NULL;
        dyn_ctx *own = NULL;

        o.threads = 1 + 2 * k;
        opt.count = 2;
        CHECK_OK(ctx, dyn_ctx_create(&o, &own));
        CHECK_OK(own, dyn_operator_from_callback(own, N, apply_diagonal, &f, &A));
        CHECK_OK(own, dyn_eigen_solve(A, &opt, &e));
        memcpy(values[k], dyn_eigen_values(e), sizeof values[k]);
        memcpy(vectors[k], dyn_eigen_vectors(e), sizeof vectors[k]);
        dyn_eigen_free(e);
        dyn_operator_unref(A);
        dyn_ctx_free(own);
    }
    CHECK(memcmp(values[0], values[1], sizeof values[0]) == 0);
    CHECK(memcmp(vectors[0], vectors[1], sizeof vectors[0]) == 0);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(outliers_over_bulk);
    RUN(ten_outliers_two_per_cent_apart);
    RUN(negative_end_larger);
    RUN(ends_nearly_equal);
    RUN(threads_do_not_matter);
    dyn_ctx_free(ctx);
    return test_end();
}
