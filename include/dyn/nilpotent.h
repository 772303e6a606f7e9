/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Nilpotent matrices, exactly: ranks of integer matrices, Jordan types (partitions of the size by the blocks), and
 * those of Hom, tensor and HOM of two of them (arXiv 2111.14656). */
#ifndef DYN_NILPOTENT_H
#define DYN_NILPOTENT_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Rank over the rationals of a matrix of integers. Exact: of ranks modulo primes the largest, where there are enough
 * primes that a minor which all of them divide is 0 by Hadamard's bound.
 *
 * shape:  a [rows][columns].   errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_nilpotent_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, const int64_t *a, int64_t *rank);

/**
 * Jordan type of a nilpotent matrix of integers: sizes of its blocks, descending, from the ranks of its powers.
 *
 * shape:  a [n][n], parts [n], zeros behind; *count: blocks (or NULL).
 * errors: DYN_EINVAL a is not nilpotent; DYN_EFULL a power has an element beyond 2^63; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_nilpotent_type(dyn_ctx *ctx, int64_t n, const int64_t *a, int64_t *parts, int64_t *count);

/**
 * The matrix of given blocks: ones above the diagonal.
 *
 * shape:  parts [count], positive; a [n][n] with n their sum.   errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_nilpotent_matrix(dyn_ctx *ctx, int64_t count, const int64_t *parts, int64_t *a);

/**
 * Types by formula, of partitions p and q: which = 0: Hom(p, q) with the action f -> y f, {min(p_i, q_j)}, whose sum
 * is its dimension; 1: p tensored with an invertible matrix of size sum(q), each part repeated so often; 2: x (x) y;
 * 3: x (x) 1 + 1 (x) y (characteristic 0).
 *
 * shape:  p [p_count], q [q_count], positive, sums up to 10000; parts [capacity], descending, or NULL; *count: how
 *         many there are, whatever the capacity.
 * errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_nilpotent_functor(dyn_ctx *ctx, int32_t which, int64_t p_count, const int64_t *p, int64_t q_count,
                                         const int64_t *q, int64_t capacity, int64_t *parts, int64_t *count);

#ifdef __cplusplus
}
#endif
#endif
