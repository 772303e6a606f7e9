/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Perceptrons, any depth: three layers learn sin x + sin 4x. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_SIN_4, 50, 1, x, y);

    o.widths_count = 4;
    o.widths = (int64_t[]){ 1, 40, 40, 1 };
    return s < 0 ? s : dyn_model_perceptron(ctx, &o, model);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 5e-3, 0, 3000, 0, 1e-2,
    };

    return family_show(&f);
}
