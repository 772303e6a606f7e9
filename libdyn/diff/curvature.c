/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Second-order products. Hessian: the tangent of the gradient (forward over reverse). Gauss-Newton: J v by forward
 * mode, the Hessian of the loss in the outputs f applied to it, J^T by transposing the same linearisation. */
#include "diff/diff.h"

dyn_status dyn_graph_hvp(dyn_graph *g, dyn_node scalar, int32_t n_in, const dyn_node *inputs, const dyn_node *v,
                         dyn_node *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "direction", n_in, v));
    dyn_node *gradient = dyn__alloc(g->ctx, (size_t)n_in + 1, sizeof *gradient);
    if (!gradient)
        return DYN_ENOMEM;
    dyn_status s = dyn_graph_gradient(g, scalar, n_in, inputs, gradient);
    if (s == DYN_OK)
        s = dyn_graph_jvp(g, n_in, gradient, n_in, inputs, v, out);
    dyn__free(g->ctx, gradient);
    return s;
}

dyn_status dyn__ggn(dyn_graph *g, dyn_node scalar, int32_t n_f, const dyn_node *f, int32_t n_in,
                    const dyn_node *inputs, const dyn_node *v, dyn_node *out)
{
    dyn_node *moved = dyn__alloc(g->ctx, 2 * (size_t)n_f + 1, sizeof *moved), *curved = moved + n_f;

    if (!moved)
        return DYN_ENOMEM;
    dyn_status s = dyn_graph_jvp(g, n_f, f, n_in, inputs, v, moved);
    if (s == DYN_OK)
        s = dyn_graph_hvp(g, scalar, n_f, f, moved, curved);
    if (s == DYN_OK)
        s = dyn_graph_vjp(g, n_f, f, curved, n_in, inputs, out);
    dyn__free(g->ctx, moved);
    return s;
}

dyn_status dyn_graph_ggn(dyn_graph *g, dyn_node scalar, dyn_node f, int32_t n_in, const dyn_node *inputs,
                         const dyn_node *v, dyn_node *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "function", 1, &f));
    return dyn__ggn(g, scalar, 1, &f, n_in, inputs, v, out);
}
