/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all vectors share: how the compiler is told to inline and to unroll. */
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
