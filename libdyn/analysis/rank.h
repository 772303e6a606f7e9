/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ranks from inside. */
#ifndef DYN__ANALYSIS_RANK_H
#define DYN__ANALYSIS_RANK_H

#include <dyn/rank.h>
#include "base/base.h"

struct dyn_rank {
    dyn_ctx *ctx;
    dyn_rank_options opt;
    int64_t rows, columns, zero_columns;
    int64_t count;              /* of values */
    double *values;
    int64_t by_tolerance, by_gap;
    double gap_at_tolerance, largest_gap;
    int32_t accurate;           /* the values are those of the accurate route */
    const double *ceiling;      /* [columns] while it is made: a column is rounding up to this length; NULL: none is */
    double remainder, chance;   /* of dyn_rank_operator: what its directions leave of the map, and the chance of more */
};

/* Copy and check; tolerance and probes stay 0 where the default depends on sizes. */
dyn_status dyn__rank_options(dyn_ctx *ctx, const dyn_rank_options *given, dyn_rank_options *o);

/* Jacobian [samples outputs][p] of a model at given inputs; targets [samples outputs] is scratch, zero. */
dyn_status dyn__rank_jacobian(dyn_model *m, const double *theta, int64_t samples, const double *x, double *jacobian,
                              double *targets);
/* The rank at given inputs within o->memory_limit bytes. DYN_EFULL. */
dyn_status dyn__rank_tiles(dyn_model *m, const double *theta, int64_t samples, const double *x,
                           const dyn_rank_options *o, dyn_rank **out);
/* Bytes of it with tiles of so many samples; without a limit those of all at once. */
int64_t dyn__rank_bytes(const dyn_model *m, int64_t samples, int64_t limit);
/* The rank of a Jacobian of so many rows from its triangle [columns][columns]; ceiling as in dyn_rank. */
dyn_status dyn__rank_triangle(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *triangle,
                              const double *ceiling, const dyn_rank_options *o, dyn_rank **out);

/* rank_rounding.c. ceiling [p] of the columns that are rounding alone at the first `samples` of `of`, whose rows are in
 * jacobian; 0 of the others. dyn__rank_look: how many samples that takes. */
int64_t dyn__rank_look(const dyn_model *m, int64_t samples);
dyn_status dyn__rank_rounding(dyn_model *m, const double *theta, int64_t samples, int64_t of, const double *x,
                              const double *jacobian, double *ceiling);

/* A rank with these singular values [count], of which it becomes the owner. */
dyn_status dyn__rank_of_values(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t count, double *values,
                               const dyn_rank_options *o, dyn_rank **out);

/* The public function after its checks of pointers; ceiling as in dyn_rank. */
dyn_status dyn__rank_matrix(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *jacobian, const double *ceiling,
                            const dyn_rank_options *o, dyn_rank **out);

#endif
