/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Polynomials, linear in their parameters: Chebyshev's third. */
#include "family.h"

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_polynomial_options o = DYN_POLYNOMIAL_OPTIONS_INIT;
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_CHEBYSHEV_3, 20, 1, x, y);

    o.degree = 3;
    return s < 0 ? s : dyn_model_polynomial(ctx, &o, model);
}

/* 4 x^3 - 3 x: W1, W2, W3, b. */
static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *largest)
{
    static const double exact[4] = { -3, 0, 4, 0 };

    (void)ctx, (void)model;
    *largest = 0;
    for (int i = 0; i < 4; i++)
        *largest = fmax(*largest, fabs(theta[i] - exact[i]));
    return DYN_OK;
}

int main(void)
{
    static const family f = {
        "largest error of a coefficient", make, error,
        DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 1e-2, 0, 10000, 0, 1e-5,
    };

    return family_show(&f);
}
