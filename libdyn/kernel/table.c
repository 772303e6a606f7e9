/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kernel names and the choice of a table: the reference first, then what the instruction set does better. */
#include <stdio.h>
#include <string.h>
#include "base/numerics.h"
#include "kernel/machine.h"
#include "kernel/tables.h"

static const struct { const char *name; int inputs; } kernels[DYN__K_COUNT] = {
#define DYN__K(name, n, f) { #name, n },
    DYN__ELEMENTWISE_LIST(DYN__K) { "OWN", 0 }, DYN__REDUCTION_LIST(DYN__K) DYN__SUMMED_LIST(DYN__K)
#undef DYN__K
};

const char *dyn__kernel_name(int id) { return id >= 0 && id < DYN__K_COUNT ? kernels[id].name : "?"; }

int dyn__kernel_inputs(int id) { return id >= 0 && id < DYN__K_COUNT ? kernels[id].inputs : 0; }

typedef void (*fill_fn)(dyn__kernel_table *t);
typedef struct variant { int isa; const char *name; int (*present)(void); fill_fn f64, f32; } variant;

static int always(void) { return 1; }

#if DYN__HAVE_AVX
#define X86(present, f64, f32) present, f64, f32
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#else
#define X86(present, f64, f32) never, NULL, NULL
static int never(void) { return 0; }
#endif

#ifdef __aarch64__
#define VECTOR_HAS_SLEEF 1
#else
#define VECTOR_HAS_SLEEF 0
#endif

/* The best first. */
static const variant variants[] = {
    { DYN_ISA_AVX512, "avx512", X86(has_avx512, dyn__avx512_f64, dyn__avx512_f32) },
    { DYN_ISA_AVX2, "avx2", X86(has_avx2, dyn__avx2_f64, dyn__avx2_f32) },
    { DYN_ISA_VECTOR, "vector", always, dyn__vector_f64, dyn__vector_f32 },
    { DYN_ISA_REFERENCE, "reference", always, NULL, NULL },
};

/* The variant asked for, or the best present one; NULL for an unknown number. */
static const variant *find_variant(int isa)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (isa == DYN_ISA_AUTO ? variants[i].present() : variants[i].isa == isa)
            return &variants[i];
    return NULL;
}

int dyn__kernels_isa(const char *numerics)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (dyn__numerics_is(numerics, "isa", variants[i].name) && variants[i].present())
            return variants[i].isa;
    return DYN_ISA_AUTO;
}

void dyn__kernels_pin(dyn__kernels *k, const char *numerics)
{
    int length;
    long long first, second;
    const char *caches = dyn__numerics_value(numerics, "caches", &length);

    if (caches && sscanf(caches, "%lld KiB, %lld KiB", &first, &second) == 2) {
        k->first_cache = dyn__first_class(first << 10);
        k->second_cache = dyn__second_class(second << 10);
    }
    k->large_by_blis &= !dyn__numerics_is(numerics, "large-products", "own");
    k->have_xsmm &= !dyn__numerics_is(numerics, "libxsmm", "no");
}

dyn_status dyn__kernels_init(dyn__kernels *k, int isa)
{
    const variant *v = find_variant(isa);

    if (!v)
        return DYN_EINVAL;
    if (!v->present())
        return DYN_ENOTSUP;
    memset(k, 0, sizeof *k);
    k->isa = v->isa;
    k->isa_name = v->name;
    k->have_sleef = DYN__HAVE_SLEEF && k->isa != DYN_ISA_REFERENCE && (k->isa != DYN_ISA_VECTOR || VECTOR_HAS_SLEEF);
    k->have_xsmm = DYN__HAVE_XSMM && k->isa == DYN_ISA_AVX512;
    dyn__reference_tables(&k->f64, &k->f32);
    if (v->f64)
        v->f64(&k->f64);
    if (v->f32)
        v->f32(&k->f32);
    dyn__blis_find(k);
    dyn__cache_classes(&k->first_cache, &k->second_cache);
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
