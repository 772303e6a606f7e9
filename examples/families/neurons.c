/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A target of one neuron: fifty recover tanh(x + 1) between five points from a small start (arXiv 2307.08921). */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_NEURON, 5, 1, x, y);

    o.widths_count = 3;
    o.widths = (int64_t[]){ 1, 50, 1 };
    o.no_output_bias = 1;
    return s < 0 ? s : dyn_model_perceptron(ctx, &o, model);
}

/* On 101 points: theta is w, b, a. */
static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *largest)
{
    (void)ctx, (void)model;
    *largest = 0;
    for (int i = 0; i <= 100; i++) {
        const double x = -2 + .04 * i;
        double f = -tanh(x + 1);
        for (int k = 0; k < 50; k++)
            f += theta[100 + k] * tanh(theta[k] * x + theta[50 + k]);
        *largest = fmax(*largest, fabs(f));
    }
    return DYN_OK;
}

int main(void)
{
    static const family f = {
        "farthest from the neuron", make, error,
        DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 1e-3, 1e-3, 20000, 0, 0.03,
    };

    return family_show(&f);
}
