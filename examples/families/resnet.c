/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Residual networks: a bright corner of a noisy image, left or right. Batch norms measure with running moments. */
#include "family.h"

enum { N = 64, SIDE = 8 };

static dyn_status images(dyn_ctx *ctx, uint64_t seed, dyn_array **x, dyn_array **y)
{
    double image[N * SIDE * SIDE];
    int64_t class[N];
    dyn_status s = dyn_random_uniform(ctx, seed, 1, 0, N * SIDE * SIDE, image);

    for (int i = 0; i < N; i++) {
        class[i] = i % 2;
        image[i * SIDE * SIDE + (class[i] ? SIDE - 2 : 1)] += 3;
    }
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 4, (int64_t[]){ N, SIDE, SIDE, 1 }, image, x);
    return s < 0 ? s : dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ N }, class, y);
}

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_resnet_options o = DYN_RESNET_OPTIONS_INIT;
    const dyn_status s = images(ctx, 1, x, y);

    o.stages = 2;
    o.blocks = (int64_t[]){ 1, 1 };
    o.height = o.width = SIDE;
    o.channels = 1;
    o.base = 4;
    o.outputs = 2;
    return s < 0 ? s : dyn_model_resnet(ctx, &o, model);
}

int main(void)
{
    static const family f = {
        "loss", make, NULL,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 1e-2, 0, 60, 0, 0.5,
    };

    return family_show(&f);
}
