/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Copies past the caches: half as many bytes cross the memory's bus. Lines that are written in part, at the ends, would
 * cost more that way and go through the caches. */
#include "kernel/far.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

enum { LINE = 8 };      /* numbers of a cache line */

void dyn__far_copy(int64_t n, double *to, const double *from)
{
    const int64_t before = (int64_t)(-(uintptr_t)to % 64 / sizeof *to), head = before < n ? before : n;
    int64_t i = head;

    memcpy(to, from, (size_t)head * sizeof *to);
    for (; i + LINE <= n; i += LINE)
        for (int64_t k = i; k < i + LINE; k += 2)
            _mm_stream_pd(to + k, _mm_loadu_pd(from + k));
    memcpy(to + i, from + i, (size_t)(n - i) * sizeof *to);
}

void dyn__far_done(void) { _mm_sfence(); }

#else

void dyn__far_copy(int64_t n, double *to, const double *from) { memcpy(to, from, (size_t)n * sizeof *to); }

void dyn__far_done(void) {}

#endif
