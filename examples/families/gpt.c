/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GPT-2 style: pre norm, GELU, tied output. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_transformer_options o;
    dyn_status s = anchors(ctx, DYN_SPLIT_TRAIN, 200, x, y);

    if (s >= 0)
        s = dyn_transformer_defaults(DYN_TRANSFORMER_GPT2, &o);
    if (s < 0)
        return s;
    o.vocabulary = 201;
    o.length = 9;
    o.layers = 2;
    o.heads = 2;
    o.width = 32;
    o.hidden = 64;
    o.last = 1;                 /* logits of the last place; 0: of all */
    return dyn_model_transformer(ctx, &o, model);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 5e-3, 0, 150, 0, 0.3,
    };

    return family_show(&f);
}
