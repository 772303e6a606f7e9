/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adam on a flat minimum, L = x^k / k with even k >= 4 (arXiv 2603.09581): without bias correction and eps it converges
 * exponentially where its rates allow it, with spikes or not at all elsewhere, whereas gradient descent is slow.
 *
 *     m' = beta1 m + (1 - beta1) g,  v' = beta2 v + (1 - beta2) g^2,  x' = x - rate m' / sqrt(v'),
 *     g = x^(k-1), m_0 = g_0, v_0 = g_0^2,   omega = m / x^(k-1),  lambda = x^(k-2) / sqrt(v),  x' = (1 - rate omega
 *     lambda) x
 *
 * Trajectories are iterated in (ln|x|, omega, lambda), where nothing underflows however long they are. */
#ifndef DYN_DEGENERATE_H
#define DYN_DEGENERATE_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Regimes of (beta1, beta2). */
enum dyn_adam_regime {
    DYN_ADAM_STABLE = 0,    /* I: the fixed point attracts; the loss falls to nothing */
    DYN_ADAM_SPIKE = 1,     /* II: it exists and repels; the loss falls, then spikes */
    DYN_ADAM_SIGN = 2       /* III: there is none; as sign descent, around L(rate / 2) */
};

/** What theory says of one (k, beta1, beta2). */
typedef struct dyn_degenerate_theory {
    double ratio;           /* x'/x at the fixed point, beta2^(1 / (2(k-2))) */
    double omega;           /* fixed point; NaN in regime III */
    double lambda;          /* likewise, for the rate given */
    double slope;           /* of ln L per step: k ln(ratio) */
    double stable_below;    /* beta1 below this: regime I; beta2^(k / (2(k-2))) */
    double exists_below;    /* beta1 below this: a fixed point; beta2^((k-1) / (2(k-2))) */
    int32_t regime;         /* enum dyn_adam_regime */
    int32_t flips;          /* 1: stable by the curve, but an eigenvalue of the map is below -1 (only at tiny beta2) */
} dyn_degenerate_theory;

/**
 * The fixed point, its curves and the regime.
 *
 * range:  k even, 4 to 1000; 0 <= beta1 < 1; 0 < beta2 < 1; rate > 0.   errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_degenerate_theory_of(dyn_ctx *ctx, int32_t k, double beta1, double beta2, double rate,
                                            dyn_degenerate_theory *out);

/**
 * A trajectory of `steps` steps from x.
 *
 * shape:  log_x, omega, lambda [steps + 1], each may be NULL: ln|x_t|, and the state with which step t + 1 is made.
 *         Where x hits 0 exactly, it stays there: ln|x| = -inf, omega and lambda 0.
 * range:  as above; x finite and not 0.   errors: DYN_EINVAL, DYN_EINTERRUPTED.   since: 0.1
 */
DYN_API dyn_status dyn_degenerate_run(dyn_ctx *ctx, int32_t k, double beta1, double beta2, double rate, double x,
                                      int64_t steps, double *log_x, double *omega, double *lambda);

/**
 * Trajectories over a list of (beta1, beta2), on all threads: what the regimes are told by.
 *
 * shape:  beta1, beta2 [count]; least, last [count]: ln of the smallest and of the last loss; coupling [count]:
 *         median of ln(v / g^2) over 4096 (or all) equally spaced steps after the first fiftieth. Near 0 where v
 *         follows g^2.
 * errors: as dyn_degenerate_run; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_degenerate_map(dyn_ctx *ctx, int32_t k, double rate, double x, int64_t steps, int64_t count,
                                      const double *beta1, const double *beta2, double *least, double *last,
                                      double *coupling);

#ifdef __cplusplus
}
#endif
#endif
