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
 *                 amsgrad: w = max(w, v) before bias correction, in the place of v
 *     ADAMW       as ADAM, with decoupled decay
 *     ADAMAX      m as ADAM;  v = max(b2 v, |g| + eps);                 theta -= rate mh / v
 *     NADAM       m, v as ADAM;  mu_k = b1 (1 - 0.96^(k momentum_decay) / 2);  M_k = mu_1 ... mu_k;
 *                 theta -= rate ((1-mu_k) g / (1-M_k) + mu_(k+1) m / (1-M_(k+1))) / (sqrt(vh) + eps)
 *     RMSPROP     v = b2 v + (1-b2) g^2;  centered: w = b2 w + (1-b2) g and max(v - w^2, 0) in the place of v;
 *                                                                       theta -= rate g / (sqrt(v) + eps)
 *                 momentum > 0: m = momentum m + g / (sqrt(v) + eps);   theta -= rate m
 *     ADAGRAD     v = v + g^2, from v = accumulator;                    theta -= rate g / (sqrt(v) + eps)
 *     ADADELTA    v = b2 v + (1-b2) g^2;  d = sqrt(m + eps) / sqrt(v + eps) g;  m = b2 m + (1-b2) d^2;
 *                                                                       theta -= rate d
 *     LION        theta -= rate sign(b1 m + (1-b1) g);  then            m = b2 m + (1-b2) g
 *     SOPHIA      m as ADAM; v is an average of estimates of the Hessian's diagonal, see dyn_optimizer_curvature;
 *                                                      theta -= rate max(min(m / max(gamma v, eps), 1), -1)
 *     MUON        of each matrix [in, out] of `matrices`: m = b m + (1-b) g with b = momentum;  X = m, or with nesterov
 *                 (1-b) g + b m;  X = X / |X|; `iterations` times X = 3.4445 X + (-4.775 A + 2.0315 A^2) X, A = X X^T;
 *                 theta -= rate sqrt(max(1, out / in)) X   (match_rms: rate 0.2 sqrt(max(in, out)) X).
 *                 The other parameters as ADAMW with the rate adam_rate, which follows the schedule in proportion
 *     SIGN        theta -= rate sign(g)
 *     LBFGS       along -H g, H from the last `memory` pairs of steps and changes of the gradient, to a point that meets
 *                 the strong Wolfe conditions; rates, decay, clipping, sam_rho and groups are refused, batches too
 *     RULE        what the caller's function writes on nodes (dyn_rule_fn)
 * The gradient is first scaled by clip_norm / |g| where |g| is larger than clip_norm. weight_decay theta is then added
 * to it; of ADAMW, LION, SOPHIA and MUON the decay is decoupled: theta -= rate weight_decay theta in the same step.
 *
 * sam_rho > 0 makes any of them a sharpness-aware one (SAM): the gradient of the step is that at
 * theta + rho g / |g| (dyn_optimizer_perturb), or, sam_adaptive, theta + rho theta^2 g / | |theta| g |. */
#ifndef DYN_OPTIM_H
#define DYN_OPTIM_H

#include <dyn/graph.h>

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
    DYN_OPTIMIZER_SIGN = 6,
    DYN_OPTIMIZER_ADAMAX = 7,
    DYN_OPTIMIZER_NADAM = 8,
    DYN_OPTIMIZER_ADAGRAD = 9,
    DYN_OPTIMIZER_ADADELTA = 10,
    DYN_OPTIMIZER_LION = 11,
    DYN_OPTIMIZER_SOPHIA = 12,
    DYN_OPTIMIZER_MUON = 13,
    DYN_OPTIMIZER_RULE = 14,    /* the caller's own, see dyn_rule_fn */
    DYN_OPTIMIZER_LBFGS = 15    /* in runs only: a step is a line search, see dyn_objective_minimise */
};

/**
 * What the learning rate does after the warm-up. u counts from 0 at the end of the warm-up; rate, period, factor,
 * floor, power and peak are those of the options.
 */
