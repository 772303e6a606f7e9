/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Diagonal linear networks: linear in x, each weight a product of L factors or a difference of two powers. */
#include <dyn/factorisation.h>
#include "family/family.h"

static dyn_node vector(dyn_build *b, const char *name, int32_t number, int64_t size)
{
    const dyn__piece piece = {b, "", number};

    return dyn__piece_parameter(&piece, name, 2, (int64_t[]){1, size}, NULL);
}

static dyn_node weights(dyn_build *b, const dyn_diagonal_options *o)
{
    dyn_graph *g = dyn_build_graph(b);

    if (o->difference) {
        dyn_node a = dyn_graph_powi(g, vector(b, "a", 0, o->inputs), o->depth);
        return dyn_graph_sub(g, a, dyn_graph_powi(g, vector(b, "b", 0, o->inputs), o->depth));
    }
    dyn_node w = vector(b, "a", 1, o->inputs);
    for (int32_t i = 2; i <= o->depth && w >= 0; i++)
        w = dyn_graph_mul(g, w, vector(b, "a", i, o->inputs));
    return w;
}

static dyn_node build(void *user, dyn_build *b)
{
    const dyn_diagonal_options *o = user;
    dyn_node x = dyn_build_input(b, "x", 1, &o->inputs);

    return x < 0 ? x : dyn_graph_matmul(dyn_build_graph(b), x, weights(b, o), 0, 1);
}

dyn_status dyn_model_diagonal(dyn_ctx *ctx, const dyn_diagonal_options *opt, dyn_model **out)
{
    dyn_diagonal_options o = DYN_DIAGONAL_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_diagonal_options", opt, &o, sizeof o, sizeof o));
    if (o.depth < 1 || o.depth > 64)
        return DYN__FAIL(ctx, DYN_EINVAL, "depth is %d, expected 1 to 64", (int)o.depth);
    DYN__TRY(dyn__check_size(ctx, "inputs", o.inputs));
    DYN__TRY(dyn__check_flag(ctx, "difference", o.difference));
    DYN__TRY(dyn__check_reserved(ctx, o.reserved));
    return dyn__family_create(ctx, build, NULL, &o, sizeof o, out);
}
