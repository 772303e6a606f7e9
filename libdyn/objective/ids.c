/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Indices in the data against the tables they choose from: an index outside would make rows of NaN at some step, far from
 * its cause. */
#include "graph/label.h"
#include "objective/impl.h"

/* The datum that a node of indices is made of by views alone; -1 if there is none. */
static int32_t datum_of(const dyn__loss_graph *l, dyn_node x)
{
    while (dyn__at(l->g, x)->nin > 0)
        x = dyn__at(l->g, x)->in[0];
    for (int64_t i = 0; i < l->slots; i++)
        if (l->slot[i].node == x && l->slot[i].role != DYN__SLOT_STATE)
            return l->slot[i].number;
    return -1;
}

dyn_status dyn__check_id_numbers(dyn_objective *o, const dyn__datum *d, int64_t count, const int64_t *id)
{
    for (int64_t i = 0; d->rows > 0 && i < count; i++)
        if (id[i] < 0 || id[i] >= d->rows)
            return DYN__FAIL(o->ctx, DYN_EINVAL, "\"%s\": index %lld at position %lld, the table has rows 0 to %lld", d->name,
                             (long long)id[i], (long long)i, (long long)d->rows - 1);
    return DYN_OK;
}

dyn_status dyn__check_ids(dyn_objective *o, const dyn__datum *d, const dyn_array *array)
{
    return dyn__check_id_numbers(o, d, dyn_array_size(array), dyn_array_data(array));
}

dyn_status dyn__find_tables(dyn_objective *o, const dyn__loss_graph *l)
{
    for (dyn_node x = 0; x < l->g->count; x++) {
        const dyn__node *n = dyn__at(l->g, x);
        const int32_t k = n->op == DYN__OP_gather ? datum_of(l, n->in[1]) : -1;
        if (k < 0)
            continue;
        const int64_t rows = dyn__at(l->g, n->in[0])->shape.dim[n->attr.i[0]];
        dyn__datum *d = &o->datum[k];
        d->rows = d->rows == 0 || rows < d->rows ? rows : d->rows;
    }
    for (int32_t i = 0; i < o->data; i++)
        DYN__TRY(dyn__check_ids(o, &o->datum[i], o->datum[i].array));
    return DYN_OK;
}
