/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gradient flow, theta' = -grad L(theta), by the embedded Runge-Kutta pair of Dormand and Prince with error control,
 * and Langevin dynamics around a minimum. experimental until 0.3. */
#ifndef DYN_FLOW_H
#define DYN_FLOW_H

#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Functions of theta at whose changes of sign the gradient jumps, as pre-activations of ReLU: a step ends there. Where the
 * gradients of both sides lead onto a kink, the flow slides along it, by their convex combination that stays on it (Filippov),
 * until one of them leads away. 0 = success.
 */
typedef int32_t (*dyn_kinks_fn)(void *user, const double *theta, double *values);

enum dyn_flow_reason {
    DYN_FLOW_TIME = 1,          /* the time `end` */
    DYN_FLOW_VALUE = 2,         /* the value has come down to stop_value; met exactly */
    DYN_FLOW_GRADIENT = 3,      /* the norm of the gradient is at most gradient_tolerance */
    DYN_FLOW_EVALUATIONS = 4,   /* max_evaluations are spent */
    DYN_FLOW_STOPPED = 5,       /* progress asked for it */
    DYN_FLOW_STEP = 6,          /* the step has become too small for the time to move */
    DYN_FLOW_SLIDING = 7        /* at dyn_flow_result.kink the flow slides in a way that could not be followed */
};

typedef struct dyn_flow_options {
    uint32_t struct_size;       /* sizeof(dyn_flow_options); set by DYN_FLOW_OPTIONS_INIT */
    int32_t normalised;         /* 1: theta' = -g / |g| */
    double relative;            /* tolerated error of a step in a component: relative |theta_i| + absolute; default 1e-6 */
    double absolute;            /* >= 0; default 1e-9 */
    double end;                 /* time, >= 0; default inf */
    double stop_value;          /* default -inf */
    double gradient_tolerance;  /* >= 0; default 0 */
    int64_t max_evaluations;    /* of the gradient, >= 1; default 1000000 */
    int64_t kink_count;         /* numbers that kinks writes; default 0 */
    dyn_kinks_fn kinks;         /* NULL = none */
    void *kinks_user;
    dyn_progress_fn progress;   /* NULL = none; after every step, done is the share of `end` */
    void *progress_user;
} dyn_flow_options;
#define DYN_FLOW_OPTIONS_INIT { DYN_SIZE_OF(dyn_flow_options), 0, 1e-6, 1e-9, __builtin_inf(), -__builtin_inf(), \
                                0.0, 1000000, 0, NULL, NULL, NULL, NULL }

/** How a flow ended. */
typedef struct dyn_flow_result {
    double time, value, gradient_norm;  /* at the end */
    int64_t steps, rejected, evaluations, kinks;
    int64_t states;                     /* of the times asked for, those that were reached */
    int64_t slides;                     /* kinks on which it began to slide */
    int64_t kink;                       /* number of the last of these; -1: none */
    int32_t reason;                     /* enum dyn_flow_reason */
    int32_t stiff;                      /* 1: stability, not accuracy, has bounded the steps for long */
} dyn_flow_result;

/**
 * Follow the flow from theta at time 0.
 *
 * times:   [count], rising, >= 0, at which the state is wanted; states [count, p] takes those that are reached, to the
 *          order of the method. count may be 0, both NULL then.
 * shape:   theta [p]: the start, and the end.   opt may be NULL.
 * returns: DYN_OK for the reasons TIME, VALUE and GRADIENT; DYN_STOPPED; DYN_NOT_CONVERGED for the others.
 * errors:  DYN_EINVAL, also where nothing could end the flow but max_evaluations is infinite; DYN_ENONFINITE at the
 *          start; DYN_ENOMEM; those of the caller's functions.
 * since:   0.1
 */
DYN_API dyn_status dyn_objective_flow(dyn_objective *o, const dyn_flow_options *opt, int64_t count, const double *times,
                                      double *states, double *theta, dyn_flow_result *out);

