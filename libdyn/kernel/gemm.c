/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which provider computes a matrix product, decided from its sizes by measurements: with AVX-512 generated code up to
 * 3 MB of operands, three second-level caches (with AVX2 our own kernels are as fast at multiples of 16 columns and
 * faster elsewhere), our own kernels up to the size of a third-level cache, beyond that BLIS where it serves (blis.c)
 * and else our own kernels by blocks for every cache. With 3 MB a decoder of width 400 takes .98 of the time of 1.5,
 * layers of 1000 units take as long; with 6 MB these take 1.05 (Zen 4). The last columns go to a kernel for them where
 * they would fill little of a vector. */
#include "kernel/tables.h"

enum { XSMM_MOST_BYTES = 3 << 20, LARGE_BYTES = 1 << 24 };

static int plan_plain(const dyn__kernels *k, dyn__gemm *g)
{
    g->run = g->dtype == DYN_F64 ? k->f64.gemm : k->f32.gemm;
    return 1;
}

/* Describe operands that lie the same either way by the simpler flags: a transposed column or a transposed row
 * without gaps. */
static void simplify(dyn__gemm *g)
{
    if (g->trans_b && g->n == 1) {
        g->trans_b = 0;
        g->ldb = 1;
    } else if (g->trans_b && g->k == 1 && g->ldb == 1) {
        g->trans_b = 0;
        g->ldb = g->n;
    }
}

/* The columns of C behind its whole vectors, if their own kernel is expected to gain a fiftieth of the product, else 0.
 * In multiply-adds of vectors: with the others they cost as many as a whole vector of columns. Their kernel spends what
 * it needs, 8 more for every row of C and of B, and 2 with every vector of a transposed A that comes from beyond the
 * first-level cache. Vectors of four elements go in pairs: it does not pay to leave one alone. All measured. */
static int tail_columns(const dyn__kernel_table *t, const dyn__gemm *g, size_t element)
{
    enum { EACH_ROW = 8, FAR = 2, NEAR_BYTES = 1 << 16, LEAST_GAIN = 50 };
    const int64_t w = t->vector, whole = w ? g->n / w : 0, tail = g->n - whole * w;
    const int far = g->trans_a && (size_t)(g->m * g->k) * element > NEAR_BYTES;
    int64_t vectors, gain;

    if (g->trans_b || !whole || !tail || tail > DYN__MOST_TAIL || 2 * tail > w || (w == 4 && whole % 2))
        return 0;
    vectors = g->trans_a ? g->k * ((g->m + w - 1) / w) : g->m * ((g->k + w - 1) / w);
    gain = g->m * g->k - vectors * (tail + (far ? FAR : 0)) - EACH_ROW * (g->m + g->k);
    return gain * LEAST_GAIN >= g->m * g->k * (whole + 1) ? (int)tail : 0;
}

static int try_provider(const dyn__kernels *k, dyn__gemm *g, int provider)
{
    static int (*const plan[])(const dyn__kernels *, dyn__gemm *) = {
        [DYN__GEMM_PLAIN] = plan_plain, [DYN__GEMM_XSMM] = dyn__xsmm_plan, [DYN__GEMM_BLOCKED] = dyn__blocked_plan,
        [DYN__GEMM_BLIS] = dyn__blis_plan };
    const int wide = g->dtype == DYN_F64;
    const dyn__kernel_table *t = wide ? &k->f64 : &k->f32;

    g->code = NULL;
    g->run = NULL;
    g->table = t;
    g->tail = provider >= DYN__GEMM_BLOCKED ? 0 : tail_columns(t, g, wide ? sizeof(double) : sizeof(float));
    g->provider = provider;
    return plan[provider](k, g);
}

dyn_status dyn__gemm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    const double m = (double)g->m, n = (double)g->n, inner = (double)g->k;
    const double bytes = (m * inner + inner * n + m * n) * (g->dtype == DYN_F64 ? sizeof(double) : sizeof(float));

    simplify(g);
    if (g->provider)
        return try_provider(k, g, g->provider) ? DYN_OK : DYN_ENOTSUP;
    if (bytes >= (double)LARGE_BYTES && try_provider(k, g, k->large_by_blis ? DYN__GEMM_BLIS : DYN__GEMM_BLOCKED))
        return DYN_OK;
    if (g->n > 1 && bytes <= (double)XSMM_MOST_BYTES && try_provider(k, g, DYN__GEMM_XSMM))
        return DYN_OK;
    return try_provider(k, g, DYN__GEMM_PLAIN) ? DYN_OK : DYN_ENOTSUP;
}
