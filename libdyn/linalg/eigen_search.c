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
 * tolerance and takes half of the sum.
 *
 * p(t) and whether a Ritz value lies beyond t follow step by step from the signs and sizes of the pivots of t - T, so a
 * search may last longer than the basis has room: what it drops then only costs orthogonality, which the recurrence of
 * an overlap does not need. Before it begins the products needed are forecast from the Ritz values of the complement;
 * a search that cannot decide is not made. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "linalg/eigen_lanczos.h"

#define CLUSTER_TARGET 1e-3     /* chance of a hidden value of the last cluster at which it is called whole */

/* One end: values above `last` and half its limit were missed; those above `last` less twice that are of its cluster. */
static void set_high(dyn__solver *s, double last, double limit)
{
    s->high = last + 0.5 * limit;
    s->inner_high = last - 2.0 * limit;
}

static void set_low(dyn__solver *s, double last, double limit)
{
    s->low = last - 0.5 * limit;
    s->inner_low = last + 2.0 * limit;
}

/* Of both ends the last but one is that of the upper. */
static double set_ends(dyn__solver *s)
{
    const int64_t *pick = s->pick + s->p->want;
    const int32_t which = s->p->opt.which;
    const double last = s->l.theta[pick[-1]], limit = dyn__solver_limit(s, last), size = fabs(last);

    if (which == DYN_LARGEST_ALGEBRAIC)
        set_high(s, last, limit);
    else if (which == DYN_LARGEST_MAGNITUDE) {
        set_high(s, size, limit);
        set_low(s, -size, limit);
    } else
        set_low(s, last, limit);
    if (which != DYN_BOTH_ENDS)
        return limit;
    const double upper = s->l.theta[pick[-2]], other = dyn__solver_limit(s, upper);

    set_high(s, upper, other);
    return fmin(limit, other);
}

/* The magnitude of the last may be that of either sign: there a value of the other end is none of its cluster. */
static int in_cluster(const dyn__solver *s, double value)
{
    const double last = s->l.theta[s->pick[s->p->want - 1]];

    if (s->p->opt.which == DYN_LARGEST_MAGNITUDE)
        return last > 0 ? value >= s->inner_high : value <= s->inner_low;
    return value >= s->inner_high || value <= s->inner_low;
}

void dyn__solver_set_edges(dyn__solver *s)
{
    s->low = s->inner_low = -INFINITY;
    s->high = s->inner_high = INFINITY;
    s->limit = set_ends(s);
    s->last_cluster = DYN_CLUSTER_UNKNOWN;
    for (int64_t i = s->p->want; i < s->l.j; i++)
        if (in_cluster(s, s->l.theta[s->pick[i]]) && dyn__lanczos_residual(&s->l, s->pick[i]) <= s->limit)
            s->last_cluster = DYN_CLUSTER_CUT;
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
        if (!(sum <= 0.25 * s->limit))
            break;
    }
    return keep;
}

/* A sequence of pivots of sign * (t - T), one edge t. */
typedef struct edge {
    double t, sign;         /* 1: values above t were missed; -1: below */
    double pivot, log_p;
} edge;

typedef struct search {
    edge side[2], inner[2];     /* inner: of the last pair's cluster */
    int sides, inners;
    double target;          /* log p from which on no edge matters */
    double beta, mark;      /* the last coupling; log p at the last step that was a power of two */
    int64_t k;
    int64_t keep;           /* rows of the pairs taken out */
} search;

static search begin(const dyn__solver *s)
{
    search q = { .keep = known(s) };

    if (isfinite(s->high))
        q.side[q.sides++] = (edge){ .t = s->high, .sign = 1.0 };
    if (isfinite(s->low))
        q.side[q.sides++] = (edge){ .t = s->low, .sign = -1.0 };
    if (in_cluster(s, HUGE_VAL))
        q.inner[q.inners++] = (edge){ .t = s->inner_high, .sign = 1.0 };
    if (in_cluster(s, -HUGE_VAL))
        q.inner[q.inners++] = (edge){ .t = s->inner_low, .sign = -1.0 };
    q.target = log(q.sides * sqrt(2.0 * (double)s->l.n / acos(-1.0)) / DYN__MISS_TARGET);
    return q;
}

/* The smaller log p of the edges: what the bound hangs on. */
static double progress(const search *q)
{
    return q->sides == 1 ? q->side[0].log_p : fmin(q->side[0].log_p, q->side[1].log_p);
}

/* One more row of T, alpha on its diagonal and beta behind it. The pivot is negative if a Ritz value is beyond the edge. */
static double step_edge(edge *e, double alpha, double before, double beta, int first)
{
    e->pivot = e->sign * (e->t - alpha) - (first ? 0.0 : before * (before / e->pivot));
    e->log_p = beta > 0.0 ? e->log_p + log(fmax(0.0, e->pivot)) - log(beta) : HUGE_VAL;
    return e->pivot;
}

