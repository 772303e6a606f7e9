/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenvectors of the measurements before, with the parameters they belong to, and where the next ones are expected. */
#ifndef DYN__ANALYSIS_SHARPNESS_PAST_H
#define DYN__ANALYSIS_SHARPNESS_PAST_H

#include <dyn/eigen.h>
#include "base/base.h"

/* The newest entry is the first. An entry is theta [size], NaN where it was not given, and the vectors [pairs][size]. */
typedef struct dyn__past {
    int64_t size, pairs, most;      /* most: entries held */
    double tolerance;               /* of the vectors' residuals, relative */
    int64_t count;
    double *rows;                   /* [most][(1 + pairs) size]; NULL before the first */
} dyn__past;

void dyn__past_free(dyn_ctx *ctx, dyn__past *p);
/* Take the place of what is held: `numbers` as in rows; whole entries count. */
dyn_status dyn__past_load(dyn_ctx *ctx, dyn__past *p, int64_t numbers, const double *rows);
/* The pairs found at theta (or NULL) become the newest entry; the oldest goes where there is no room. */
dyn_status dyn__past_push(dyn_ctx *ctx, dyn__past *p, const double *theta, const dyn_eigen *e);
/* *start [pairs][size]: vectors expected at theta (or NULL); the caller frees it. NULL without an entry. */
dyn_status dyn__past_expect(dyn_ctx *ctx, const dyn__past *p, const double *theta, double **start);

static inline int64_t dyn__past_entry(const dyn__past *p)
{
    return (1 + p->pairs) * p->size;
}

#endif