enum dyn_rate_schedule {
    DYN_RATE_CONSTANT = 0,      /* rate */
    DYN_RATE_STEP = 1,          /* rate * factor^floor(u / period), never below floor */
    DYN_RATE_COSINE = 2,        /* floor + (rate - floor) (1 + cos(pi u / period)) / 2; floor once u >= period */
    DYN_RATE_EXPONENTIAL = 3,   /* rate * factor^(u / period), never below floor */
    DYN_RATE_POLYNOMIAL = 4,    /* floor + (rate - floor) (1 - u / period)^power; floor once u >= period */
    DYN_RATE_RESTARTS = 5,      /* COSINE begun anew after period, each cycle period_factor times as long as the last */
    DYN_RATE_ONE_CYCLE = 6,     /* half a cosine from warmup_start * rate to rate, reached at tick peak * period - 1,
                                   another down to floor at tick period - 1; floor from then on. warmup must be 0 */
    DYN_RATE_CALLBACK = 7       /* rate_at(rate_user, u) */
};

/** The rate of tick u after the warm-up; finite and >= 0, else the step is refused. Always the same for the same u. */
typedef double (*dyn_rate_fn)(void *user, int64_t u);

/** The nodes on which a rule of the caller's own is written: vectors [size], and numbers []. */
typedef struct dyn_rule_view {
    uint32_t struct_size;       /* sizeof(dyn_rule_view) as the library has it */
    int32_t moments;            /* how many there are */
    dyn_node theta;             /* [size] before the step */
    dyn_node gradient;          /* [size] clipped, with its coupled decay in it */
    dyn_node rate;              /* [] of this step; [size] where groups have rates of their own */
    dyn_node step;              /* [] 1, 2, 3, ... */
    const dyn_node *moment;     /* [moments] each [size]; 0 at the start */
} dyn_rule_view;

/**
 * Writes a step into g once, when the optimiser is made; it is compiled, and no step calls back. out[0]: theta after the
 * step, out[1 + i]: moment i after it, all [size]. Returns DYN_OK or an error.
 *
 * As the options' `preconditioner` it writes out[0] = d [size] on the moments after the step; theta and gradient are -1
 * then. d is to hold all of the preconditioner: the step is stable as long as the largest eigenvalue of d^(1/2) H d^(1/2)
 * is below 2 / rate. Of an average m = b m + (1-b) g that means a factor (1-b) / (1+b).
 */
typedef dyn_status (*dyn_rule_fn)(void *user, dyn_graph *g, const dyn_rule_view *in, dyn_node *out);

/** A weight matrix in the vector of parameters, row-major [rows, columns] = [in, out]; for MUON. */
typedef struct dyn_optimizer_matrix {
    int64_t offset, rows, columns;
} dyn_optimizer_matrix;

/**
 * Tensors whose steps differ. Where several groups take a tensor, the last one counts. A frozen tensor keeps its bits, and
 * the gradient of a run is 0 there; dyn_model_freeze saves its time as well. { pattern, 1, 1, 0, 0 } changes nothing.
 */
typedef struct dyn_optimizer_group {
    const char *pattern;        /* of names of tensors, as fnmatch(3) has it: "layer1.*", "*gain", "b[12]"; copied */
    double rate;                /* >= 0, times the learning rate */
    double decay;               /* >= 0, times weight_decay */
    int32_t frozen;             /* 1: its tensors stand still */
    int32_t reserved;           /* must be 0 */
} dyn_optimizer_group;

