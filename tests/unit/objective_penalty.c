/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Penalties by patterns of names, in closed form: l2/2 |w|^2 + l1 sum |w_i| of W1 [3, 2], W2 [2, 1], and of biases. */
#include <dyn/dyn.h>
#include "test.h"

enum { N = 4, P = 6 + 2 + 2 + 1 };
static dyn_ctx *ctx;
static dyn_model *net;
static dyn_array *x, *y;
static const double theta[P] = { 1, -2, 0.5, 3, -0.25, 1, 0.75, -1.5, 2, -1, 0.125 };

static dyn_status create(int32_t count, const dyn_penalty *penalties, double l2, dyn_objective **out)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;

    opt.penalties = penalties;
    opt.penalties_count = count;
    opt.l2 = l2;
    return dyn_objective_create(ctx, net, x, y, &opt, out);
}

TEST(closed_form)
{
    static const dyn_penalty by_name[3] = { { "W*", 0.4, 0 }, { "*2", 0.2, 0.3 }, { "b1", 0, 0.7 } };
    /* of W1 (6), b1 (2), W2 (2), b2 (1), with 0.1 for all */
    static const double l2[4] = { 0.5, 0.1, 0.7, 0.3 }, l1[4] = { 0, 0.7, 0.3, 0.3 };
    static const int tensor[P] = { 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3 };
    double plain, value, expected = 0, g[P], h[P], v[P], hv[P], hw[P];
    dyn_objective *o = NULL, *with = NULL;
    dyn_operator *H = NULL, *K = NULL;

    CHECK_OK(ctx, create(0, NULL, 0, &o));
    CHECK_OK(ctx, create(3, by_name, 0.1, &with));
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, g, &plain));
    CHECK_OK(ctx, dyn_objective_gradient(with, theta, h, &value));
    CHECK_OK(ctx, dyn_objective_hessian(o, theta, &H));
    CHECK_OK(ctx, dyn_objective_hessian(with, theta, &K));
    for (int i = 0; i < P; i++)
        v[i] = 1 + 0.1 * i;
    CHECK_OK(ctx, dyn_operator_apply(H, 1, v, hv));
    CHECK_OK(ctx, dyn_operator_apply(K, 1, v, hw));
    for (int i = 0; i < P; i++) {
        const int t = tensor[i];
        expected += l2[t] / 2 * theta[i] * theta[i] + l1[t] * fabs(theta[i]);
        CHECK_NEAR(h[i] - g[i], l2[t] * theta[i] + (theta[i] > 0 ? l1[t] : -l1[t]), 1e-13);
        CHECK_NEAR(hw[i] - hv[i], l2[t] * v[i], 1e-12);
    }
    CHECK_NEAR(value - plain, expected, 1e-13);
    dyn_operator_unref(H);
    dyn_operator_unref(K);
    dyn_objective_unref(o);
    dyn_objective_unref(with);
}

TEST(refused)
{
    static const dyn_penalty nobody = { "V*", 1, 0 }, negative = { "W1", -1, 0 }, hole = { "W1", 0, NAN };
    static const dyn_penalty none = { NULL, 1, 0 };
    dyn_objective *o = NULL;

    CHECK(create(1, &nobody, 0, &o) == DYN_EINVAL && !o);
    CHECK_STR(dyn_ctx_message(ctx), "\"V*\": none of 4 tensors");
    CHECK(create(1, &negative, 0, &o) == DYN_EINVAL && create(1, &hole, 0, &o) == DYN_EINVAL);
    CHECK(create(1, &none, 0, &o) == DYN_EINVAL && create(1, NULL, 0, &o) == DYN_EINVAL);
    CHECK(create(-1, &nobody, 0, &o) == DYN_EINVAL);
}

int main(void)
{
    static const double xs[N * 3] = { 1, 0.5, -1, 0.25, 2, 1, -0.5, 1, 1, 0, -1, 2 }, ys[N] = { 1, -1, 0.5, 2 };

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_model_mlp(ctx, 3, (int64_t[]){ 3, 2, 1 }, DYN_TANH, &net));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, (int64_t[]){ N, 3 }, xs, &x));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, (int64_t[]){ N }, ys, &y));
    RUN(closed_form);
    RUN(refused);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(net);
    dyn_ctx_free(ctx);
    return test_end();
}
