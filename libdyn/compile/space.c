/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Iteration spaces of instructions: dimensions with one stride per operand, the first counting rows of the tile.
 * Neighbours are merged where the strides of all operands allow it, so that kernels see as few and as long dimensions
 * as there are. */
#include "compile/select.h"

/* ---- dimensions ---- */

static void remove_dim(dyn__instr *q, int d)
{
    for (int i = d; i + 1 < q->ndim; i++) {
        q->dim[i] = q->dim[i + 1];
        for (int a = 0; a < q->nargs; a++)
            q->arg[a].stride[i] = q->arg[a].stride[i + 1];
    }
    q->ndim--;
}

/* Rows of so many columns are as good one by one, and strips want the columns by themselves. */
enum { WIDE = 256 };

static int mergeable(const dyn__instr *q, int d)
{
    if (d == 0 && q->dim[1] >= WIDE && q->dim[0] > 1)
        return 0;
    for (int a = 0; a < q->nargs; a++)
        if (q->arg[a].stride[d] != q->arg[a].stride[d + 1] * q->dim[d + 1])
            return 0;
    return 1;
}

void dyn__canonical(dyn__instr *q)
{
    q->multiple = 1;
    for (int d = q->ndim - 1; d > 0; d--)
        if (q->dim[d] == 1)
            remove_dim(q, d);
    for (int a = 1; q->dim[0] == 1 && q->ndim > 1 && a < q->nargs; a++)
        q->arg[a].stride[0] = q->arg[a].stride[1] * q->dim[1];  /* of a single row any stride will do */
    for (int d = q->ndim - 2; d >= 0; d--)
        if (mergeable(q, d)) {
            for (int a = 0; a < q->nargs; a++)
                q->arg[a].stride[d] = q->arg[a].stride[d + 1];
            int64_t size = q->dim[d] * q->dim[d + 1];
            if (d == 0)
                q->multiple *= q->dim[1];
            remove_dim(q, d);
            q->dim[d] = size;
        }
}

static void append_unit_dim(dyn__instr *q)
{
    q->dim[q->ndim] = 1;
    for (int a = 0; a < q->nargs; a++)
        q->arg[a].stride[q->ndim] = a == 0;
    q->ndim++;
}

int dyn__columns_readable(const dyn__instr *q)
{
    for (int a = 1; a < q->nargs; a++)
        if (q->arg[a].stride[q->ndim - 1] != 0 && q->arg[a].stride[q->ndim - 1] != 1)
            return 0;
    return 1;
}

void dyn__elementwise_space(dyn__instr *q)
{
    dyn__canonical(q);
    if (!dyn__columns_readable(q) || q->arg[0].stride[q->ndim - 1] != 1)
        append_unit_dim(q);
}

/* ---- operands ---- */

dyn__operand_ref dyn__ref_of(const dyn__compiler *k, dyn_node x, int outer, int row_axes)
{
    const dyn__view *v = &k->node[x].view;
    const dyn__shape *s = &dyn__at(k->g, x)->shape;
    dyn__operand_ref r = {.node = v->base, .offset = v->offset};

    r.view_set = outer ? v->stride[0] : 0;
    if (s->rank == outer)
        return r;
    dyn__row_stride(v, s, outer, row_axes, &r.view_row);
    r.stride[0] = r.view_row;
    for (int i = outer + row_axes; i < s->rank; i++)
        r.stride[i - outer - row_axes + 1] = v->stride[i];
    return r;
}

/* The iteration space of shape s without the outer axis, rows as one dimension. */
void dyn__space_of(dyn__instr *q, const dyn__shape *s, int outer, int row_axes)
{
    q->ndim = 1;
    q->dim[0] = 1;
    for (int i = outer; i < outer + row_axes && i < s->rank; i++)
        q->dim[0] *= s->dim[i];
    for (int i = outer + row_axes; i < s->rank; i++)
        q->dim[q->ndim++] = s->dim[i];
}