/**
 * Options of an optimiser. DYN_OPTIMIZER_OPTIONS_INIT and dyn_optimizer_defaults write the defaults; 0 is zero. A kind
 * ignores the fields that its formula does not name.
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
    double beta1;               /* in [0, 1); default 0.9 */
    double beta2;               /* in [0, 1); default 0.999 */
    double eps;                 /* >= 0; default 1e-8 */
    double weight_decay;        /* >= 0; default 0 */
    double clip_norm;           /* largest Euclidean norm of the whole gradient; 0 (default) = no clipping */
    int32_t eps_inside;         /* 1: sqrt(vh + eps) instead of sqrt(vh) + eps */
    int32_t no_bias_correction; /* 1: mh = m, vh = v. ADAM, ADAMW, ADAMAX */
    int32_t ema;                /* HEAVY_BALL: 1: m is an exponential average */
    int32_t init_from_gradient; /* 1: averages begin as m = g, v = g^2 at step 0 instead of 0, without bias correction;
                                   ADAM, ADAMW, RMSPROP and HEAVY_BALL with ema */
    int32_t schedule;           /* enum dyn_rate_schedule */
    int32_t reserved;           /* must be 0 */
    int64_t warmup;             /* ticks of linear warm-up; default 0 */
    int64_t period;             /* ticks, see the schedules; all but CONSTANT and CALLBACK need it > 0 */
    int64_t tick_steps;         /* steps per tick, >= 1; default 1 */
    double warmup_start;        /* in [0, 1]: rate at the beginning of the warm-up, as a share of rate */
    double factor;              /* STEP, EXPONENTIAL: in [0, 1]; default 0.1 */
    double floor;               /* smallest rate, in [0, rate]; default 0 */
    double power;               /* POLYNOMIAL: >= 0; default 1 */
    double peak;                /* ONE_CYCLE: in [0, 1]; default 0.3 */
    int64_t period_factor;      /* RESTARTS: >= 1; default 1 */
    dyn_rate_fn rate_at;        /* CALLBACK */
    void *rate_user;
    double momentum;            /* RMSPROP, MUON: in [0, 1); default 0, of MUON 0.95 */
    double momentum_decay;      /* NADAM: >= 0; default 0.004; 0: mu = b1 / 2 at every step */
    double accumulator;         /* ADAGRAD: >= 0; default 0 */
    double gamma;               /* SOPHIA: > 0; default 0.01 */
    double sam_rho;             /* >= 0; 0 (default) = no SAM */
    double adam_rate;           /* MUON: >= 0; default 0.001 */
    int32_t amsgrad;            /* ADAM, ADAMW: 1: the largest v so far */
    int32_t centered;           /* RMSPROP: 1: the variance of the gradient instead of its square */
    int32_t sam_adaptive;       /* 1: perturbation in proportion to |theta| */
    int32_t nesterov;           /* MUON; default 1 */
    int32_t match_rms;          /* MUON: 1: steps as large as those of ADAMW at the same rate */
    int32_t iterations;         /* MUON: 0 to 100; default 5 */
    int64_t matrices_count;     /* MUON: at least 1 */
    const dyn_optimizer_matrix *matrices;   /* [matrices_count], apart from each other, in rising order; copied */
    int64_t curvature_every;    /* SOPHIA in a run: steps between estimates u * (H u) of the diagonal, random signs u,
                                   H the Hessian of all samples; default 10; 0 = none */
    dyn_rule_fn rule;           /* RULE */
    dyn_rule_fn preconditioner; /* RULE: NULL (default) = it has none */
    void *rule_user;
    int32_t moments;            /* RULE: how many it keeps, 0 (default) to 3 */
    int32_t groups_count;       /* at least 0 */
    const dyn_optimizer_group *groups;  /* [groups_count] by names of tensors, which only a run knows: elsewhere refused */
    int64_t memory;             /* LBFGS: pairs kept, at least 1; default 20 */
} dyn_optimizer_options;
/** The defaults of GD and ADAM, and of the others but for what dyn_optimizer_defaults tells. */
#define DYN_OPTIMIZER_OPTIONS_INIT { DYN_SIZE_OF(dyn_optimizer_options), 0, 1e-3, 0.9, 0.999, 1e-8, 0.0, 0.0, \
                                     0, 0, 0, 0, 0, 0, 0, 0, 1, 0.0, 0.1, 0.0, 1.0, 0.3, 1, NULL, NULL, 0.0, 0.004, \
                                     0.0, 0.01, 0.0, 0.001, 0, 0, 0, 1, 0, 5, 0, NULL, 10, NULL, NULL, NULL, 0, 0, \
                                     NULL, 20 }