typedef struct dyn_langevin_options {
    uint32_t struct_size;       /* sizeof(dyn_langevin_options); set by DYN_LANGEVIN_OPTIONS_INIT */
    uint32_t chain;             /* number of the chain: one start, other noise */
    double epsilon;             /* step, >= 0; default 0.01 */
    double n_beta;              /* samples times inverse temperature, >= 0; default 1; n / ln n for the local learning
                                   coefficient of n samples */
    double gamma;               /* pull towards the start, >= 0; default 0 */
    double weight_decay;        /* pull towards 0, >= 0; default 0 */
    uint64_t seed;
} dyn_langevin_options;
#define DYN_LANGEVIN_OPTIONS_INIT { DYN_SIZE_OF(dyn_langevin_options), 0, 0.01, 1.0, 0.0, 0.0, 0 }

/**
 * A chain of stochastic gradient Langevin dynamics on the whole objective L, a mean over samples, from w* = theta:
 *     w -= epsilon / 2 (n_beta grad L(w) + gamma (w - w*) + weight_decay w) - sqrt(epsilon) xi,    xi ~ N(0, 1)
 * xi is a function of (seed, chain, step, parameter).
 *
 * shape:   theta [p], in place; losses [steps]: L before each step, the first that of w*.
 * errors:  DYN_EINVAL; DYN_ENONFINITE the chain ran away, with its step; DYN_ENOMEM.
 * since:   0.1
 */
DYN_API dyn_status dyn_objective_langevin(dyn_objective *o, const dyn_langevin_options *opt, int64_t steps,
                                          double *theta, double *losses);

typedef struct dyn_learning_coefficient_options {
    uint32_t struct_size;       /* sizeof(dyn_learning_coefficient_options); set by DYN_LEARNING_COEFFICIENT_OPTIONS_INIT */
    int32_t chains;             /* >= 1; default 10 */
    int64_t draws;              /* of the loss, by each chain, >= 2; default 500 */
    int64_t between;            /* steps from a draw to the next, >= 1; default 1 */
    int64_t burn_in;            /* steps before the first draw; default 200 */
    double epsilon;             /* step, > 0; default 1e-4 */
    double n_beta;              /* samples times inverse temperature; 0 = chosen: n / ln n (arXiv 2308.12108) */
    double gamma;               /* pull towards the start, >= 0; default 1 */
    uint64_t seed;
} dyn_learning_coefficient_options;
#define DYN_LEARNING_COEFFICIENT_OPTIONS_INIT { DYN_SIZE_OF(dyn_learning_coefficient_options), 10, 500, 1, 200, 1e-4, 0.0, \
                                                1.0, 0 }

/** A local learning coefficient with its diagnostics. */
typedef struct dyn_learning_coefficient_result {
    double value;               /* n_beta (mean of the draws - start): negative where w* is no minimum, or chains are short */
    double standard_error;      /* from the means of the chains; NaN for one chain */
    double n_beta, start;       /* as used; the loss at w* */
    double acceptance;          /* with which Metropolis and Hastings would take the steps: .9 and more is good */
    double r_hat;               /* of the draws (Gelman and Rubin): near 1 where the chains agree; NaN for one */
    double effective_draws;     /* as many independent ones would tell as much; NaN where they do not vary */
} dyn_learning_coefficient_result;

/**
 * Local learning coefficient at theta = w* by chains of dyn_objective_langevin, all from w*, with the whole objective
 * at every step: n_beta (E[L] - L(w*)) under exp(-n_beta L - gamma/2 |w - w*|^2) (arXiv 2308.12108, 2402.03698). It
 * tends to the coefficient as n grows; gamma and a finite step move it (docs/numerics.md). d/2 for d parameters at a
 * regular minimum.
 *
 * shape:   theta [p]; losses [chains, draws] or NULL: the draws. opt may be NULL.
 * errors:  DYN_EINVAL, also where n_beta cannot be chosen since there are no samples; DYN_ENONFINITE a chain ran away;
 *          DYN_ENOMEM; DYN_STOPPED.
 * since:   0.1
 */
DYN_API dyn_status dyn_objective_learning_coefficient(dyn_objective *o, const double *theta,
                                                      const dyn_learning_coefficient_options *opt, double *losses,
                                                      dyn_learning_coefficient_result *out);

#ifdef __cplusplus
}
#endif
#endif
