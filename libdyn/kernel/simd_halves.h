/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both instruction sets share: how the compiler is told to inline and to unroll, and what is done with vectors of
 * 256 bits, the sums of the elements of four vectors at once, by adding neighbours until one number of each is left. */
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

#if DYN__SIMD_F32
INLINE void sum_four(__m256 a, __m256 b, __m256 c, __m256 d, float *y)
{
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));

    _mm_storeu_ps(y, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}
#else
INLINE void sum_four(__m256d a, __m256d b, __m256d c, __m256d d, double *y)
{
    const __m256d s = _mm256_hadd_pd(a, b), t = _mm256_hadd_pd(c, d);

    _mm256_storeu_pd(y, _mm256_add_pd(_mm256_permute2f128_pd(s, t, 0x20), _mm256_permute2f128_pd(s, t, 0x31)));
}
#endif
