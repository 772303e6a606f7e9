/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rank of matrices with a planted rank, and model ranks that are theorems: k(d+1) for two-layer tanh networks, k(d+2)
 * with hidden biases, m_w + m_a d at any point, 2rd - r^2 for matrix factorisation (arXiv 2211.11623). */
#include <stdlib.h>
#include "test.h"
#include <dyn/factorisation.h>
#include <dyn/rank.h>

static dyn_ctx *ctx;

/* ---- matrices ---- */

enum { ROWS = 30, COLS = 12 };

/* Rank 7: columns 7 to 11 are combinations of the others or zero, and every column has a scale of its own. */
static void planted(double a[ROWS][COLS])
{
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLS; j++)
            a[i][j] = cos(0.37 * i * (j + 1) + 0.5 * j);
        a[i][7] = a[i][0] - 2 * a[i][3];
        a[i][8] = 3 * a[i][1];
        a[i][9] = 0;
        a[i][10] = a[i][2] + a[i][4] + a[i][6];
        a[i][11] = -a[i][5];
        for (int j = 0; j < COLS; j++)
            a[i][j] *= pow(10.0, 3 * j - 15);
    }
}

TEST(planted_rank_is_found)
{
    static const double numpy[7] = { 1.5298132184711186, 1.4680573148195144, 1.4283691272061843, 1.2429952420555275,
                                     1.0433743904621589, 0.9989294804583598, 0.9125313562099814 };
    double a[ROWS][COLS], gap = 0.0;
    int64_t count = 0;
    const double *s;
    dyn_rank *r = NULL;

    planted(a);
    CHECK_OK(ctx, dyn_rank_matrix(ctx, ROWS, COLS, a[0], NULL, &r));
    CHECK(dyn_rank_value(r) == 7 && dyn_rank_by_tolerance(r, &gap) == 7);
    CHECK(gap > 1e14);
    CHECK(dyn_rank_by_gap(r, &gap) == 7 && gap > 1e14);
    CHECK(dyn_rank_zero_columns(r) == 1 && dyn_rank_rows(r) == ROWS && dyn_rank_columns(r) == COLS);
    CHECK_NEAR(dyn_rank_tolerance(r), 10 * 2.220446049250313e-16 * sqrt(ROWS), 1e-30);
    s = dyn_rank_singular_values(r, &count);
    CHECK(count == 11 && !dyn_rank_accurate(r));
    for (int i = 0; i < 7; i++)
        CHECK_NEAR(s[i], numpy[i], 1e-13);
    dyn_rank_free(r);
}

/* Singular values in the ratio 1, 0.5, 1e-3, 1e-7, with columns of equal length. */
TEST(rules_differ_where_the_spectrum_decays)
{
    double a[4][4] = { { 0 } };
    static const double h[4][4] = { { 1, 1, 1, 1 }, { 1, -1, 1, -1 }, { 1, 1, -1, -1 }, { 1, -1, -1, 1 } };
    static const double s[4] = { 1, 0.5, 1e-3, 1e-7 };
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    double gap = 0.0;
    dyn_rank *r = NULL;

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            a[i][j] = s[i] * h[i][j];
    CHECK_OK(ctx, dyn_rank_matrix(ctx, 4, 4, a[0], NULL, &r));
    CHECK(dyn_rank_value(r) == 4 && dyn_rank_by_tolerance(r, &gap) == 4 && isinf(gap));
    CHECK(dyn_rank_by_gap(r, &gap) == 3);
    CHECK_NEAR(gap, 1e4, 1e-9);
    dyn_rank_free(r);
    opt.tolerance = 1e-2;
    CHECK_OK(ctx, dyn_rank_matrix(ctx, 4, 4, a[0], &opt, &r));
    CHECK(dyn_rank_value(r) == 2 && dyn_rank_by_tolerance(r, &gap) == 2);
    CHECK_NEAR(gap, 500.0, 1e-9);
    dyn_rank_free(r);
    opt.rule = DYN_RANK_GAP;
    CHECK_OK(ctx, dyn_rank_matrix(ctx, 2, 4, a[0], &opt, &r));
    CHECK(dyn_rank_value(r) == 2);          /* no gap of 10: all */
    dyn_rank_free(r);
    memset(a, 0, sizeof a);
    CHECK_OK(ctx, dyn_rank_matrix(ctx, 4, 4, a[0], NULL, &r));
    CHECK(dyn_rank_value(r) == 0 && dyn_rank_by_gap(r, NULL) == 0 && dyn_rank_zero_columns(r) == 4);
    dyn_rank_free(r);
}

