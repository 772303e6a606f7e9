/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a rank tells. */
#include "analysis/rank.h"

int64_t dyn_rank_value(const dyn_rank *r)
{
    if (!r)
        return 0;
    return r->opt.rule == DYN_RANK_GAP ? r->by_gap : r->by_tolerance;
}

int64_t dyn_rank_by_tolerance(const dyn_rank *r, double *gap)
{
    if (gap)
        *gap = r ? r->gap_at_tolerance : 0.0;
    return r ? r->by_tolerance : 0;
}

int64_t dyn_rank_by_gap(const dyn_rank *r, double *gap)
{
    if (gap)
        *gap = r ? r->largest_gap : 0.0;
    return r ? r->by_gap : 0;
}

const double *dyn_rank_singular_values(const dyn_rank *r, int64_t *count)
{
    if (count)
        *count = r ? r->count : 0;
    return r ? r->values : NULL;
}

int32_t dyn_rank_accurate(const dyn_rank *r)
{
    return r ? r->accurate : 0;
}

double dyn_rank_tolerance(const dyn_rank *r)
{
    return r ? r->opt.tolerance : 0.0;
}

double dyn_rank_remainder(const dyn_rank *r, double *chance)
{
    if (chance)
        *chance = r ? r->chance : 0.0;
    return r ? r->remainder : 0.0;
}

int64_t dyn_rank_rows(const dyn_rank *r)
{
    return r ? r->rows : 0;
}

int64_t dyn_rank_columns(const dyn_rank *r)
{
    return r ? r->columns : 0;
}

int64_t dyn_rank_zero_columns(const dyn_rank *r)
{
    return r ? r->zero_columns : 0;
}
