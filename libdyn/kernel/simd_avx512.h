/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of AVX-512 for one element type, chosen by DYN__SIMD_F32: T element, V vector of W elements, M mask of the
 * first elements of a vector. simd_avx2.h offers the same names; the kernels (*.inc) are written with nothing else.
 * All functions are static: nothing compiled for this instruction set may be seen, or linked, from elsewhere. */
#include <immintrin.h>

#define SLEEF_ISA avx512f
#define GEMM_VECTORS 3      /* columns of a register block, in vectors */
#define GEMM_ROWS 8         /* rows of a register block */
#define TAIL_ROWS 4         /* rows, or vectors of them, of a block of a product's last columns */
#define COLUMN_SUMS 8       /* running sums of a column reduction, one vector each; twice as many must fit */
#define FUSED 1             /* multiply-adds round once */
#define SCALES 1            /* v_power_of_two and v_scale are here, not made in maths.inc */
#include "kernel/simd_halves.h"

#if DYN__SIMD_F32
typedef float T;
typedef __m512 V;
typedef __mmask16 M;
enum { W = 16 };
#define SLEEF_LANES f16
#define OP(name) _mm512_##name##_ps
#define COMPARE _mm512_cmp_ps_mask
INLINE __m256 fold_half(V a) { return _mm512_castps512_ps256(a) + _mm512_extractf32x8_ps(a, 1); }
#else
typedef double T;
typedef __m512d V;
typedef __mmask8 M;
enum { W = 8 };
#define SLEEF_LANES d8
#define OP(name) _mm512_##name##_pd
#define COMPARE _mm512_cmp_pd_mask
INLINE __m256d fold_half(V a) { return _mm512_castpd512_pd256(a) + _mm512_extractf64x4_pd(a, 1); }
#endif

INLINE V v_zero(void) { return OP(setzero)(); }
INLINE V v_set(T x) { return OP(set1)(x); }
INLINE V v_load(const T *p) { return OP(loadu)(p); }
INLINE void v_store(T *p, V x) { OP(storeu)(p, x); }
/* Used more than once, x is loaded only once: the compiler may not make it an operand in memory of each. */
INLINE V v_in_register(V x)
{
    __asm__("" : "+v"(x));
    return x;
}

/* The first n elements, 0 <= n <= W; the others read as zero and are not written. */
INLINE M v_first(int64_t n) { return (M)_bzhi_u32(0xffff, (unsigned)n); }
INLINE V v_load_first(const T *p, M m) { return OP(maskz_loadu)(m, p); }
INLINE void v_store_first(T *p, M m, V x) { OP(mask_storeu)(p, m, x); }
/* x in the first elements, y in the others. */
INLINE V v_keep_first(M m, V x, V y) { return OP(mask_mov)(y, m, x); }

INLINE V v_fma(V a, V b, V c) { return OP(fmadd)(a, b, c); }
INLINE V v_fnma(V a, V b, V c) { return OP(fnmadd)(a, b, c); }
INLINE V v_fms(V a, V b, V c) { return OP(fmsub)(a, b, c); }
INLINE V v_sqrt(V a) { return OP(sqrt)(a); }
INLINE V v_neg(V a) { return OP(xor)(a, v_set((T)-0.0)); }

enum { TAKE_SECOND_WHERE_THIRD = 0xd8 };        /* truth table: c ? b : a */
INLINE V v_abs(V a) { return OP(andnot)(v_set((T)-0.0), a); }
/* The size of a with the sign of b. */
#if DYN__SIMD_F32
INLINE V v_copysign(V a, V b)
{
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b),
                                                         _mm512_set1_epi32(INT32_MIN), TAKE_SECOND_WHERE_THIRD));
}
#else
INLINE V v_copysign(V a, V b)
{
    return _mm512_castsi512_pd(_mm512_ternarylogic_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b),
                                                         _mm512_set1_epi64(INT64_MIN), TAKE_SECOND_WHERE_THIRD));
}
#endif

INLINE V v_gt(V a, V b) { return OP(maskz_mov)(COMPARE(a, b, _CMP_GT_OQ), v_set(1)); }
INLINE V v_ge(V a, V b) { return OP(maskz_mov)(COMPARE(a, b, _CMP_GE_OQ), v_set(1)); }
INLINE V v_eq(V a, V b) { return OP(maskz_mov)(COMPARE(a, b, _CMP_EQ_OQ), v_set(1)); }
INLINE V v_select(V a, V b, V c) { return OP(mask_mov)(c, COMPARE(a, v_zero(), _CMP_NEQ_UQ), b); }
/* b where a < 0, else c. */
INLINE V v_select_negative(V a, V b, V c) { return OP(mask_mov)(c, COMPARE(a, v_zero(), _CMP_LT_OQ), b); }
/* 1, -1 or a itself if it is zero or NaN. */
INLINE V v_sign(V a)
{
    const V up = OP(mask_mov)(a, COMPARE(a, v_zero(), _CMP_GT_OQ), v_set(1));

    return OP(mask_mov)(up, COMPARE(a, v_zero(), _CMP_LT_OQ), v_set(-1));
}
/* The maximum of the hardware gives b if an operand is NaN. */
INLINE V v_max(V a, V b) { return OP(mask_mov)(OP(max)(a, b), COMPARE(a, a, _CMP_UNORD_Q), a); }
/* NaN if b is. */
INLINE V v_min(V a, V b) { return OP(min)(a, b); }
/* a limited to [lo, hi]; NaN stays. */
INLINE V v_clamp(V a, T lo, T hi) { return OP(max)(v_set(lo), OP(min)(v_set(hi), a)); }

/* Is any element above the limit? */
INLINE int v_above(V a, T limit) { return COMPARE(a, v_set(limit), _CMP_GT_OQ) != 0; }
INLINE T v_sum(V a) { return OP(reduce_add)(a); }
/* Sums of pairs of elements, alternately of a and of b. */
INLINE V v_pairs(V a, V b) { return OP(unpacklo)(a, b) + OP(unpackhi)(a, b); }
/* y[i] = the sum of the elements of a[i]. */
INLINE void v_sum_four(const V a[4], T *y)
{
    sum_pairs(fold_half(v_pairs(a[0], a[1])), fold_half(v_pairs(a[2], a[3])), y);
}
INLINE T v_greatest(V a) { return COMPARE(a, a, _CMP_UNORD_Q) ? (T)NAN : OP(reduce_max)(a); }

INLINE V v_round(V a) { return OP(roundscale)(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE V v_power_of_two(V n) { return OP(scalef)(v_set(1), n); }
/* a * 2^n for an integer n, rounded once. */
INLINE V v_scale(V a, V n) { return OP(scalef)(a, n); }

#if DYN__SIMD_F32
/* Functions in 32 pieces: a positive z is in the piece that its exponent and the three bits behind it number, modulo
 * 32. The number that the piece begins with; the piece's number in a row of a table. */
#define PIECES 32
INLINE V v_piece_start(V z)
{
    return _mm512_castsi512_ps(_mm512_and_epi32(_mm512_castps_si512(z), _mm512_set1_epi32(-0x100000)));
}
INLINE V v_piece(const T row[PIECES], V z)
{
    return _mm512_permutex2var_ps(v_load(row), _mm512_srli_epi32(_mm512_castps_si512(z), 20), v_load(row + W));
}
#else
/* The lowest bits of the number moved to where the exponent is. */
INLINE V v_low_bits_to_exponent(V a)
{
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), 52));
}
#endif
