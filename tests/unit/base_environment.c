/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hosts that trap floating-point exceptions, round upwards or flush denormals: no signal, the same bits, and the
 * host's environment as it was. */
#include <fenv.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "../test.h"

enum { N = 40, SIZE = 3 * N, SAMPLES = 6 };

static double a[N * N], x[SAMPLES * 2], y[SAMPLES * 3];

typedef struct results {
    double singular[N], values[N], vectors[SIZE], loss, gradient[64];
} results;

static void fill(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i * N + j] = j == 7 ? 0.0 : 1.0 / (1 + i + j) + (i == j ? 1e-310 : 0.0);
    for (int i = 0; i < SAMPLES; i++) {
        x[2 * i] = i / 3.0;
        x[2 * i + 1] = 1e-310;
        y[3 * i + i % 3] = 1.0;
    }
}

/* Singular values of a matrix with a zero column, eigenvalues of a nearly diagonal one, and a cross-entropy whose
 * exponentials underflow. */
static results measure(void)
{
    const int64_t widths[3] = { 2, 4, 3 }, xs[2] = { SAMPLES, 2 }, ys[2] = { SAMPLES, 3 };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_objective_options how = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;
    dyn_model *model = NULL;
    dyn_array *inputs = NULL, *targets = NULL;
    dyn_objective *loss = NULL;
    results r;

    memset(&r, 0, sizeof r);
    o.threads = 2;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_dense_svd_values(ctx, N, N, a, r.singular));
    CHECK_OK(ctx, dyn_dense_eigh(ctx, N, a, r.values, NULL));
    net.widths = widths;
    net.widths_count = 3;
    net.activation = DYN_TANH;
    how.loss = DYN_LOSS_CROSS_ENTROPY;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &net, &model));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, xs, x, &inputs));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, ys, y, &targets));
    CHECK_OK(ctx, dyn_objective_create(ctx, model, inputs, targets, &how, &loss));
    for (int64_t i = 0; i < dyn_model_size(model); i++)
        r.gradient[i] = 900.0 * (double)(i % 5 - 2);
    CHECK_OK(ctx, dyn_objective_gradient(loss, r.gradient, &r.loss, r.vectors));
    dyn_objective_unref(loss);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    dyn_model_unref(model);
    dyn_ctx_free(ctx);
    return r;
}

TEST(traps)
{
#ifdef __GLIBC__                    /* the only one with a call for it */
    results plain = measure(), trapped;
    const int all = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW;

    feclearexcept(FE_ALL_EXCEPT);
    if (feenableexcept(all) == -1)
        return;                     /* this processor has no traps */
    trapped = measure();
    CHECK((fegetexcept() & all) == all);
    fedisableexcept(all);
    CHECK(memcmp(&plain, &trapped, sizeof plain) == 0);
#endif
}

TEST(rounding)
{
    results plain = measure(), upward;

    fesetround(FE_UPWARD);
    upward = measure();
    CHECK(fegetround() == FE_UPWARD);
    fesetround(FE_TONEAREST);
    CHECK(memcmp(plain.singular, upward.singular, sizeof plain.singular) == 0);
    CHECK(memcmp(plain.values, upward.values, sizeof plain.values) == 0);
}

TEST(flushing)
{
#ifdef __x86_64__
    const unsigned host = __builtin_ia32_stmxcsr();
    results plain = measure(), flushed;

    __builtin_ia32_ldmxcsr(host | 0x8040);
    flushed = measure();
    CHECK((__builtin_ia32_stmxcsr() & 0x8040) == 0x8040);
    __builtin_ia32_ldmxcsr(host);
    CHECK(memcmp(&plain.loss, &flushed.loss, sizeof plain.loss) == 0);
    CHECK(memcmp(plain.vectors, flushed.vectors, sizeof plain.vectors) == 0);
#endif
}

/* Flags that a call raises are not the host's. */
TEST(flags)
{
    feclearexcept(FE_ALL_EXCEPT);
    measure();
    CHECK(fetestexcept(FE_OVERFLOW | FE_INVALID | FE_DIVBYZERO) == 0);
}

int main(void)
{
    fill();
    RUN(traps);
    RUN(rounding);
    RUN(flushing);
    RUN(flags);
    return test_end();
}
