/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products by code that LIBXSMM generates for their sizes. LIBXSMM is column-major: a row-major C = A B is its
 * C' = B' A', so our B is its first operand. It can transpose its second operand (our A) but not its first. The last
 * columns of C may be left to a kernel of our own. The code belongs to LIBXSMM's registry, lives as long as the process
 * and is found again for equal sizes. */
#include "kernel/tables.h"

#if DYN__HAVE_XSMM
#include <libxsmm.h>

static void run_f64(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    ((libxsmm_dmmfunction)(uintptr_t)g->code)(b, a, c);
    if (g->tail)
        g->run_tail(g, a, b, c);
}

static void run_f32(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    ((libxsmm_smmfunction)(uintptr_t)g->code)(b, a, c);
    if (g->tail)
        g->run_tail(g, a, b, c);
}

/* Sizes that LIBXSMM's code generator was seen to take, with room in its 32-bit offsets. */
static int fits(int64_t size) { return size < 65536; }

int dyn__xsmm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    const libxsmm_blasint m = (libxsmm_blasint)(g->n - g->tail), n = (libxsmm_blasint)g->m;
    const libxsmm_blasint inner = (libxsmm_blasint)g->k;
    const libxsmm_blasint lda = (libxsmm_blasint)g->ldb, ldb = (libxsmm_blasint)g->lda, ldc = (libxsmm_blasint)g->ldc;
    const int flags = g->trans_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    const double one = 1, beta = g->accumulate;
    const float one_f32 = 1, beta_f32 = (float)g->accumulate;

    if (!k->have_xsmm || g->trans_b || !fits(g->m) || !fits(g->n) || !fits(g->k) || !fits(g->lda) || !fits(g->ldb)
        || !fits(g->ldc))
        return 0;
    if (g->dtype == DYN_F64)
        g->code = (void *)(uintptr_t)libxsmm_dmmdispatch(m, n, inner, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
    else
        g->code = (void *)(uintptr_t)libxsmm_smmdispatch(m, n, inner, &lda, &ldb, &ldc, &one_f32, &beta_f32, &flags,
                                                         NULL);
    if (g->code)
        g->run = g->dtype == DYN_F64 ? run_f64 : run_f32;
    return g->code != NULL;
}
#else
int dyn__xsmm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    (void)k, (void)g;
    return 0;
}
#endif
