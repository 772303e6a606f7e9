/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What gather and scatter_add are by definition: the element of a table that an index chooses. */
#include "graph/ops/indexed.h"

/* Of a table and its indices, which have the first axes in common: the element of the table that belongs to element i
 * of the rows, a tensor of the shape of the indices and then that of a row; -1 if its index is out of range. */
int64_t dyn__table_element(const dyn__frame *f, const dyn__shape *table, const dyn__shape *rows, int64_t i)
{
    const int64_t lead = f->n->attr.i[0];
    const dyn__shape *index = f->shape[1];
    int64_t at[DYN_MAX_RANK] = {0}, to[DYN_MAX_RANK] = {0};

    dyn__coordinates(rows, i, at);
    const int64_t row = f->index[1][dyn__flat(index, at)];
    memcpy(to, at, (size_t)lead * sizeof *to);
    to[lead] = row;
    for (int64_t k = lead + 1; k < table->rank; k++)
        to[k] = at[k + index->rank - lead - 1];
    return row >= 0 && row < table->dim[lead] ? dyn__flat(table, to) : -1;
}
