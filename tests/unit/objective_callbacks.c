/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A user's own function: an objective of callbacks through operators and eigenvalues, and a model the library does not
 * know (matrix factorisation F = A B) through all derivatives, against closed forms. */
#include "train_problem.h"

/* ---- a quadratic of callbacks: f = x^T M x / 2 with M = diag(1..P) + u u^T, u = ones / 8 ---- */

enum { P = 90 };

static double row_times(int64_t i, const double *v)
{
    double sum = 0;

    for (int j = 0; j < P; j++)
        sum += v[j];
    return (double)(i + 1) * v[i] + sum / 64;
}

static int32_t value(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *f = at->value;

    (void)user;
    *f = 0;
    for (int i = 0; i < P; i++)
        *f += x[i] * row_times(i, x) / 2;
    return 0;
}

static int32_t gradient(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *f = at->value, *g = at->gradient;

    for (int i = 0; i < P; i++)
        g[i] = row_times(i, x);
    return value(user, &(dyn_objective_view){ .theta = x, .value = f });
}

/* user: how wrong the product is made. */
static int32_t product(void *user, const dyn_objective_view *at)
{
    const double *v = at->v;
    double *hv = at->product;
    int64_t count = at->count;
    const double *skew = user;

    for (int64_t k = 0; k < count; k++)
        for (int i = 0; i < P; i++)
            hv[k * P + i] = row_times(i, v + k * P) + *skew * (i == 0 ? v[k * P + 1] : 0);
    return 0;
}

/* 1 + sum_i u_i^2 / (i - z) = 0 at the eigenvalues z of diag + u u^T. */
static double secular(double z)
{
    double s = 1;

    for (int i = 1; i <= P; i++)
        s += 1.0 / 64 / (i - z);
    return s;
}

/* The root between i and i + 1, or above P. */
static double secular_root(int i)
{
    double low = i + 1e-9, high = i + (i == P ? 2.0 : 1 - 1e-9);

    for (int k = 0; k < 200; k++) {
        const double middle = (low + high) / 2;
        if (secular(middle) < 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

TEST(eigenvalues_of_callbacks)
{
    dyn_ctx *ctx = make_ctx(2);
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    double theta[P] = { 0 }, none = 0;
    dyn_objective *o = NULL;
    dyn_operator *H = NULL;
    dyn_eigen *e = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = P, .value = value, .gradient = gradient,
                                                               .hessian = product, .user = &none), &o));
    CHECK_OK(ctx, dyn_objective_hessian(o, theta, &H));
    opt.count = 3;
    opt.tolerance = 1e-10;
    CHECK_OK(ctx, dyn_eigen_solve(H, &opt, &e));
    for (int i = 0; i < 3; i++) {
        CHECK_NEAR(dyn_eigen_values(e)[i], secular_root(P - i), 1e-9);
        CHECK(dyn_eigen_converged(e)[i] && dyn_eigen_residuals(e)[i] <= 1e-10 * (P + 2));
    }
    CHECK(dyn_objective_samples(o) == 0 && dyn_objective_outputs(o) == 0 && !dyn_objective_model(o));
    dyn_eigen_free(e);
    dyn_operator_unref(H);
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

TEST(symmetry_of_callbacks)
{
    dyn_ctx *ctx = make_ctx(1);
    double theta[P] = { 0 }, skew = 0, asymmetry = 1;
    dyn_objective *o = NULL;
    dyn_operator *H = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = P, .value = value, .gradient = gradient,
                                                               .hessian = product, .user = &skew), &o));
    CHECK_OK(ctx, dyn_objective_hessian(o, theta, &H));
    CHECK_OK(ctx, dyn_operator_symmetry(H, 1, &asymmetry));
    CHECK(asymmetry < 1e-14);
    skew = 3;
    CHECK_OK(ctx, dyn_operator_symmetry(H, 1, &asymmetry));
    CHECK(asymmetry > 1e-5);
    dyn_operator_unref(H);
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

static int32_t broken_value(void *user, const dyn_objective_view *at) { return (void)user, (void)at, -3; }
static int32_t broken_product(void *user, const dyn_objective_view *at) { return (void)user, (void)at, 9; }