/* Rounding of long columns is not a rank; large ones of two equal ones with noise of eps are. */
TEST(tall_matrices)
{
    enum { TALL = 1000000 };
    double *a = malloc(sizeof(double[TALL][2]));
    dyn_rank *r = NULL;

    for (int i = 0; i < 2 * TALL; i++)
        a[i] = 1.0;
    for (int64_t rows = 100; rows <= TALL; rows *= 100) {
        CHECK_OK(ctx, dyn_rank_matrix(ctx, rows, 2, a, NULL, &r));
        CHECK(dyn_rank_value(r) == 1 && dyn_rank_by_gap(r, NULL) == 1);
        dyn_rank_free(r);
    }
    for (int i = 0; i < TALL; i++)
        a[2 * i] = 3.7 * (a[2 * i + 1] = sin(i) + 1e-3 * cos(5 * i));
    CHECK_OK(ctx, dyn_rank_matrix(ctx, TALL, 2, a, NULL, &r));
    CHECK(dyn_rank_value(r) == 1);
    dyn_rank_free(r);
    for (int i = 0; i < TALL; i++)
        a[2 * i] += 1e-9 * cos(3 * i);
    CHECK_OK(ctx, dyn_rank_matrix(ctx, TALL, 2, a, NULL, &r));
    CHECK(dyn_rank_value(r) == 2);
    dyn_rank_free(r);
    free(a);
}

/* A value within rounding of the tolerance, and gaps below it: diagonal factors on both sides of an orthogonal matrix
 * leave relative accuracy to the route that can give it. */
TEST(unclear_cuts_are_decided_accurately)
{
    static const double s[4] = { 1, 0.5, 4.5e-15, 3e-17 };
    static const double h[4][4] = { { 1, 1, 1, 1 }, { 1, -1, 1, -1 }, { 1, 1, -1, -1 }, { 1, -1, -1, 1 } };
    double a[4][4];
    dyn_rank *r = NULL;

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            a[i][j] = s[i] * h[i][j];
    CHECK_OK(ctx, dyn_rank_matrix(ctx, 4, 4, a[0], NULL, &r));
    CHECK(dyn_rank_accurate(r));
    CHECK_NEAR(dyn_rank_singular_values(r, NULL)[3] / dyn_rank_singular_values(r, NULL)[0], 3e-17, 1e-16 * 1e-12);
    dyn_rank_free(r);
}

TEST(large_matrices)
{
    enum { BIG = 1100, RANK = 40 };
    double *a = malloc(sizeof(double[BIG][BIG]));
    dyn_rank *r = NULL;

    for (int i = 0; i < BIG; i++)
        for (int j = 0; j < BIG; j++) {
            a[i * BIG + j] = 0.0;
            for (int k = 0; k < RANK; k++)
                a[i * BIG + j] += sin(1.3 * i * (k + 1) + k) * cos(0.7 * j * j * (k + 1));
        }
    CHECK_OK(ctx, dyn_rank_matrix(ctx, BIG, BIG, a, NULL, &r));
    CHECK(dyn_rank_value(r) == RANK && dyn_rank_by_gap(r, NULL) == RANK);
    dyn_rank_free(r);
    free(a);
}

/* ---- two-layer tanh networks ---- */

