/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of AVX2 with FMA for one element type: the names of simd_avx512.h, where they are explained. A mask is a
 * vector of integers whose sign bits count. */
#include <immintrin.h>

#define SLEEF_ISA avx2
#define GEMM_VECTORS 2
#define GEMM_ROWS 6
#define TAIL_ROWS 2
#define COLUMN_SUMS 6
#define FUSED 1
#include "kernel/simd_halves.h"

typedef __m256i M;

#if DYN__SIMD_F32
typedef float T;
typedef __m256 V;
enum { W = 8 };
#define SLEEF_LANES f8
#define OP(name) _mm256_##name##_ps
static const int32_t first_mask[2 * W] = { -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0 };
INLINE V v_mask_vector(M m) { return _mm256_castsi256_ps(m); }
#else
typedef double T;
typedef __m256d V;
enum { W = 4 };
#define SLEEF_LANES d4
#define OP(name) _mm256_##name##_pd
static const int64_t first_mask[2 * W] = { -1, -1, -1, -1, 0, 0, 0, 0 };
INLINE V v_mask_vector(M m) { return _mm256_castsi256_pd(m); }
#endif

INLINE V v_zero(void) { return OP(setzero)(); }
INLINE V v_set(T x) { return OP(set1)(x); }
INLINE V v_load(const T *p) { return OP(loadu)(p); }
INLINE void v_store(T *p, V x) { OP(storeu)(p, x); }
INLINE V v_in_register(V x)
{
    __asm__("" : "+v"(x));
    return x;
}

INLINE M v_first(int64_t n) { return _mm256_loadu_si256((const __m256i *)(first_mask + W - n)); }
INLINE V v_load_first(const T *p, M m) { return OP(maskload)(p, m); }
INLINE void v_store_first(T *p, M m, V x) { OP(maskstore)(p, m, x); }
INLINE V v_keep_first(M m, V x, V y) { return OP(blendv)(y, x, v_mask_vector(m)); }

INLINE V v_fma(V a, V b, V c) { return OP(fmadd)(a, b, c); }
INLINE V v_fnma(V a, V b, V c) { return OP(fnmadd)(a, b, c); }
INLINE V v_fms(V a, V b, V c) { return OP(fmsub)(a, b, c); }
INLINE V v_sqrt(V a) { return OP(sqrt)(a); }
INLINE V v_neg(V a) { return OP(xor)(a, v_set((T)-0.0)); }

INLINE V v_abs(V a) { return OP(andnot)(v_set((T)-0.0), a); }
INLINE V v_copysign(V a, V b) { return OP(or)(v_abs(a), OP(and)(v_set((T)-0.0), b)); }

INLINE V v_gt(V a, V b) { return OP(and)(OP(cmp)(a, b, _CMP_GT_OQ), v_set(1)); }
INLINE V v_ge(V a, V b) { return OP(and)(OP(cmp)(a, b, _CMP_GE_OQ), v_set(1)); }
INLINE V v_eq(V a, V b) { return OP(and)(OP(cmp)(a, b, _CMP_EQ_OQ), v_set(1)); }
INLINE V v_select(V a, V b, V c) { return OP(blendv)(c, b, OP(cmp)(a, v_zero(), _CMP_NEQ_UQ)); }
INLINE V v_select_negative(V a, V b, V c) { return OP(blendv)(c, b, OP(cmp)(a, v_zero(), _CMP_LT_OQ)); }
INLINE V v_sign(V a)
{
    const V up = OP(blendv)(a, v_set(1), OP(cmp)(a, v_zero(), _CMP_GT_OQ));

    return OP(blendv)(up, v_set(-1), OP(cmp)(a, v_zero(), _CMP_LT_OQ));
}
INLINE V v_max(V a, V b) { return OP(blendv)(OP(max)(a, b), a, OP(cmp)(a, a, _CMP_UNORD_Q)); }
INLINE V v_min(V a, V b) { return OP(min)(a, b); }
INLINE V v_clamp(V a, T lo, T hi) { return OP(max)(v_set(lo), OP(min)(v_set(hi), a)); }

INLINE int v_above(V a, T limit) { return OP(movemask)(OP(cmp)(a, v_set(limit), _CMP_GT_OQ)) != 0; }
/* Join the elements pairwise with an operation of two vectors. */
#if DYN__SIMD_F32
#define ACROSS(name, a)                                                                        \
    __m128 s = _mm_##name##_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));        \
    s = _mm_##name##_ps(s, _mm_movehl_ps(s, s));                                               \
    return _mm_cvtss_f32(_mm_##name##_ss(s, _mm_movehdup_ps(s)))
#else
#define ACROSS(name, a)                                                                        \
    const __m128d s = _mm_##name##_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)); \
    return _mm_cvtsd_f64(_mm_##name##_sd(s, _mm_unpackhi_pd(s, s)))
#endif
INLINE T v_sum(V a) { ACROSS(add, a); }
INLINE T v_greatest(V a)
{
    if (OP(movemask)(OP(cmp)(a, a, _CMP_UNORD_Q)))
        return (T)NAN;
    ACROSS(max, a);
}
#undef ACROSS
INLINE V v_pairs(V a, V b) { return OP(unpacklo)(a, b) + OP(unpackhi)(a, b); }
INLINE void v_sum_four(const V a[4], T *y) { sum_pairs(v_pairs(a[0], a[1]), v_pairs(a[2], a[3]), y); }

INLINE V v_round(V a) { return OP(round)(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

#if DYN__SIMD_F32
INLINE V v_low_bits_to_exponent(V a)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
}
#else
INLINE V v_low_bits_to_exponent(V a)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), 52));
}
#endif
