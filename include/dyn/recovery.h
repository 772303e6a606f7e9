/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Local recovery: do so many samples single out a function near the parameters that express it? They do where it is the
 * only one in its tangent plane that fits them (arXiv 2211.11623, 2307.08921, 2406.18035): the Jacobian at the
 * samples has then the rank of that at all inputs. Two tests of the same: by ranks, and by the distance of the
 * tangent functions at other inputs from what the samples span.
 *
 * All take Jacobians, rows being inputs (and outputs), columns parameters, so that they serve models of any kind. */
#ifndef DYN_RECOVERY_H
#define DYN_RECOVERY_H

#include <dyn/rank.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The least number of samples, taken in order, whose Jacobian has the rank of the whole; by bisection, as the rank only
 * grows. Where the samples do not reach it, *least is rows + 1.
 *
 * shape:  samples [rows][columns]; whole [whole_rows][columns]: the Jacobian at all inputs, or at enough random ones.
 *         outputs: rows that belong to one sample, which are taken together; *least counts samples.
 *         rank (or NULL): that of the whole.   opt: the rule; may be NULL. Parameters without effect on `whole` are
 *         left out.
 * errors: those of dyn_rank_matrix; DYN_EINVAL rows is no multiple of outputs.   since: 0.1
 */
DYN_API dyn_status dyn_recovery_samples(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *samples,
                                        int64_t outputs, int64_t whole_rows, const double *whole,
                                        const dyn_rank_options *opt, int64_t *least, int64_t *rank);

/**
 * Tangent-plane uniqueness: the largest distance of a row of `probes` from the span of the rows of `samples`,
 * relative to the row. 0 up to rounding: no tangent function vanishes at the samples and lives elsewhere, so the fit
 * is unique; otherwise near the share that the samples leave free.
 *
 * shape:  samples [rows][columns], probes [probe_rows][columns]; *slack in [0, 1].
 * tolerance: a row of samples whose distance from the span of others is at most this times the largest row adds
 *         nothing; in (0, 1), 1e-10 for parameters exact by construction.
 * errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_recovery_slack(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *samples,
                                      int64_t probe_rows, const double *probes, double tolerance, double *slack);

#ifdef __cplusplus
}
#endif
#endif
