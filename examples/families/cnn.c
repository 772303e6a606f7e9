/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Convolutional networks, here of one axis: the length of a wave, at shifts that training never had. */
#include "family.h"

/* A wave of one of two lengths: which? The shifts of the test set are others. */
static dyn_status waves(dyn_ctx *ctx, int shift, dyn_array **x, dyn_array **y)
{
    enum { N = 48, LENGTH = 16 };
    double wave[N * LENGTH];
    int64_t class[N];

    for (int i = 0; i < N; i++) {
        class[i] = i % 2;
        for (int t = 0; t < LENGTH; t++)
            wave[i * LENGTH + t] = sin(2 * M_PI * (t + shift * .17 + i * .3) / (class[i] ? 6 : 4));
    }
    const dyn_status s = dyn_array_create(ctx, DYN_F64, 3, (int64_t[]){ N, LENGTH, 1 }, wave, x);
    return s < 0 ? s : dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ N }, class, y);
}

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;
    const dyn_status s = waves(ctx, 0, x, y);

    o.axes = 1;
    o.input = (int64_t[]){ 16, 1 };
    o.convolutions = 2;
    o.channels = (int64_t[]){ 8, 0 };       /* 0: a pooling */
    o.outputs = 2;
    return s < 0 ? s : dyn_model_cnn(ctx, &o, model);
}

static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *share)
{
    dyn_array *x = NULL, *y = NULL;
    const dyn_status s = waves(ctx, 1, &x, &y);

    return s < 0 ? s : wrong_share(ctx, model, theta, x, y, share);
}

int main(void)
{
    static const family f = {
        "new waves taken for others", make, error,
        DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 1e-2, 0, 300, 0, 0.1,
    };

    return family_show(&f);
}