/* A Ritz value beyond an inner edge is a value of the last cluster that was not asked for. *chance: that one was hidden. */
static void judge_cluster(dyn__solver *s, search *q, double alpha, double beta, double *chance)
{
    *chance = 0.0;
    for (int i = 0; i < q->inners && s->last_cluster != DYN_CLUSTER_CUT; i++) {
        if (step_edge(&q->inner[i], alpha, q->beta, beta, q->k == 0) <= 0.0)
            s->last_cluster = DYN_CLUSTER_CUT;
        *chance += sqrt(2.0 * (double)s->l.n / acos(-1.0)) * exp(-q->inner[i].log_p);
    }
}

/* An exact breakdown (beta = 0) makes the bound zero: a random vector overlaps with every eigenvector. */
static enum dyn__outcome judge(dyn__solver *s, search *q)
{
    const dyn__lanczos *l = &s->l;
    double alpha = l->T[(l->j - 1) * l->capacity + l->j - 1], beta = l->width > 0 ? l->R[(l->j - 1) * l->max_width] : 0.0;
    double sum = 0.0, chance;
    int found = 0;

    judge_cluster(s, q, alpha, beta, &chance);
    for (int i = 0; i < q->sides; i++) {
        found |= step_edge(&q->side[i], alpha, q->beta, beta, q->k == 0) < 0.0;
        sum += exp(-q->side[i].log_p);
    }
    q->k++;
    q->beta = beta;
    if (found)
        return DYN__FOUND;
    s->miss = fmin(1.0, sqrt(2.0 * (double)l->n / acos(-1.0)) * sum);
    if (s->miss > DYN__MISS_TARGET)
        return DYN__UNDECIDED;
    if (s->last_cluster == DYN_CLUSTER_UNKNOWN && chance <= CLUSTER_TARGET)
        s->last_cluster = DYN_CLUSTER_WHOLE;
    return DYN__CLEAN;
}

/* Products of a search on a complement with these Ritz values, in units where they grow away from the edge: m of them
 * as zeros of the polynomial, a Chebyshev polynomial for the rest, the best m. distance [count], ascending. */
static double forecast_edge(int64_t count, const double *distance, double target)
{
    double best = HUGE_VAL, cost = target, last = count > 0 ? distance[count - 1] : 0.0;

    if (count < 3)
        return 0.0;
    for (int64_t m = 0; m + 2 < count && (double)m < best; m++) {
        double near = fmax(distance[m], DBL_MIN), wide = last - near;

        best = fmin(best, (double)m + (wide > 0.0 ? cost / acosh(1.0 + 2.0 * near / wide) : 0.0));
        cost += log(fmax(1.0, wide / near));
    }
    return best;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* distance [j] is scratch. */
static double forecast(const dyn__solver *s, const search *q, double *distance)
{
    double most = 0.0;

    for (int i = 0; i < q->sides; i++) {
        int64_t count = 0;

        for (int64_t k = q->keep; k < s->l.j; k++)
            distance[count++] = q->side[i].sign * (q->side[i].t - s->l.theta[s->pick[k]]);
        qsort(distance, (size_t)count, sizeof *distance, by_size);
        most = fmax(most, forecast_edge(count, distance, q->target));
    }
    return most;
}

/* At steps 16, 32, 64 ...: at neither the last half's growth nor the mean one is the allowance enough. */
static int hopeless(const dyn__solver *s, search *q)
{
    double log_p = progress(q), left = q->target - log_p, rate;

    if (q->k < 8 || (q->k & (q->k - 1)) != 0)
        return 0;
    rate = 2.0 * (log_p - q->mark) / (double)q->k;
    q->mark = log_p;
    return q->k > 8 && !(left < fmax(rate, log_p / (double)q->k) * (double)dyn__solver_allowance(s));
}

static dyn_status search_on(dyn__solver *s, search *q, enum dyn__outcome *outcome)
{
    int dropped = 0;

    while (*outcome == DYN__UNDECIDED && !hopeless(s, q)) {
        dyn_status status;

        if (dyn__solver_full(s)) {
            dyn__lanczos_drop(&s->l, q->keep, s->l.j - 1);
            dropped = 1;
        }
        status = dyn__solver_advance(s);
        if (status == DYN_NOT_CONVERGED)
            return DYN_OK;          /* no product left to go on with: undecided */
        if (status != DYN_OK)
            return status;
        *outcome = judge(s, q);
    }
    if (dropped && *outcome == DYN__FOUND)
        dyn__lanczos_drop(&s->l, q->keep, s->l.j);
    return DYN_OK;
}

dyn_status dyn__solver_search(dyn__solver *s, enum dyn__outcome *outcome)
{
    search q;
    double needed;

    dyn__solver_set_edges(s);
    s->miss = 1.0;
    *outcome = DYN__UNDECIDED;
    q = begin(s);
    needed = forecast(s, &q, s->l.h);
    if (needed > (double)dyn__solver_allowance(s))
        return dyn__solver_settle(s, s->p->want);
    DYN__TRY(dyn__solver_settle(s, q.keep));
    s->l.width = 0;
    dyn__lanczos_draw(&s->l, 1);
    return search_on(s, &q, outcome);
}
