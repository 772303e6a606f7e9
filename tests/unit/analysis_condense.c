/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Condensation in training, as published: a target of four ReLU neurons is learned direction by direction, to five
 * orientations at the end; a tanh network condenses on one line before it learns anything (arXiv 2105.11686, figure 3);
 * weights stay where they are for gamma = 1/2 and gather on few directions for gamma = 7/4 (arXiv 2007.07497). */
#include "analysis_training.h"

static dyn_ctx *ctx;

static double relu(double x)
{
    return x > 0.0 ? x : 0.0;
}

/* 100 neurons, all parameters N(0, 1/m^4), gradient descent with rate 0.1, 20 points on [-1, 1]. The smallest angle
 * between two of the final orientations is 0.34 rad (an independent simulation in NumPy, which ends on the plateaus
 * 1.0e-4 or 1.4e-5, depending on the seed), so 0.98 = cos(0.2) tells them apart. */
TEST(four_relu_target_ends_with_five_orientations)
{
    enum { N = 20, LAST = 100000 };
    static const int64_t widths[3] = { 1, 100, 1 };
    static const int64_t at[4] = { 100, 1000, 5000, LAST };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_optimizer_options gd = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
    double x[N], y[N], loss[4];
    int64_t found[4], rows = 0;
    training t;

    for (int i = 0; i < N; i++) {
        x[i] = -1.0 + 2.0 * i / (N - 1);
        y[i] = -relu(x[i]) + relu(2 * (x[i] + 0.3)) - relu(1.5 * (x[i] - 0.4)) + relu(0.5 * (x[i] - 0.8));
    }
    net.widths_count = 3;
    net.widths = widths;
    net.activation = DYN_RELU;
    net.no_output_bias = 1;
    init.kind = DYN_INIT_NORMAL;
    init.scale = 1e-4;
    init.seed = 1;
    gd.rate = 0.1;
    opt.amplitude = DYN_AMPLITUDE_NORM;
    opt.threshold = 0.98;
    opt.dead = 0.02;
    t = training_make(ctx, &net, &init, N, x, y, NULL);
    training_start(&t, &gd, NULL);
    for (int i = 0; i < 4; i++) {
        dyn_condensation *c;

        CHECK_OK(ctx, dyn_run_train(t.run, at[i] - dyn_run_step(t.run)));
        c = training_condensation(&t, &opt);
        found[i] = dyn_condensation_effective(c);
        loss[i] = dyn_run_history(t.run, "loss", &rows)[rows - 1];
        printf("# step %d: loss %.3e, %d orientations, %d neurons alive\n", (int)at[i], loss[i], (int)found[i],
               (int)(100 - dyn_condensation_dead(c)));
        dyn_condensation_free(c);
    }
    CHECK(found[0] == 1 && found[3] == 5);
    CHECK(found[1] <= found[2] && found[2] <= found[3]);
    CHECK(loss[1] < loss[0] && loss[2] < loss[1] && loss[3] < 1.1e-4);
    training_free(&t);
}

/* Share of the neurons in the two largest clusters, which must be opposite; 0 if they are not. */
static double share_of_pair(dyn_condensation *c)
{
    const double *d = dyn_condensation_directions(c);
    const int64_t *size = dyn_condensation_sizes(c);
    int64_t k = dyn_condensation_components(c);
    double dot = 0.0;

    if (dyn_condensation_clusters(c) < 2)
        return 0.0;
    for (int64_t j = 0; j < k; j++)
        dot += d[j] * d[k + j];
    return dot < -0.99 ? (double)(size[0] + size[1]) / (double)dyn_condensation_neurons(c) : 0.0;
}

static double condense_tanh(uint64_t seed, const double *x, const double *y)
{
    static const int64_t widths[3] = { 5, 50, 1 };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_optimizer_options adam = DYN_OPTIMIZER_OPTIONS_INIT;
    const double *loss;
    dyn_condensation *c;
    int64_t rows = 0;
    double share, progress;
    training t;

    net.widths_count = 3;
    net.widths = widths;
    net.activation = DYN_TANH;
    init.kind = DYN_INIT_NORMAL;
    init.scale = 0.005;
    init.seed = seed;
    adam.kind = DYN_OPTIMIZER_ADAM;
    adam.rate = 1e-3;
    t = training_make(ctx, &net, &init, 80, x, y, NULL);
    training_start(&t, &adam, NULL);
    CHECK_OK(ctx, dyn_run_train(t.run, 100));
    loss = dyn_run_history(t.run, "loss", &rows);
    progress = loss[rows - 1] / loss[0];
    c = training_condensation(&t, NULL);
    share = share_of_pair(c);
    printf("# seed %d: loss at %.2f of the start, %.0f %% of the neurons in two opposite clusters\n", (int)seed,
           progress, 100 * share);
    CHECK(progress > 0.7 && progress < 1.0);        /* the initial stage */
    dyn_condensation_free(c);
    training_free(&t);
    return share;
}

