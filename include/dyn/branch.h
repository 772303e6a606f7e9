/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Global minima of a two-layer network f = sum_k a_k sigma(w_k . x) of m neurons on a target of m0 < m + 1 such
 * neurons: the branches they form (arXiv 2309.00508), and which of them training from a tiny start goes to, the
 * initial imbalance ratio (arXiv 2405.13787). With hidden biases append 1 to the input: d is then one more. */
#ifndef DYN_BRANCH_H
#define DYN_BRANCH_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A branch: neurons in `groups` of equal input weights, the first m0 groups at those of the target. */
typedef struct dyn_branch {
    int64_t groups;         /* r: number of distinct input weights */
    int64_t deficient;      /* l: free groups of one neuron, whose output weight is then 0 */
    int64_t dimension;      /* (m - r) + (r - m0) d */
    int64_t codimension;    /* r + (m + m0 - r) d: the number of samples from which it is separated, almost surely */
    int64_t spread_until;   /* r + (r - l) d: up to so many samples it lies inside a larger manifold of minima */
    int64_t morse_bott;     /* 1: from `codimension` samples on the Hessian has that rank, so flows arrive at a rate */
} dyn_branch;

/**
 * All branches, by falling sizes of the free groups, fewer groups first.
 *
 * shape:  branches [capacity] or NULL; sizes [capacity][m] or NULL: neurons of each group, zeros behind.
 *         *count: how many there are, whatever the capacity; no more than that is written.
 * errors: DYN_EINVAL (needs 1 <= target <= neurons <= 30, inputs >= 1, capacity >= 0).   since: 0.1
 */
DYN_API dyn_status dyn_branch_list(dyn_ctx *ctx, int64_t neurons, int64_t target, int64_t inputs, int64_t capacity,
                                   dyn_branch *branches, int64_t *sizes, int64_t *count);

/**
 * Initial imbalance: C_k = a_k |gamma| + w_k . gamma with gamma = sum_i y_i x_i, and C / |C|, on which alone the
 * trajectory from a start of size 0+ depends. Two neurons: c~ = min(|C_1/C_2|, |C_2/C_1|) in [0, 1].
 *
 * shape:  a [neurons], w [neurons][inputs], x [samples][inputs] (with the ones of a bias), y [samples];
 *         imbalance [neurons], ratio [neurons] or NULL.
 * errors: DYN_EINVAL (sizes, NULL, a number that is not finite, gamma = 0, C = 0 where ratio is wanted).   since: 0.1
 */
DYN_API dyn_status dyn_branch_imbalance(dyn_ctx *ctx, int64_t neurons, int64_t inputs, const double *a, const double *w,
                                        int64_t samples, const double *x, const double *y, double *imbalance,
                                        double *ratio);

/**
 * Separation probe: go from theta plus normal noise of standard deviation radius to a zero of sum_i |f(x_i) - y_i|^2
 * near it, by Levenberg-Marquardt steps. A branch is separated at theta if such ends express the target, which is
 * then to be asked at other inputs; ends that do not lie on other minima of the samples.
 *
 * shape:  theta [p], end [p] (may be theta), x [samples][input size], y [samples][outputs]; *loss: the sum at the end.
 * stops:  at loss <= tolerance, after max_steps, or where no step lowers the loss. seed: of the noise.
 * errors: DYN_EINVAL; DYN_NOT_CONVERGED (positive) the loss is above tolerance at the end; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_branch_probe(dyn_model *model, const double *theta, int64_t samples, const double *x,
                                    const double *y, double radius, uint64_t seed, double tolerance, int64_t max_steps,
                                    double *end, double *loss);

#ifdef __cplusplus
}
#endif
#endif
