/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products by BLIS, always single-threaded: the library splits work itself. BLIS 0.9.0 does not know newer
 * processors and then falls back to generic kernels, six times slower. It reads BLIS_ARCH_TYPE from the environment
 * once, when it initialises itself, so the variable is set around that moment only, and never over the user's own
 * value. If the program has used BLIS before, its choice stands. */
#include <blis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "kernel/tables.h"

/* The architecture BLIS should be told, or -1 to let it find out itself. */
static int better_arch(void)
{
#if DYN__HAVE_AVX
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw"))
        return BLIS_ARCH_SKX;
#endif
    return -1;
}

/* Thread safety: like every change of the environment this must not race with readers of it; it runs once per process,
 * in the first dyn_ctx_create. */
static void initialise(void)
{
    const char *variable = "BLIS_ARCH_TYPE";
    const int arch = better_arch();
    char number[16];

    if (arch < 0 || getenv(variable)) {
        bli_init();
        return;
    }
    snprintf(number, sizeof number, "%d", arch);
    setenv(variable, number, 1);
    bli_init();
    unsetenv(variable);
}

void dyn__blis_prepare(dyn__kernels *k)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, initialise);
    snprintf(k->blas, sizeof k->blas, "BLIS %s", bli_info_get_version_str());
    snprintf(k->blas_arch, sizeof k->blas_arch, "%s", bli_arch_string(bli_arch_query_id()));
}

void dyn__blis_run(const dyn__gemm *g, const void *a_, const void *b_, void *c)
{
    const trans_t ta = g->trans_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE;
    const trans_t tb = g->trans_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE;
    void *a = (void *)(uintptr_t)a_, *b = (void *)(uintptr_t)b_;    /* BLIS does not write them, but has no const */
    double one = 1, beta = g->accumulate;
    float one_f32 = 1, beta_f32 = (float)g->accumulate;
    rntm_t rntm;

    bli_rntm_init(&rntm);
    bli_rntm_set_num_threads(1, &rntm);
    if (g->dtype == DYN_F64)
        bli_dgemm_ex(ta, tb, g->m, g->n, g->k, &one, a, g->lda, 1, b, g->ldb, 1, &beta, c, g->ldc, 1, NULL, &rntm);
    else
        bli_sgemm_ex(ta, tb, g->m, g->n, g->k, &one_f32, a, g->lda, 1, b, g->ldb, 1, &beta_f32, c, g->ldc, 1, NULL,
                     &rntm);
}
