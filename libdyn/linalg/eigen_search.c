/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The search for missed pairs: Lanczos on P A P from a random vector, P the projector away from the pairs. After k
 * steps from the unit vector q its next vector is p(PAP) q with p(t) = prod (t - ritz_i) / prod beta_i, of norm 1. An
 * eigenvalue beyond t, outside the Ritz values, whose eigenvector has overlap c with q gives |c| <= 1 / |p(t)|, and a
 * random unit vector in n dimensions has such an overlap with probability at most sqrt(2 n / pi) / |p(t)|: the bound
 * reported.
 *
 * P also takes away other pairs that are known well, so that less is left to search. They have couplings rho_i to the
 * rest. If P A P has no value above t, then A has none above s > t but those of the pairs, so long as the sum of
 * rho_i^2 / ((s - theta_i) (s - t)) over the pairs below s is at most 1 (count the signs of A - s by blocks). Here t
 * and s are half a tolerance and one tolerance beyond the last pair, which has a residual of at most half a
 * tolerance and takes half of the sum. */
#include <math.h>
#include <string.h>
#include "linalg/dense.h"
#include "linalg/eigen_lanczos.h"

#define MISS_TARGET 1e-4    /* the search ends at this bound */

void dyn__solver_set_edges(dyn__solver *s)
{
    int32_t which = s->p->opt.which;
    const double *theta = s->l.theta;
    double last = theta[s->pick[s->p->want - 1]], beyond = 0.5 * dyn__solver_limit(s);

    s->low = -INFINITY;
    s->high = INFINITY;
    if (which == DYN_LARGEST_ALGEBRAIC)
        s->high = last + beyond;
    else if (which == DYN_SMALLEST_ALGEBRAIC)
        s->low = last - beyond;
    else if (which == DYN_LARGEST_MAGNITUDE)
        s->low = -(s->high = fabs(last) + beyond);
    else {
        s->low = last - beyond;
        s->high = theta[s->pick[s->p->want - 2]] + beyond;
    }
}

/* Pairs taken out of the search: the wanted ones, and after them those known well enough. */
static int64_t known(const dyn__solver *s)
{
    int64_t want = s->p->want, keep = want, most = want + (s->l.capacity - want) / 2;
    double sum = 0.0;

    for (; keep < most && keep < s->l.j; keep++) {
        double theta = s->l.theta[s->pick[keep]], gap = fmin(s->high - theta, theta - s->low);
        double rho = dyn__lanczos_residual(&s->l, s->pick[keep]);

        sum += rho * (rho / gap);
        if (!(sum <= 0.25 * dyn__solver_limit(s)))
            break;
    }
    return keep;
}

/* The bound for one edge, from the k Ritz values and the sum of log beta. */
static double miss_at(const dyn__solver *s, double edge, int64_t k, const double *ritz, double log_beta)
{
    double log_p = -log_beta;

    if (!isfinite(edge) || !isfinite(log_beta))
        return 0.0;
    for (int64_t i = 0; i < k; i++)
        log_p += log(fabs(edge - ritz[i]));
    return fmin(1.0, sqrt(2.0 * (double)s->l.n / acos(-1.0)) * exp(-log_p));
}

/* Judge the search after k steps; the Ritz values of the complement are those of the last k rows. */
static dyn_status judge(dyn__solver *s, int64_t k, double log_beta, enum dyn__outcome *outcome)
{
    int64_t first = s->l.j - k;
    double *block = s->l.Y, *ritz = s->l.theta;

    for (int64_t r = 0; r < k; r++)
        memcpy(block + r * k, s->l.T + (first + r) * s->l.capacity + first, (size_t)k * sizeof(double));
    DYN__TRY(dyn__eigh(s->l.A->ctx, k, block, ritz, 0));
    s->l.scale = fmax(s->l.scale, fmax(fabs(ritz[0]), fabs(ritz[k - 1])));
    if (ritz[k - 1] > s->high || ritz[0] < s->low) {
        *outcome = DYN__FOUND;
        return DYN_OK;
    }
    s->miss = fmin(1.0, miss_at(s, s->low, k, ritz, log_beta) + miss_at(s, s->high, k, ritz, log_beta));
    *outcome = s->miss <= MISS_TARGET ? DYN__CLEAN : DYN__UNDECIDED;
    return DYN_OK;
}

/* An exact breakdown (beta = 0) makes the bound zero: a random vector overlaps with every eigenvector. */
dyn_status dyn__solver_search(dyn__solver *s, enum dyn__outcome *outcome)
{
    double log_beta = 0.0;

    dyn__solver_set_edges(s);
    s->miss = 1.0;
    DYN__TRY(dyn__solver_settle(s, known(s)));
    s->l.width = 0;
    dyn__lanczos_draw(&s->l, 1);
    *outcome = DYN__UNDECIDED;
    for (int64_t k = 1; *outcome == DYN__UNDECIDED && !dyn__solver_full(s); k++) {
        dyn_status status = dyn__solver_advance(s);

        if (status != DYN_OK)
            return status;
        log_beta += log(s->l.R[(s->l.j - 1) * s->l.max_width]);
        DYN__TRY(judge(s, k, log_beta, outcome));
    }
    return DYN_OK;
}
