/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Optimisers: the rule that moves theta, its moments and its learning rate. dyn_run trains with one; it can as well be
 * stepped by hand. The optimiser also knows its preconditioner and the stability threshold that belongs to it.
 *
 * Step t = 0, 1, 2, ... sees theta_t and g_t, the gradient there. With b1, b2 = beta1, beta2 and k = t + 1:
 *     GD          theta -= rate g
 *     HEAVY_BALL  m = b1 m + g (ema: b1 m + (1-b1) g);                   theta -= rate m
 *     NESTEROV    m = b1 m + g;                                         theta -= rate (g + b1 m)
 *     ADAM        m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
 *                 mh = m / (1-b1^k);  vh = v / (1-b2^k);                theta -= rate mh / (sqrt(vh) + eps)
 *     ADAMW       as ADAM, with theta -= rate weight_decay theta in the same step
 *     RMSPROP     v = b2 v + (1-b2) g^2;                                theta -= rate g / (sqrt(v) + eps)
 *     SIGN        theta -= rate sign(g)
 * The gradient is first scaled by clip_norm / |g| where |g| is larger than clip_norm; then, for all but ADAMW,
 * weight_decay theta is added to it. */
#ifndef DYN_OPTIM_H
#define DYN_OPTIM_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Update rules. Values never change. */
enum dyn_optimizer_kind {
    DYN_OPTIMIZER_GD = 0,
    DYN_OPTIMIZER_HEAVY_BALL = 1,
    DYN_OPTIMIZER_NESTEROV = 2,
    DYN_OPTIMIZER_ADAM = 3,
    DYN_OPTIMIZER_ADAMW = 4,
    DYN_OPTIMIZER_RMSPROP = 5,
    DYN_OPTIMIZER_SIGN = 6
};

/**
 * What the learning rate does after the warm-up. u counts from 0 at the end of the warm-up; rate, period, factor and
 * floor are those of the options.
 */
enum dyn_rate_schedule {
    DYN_RATE_CONSTANT = 0,  /* rate */
    DYN_RATE_STEP = 1,      /* rate * factor^floor(u / period), never below floor */
    DYN_RATE_COSINE = 2     /* floor + (rate - floor) (1 + cos(pi u / period)) / 2; floor once u >= period */
};

/**
 * Options of an optimiser. DYN_OPTIMIZER_OPTIONS_INIT and dyn_optimizer_defaults write the defaults; 0 is zero.
 *
 * The warm-up of `warmup` ticks raises the rate linearly from warmup_start * rate to rate:
 *     rate * (warmup_start + (1 - warmup_start) t / warmup)   for tick t <= warmup,
 * and what follows is the schedule with u = t - warmup. A tick is tick_steps steps: set it to the batches of an epoch
 * for a schedule that goes by epochs. (A base rate r with multiplier M is rate = M r, warmup_start = 1 / M.)
 */
typedef struct dyn_optimizer_options {
    uint32_t struct_size;       /* sizeof(dyn_optimizer_options); set by DYN_OPTIMIZER_OPTIONS_INIT */
    int32_t kind;               /* enum dyn_optimizer_kind */
    double rate;                /* learning rate, >= 0; default 0.001 */
    double beta1;               /* in [0, 1); default 0.9. HEAVY_BALL, NESTEROV, ADAM, ADAMW */
    double beta2;               /* in [0, 1); default 0.999, of RMSPROP 0.99. ADAM, ADAMW, RMSPROP */
    double eps;                 /* >= 0; default 1e-8. ADAM, ADAMW, RMSPROP */
    double weight_decay;        /* ADAMW: decoupled; the others: L2, added to the gradient. Default 0 */
    double clip_norm;           /* largest Euclidean norm of the whole gradient; 0 (default) = no clipping */
    int32_t eps_inside;         /* 1: sqrt(vh + eps) instead of sqrt(vh) + eps */
    int32_t no_bias_correction; /* 1: mh = m, vh = v */
    int32_t ema;                /* HEAVY_BALL: 1: m is an exponential average */
    int32_t init_from_gradient; /* 1: averages begin as m = g, v = g^2 at step 0 instead of 0, without bias correction;
                                   ADAM, ADAMW, RMSPROP and HEAVY_BALL with ema */
    int32_t schedule;           /* enum dyn_rate_schedule */
    int32_t reserved;           /* must be 0 */
    int64_t warmup;             /* ticks of linear warm-up; default 0 */
    int64_t period;             /* ticks: between drops (STEP), to the end of the descent (COSINE); these need it > 0 */
    int64_t tick_steps;         /* steps per tick, >= 1; default 1 */
    double warmup_start;        /* in [0, 1]: rate at the beginning of the warm-up, as a share of rate */
    double factor;              /* STEP: in [0, 1]; default 0.1 */
    double floor;               /* smallest rate of STEP and COSINE, in [0, rate]; default 0 */
} dyn_optimizer_options;
/** The defaults of GD and ADAM; RMSPROP has another beta2: see dyn_optimizer_defaults. */
#define DYN_OPTIMIZER_OPTIONS_INIT { (uint32_t)sizeof(dyn_optimizer_options), 0, 1e-3, 0.9, 0.999, 1e-8, 0.0, 0.0, \
                                     0, 0, 0, 0, 0, 0, 0, 0, 1, 0.0, 0.1, 0.0 }

