/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense eigenvalues and singular values against closed forms and against numbers computed with mpmath at 80 digits. */
#include <float.h>
#include "linalg_fixture.h"

static dyn_ctx *ctx;

/* The second difference of size n. */
TEST(eigh_second_difference)
{
    enum { N = 130 };
    static double a[N * N], values[N], only[N], vectors[N * N];
    double worst = 0.0;

    for (int i = 0; i < N; i++) {
        a[i * N + i] = 2.0;
        if (i > 0)
            a[i * N + i - 1] = -1.0;    /* the upper triangle is never read */
    }
    CHECK_OK(ctx, dyn_dense_eigh(ctx, N, a, values, vectors));
    CHECK_OK(ctx, dyn_dense_eigh(ctx, N, a, only, NULL));
    for (int k = 0; k < N; k++) {
        double angle = acos(-1.0) * (k + 1) / (N + 1), sign = vectors[k * N] > 0 ? 1.0 : -1.0;

        CHECK_NEAR(values[k], 2.0 - 2.0 * cos(angle), 1e-13);
        CHECK_NEAR(only[k], values[k], 1e-13);
        for (int i = 0; i < N; i++)
            worst = fmax(worst, fabs(sign * vectors[k * N + i] - sqrt(2.0 / (N + 1)) * sin(angle * (i + 1))));
    }
    CHECK(worst < 1e-12);
}

/* Q D Q with the reflection Q = I - 2 u u^T / u^T u: eigenvalues are the diagonal. Sizes around blocks and chunks. */
static void check_values(dyn_ctx *own, int64_t n, double unit)
{
    double *a = calloc((size_t)(n * n), sizeof *a), *u = calloc((size_t)(3 * n), sizeof *u), *d = u + n, *s = u + 2 * n;
    double uu = 0.0, udu = 0.0;
    int64_t wrong = 0;

    for (int64_t i = 0; i < n; i++) {
        d[i] = (double)(i - n / 3);             /* one of them is zero */
        u[i] = cos((double)(3 * i * i)) + 0.1;
        uu += u[i] * u[i];
        udu += u[i] * d[i] * u[i];
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)        /* the upper triangle is never read */
            a[i * n + j] = unit * ((i == j ? d[i] : 0.0) - 2.0 * u[i] * u[j] * (d[i] + d[j]) / uu
                                   + 4.0 * udu * u[i] * u[j] / (uu * uu));
    CHECK_OK(own, dyn_dense_eigh(own, n, a, s, NULL));
    for (int64_t i = 0; i < n; i++)
        wrong += !(fabs(s[i] / unit - d[i]) <= 1e-14 * (double)n * (double)n);
    CHECK(wrong == 0);
    free(a);
    free(u);
}

/* What is above the diagonal is not looked at. */
TEST(eigh_reads_the_lower_triangle)
{
    const double a[4] = { 2, (double)NAN, 1, 2 };
    double values[2], vectors[4];

    CHECK_OK(ctx, dyn_dense_eigh(ctx, 2, a, values, NULL));
    CHECK_NEAR(values[0], 1.0, 1e-15);
    CHECK_OK(ctx, dyn_dense_eigh(ctx, 2, a, values, vectors));
    CHECK_NEAR(values[1], 3.0, 1e-15);
    CHECK_NEAR(fabs(vectors[2]), sqrt(0.5), 1e-15);
}

static double wilkinson(int r, int c, int n) { return r == c ? fabs(r - 0.5 * (n - 1)) : abs(r - c) == 1; }
static double glued(int r, int c, int n)
{
    (void)n;
    return r == c ? abs(r % 21 - 10) : abs(r - c) != 1 ? 0.0 : (r > c ? r : c) % 21 == 0 ? 1e-14 : 1.0;
}
static double ones(int r, int c, int n) { return 1.0 + 0 * (r + c + n); }
static double arrow(int r, int c, int n) { return r == c ? (double)r / n : (r == 0 || c == 0) ? 1.0 : 0.0; }
static double waves(int r, int c, int n) { return cos(1.0 + r * c) + (r == c) * sin(r + n); }

/* Eigenpairs of clustered, deflating and full matrices of sizes around those of leaves and joins: each pair within
 * rounding, all of them orthonormal. */
