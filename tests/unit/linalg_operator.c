/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linear operators: products against plain loops, every derived operator against its formula on a 4 x 4 matrix,
 * faults of callbacks, the counter and the references. */
#include "linalg_fixture.h"

static dyn_ctx *ctx;
static int64_t bytes_before;
static const double matrix[16] = { 4, 1, -2, 0.5, 1, 3, 0, 1, -2, 0, 5, 2, 0.5, 1, 2, -1 };
static const double x[8] = { 1, -2, 3, 0.5, 0, 1, -1, 2 };

static dyn_operator *make(fixture *f)
{
    dyn_operator *A = NULL;

    CHECK_OK(ctx, dyn_operator_from_callback(ctx, f->n, apply_matrix, f, &A));
    return A;
}

static fixture given(void)
{
    return (fixture){ .n = 4, .a = matrix };
}

/* Compare op with the matrix `expected` of size n on two vectors, and the written out form as well. */
static void check_matrix(dyn_operator *op, int64_t n, const double *expected)
{
    double y[8], dense[16];

    CHECK(dyn_operator_size(op) == n);
    CHECK_OK(ctx, dyn_operator_apply(op, 2, x, y));
    for (int64_t r = 0; r < 2; r++)
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;

            for (int64_t j = 0; j < n; j++)
                sum += expected[i * n + j] * x[r * n + j];
            CHECK_NEAR(y[r * n + i], sum, 1e-14);
        }
    CHECK_OK(ctx, dyn_operator_dense(op, dense));
    for (int64_t i = 0; i < n * n; i++)
        CHECK_NEAR(dense[i], expected[i], 1e-14);
}

TEST(callback_product)
{
    fixture f = given();
    dyn_operator *A = make(&f);

    check_matrix(A, 4, matrix);
    CHECK(dyn_operator_products(A) == 6);
    CHECK_OK(ctx, dyn_operator_apply(A, 0, NULL, NULL));
    dyn_operator_unref(A);
}

TEST(dense_of_nonsymmetric)
{
    const double a[4] = { 1, 2, 3, 4 };
    fixture f = { .n = 2, .a = a };
    dyn_operator *A = make(&f);
    double asymmetry = 0.0;

    check_matrix(A, 2, a);
    CHECK_OK(ctx, dyn_operator_symmetry(A, 1, &asymmetry));
    CHECK(asymmetry > 0.01);
    dyn_operator_unref(A);
}

TEST(symmetry_of_symmetric)
{
    fixture f = given();
    dyn_operator *A = make(&f);
    double asymmetry = 1.0;

    CHECK_OK(ctx, dyn_operator_symmetry(A, 1, &asymmetry));
    CHECK(asymmetry < 1e-15);
    CHECK(dyn_operator_products(A) == 8);
    dyn_operator_unref(A);
}

TEST(scaled_shifted_sum)
{
    fixture f = given();
    dyn_operator *A = make(&f), *S = NULL, *T = NULL, *U = NULL;
    double expected[16];

    CHECK_OK(ctx, dyn_operator_scaled(A, -2.5, &S));
    for (int i = 0; i < 16; i++)
        expected[i] = -2.5 * matrix[i];
    check_matrix(S, 4, expected);
    CHECK_OK(ctx, dyn_operator_shifted(A, 3.0, &T));
    dyn_operator_unref(A);              /* S and T keep it */
    for (int i = 0; i < 16; i++)
        expected[i] = matrix[i] + (i % 5 == 0 ? 3.0 : 0.0);
    check_matrix(T, 4, expected);
    CHECK_OK(ctx, dyn_operator_sum(S, T, &U));
    for (int i = 0; i < 16; i++)
        expected[i] = -1.5 * matrix[i] + (i % 5 == 0 ? 3.0 : 0.0);
    check_matrix(U, 4, expected);
    dyn_operator_unref(T);
    dyn_operator_unref(S);
    check_matrix(U, 4, expected);
    dyn_operator_unref(U);
}

TEST(sandwiched)
{
    fixture f = given();
    dyn_operator *A = make(&f), *S = NULL;
    double d[4] = { 1, 0.5, 0, -3 }, expected[16];

    CHECK_OK(ctx, dyn_operator_sandwiched(A, d, &S));
    for (int i = 0; i < 16; i++)
        expected[i] = d[i / 4] * matrix[i] * d[i % 4];
    d[0] = 1e9;                         /* copied */
    check_matrix(S, 4, expected);
    dyn_operator_unref(S);
    dyn_operator_unref(A);
}