TEST(tanh_condenses_on_one_line_initially)
{
    enum { SEEDS = 5 };
    double x[80][5], y[80];
    int good = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        CHECK_OK(ctx, dyn_random_uniform(ctx, seed, 0, 0, 400, x[0]));
        for (int i = 0; i < 80; i++) {
            y[i] = 0.0;
            for (int j = 0; j < 5; j++) {
                x[i][j] = -4.0 + 6.0 * x[i][j];
                y[i] += 3.5 * sin(5.0 * x[i][j] + 1.0);
            }
        }
        good += condense_tanh(seed, x[0], y) >= 0.95;
    }
    CHECK(good >= 3);
}

/* Four points of x^2 by f = m^-gamma sum a relu(w x + b) with standard normal parameters, as an antisymmetric pair.
 * Published (figure 3): relative distance 0.00274 for gamma = 1/2 and 0.269 for gamma = 1 at m = 10000, slopes -0.506
 * and 0.007 of its logarithm in that of m; a simulation in NumPy of five seeds gives 0.00267 to 0.00281 and 0.264 to
 * 0.272. */
typedef struct phase {
    double distance, top_mass;
} phase;

static phase phase_at(int64_t m, double gamma)
{
    static const double x[4] = { -0.5, -1.0 / 6, 1.0 / 6, 0.5 };
    int64_t widths[3] = { 1, m, 1 };
    double y[4], kappa = pow((double)m, -gamma), mass[64];
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_objective_options half = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_optimizer_options gd = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    phase p = { 0 };
    dyn_condensation *c;
    double *theta = calloc((size_t)(6 * m), sizeof *theta);
    training t;

    for (int i = 0; i < 4; i++)
        y[i] = x[i] * x[i];
    net.widths_count = 3;
    net.widths = widths;
    net.activation = DYN_RELU;
    net.no_output_bias = 1;
    net.antisymmetric = 1;
    net.output_scale = kappa;
    init.kind = DYN_INIT_NORMAL;
    init.scale = 1.0;
    init.seed = 3;
    half.half = 1;
    gd.rate = 0.3 / fmax(kappa, kappa * kappa * (double)m);
    opt.stop_loss = 1e-6;
    opt.steps = 100000;
    opt.record_every = 1000;
    t = training_make(ctx, &net, &init, 4, x, y, &half);
    training_start(&t, &gd, &opt);
    CHECK_OK(ctx, dyn_run_train(t.run, DYN_TO_END));
    CHECK(dyn_run_reason(t.run) == DYN_RUN_LOSS);
    CHECK_OK(ctx, dyn_run_theta(t.run, theta));
    CHECK_OK(ctx, dyn_condensation_distance(ctx, 2 * m, theta, t.theta, &p.distance));
    c = training_condensation(&t, NULL);
    CHECK_OK(ctx, dyn_condensation_histogram(c, 64, 4, mass, &p.top_mass));
    printf("# gamma %.2f, m %d: step %d, relative distance %.5f, %.0f %% of the amplitude in 4 of 64 angles\n", gamma,
           (int)m, (int)dyn_run_step(t.run), p.distance, 100 * p.top_mass);
    dyn_condensation_free(c);
    free(theta);
    training_free(&t);
    return p;
}

TEST(gamma_below_on_and_above_the_boundary)
{
    static const double width[3] = { 1000, 10000, 40000 };
    double linear[3], critical[3], slope = 0.0, error = 0.0;
    phase narrow = { 0 }, condensed = phase_at(1000, 1.75);

    for (int i = 0; i < 3; i++) {
        phase p = phase_at((int64_t)width[i], 0.5);

        narrow = i == 0 ? p : narrow;
        linear[i] = p.distance;
        critical[i] = phase_at((int64_t)width[i], 1.0).distance;
    }
    CHECK_NEAR(linear[1], 0.0027, 0.0003);
    CHECK_NEAR(critical[1], 0.267, 0.02);
    CHECK(condensed.distance > 3.0);
    CHECK(narrow.top_mass < 0.2 && condensed.top_mass > 0.9);
    CHECK_OK(ctx, dyn_condensation_slope(ctx, 3, width, linear, &slope, &error));
    printf("# slope %.3f +- %.3f for gamma 0.5\n", slope, error);
    CHECK_NEAR(slope, -0.51, 0.04);
    CHECK_OK(ctx, dyn_condensation_slope(ctx, 3, width, critical, &slope, &error));
    printf("# slope %.3f +- %.3f for gamma 1\n", slope, error);
    CHECK_NEAR(slope, 0.01, 0.04);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 2;
    RUN(four_relu_target_ends_with_five_orientations);
    RUN(tanh_condenses_on_one_line_initially);
    RUN(gamma_below_on_and_above_the_boundary);
    dyn_ctx_free(ctx);
    return test_end();
}
