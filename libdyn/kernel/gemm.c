/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which provider computes a matrix product, decided from its sizes by measurements: with AVX-512 generated code where
 * the operands fit into the second-level cache (with AVX2 our own kernels are as fast at multiples of 16 columns and
 * faster elsewhere), our own kernels up to the size of a third-level cache, BLIS, which blocks for every cache, beyond
 * that. Without vector kernels of our own BLIS takes over early. */
#include "kernel/tables.h"

enum { XSMM_MOST_BYTES = 3 << 19, BLIS_LEAST_BYTES = 1 << 24, BLIS_LEAST_FLOPS_REFERENCE = 1 << 16 };

static int plan_plain(const dyn__kernels *k, dyn__gemm *g)
{
    g->run = g->dtype == DYN_F64 ? k->f64.gemm : k->f32.gemm;
    return 1;
}

static int plan_blis(const dyn__kernels *k, dyn__gemm *g)
{
    g->run = dyn__blis_run;
    return k->foreign_gemm;
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

static int try_provider(const dyn__kernels *k, dyn__gemm *g, int provider)
{
    static int (*const plan[])(const dyn__kernels *, dyn__gemm *) = {
        [DYN__GEMM_PLAIN] = plan_plain, [DYN__GEMM_XSMM] = dyn__xsmm_plan, [DYN__GEMM_BLIS] = plan_blis };

    g->code = NULL;
    g->run = NULL;
    g->provider = provider;
    return plan[provider](k, g);
}

static int blis_is_better(const dyn__kernels *k, const dyn__gemm *g, double bytes)
{
    if (k->isa == DYN_ISA_REFERENCE)
        return 2.0 * (double)g->m * (double)g->n * (double)g->k >= BLIS_LEAST_FLOPS_REFERENCE;
    return bytes >= BLIS_LEAST_BYTES;
}

dyn_status dyn__gemm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    const double m = (double)g->m, n = (double)g->n, inner = (double)g->k;
    const double bytes = (m * inner + inner * n + m * n) * (g->dtype == DYN_F64 ? sizeof(double) : sizeof(float));

    simplify(g);
    if (g->provider)
        return try_provider(k, g, g->provider) ? DYN_OK : DYN_ENOTSUP;
    if (blis_is_better(k, g, bytes) && try_provider(k, g, DYN__GEMM_BLIS))
        return DYN_OK;
    if (g->n > 1 && bytes <= XSMM_MOST_BYTES && try_provider(k, g, DYN__GEMM_XSMM))
        return DYN_OK;
    return try_provider(k, g, DYN__GEMM_PLAIN) ? DYN_OK : DYN_ENOTSUP;
}
