/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Activation functions as compositions of primitives. Each is written so that it and its derivatives stay finite for
 * every finite x: no branch that is not taken may overflow. */
#include <math.h>
#include "model/model.h"

static dyn_node constant(dyn_graph *g, double c) { return dyn_graph_constant(g, c, 0, NULL); }

static dyn_node same(dyn_graph *g, dyn_node x)
{
    (void)g;
    return x;
}

/* Slope 0.01 at 0, as at its left. */
static dyn_node leaky_relu(dyn_graph *g, dyn_node x)
{
    return dyn_graph_select(g, dyn_graph_greater(g, x, constant(g, 0)), x, dyn_graph_scale(g, x, 0.01));
}

/* x (1 + t) / 2, the form of both GELUs. */
static dyn_node gate(dyn_graph *g, dyn_node x, dyn_node t)
{
    return dyn_graph_mul(g, dyn_graph_scale(g, x, 0.5), dyn_graph_add(g, t, constant(g, 1)));
}

static dyn_node gelu(dyn_graph *g, dyn_node x)
{
    return gate(g, x, dyn_graph_erf(g, dyn_graph_scale(g, x, M_SQRT1_2)));
}

static dyn_node gelu_tanh(dyn_graph *g, dyn_node x)
{
    const double sqrt_2_over_pi = M_2_SQRTPI * M_SQRT1_2;
    dyn_node cubic = dyn_graph_add(g, x, dyn_graph_scale(g, dyn_graph_powi(g, x, 3), 0.044715));

    return gate(g, x, dyn_graph_tanh(g, dyn_graph_scale(g, cubic, sqrt_2_over_pi)));
}

static dyn_node silu(dyn_graph *g, dyn_node x)
{
    return dyn_graph_mul(g, x, dyn_graph_sigmoid(g, x));
}

/* The exponential sees min(x, 0) only. Slope 1 at 0, from both sides. */
static dyn_node elu(dyn_graph *g, dyn_node x)
{
    dyn_node right = dyn_graph_greater_equal(g, x, constant(g, 0));
    dyn_node below = dyn_graph_select(g, right, constant(g, 0), x);

    return dyn_graph_select(g, right, x, dyn_graph_expm1(g, below));
}

static dyn_node x_tanh(dyn_graph *g, dyn_node x)
{
    return dyn_graph_mul(g, x, dyn_graph_tanh(g, x));
}

static dyn_node x2_tanh(dyn_graph *g, dyn_node x)
{
    return dyn_graph_mul(g, x, x_tanh(g, x));
}

static dyn_node square(dyn_graph *g, dyn_node x)
{
    return dyn_graph_mul(g, x, x);
}

static dyn_node cube(dyn_graph *g, dyn_node x)
{
    return dyn_graph_powi(g, x, 3);
}

static dyn_node (*const activations[])(dyn_graph *g, dyn_node x) = {
    [DYN_IDENTITY] = same,
    [DYN_TANH] = dyn_graph_tanh,
    [DYN_RELU] = dyn_graph_relu,
    [DYN_LEAKY_RELU] = leaky_relu,
    [DYN_SIGMOID] = dyn_graph_sigmoid,
    [DYN_GELU] = gelu,
    [DYN_GELU_TANH] = gelu_tanh,
    [DYN_SILU] = silu,
    [DYN_SOFTPLUS] = dyn_graph_softplus,
    [DYN_ELU] = elu,
    [DYN_SIN] = dyn_graph_sin,
    [DYN_X_TANH] = x_tanh,
    [DYN_X2_TANH] = x2_tanh,
    [DYN_SQUARE] = square,
    [DYN_CUBE] = cube,
    [DYN_ERF] = dyn_graph_erf,
};
enum { ACTIVATIONS = sizeof activations / sizeof activations[0] };

dyn_status dyn__check_activation(dyn_ctx *ctx, int32_t activation)
{
    if (activation < 0 || activation >= ACTIVATIONS)
        return DYN__FAIL(ctx, DYN_EINVAL, "activation %d is outside [0, %d]", (int)activation, ACTIVATIONS - 1);
    return DYN_OK;
}

dyn_node dyn_graph_activation(dyn_graph *g, int32_t activation, dyn_node x)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    if (x < 0)
        return x;
    if (x >= g->count)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d: the graph has %d", (int)x, (int)g->count);
    DYN__TRY(dyn__check_activation(g->ctx, activation));
    return activations[activation](g, x);
}
