/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which axes count the rows of a node. A dense tensor can be cut into rows along any number of its first axes. Products
 * take the finest rows that they can have; other nodes those of an operand, so that they run in its cluster; a view can
 * be read row by row where its rows are equally far apart. */
#include "compile/compile.h"

int dyn__row_axes(const dyn__shape *s, int outer, int64_t R)
{
    int64_t rows = 1;

    for (int axis = outer; axis < s->rank && rows <= R; axis++) {
        rows *= s->dim[axis];
        if (rows == R)
            return axis - outer + 1;
    }
    return 0;
}

int dyn__row_stride(const dyn__view *v, const dyn__shape *s, int outer, int row_axes, int64_t *stride)
{
    int64_t rows = 1;

    *stride = v->stride[outer + row_axes - 1];
    for (int axis = outer + row_axes - 1; axis >= outer; axis--) {
        if (s->dim[axis] == 1)
            continue;
        if (rows == 1)
            *stride = v->stride[axis];
        else if (v->stride[axis] != *stride * rows)
            return 0;
        rows *= s->dim[axis];
    }
    return 1;
}

/* Can so many axes count the rows: are those of each operand equally far apart? */
static int readable_by(const dyn__compiler *k, const dyn__node *n, int outer, int axes)
{
    int64_t stride;

    for (int i = 0; i < n->nin; i++)
        if (!dyn__row_stride(&k->node[n->in[i]].view, dyn__shape_of(k, n->in[i]), outer, axes, &stride))
            return 0;
    return 1;
}

int dyn__axes_of_operands(const dyn__compiler *k, const dyn__node *n, const dyn__shape *s, int outer, int most)
{
    int best = 0;

    for (int i = 0; i < n->nin; i++) {
        const dyn__cnode *base = &k->node[k->node[n->in[i]].view.base];
        const int axes = base->role == DYN__ROW && base->outer == outer && base->V == (outer ? s->dim[0] : 1)
                       ? dyn__row_axes(s, outer, base->R) : 0;
        if (axes > best && axes <= most && readable_by(k, n, outer, axes))
            best = axes;
    }
    return best;
}

int dyn__axes_for(const dyn__compiler *k, dyn_node x, const dyn__shape *s, int outer, int most)
{
    const dyn__node *n = dyn__at(k->g, x);
    const int found = k->unfused ? 0 : dyn__axes_of_operands(k, n, s, outer, most);
    int axes = k->node[x].wish ? dyn__row_axes(s, outer, k->node[x].wish) : 0;

    if (found)
        return found;
    if (axes > 0 && axes <= most && readable_by(k, n, outer, axes))
        return axes;
    axes = 1;
    while (axes < most && axes + 1 < s->rank - outer && s->dim[outer + axes - 1] == 1)
        axes++;
    return readable_by(k, n, outer, axes) ? axes : 1;
}

void dyn__set_rows(dyn__cnode *c, const dyn__shape *s, int outer, int axes)
{
    c->outer = outer;
    c->V = outer ? s->dim[0] : 1;
    c->R = 1;
    for (int i = outer; i < outer + axes && i < s->rank; i++)
        c->R *= s->dim[i];
    c->row_axes = s->rank > outer ? dyn__row_axes(s, outer, c->R) : 1;
    c->C = dyn__shape_size(s) / (c->V * c->R);
}
