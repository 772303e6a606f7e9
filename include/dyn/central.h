/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Central flow: the smooth path around which an optimiser oscillates at the edge of stability, and the covariance of
 * the oscillation, which the flow itself determines (arXiv 2410.24206). One unit of time is one step. With
 * preconditioner P, gradient g, Hessian H and covariance S of the oscillation:
 *
 *     theta' = -P^{-1} (g + 1/2 grad <H, S>)            S >= 0,  2 P - H >= 0,  <S, 2 P - H> = 0
 *     v'     = (1 - beta2) / beta2 (g^2 + diag(H S H) - v)                     RMSProp
 *
 * P = 1/rate for gradient descent, diag(sqrt(v) + eps) / rate for RMSProp. As long as the sharpness of P^{-1} H is
 * below 2, S = 0 and it is the flow of the preconditioned gradient. Nothing is oscillating in the flow: it takes for
 * granted that the run does, and says nothing of how the oscillation begins. */
#ifndef DYN_CENTRAL_H
#define DYN_CENTRAL_H

#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dyn_central_kind {
    DYN_CENTRAL_GD = 0,         /* gradient descent */
    DYN_CENTRAL_RMSPROP = 1     /* without momentum, eps outside of the root, v from what is given */
};

typedef struct dyn_central_options {
    uint32_t struct_size;       /* sizeof(dyn_central_options); set by DYN_CENTRAL_OPTIONS_INIT */
    int32_t kind;               /* enum dyn_central_kind */
    double rate;                /* > 0; default 0.01 */
    double beta2;               /* RMSPROP: in (0, 1); default 0.99 */
    double eps;                 /* RMSPROP: >= 0; default 1e-8 */
    double critical;            /* eigenvalues of P^{-1} H above it take part, in (0, 2); default 1.95 */
    double tolerance;           /* of eigenpairs; default 1e-8 */
    int32_t substeps;           /* Euler steps of a unit of time, >= 1; default 4 */
    int32_t most;               /* critical eigenvalues followed at most, 1 to 16; default 8 */
    dyn_progress_fn progress;   /* NULL = none; after every unit of time */
    void *progress_user;
} dyn_central_options;
#define DYN_CENTRAL_OPTIONS_INIT { DYN_SIZE_OF(dyn_central_options), 0, 0.01, 0.99, 1e-8, 1.95, 1e-8, 4, 8, NULL, NULL }

/** What is known at a whole time t, at the beginning of its first substep. */
typedef struct dyn_central_result {
    double loss;                /* at theta */
    double predicted_loss;      /* the run's, averaged over its oscillation: loss + tr(P S) */
    double gradient_square;     /* predicted |gradient|^2 */
    double sharpness;           /* of P^{-1} H; the edge is 2 */
    double variance;            /* tr S */
    int64_t critical;           /* eigenvalues at the edge that oscillate */
} dyn_central_result;

/**
 * Follow the central flow for `steps` units of time.
 *
 * shape:   theta [p], and v [p] for RMSPROP (NULL for GD), in place; trace [steps + 1]: at times 0 .. steps; path
 * [steps + 1][p]
 *          or NULL: theta at these times. opt may be NULL.
 * returns: DYN_OK; DYN_STOPPED: progress asked for it, theta is where it stopped and the rest of the trace is 0;
 *          DYN_NOT_CONVERGED: an eigenvalue was not within its tolerance, or more were critical than `most`.
 * errors:  DYN_EINVAL; DYN_ENONFINITE the flow ran away, with its time; DYN_ENOTSUP callbacks; DYN_ENOMEM.
 * since:   0.1
 */
DYN_API dyn_status dyn_objective_central_flow(dyn_objective *o, const dyn_central_options *opt, int64_t steps,
                                              double *theta, double *v, dyn_central_result *trace, double *path);

#ifdef __cplusplus
}
#endif
#endif
