/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What AVX2 and AVX-512 both do with vectors of 256 bits: the end of the sums of the elements of four vectors at once,
 * and turning square blocks of one vector a side. */
#include "kernel/simd.h"

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

enum { SIDE = 8 };

INLINE __m256 side_by_side(const float *low, const float *high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

INLINE void transpose_four(float *y, int64_t ys, const float *x, int64_t xs)
{
    __m128 a[4];

    for (int i = 0; i < 4; i++)
        a[i] = _mm_loadu_ps(x + i * xs);
    _MM_TRANSPOSE4_PS(a[0], a[1], a[2], a[3]);
    for (int i = 0; i < 4; i++)
        _mm_storeu_ps(y + i * ys, a[i]);
}

INLINE void transpose_block(float *y, int64_t ys, const float *x, int64_t xs)
{
    __m256 a[SIDE], b[SIDE];

    for (int i = 0; i < 4; i++) {       /* rows i and i + 4 side by side, so that the rest stays within lanes */
        a[i] = side_by_side(x + i * xs, x + (i + 4) * xs);
        a[i + 4] = side_by_side(x + i * xs + 4, x + (i + 4) * xs + 4);
    }
    for (int h = 0; h < SIDE; h += 4) {
        b[h] = _mm256_unpacklo_ps(a[h], a[h + 1]);
        b[h + 1] = _mm256_unpackhi_ps(a[h], a[h + 1]);
        b[h + 2] = _mm256_unpacklo_ps(a[h + 2], a[h + 3]);
        b[h + 3] = _mm256_unpackhi_ps(a[h + 2], a[h + 3]);
        for (int i = 0; i < 2; i++) {
            _mm256_storeu_ps(y + (h + 2 * i) * ys, _mm256_shuffle_ps(b[h + i], b[h + i + 2], 0x44));
            _mm256_storeu_ps(y + (h + 2 * i + 1) * ys, _mm256_shuffle_ps(b[h + i], b[h + i + 2], 0xee));
        }
    }
}
#else
INLINE void sum_pairs(__m256d x, __m256d z, double *y)
{
    _mm256_storeu_pd(y, _mm256_add_pd(_mm256_permute2f128_pd(x, z, 0x20), _mm256_permute2f128_pd(x, z, 0x31)));
}

enum { SIDE = 4 };

INLINE __m256d side_by_side(const double *low, const double *high)
{
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
}

INLINE void transpose_four(double *y, int64_t ys, const double *x, int64_t xs)
{
    __m256d a[SIDE];

    for (int i = 0; i < 2; i++) {
        a[i] = side_by_side(x + i * xs, x + (i + 2) * xs);
        a[i + 2] = side_by_side(x + i * xs + 2, x + (i + 2) * xs + 2);
    }
    for (int h = 0; h < SIDE; h += 2) {
        _mm256_storeu_pd(y + h * ys, _mm256_unpacklo_pd(a[h], a[h + 1]));
        _mm256_storeu_pd(y + (h + 1) * ys, _mm256_unpackhi_pd(a[h], a[h + 1]));
    }
}

INLINE void transpose_block(double *y, int64_t ys, const double *x, int64_t xs) { transpose_four(y, ys, x, xs); }
#endif