/**
 * Write the defaults of a kind. thread: any. Other than INIT's are
 *     ADAMW weight_decay 0.01;  ADAMAX, NADAM rate 0.002;  RMSPROP beta2 0.99;  ADAGRAD rate 0.01, eps 1e-10;
 *     ADADELTA rate 1, beta2 0.9, eps 1e-6;  LION rate 1e-4, beta2 0.99;
 *     SOPHIA rate 1e-4, beta1 0.96, beta2 0.99, eps 1e-12, weight_decay 0.1;  MUON momentum 0.95, weight_decay 0.1.
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
 *         has changed then; DYN_ENONFINITE a moment is not finite after the step (the gradient was not, or the type
 *         cannot hold its square): the step is taken, and the optimiser of no more use; DYN_EUSER rate_at gave no rate;
 *         DYN_ESTATE sam_rho > 0 and dyn_optimizer_perturb was not called for this step.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_step(dyn_optimizer *o, void *theta, const void *gradient);

/**
 * The first half of a step with sam_rho > 0: where the gradient of dyn_optimizer_step is to be taken.
 *
 * shape:  theta, gradient (there) and out [size], of the optimiser's element type; out = theta where the gradient is 0.
 * alias:  out may not overlap the others.
 * errors: DYN_EINVAL; DYN_ESTATE sam_rho is 0; DYN_ENONFINITE the gradient is not finite.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_perturb(dyn_optimizer *o, const void *theta, const void *gradient, void *out);

/**
 * Take a new estimate h of the Hessian's diagonal into SOPHIA's average, v = beta2 v + (1 - beta2) h; every ten steps
 * or so. Before the first, every step is rate * sign(m).
 *
 * shape:  diagonal [size], of the optimiser's element type.
 * errors: DYN_EINVAL; DYN_ENOTSUP another kind; DYN_ENONFINITE with the parameter: nothing has changed then.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_curvature(dyn_optimizer *o, const void *diagonal);

/** Steps taken; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_optimizer_steps(const dyn_optimizer *o);

/** Learning rate of step number `step` = 0, 1, ..., also where rate_at gave none; 0 for NULL. since: 0.1 */
DYN_API double dyn_optimizer_rate(const dyn_optimizer *o, int64_t step);

/**
 * Copy a moment, as it is (without bias correction).
 *
 * which:  1 for m, 2 for v, 3 for w (of ADADELTA: d / g of the last step).   shape: out [size].
 * errors: DYN_EINVAL; DYN_ENOTSUP the kind keeps no such moment.   since: 0.1
 */
DYN_API dyn_status dyn_optimizer_moment(const dyn_optimizer *o, int32_t which, double *out);

/**
 * The preconditioner of the step taken last: diagonal d and factor c such that, H being the Hessian where that step's
 * gradient was taken and d held fixed, the step is locally stable as long as the largest eigenvalue of the symmetric
 * matrix
 *     c d^(1/2) H d^(1/2)
 * is below dyn_optimizer_threshold = 2 / rate. v contains the gradient of that step: it is the step's own denominator.
 *     GD, ADAGRAD, ADADELTA, RULE     c = 1
 *     RMSPROP                         c = 1 / (1 + momentum)
 *     HEAVY_BALL                      c = 1 / (1+b1); with ema (1-b1) / (1+b1)
 *     NESTEROV                        c = (1+2 b1) / (1+b1)
 *     ADAM, ADAMW, ADAMAX, SOPHIA     c = (1-b1) / (1+b1), with bias correction over 1-b1^k
 *     NADAM                           c = (1-mu_k) / (1-M_k) + mu_(k+1) / (1-M_(k+1)) (1-b1) / (1+b1)
 * d is what multiplies the gradient or its average in the formulas above: 1 / (sqrt(vh) + eps), eps under the root with
 * eps_inside, 1 / v of ADAMAX, 1 / max(gamma v, eps) of SOPHIA (where its step is not cut), 1 of GD, HEAVY_BALL and
 * NESTEROV, what the caller declares for RULE. Decoupled decay multiplies c by 2 / (2 - rate weight_decay). Coupled decay belongs to H.
 * In a group d has its rate as a factor, and 0 where it is frozen. SIGN, LION, MUON and LBFGS have none: they move by the same amount at any curvature.
 * Inside an observer of a run the step taken last is the one the run is about to complete, from the theta that the
 * observer sees.
 *
 * shape:  d [size]; c one number.
 * errors: DYN_EINVAL; DYN_ESTATE no step was taken yet (kinds with v); DYN_ENOTSUP for SIGN, LION, MUON, LBFGS, a
 *         RULE without one, and SAM over a kind with v; DYN_ENONFINITE a denominator is 0, with its index.
 * since:  0.1
 */
DYN_API dyn_status dyn_optimizer_preconditioner(const dyn_optimizer *o, double *d, double *c);

/**
 * 2 / rate of the step taken last (of step 0 before any step), inf where the rate is 0; 0 for NULL.
 *
 * With sam_rho > 0 the edge depends on the gradient's norm G of that step: c h (1 + rho h / G) = 2 / rate for the
 * curvature h along an eigenvector, so that
 *     c h = c G / (2 rho) (sqrt(1 + 8 rho / (rate c G)) - 1),
 * which falls to 0 with G. Not defined (NaN) for sam_adaptive, and before a step.
 * since: 0.1
 */
DYN_API double dyn_optimizer_threshold(const dyn_optimizer *o);

#ifdef __cplusplus
}
#endif
#endif
