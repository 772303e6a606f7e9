/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the linear algebra room fails in turn: operators, both eigen routes, estimators, dense work. */
#include "linalg_fixture.h"
#include "oom/oom.h"

#define N 100

static double spectrum[N], matrix[20 * 12];

static dyn_status make(dyn_ctx *ctx, fixture *f, dyn_operator **A)
{
    *f = (fixture){ .n = N, .a = spectrum };
    return dyn_operator_from_callback(ctx, N, apply_diagonal, f, A);
}

/* A derived operator of each kind on top of the one before, and a product through all. */
static dyn_status operators(dyn_ctx *ctx, void *arg)
{
    const int64_t index[3] = { 2, 5, 1 };
    double y[3], asymmetry;
    dyn_operator *op[8] = { NULL };
    fixture f;
    dyn_status s = make(ctx, &f, &op[0]);

    (void)arg;
    s = s ? s : dyn_operator_scaled(op[0], 2.0, &op[1]);
    s = s ? s : dyn_operator_shifted(op[1], 1.0, &op[2]);
    s = s ? s : dyn_operator_sum(op[1], op[2], &op[3]);
    s = s ? s : dyn_operator_sandwiched(op[3], spectrum, &op[4]);
    s = s ? s : dyn_operator_deflated(op[4], 1, spectrum, spectrum, &op[5]);
    s = s ? s : dyn_operator_projected(op[5], 1, spectrum, &op[6]);
    s = s ? s : dyn_operator_restricted(op[6], 3, index, &op[7]);
    s = s ? s : dyn_operator_apply(op[7], 1, spectrum, y);
    s = s ? s : dyn_operator_symmetry(op[7], 1, &asymmetry);
    for (int i = 0; i < 8; i++)
        dyn_operator_unref(op[i]);
    return s;
}

/* arg: pairs asked for, which decides the route. */
static dyn_status eigenpairs(dyn_ctx *ctx, void *arg)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *A = NULL;
    dyn_eigen *e = NULL;
    fixture f;
    dyn_status s = make(ctx, &f, &A);

    opt.count = *(int64_t *)arg;
    opt.subspace = 8;
    s = s ? s : dyn_eigen_solve(A, &opt, &e);
    if (s < 0)
        CHECK(e == NULL);
    dyn_eigen_free(e);
    dyn_operator_unref(A);
    return s;
}

static dyn_status estimates(dyn_ctx *ctx, void *arg)
{
    double value, diagonal[N], nodes[20], weights[20];
    dyn_operator *A = NULL;
    fixture f;
    dyn_status s = make(ctx, &f, &A);

    (void)arg;
    s = s ? s : dyn_operator_trace(A, NULL, &value, NULL);
    s = s ? s : dyn_operator_diagonal(A, 3, 1, diagonal, NULL);
    s = s ? s : dyn_operator_density(A, 2, 10, 1, nodes, weights);
    dyn_operator_unref(A);
    return s;
}

static dyn_status dense(dyn_ctx *ctx, void *arg)
{
    const double huge[4] = { 1e200, 1.0, 2.0, 3.0 };
    double s[12], vectors[144];
    dyn_status status = dyn_dense_eigh(ctx, 12, matrix, s, vectors);

    (void)arg;
    status = status ? status : dyn_dense_eigh(ctx, 12, matrix, s, NULL);
    status = status ? status : dyn_dense_svd_values(ctx, 20, 12, matrix, s);
    status = status ? status : dyn_dense_svd_values(ctx, 2, 2, huge, s);
    status = status ? status : dyn_dense_svd_values_accurate(ctx, 20, 12, matrix, s, NULL);
    return status ? status : dyn_dense_svd_values_gram(ctx, 20, 12, matrix, s, NULL);
}

TEST(out_of_memory)
{
    int64_t few = 2, many = 60;

    oom_try("operators", operators, NULL);
    oom_try("Lanczos", eigenpairs, &few);
    oom_try("whole matrix", eigenpairs, &many);
    oom_try("estimates", estimates, NULL);
    oom_try("dense", dense, NULL);
}

int main(void)
{
    for (int i = 0; i < N; i++)
        spectrum[i] = i < 3 ? 10.0 - i : sin(i);
    for (int i = 0; i < 240; i++)
        matrix[i] = cos(i * i);
    RUN(out_of_memory);
    return test_end();
}
