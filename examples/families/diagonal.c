/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Diagonal linear networks: from a tiny start three of forty coefficients, by twenty equations. */
#include "family.h"

enum { D = 40, N = 20 };

static double truth(int j) { return j == 0 ? 1 : j == 1 ? -2 : j == 2 ? 1.5 : 0; }

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_diagonal_options o = DYN_DIAGONAL_OPTIONS_INIT;
    double inputs[N * D], targets[N] = { 0 };
    dyn_status s = dyn_random_normal(ctx, 1, 1, 0, N * D, inputs);

    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            targets[i] += truth(j) * inputs[i * D + j];
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ N, D }, inputs, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ N, 1 }, targets, y);
    o.inputs = D;
    o.difference = 1;           /* a_j^2 - b_j^2 */
    return s < 0 ? s : dyn_model_diagonal(ctx, &o, model);
}

static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *largest)
{
    (void)ctx, (void)model;
    *largest = 0;
    for (int j = 0; j < D; j++)
        *largest = fmax(*largest, fabs(theta[j] * theta[j] - theta[D + j] * theta[D + j] - truth(j)));
    return DYN_OK;
}

int main(void)
{
    static const family f = {
        "largest error of a coefficient", make, error,
        DYN_LOSS_MSE, DYN_OPTIMIZER_GD, 5e-3, 1e-4, 8000, 0, 0.1,
    };

    return family_show(&f);
}