typedef struct net {
    int64_t d, m;
    int bias;
    dyn_model *model;
    double theta[256];
} net;

/* W1 [d, m], b1 [m], W2 [m, 1], all neurons zero. */
static net make_net(int64_t d, int64_t m, int bias)
{
    net n = { .d = d, .m = m, .bias = bias };
    int64_t widths[3] = { d, m, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;

    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    opt.no_bias = !bias;
    opt.no_output_bias = 1;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &n.model));
    CHECK(dyn_model_size(n.model) == m * (d + 1 + bias));
    return n;
}

static void set_neuron(net *n, int64_t k, const double *w, double b, double a)
{
    for (int64_t j = 0; j < n->d; j++)
        n->theta[j * n->m + k] = w[j];
    if (n->bias)
        n->theta[n->d * n->m + k] = b;
    n->theta[(n->d + n->bias) * n->m + k] = a;
}

/* Deterministic weights of order one. */
static void generic(int64_t d, int64_t k, double *w)
{
    for (int64_t j = 0; j < d; j++)
        w[j] = sin(1.0 + 2.3 * (double)k + 1.1 * (double)j) + 0.3 * cos(3.7 * (double)(k * j));
}

/* The triangle of tiles has the values of the whole; a limit is met, one that cannot be says what it needs. */
TEST(memory_limits)
{
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    dyn_rank *whole = NULL, *tiled = NULL;
    net n = make_net(3, 20, 1);
    int64_t count = 0, all = 0, p = dyn_model_size(n.model);
    double theta[256];

    for (int64_t i = 0; i < p; i++)
        theta[i] = sin(1.0 + 2.3 * (double)i) + (i % 7 == 0) * 1e3;
    opt.probe_std = 1.0;
    CHECK_OK(ctx, dyn_rank_model(n.model, theta, &opt, &whole));
    CHECK(dyn_rank_memory(n.model, 0, &opt) == 8 * p * (4 * p + 6 * p));
    dyn_rank_singular_values(whole, &all);
    for (int k = 0; k < 3; k++) {
        opt.memory_limit = 8 * p * (4 * p + 2 * (k == 0 ? 1 : k == 1 ? 37 : p));
        CHECK_OK(ctx, dyn_rank_model(n.model, theta, &opt, &tiled));
        CHECK(dyn_rank_rows(tiled) == 2 * p && dyn_rank_value(tiled) == dyn_rank_value(whole));
        dyn_rank_singular_values(tiled, &count);
        CHECK(count == all && dyn_rank_zero_columns(tiled) == dyn_rank_zero_columns(whole));
        for (int64_t i = 0; i < count; i++)
            CHECK_NEAR(dyn_rank_singular_values(tiled, NULL)[i], dyn_rank_singular_values(whole, NULL)[i], 2e-14);
        dyn_rank_free(tiled);
    }
    opt.memory_limit = 1000;
    CHECK(dyn_rank_model(n.model, theta, &opt, &tiled) == DYN_EFULL);
    CHECK_STR(dyn_ctx_message(ctx), "one sample at a time needs");
    CHECK(dyn_rank_memory(n.model, 0, &opt) == 8 * p * (4 * p + 2));
    dyn_rank_free(whole);
    dyn_model_unref(n.model);
}

static int64_t rank_of(const net *n, const dyn_rank_options *opt, double *gap)
{
    dyn_rank *r = NULL;
    int64_t rank;

    CHECK_OK(ctx, dyn_rank_model(n->model, n->theta, opt, &r));
    rank = dyn_rank_by_tolerance(r, gap);
    dyn_rank_free(r);
    return rank;
}

