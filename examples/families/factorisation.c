/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix factorisation: seven entries of a matrix of rank 1 and a tiny start give all sixteen (arXiv 2211.11623). */
#include "family.h"

static const double left[4] = { 1, 2, 2, 1.5 }, right[4] = { 4, .6, 1.8, .8 };

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    static const int64_t seen[7] = { 0, 1, 2, 3, 4, 8, 12 };
    dyn_factorisation_options o = DYN_FACTORISATION_OPTIONS_INIT;
    double value[7];

    for (int i = 0; i < 7; i++)
        value[i] = left[seen[i] / 4] * right[seen[i] % 4];
    o.widths = (int64_t[]){ 4, 4, 4 };
    dyn_status s = dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ 7 }, seen, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 7, 1 }, value, y);
    return s < 0 ? s : dyn_model_factorisation(ctx, &o, model);
}

/* The largest error of any entry: theta is W1, then W2. */
static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *largest)
{
    (void)ctx, (void)model;
    *largest = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double sum = -left[i] * right[j];
            for (int k = 0; k < 4; k++)
                sum += theta[4 * i + k] * theta[16 + 4 * k + j];
            *largest = fmax(*largest, fabs(sum));
        }
    return DYN_OK;
}

int main(void)
{
    static const family f = {
        "largest error of an entry", make, error,
        DYN_LOSS_MSE, DYN_OPTIMIZER_GD, 2e-2, 1e-7, 20000, 0, 1e-2,
    };

    return family_show(&f);
}
