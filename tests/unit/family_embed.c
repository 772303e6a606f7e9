/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Embedding a perceptron in a wider and in a deeper one: outputs and loss are kept, gradients are the closed forms, all
 * allocations may fail, and what does not fit is named. Splitting's own formulas, activations and inertia: test_embed.py. */
#include <math.h>
#include <string.h>
#include "oom/oom.h"
#include "test.h"
#include <dyn/dyn.h>

enum { N = 6, NARROW = 2 * 2 + 2 + 2 * 1 + 1, WIDE = 2 * 4 + 4 + 4 * 1 + 1 };

static dyn_ctx *ctx;
static const double X[N * 2] = { .3, -.2, 1.1, .7, -.9, .4, .1, .8, -.5, -1.2, .6, -.3 };
static const double Y[N] = { .5, -1, .3, .2, 1.4, -.6 };

static dyn_status create(dyn_ctx *c, int32_t count, const int64_t *widths, int32_t activation, dyn_model **out)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;

    o.widths_count = count;
    o.widths = widths;
    o.activation = activation;
    return dyn_model_perceptron(c, &o, out);
}

static dyn_model *perceptron(int32_t count, const int64_t *widths, int32_t activation)
{
    dyn_model *m = NULL;

    CHECK_OK(ctx, create(ctx, count, widths, activation, &m));
    return m;
}

static double loss_of(dyn_model *m, const double *theta, double *gradient)
{
    dyn_array *x = NULL, *y = NULL;
    dyn_objective *o = NULL;
    double value = NAN;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){N, 2}, X, &x));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){N, 1}, Y, &y));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, NULL, &o));
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, gradient, &value));
    dyn_objective_unref(o);
    dyn_array_unref(y);
    dyn_array_unref(x);
    return value;
}

TEST(width)
{
    dyn_model *narrow = perceptron(3, (int64_t[]){2, 2, 1}, DYN_TANH), *wide = perceptron(3, (int64_t[]){2, 4, 1}, DYN_TANH);
    const int64_t map[4] = { 0, 1, 0, -1 };
    const double share[4] = { .3, 1, .7, 0 };
    double theta[NARROW], large[WIDE], g[NARROW], G[WIDE];

    CHECK(dyn_model_size(narrow) == NARROW && dyn_model_size(wide) == WIDE);
    CHECK_OK(ctx, dyn_model_initialise(narrow, NULL, theta));
    for (double spread = 0; spread < 1; spread += .6) {
        CHECK_OK(ctx, dyn_embed_width(narrow, theta, wide, map, share, spread, 7, large));
        CHECK(fabs(loss_of(narrow, theta, g) - loss_of(wide, large, G)) < 1e-14);
        for (int i = 0; i < 4; i++)         /* W1, b1: the narrow ones times the share */
            for (int j = 0; j < 2; j++) {
                CHECK(fabs(G[j * 4 + i] - (map[i] < 0 ? 0 : share[i] * g[j * 2 + map[i]])) < 1e-14);
                CHECK(fabs(G[8 + i] - (map[i] < 0 ? 0 : share[i] * g[4 + map[i]])) < 1e-14);
            }
        for (int i = 0; i < 3; i++)         /* W2: the narrow ones */
            CHECK(fabs(G[12 + i] - g[6 + map[i]]) < 1e-14);
        CHECK(fabs(G[16] - g[8]) < 1e-14);
    }
    dyn_model_unref(wide);
    dyn_model_unref(narrow);
}

TEST(depth)
{
    dyn_model *shallow = perceptron(3, (int64_t[]){2, 2, 1}, DYN_RELU), *deep = perceptron(4, (int64_t[]){2, 2, 3, 1}, DYN_RELU);
    double theta[NARROW], large[64], g[NARROW], G[64];

    CHECK(dyn_model_size(deep) <= 64);
    CHECK_OK(ctx, dyn_model_initialise(shallow, NULL, theta));
    CHECK_OK(ctx, dyn_embed_depth(shallow, theta, deep, 2, N, X, .1, 3, large));
    CHECK(fabs(loss_of(shallow, theta, g) - loss_of(deep, large, G)) < 1e-14);
    for (int i = 0; i < 6; i++)             /* the layer before the extra one: as it was */
        CHECK(large[i] == theta[i] && fabs(G[i] - g[i]) < 1e-13);
    CHECK(fabs(G[6 + 6 + 3 + 3] - g[8]) < 1e-13);
    dyn_model_unref(deep);
    dyn_model_unref(shallow);
}

TEST(bad_input)
{
    dyn_model *narrow = perceptron(3, (int64_t[]){2, 2, 1}, DYN_TANH), *wide = perceptron(3, (int64_t[]){2, 4, 1}, DYN_TANH);
    dyn_model *other = perceptron(3, (int64_t[]){2, 4, 1}, DYN_RELU), *cubic = perceptron(4, (int64_t[]){2, 2, 2, 1}, DYN_CUBE);
    double theta[NARROW] = { 0 }, large[64];
    const int64_t none[4] = { 0, 0, 0, -1 }, map[4] = { 0, 1, 1, 1 };

    CHECK(dyn_embed_width(narrow, theta, wide, none, NULL, 0, 0, large) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "layer 1: nobody stands for neuron 1");
    CHECK(dyn_embed_width(narrow, theta, other, map, NULL, 0, 0, large) == DYN_EINVAL);
    CHECK(dyn_embed_width(wide, theta, narrow, map, NULL, 0, 0, large) == DYN_ESHAPE);
    CHECK(dyn_embed_width(narrow, NULL, wide, map, NULL, 0, 0, large) == DYN_EINVAL);
    CHECK(dyn_embed_depth(narrow, theta, wide, 1, N, X, .1, 0, large) == DYN_ESHAPE);
    CHECK(dyn_embed_depth(narrow, theta, cubic, 2, N, X, 0, 0, large) == DYN_EINVAL);
    CHECK(dyn_embed_depth(narrow, theta, cubic, 4, N, X, .1, 0, large) == DYN_EINVAL);
    dyn_model_unref(cubic);
    dyn_model_unref(other);
    dyn_model_unref(wide);
    dyn_model_unref(narrow);
}

static dyn_status embedded(dyn_ctx *c, void *arg)
{
    dyn_model *narrow = NULL, *wide = NULL, *deep = NULL;
    double theta[NARROW] = { .4, .3, .2, .1 }, large[64];
    dyn_status s = create(c, 3, (int64_t[]){2, 2, 1}, DYN_SIGMOID, &narrow);

    (void)arg;
    if (s == DYN_OK)
        s = create(c, 3, (int64_t[]){2, 4, 1}, DYN_SIGMOID, &wide);
    if (s == DYN_OK)
        s = create(c, 4, (int64_t[]){2, 2, 3, 1}, DYN_SIGMOID, &deep);
    if (s == DYN_OK)
        s = dyn_embed_width(narrow, theta, wide, (int64_t[]){0, 1, -1, 1}, NULL, .5, 0, large);
    if (s == DYN_OK)
        s = dyn_embed_depth(narrow, theta, deep, 2, N, X, .1, 0, large);
    dyn_model_unref(deep);
    dyn_model_unref(wide);
    dyn_model_unref(narrow);
    return s;
}

TEST(every_allocation_may_fail)
{
    oom_try("embedding", embedded, NULL);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(width);
    RUN(depth);
    RUN(bad_input);
    RUN(every_allocation_may_fail);
    dyn_ctx_free(ctx);
    return test_end();
}
