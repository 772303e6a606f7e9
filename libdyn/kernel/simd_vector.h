/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of 128 bits for one element type by the vector extensions of GCC and clang: the names of simd_avx512.h, where
 * they are explained, for every CPU: most have vectors of that size (SSE2, NEON). Fused multiply-adds are the one thing
 * that the extensions do not offer; other CPUs than ARM's round products first. A mask is the number of elements.
 * Without TAIL_ROWS the last columns of a product have no kernel of their own: vectors are short enough. */
#include "kernel/simd.h"

#define GEMM_ROWS 6
#ifdef __aarch64__              /* 32 registers */
#include <arm_neon.h>
#define GEMM_VECTORS 3
#define COLUMN_SUMS 8
#define FUSED 1
#else
#define GEMM_VECTORS 2
#define COLUMN_SUMS 6
#define FUSED 0
#endif

typedef int64_t M;

#if DYN__SIMD_F32
typedef float T;
typedef float V __attribute__((vector_size(16)));
typedef int32_t lanes __attribute__((vector_size(16)));
enum { W = 4, FRACTION_BITS = 23 };
#define FUSED_SUM vfmaq_f32
#define ROOT __builtin_sqrtf
#define SPREAD(x) { x, x, x, x }
static const int32_t first_mask[2 * W] = { -1, -1, -1, -1, 0, 0, 0, 0 };
#else
typedef double T;
typedef double V __attribute__((vector_size(16)));
typedef int64_t lanes __attribute__((vector_size(16)));
enum { W = 2, FRACTION_BITS = 52 };
#define FUSED_SUM vfmaq_f64
#define ROOT __builtin_sqrt
#define SPREAD(x) { x, x }
static const int64_t first_mask[2 * W] = { -1, -1, 0, 0 };
#endif

/* The elements of two vectors one after the other, by their numbers. */
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (lanes){ __VA_ARGS__ })
#endif

INLINE V v_set(T x) { return (V)SPREAD(x); }
INLINE V v_zero(void) { return v_set(0); }

typedef V unaligned __attribute__((aligned(sizeof(T)), may_alias));
INLINE V v_load(const T *p) { return *(const unaligned *)p; }
INLINE void v_store(T *p, V x) { *(unaligned *)p = x; }
/* Operands in memory are no gain here: unaligned ones are loaded first anyway. */
INLINE V v_in_register(V x) { return x; }

/* Bits go in pieces of 32 whatever the elements: GCC for SSE2 takes logic of longer ones apart. */
typedef int32_t bits __attribute__((vector_size(16)));
#define BITS(x) ((bits)(x))
INLINE V where(bits mask, V x, V y) { return (V)((mask & BITS(x)) | (~mask & BITS(y))); }

INLINE M v_first(int64_t n) { return n; }
INLINE V v_load_first(const T *p, M n)
{
    if (n >= W)
        return v_load(p);
#if DYN__SIMD_F32
    if (n == 3)
        return (V){ p[0], p[1], p[2] };
    if (n == 2)
        return (V){ p[0], p[1] };
#endif
    return n ? (V){ p[0] } : v_zero();
}
INLINE void v_store_first(T *p, M n, V x)
{
    UNROLL(4)
    for (int i = 0; i < W; i++)
        if (i < n)
            p[i] = x[i];
}
INLINE V v_keep_first(M n, V x, V y)
{
    bits mask;

    memcpy(&mask, first_mask + W - n, sizeof mask);
    return where(mask, x, y);
}

INLINE V v_neg(V a) { return -a; }
/* A loop of scalar ones would do for every CPU, but compilers make vector code of it only now and then. */
INLINE V v_fma(V a, V b, V c)
{
#if FUSED
    return FUSED_SUM(c, a, b);
#else
    return a * b + c;
#endif
}
INLINE V v_fnma(V a, V b, V c) { return v_fma(v_neg(a), b, c); }
INLINE V v_fms(V a, V b, V c) { return v_fma(a, b, v_neg(c)); }
INLINE V v_sqrt(V a)
{
    UNROLL(4)
    for (int i = 0; i < W; i++)
        a[i] = ROOT(a[i]);
    return a;
}

INLINE bits sign_bit(void) { return BITS(v_set((T)-0.0)); }
INLINE V v_abs(V a) { return (V)(BITS(a) & ~sign_bit()); }
INLINE V v_copysign(V a, V b) { return where(sign_bit(), b, a); }

