/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the kernel tests: a loop over every table this CPU can run and both element types, buffers that notice a
 * write outside the allowed elements, test numbers, and distances in units of the last place. */
#ifndef KERNEL_TEST_H
#define KERNEL_TEST_H

#include <float.h>
#include <stdlib.h>
#include "kernel/kernel.h"
#include "test.h"

typedef struct setup {
    const dyn__kernels *kernels;
    const dyn__kernel_table *table;
    int dtype, isa;
} setup;

/* Run a test with every table and both types. */
static inline void for_each_setup(void (*test)(const setup *s))
{
    for (int isa = DYN_ISA_REFERENCE; isa <= DYN_ISA_VECTOR; isa++) {
        dyn__kernels k;

        if (dyn__kernels_init(&k, isa) != DYN_OK)
            continue;
        for (int dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            const setup s = { &k, dtype == DYN_F64 ? &k.f64 : &k.f32, dtype, isa };
            test(&s);
        }
    }
}

static inline const char *setup_name(const setup *s)
{
    static const char *const names[][2] = { { "reference f64", "reference f32" }, { "avx2 f64", "avx2 f32" },
                                            { "avx512 f64", "avx512 f32" }, { "vector f64", "vector f32" } };
    return names[s->isa - DYN_ISA_REFERENCE][s->dtype];
}

static inline size_t size_of(int dtype) { return dtype == DYN_F64 ? sizeof(double) : sizeof(float); }
static inline double epsilon(int dtype) { return dtype == DYN_F64 ? DBL_EPSILON : (double)FLT_EPSILON; }

static inline void *at(const void *p, int dtype, int64_t i)
{
    return (char *)(uintptr_t)p + i * (int64_t)size_of(dtype);
}

static inline double get(const void *p, int dtype, int64_t i)
{
    return dtype == DYN_F64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static inline void set(void *p, int dtype, int64_t i, double x)
{
    if (dtype == DYN_F64)
        ((double *)p)[i] = x;
    else
        ((float *)p)[i] = (float)x;
}

static uint64_t test_state = 88172645463325252u;

static inline uint64_t random_bits(void)
{
    test_state ^= test_state << 13;
    test_state ^= test_state >> 7;
    test_state ^= test_state << 17;
    return test_state;
}

/* In [lo, hi). */
static inline double random_in(double lo, double hi)
{
    return lo + (hi - lo) * (double)(random_bits() >> 11) * 0x1p-53;
}

static inline void random_fill(void *p, int dtype, int64_t n, double lo, double hi)
{
    for (int64_t i = 0; i < n; i++)
        set(p, dtype, i, random_in(lo, hi));
}

/* |got - want| in units of the last place of want in the type; infinite where one of them is not finite and they
 * differ. */
static inline double ulps_apart(double got, long double want, int dtype)
{
    const double rounded = dtype == DYN_F64 ? (double)want : (double)(float)want;
    const int digits = dtype == DYN_F64 ? DBL_MANT_DIG : FLT_MANT_DIG;
    const int least = dtype == DYN_F64 ? DBL_MIN_EXP : FLT_MIN_EXP;
    int e;

    if (isnan(got) || isnan(rounded))
        return isnan(got) && isnan(rounded) ? 0 : INFINITY;
    if (isinf(got) || isinf(rounded))
        return got == rounded ? 0 : INFINITY;
    frexp(rounded, &e);
    if (rounded == 0 || e < least)
        e = least;
    return (double)ldexpl(fabsl((long double)got - want), digits - e);
}

/* A buffer with a copy of its state, to see afterwards what was written. */
typedef struct guarded { unsigned char *now, *before, *allowed; size_t bytes; } guarded;

static inline guarded guarded_new(size_t bytes)
{
    guarded g = { malloc(bytes), malloc(bytes), calloc(bytes, 1), bytes };

    for (size_t i = 0; i < bytes; i++)
        g.now[i] = g.before[i] = (unsigned char)random_bits();
    return g;
}

static inline void guarded_allow(guarded *g, const void *p, size_t bytes)
{
    memset(g->allowed + ((const unsigned char *)p - g->now), 1, bytes);
}

static inline int guarded_intact(const guarded *g)
{
    for (size_t i = 0; i < g->bytes; i++)
        if (!g->allowed[i] && g->now[i] != g->before[i])
            return 0;
    return 1;
}

static inline void guarded_free(guarded *g)
{
    free(g->now);
    free(g->before);
    free(g->allowed);
}

#endif