TEST(eigh_pairs)
{
    double (*const kinds[])(int, int, int) = { wilkinson, glued, ones, arrow, waves };
    const int sizes[] = { 1, 2, 3, 31, 32, 33, 65, 130, 321 };
    enum { MOST = 321 };
    static double a[MOST * MOST], v[MOST * MOST], w[MOST], only[MOST];

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            int n = sizes[size];
            double norm, worst = 0.0;

            for (int i = 0; i < n * n; i++)
                a[i] = kinds[k](i / n, i % n, n);
            CHECK_OK(ctx, dyn_dense_eigh(ctx, n, a, w, v));
            CHECK_OK(ctx, dyn_dense_eigh(ctx, n, a, only, NULL));
            norm = fmax(fabs(w[0]), fabs(w[n - 1])) + DBL_MIN;
            for (int i = 0; i < n; i++) {
                worst = fmax(worst, fabs(w[i] - only[i]) / norm);
                for (int r = 0; r < n; r++) {
                    double residual = -w[i] * v[i * n + r], dot = -(r == i);

                    for (int c = 0; c < n; c++) {
                        residual += a[r * n + c] * v[i * n + c];
                        dot += v[i * n + c] * v[r * n + c];
                    }
                    worst = fmax(worst, fmax(fabs(residual) / norm, fabs(dot)));
                }
            }
            if (!(worst < 4e-14))
                TEST_FAIL("kind %d, size %d: %g", (int)k, n, worst);
        }
}

TEST(eigh_values)
{
    const int64_t sizes[] = { 1, 2, 3, 15, 16, 17, 31, 32, 33, 34, 63, 97, 193, 400, 530 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_values(ctx, sizes[i], 1.0);
    check_values(ctx, 40, 1e-290);
    check_values(ctx, 40, 1e290);
}

TEST(eigh_diagonal)
{
    double a[50 * 50] = { 0 }, s[50];

    for (int i = 0; i < 50; i++)
        a[i * 51] = (i * 7) % 50;
    CHECK_OK(ctx, dyn_dense_eigh(ctx, 50, a, s, NULL));
    for (int i = 0; i < 50; i++)
        CHECK(s[i] == i);
}

/* The same bits for one thread and for many, where the work is split. */
TEST(eigh_threads)
{
    enum { N = 450 };
    static double a[N * N], s[2][N];

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i * N + j] = sin((double)((i + j) * (i + j) + i * j));
    for (int k = 0; k < 2; k++) {
        dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
        dyn_ctx *own = NULL;

        o.threads = 1 + 2 * k;
        CHECK_OK(ctx, dyn_ctx_create(&o, &own));
        CHECK_OK(own, dyn_dense_eigh(own, N, a, s[k], NULL));
        dyn_ctx_free(own);
    }
    CHECK(memcmp(s[0], s[1], sizeof s[0]) == 0);
}

static void check_all(int64_t rows, int64_t cols, const double *a, const double *expected, double tolerance)
{
    int64_t n = rows < cols ? rows : cols;
    double s[16], bound[16], condition = 0.0;

    CHECK_OK(ctx, dyn_dense_svd_values(ctx, rows, cols, a, s));
    for (int64_t i = 0; i < n; i++)
        CHECK_NEAR(s[i] / expected[0], expected[i] / expected[0], tolerance);
    CHECK_OK(ctx, dyn_dense_svd_values_accurate(ctx, rows, cols, a, s, &condition));
    for (int64_t i = 0; i < n; i++)
        CHECK_NEAR(s[i] / expected[i], 1.0, 1e-15 * (double)n * condition);
    CHECK_OK(ctx, dyn_dense_svd_values_gram(ctx, rows, cols, a, s, bound));
    for (int64_t i = 0; i < n; i++)
        CHECK(fabs(s[i] - expected[i]) <= bound[i]);
    CHECK(bound[0] < 1e-12 * s[0]);
}

static void check_both_ways(int64_t rows, int64_t cols, const double *a, const double *expected, double tolerance)
{
    double t[128];

    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            t[c * rows + r] = a[r * cols + c];
    check_all(rows, cols, a, expected, tolerance);
    check_all(cols, rows, t, expected, tolerance);
}

TEST(svd_rectangular)
{
    const double expected[7] = { 4.75878171605779777, 3.23732739082778344, 2.53152596139894551, 2.06916161002112881,
                                 1.08472825309791378, 0.464477571872267259, 0.103703174232206718 };
    double a[7 * 13];

    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 13; j++)
            a[i * 13 + j] = sin(0.7 * i * i + 1.3 * j + 0.1 * i * j);
    check_both_ways(7, 13, a, expected, 1e-15);
}

/* Columns scaled by 2^(-12 j): values over fifteen decades. Only the Jacobi route keeps them all. */
TEST(svd_graded)
{
    const double expected[5] = { 12.4498995982358355, 0.00328363943921774328, 7.96187579164376172e-7,
                                 1.17360206684733733e-10, 2.30592319954340661e-14 };
    double a[9 * 5], s[5], condition = 0.0;

    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 5; j++)
            a[i * 5 + j] = ldexp((i * i * 3 + j * 7 + i * j * j * 2) % 13 - 6, -12 * j);
    check_both_ways(9, 5, a, expected, 1e-15);
    CHECK_OK(ctx, dyn_dense_svd_values_accurate(ctx, 9, 5, a, s, &condition));
    CHECK(condition >= 1.0 && condition < 30.0);
    CHECK(fabs(s[4] / expected[4] - 1.0) < 1e-14);
}

