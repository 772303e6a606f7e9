/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What gather and scatter_add share when they are compiled: steps over sets of rows that are chosen by indices. */
#ifndef DYN__INDEXED_H
#define DYN__INDEXED_H

#include "compile/exec.h"
#include "graph/ops/op.h"

/* In each of the sets, so many rows of so many columns; rows of the table. */
typedef struct dyn__indexed { int64_t sets, rows, cols, table; } dyn__indexed;

static inline int64_t dyn__size_of_axes(const dyn__shape *s, int64_t from, int64_t to)
{
    int64_t size = 1;

    for (int64_t i = from; i < to; i++)
        size *= s->dim[i];
    return size;
}

/* indexing.c: of a table and its indices, which have the first axes in common, the element of the table that belongs to
 * element i of the rows; -1 if its index is out of range. */
int64_t dyn__table_element(const dyn__frame *f, const dyn__shape *table, const dyn__shape *rows, int64_t i);

/* Numbers that lie one after the other in front, indices as they are. */
static inline dyn_node dyn__lower_indexed(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const dyn_node operand[2] = {dyn__densely(l, in[0]), in[1]};

    return dyn__insert(l->to, n->op, 2, operand, &n->attr, NULL);
}

/* The step of node y, whose rows have so many columns. */
static inline dyn_status dyn__indexed_step(dyn__compiler *k, dyn__step *step, dyn_node y, const dyn__step_kind *kind,
                                           int64_t cols, int64_t table)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *index = dyn__shape_of(k, n->in[1]);
    dyn__indexed *d = dyn__own_step(k, step, y, kind, sizeof *d);

    if (!d)
        return DYN_ENOMEM;
    d->sets = dyn__size_of_axes(index, 0, n->attr.i[0]);
    d->rows = dyn__size_of_axes(index, n->attr.i[0], index->rank);
    d->cols = cols;
    d->table = table;
    return DYN_OK;
}

#endif
