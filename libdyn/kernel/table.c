/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kernel names and the choice of a table: the reference first, then what the CPU does better, in rising order. */
#include <string.h>
#include "kernel/tables.h"

static const struct { const char *name; int inputs; } kernels[DYN__K_COUNT] = {
#define DYN__K(name, n, f) { #name, n },
    DYN__ELEMENTWISE_LIST(DYN__K) DYN__REDUCTION_LIST(DYN__K) DYN__SUMMED_LIST(DYN__K)
#undef DYN__K
};

const char *dyn__kernel_name(int id) { return id >= 0 && id < DYN__K_COUNT ? kernels[id].name : "?"; }

int dyn__kernel_inputs(int id) { return id >= 0 && id < DYN__K_COUNT ? kernels[id].inputs : 0; }

/* The best instruction set of both the build and the CPU. */
static int best_isa(void)
{
#if DYN__HAVE_AVX
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
        return DYN_ISA_REFERENCE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw"))
        return DYN_ISA_AVX512;
    return DYN_ISA_AVX2;
#else
    return DYN_ISA_REFERENCE;
#endif
}

dyn_status dyn__kernels_init(dyn__kernels *k, int isa)
{
    const int best = best_isa();

    if (isa < DYN_ISA_AUTO || isa > DYN_ISA_AVX512)
        return DYN_EINVAL;
    if (isa > best)
        return DYN_ENOTSUP;
    memset(k, 0, sizeof *k);
    k->isa = isa == DYN_ISA_AUTO ? best : isa;
    k->foreign_gemm = isa != DYN_ISA_REFERENCE;
    k->have_sleef = DYN__HAVE_SLEEF;
    k->have_xsmm = DYN__HAVE_XSMM && k->isa == DYN_ISA_AVX512;
    dyn__reference_tables(&k->f64, &k->f32);
#if DYN__HAVE_AVX
    if (k->isa == DYN_ISA_AVX2) {
        dyn__avx2_f64(&k->f64);
        dyn__avx2_f32(&k->f32);
    }
    if (k->isa == DYN_ISA_AVX512) {
        dyn__avx512_f64(&k->f64);
        dyn__avx512_f32(&k->f32);
    }
#endif
    dyn__blis_prepare(k);
    return DYN_OK;
}

void dyn__widen(int64_t n, double *y, const float *x)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (double)x[i];
}

void dyn__narrow(int64_t n, float *y, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)x[i];
}