/* What a function is missing for, and what it returns, is said. */
TEST(missing_and_failing_callbacks)
{
    dyn_ctx *ctx = make_ctx(1);
    const int64_t start = dyn_ctx_bytes(ctx);
    double theta[P] = { 0 }, g[P], f;
    dyn_objective *o = NULL;
    dyn_operator *A = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = P, .value = broken_value,
                                                               .hessian = broken_product), &o));
    CHECK(dyn_objective_value(o, theta, &f) == DYN_EUSER);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_objective_value: the caller's value function returned -3");
    CHECK(dyn_objective_gradient(o, theta, g, &f) == DYN_ENOTSUP);
    CHECK(dyn_objective_ggn(o, theta, &A) == DYN_ENOTSUP && !A);
    CHECK(dyn_objective_jacobian(o, theta, g) == DYN_ENOTSUP);
    CHECK(dyn_objective_sample_gradients(o, theta, g) == DYN_ENOTSUP);
    CHECK(dyn_objective_predict(o, theta, g) == DYN_ENOTSUP);
    CHECK(dyn_objective_accuracy(o, theta, &f) == DYN_ENOTSUP);
    CHECK_OK(ctx, dyn_objective_hessian(o, theta, &A));
    CHECK(dyn_operator_apply(A, 1, theta, g) == DYN_EUSER);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_operator_apply: the caller's product function returned 9");
    dyn_objective_unref(o);         /* the operator keeps it alive */
    CHECK(dyn_operator_apply(A, 1, theta, g) == DYN_EUSER);
    dyn_operator_unref(A);
    CHECK(dyn_ctx_bytes(ctx) == start);
    dyn_ctx_free(ctx);
}

/* ---- matrix factorisation: sample (i, j) has f = (A B)_ij, chosen by one-hot rows e_i, e_j ---- */

enum { ROWS = 4, COLUMNS = 5, RANK = 2, SIZE = RANK * (ROWS + COLUMNS), ENTRIES = ROWS * COLUMNS };

static dyn_node factorise(void *user, dyn_graph *g, dyn_node x)
{
    int64_t s[DYN_MAX_RANK];

    (void)user;
    dyn_graph_shape(g, x, s);
    dyn_node a = dyn_graph_parameter(g, "A", 2, (int64_t[]){ ROWS, RANK });
    dyn_node b = dyn_graph_parameter(g, "B", 2, (int64_t[]){ COLUMNS, RANK });
    dyn_node i = dyn_graph_slice(g, x, (int64_t[]){ 0, 0 }, (int64_t[]){ s[0], ROWS });
    dyn_node j = dyn_graph_slice(g, x, (int64_t[]){ 0, ROWS }, (int64_t[]){ s[0], COLUMNS });
    dyn_node pair = dyn_graph_mul(g, dyn_graph_matmul(g, i, a, 0, 0), dyn_graph_matmul(g, j, b, 0, 0));
    return dyn_graph_sum(g, pair, 1, (int32_t[]){ 1 });
}

static double target(int i, int j) { return sin(1.0 + i) * cos(0.5 * j) + 0.1 * i * j; }

static dyn_objective *make_factorisation(dyn_ctx *ctx)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    double x[ENTRIES][ROWS + COLUMNS] = { { 0 } }, y[ENTRIES];
    dyn_array *xs = NULL, *ys = NULL;
    dyn_model *m = NULL;
    dyn_objective *o = NULL;

    for (int e = 0; e < ENTRIES; e++) {
        x[e][e / COLUMNS] = x[e][ROWS + e % COLUMNS] = 1;
        y[e] = target(e / COLUMNS, e % COLUMNS);
    }
    CHECK_OK(ctx, dyn_model_from_callback(ctx, factorise, NULL, 1, (int64_t[]){ ROWS + COLUMNS }, &m));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ ENTRIES, ROWS + COLUMNS }, x, &xs));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 1, (int64_t[]){ ENTRIES }, y, &ys));
    opt.half = opt.sum_samples = 1;
    CHECK_OK(ctx, dyn_objective_create(ctx, m, xs, ys, &opt, &o));
    dyn_array_unref(xs);
    dyn_array_unref(ys);
    dyn_model_unref(m);
    return o;
}

/* Index of A_ir and B_jr in theta. */
static int a_at(int i, int r) { return i * RANK + r; }
static int b_at(int j, int r) { return ROWS * RANK + j * RANK + r; }

/* With E = A B^T - Y: J^T J, and E_ij in the places (A_ir, B_jr). */
static void closed_form(const double *theta, double *jtj, double *hessian)
{
    memset(jtj, 0, SIZE * SIZE * sizeof *jtj);
    memset(hessian, 0, SIZE * SIZE * sizeof *hessian);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            double row[SIZE] = { 0 }, e = -target(i, j);

            for (int r = 0; r < RANK; r++) {
                row[a_at(i, r)] = theta[b_at(j, r)];
                row[b_at(j, r)] = theta[a_at(i, r)];
                e += theta[a_at(i, r)] * theta[b_at(j, r)];
            }
            for (int k = 0; k < SIZE * SIZE; k++)
                jtj[k] += row[k / SIZE] * row[k % SIZE];
            for (int r = 0; r < RANK; r++) {
                hessian[a_at(i, r) * SIZE + b_at(j, r)] += e;
                hessian[b_at(j, r) * SIZE + a_at(i, r)] += e;
            }
        }
    for (int k = 0; k < SIZE * SIZE; k++)
        hessian[k] += jtj[k];
}

