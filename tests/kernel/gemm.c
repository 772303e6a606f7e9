/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products of every table, type and provider against sums in long double: all transposes, accumulation, gaps
 * between rows, sizes around the blocks of the kernels. Nothing outside C may change. */
#include "kernel_test.h"

typedef struct operand { void *p; int64_t ld; int trans; } operand;

static double element(const operand *o, int dtype, int64_t r, int64_t c)
{
    return get(o->p, dtype, o->trans ? c * o->ld + r : r * o->ld + c);
}

static operand operand_new(int64_t rows, int64_t cols, int trans, int64_t gap, int dtype)
{
    operand o = { NULL, (trans ? rows : cols) + gap, trans };
    const int64_t size = o.ld * (trans ? cols : rows);

    o.p = malloc((size_t)size * size_of(dtype));
    random_fill(o.p, dtype, size, -1, 1);
    return o;
}

/* Is every element within its rounding error: k + 2 roundings of terms of at most the sum of sizes? */
static void check_product(const setup *s, const dyn__gemm *g, const operand *a, const operand *b, const guarded *c)
{
    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++) {
            const double before = g->accumulate ? get(c->before, s->dtype, i * g->ldc + j) : 0;
            const double got = get(c->now, s->dtype, i * g->ldc + j);
            long double want = before, size = fabsl(want);

            for (int64_t p = 0; p < g->k; p++) {
                const long double x = (long double)element(a, s->dtype, i, p) * element(b, s->dtype, p, j);
                want += x;
                size += fabsl(x);
            }
            if (!(fabsl(got - want) <= (double)(g->k + 2) * epsilon(s->dtype) * size)) {
                TEST_FAIL("%s provider %d %ldx%ldx%ld trans %d %d + %d at %ld,%ld: got %g, want %Lg", setup_name(s),
                          g->provider, (long)g->m, (long)g->n, (long)g->k, g->trans_a, g->trans_b, g->accumulate,
                          (long)i, (long)j, got, want);
                return;
            }
        }
    if (!guarded_intact(c))
        TEST_FAIL("%s provider %d: wrote outside C", setup_name(s), g->provider);
}

static void try_product(const setup *s, dyn__gemm g, int64_t gap)
{
    operand a = operand_new(g.m, g.k, g.trans_a, gap, s->dtype), b = operand_new(g.k, g.n, g.trans_b, gap, s->dtype);
    guarded c;

    g.lda = a.ld;
    g.ldb = b.ld;
    g.ldc = g.n + gap;
    c = guarded_new((size_t)(g.m * g.ldc + 16) * size_of(s->dtype));
    for (int64_t i = 0; i < g.m; i++) {
        void *row = at(c.now, s->dtype, i * g.ldc);
        random_fill(row, s->dtype, g.n, -1, 1);
        memcpy(at(c.before, s->dtype, i * g.ldc), row, (size_t)g.n * size_of(s->dtype));
        guarded_allow(&c, row, (size_t)g.n * size_of(s->dtype));
    }
    if (dyn__gemm_plan(s->kernels, &g) == DYN_OK) {
        dyn__gemm_run(&g, a.p, b.p, c.now);
        check_product(s, &g, &a, &b, &c);
    } else {
        CHECK(g.provider == DYN__GEMM_XSMM || (g.provider == DYN__GEMM_BLIS && s->isa == DYN_ISA_REFERENCE));
    }
    free(a.p);
    free(b.p);
    guarded_free(&c);
}

/* All transposes, with and without accumulation and gaps, by the planner's choice (0) and by each provider. */
static void try_size(const setup *s, int64_t m, int64_t n, int64_t k)
{
    for (int bits = 0; bits < 16; bits++)
        for (int provider = 0; provider <= DYN__GEMM_BLIS; provider++) {
            const dyn__gemm g = { .dtype = s->dtype, .trans_a = bits & 1, .trans_b = bits >> 1 & 1,
                                  .accumulate = bits >> 2 & 1, .m = m, .n = n, .k = k, .provider = provider };
            try_product(s, g, bits >> 3 ? 5 : 0);
        }
}

