/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharpness: the largest curvature of the loss as the running optimiser feels it. An optimiser with preconditioner d
 * and factor c (dyn_optimizer_preconditioner) is stable as long as the largest eigenvalue of the symmetric matrix
 *     c d^(1/2) H d^(1/2)
 * stays below 2 / rate; for gradient descent d = c = 1 and it is that of the Hessian H itself. A crossing alone is a
 * risk; the loss rises when the curvature along the gradient crosses (arXiv 2506.04805, 2103.00065, 2207.14484). */
#ifndef DYN_SHARPNESS_H
#define DYN_SHARPNESS_H

#include <dyn/eigen.h>
#include <dyn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one measurement ---- */

/**
 * The operator c d^(1/2) H d^(1/2). It keeps H alive.
 *
 * shape:  d [size], not negative (0: it stands still), copied; NULL means ones.
 * errors: DYN_EINVAL (c or an element of d is not positive and finite), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_operator(dyn_operator *H, const double *d, double c, dyn_operator **out);

/**
 * Eigenpairs of c d^(1/2) H d^(1/2): the largest ones, the smallest ones or both ends, as opt says.
 *
 * shape:  d [size] or NULL.   owner: *out is the caller's.   opt may be NULL.
 * return and errors: as dyn_eigen_solve and dyn_sharpness_operator.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_preconditioned(dyn_operator *H, const double *d, double c,
                                                const dyn_eigen_options *opt, dyn_eigen **out);

/**
 * Curvature along the gradient g, with one product:
 *     *raw = g^T H g / g^T g,   *preconditioned = c (d g)^T H g / g^T g   (d acts by elements).
 *
 * shape:  d [size] or NULL, g [size]. Either output may be NULL.
 * errors: DYN_EINVAL (g is zero or not finite; c, d as above), and those of the product.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_directional(dyn_operator *H, const double *d, double c, const double *g, double *raw,
                                             double *preconditioned);

/**
 * The largest curvature of a quadratic that an optimiser stands, with its preconditioner frozen and after many steps:
 * of H, or of diag(d) H for ADAM, ADAMW and RMSPROP. With b = beta1:
 *     GD, RMSPROP 2/rate;   HEAVY_BALL (2+2b)/rate;   NESTEROV (2+2b)/((1+2b) rate);
 *     ADAM, ADAMW and HEAVY_BALL with ema (2+2b)/((1-b) rate).
 * opt gives kind, rate (a schedule is ignored), beta1 and ema.
 *
 * errors: DYN_ENOTSUP for SIGN; those of dyn_optimizer_create for its options.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_limit(dyn_ctx *ctx, const dyn_optimizer_options *opt, double *limit);

/* ---- following a training run ---- */

typedef struct dyn_sharpness_options {
    uint32_t struct_size;       /* sizeof(dyn_sharpness_options); set by DYN_SHARPNESS_OPTIONS_INIT */
    int32_t which;              /* enum dyn_eigen_which */
    int64_t count;              /* pairs, of each end with DYN_BOTH_ENDS */
    int64_t max_products;       /* of one solve; 0 as in dyn_eigen_options */
    double tolerance;           /* as in dyn_eigen_options */
    uint64_t seed;              /* of start and search vectors */
    int32_t unchecked;          /* 1 = no search for missed pairs, as in dyn_eigen_options */
    int32_t no_raw;             /* 1 = only the preconditioned matrix is solved, not H as well */
    int32_t cold;               /* 1 = every solve starts anew: results do not depend on earlier measurements */
    int32_t history;            /* measurements before from which the start is interpolated, in [1, 16]; each takes 8 (1 +
                                   pairs) size bytes, for either matrix, in the checkpoint as well */
} dyn_sharpness_options;
#define DYN_SHARPNESS_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_sharpness_options), DYN_LARGEST_ALGEBRAIC, 1, 0, 1e-6, 0, 0, 0, 0, 4 }

/**
 * Measures again and again along a run. Each solve starts where the pairs of those before let it be expected: from the last
 * one, and with theta from the combination of the last few that has theta near it, which at the edge of stability, where
 * theta jumps to and fro, is a much better guess. Unchecked, every 32nd solve starts anew, since a value that has crossed
 * those followed would stay unseen. Without a preconditioner (c = 1 and d = 1, plain gradient descent) the two
 * problems are one, which is solved once. thread: one at a time.
 */
typedef struct dyn_sharpness_tracker dyn_sharpness_tracker;

/** A tracker for `size` parameters. opt may be NULL. errors: DYN_EINVAL, DYN_EABI_*, DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_sharpness_tracker_create(dyn_ctx *ctx, int64_t size, const dyn_sharpness_options *opt,
                                                dyn_sharpness_tracker **out);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_sharpness_tracker_free(dyn_sharpness_tracker *t);

/**
 * Measure at one step. What was measured before is replaced, on an error by nothing (the accessors then give NULL).
 *
 * shape:  d [size] or NULL; gradient [size], or NULL if the directional curvatures are not wanted; theta [size] where H is
 *         taken, or NULL: the start is then the last pairs alone.
 * return: DYN_NOT_CONVERGED when a pair is not within tolerance: values and residuals are there.
 * errors: DYN_ESHAPE H has another size; those of dyn_sharpness_preconditioned.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_tracker_measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                                                 const double *gradient, const double *theta);

/** Pairs of H; NULL before a measurement and with no_raw. Borrowed until the next measurement. since: 0.1 */
DYN_API const dyn_eigen *dyn_sharpness_tracker_raw(const dyn_sharpness_tracker *t);
/** Pairs of c d^(1/2) H d^(1/2), likewise. since: 0.1 */
DYN_API const dyn_eigen *dyn_sharpness_tracker_preconditioned(const dyn_sharpness_tracker *t);
/** Curvatures along the gradient, as dyn_sharpness_directional gives them; NaN when there is none. since: 0.1 */
DYN_API void dyn_sharpness_tracker_directional(const dyn_sharpness_tracker *t, double *raw, double *preconditioned);

