/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The papers' transformer: the key behind an anchor, at places where it never stood (arXiv 2401.08309). */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_transformer_options o = DYN_TRANSFORMER_OPTIONS_INIT;       /* two layers, post norm */
    const dyn_status s = anchors(ctx, DYN_SPLIT_TRAIN, 1000, x, y);

    o.width = 128;
    o.key_width = 32;
    o.hidden = 64;
    return s < 0 ? s : dyn_model_transformer(ctx, &o, model);
}

static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *share)
{
    dyn_array *x = NULL, *y = NULL;
    const dyn_status s = anchors(ctx, DYN_SPLIT_TEST, 500, &x, &y);

    return s < 0 ? s : wrong_share(ctx, model, theta, x, y, share);
}

int main(void)
{
    static const family f = {
        "new keys answered wrongly", make, error,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 2e-3, 0, 300, 50, 0.2,
    };

    return family_show(&f);
}
