/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kronecker factors from inside. */
#ifndef DYN__KFAC_H
#define DYN__KFAC_H

#include <dyn/kfac.h>
#include "objective/layers.h"

typedef struct dyn__factors {
    int32_t weight, bias;
    int64_t weight_at, bias_at;         /* in theta */
    int64_t in, na, nb, positions;      /* na: in, and 1 for the bias */
    double *a, *b;                      /* [na][na], [nb][nb] */
    double *ua, *ub;                    /* their eigenvectors as rows */
    double *wa, *wb;                    /* their eigenvalues */
    double *values;                     /* [na][nb] */
} dyn__factors;

struct dyn_kfac {
    dyn_ctx *ctx;
    dyn_kfac_options opt;
    int64_t p;
    int32_t count;
    dyn__factors *layer;
};

/* Cotangents of the outputs f [n, c] for a column: roots of the Hessians of the samples' losses, or gradients at targets drawn. */
int64_t dyn__kfac_columns(const dyn_objective *o, const dyn_kfac_options *opt);
/* Of the samples from `first` on: f [n, c] of all, u [count, c]. */
void dyn__kfac_column(const dyn_objective *o, const dyn_kfac_options *opt, int64_t column, int64_t first, int64_t count,
                      const double *f, double *u);

#endif
