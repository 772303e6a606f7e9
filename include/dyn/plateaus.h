/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plateaus of a loss: networks that learn from a small start rest near saddles, at losses that those of other widths rest
 * at as well (arXiv 2504.09484). experimental until 0.3. */
#ifndef DYN_PLATEAUS_H
#define DYN_PLATEAUS_H

#include <dyn/sharpness.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_plateau_options {
    uint32_t struct_size;   /* sizeof(dyn_plateau_options); set by DYN_PLATEAU_OPTIONS_INIT */
    uint32_t reserved;      /* must be 0 */
    double change;          /* largest over smallest loss on a plateau, minus 1; at least 0; default 0.05 */
    double length;          /* step at the end over step at the start, both counted from 1; above 1; default 1.5 */
} dyn_plateau_options;
#define DYN_PLATEAU_OPTIONS_INIT { DYN_SIZE_OF(dyn_plateau_options), 0, 0.05, 1.5 }

/**
 * Plateaus of a loss: the intervals that windows make up on which the loss keeps within a factor 1 + change while the
 * number of the step grows by the factor length. Windows that share a step are one plateau; time is logarithmic, as these
 * trainings are. The peak is where the loss is largest.
 *
 * shape:  loss [n], steps as for dyn_episodes_above; NaN is on no plateau.   opt may be NULL.
 * errors: DYN_EINVAL (an option; a loss below 0; a first step below 0), DYN_EABI_*, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_episodes_plateaus(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss,
                                         const dyn_plateau_options *opt, dyn_episodes **out);

/**
 * How many steps a loss spends at which height: a histogram of log10 of the loss over bins of equal width on [low, high).
 * Plateaus are its peaks. A value counts as many steps as pass to the next, the last counts one; what lies outside, zeros
 * and what is not finite, count nowhere.
 *
 * shape:  loss [n], steps [n] or NULL, counts [bins].
 * errors: DYN_EINVAL (n < 0, bins < 1, low >= high, steps do not ascend).   since: 0.1
 */
DYN_API dyn_status dyn_loss_histogram(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss, int64_t bins,
                                      double low, double high, double *counts);

#ifdef __cplusplus
}
#endif
#endif
