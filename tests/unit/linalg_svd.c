/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values by reduction to bidiagonal form: known spectra turned by reflections, closed forms, the Jacobi route
 * as another algorithm; extreme scales; the same bits for any number of threads. Sizes lie around panels, strips,
 * chunks and the ratio of sides from which QR comes first. */
#include "linalg_fixture.h"

static dyn_ctx *ctx;
static const int64_t sizes[][2] = { { 1, 1 },     { 1, 9 },     { 2, 2 },     { 2, 3 },     { 3, 400 },   { 7, 8 },
                                    { 23, 23 },   { 24, 24 },   { 24, 33 },   { 24, 34 },   { 25, 26 },   { 47, 90 },
                                    { 48, 48 },   { 49, 70 },   { 71, 71 },   { 72, 300 },  { 96, 97 },   { 121, 169 },
                                    { 122, 171 }, { 128, 128 }, { 257, 600 }, { 330, 280 }, { 700, 66 },  { 63, 5000 },
                                    { 384, 256 } };
enum { SIZES = sizeof sizes / sizeof *sizes };

static double pseudo_random(int64_t i)
{
    double x = sin((double)i * 12.9898 + 1.0) * 43758.5453;

    return x - floor(x) - 0.5;
}

/* a becomes (I - 2 u u^T / u^T u) a; element (r, c) of a is a[r * row + c * col]. */
static void turn(int64_t rows, int64_t cols, double *a, int64_t row, int64_t col, int64_t seed)
{
    double *u = malloc((size_t)rows * sizeof *u), uu = 0.0;

    for (int64_t r = 0; r < rows; r++) {
        u[r] = pseudo_random(seed * 100003 + r);
        uu += u[r] * u[r];
    }
    for (int64_t c = 0; c < cols; c++) {
        double dot = 0.0;

        for (int64_t r = 0; r < rows; r++)
            dot += u[r] * a[r * row + c * col];
        for (int64_t r = 0; r < rows; r++)
            a[r * row + c * col] -= 2.0 * dot / uu * u[r];
    }
    free(u);
}

/* A matrix with the given singular values: a diagonal one, turned four times from each side. */
static double *with_values(int64_t rows, int64_t cols, const double *s)
{
    double *a = calloc((size_t)(rows * cols), sizeof *a);

    for (int64_t i = 0; i < rows && i < cols; i++)
        a[i * cols + i] = s[i];
    for (int64_t k = 0; k < 4; k++) {
        turn(rows, cols, a, cols, 1, 2 * k);
        turn(cols, rows, a, 1, cols, 2 * k + 1);
    }
    return a;
}

static double linear(int64_t i, int64_t n) { return (double)(n - i); }
static double graded(int64_t i, int64_t n) { return pow(2.0, -60.0 * (double)i / (double)n); }
static double low_rank(int64_t i, int64_t n) { return i < n / 3 ? 3.0 : 0.0; }
static double clustered(int64_t i, int64_t n) { return 1.0 + (i < n / 2 ? 1e-9 : 0.0); }

/* All values within tolerance times the largest one, and in descending order. */
static void check_values(int64_t rows, int64_t cols, const double *a, const double *expected, double tolerance)
{
    int64_t n = rows < cols ? rows : cols, wrong = 0;
    double *s = calloc((size_t)n, sizeof *s);

    CHECK_OK(ctx, dyn_dense_svd_values(ctx, rows, cols, a, s));
    for (int64_t i = 0; i < n; i++)
        wrong += !(fabs(s[i] - expected[i]) <= tolerance * expected[0]) || s[i] < 0.0 || (i > 0 && s[i] > s[i - 1]);
    if (wrong)
        TEST_FAIL("%lld x %lld: %lld values are wrong", (long long)rows, (long long)cols, (long long)wrong);
    free(s);
}

static void check_spectrum(double (*value)(int64_t i, int64_t n))
{
    for (int k = 0; k < SIZES; k++)
        for (int turned = 0; turned < 2; turned++) {
            int64_t rows = sizes[k][turned], cols = sizes[k][1 - turned], n = rows < cols ? rows : cols;
            double *s = calloc((size_t)n, sizeof *s), *a;

            for (int64_t i = 0; i < n; i++)
                s[i] = value(i, n);
            a = with_values(rows, cols, s);
            check_values(rows, cols, a, s, 1e-14);
            free(a);
            free(s);
        }
}

TEST(known_spectra)
{
    check_spectrum(linear);
    check_spectrum(graded);
    check_spectrum(low_rank);
    check_spectrum(clustered);
}

