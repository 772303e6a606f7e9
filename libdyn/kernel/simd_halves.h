/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both instruction sets share: how the compiler is told to inline and to unroll, and what is done with vectors of
 * 256 bits, the end of the sums of the elements of four vectors at once. */
#define INLINE static inline __attribute__((always_inline, unused))

/* Before a loop of at most so many turns, whose number is a constant once all is inlined, so that the arrays it indexes
 * become registers. clang writes such loops out by itself; it leaves those in memory that have fewer turns than a
 * pragma says. */
#ifdef __clang__
#define UNROLL(most)
#else
#define PRAGMA(text) _Pragma(#text)
#define UNROLL(most) PRAGMA(GCC unroll most)
#endif

/* Vectors of four elements. */
#if DYN__SIMD_F32
#define FOUR(name) _mm_##name##_ps
#else
#define FOUR(name) _mm256_##name##_pd
#endif
#define v4_load FOUR(loadu)
#define v4_store FOUR(storeu)

/* The sums of what x holds of two vectors and of what z holds of two more: sums of pairs, alternately of the one and
 * the other. */
#if DYN__SIMD_F32
INLINE void sum_pairs(__m256 x, __m256 z, float *y)
{
    const __m256d p = _mm256_castps_pd(x), q = _mm256_castps_pd(z);
    const __m256 s = _mm256_castpd_ps(_mm256_unpacklo_pd(p, q)) + _mm256_castpd_ps(_mm256_unpackhi_pd(p, q));

    _mm_storeu_ps(y, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}
#else
INLINE void sum_pairs(__m256d x, __m256d z, double *y)
{
    _mm256_storeu_pd(y, _mm256_add_pd(_mm256_permute2f128_pd(x, z, 0x20), _mm256_permute2f128_pd(x, z, 0x31)));
}
#endif
