/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A loss in one file, of public functions alone: a function of outputs and targets on the graph. Derivatives,
 * mini-batches, curvature and measurements come from what it is. */
#include "extend/extend.h"

/* max(q e, (q - 1) e) with e = y - f */
static dyn_node pinball(dyn_graph *g, dyn_node f, dyn_node y, double q)
{
    const dyn_node e = dyn_graph_sub(g, y, f);

    return dyn_graph_max(g, dyn_graph_scale(g, e, q), dyn_graph_scale(g, e, q - 1));
}

/* A value for each sample. */
static dyn_node loss(void *user, dyn_build *b)
{
    const quantile *u = user;
    dyn_graph *g = dyn_build_graph(b);
    const int64_t n = dyn_build_samples(b);
    const dyn_node x = dyn_build_data(b, "x"), f = dyn_build_call(b, NULL, u->model, 1, &x);

    return pinball(g, dyn_graph_reshape(g, f, 1, &n), dyn_build_data(b, "y"), u->q);
}

dyn_status pinball_objective(dyn_ctx *ctx, quantile *u, dyn_array *x, dyn_array *y, dyn_objective **out)
{
    const char *const names[2] = {"x", "y"};
    dyn_array *const arrays[2] = {x, y};
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;

    parts.models = 1;
    parts.model = &u->model;
    parts.data = 2;
    parts.array = arrays;
    parts.name = names;
    return dyn_objective_from_function(ctx, loss, u, &parts, NULL, out);
}
