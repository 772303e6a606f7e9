/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix completion: the least nuclear norm of what is observed, and what a product A B has come to. Connected
 * observations (dyn_observation_graph) lead training from a small start to low rank, disconnected ones to a low nuclear
 * norm (arXiv 2405.13721). Entry (i, j) is the number i * columns + j, as for dyn_model_factorisation. */
#ifndef DYN_COMPLETION_H
#define DYN_COMPLETION_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The least nuclear norm of all matrices with these values: where the components of the observation graph are complete,
 * the sum of those of their blocks.
 *
 * shape:  place, values [n].
 * errors: DYN_ENOTSUP a component is not complete; those of dyn_observation_graph.   since: 0.1
 */
DYN_API dyn_status dyn_completion_nuclear_norm(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t n,
                                               const int64_t *place, const double *values, double *norm);

/**
 * Singular values of the factors, of their product, and of W_aug = [A^T, B]: on an invariant manifold of the training
 * A, B and W_aug have one rank. The nuclear norm of A B is the sum of its values.
 *
 * shape:  a [rows][inner], b [inner][columns]; product [min(rows, columns)], of_a [min(rows, inner)],
 *         of_b [min(inner, columns)], augmented [min(inner, rows + columns)]: descending, each may be NULL.
 * errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_completion_spectra(dyn_ctx *ctx, int64_t rows, int64_t inner, int64_t columns, const double *a,
                                          const double *b, double *product, double *of_a, double *of_b,
                                          double *augmented);

#ifdef __cplusplus
}
#endif
#endif
