/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharing a cluster out by columns. Where the gradients of wide layers are large against the work, chunks of rows, each
 * with sums of its own, cost more than they bring. Ranges of columns are the tasks then: the groups of strips (strip.c)
 * run one after the other, a task takes some strips of a group, each over all rows, and its part of the gradients has
 * one place. A group without sums over rows has its rows shared out, too. What passes between groups lies in memory,
 * all rows of it; a sum within rows has a part from every range. What is in no group is left to one thread, so there
 * must be little of it. */
#include "compile/compile.h"

/* Rows of a tile; bytes between the groups at most. */
enum { ACROSS_ROWS = 128, MOST_BYTES = 1 << 23 };

int dyn__rows_are_few(const dyn__compiler *k, int32_t s)
{
    const dyn__step *step = &k->plan->step[s];
    const dyn__cnode *c = &k->node[step->node];
    double work = 0, sum_bytes = 0;

    for (int32_t i = 0; i < step->instrs; i++) {
        const dyn__instr *q = &step->instr[i];
        work += dyn__row_cost(k, q) * (double)c->R;
        sum_bytes += k->node[q->node].role == DYN__TERM ? (double)(k->node[q->node].C * k->plan->esize) : 0;
    }
    return c->V == 1 && work < 2 * sum_bytes && dyn__worthwhile_ranges(work) > 1;
}

/* Where nearly all the work is in columns that are wide enough to be shared out. */
int dyn__may_share_columns(const dyn__compiler *k, int32_t s)
{
    const dyn__step *step = &k->plan->step[s];
    double work = 0, wide = 0;

    for (int32_t i = 0; i < step->instrs; i++) {
        const double cost = dyn__row_cost(k, &step->instr[i]);
        work += cost;
        wide += dyn__columns_of(k, &step->instr[i]) * k->plan->esize >= DYN__SHARED_BYTES ? cost : 0;
    }
    return wide >= work * 15 / 16 && dyn__rows_are_few(k, s);
}

static int64_t count_groups(const dyn__step *step)
{
    int64_t groups = 0;

    for (int32_t i = 0; i < step->instrs; i = step->instr[i].end)
        groups += step->instr[i].strip > 0;
    return groups;
}

static int64_t count_row_sums(const dyn__step *step)
{
    int64_t sums = 0;

    for (int32_t i = 0; i < step->instrs; i++)
        sums += dyn__is_part_of_row_sum(&step->instr[i]);
    return sums;
}

static int has_sum(const dyn__compiler *k, const dyn__step *step, const dyn__instr *q)
{
    for (int a = 0; a < q->nargs; a++)
        if (dyn__is_result(q, a) && dyn__sum_of(k, step, q->arg[a].node))
            return 1;
    return 0;
}

static void find_rows_apart(const dyn__compiler *k, dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i = step->instr[i].end) {
        step->instr[i].rows_apart = 1;
        for (int32_t j = i; j < step->instr[i].end; j++)
            step->instr[i].rows_apart &= !has_sum(k, step, &step->instr[j]);
    }
}

/* The parts are added up where the sums of all rows follow each other. */
static int row_sums_dense(const dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        if (dyn__is_part_of_row_sum(&step->instr[i]) && step->instr[i].arg[0].stride[0] != 1)
            return 0;
    return 1;
}

void dyn__share_columns(const dyn__compiler *k, dyn__step *step, int64_t row_elements, double grouped, double sum_bytes)
{
    const int64_t groups = count_groups(step), between = row_elements * step->R * k->plan->esize;
    const double cost = dyn__cost_of_ranges(k, between, groups);

    if (groups == 0 || step->V > 1 || between > MOST_BYTES || k->arena_limit || grouped < step->work * 15 / 16
        || cost >= dyn__cost_of_chunks(k, step, sum_bytes) || !row_sums_dense(step))
        return;
    step->ranges = dyn__worthwhile_ranges(grouped / (double)groups);
    if (step->ranges == 1) {
        step->ranges = 0;
        return;
    }
    find_rows_apart(k, step);
    step->chunks = 1;
    step->tile = dyn__divide_up(step->R, dyn__divide_up(step->R, ACROSS_ROWS));
    step->tiles = step->share = dyn__divide_up(step->R, step->tile);
    step->between = (row_elements + count_row_sums(step) * step->ranges) * step->R;
}