static void try_sizes(const setup *s)
{
    static const int64_t sizes[][3] = {
        { 1, 1, 1 }, { 1, 1, 7 }, { 1, 9, 1 }, { 5, 1, 1 }, { 1, 33, 10 }, { 17, 1, 20 }, { 2, 3, 4 }, { 3, 5, 17 },
        { 7, 8, 9 }, { 8, 16, 8 }, { 9, 17, 3 }, { 16, 31, 10 }, { 13, 47, 5 }, { 15, 48, 1 }, { 6, 49, 33 },
        { 32, 10, 100 }, { 16, 100, 64 }, { 33, 65, 7 }, { 4, 97, 300 }, { 11, 130, 129 } };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        try_size(s, sizes[i][0], sizes[i][1], sizes[i][2]);
}

TEST(every_provider_and_layout) { for_each_setup(try_sizes); }

/* Large enough for slices of B; few, as the check is slow. */
static void try_large(const setup *s)
{
    for (int trans = 0; trans < 4; trans++)
        for (int provider = 0; provider <= DYN__GEMM_BLIS; provider++) {
            const dyn__gemm g = { .dtype = s->dtype, .trans_a = trans & 1, .trans_b = trans >> 1, .accumulate = 1,
                                  .m = 67, .n = 190, .k = 260, .provider = provider };
            try_product(s, g, 3);
        }
}

TEST(large_products) { for_each_setup(try_large); }

/* A row of C must not depend on the rows computed with it. */
static void try_rows(const setup *s)
{
    enum { M = 23, N = 61, K = 37 };
    double a[M * K], b[K * N], all[M * N], some[M * N];
    dyn__gemm g = { .dtype = s->dtype, .m = M, .n = N, .k = K, .lda = K, .ldb = N, .ldc = N,
                    .provider = DYN__GEMM_PLAIN };

    random_fill(a, s->dtype, M * K, -1, 1);
    random_fill(b, s->dtype, K * N, -1, 1);
    CHECK(dyn__gemm_plan(s->kernels, &g) == DYN_OK);
    dyn__gemm_run(&g, a, b, all);
    for (g.m = 2; g.m < M; g.m++) {
        CHECK(dyn__gemm_plan(s->kernels, &g) == DYN_OK);
        dyn__gemm_run(&g, a, b, some);
        CHECK(!memcmp(all, some, (size_t)(g.m * N) * size_of(s->dtype)));
    }
}

TEST(rows_do_not_depend_on_their_neighbours) { for_each_setup(try_rows); }

TEST(nan_and_infinity_pass)
{
    dyn__kernels k;
    double a[4] = { NAN, 0, 1, 2 }, b[4] = { 1, INFINITY, 1, 1 }, c[4];
    dyn__gemm g = { .dtype = DYN_F64, .m = 2, .n = 2, .k = 2, .lda = 2, .ldb = 2, .ldc = 2,
                    .provider = DYN__GEMM_PLAIN };

    CHECK(dyn__kernels_init(&k, DYN_ISA_AUTO) == DYN_OK);
    CHECK(dyn__gemm_plan(&k, &g) == DYN_OK);
    dyn__gemm_run(&g, a, b, c);
    CHECK(isnan(c[0]) && isnan(c[1]) && c[2] == 3 && isinf(c[3]));
}

TEST(init_refuses_unknown_sets)
{
    dyn__kernels k;

    CHECK(dyn__kernels_init(&k, 99) == DYN_EINVAL);
    CHECK(dyn__kernels_init(&k, -1) == DYN_EINVAL);
    CHECK(dyn__kernels_init(&k, DYN_ISA_AUTO) == DYN_OK && k.isa >= DYN_ISA_REFERENCE);
    CHECK(k.blas[0] && k.blas_arch[0]);
}

int main(void)
{
    RUN(init_refuses_unknown_sets);
    RUN(every_provider_and_layout);
    RUN(large_products);
    RUN(rows_do_not_depend_on_their_neighbours);
    RUN(nan_and_infinity_pass);
    return test_end();
}
