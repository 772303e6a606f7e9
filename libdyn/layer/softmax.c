/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Softmax. The largest element that is seen is taken off first; the result does not depend on it, so it is held fixed in
 * derivatives. What a mask leaves out goes into exp as a number whose exp is 0, never as an infinity: 0 times infinity
 * would poison the derivative of everything that shares a weight with it. */
#include "layer/layer.h"

dyn_node dyn__largest(dyn_graph *g, dyn_node x)
{
    const int32_t last = -1;

    DYN__TRY(x);
    dyn__shape s = *dyn__shape_of(g, x);
    s.dim[s.rank - 1] = 1;
    return dyn__reshape_to(g, dyn_graph_stop(g, dyn_graph_amax(g, x, 1, &last)), &s);
}

dyn_node dyn__lowest(dyn_graph *g) { return dyn__scalar(g, dyn_graph_dtype(g) == DYN_F32 ? -3e38 : -1e308); }

static dyn_node masked(dyn_graph *g, dyn_node x, dyn_node mask)
{
    dyn_node m = dyn__largest(g, dyn_graph_select(g, mask, x, dyn__lowest(g)));
    dyn_node e = dyn_graph_exp(g, dyn_graph_select(g, mask, dyn_graph_sub(g, x, m), dyn__scalar(g, DYN__GONE)));
    dyn_node sum = dyn__sum_last(g, e);
    dyn_node nothing = dyn_graph_equal(g, sum, dyn__scalar(g, 0));

    return dyn_graph_div(g, e, dyn_graph_select(g, nothing, dyn__scalar(g, 1), sum));
}

dyn_node dyn_layer_softmax(dyn_graph *g, dyn_node x, dyn_node mask)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 1));
    DYN__TRY(dyn__check_optional(g, mask));
    if (mask != DYN_NO_NODE)
        return masked(g, x, mask);
    dyn_node e = dyn_graph_exp(g, dyn_graph_sub(g, x, dyn__largest(g, x)));
    return dyn_graph_div(g, e, dyn__sum_last(g, e));
}

dyn_node dyn_layer_log_softmax(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 1));
    dyn_node shifted = dyn_graph_sub(g, x, dyn__largest(g, x));
    return dyn_graph_sub(g, shifted, dyn_graph_log(g, dyn__sum_last(g, dyn_graph_exp(g, shifted))));
}
