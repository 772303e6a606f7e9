/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs of an operator in float32, whose basis is kept in float32: those of the same Hessian in float64, in half the
 * memory, with residuals in doubles and the floor below which none can be told. */
#include <float.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "test.h"

enum { N = 100, IN = 40, HIDDEN = 400, OUT = 10, P = (IN + 1) * HIDDEN + (HIDDEN + 1) * OUT, K = 3 };

/* The most bytes held at a time since `mark`. */
static int64_t held, most;

static void *count_alloc(void *user, size_t size, size_t align)
{
    void *p = NULL;

    (void)user;
    if (posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size))
        return NULL;
    held += (int64_t)size;
    most = held > most ? held : most;
    return p;
}

static void count_free(void *user, void *p, size_t size, size_t align)
{
    (void)user, (void)align;
    held -= p ? (int64_t)size : 0;
    free(p);
}

static dyn_ctx *counting(void)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    opt.threads = 1;
    opt.log_level = 0;
    opt.alloc = count_alloc;
    opt.free = count_free;
    CHECK(dyn_ctx_create(&opt, &ctx) == DYN_OK);
    return ctx;
}

/* The Hessian of a small network; numbers that float32 has exactly. */
static dyn_operator *hessian(dyn_ctx *ctx, int32_t dtype)
{
    static double x[N * IN], theta[P];
    static int64_t y[N];
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_array *inputs = NULL, *classes = NULL;
    dyn_model *net = NULL;
    dyn_objective *loss = NULL;
    dyn_operator *H = NULL;

    for (int i = 0; i < N * IN; i++)
        x[i] = (i * 37 % 17 - 8) / 8.0;
    for (int i = 0; i < N; i++)
        y[i] = i % OUT;
    CHECK_OK(ctx, dyn_random_normal(ctx, 3, 0, 0, P, theta));
    for (int i = 0; i < P; i++)
        theta[i] = (double)(float)(theta[i] / 6);
    opt.loss = DYN_LOSS_CROSS_ENTROPY;
    opt.dtype = dtype;
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ N, IN }, x, &inputs));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ N }, y, &classes));
    CHECK_OK(ctx, dyn_model_mlp(ctx, 3, (int64_t[]){ IN, HIDDEN, OUT }, DYN_TANH, &net));
    CHECK_OK(ctx, dyn_objective_create(ctx, net, inputs, classes, &opt, &loss));
    CHECK_OK(ctx, dyn_objective_hessian(loss, theta, &H));
    dyn_objective_unref(loss);
    dyn_model_unref(net);
    dyn_array_unref(classes);
    dyn_array_unref(inputs);
    return H;
}

typedef struct found {
    double value[K], residual[K], floor, tolerance;
    int64_t bytes, foreseen;
    dyn_status status;
} found;

static found solve(int32_t dtype, double tolerance)
{
    dyn_ctx *ctx = counting();
    dyn_operator *H = hessian(ctx, dtype);
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;
    found f = { .bytes = 0 };

    opt.count = K;
    opt.tolerance = tolerance;
    CHECK_OK(ctx, dyn_eigen_bytes(H, &opt, &f.foreseen));
    most = held;
    const int64_t before = held;
    f.status = dyn_eigen_solve(H, &opt, &e);
    f.bytes = most - before;
    CHECK(f.status >= 0 && dyn_eigen_count(e) == K);
    for (int i = 0; i < K && e; i++) {
        f.value[i] = dyn_eigen_values(e)[i];
        f.residual[i] = dyn_eigen_residuals(e)[i];
    }
    f.floor = dyn_eigen_floor(e);
    f.tolerance = dyn_eigen_tolerance(e);
    const double *v = dyn_eigen_vectors(e);
    for (int i = 0; i < K; i++)
        for (int j = 0; j <= i; j++) {
            double inner = 0;
            for (int k = 0; k < P; k++)
                inner += v[i * P + k] * v[j * P + k];
            CHECK_NEAR(inner, i == j, 1e-13);
        }
    dyn_eigen_free(e);
    dyn_operator_unref(H);
    dyn_ctx_free(ctx);
    return f;
}

TEST(same_values_in_half_the_memory)
{
    const found wide = solve(DYN_F64, 1e-6), narrow = solve(DYN_F32, 1e-6);

    CHECK(wide.status == DYN_OK && narrow.status == DYN_OK && wide.floor == 0);
    CHECK(narrow.floor > 0 && narrow.floor < 100 * (double)FLT_EPSILON * narrow.value[0]);
    for (int i = 0; i < K; i++) {
        CHECK(narrow.residual[i] <= narrow.tolerance);
        if (!(fabs(narrow.value[i] - wide.value[i]) <= 20 * narrow.floor))
            TEST_FAIL("value %d: %.9g in float32, %.9g in float64, floor %.2g", i, narrow.value[i], wide.value[i],
                      narrow.floor);
    }
    if (!((double)narrow.foreseen <= 0.65 * (double)wide.foreseen))
        TEST_FAIL("%lld bytes in float32, %lld in float64", (long long)narrow.foreseen, (long long)wide.foreseen);
}

/* What was foreseen is enough, and little more; plans of products are not in it. */
TEST(memory_is_foreseen)
{
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        const found f = solve(dtype, 1e-6);
        if (!((double)f.bytes <= 1.1 * (double)f.foreseen && (double)f.bytes >= 0.7 * (double)f.foreseen))
            TEST_FAIL("dtype %d: %lld bytes foreseen, %lld taken", (int)dtype, (long long)f.foreseen,
                      (long long)f.bytes);
    }
}

/* A tolerance that float32 cannot meet ends soon, says so, and the residuals are true. */
TEST(more_than_float32_can)
{
    const found f = solve(DYN_F32, 1e-12);

    CHECK(f.status == DYN_NOT_CONVERGED && f.tolerance < f.floor);
    for (int i = 0; i < K; i++)
        CHECK(f.residual[i] > f.tolerance && f.residual[i] < 100 * f.floor);
}

int main(void)
{
    RUN(same_values_in_half_the_memory);
    RUN(memory_is_foreseen);
    RUN(more_than_float32_can);
    return test_end();
}
