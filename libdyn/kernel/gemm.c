/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which provider computes a matrix product, decided from its sizes: generated code for small products, BLIS for
 * those that leave the second-level cache, and the plain kernels of the instruction set for the rest. */
#include "kernel/tables.h"

static int plan_plain(const dyn__kernels *k, dyn__gemm *g)
{
    g->run = g->dtype == DYN_F64 ? k->f64.gemm : k->f32.gemm;
    return 1;
}

static int plan_blis(const dyn__kernels *k, dyn__gemm *g)
{
    (void)k;
    g->run = dyn__blis_run;
    return 1;
}

static int plan(const dyn__kernels *k, dyn__gemm *g, int provider)
{
    static int (*const plans[])(const dyn__kernels *, dyn__gemm *) = {
        [DYN__GEMM_PLAIN] = plan_plain, [DYN__GEMM_XSMM] = dyn__xsmm_plan, [DYN__GEMM_BLIS] = plan_blis };

    g->code = NULL;
    g->provider = provider;
    return plans[provider](k, g);
}

dyn_status dyn__gemm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    const double flops = 2.0 * (double)g->m * (double)g->n * (double)g->k;

    if (g->provider)
        return plan(k, g, g->provider) ? DYN_OK : DYN_ENOTSUP;
    if (k->foreign_gemm && flops > 4e6 && plan(k, g, DYN__GEMM_BLIS))
        return DYN_OK;
    if (g->n > 1 && g->m > 1 && plan(k, g, DYN__GEMM_XSMM))
        return DYN_OK;
    return plan(k, g, DYN__GEMM_PLAIN) ? DYN_OK : DYN_ENOTSUP;
}