/* A target of k neurons: the rest zero, or copies of opposite sign that share the output weight. */
TEST(tanh_networks_have_rank_k_d_plus_1)
{
    for (int bias = 0; bias < 2; bias++)
        for (int64_t d = 2; d <= 4; d++)
            for (int64_t k = 1; k <= 3; k++) {
                net n = make_net(d, 6, bias);
                double w[4], gap = 0.0;

                for (int64_t i = 0; i < k; i++) {
                    generic(d, i, w);
                    set_neuron(&n, i, w, 0.4 * (double)i - 0.3, 1.0 + 0.2 * (double)i);
                }
                CHECK(rank_of(&n, NULL, &gap) == k * (d + 1 + bias));
                CHECK(gap > 1e6);
                for (int64_t i = 0; i < k; i++) {       /* a tanh(w x) = (a/2) tanh(w x) + (-a/2) tanh(-w x) */
                    double a = 1.0 + 0.2 * (double)i, b = 0.4 * (double)i - 0.3;

                    generic(d, i, w);
                    set_neuron(&n, i, w, b, a / 2);
                    for (int64_t j = 0; j < d; j++)
                        w[j] = -w[j];
                    set_neuron(&n, 3 + i, w, -b, -a / 2);
                }
                CHECK(rank_of(&n, NULL, &gap) == k * (d + 1 + bias));
                dyn_model_unref(n.model);
            }
}

/* One-dimensional inputs need wide probes: with five neurons the smallest genuine value is near 1e-12 otherwise. */
TEST(one_dimensional_input_with_wide_probes)
{
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    net n = make_net(1, 5, 1);

    for (int64_t k = 0; k < 5; k++) {
        double w = 0.7 + 0.3 * (double)k;

        set_neuron(&n, k, &w, 1.5 * (double)k - 3.0, 1.0);
    }
    opt.probe_std = 4.0;
    CHECK(rank_of(&n, &opt, NULL) == 15);
    dyn_model_unref(n.model);
}

/* rank = m_w + m_a d: distinct nonzero input weights up to sign, those that carry an output weight, plus one for
 * neurons of zero input weight with an output weight. */
TEST(rank_at_a_degenerate_point)
{
    static const double zero[3] = { 0 };
    net n = make_net(3, 7, 0);
    double w[3];

    generic(3, 0, w);
    set_neuron(&n, 0, w, 0, 1.0);
    set_neuron(&n, 1, w, 0, -1.0);          /* the same direction: outputs cancel, derivatives do not vanish */
    generic(3, 1, w);
    set_neuron(&n, 2, w, 0, 0.0);           /* no output weight: counts in m_w only */
    generic(3, 2, w);
    set_neuron(&n, 3, w, 0, 2.0);
    CHECK(rank_of(&n, NULL, NULL) == 3 + 2 * 3);
    set_neuron(&n, 4, zero, 0, 1.5);        /* zero input weight with an output weight: d more */
    CHECK(rank_of(&n, NULL, NULL) == 3 + 3 * 3);
    set_neuron(&n, 5, zero, 0, -0.5);       /* another one adds nothing */
    CHECK(rank_of(&n, NULL, NULL) == 3 + 3 * 3);
    dyn_model_unref(n.model);
}

/* The target of the recovery experiment: sum of tanh(0.6 x_s + 0.8 x_(s+1) + x_(s+2)) in five dimensions, by a fully
 * connected network with hidden biases: 21. At fewer inputs than that the empirical rank is their number. */
TEST(recovery_target_has_rank_21)
{
    net n = make_net(5, 9, 1);
    double x[30 * 5];
    dyn_rank *r = NULL;

    for (int64_t s = 0; s < 3; s++) {
        double w[5] = { 0 };

        w[s] = 0.6;
        w[s + 1] = 0.8;
        w[s + 2] = 1.0;
        set_neuron(&n, s, w, 0.0, 1.0);
    }
    CHECK(rank_of(&n, NULL, NULL) == 21);
    for (int i = 0; i < 150; i++)
        x[i] = 2 * sin(7.1 * i + 0.01 * i * i);
    for (int64_t samples = 5; samples <= 30; samples += 5) {
        CHECK_OK(ctx, dyn_rank_at(n.model, n.theta, samples, x, NULL, &r));
        CHECK(dyn_rank_value(r) == (samples < 21 ? samples : 21));
        CHECK(dyn_rank_rows(r) == samples);
        dyn_rank_free(r);
    }
    dyn_model_unref(n.model);
}

