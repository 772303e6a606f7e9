/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exact minima of an objective, to gradients of 1e-12 and less: L-BFGS with a line search, Newton's method by conjugate
 * gradients in a trust region, and descent with steps that never raise the value. An objective of the caller's own
 * functions (dyn_objective_from_callbacks) serves as well as one of a model. experimental until 0.3. */
#ifndef DYN_MINIMISE_H
#define DYN_MINIMISE_H

#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dyn_minimise_method {
    DYN_MINIMISE_LBFGS = 0,     /* quasi-Newton steps from the last `memory` pairs (s, y) with y.s > 0; the line search
                                   brackets a point that meets the strong Wolfe conditions (1e-4, 0.9) */
    DYN_MINIMISE_NEWTON = 1,    /* steps by conjugate gradients on Hessian products, within a trust region; they follow
                                   negative curvature to its boundary */
    DYN_MINIMISE_MONOTONE = 2   /* theta -= rate g, taken if the value does not rise, then rate *= growth; else
                                   rate *= shrink */
};

enum dyn_minimise_reason {
    DYN_MINIMISE_GRADIENT = 1,      /* the norm of the gradient is at most gradient_tolerance */
    DYN_MINIMISE_VALUE = 2,         /* the value is at most stop_value */
    DYN_MINIMISE_EVALUATIONS = 3,   /* max_evaluations are spent */
    DYN_MINIMISE_STALLED = 4,       /* no step lowers the value: the limit of rounding, or a wrong gradient */
    DYN_MINIMISE_STOPPED = 5        /* progress asked for it */
};

typedef struct dyn_minimise_options {
    uint32_t struct_size;       /* sizeof(dyn_minimise_options); set by DYN_MINIMISE_OPTIONS_INIT */
    int32_t method;             /* enum dyn_minimise_method */
    int64_t memory;             /* LBFGS: pairs kept, >= 1; default 20 */
    int64_t max_evaluations;    /* of value and gradient, >= 1; default 100000 */
    double gradient_tolerance;  /* Euclidean norm, >= 0; default 1e-10 */
    double stop_value;          /* default -inf */
    double rate;                /* MONOTONE: of the first step, > 0; default 0.001 */
    double growth;              /* MONOTONE: >= 1; default 1.02 */
    double shrink;              /* MONOTONE: in (0, 1); default 0.5 */
    dyn_progress_fn progress;   /* NULL = none; after every step, done is always 0 */
    void *progress_user;
} dyn_minimise_options;
#define DYN_MINIMISE_OPTIONS_INIT { DYN_SIZE_OF(dyn_minimise_options), 0, 20, 100000, 1e-10, \
                                    -__builtin_inf(), 0.001, 1.02, 0.5, NULL, NULL }

/** How a minimisation ended. */
typedef struct dyn_minimum {
    double value, gradient_norm;        /* at the point given back */
    double rate;                        /* MONOTONE: of the step that would follow; else 0 */
    int64_t steps, evaluations, products;
    int32_t reason;                     /* enum dyn_minimise_reason */
    int32_t reserved;
} dyn_minimum;

/**
 * Go downhill from theta. Points at which value or gradient are not finite are stepped back from; what is given back is
 * the best finite point, also where the search failed.
 *
 * shape:   theta [p], in place.   opt may be NULL.
 * returns: DYN_OK for the reasons GRADIENT and VALUE; DYN_NOT_CONVERGED for EVALUATIONS and STALLED; DYN_STOPPED.
 * errors:  DYN_EINVAL; DYN_ENONFINITE value or gradient at the start; DYN_ENOTSUP NEWTON without Hessian products or gradients;
 *          DYN_ENOMEM; those of the caller's functions. theta holds the best point then, too.
 * since:   0.1
 */
DYN_API dyn_status dyn_objective_minimise(dyn_objective *o, const dyn_minimise_options *opt, double *theta,
                                          dyn_minimum *out);

#ifdef __cplusplus
}
#endif
#endif