/* The Hilbert matrix: the Gram route must lose the small values and say so. */
TEST(gram_bound_is_honest)
{
    const double expected[10] = { 1.75191967026517752, 0.342929548483509096, 0.0357418162716392359,
                                  0.00253089076867003814,
                                  0.00012874961427637708, 4.72968929318234751e-6, 1.22896773875117505e-7,
                                  2.14743881735047861e-9, 2.26674674776292553e-11, 1.09315381937966576e-13 };
    double a[100], s[10], bound[10];

    for (int i = 0; i < 100; i++)
        a[i] = 1.0 / (i / 10 + i % 10 + 1);
    CHECK_OK(ctx, dyn_dense_svd_values(ctx, 10, 10, a, s));
    for (int i = 0; i < 10; i++)
        CHECK(fabs(s[i] - expected[i]) < 1e-15);
    CHECK_OK(ctx, dyn_dense_svd_values_gram(ctx, 10, 10, a, s, bound));
    for (int i = 0; i < 10; i++)
        CHECK(fabs(s[i] - expected[i]) <= bound[i]);
    CHECK(bound[9] > expected[9] && bound[3] < 1e-10);
}

/* Gram blocks of several sizes: A = u v^T has one value |u| |v|; identity columns add ones. */
TEST(gram_larger)
{
    enum { ROWS = 300, COLS = 210 };
    static double a[ROWS * COLS], s[COLS], bound[COLS];

    for (int i = 0; i < COLS; i++)
        a[i * COLS + i] = 1.0 + i;
    for (int transposed = 0; transposed < 2; transposed++) {
        int64_t rows = transposed ? COLS : ROWS, cols = transposed ? ROWS : COLS;

        memset(a, 0, sizeof a);
        for (int i = 0; i < COLS; i++)
            a[i * cols + i] = 1.0 + (i * 53) % COLS;
        CHECK_OK(ctx, dyn_dense_svd_values_gram(ctx, rows, cols, a, s, bound));
        for (int i = 0; i < COLS; i++) {
            CHECK_NEAR(s[i], COLS - i, 1e-11);
            CHECK(fabs(s[i] - (COLS - i)) <= bound[i]);
        }
    }
}

TEST(zero_and_one)
{
    double a[6] = { 0 }, s[2] = { 1, 1 }, bound[2], one[1] = { -3 }, v[1];

    CHECK_OK(ctx, dyn_dense_svd_values(ctx, 2, 3, a, s));
    CHECK(s[0] == 0.0 && s[1] == 0.0);
    CHECK_OK(ctx, dyn_dense_svd_values_accurate(ctx, 2, 3, a, s, NULL));
    CHECK(s[0] == 0.0 && s[1] == 0.0);
    CHECK_OK(ctx, dyn_dense_svd_values_gram(ctx, 2, 3, a, s, bound));
    CHECK(s[0] == 0.0 && s[1] == 0.0 && bound[0] == 0.0);
    CHECK_OK(ctx, dyn_dense_svd_values(ctx, 1, 1, one, s));
    CHECK_NEAR(s[0], 3.0, 0.0);
    CHECK_OK(ctx, dyn_dense_svd_values_accurate(ctx, 1, 1, one, s, NULL));
    CHECK_NEAR(s[0], 3.0, 0.0);
    CHECK_OK(ctx, dyn_dense_eigh(ctx, 1, one, s, v));
    CHECK(s[0] == -3.0 && fabs(v[0]) == 1.0);
}

TEST(arguments)
{
    double a[4] = { 1, 2, (double)NAN, 4 }, s[2], huge[1] = { 1e200 };

    CHECK(dyn_dense_eigh(ctx, 2, a, s, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_dense_eigh: a[2] is nan");
    CHECK(dyn_dense_svd_values(ctx, 2, 2, a, s) == DYN_EINVAL);
    CHECK(dyn_dense_svd_values_accurate(ctx, 0, 2, a, s, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "0 x 2");
    CHECK(dyn_dense_svd_values_gram(ctx, 2, 2, NULL, s, NULL) == DYN_EINVAL);
    CHECK(dyn_dense_svd_values(ctx, 2000000, 2, a, s) == DYN_EFULL);
    CHECK(dyn_dense_svd_values_gram(ctx, 1, 1, huge, s, NULL) == DYN_ENONFINITE);
    CHECK(dyn_dense_svd_values(NULL, 2, 2, a, s) == DYN_EINVAL);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(eigh_second_difference);
    RUN(eigh_reads_the_lower_triangle);
    RUN(eigh_pairs);
    RUN(eigh_values);
    RUN(eigh_diagonal);
    RUN(eigh_threads);
    RUN(svd_rectangular);
    RUN(svd_graded);
    RUN(gram_bound_is_honest);
    RUN(gram_larger);
    RUN(zero_and_one);
    RUN(arguments);
    dyn_ctx_free(ctx);
    return test_end();
}
