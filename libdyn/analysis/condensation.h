/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The inside of a condensation result. Features are kept as unit rows and norms: every question asked later is one of
 * cosines. The cosine matrix itself is never kept, as it grows with the square of the width. */
#ifndef DYN__ANALYSIS_CONDENSATION_H
#define DYN__ANALYSIS_CONDENSATION_H

#include <dyn/condensation.h>
#include "base/base.h"
#include "analysis/vector.h"

struct dyn_condensation {
    dyn_ctx *ctx;
    dyn_condensation_options opt;
    int64_t neurons, components;
    double *unit;           /* [neurons][components], zero rows for zero features */
    double *norms, *amplitudes;
    int64_t zeros, dead;
    double largest;         /* amplitude */
    double dead_below;      /* amplitudes up to this are dead */
    int64_t *assignment;
    int64_t clusters;
    int64_t *sizes;
    double *shares, *directions, *tightness;
    int64_t effective;
    double entropy_count;
    int64_t *order;
    double leading, leading_residual;
    int32_t leading_converged;
};

/* Cluster the living neurons; fills everything from assignment to entropy_count. */
dyn_status dyn__condensation_cluster(dyn_condensation *c);

/* Fills order and leading. */
dyn_status dyn__condensation_sort(dyn_condensation *c);

/* Cosines of neurons first .. first + count - 1 with all neurons: out [count][neurons], in [-1, 1]. */
dyn_status dyn__condensation_cosines(const dyn_condensation *c, int64_t first, int64_t count, double *out);

/* out[i] = <unit row i, v>, v [components]. */
void dyn__condensation_project(const dyn_condensation *c, const double *v, double *out);

#endif