TEST(matrix_factorisation)
{
    dyn_ctx *ctx = make_ctx(2);
    dyn_objective *o = make_factorisation(ctx);
    double theta[SIZE], jtj[SIZE * SIZE], hessian[SIZE * SIZE], H[SIZE * SIZE], G[SIZE * SIZE], rows[ENTRIES * SIZE];
    dyn_operator *A = NULL, *B = NULL;

    for (int i = 0; i < SIZE; i++)
        theta[i] = 0.8 * cos(2.0 * i + 0.3);
    closed_form(theta, jtj, hessian);
    CHECK(dyn_objective_size(o) == SIZE);
    CHECK_OK(ctx, dyn_objective_hessian(o, theta, &A));
    CHECK_OK(ctx, dyn_objective_ggn(o, theta, &B));
    CHECK_OK(ctx, dyn_operator_dense(A, H));
    CHECK_OK(ctx, dyn_operator_dense(B, G));
    CHECK_OK(ctx, dyn_objective_jacobian(o, theta, rows));
    for (int k = 0; k < SIZE * SIZE; k++) {
        double square = 0;

        for (int e = 0; e < ENTRIES; e++)
            square += rows[e * SIZE + k / SIZE] * rows[e * SIZE + k % SIZE];
        CHECK_NEAR(H[k], hessian[k], 1e-13);
        CHECK_NEAR(G[k], jtj[k], 1e-13);
        CHECK_NEAR(square, jtj[k], 1e-13);
    }
    dyn_operator_unref(A);
    dyn_operator_unref(B);
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

/* f = 1/n sum_i (theta_0 - i)^2 / 2 over n samples i = 0 .. n - 1: a run by mini-batches goes through the epoch's order. */
enum { ALL = 7, BATCH = 3 };
typedef struct seen { int64_t sample[2 * ALL], count; } seen;

static int32_t distance(void *user, const dyn_objective_view *at)
{
    seen *s = user;
    const int64_t n = at->sample ? at->samples : ALL;

    *at->value = 0;
    if (at->gradient)
        at->gradient[0] = 0;
    for (int64_t k = 0; k < n; k++) {
        const double e = at->theta[0] - (double)(at->sample ? at->sample[k] : k);
        *at->value += e * e / 2 / (double)n;
        if (at->gradient)
            at->gradient[0] += e / (double)n;
        if (at->sample && s->count < 2 * ALL)
            s->sample[s->count++] = at->sample[k];
    }
    return at->struct_size == sizeof *at && at->size == 1 ? 0 : 1;
}

TEST(mini_batches)
{
    dyn_ctx *ctx = make_ctx(1);
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_optimizer_options descent = DYN_OPTIMIZER_OPTIONS_INIT;
    seen s = { .count = 0 };
    dyn_objective *o = NULL;
    dyn_run *r = NULL;
    int64_t order[2 * ALL];
    double theta = 0, found, value;

    opt.batch = BATCH, opt.seed = 5;
    descent.rate = 0.5;
    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 1, .samples = ALL, .value = distance,
                                                               .gradient = distance, .user = &s), &o));
    CHECK(dyn_objective_samples(o) == ALL);
    CHECK_OK(ctx, dyn_objective_value(o, &theta, &value));
    CHECK_NEAR(value, 91.0 / 14, 1e-14);
    CHECK_OK(ctx, dyn_run_create(o, &descent, &opt, &theta, &r));
    CHECK_OK(ctx, dyn_run_train(r, 6));         /* two epochs of 3, 3, 1; the end is evaluated once more, on the next batch */
    CHECK_OK(ctx, dyn_run_theta(r, &found));
    for (int64_t epoch = 0; epoch < 2; epoch++)
        CHECK_OK(ctx, dyn_data_order(ctx, 5, epoch, ALL, order + epoch * ALL));
    CHECK(!memcmp(s.sample, order, sizeof order));
    for (int64_t k = 0, n; k < 2 * ALL; k += n) {
        double mean = 0;
        n = k % ALL == ALL - 1 ? 1 : BATCH;
        for (int64_t i = 0; i < n; i++)
            mean += (double)order[k + i] / (double)n;
        theta -= 0.5 * (theta - mean);
    }
    CHECK_NEAR(found, theta, 1e-14);
    dyn_run_free(r);
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(eigenvalues_of_callbacks);
    RUN(symmetry_of_callbacks);
    RUN(missing_and_failing_callbacks);
    RUN(matrix_factorisation);
    RUN(mini_batches);
    return test_end();
}