/**
 * Write the defaults of a kind. thread: any.
 * errors: DYN_EINVAL out is NULL, or there is no such kind: *out is untouched then.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_defaults(int32_t kind, dyn_optimizer_options *out);

/**
 * An optimiser of `size` parameters with its moments. thread: one at a time; two optimisers step in parallel freely.
 * It keeps its context alive.
 */
typedef struct dyn_optimizer dyn_optimizer;

/**
 * Make an optimiser that has taken no step.
 *
 * dtype:  DYN_F64 or DYN_F32, of theta, gradient and moments. opt may be NULL: DYN_OPTIMIZER_OPTIONS_INIT.
 * owner:  *out is owned by the caller, NULL on error.
 * errors: DYN_EINVAL size < 1 or an option out of its range, with its value; DYN_EDTYPE; DYN_ENOMEM; DYN_EABI_*.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_create(dyn_ctx *ctx, int64_t size, int32_t dtype, const dyn_optimizer_options *opt,
                                        dyn_optimizer **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_optimizer_free(dyn_optimizer *o);

/**
 * Take one step: the moments take the gradient in, then theta moves. One pass over the parameters (two with clipping).
 *
 * shape:  theta [size] (in place) and gradient [size], of the optimiser's element type.
 * alias:  theta and gradient may not overlap.
 * errors: DYN_EINVAL; DYN_ENONFINITE the norm of the gradient is asked for by clip_norm and is not finite: nothing
 *         has changed then.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_step(dyn_optimizer *o, void *theta, const void *gradient);

/** Steps taken; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_optimizer_steps(const dyn_optimizer *o);

/** Learning rate of step number `step` = 0, 1, ...; 0 for NULL. since: 0.1 */
DYN_API double dyn_optimizer_rate(const dyn_optimizer *o, int64_t step);

/**
 * Copy a moment, as it is (without bias correction).
 *
 * which:  1 for m, 2 for v.   shape: out [size].
 * errors: DYN_EINVAL; DYN_ENOTSUP the kind keeps no such moment.   since: 0.1
 */
DYN_API dyn_status dyn_optimizer_moment(const dyn_optimizer *o, int32_t which, double *out);

/**
 * The preconditioner of the step taken last: diagonal d and factor c such that, H being the Hessian where that step's
 * gradient was taken, the step is locally stable as long as the largest eigenvalue of the symmetric matrix
 *     c d^(1/2) H d^(1/2)
 * is below dyn_optimizer_threshold = 2 / rate. v contains the gradient of that step: it is the step's own denominator.
 *     ADAM, ADAMW   d = 1 / (sqrt(vh) + eps),  c = (1-b1) / ((1+b1) (1-b1^k)); without bias correction (1-b1) / (1+b1)
 *     RMSPROP       d = 1 / (sqrt(v) + eps),   c = 1
 *     GD            d = 1,                     c = 1
 *     HEAVY_BALL    d = 1,                     c = 1 / (1+b1); with ema (1-b1) / (1+b1)
 *     NESTEROV      d = 1,                     c = (1+2 b1) / (1+b1)
 * eps_inside puts eps under the root. Inside an observer of a run the step taken last is the one the run is about to
 * complete, from the theta that the observer sees.
 *
 * shape:  d [size]; c one number.
 * errors: DYN_EINVAL; DYN_ESTATE no step was taken yet (ADAM, ADAMW, RMSPROP); DYN_ENOTSUP for SIGN; DYN_ENONFINITE
 *         a denominator is 0, with its index.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_preconditioner(const dyn_optimizer *o, double *d, double *c);

/** 2 / rate of the step taken last (of step 0 before any step), inf where the rate is 0; 0 for NULL. since: 0.1 */
DYN_API double dyn_optimizer_threshold(const dyn_optimizer *o);

#ifdef __cplusplus
}
#endif
#endif
