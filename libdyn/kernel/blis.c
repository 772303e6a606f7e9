/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products by BLIS, always single-threaded: the library splits work itself. BLIS is asked only where it does
 * well what it does, which is found out without beginning it: the version that runs is the one compiled for (the
 * layout of its rntm_t changed between versions of one soname), and the processor it takes the machine for has the
 * vectors that our own kernels use (BLIS 0.9 knows no CPU with AVX-512 newer than 2017 and would be six times slower).
 * It begins itself in its first product, for which it takes memory and ends the process where it gets none: never
 * with the reference table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/tables.h"

#if DYN__HAVE_BLIS
#if __has_include(<blis.h>)
#include <blis.h>
#else
#include <blis/blis.h>
#endif

/* Older headers do not say their version: then the build asks the library. */
#ifdef DYN__BLIS_VERSION
#define COMPILED_FOR DYN__BLIS_VERSION
#else
#define COMPILED_FOR BLIS_VERSION_STRING
#endif

#define SET_BY_VARIABLE "set by BLIS_ARCH_TYPE"

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return 1;
    return 0;
}

/* Has the processor that BLIS takes this one for vectors of at least our instruction set's length? */
static int right_for(const char *arch, int isa)
{
    static const char *const avx512[] = { "skx", "zen4", "zen5", NULL };
    static const char *const avx2[] = { "haswell", "zen", "zen2", "zen3", NULL };
    static const char *const unknown[] = { "generic", SET_BY_VARIABLE, NULL };

    if (isa == DYN_ISA_AVX512)
        return is_one_of(arch, avx512);
    if (isa == DYN_ISA_AVX2)
        return is_one_of(arch, avx2) || is_one_of(arch, avx512);
    return isa != DYN_ISA_REFERENCE && !is_one_of(arch, unknown);
}

/* Asked before BLIS has begun, 0.9 ends the process if the variable is set. */
static const char *processor(void)
{
    return getenv("BLIS_ARCH_TYPE") ? SET_BY_VARIABLE : bli_arch_string(bli_arch_query_id());
}

void dyn__blis_find(dyn__kernels *k)
{
    const char *version = bli_info_get_version_str(), *arch = processor();

    snprintf(k->blas, sizeof k->blas, "BLIS %s", version);
    snprintf(k->blas_arch, sizeof k->blas_arch, "%s", arch);
    k->blis_differs = strcmp(version, COMPILED_FOR) != 0;
    k->have_blis = !k->blis_differs && k->isa != DYN_ISA_REFERENCE;
    k->large_by_blis = k->have_blis && right_for(arch, k->isa);
}

/* Not for small products either: those kernels of 0.9 read beyond the end of their operands. */
static rntm_t one_thread(void)
{
    rntm_t rntm = BLIS_RNTM_INITIALIZER;

    rntm.auto_factor = 0;
    rntm.l3_sup = 0;
    rntm.num_threads = 1;
    for (int i = 0; i < BLIS_NUM_LOOPS; i++)
        rntm.thrloop[i] = 1;
    return rntm;
}

static void run(const dyn__gemm *g, const void *a_, const void *b_, void *c)
{
    const trans_t ta = g->trans_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE;
    const trans_t tb = g->trans_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE;
    void *a = (void *)(uintptr_t)a_, *b = (void *)(uintptr_t)b_;    /* BLIS does not write them, but has no const */
    double one = 1, beta = g->accumulate;
    float one_f32 = 1, beta_f32 = (float)g->accumulate;
    rntm_t rntm = one_thread();

    if (g->dtype == DYN_F64)
        bli_dgemm_ex(ta, tb, g->m, g->n, g->k, &one, a, g->lda, 1, b, g->ldb, 1, &beta, c, g->ldc, 1, NULL, &rntm);
    else
        bli_sgemm_ex(ta, tb, g->m, g->n, g->k, &one_f32, a, g->lda, 1, b, g->ldb, 1, &beta_f32, c, g->ldc, 1, NULL,
                     &rntm);
}

int dyn__blis_plan(const dyn__kernels *k, dyn__gemm *g)
{
    g->run = run;
    return k->have_blis;
}
#else
void dyn__blis_find(dyn__kernels *k)
{
    snprintf(k->blas, sizeof k->blas, "none");
    snprintf(k->blas_arch, sizeof k->blas_arch, "none");
}

int dyn__blis_plan(const dyn__kernels *k, dyn__gemm *g)
{
    (void)k, (void)g;
    return 0;
}
#endif