INLINE V one_where(bits mask) { return (V)(mask & BITS(v_set(1))); }
INLINE V v_gt(V a, V b) { return one_where(BITS(a > b)); }
INLINE V v_ge(V a, V b) { return one_where(BITS(a >= b)); }
INLINE V v_eq(V a, V b) { return one_where(BITS(a == b)); }
INLINE V v_select(V a, V b, V c) { return where(BITS(a != v_zero()), b, c); }
INLINE V v_sign(V a) { return where(BITS(a > v_zero()) | BITS(a < v_zero()), v_copysign(v_set(1), a), a); }
INLINE V v_max(V a, V b) { return where(BITS(a > b) | BITS(a != a), a, b); }
INLINE V v_min(V a, V b) { return where(BITS(a < b), a, b); }
INLINE V v_clamp(V a, T lo, T hi)
{
    const V low_enough = v_min(v_set(hi), a);

    return where(BITS(low_enough < v_set(lo)), v_set(lo), low_enough);
}

INLINE T v_greatest(V a)
{
    T y = a[0];

    UNROLL(4)
    for (int i = 1; i < W; i++)
        y = a[i] > y || a[i] != a[i] ? a[i] : y;
    return y;
}

/* The sum with a number whose last bit counts ones rounds to an integer. */
INLINE V v_round(V a)
{
    const V magic = v_set((T)1.5 * (T)(1ll << FRACTION_BITS));

    return (a + magic) - magic;
}
INLINE V v_low_bits_to_exponent(V a) { return (V)((lanes)a << FRACTION_BITS); }

/* A square of W rows turned round. */
#if DYN__SIMD_F32
INLINE void turn(const V x[W], V y[W])
{
    const V low01 = SHUFFLE(x[0], x[1], 0, 4, 1, 5), low23 = SHUFFLE(x[2], x[3], 0, 4, 1, 5);
    const V high01 = SHUFFLE(x[0], x[1], 2, 6, 3, 7), high23 = SHUFFLE(x[2], x[3], 2, 6, 3, 7);

    y[0] = SHUFFLE(low01, low23, 0, 1, 4, 5);
    y[1] = SHUFFLE(low01, low23, 2, 3, 6, 7);
    y[2] = SHUFFLE(high01, high23, 0, 1, 4, 5);
    y[3] = SHUFFLE(high01, high23, 2, 3, 6, 7);
}
INLINE T v_sum(V a) { return (a[0] + a[2]) + (a[1] + a[3]); }
#else
INLINE void turn(const V x[W], V y[W])
{
    y[0] = SHUFFLE(x[0], x[1], 0, 2);
    y[1] = SHUFFLE(x[0], x[1], 1, 3);
}
INLINE T v_sum(V a) { return a[0] + a[1]; }
#endif

INLINE void v_sum_four(const V a[4], T *y)
{
    UNROLL(2)
    for (int i = 0; i < 4; i += W) {
        V x[W], sum;

        turn(a + i, x);
        sum = x[0];
        UNROLL(4)
        for (int j = 1; j < W; j++)
            sum += x[j];
        v_store(y + i, sum);
    }
}

INLINE void transpose_square(T *y, int64_t ys, const T *x, int64_t xs)
{
    V rows[W], columns[W];

    UNROLL(4)
    for (int i = 0; i < W; i++)
        rows[i] = v_load(x + i * xs);
    turn(rows, columns);
    UNROLL(4)
    for (int i = 0; i < W; i++)
        v_store(y + i * ys, columns[i]);
}

enum { SIDE = 4 };
INLINE void transpose_four(T *y, int64_t ys, const T *x, int64_t xs)
{
    for (int r = 0; r < SIDE; r += W)
        for (int c = 0; c < SIDE; c += W)
            transpose_square(y + c * ys + r, ys, x + r * xs + c, xs);
}
INLINE void transpose_block(T *y, int64_t ys, const T *x, int64_t xs) { transpose_four(y, ys, x, xs); }

/* SLEEF serves on ARM. On x86-64 without AVX it would be a third set of functions to hold to the bounds. */
#ifdef __aarch64__
#define SLEEF_ISA advsimd
#if DYN__SIMD_F32
#define SLEEF_LANES f4
#else
#define SLEEF_LANES d2
#endif
INLINE V v_select_negative(V a, V b, V c) { return where(BITS(a < v_zero()), b, c); }
INLINE int v_above(V a, T limit)
{
    int any = 0;

    UNROLL(4)
    for (int i = 0; i < W; i++)
        any |= a[i] > limit;
    return any;
}
#endif
