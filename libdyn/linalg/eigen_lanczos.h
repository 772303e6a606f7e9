/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Lanczos route from inside. It iterates until the wanted pairs have converged, settles them (copies them to the
 * result with what the decomposition knows of their residuals), searches their complement for missed pairs, and
 * iterates on with what the search finds. Products on the settled pairs confirm the residuals at the end. */
#ifndef DYN__LINALG_EIGEN_LANCZOS_H
#define DYN__LINALG_EIGEN_LANCZOS_H

#include <float.h>
#include <math.h>
#include "linalg/eigen.h"
#include "linalg/lanczos.h"

#define DYN__MISS_TARGET 1e-4        /* a search ends at this bound */
#define DYN__EIGEN_MARGIN 0.5   /* share of the tolerance used while iterating; a search or products use the rest */
#define DYN__PLAIN_MARGIN 0.95  /* the same without a search */

typedef struct dyn__solver {
    dyn__lanczos l;
    const dyn__eigen_plan *p;
    dyn_eigen *e;           /* the pairs settled last */
    int64_t *pick;          /* [capacity] places of Ritz values, the most wanted first */
    double *held;           /* [max_width][n] the next block when the pairs were settled */
    double *coupling;       /* [max_width] of the sum of the settled pairs with it */
    int64_t held_width;
    double error;           /* of the residuals of the settled pairs, as the recurrence knows it */
    int dropped;            /* 1 after a restart that dropped couplings, which are then missing in residuals */
    int64_t next_check;     /* rows at which convergence is looked at again */
    double low, high;       /* a value of the complement outside [low, high] is a missed one */
    double inner_low, inner_high;   /* one outside these, but not those, belongs to the cluster of the last pair */
    double limit;           /* of the last pair's residual, of both ends the smaller */
    double miss;
    int32_t last_cluster;   /* enum dyn_last_cluster */
} dyn__solver;

enum dyn__outcome { DYN__CLEAN, DYN__FOUND, DYN__UNDECIDED };

/* A residual within this is small enough to go on: in float32 none below its rounding can be had. */
static inline double dyn__solver_limit(const dyn__solver *s, double value)
{
    return fmax(dyn__eigen_allowed(&s->p->opt, s->l.scale, value), s->l.F ? 2 * (double)FLT_EPSILON * s->l.scale : 0.0);
}

/* One block of products, within the limit that leaves room for the final residuals: DYN_NOT_CONVERGED beyond it. */
dyn_status dyn__solver_advance(dyn__solver *s);
int dyn__solver_full(const dyn__solver *s);
/* Products that a search for missed pairs may take: what is left of the caller's limit; without one, as many as the
 * pairs took, twice. */
int64_t dyn__solver_allowance(const dyn__solver *s);

/* From the ranked Ritz pairs: where values of the complement count as missed, and whether one is seen that belongs to the
 * cluster of the last wanted pair. */
void dyn__solver_set_edges(dyn__solver *s);
/* Settle the pairs and, if that can decide, search their complement. */
dyn_status dyn__solver_search(dyn__solver *s, enum dyn__outcome *outcome);

/* Copy the wanted ones of the ranked Ritz pairs to the result and restart from the first `keep` pairs. */
dyn_status dyn__solver_settle(dyn__solver *s, int64_t keep);
/* The true residuals of the settled pairs, by products; destroys the basis. */
dyn_status dyn__solver_confirm(dyn__solver *s);

#endif
