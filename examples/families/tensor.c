/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tensor factorisation: 30 entries of a tensor of rank 1, by a model of rank 4. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_tensor_options o = DYN_TENSOR_OPTIONS_INIT;
    double value[30];
    int64_t entry[30];

    for (int64_t i = 0; i < 30; i++) {
        entry[i] = i * 17 % 64;
        const double a = 1 + (double)(entry[i] / 16), b = 2 - .5 * (double)(entry[i] / 4 % 4);
        value[i] = a * b * (.25 + .125 * (double)(entry[i] % 4));
    }
    o.sizes = (int64_t[]){ 4, 4, 4 };
    o.rank = 4;
    dyn_status s = dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ 30 }, entry, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 30, 1 }, value, y);
    return s < 0 ? s : dyn_model_tensor_factorisation(ctx, &o, model);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_MSE, DYN_OPTIMIZER_GD, 5e-2, 1e-2, 20000, 0, 1e-6,
    };

    return family_show(&f);
}
