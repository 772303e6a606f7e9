/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random draws: the known answers of the Random123 distribution, splitting of ranges, the layout of the counter,
 * moments, distribution functions from libm, permutations. The seeds are fixed, so the statistical bounds hold or fail
 * for ever; they are set where a true sample would fail once in about 10^4 times. */
#include <stdlib.h>
#include <dyn/dyn.h>
#include "random/random.h"
#include "test.h"

enum { N = 200000 };
static double x[N];
static float y[N];

static const dyn__key key = { 42, DYN__STREAM_INIT, 3, 5 };

/* ---- known answers ---- */

typedef struct answer { uint32_t counter[4], key[2], expected[4]; } answer;

/* What the layout makes of a counter and a key. The stream number takes 8 bits, the rest is high bits of the block. */
static int known(const answer *a)
{
    dyn__key k = { (uint64_t)a->key[1] << 32 | a->key[0], a->counter[3] & 255, a->counter[2], a->counter[1] };
    uint32_t word[4];

    dyn__random_block(k, (uint64_t)(a->counter[3] >> 8) << 32 | a->counter[0], word);
    return !memcmp(word, a->expected, sizeof word);
}

TEST(known_answers)
{
    static const answer all[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(known(&all[i]));
}

/* From the words to the numbers, by hand, for the first block of the zero key. */
TEST(first_numbers)
{
    dyn__key zero = { 0 };
    double d[2];
    float f[4];

    dyn__uniform_f64(zero, 0, 2, d);
    CHECK(d[0] == (double)(0xe169c58d6627e8d5 >> 11) / 9007199254740992.0);
    CHECK(d[1] == (double)(0x9b00dbd8bc57ac4c >> 11) / 9007199254740992.0);
    dyn__uniform_f32(zero, 0, 4, f);
    CHECK(f[0] == (float)(0x6627e8d5 >> 8) / 16777216.0f && f[3] == (float)(0x9b00dbd8 >> 8) / 16777216.0f);
}

/* ---- a draw depends on its place only ---- */

#define SPLITS(name, draw, type)                                                 \
    TEST(name)                                                                   \
    {                                                                            \
        static const int64_t cut[] = { 0, 1, 2, 5, 8, 13, 14, 100, 1001 };       \
        type whole[1001], parts[1001];                                           \
                                                                                 \
        for (int64_t first = 0; first < 6; first++) {                            \
            draw(key, first, 1001, whole);                                       \
            for (int i = 0; i < 8; i++)                                          \
                draw(key, first + cut[i], cut[i + 1] - cut[i], parts + cut[i]);  \
            CHECK(!memcmp(whole, parts, sizeof whole));                          \
        }                                                                        \
    }

SPLITS(uniform_f64_splits, dyn__uniform_f64, double)
SPLITS(uniform_f32_splits, dyn__uniform_f32, float)
SPLITS(normal_f64_splits, dyn__normal_f64, double)
SPLITS(normal_f32_splits, dyn__normal_f32, float)

/* A change in any field of the key, or in the high bits of the index, gives other numbers. */
TEST(keys_differ)
{
    const dyn__key keys[] = { key, { 43, 1, 3, 5 }, { 42 + (1ull << 40), 1, 3, 5 }, { 42, 2, 3, 5 }, { 42, 1, 4, 5 },
                              { 42, 1, 3, 6 }, { 42, 1, 5, 3 } };
    double first[8];

    for (int i = 0; i < 7; i++)
        dyn__uniform_f64(keys[i], 0, 1, &first[i]);
    dyn__uniform_f64(key, (int64_t)1 << 40, 1, &first[7]);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < i; j++)
            CHECK(first[i] != first[j]);
}

/* ---- distributions ---- */

static int compare(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;

    return (d > 0) - (d < 0);
}

