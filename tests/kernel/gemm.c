/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products of every table, type and provider against sums in long double: all transposes, accumulation, gaps
 * between rows, sizes around the blocks of the kernels. Nothing outside C may change, and behind the last element of A
 * and of B begins a page that cannot be read. */
#include <sys/mman.h>
#include <unistd.h>
#include "kernel_test.h"

typedef struct operand { void *p, *pages; size_t bytes; int64_t ld; int trans; } operand;
typedef struct problem { dyn__gemm g; operand a, b; guarded c; } problem;

static double element(const operand *o, int dtype, int64_t r, int64_t c)
{
    return get(o->p, dtype, o->trans ? c * o->ld + r : r * o->ld + c);
}

static operand operand_new(int64_t rows, int64_t cols, int trans, int64_t gap, int dtype)
{
    const int64_t lines = trans ? cols : rows, length = trans ? rows : cols, ld = length + gap;
    const int64_t size = ld * (lines - 1) + length;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (size_t)size * size_of(dtype);
    const size_t bytes = (used + page - 1) / page * page;
    char *pages = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const operand o = { pages + (bytes - used), pages, bytes + page, ld, trans };

    if ((void *)pages == MAP_FAILED || mprotect(pages + bytes, page, PROT_NONE))
        abort();
    random_fill(o.p, dtype, size, -1, 1);
    return o;
}

/* A product to compute, of which the columns from `first` may be written. */
static problem problem_new(const setup *s, const dyn__gemm *wanted, int64_t gap, int64_t first)
{
    problem p = { .g = *wanted };
    dyn__gemm *g = &p.g;

    p.a = operand_new(g->m, g->k, g->trans_a, gap, s->dtype);
    p.b = operand_new(g->k, g->n, g->trans_b, gap, s->dtype);
    g->lda = p.a.ld;
    g->ldb = p.b.ld;
    g->ldc = g->n + gap;
    p.c = guarded_new((size_t)(g->m * g->ldc + 16) * size_of(s->dtype));
    for (int64_t i = 0; i < g->m; i++) {
        void *row = at(p.c.now, s->dtype, i * g->ldc);
        random_fill(row, s->dtype, g->n, -1, 1);
        memcpy(at(p.c.before, s->dtype, i * g->ldc), row, (size_t)g->n * size_of(s->dtype));
        guarded_allow(&p.c, at(row, s->dtype, first), (size_t)(g->n - first) * size_of(s->dtype));
    }
    return p;
}

static void problem_free(problem *p)
{
    munmap(p->a.pages, p->a.bytes);
    munmap(p->b.pages, p->b.bytes);
    guarded_free(&p->c);
}

/* Is every element from column `first` within its rounding error: k + 2 roundings of terms of at most the sum of
 * sizes? */
static void check_product(const setup *s, const problem *q, int64_t first)
{
    const dyn__gemm *g = &q->g;

    for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = first; j < g->n; j++) {
            const double before = g->accumulate ? get(q->c.before, s->dtype, i * g->ldc + j) : 0;
            const double got = get(q->c.now, s->dtype, i * g->ldc + j);
            long double want = before, size = fabsl(want);

            for (int64_t p = 0; p < g->k; p++) {
                const long double x = (long double)element(&q->a, s->dtype, i, p) * element(&q->b, s->dtype, p, j);
                want += x;
                size += fabsl(x);
            }
            if (!(fabsl(got - want) <= (double)(g->k + 2) * epsilon(s->dtype) * size)) {
                TEST_FAIL("%s provider %d %ldx%ldx%ld trans %d %d + %d tail %d at %ld,%ld: got %g, want %Lg",
                          setup_name(s), g->provider, (long)g->m, (long)g->n, (long)g->k, g->trans_a, g->trans_b,
                          g->accumulate, g->tail, (long)i, (long)j, got, want);
                return;
            }
        }
    if (!guarded_intact(&q->c))
        TEST_FAIL("%s provider %d: wrote outside C", setup_name(s), g->provider);
}

/* The tail of the plan. */
static int try_product(const setup *s, dyn__gemm g, int64_t gap)
{
    problem p = problem_new(s, &g, gap, 0);

    if (dyn__gemm_plan(s->kernels, &p.g) == DYN_OK) {
        dyn__gemm_run(&p.g, p.a.p, p.b.p, p.c.now);
        check_product(s, &p, 0);
    } else {
        CHECK(g.provider == DYN__GEMM_XSMM || g.provider == DYN__GEMM_BLOCKED
              || (g.provider == DYN__GEMM_BLIS && !s->kernels->have_blis));
    }
    problem_free(&p);
    return p.g.tail;
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

/* Large enough for slices of B, and for two blocks of rows and two of depth; few, as the check is slow. */
static void try_large(const setup *s)
{
    for (int i = 0; i < 8; i++)
        for (int provider = 0; provider <= DYN__GEMM_BLIS; provider++) {
            const dyn__gemm g = { .dtype = s->dtype, .trans_a = i & 1, .trans_b = i >> 1 & 1, .accumulate = i >> 2,
                                  .m = i >> 2 ? 67 : 201, .n = i >> 2 ? 190 : 26, .k = 260, .provider = provider };
            try_product(s, g, 3);
        }
}

TEST(large_products) { for_each_setup(try_large); }

/* Rows of B at 4096 bytes, which are copied slice by slice: less than one, some, as many as fill them; with a tail. */
static void try_colliding(const setup *s)
{
    static const int64_t sizes[][2] = { { 40, 100 }, { 40, 500 }, { 32, 512 }, { 35, 300 } };       /* n, k */

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int bits = 0; bits < 4; bits++) {
            const dyn__gemm g = { .dtype = s->dtype, .trans_a = bits & 1, .accumulate = bits >> 1, .m = 33,
                                  .n = sizes[i][0], .k = sizes[i][1] };
            try_product(s, g, 4096 / (int64_t)size_of(s->dtype) - g.n);
        }
}