/* Ones on and below the diagonal: 1 / (2 cos (k pi / (2n + 1))). First differences: 2 sin (k pi / (2n + 2)). */
TEST(closed_forms)
{
    enum { N = 190 };
    static double ones[N * N], difference[(N + 1) * N], s[2][N];
    double pi = acos(-1.0);

    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            ones[i * N + j] = 1.0;
        difference[i * N + i] = 1.0;
        difference[(i + 1) * N + i] = -1.0;
        s[0][i] = 0.5 / cos((N - i) * pi / (2 * N + 1));
        s[1][i] = 2.0 * sin((N - i) * pi / (2 * N + 2));
    }
    check_values(N, N, ones, s[0], 1e-14);
    check_values(N + 1, N, difference, s[1], 1e-14);
}

/* Rows and columns of very different lengths, some of them zero, by the route with another algorithm. */
TEST(against_jacobi)
{
    const int64_t shapes[][2] = { { 150, 130 }, { 70, 240 }, { 300, 90 } };

    for (int k = 0; k < 9; k++) {
        int64_t rows = shapes[k % 3][0], cols = shapes[k % 3][1];
        double *a = calloc((size_t)(rows * cols), sizeof *a), s[130];

        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < cols; c++)
                if (k < 3 || (r % 5 != 3 && c % 7 != 0))
                    a[r * cols + c] = ldexp(pseudo_random(r * cols + c), k < 6 ? 0 : (int)(-8 * r - 3 * c));
        CHECK_OK(ctx, dyn_dense_svd_values_accurate(ctx, rows, cols, a, s, NULL));
        check_values(rows, cols, a, s, 1e-14);
        free(a);
    }
}

/* A power of two only moves the exponents, also where squares overflow or vanish. */
TEST(scales)
{
    enum { ROWS = 160, COLS = 90 };
    const int exponents[] = { -1020, -900, -300, -190, 190, 300, 900, 1010 };
    static double a[ROWS * COLS], scaled[ROWS * COLS], s[COLS], expected[COLS];

    for (int i = 0; i < ROWS * COLS; i++)
        a[i] = pseudo_random(i);
    CHECK_OK(ctx, dyn_dense_svd_values(ctx, ROWS, COLS, a, s));
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        double tolerance = exponents[k] < -1000 ? 1e-12 : 1e-14;    /* the smallest elements lose bits */

        for (int i = 0; i < ROWS * COLS; i++)
            scaled[i] = ldexp(a[i], exponents[k]);
        for (int i = 0; i < COLS; i++)
            expected[i] = ldexp(s[i], exponents[k]);
        check_values(ROWS, COLS, scaled, expected, tolerance);
    }
}

TEST(nearly_empty)
{
    enum { ROWS = 100, COLS = 180 };
    static double a[ROWS * COLS], expected[ROWS];

    check_values(ROWS, COLS, a, expected, 0.0);
    a[37 * COLS + 110] = -2.5;
    expected[0] = 2.5;
    check_values(ROWS, COLS, a, expected, 1e-15);
    a[99 * COLS + 179] = 1e-250;                /* its square is none of the sum's bits */
    check_values(ROWS, COLS, a, expected, 1e-15);
    a[5 * COLS] = (double)INFINITY;
    CHECK(dyn_dense_svd_values(ctx, ROWS, COLS, a, expected) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "a[900] is inf");
    a[5 * COLS] = (double)NAN;
    CHECK(dyn_dense_svd_values(ctx, ROWS, COLS, a, expected) == DYN_EINVAL);
}

static void values_with(int threads, int32_t isa, int64_t rows, int64_t cols, const double *a, double *s)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *own = NULL;

    o.threads = threads;
    o.isa = isa;
    CHECK_OK(ctx, dyn_ctx_create(&o, &own));
    CHECK_OK(own, dyn_dense_svd_values(own, rows, cols, a, s));
    dyn_ctx_free(own);
}

TEST(threads_and_instruction_sets)
{
    enum { LONG = 520, SHORT = 390 };
    static double a[LONG * LONG], s[LONG], t[LONG];
    const int64_t shapes[][2] = { { LONG, SHORT }, { SHORT, LONG }, { LONG, LONG }, { SHORT, SHORT + 20 } };

    for (int i = 0; i < LONG * LONG; i++)
        a[i] = pseudo_random(i);
    for (int k = 0; k < 4; k++) {
        int64_t rows = shapes[k][0], cols = shapes[k][1], n = rows < cols ? rows : cols;

        values_with(1, DYN_ISA_AUTO, rows, cols, a, s);
        for (int threads = 2; threads < 5; threads++) {
            values_with(threads, DYN_ISA_AUTO, rows, cols, a, t);
            CHECK(memcmp(s, t, (size_t)n * sizeof *s) == 0);
        }
        values_with(2, DYN_ISA_REFERENCE, rows, cols, a, t);
        for (int64_t i = 0; i < n; i++)
            CHECK(fabs(s[i] - t[i]) <= 1e-14 * s[0]);
    }
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(known_spectra);
    RUN(closed_forms);
    RUN(against_jacobi);
    RUN(scales);
    RUN(nearly_empty);
    RUN(threads_and_instruction_sets);
    dyn_ctx_free(ctx);
    return test_end();
}