/* Kolmogorov and Smirnov: sqrt(n) times the largest distance of the distribution functions; above 2.2 once in 10^4. */
static double distance(double *v, int64_t n, double (*cdf)(double))
{
    double worst = 0;

    qsort(v, (size_t)n, sizeof *v, compare);
    for (int64_t i = 0; i < n; i++) {
        double p = cdf(v[i]);

        worst = fmax(worst, fmax(fabs(p - (double)i / (double)n), fabs(p - (double)(i + 1) / (double)n)));
    }
    return worst * sqrt((double)n);
}

static double uniform_cdf(double v) { return v; }
static double normal_cdf(double v) { return 0.5 * erfc(-v / sqrt(2.0)); }

/* The first four moments of the n numbers in x, each within four standard errors. */
static void check_moments(const double expected[4], const double variance[4])
{
    for (int power = 1; power <= 4; power++) {
        double sum = 0;

        for (int i = 0; i < N; i++)
            sum += pow(x[i], power);
        CHECK_NEAR(sum / N, expected[power - 1], 4 * sqrt(variance[power - 1] / N));
    }
}

static const double normal_moments[4] = { 0, 1, 0, 3 }, normal_variance[4] = { 1, 2, 15, 96 };
/* E u^k = 1/(k+1), Var u^k = 1/(2k+1) - 1/(k+1)^2 */
static const double uniform_moments[4] = { 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5 };
static const double uniform_variance[4] = { 1.0 / 12, 4.0 / 45, 9.0 / 112, 16.0 / 225 };

static void widen(void)
{
    for (int i = 0; i < N; i++)
        x[i] = (double)y[i];
}

TEST(uniform_f64_distribution)
{
    dyn__uniform_f64(key, 0, N, x);
    check_moments(uniform_moments, uniform_variance);
    CHECK(distance(x, N, uniform_cdf) < 2.2);
    CHECK(x[0] >= 0 && x[N - 1] < 1);
}

TEST(uniform_f32_distribution)
{
    dyn__uniform_f32(key, 0, N, y);
    widen();
    check_moments(uniform_moments, uniform_variance);
    CHECK(distance(x, N, uniform_cdf) < 2.2);
    CHECK(x[0] >= 0 && x[N - 1] < 1);
}

TEST(normal_f64_distribution)
{
    dyn__normal_f64(key, 0, N, x);
    check_moments(normal_moments, normal_variance);
    CHECK(distance(x, N, normal_cdf) < 2.2);
}

TEST(normal_f32_distribution)
{
    dyn__normal_f32(key, 0, N, y);
    widen();
    check_moments(normal_moments, normal_variance);
    CHECK(distance(x, N, normal_cdf) < 2.2);
}

TEST(neighbours_do_not_correlate)
{
    double sum = 0;

    dyn__normal_f64(key, 0, N, x);
    for (int i = 0; i + 1 < N; i++)
        sum += x[i] * x[i + 1];
    CHECK(fabs(sum / sqrt(N)) < 4);
}

/* The quantile against values computed with 40 digits (mpmath) and against erfc over the whole range. An error dz of z
 * moves the probability by pdf dz, which bounds what erfc's own rounding lets us see: 1e-15 of z or 4e-16 of p. */
TEST(quantile)
{
    static const double point[][2] = {
        { 0.5, 0.0 }, { 0.25, -0.67448975019608174320 }, { 0.1, -1.2815515655446004 }, { 0.025, -1.9599639845400542 },
        { 1e-10, -6.3613409024040562 }, { 0x1p-65, -9.1552937726860725 },
    };

    for (size_t i = 0; i < sizeof point / sizeof *point; i++)
        CHECK_NEAR(dyn__normal_quantile(point[i][0]), point[i][1], 2e-15);
    for (double p = 0x1p-65; p <= 0.5; p *= 1.01) {
        double z = dyn__normal_quantile(p), pdf = exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846);

        CHECK(fabs(normal_cdf(z) - p) <= pdf * fabs(z) * 2e-15 + p * 2e-15);
    }
}

/* ---- permutations ---- */