TEST(colliding_rows) { for_each_setup(try_colliding); }

static int64_t random_size(int64_t least, int64_t most)
{
    return least + (int64_t)(random_bits() % (uint64_t)(most - least + 1));
}

static dyn__gemm random_product(const setup *s, int64_t most)
{
    const int bits = (int)(random_bits() & 3);

    return (dyn__gemm){ .dtype = s->dtype, .trans_a = bits & 1, .accumulate = bits >> 1,
                        .m = random_size(1, most), .n = random_size(DYN__MOST_TAIL, 20), .k = random_size(1, most) };
}

/* The last columns alone, by their kernel. k is above and below the slices that it works on. */
static void try_tail(const setup *s)
{
    for (int i = 0; i < 200 && s->table->gemm_tail; i++) {
        dyn__gemm g = random_product(s, i % 8 ? 70 : 600);
        problem p;

        g.tail = (int32_t)random_size(1, DYN__MOST_TAIL);
        p = problem_new(s, &g, i & 16 ? random_size(1, 9) : 0, g.n - g.tail);
        s->table->gemm_tail(&p.g, p.a.p, p.b.p, p.c.now);
        check_product(s, &p, g.n - g.tail);
        problem_free(&p);
    }
}

TEST(last_columns) { for_each_setup(try_tail); }

/* Behind some multiples of the vector the kernel for the last columns takes part, of which the reference has none. */
static void try_split(const setup *s)
{
    int split = 0;

    for (int i = 0; i < 200; i++) {
        dyn__gemm g = random_product(s, 70);

        g.n = 4 * random_size(1, 20) + i % 4;
        g.provider = i & 8 ? DYN__GEMM_PLAIN : 0;
        split += try_product(s, g, i & 4 ? random_size(1, 9) : 0) > 0;
    }
    CHECK(!s->table->gemm_tail == !split);
}

TEST(products_with_last_columns) { for_each_setup(try_split); }

typedef void (*run_fn)(const dyn__gemm *g, const void *a, const void *b, void *c);

/* A row of C must not depend on the rows computed with it. */
static void try_rows_of(const setup *s, int tail, run_fn run)
{
    enum { M = 23, N = 61, K = 37 };
    double a[M * K], b[K * N], all[M * N] = { 0 }, some[M * N] = { 0 };
    dyn__gemm g = { .dtype = s->dtype, .m = M, .n = N, .k = K, .lda = K, .ldb = N, .ldc = N, .tail = tail };

    random_fill(a, s->dtype, M * K, -1, 1);
    random_fill(b, s->dtype, K * N, -1, 1);
    run(&g, a, b, all);
    for (g.m = 2; g.m < M; g.m++) {
        run(&g, a, b, some);
        CHECK(!memcmp(all, some, (size_t)(g.m * N) * size_of(s->dtype)));
    }
}

static void try_rows(const setup *s)
{
    try_rows_of(s, 0, s->table->gemm);
    for (int tail = 1; tail <= DYN__MOST_TAIL && s->table->gemm_tail; tail++)
        try_rows_of(s, tail, s->table->gemm_tail);
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
    CHECK(dyn__kernels_init(&k, DYN_ISA_AUTO) == DYN_OK && k.isa != DYN_ISA_AUTO && k.isa_name);
    CHECK(k.blas[0] && k.blas_arch[0]);
}

/* Products of 16 MiB and more never begin BLIS for a table that does not ask for it, and go by blocks then. */
TEST(provider_of_large_products)
{
    dyn__kernels k;
    dyn__gemm g = { .dtype = DYN_F64, .m = 2000, .n = 2000, .k = 2000, .lda = 2000, .ldb = 2000, .ldc = 2000 };

    CHECK(dyn__kernels_init(&k, DYN_ISA_REFERENCE) == DYN_OK && !k.have_blis && !k.large_by_blis);
    CHECK(dyn__gemm_plan(&k, &g) == DYN_OK && g.provider == DYN__GEMM_BLOCKED);
    CHECK(dyn__kernels_init(&k, DYN_ISA_AUTO) == DYN_OK && (k.have_blis || !k.large_by_blis));
    g.provider = 0;
    CHECK(dyn__gemm_plan(&k, &g) == DYN_OK && g.provider == (k.large_by_blis ? DYN__GEMM_BLIS : DYN__GEMM_BLOCKED));
}

int main(void)
{
    RUN(init_refuses_unknown_sets);
    RUN(provider_of_large_products);
    RUN(every_provider_and_layout);
    RUN(large_products);
    RUN(colliding_rows);
    RUN(last_columns);
    RUN(products_with_last_columns);
    RUN(rows_do_not_depend_on_their_neighbours);
    RUN(nan_and_infinity_pass);
    return test_end();
}
