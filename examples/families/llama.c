/* SPDX-License-Identifier: BSD-3-Clause
 *
 * LLaMA style: pre RMS norm, rotary positions, SwiGLU. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    return styled(ctx, DYN_TRANSFORMER_LLAMA, model, x, y);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 5e-3, 0, 150, 0, 0.3,
    };

    return family_show(&f);
}