/**
 * Let the tracker measure a run on a schedule: the Hessian of its objective (of all samples, without the weight decay
 * of the optimiser) under the preconditioner and along the gradient of the step about to be taken. Series recorded:
 *     "sharpness_pre", "sharpness"                      eigenvalues of c d^(1/2) H d^(1/2) and, unless no_raw, of H
 *     "sharpness_pre_residual", "sharpness_residual"    their residuals
 *     "sharpness_pre_converged", "sharpness_converged"  1 or 0 each
 *     "lambda_grad_pre", "lambda_grad"                  directional curvatures (nan where the gradient is 0)
 *     "threshold"                                       2 / rate
 *     "sharpness_products"                              products of the measurement
 *     "sharpness_pre_overlap", "sharpness_overlap"      of each vector, the length of its part in the space of those of the
 *                                                       measurement before; nan in the first. Not with cold = 1
 * The tracker stays the caller's and must live as long as the run trains. Use one tracker per run. The vectors are kept in
 * the run (dyn_run_keep): after a checkpoint is loaded a new tracker goes on from them, with the same bits. dyn_run_stop
 * ends a measurement in its midst; the run makes it when it goes on.
 *
 * errors: DYN_ESHAPE the run has another number of parameters; DYN_ENOTSUP its optimiser has no preconditioner (SIGN);
 *         those of dyn_run_observe.   since: 0.1
 */
DYN_API dyn_status dyn_sharpness_observe(dyn_sharpness_tracker *t, dyn_run *run, const dyn_schedule *when);

/* ---- spikes and episodes ---- */

/**
 * Intervals of a series in steps: start included, end excluded, and the step of the largest value. Immutable.
 * Functions that make them take the step of every value, steps [n], ascending, so that series of different schedules
 * can be compared; NULL numbers the values 0, 1, 2, ...
 */
typedef struct dyn_episodes dyn_episodes;

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_episodes_free(dyn_episodes *e);
/** Number of intervals; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_episodes_count(const dyn_episodes *e);
/** First step of every interval [count], ascending. Borrowed, as the next two; NULL for NULL. since: 0.1 */
DYN_API const int64_t *dyn_episodes_starts(const dyn_episodes *e);
/** One more than the last step of every interval [count]. since: 0.1 */
DYN_API const int64_t *dyn_episodes_ends(const dyn_episodes *e);
/** Step of the largest value in every interval [count]. since: 0.1 */
DYN_API const int64_t *dyn_episodes_peaks(const dyn_episodes *e);

/**
 * The intervals in which a series is above a threshold.
 *
 * shape:  series, threshold [n]; NaN is not above anything.   errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_episodes_above(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *series,
                                      const double *threshold, dyn_episodes **out);

typedef struct dyn_spike_options {
    uint32_t struct_size;   /* sizeof(dyn_spike_options); set by DYN_SPIKE_OPTIONS_INIT */
    uint32_t reserved;      /* must be 0 */
    int64_t window;         /* steps looked back, at least 1 */
    int64_t merge;          /* spikes that start less than this many steps apart are one; 0 = none are */
    int64_t smooth;         /* the loss is first replaced by its mean over this many last steps; 1 = as it is */
    double ratio;           /* rise over the smallest loss in the window; above 1 */
} dyn_spike_options;
#define DYN_SPIKE_OPTIONS_INIT { DYN_SIZE_OF(dyn_spike_options), 0, 50, 30, 1, 2.0 }

/**
 * Spikes of a loss: the intervals in which it is above ratio times its smallest value in the window before. The peak is
 * where the (smoothed) loss is largest.
 *
 * shape:  loss [n].   opt may be NULL.   errors: DYN_EINVAL, DYN_EABI_*, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_episodes_spikes(dyn_ctx *ctx, int64_t n, const int64_t *steps, const double *loss,
                                       const dyn_spike_options *opt, dyn_episodes **out);

/**
 * The sustained form of a noisy predictor: out[t] = min(series[t-1], series[t], series[t+1]), of two at the ends.
 *
 * shape:  series, out [n].   alias: no overlap.   errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_episodes_sustained(dyn_ctx *ctx, int64_t n, const double *series, double *out);

/**
 * A predictor against what it should predict. A spike is hit when an episode of the predictor has a step in
 * [start - lead, peak] of it, else missed; an episode that hits no spike is a false alarm.
 *
 * errors: DYN_EINVAL lead is negative. since: 0.1
 */
DYN_API dyn_status dyn_episodes_confusion(const dyn_episodes *predictor, const dyn_episodes *spikes, int64_t lead,
                                          int64_t *hits, int64_t *missed, int64_t *false_alarms);

#ifdef __cplusplus
}
#endif
#endif
