/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Views: other strides over the same elements. The rule of each is in its primitive's file. */
#include "compile/form.h"

void dyn__dense_strides(const dyn__shape *s, int64_t *stride)
{
    int64_t n = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        stride[i] = n;
        n *= s->dim[i];
    }
}

int dyn__view_dense(const dyn__view *v, const dyn__shape *s)
{
    int64_t n = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        if (s->dim[i] != 1 && v->stride[i] != n)
            return 0;
        n *= s->dim[i];
    }
    return 1;
}

void dyn__view_through(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__node *n = dyn__at(g, x);
    const dyn__form *form = dyn__form_of(n);

    if (form->view) {
        *v = (dyn__view){in->base, in->offset, {0}};
        form->view(g, x, in, v);
        return;
    }
    *v = (dyn__view){x, 0, {0}};
    dyn__dense_strides(&n->shape, v->stride);
}
