/* SPDX-License-Identifier: BSD-3-Clause
 *
 * reshape: the elements of x in row-major order under another shape. Linear. transpose: reshape back. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);
    char p[128], q[128];

    n->dtype = x->dtype;
    if (dyn__shape_size(&x->shape) != dyn__shape_size(&n->shape))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "reshape of %s to %s changes the number of elements",
                         dyn__shape_text(&x->shape, p), dyn__shape_text(&n->shape, q));
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn__shape s = dyn__at(g, dyn__operand(g, y, i))->shape;
    return dyn__reshape_to(g, ct, &s);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    dyn__shape s = dyn__shape_lead(&dyn__at(g, y)->shape, size);

    (void)batched;
    return dyn__reshape_to(g, in[0], &s);
}

/* The axis of the result in whose index, read in row-major order, the sample is a digit of its own. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const dyn__shape *x = &dyn__at(g, n->in[0])->shape;
    int64_t before = in[0].outer, lead = 1;     /* values the digits before the sample take */

    for (int k = 0; k < in[0].axis; k++)
        before *= x->dim[k];
    for (int k = 0; k < n->shape.rank && lead <= before; lead *= n->shape.dim[k++]) {
        const int64_t outer = before / lead;
        if (before % lead == 0 && n->shape.dim[k] % (outer * samples) == 0)
            return (dyn__label){k, outer, n->shape.dim[k] / (outer * samples)};
    }
    return dyn__coupled_label();
}

static dyn_node sample(dyn_graph *g, int k)
{
    dyn_node x;

    if (k >= 2)
        return DYN_ENOTSUP;
    x = dyn_graph_input(g, "a", 2, (int64_t[]){4, 6});
    return k ? dyn_graph_reshape(g, x, 1, (int64_t[]){24}) : dyn_graph_reshape(g, x, 3, (int64_t[]){2, 2, 6});
}

const dyn__op dyn__op_reshape = {
    .name = "reshape", .nin = 1, .linear = 1, .kernel = -1, .shaped = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
};