TEST(permutations_are_permutations)
{
    static int64_t p[1000];
    static char seen[1000];

    for (int64_t n = 0; n <= 1000; n += n < 10 ? 1 : 99) {
        dyn__permutation(key, n, p);
        memset(seen, 0, sizeof seen);
        for (int64_t i = 0; i < n; i++) {
            CHECK(p[i] >= 0 && p[i] < n && !seen[p[i]]);
            seen[p[i]] = 1;
        }
    }
}

/* All 24 orders of 4 things: chi-square with 23 degrees of freedom, above 56 once in 10^4. */
TEST(permutations_are_uniform)
{
    enum { DRAWS = 48000 };
    int count[256] = { 0 };
    double chi = 0;
    int used = 0;

    for (uint32_t i = 0; i < DRAWS; i++) {
        int64_t p[4];

        dyn__permutation((dyn__key){ 7, DYN__STREAM_ORDER, i, 0 }, 4, p);
        count[p[0] * 64 + p[1] * 16 + p[2] * 4 + p[3]]++;
    }
    for (int i = 0; i < 256; i++) {
        double d = count[i] - DRAWS / 24.0;

        used += count[i] > 0;
        chi += count[i] ? d * d / (DRAWS / 24.0) : 0;
    }
    CHECK(used == 24 && chi < 56);
}

/* ---- the public functions ---- */

TEST(public_draws)
{
    const dyn__key user = { 9, DYN__STREAM_USER, 0, 4 };
    dyn_ctx *ctx = NULL;
    double a[10], b[10];
    int64_t p[10], q[10];

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_random_normal(ctx, 9, 4, 3, 10, a));
    dyn__normal_f64(user, 3, 10, b);
    CHECK(!memcmp(a, b, sizeof a));
    CHECK_OK(ctx, dyn_random_uniform(ctx, 9, 4, 3, 10, a));
    dyn__uniform_f64(user, 3, 10, b);
    CHECK(!memcmp(a, b, sizeof a));
    CHECK_OK(ctx, dyn_random_permutation(ctx, 9, 4, 10, p));
    dyn__permutation(user, 10, q);
    CHECK(!memcmp(p, q, sizeof p));
    CHECK_OK(ctx, dyn_random_uniform(ctx, 9, 4, DYN__DRAWS - 10, 10, a));
    dyn_ctx_free(ctx);
}

TEST(public_errors)
{
    dyn_ctx *ctx = NULL;
    double a[1];
    int64_t p[1];

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK(dyn_random_uniform(NULL, 1, 1, 0, 1, a) == DYN_EINVAL);
    CHECK(dyn_random_normal(NULL, 1, 1, 0, 1, a) == DYN_EINVAL);
    CHECK(dyn_random_permutation(NULL, 1, 1, 1, p) == DYN_EINVAL);
    CHECK(dyn_random_uniform(ctx, 1, 1, 0, 1, NULL) == DYN_EINVAL);
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_random_uniform: out is NULL"));
    CHECK(dyn_random_normal(ctx, 1, 1, -1, 1, a) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_random_normal: first = -1, n = 1");
    CHECK(dyn_random_uniform(ctx, 1, 1, 0, -1, a) == DYN_EINVAL);
    CHECK(dyn_random_uniform(ctx, 1, 1, DYN__DRAWS, 1, a) == DYN_EINVAL);
    CHECK(dyn_random_uniform(ctx, 1, 1, INT64_MAX, INT64_MAX, a) == DYN_EINVAL);
    CHECK(dyn_random_permutation(ctx, 1, 1, -3, p) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_random_permutation: first = 0, n = -3");
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(known_answers);
    RUN(first_numbers);
    RUN(uniform_f64_splits);
    RUN(uniform_f32_splits);
    RUN(normal_f64_splits);
    RUN(normal_f32_splits);
    RUN(keys_differ);
    RUN(uniform_f64_distribution);
    RUN(uniform_f32_distribution);
    RUN(normal_f64_distribution);
    RUN(normal_f32_distribution);
    RUN(neighbours_do_not_correlate);
    RUN(quantile);
    RUN(permutations_are_permutations);
    RUN(permutations_are_uniform);
    RUN(public_draws);
    RUN(public_errors);
    return test_end();
}
