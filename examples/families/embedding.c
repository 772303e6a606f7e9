/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The embedding principle: a critical point of a narrow network is one of a wider network (arXiv 2105.14573). A trained
 * neuron is split in two; the gradient of the wider network vanishes as that of the narrow one does. */
#include "family.h"

static dyn_status wide_as(dyn_ctx *ctx, int64_t neurons, dyn_model **model)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;

    o.widths_count = 3;
    o.widths = (int64_t[]){ 1, neurons, 1 };
    return dyn_model_perceptron(ctx, &o, model);
}

static dyn_status make(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_SIN_3_6, 20, 1, x, y);

    return s < 0 ? s : wide_as(ctx, 1, model);
}

/* The norm of the wide network's gradient at the split of the narrow one's minimum. */
static dyn_status of_split(dyn_objective *narrow, dyn_objective *wide, const dyn_model *one, const dyn_model *two,
                           const double *theta, double *norm)
{
    const int64_t map[2] = { 0, 0 };
    const double share[2] = { .7, .3 };
    dyn_minimise_options o = DYN_MINIMISE_OPTIONS_INIT;
    double least[4] = { theta[0], theta[1], theta[2], theta[3] }, split[7], g[7], value;

    o.gradient_tolerance = 1e-12;
    dyn_status s = dyn_objective_minimise(narrow, &o, least, NULL);
    if (s >= 0)
        s = dyn_embed_width(one, least, two, map, share, 0, 0, split);
    if (s >= 0)
        s = dyn_objective_gradient(wide, split, g, &value);
    *norm = 0;
    for (int i = 0; i < 7; i++)
        *norm += g[i] * g[i];
    *norm = sqrt(*norm);
    return s;
}

static dyn_status error(dyn_ctx *ctx, dyn_model *model, const double *theta, double *norm)
{
    dyn_model *two = NULL;
    dyn_array *x = NULL, *y = NULL;
    dyn_objective *narrow = NULL, *wide = NULL;
    dyn_status s = dyn_generate_target(ctx, DYN_TARGET_SIN_3_6, 20, 1, &x, &y);

    if (s >= 0)
        s = wide_as(ctx, 2, &two);
    if (s >= 0)
        s = dyn_objective_create(ctx, model, x, y, NULL, &narrow);
    if (s >= 0)
        s = dyn_objective_create(ctx, two, x, y, NULL, &wide);
    if (s >= 0)
        s = of_split(narrow, wide, model, two, theta, norm);
    dyn_objective_unref(wide);
    dyn_objective_unref(narrow);
    dyn_array_unref(y);
    dyn_array_unref(x);
    dyn_model_unref(two);
    return s;
}

int main(void)
{
    static const family f = {
        "gradient of the wider network", make, error,
        DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 1e-2, 0, 2000, 0, 1e-11,
    };

    return family_show(&f);
}