/* Several outputs: neuron k with output weights a_k in R^c contributes c functions sigma_k e_i and d functions
 * a_k sigma'_k x_j. */
TEST(outputs_of_any_dimension)
{
    int64_t widths[3] = { 3, 4, 2 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    double theta[20] = { 0 };
    dyn_model *model = NULL;
    dyn_rank *r = NULL;

    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    opt.no_bias = 1;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &model));
    for (int64_t k = 0; k < 3; k++) {       /* the third neuron has no output weight */
        double w[3];

        generic(3, k, w);
        for (int j = 0; j < 3; j++)
            theta[j * 4 + k] = w[j];
        theta[12 + 2 * k] = k < 2 ? 1.0 : 0.0;
        theta[12 + 2 * k + 1] = k == 1 ? -0.5 : 0.0;
    }
    CHECK_OK(ctx, dyn_rank_model(model, theta, NULL, &r));
    CHECK(dyn_rank_value(r) == 3 * 2 + 2 * 3);
    CHECK(dyn_rank_rows(r) == 2 * (20 + 32));
    dyn_rank_free(r);
    dyn_model_unref(model);
}

/* ---- matrix factorisation ---- */

enum { D = 4 };

/* f(x) = x A B: with x all unit vectors its values are the entries of AB. */
static dyn_node factorisation(void *user, dyn_graph *g, dyn_node x)
{
    static const int64_t shape[2] = { D, D };
    dyn_node A = dyn_graph_parameter(g, "A", 2, shape), B = dyn_graph_parameter(g, "B", 2, shape);

    (void)user;
    return dyn_graph_matmul(g, dyn_graph_matmul(g, x, A, 0, 0), B, 0, 0);
}

TEST(matrix_factorisation_has_rank_2rd_minus_r_squared)
{
    static const int64_t input[1] = { D };
    static const int64_t expected[5] = { 0, 7, 12, 15, 16 };
    double unit[D][D] = { { 0 } };
    dyn_model *model = NULL;

    for (int i = 0; i < D; i++)
        unit[i][i] = 1.0;
    CHECK_OK(ctx, dyn_model_from_callback(ctx, factorisation, NULL, 1, input, &model));
    CHECK(dyn_model_size(model) == 2 * D * D);
    for (int64_t rank = 0; rank <= D; rank++) {
        double theta[2][D][D] = { { { 0 } } };
        dyn_rank *r = NULL;

        for (int64_t k = 0; k < rank; k++)      /* A has `rank` columns, B as many rows */
            for (int i = 0; i < D; i++) {
                theta[0][i][k] = sin(1.7 * i + 2.9 * (double)(k * k * (i + 1)) + 0.4);
                theta[1][k][i] = cos(0.6 * i * i + 1.3 * (double)(k * (2 * i + 1)));
            }
        CHECK_OK(ctx, dyn_rank_at(model, theta[0][0], D, unit[0], NULL, &r));
        CHECK(dyn_rank_value(r) == expected[rank]);
        CHECK(dyn_rank_rows(r) == D * D);
        dyn_rank_free(r);
        CHECK_OK(ctx, dyn_rank_model(model, theta[0][0], NULL, &r));
        CHECK(dyn_rank_value(r) == expected[rank]);
        dyn_rank_free(r);
    }
    dyn_model_unref(model);
}

