/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The loss as a graph. f and y are seen as [samples, c]:
 *   mean squared error      a sum_i sum_c (f - y)^2
 *   cross-entropy           a sum_i sum_c -y (f - logsumexp f)
 *   binary cross-entropy    a sum_i sum_c softplus(f) - y f
 * with a = 1/total (or 1 for a sum), 1/2 and 1/c as the options ask, plus the share samples/total of l2/2 |theta|^2,
 * so that the losses of chunks add up to the loss of the whole. */
#include "train/objective_impl.h"

static dyn_node sum_all(dyn_graph *g, dyn_node x)
{
    int32_t axes[DYN_MAX_RANK], rank = dyn_graph_shape(g, x, NULL);

    for (int32_t i = 0; i < rank; i++)
        axes[i] = i;
    return x < 0 ? x : dyn_graph_sum(g, x, rank, axes);
}

static dyn_node squared_error(dyn_graph *g, dyn_node f, dyn_node y)
{
    dyn_node e = dyn_graph_sub(g, f, y);
    return sum_all(g, dyn_graph_mul(g, e, e));
}

static dyn_node cross_entropy(dyn_graph *g, dyn_node f, dyn_node y, int64_t samples)
{
    dyn_node lse = dyn_graph_reshape(g, dyn_graph_logsumexp(g, f), 2, (int64_t[]){samples, 1});
    return dyn_graph_neg(g, sum_all(g, dyn_graph_mul(g, y, dyn_graph_sub(g, f, lse))));
}

static dyn_node binary_cross_entropy(dyn_graph *g, dyn_node f, dyn_node y)
{
    return sum_all(g, dyn_graph_sub(g, dyn_graph_softplus(g, f), dyn_graph_mul(g, y, f)));
}

static dyn_node sample_loss(const dyn_objective *o, dyn_graph *g, dyn_node f, dyn_node y, int64_t samples,
                            int64_t total)
{
    double a = o->opt.sum_samples ? 1.0 : 1.0 / (double)total;
    dyn_node s = o->opt.loss == DYN_LOSS_MSE ? squared_error(g, f, y)
               : o->opt.loss == DYN_LOSS_CROSS_ENTROPY ? cross_entropy(g, f, y, samples)
               : binary_cross_entropy(g, f, y);

    if (o->opt.mean_outputs)
        a /= (double)o->c;
    if (o->opt.half && o->opt.loss == DYN_LOSS_MSE)
        a *= 0.5;
    return dyn_graph_scale(g, s, a);
}

static dyn_node add_l2(const dyn_objective *o, const dyn__loss_graph *l, double share)
{
    dyn_node loss = l->loss;

    for (int32_t i = 0; o->opt.l2 > 0 && i < l->parameters; i++)
        loss = dyn_graph_add(l->g, loss, dyn_graph_scale(l->g, sum_all(l->g, dyn_graph_mul(l->g, l->parameter[i],
                l->parameter[i])),
                                                         0.5 * o->opt.l2 * share));
    return loss;
}

static dyn_status fill(dyn_objective *o, int64_t samples, int64_t total, dyn__loss_graph *l)
{
    const dyn__shape x = dyn__shape_lead(&o->model->input, samples);
    int64_t y[2] = {samples, o->c};

    l->x = dyn_graph_input(l->g, "x", x.rank, x.dim);
    l->y = dyn_graph_input(l->g, "y", 2, y);
    l->f = dyn_graph_identity(l->g, dyn_graph_reshape(l->g, dyn_model_build(o->model, l->g, l->x), 2, y));
    DYN__TRY(l->loss = sample_loss(o, l->g, l->f, l->y, samples, total));
    l->parameters = dyn__parameters(l->g, NULL);
    l->parameter = dyn__alloc(o->ctx, (size_t)l->parameters + 1, sizeof *l->parameter);
    if (!l->parameter)
        return DYN_ENOMEM;
    dyn__parameters(l->g, l->parameter);
    l->loss = add_l2(o, l, (double)samples / (double)total);
    return l->loss < 0 ? l->loss : DYN_OK;
}

dyn_status dyn__loss_graph_make(dyn_objective *o, int64_t samples, int64_t total, dyn__loss_graph *out)
{
    *out = (dyn__loss_graph){0};
    DYN__TRY(dyn_graph_create(o->ctx, o->opt.dtype, &out->g));
    dyn_status s = fill(o, samples, total, out);
    if (s < 0)
        dyn__loss_graph_free(o, out);
    return s;
}

void dyn__loss_graph_free(dyn_objective *o, dyn__loss_graph *l)
{
    dyn__free(o->ctx, l->parameter);
    dyn_graph_free(l->g);
    *l = (dyn__loss_graph){0};
}

void dyn__bind_theta(const dyn_objective *o, const dyn__loss_graph *l, dyn_exec *e, const void *theta)
{
    for (int32_t i = 0; i < l->parameters; i++)
        dyn__exec_set_input(e, dyn__plan_find(dyn__exec_plan(e), l->parameter[i]),
                            (const char *)theta + o->model->tensor[i].offset * o->esize);
}

void dyn__bind_gradient(const dyn_objective *o, dyn_exec *e, int32_t first, void *gradient)
{
    for (int32_t i = 0; i < o->model->tensors; i++)
        dyn__exec_set_output(e, first + i, (char *)gradient + o->model->tensor[i].offset * o->esize);
}

void dyn__bind_samples(const dyn_objective *o, dyn_exec *e, dyn_node x_node, dyn_node y_node, int64_t first)
{
    const char *x = dyn_array_data(o->x), *y = dyn_array_data(o->y);

    dyn__exec_set_input(e, dyn__plan_find(dyn__exec_plan(e), x_node), x + first * o->d * o->esize);
    dyn__exec_set_input(e, dyn__plan_find(dyn__exec_plan(e), y_node), y + first * o->c * o->esize);
}
