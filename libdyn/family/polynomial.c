/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Polynomials, linear in their coefficients. */
#include <dyn/factorisation.h>
#include "family/family.h"

static dyn_node build(void *user, dyn_build *b)
{
    const dyn_polynomial_options *o = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 1, &o->inputs), f = -1;

    DYN__TRY(x);
    for (int32_t k = 1; k <= o->degree; k++) {
        const dyn__piece piece = {b, "", k};
        dyn_node term = dyn__piece_linear(&piece, dyn_graph_powi(g, x, k), o->outputs, 0);
        f = k == 1 ? term : dyn_graph_add(g, f, term);
    }
    const dyn__piece constant = {b, "", 0};
    return o->bias ? dyn_graph_add(g, f, dyn__piece_parameter(&constant, "b", 1, &o->outputs, NULL)) : f;
}

/* nn.Linear of the powers x, x^2, .. side by side. */
static dyn_status theirs(const void *user, dyn_exchange_part *p)
{
    (void)user;
    if (p->name[0] == 'W') {
        dyn__part_turned(p);
        p->joined = 1;
    }
    dyn__part_name(p, p->name[0] == 'W' ? "weight" : "bias");
    return DYN_OK;
}

dyn_status dyn_model_polynomial(dyn_ctx *ctx, const dyn_polynomial_options *opt, dyn_model **out)
{
    dyn_polynomial_options o = DYN_POLYNOMIAL_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_polynomial_options", opt, &o, sizeof o, sizeof o));
    if (o.degree < 1 || o.degree > 64)
        return DYN__FAIL(ctx, DYN_EINVAL, "degree is %d, expected 1 to 64", (int)o.degree);
    DYN__TRY(dyn__check_size(ctx, "inputs", o.inputs));
    DYN__TRY(dyn__check_size(ctx, "outputs", o.outputs));
    DYN__TRY(dyn__check_flag(ctx, "bias", o.bias));
    DYN__TRY(dyn__check_reserved(ctx, o.reserved));
    return dyn__family_create(ctx, build, theirs, &o, sizeof o, out);
}