/* The same by numbers of entries, which are indices: whole, in one piece and in tiles. */
TEST(entries_of_a_factorisation)
{
    const int64_t widths[3] = { D, 2, D };
    const double between[1] = { 0.5 };
    dyn_factorisation_options opt = DYN_FACTORISATION_OPTIONS_INIT;
    dyn_rank_options tiles = DYN_RANK_OPTIONS_INIT;
    double theta[4 * D], entries[D * D];
    dyn_model *model = NULL;
    dyn_rank *r = NULL;

    opt.widths = widths;
    tiles.memory_limit = 10000;
    for (int i = 0; i < D * D; i++)
        entries[i] = i;
    for (int i = 0; i < 4 * D; i++)
        theta[i] = sin(1.7 * i + 0.3 * i * i);
    CHECK_OK(ctx, dyn_model_factorisation(ctx, &opt, &model));
    for (int limited = 0; limited < 2; limited++) {
        CHECK_OK(ctx, dyn_rank_at(model, theta, D * D, entries, limited ? &tiles : NULL, &r));
        CHECK(dyn_rank_value(r) == 12);         /* 2 r d - r^2 */
        dyn_rank_free(r);
    }
    CHECK(dyn_rank_at(model, theta, 1, between, NULL, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "0.5");
    CHECK(dyn_rank_model(model, theta, NULL, &r) == DYN_EDTYPE);
    CHECK_STR(dyn_ctx_message(ctx), "indices, which are not drawn");
    dyn_model_unref(model);
}

enum { TALL_ROWS = 90, FEW_COLUMNS = 60, PLANTED = 24 };

/* sum of values[i] e_2i e_(i + 5)^T, so that the singular values are the values. */
static dyn_operator *planted_map(const double *values)
{
    static double left[PLANTED * TALL_ROWS], right[PLANTED * FEW_COLUMNS];
    dyn_operator *A = NULL;

    for (int i = 0; i < PLANTED; i++) {
        left[i * TALL_ROWS + 2 * i] = 1.0;
        right[i * FEW_COLUMNS + i + 5] = 1.0;
    }
    CHECK_OK(ctx, dyn_operator_low_rank(ctx, TALL_ROWS, FEW_COLUMNS, PLANTED, left, values, right, &A));
    return A;
}

/* Values 2^-i: as many directions as the tolerance asks for, each value within what is left of it. */
TEST(rank_by_products)
{
    double values[PLANTED], chance;
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    dyn_operator *A, *B;

    for (int i = 0; i < PLANTED; i++)
        values[i] = ldexp(1.0, -i);
    A = planted_map(values);
    CHECK_OK(ctx, dyn_operator_transposed(A, &B));
    for (int turned = 0; turned < 2; turned++)
        for (int bits = 3; bits < 22; bits += 6) {
            dyn_rank *r = NULL;
            int64_t count;

            opt.tolerance = ldexp(0.75, -bits);
            CHECK_OK(ctx, dyn_rank_operator(turned ? B : A, &opt, &r));
            CHECK(dyn_rank_value(r) == bits + 1);
            const double *s = dyn_rank_singular_values(r, &count);
            CHECK(count > bits && count <= PLANTED && (bits > 9 || count < PLANTED));
            const double left = dyn_rank_remainder(r, &chance);
            CHECK(left <= opt.tolerance && chance <= 60e-10);
            CHECK(count == PLANTED || left >= values[count]);
            for (int64_t i = 0; i < count; i++)
                CHECK(s[i] <= values[i] + 1e-15 && values[i] <= s[i] + left + 1e-15);
            dyn_rank_free(r);
        }
    opt.memory_limit = 16000;
    dyn_rank *r = NULL;
    CHECK(dyn_rank_operator(A, &opt, &r) == DYN_NOT_CONVERGED);
    CHECK(dyn_rank_value(r) < 10 && dyn_rank_remainder(r, NULL) >= values[dyn_rank_value(r)]);
    dyn_rank_free(r);
    opt.memory_limit = 1000;
    CHECK(dyn_rank_operator(A, &opt, &r) == DYN_EFULL && !r);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_rank_operator: memory_limit is 1000");
    dyn_operator_unref(A);
    dyn_operator_unref(B);
}

static int32_t stop(void *user, int64_t count, const double *x, double *y)
{
    (void)count;
    (void)x;
    (void)y;
    return *(const int *)user;
}

/* Zero has no direction; the identity all of them, and nothing is left; a product that stops is an error. */
TEST(rank_of_what_has_none)
{
    const double nothing[PLANTED] = { 0.0 };
    dyn_operator *A = planted_map(nothing), *S = NULL;
    dyn_rank *r = NULL;
    int code = 7;

    CHECK_OK(ctx, dyn_rank_operator(A, NULL, &r));
    CHECK(dyn_rank_value(r) == 0 && dyn_rank_remainder(r, NULL) == 0.0);
    dyn_rank_free(r);
    CHECK_OK(ctx, dyn_operator_gram(A, &S));
    dyn_operator_unref(A);
    CHECK_OK(ctx, dyn_operator_shifted(S, 2.0, &A));
    CHECK_OK(ctx, dyn_rank_operator(A, NULL, &r));
    CHECK(dyn_rank_value(r) == FEW_COLUMNS && dyn_rank_remainder(r, NULL) == 0.0);
    CHECK_NEAR(dyn_rank_singular_values(r, NULL)[FEW_COLUMNS - 1], 2.0, 1e-13);
    dyn_rank_free(r);
    dyn_operator_unref(A);
    dyn_operator_unref(S);
    CHECK_OK(ctx, dyn_operator_from_callbacks(ctx, 3, 4, stop, stop, &code, &A));
    CHECK(dyn_rank_operator(A, NULL, &r) == DYN_EUSER && !r);
    CHECK(dyn_rank_operator(NULL, NULL, &r) == DYN_EINVAL && dyn_rank_operator(A, NULL, NULL) == DYN_EINVAL);
    dyn_operator_unref(A);
}

TEST(bad_arguments_are_named)
{
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    double a[4] = { 1, 2, 3, NAN };
    net n = make_net(2, 2, 0);
    dyn_rank *r = (dyn_rank *)a;

    CHECK(dyn_rank_matrix(NULL, 2, 2, a, NULL, &r) == DYN_EINVAL && !r);
    CHECK(dyn_rank_matrix(ctx, 2, 2, a, NULL, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_rank_matrix: jacobian[3]");
    CHECK(dyn_rank_matrix(ctx, 0, 2, a, NULL, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "0 x 2");
    opt.tolerance = -1;
    CHECK(dyn_rank_matrix(ctx, 1, 2, a, &opt, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "tolerance is -1");
    opt.tolerance = 0;
    opt.probes = -3;
    CHECK(dyn_rank_model(n.model, n.theta, &opt, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "probes is -3");
    CHECK(dyn_rank_at(n.model, n.theta, 0, a, NULL, &r) == DYN_EINVAL);
    n.theta[1] = INFINITY;
    CHECK(dyn_rank_model(n.model, n.theta, NULL, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "theta[1]");
    CHECK(dyn_rank_value(NULL) == 0 && !dyn_rank_singular_values(NULL, NULL));
    dyn_rank_free(NULL);
    dyn_model_unref(n.model);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 2;
    RUN(planted_rank_is_found);
    RUN(rules_differ_where_the_spectrum_decays);
    RUN(tall_matrices);
    RUN(unclear_cuts_are_decided_accurately);
    RUN(large_matrices);
    RUN(tanh_networks_have_rank_k_d_plus_1);
    RUN(one_dimensional_input_with_wide_probes);
    RUN(rank_at_a_degenerate_point);
    RUN(recovery_target_has_rank_21);
    RUN(outputs_of_any_dimension);
    RUN(matrix_factorisation_has_rank_2rd_minus_r_squared);
    RUN(entries_of_a_factorisation);
    RUN(memory_limits);
    RUN(rank_by_products);
    RUN(rank_of_what_has_none);
    RUN(bad_arguments_are_named);
    dyn_ctx_free(ctx);
    return test_end();
}