TEST(deflated)
{
    fixture f = given();
    dyn_operator *A = make(&f), *D = NULL;
    const double v[8] = { 1, 0, 1, 0, 0, 2, 0, 1 }, values[2] = { 0.5, -1.5 };
    double expected[16];

    CHECK_OK(ctx, dyn_operator_deflated(A, 2, v, values, &D));
    for (int i = 0; i < 16; i++)
        expected[i] = matrix[i] - 0.5 * v[i / 4] * v[i % 4] + 1.5 * v[4 + i / 4] * v[4 + i % 4];
    check_matrix(D, 4, expected);
    dyn_operator_unref(D);
    dyn_operator_unref(A);
}

/* Projecting away (1,1,0,0) and (1,-1,0,0) twice over leaves the lower right block. */
TEST(projected)
{
    fixture f = given();
    dyn_operator *A = make(&f), *P = NULL;
    const double v[12] = { 1, 1, 0, 0, 3, -3, 0, 0, 5, 1, 0, 0 };
    double expected[16] = { 0 };

    CHECK_OK(ctx, dyn_operator_projected(A, 3, v, &P));
    for (int i = 0; i < 16; i++)
        expected[i] = i / 4 >= 2 && i % 4 >= 2 ? matrix[i] : 0.0;
    check_matrix(P, 4, expected);
    dyn_operator_unref(P);
    dyn_operator_unref(A);
}

TEST(restricted)
{
    fixture f = given();
    dyn_operator *A = make(&f), *R = NULL;
    const int64_t index[2] = { 3, 0 }, bad[1] = { 4 };
    const double expected[4] = { -1, 0.5, 0.5, 4 };

    CHECK_OK(ctx, dyn_operator_restricted(A, 2, index, &R));
    check_matrix(R, 2, expected);
    dyn_operator_unref(R);
    CHECK(dyn_operator_restricted(A, 1, bad, &R) == DYN_EINVAL);
    CHECK(R == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_operator_restricted: index[0] is 4");
    dyn_operator_unref(A);
}

TEST(faults)
{
    fixture f = given();
    dyn_operator *A = make(&f), *B = NULL, *S = NULL;
    fixture small = { .n = 2, .a = matrix };
    double y[4];
    const double bad[4] = { 0, 1, (double)INFINITY, 0 };

    f.fail_at = 1;
    f.nan_at = 2;
    CHECK_OK(ctx, dyn_operator_shifted(A, 1.0, &S));
    CHECK(dyn_operator_apply(S, 1, x, y) == DYN_EUSER);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_operator_apply: the operator's callback returned 7");
    CHECK(dyn_operator_apply(A, 1, x, y) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "vector 0, element 0");
    dyn_operator_unref(S);
    CHECK(dyn_operator_apply(A, -1, x, y) == DYN_EINVAL);
    CHECK(dyn_operator_apply(A, 1, NULL, y) == DYN_EINVAL);
    CHECK(dyn_operator_apply(NULL, 1, x, y) == DYN_EINVAL);
    CHECK(dyn_operator_sandwiched(A, bad, &S) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "d[2]");
    CHECK(S == NULL);
    CHECK(dyn_operator_scaled(A, (double)NAN, &S) == DYN_EINVAL);
    CHECK(dyn_operator_from_callback(ctx, 0, apply_matrix, &f, &B) == DYN_EINVAL);
    B = make(&small);
    CHECK(dyn_operator_sum(A, B, &S) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "A is 4 x 4, B is 2 x 2");
    dyn_operator_unref(B);
    dyn_operator_unref(A);
    dyn_operator_unref(NULL);
}

TEST(no_leak)
{
    CHECK(dyn_ctx_bytes(ctx) == bytes_before);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    bytes_before = dyn_ctx_bytes(ctx);
    RUN(callback_product);
    RUN(dense_of_nonsymmetric);
    RUN(symmetry_of_symmetric);
    RUN(scaled_shifted_sum);
    RUN(sandwiched);
    RUN(deflated);
    RUN(projected);
    RUN(restricted);
    RUN(faults);
    RUN(no_leak);
    dyn_ctx_free(ctx);
    return test_end();
}
