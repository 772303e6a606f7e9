/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random numbers that are a function of where they stand: draw number i of stream s of a seed is always the same
 * number, whatever was drawn before, by whichever thread, in pieces of any size. The generator is Philox 4x32-10; the
 * numbers of a release are the numbers of all later ones. They are not those that training draws with one seed. */
#ifndef DYN_RANDOM_H
#define DYN_RANDOM_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Uniform numbers in [0, 1), multiples of 2^-53.
 *
 * shape:  out [n] receives draws first .. first + n - 1 of (seed, stream).
 * errors: DYN_EINVAL ctx or out is NULL, first or n is negative, first + n is above 2^56.
 * thread: as for ctx.   since: 0.1
 */
DYN_API dyn_status dyn_random_uniform(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t first, int64_t n,
                                      double *out);

/**
 * Normal numbers of mean 0 and variance 1, none further out than 9.2. They do not use the C library's functions, so
 * their bits are the same on every machine.
 *
 * shape:  out [n] receives draws first .. first + n - 1 of (seed, stream).
 * errors: DYN_EINVAL ctx or out is NULL, first or n is negative, first + n is above 2^56.
 * thread: as for ctx.   since: 0.1
 */
DYN_API dyn_status dyn_random_normal(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t first, int64_t n,
                                     double *out);

/**
 * A permutation of 0 .. n-1, each as likely as any other.
 *
 * shape:  out [n].
 * errors: DYN_EINVAL ctx or out is NULL, n is negative or above 2^56.
 * thread: as for ctx.   since: 0.1
 */
DYN_API dyn_status dyn_random_permutation(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t n, int64_t *out);

#ifdef __cplusplus
}
#endif
#endif
