/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The inside of a condensation result. Features are kept as unit rows and norms: every question asked later is one of
 * cosines. The cosine matrix itself is never kept, as it grows with the square of the width. */
#ifndef DYN__ANALYSIS_CONDENSATION_H
#define DYN__ANALYSIS_CONDENSATION_H

#include <dyn/condensation.h>
#include "base/base.h"
#include "analysis/vector.h"
#include "kernel/kernel.h"

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

/* Clusters of the `living` neurons that come first in by_amplitude, numbered as they are led: fills assignment and
 * clusters. who [living] is scratch. DYN_ENOMEM. */
dyn_status dyn__condensation_gather(dyn_condensation *c, const int64_t *by_amplitude, int64_t living, int64_t *who);

/* Cosines in [-1, 1] by tiles of the lower triangle: x[r ld + c] is that of neurons i + r and j + c, of the order given.
 * use is called once for each tile, by any thread. */
enum { DYN__COSINE_TILE = 64 };
typedef struct dyn__cosine_tile {
    int64_t i, j, rows, columns, ld;
} dyn__cosine_tile;
struct dyn__cosine_tiles;
typedef void (*dyn__cosine_use)(const struct dyn__cosine_tiles *t, const dyn__cosine_tile *tile, double *x);
typedef struct dyn__cosine_tiles {
    dyn_ctx *ctx;
    int64_t n, k;               /* neurons, components */
    const double *unit, *turned, *norm;     /* [n][k]; [k][n]; [n] */
    double *out;                /* [n][n] where tiles lie, or NULL: each in the scratch, until it is used */
    double *scratch;            /* a tile per worker */
    dyn__cosine_use use;
    void *user;
} dyn__cosine_tiles;
/* order [neurons] or NULL. DYN_ENOMEM. */
dyn_status dyn__condensation_tiles(const dyn_condensation *c, const int64_t *order, double *out, dyn__cosine_use use,
                                   void *user);

/* out[i] = <unit row i, v>, v [components]. */
void dyn__condensation_project(const dyn_condensation *c, const double *v, double *out);

#endif
