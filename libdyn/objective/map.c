/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model at data, without targets, as an objective: its loss is the sum of its outputs times cotangents, which are data
 * like others, so that its gradient is J^T times them, and that by a tensor inside likewise. */
#include "data/data.h"
#include "objective/losses.h"

/* One for each output of n samples. */
static dyn_status add_cotangent(dyn_objective *o, const dyn_model *m)
{
    const dyn__shape shape = dyn__shape_lead(&m->output, o->n);
    const int64_t size = dyn__shape_size(&shape);
    double *ones = dyn__alloc(o->ctx, (size_t)size, sizeof *ones);
    dyn_array *a = NULL;

    if (!ones)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < size; i++)
        ones[i] = 1;
    dyn_status s = dyn_array_create(o->ctx, DYN_F64, shape.rank, shape.dim, ones, &a);
    dyn__free(o->ctx, ones);
    if (s == DYN_OK)
        s = dyn__objective_add_datum(o, "cotangent", a, 0);
    dyn_array_unref(a);
    return s;
}

static dyn_node build(void *user, dyn_build *b)
{
    static const int32_t axes[DYN_MAX_RANK] = {1, 2, 3, 4, 5, 6, 7};
    const dyn_model *m = ((const dyn_objective *)user)->member[0].model;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node *input = dyn__alloc(m->ctx, (size_t)m->inputs, sizeof *input), f = DYN_ENOMEM;

    for (int64_t i = 0; input && i < m->inputs; i++)
        input[i] = dyn_build_data(b, m->input[i].name);
    if (input)
        f = dyn_build_call(b, NULL, m, (int32_t)m->inputs, input);
    dyn__free(m->ctx, input);
    f = dyn_graph_mul(g, f, dyn_build_data(b, "cotangent"));
    return f < 0 ? f : dyn_graph_sum(g, f, dyn__at(g, f)->shape.rank - 1, axes);
}

static dyn_status fill(dyn_objective *o, dyn_model *m, int32_t count, dyn_array *const *inputs)
{
    if (count != m->inputs)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "%d arrays for %lld inputs of the model", (int)count, (long long)m->inputs);
    DYN__TRY(dyn__objective_add_member(o, m, ""));
    for (int32_t i = 0; i < count; i++) {
        DYN__NEED(o->ctx, inputs[i]);
        DYN__TRY(dyn__check_ctx(o->ctx, "an input", inputs[i]->ctx));
        DYN__TRY(dyn__objective_add_datum(o, m->input[i].name, inputs[i], 0));
    }
    DYN__TRY(add_cotangent(o, m));
    return dyn__objective_ready(o);
}

dyn_status dyn_objective_map(dyn_ctx *ctx, dyn_model *model, int32_t count, dyn_array *const *inputs,
                             const dyn_objective_options *given, dyn_objective **out)
{
    dyn_objective_options opt;
    dyn_objective *o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, model);
    DYN__NEED(ctx, inputs);
    DYN__TRY(dyn__check_ctx(ctx, "model", model->ctx));
    DYN__TRY(dyn__objective_options(ctx, given, &opt));
    DYN__TRY(dyn__objective_new(ctx, &dyn__graph_kind, opt.dtype, &o));
    o->opt = opt;
    o->opt.sum_samples = 1;
    o->build = build;
    o->user = o;
    dyn_status s = fill(o, model, count, inputs);
    if (s < 0)
        dyn_objective_unref(o);
    else
        *out = o;
    return s;
}
