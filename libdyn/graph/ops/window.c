/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What slice and pad share: one takes a window out of a tensor, the other puts a tensor into a window of zeros. */
#include "graph/ops/op.h"

dyn_status dyn__infer_window(dyn_graph *g, dyn__node *n, const dyn__shape *part, const dyn__shape *whole)
{
    const char *name = dyn__op_of(n)->name;
    char p[128], q[128];

    if (dyn__at(g, n->in[0])->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "%s of a tensor of indices", name);
    for (int k = 0; k < whole->rank; k++) {
        const int64_t start = n->attr.i[k];
        if (start < 0 || part->dim[k] < 1 || start > whole->dim[k] - part->dim[k])
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "%s: %s from %lld along axis %d does not fit into %s", name,
                             dyn__shape_text(part, p), (long long)start, k, dyn__shape_text(whole, q));
    }
    return DYN_OK;
}

void dyn__shifted_start(const dyn_graph *g, dyn_node y, int64_t start[DYN_MAX_RANK])
{
    const dyn__node *n = dyn__at(g, y);

    start[0] = 0;
    for (int k = 0; k < n->shape.rank && k + 1 < DYN_MAX_RANK; k++)
        start[k + 1] = n->attr.i[k];
}
