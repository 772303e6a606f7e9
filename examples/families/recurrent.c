/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recurrent networks: an LSTM on tokens, the baseline of arXiv 2401.08309. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_recurrent_options o = DYN_RECURRENT_OPTIONS_INIT;
    const dyn_status s = anchors(ctx, DYN_SPLIT_TRAIN, 200, x, y);

    o.vocabulary = o.outputs = 201;
    o.inputs = 32;
    o.length = 9;
    o.width = 32;
    return s < 0 ? s : dyn_model_recurrent(ctx, &o, model);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 1e-2, 0, 300, 0, 5e-2,
    };

    return family_show(&f);
}
