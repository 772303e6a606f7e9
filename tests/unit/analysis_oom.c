/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the analyses fails in turn: the status is DYN_ENOMEM and nothing is left behind. */
#include "oom/oom.h"
#include "train_problem.h"
#include <dyn/condensation.h>
#include <dyn/rank.h>
#include <dyn/flow.h>
#include <dyn/kfac.h>
#include <dyn/landscape.h>
#include <dyn/objective.h>
#include <dyn/phase.h>
#include <dyn/plateaus.h>
#include <dyn/sharpness.h>
#include <dyn/tangent.h>

enum { NEURONS = 12, WIDTH = 2, SIZE = 70 };

static dyn_status condensation(dyn_ctx *ctx, void *arg)
{
    double w[NEURONS * WIDTH], d[NEURONS * NEURONS], ratio, top;
    dyn_condensation *c = NULL;
    dyn_status s;

    (void)arg;
    for (int i = 0; i < NEURONS * WIDTH; i++)
        w[i] = cos(i * i);
    s = dyn_condensation_measure(ctx, NEURONS, WIDTH, w, 0, NULL, NULL, &c);
    if (s >= 0)
        s = dyn_condensation_cosines(c, 1, d);
    if (s >= 0)
        s = dyn_condensation_cover(c, 0.95, NULL, &ratio);
    if (s >= 0)
        s = dyn_condensation_alignment(c, w, &ratio, NULL);
    if (s >= 0)
        s = dyn_condensation_histogram(c, 64, 3, d, &top);
    dyn_condensation_free(c);
    return s;
}

static int32_t diagonal(void *user, int64_t count, const double *x, double *y)
{
    (void)user;
    for (int64_t i = 0; i < count * SIZE; i++)
        y[i] = (double)(i % SIZE) * x[i];
    return 0;
}

static dyn_status sharpness(dyn_ctx *ctx, void *arg)
{
    double d[SIZE];
    dyn_operator *H = NULL;
    dyn_sharpness_tracker *t = NULL;
    dyn_status s = dyn_operator_from_callback(ctx, SIZE, diagonal, NULL, &H);

    (void)arg;
    for (int i = 0; i < SIZE; i++)
        d[i] = 1.0 + i % 3;
    if (s >= 0)
        s = dyn_sharpness_tracker_create(ctx, SIZE, NULL, &t);
    for (int i = 0; i < 2 && s >= 0; i++)
        s = dyn_sharpness_tracker_measure(t, H, d, 1.0, d, NULL);
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
    return s;
}

enum { REPLICAS = 2 };

/* A tracker for each replica, as they measure in several threads. */
static dyn_status observe(dyn_ctx *ctx, dyn_replicas *t, dyn_sharpness_tracker **tracker)
{
    dyn_sharpness_options opt = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_status s = DYN_OK;

    opt.max_products = 12;
    for (int i = 0; i < REPLICAS && s >= 0; i++) {
        s = dyn_sharpness_tracker_create(ctx, NETWORK_SIZE, &opt, &tracker[i]);
        if (s >= 0)
            s = dyn_sharpness_observe(tracker[i], dyn_replicas_run(t, i), &SCHEDULE(.every = 2));
    }
    return s;
}

static dyn_status observed_replicas(dyn_ctx *ctx, void *arg)
{
    const dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_sharpness_tracker *tracker[REPLICAS] = { NULL };
    dyn_objective *o;
    dyn_replicas *t = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    opt.count = REPLICAS;
    opt.init_count = 1;
    opt.inits = &init;
    if (s >= 0)
        s = dyn_replicas_create(o, &opt, &t);
    if (s >= 0)
        s = observe(ctx, t, tracker);
    if (s >= 0)
        s = dyn_replicas_train(t, 3);
    dyn_replicas_free(t);
    for (int i = 0; i < REPLICAS; i++)
        dyn_sharpness_tracker_free(tracker[i]);
    dyn_objective_unref(o);
    return s;
}

static dyn_status spikes(dyn_ctx *ctx, void *arg)
{
    static const double loss[5] = { 1, 1, 5, 1, 1 };
    dyn_episodes *e = NULL;
    dyn_status s = dyn_episodes_spikes(ctx, 5, NULL, loss, NULL, &e);

    (void)arg;
    dyn_episodes_free(e);
    return s;
}

/* Plateaus, centred targets, draws of training steps. */
static dyn_status phase(dyn_ctx *ctx, void *arg)
{
    static const double loss[5] = { 1, 1, 1, 0.5, 0.1 };
    double theta[NETWORK_SIZE], y[2] = { 0, 1 };
    dyn_episodes *e = NULL;
    dyn_objective *o = NULL;
    dyn_noise found;
    dyn_status s = try_network(ctx, DYN_F32, &o);

    (void)arg;
    for (int i = 0; i < NETWORK_SIZE; i++)
        theta[i] = cos(i);
    if (s >= 0)
        s = dyn_objective_noise(o, theta, 2, 1, &found);
    if (s >= 0)
        s = dyn_phase_centred_targets(dyn_objective_model(o), theta, 2, theta, y, y);
    if (s >= 0)
        s = dyn_episodes_plateaus(ctx, 5, NULL, loss, NULL, &e);
    dyn_episodes_free(e);
    dyn_objective_unref(o);
    return s;
}

static dyn_status rank(dyn_ctx *ctx, void *arg)
{
    static const int64_t widths[3] = { 1, 2, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    double theta[7] = { 1, -2, 0.5, 0.3, 1, 1e-12, 0 };     /* columns so small that they are looked at */
    dyn_rank_options tiles = DYN_RANK_OPTIONS_INIT;
    dyn_model *m = NULL;
    dyn_rank *r = NULL, *in_tiles = NULL;
    dyn_status s;

    (void)arg;
    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    s = dyn_model_perceptron(ctx, &opt, &m);
    if (s >= 0)
        s = dyn_rank_model(m, theta, NULL, &r);
    tiles.memory_limit = 3000;
    if (s >= 0)
        s = dyn_rank_model(m, theta, &tiles, &in_tiles);
    dyn_rank_free(r);
    dyn_rank_free(in_tiles);
    dyn_model_unref(m);
    return s;
}

static dyn_status rank_by_products(dyn_ctx *ctx, void *arg)
{
    dyn_operator *H = NULL;
    dyn_rank *r = NULL;
    dyn_status s = dyn_operator_from_callback(ctx, SIZE, diagonal, NULL, &H);

    (void)arg;
    if (s >= 0)
        s = dyn_rank_operator(H, NULL, &r);
    dyn_rank_free(r);
    dyn_operator_unref(H);
    return s;
}

static dyn_status tangent_kernel(dyn_ctx *ctx, void *arg)
{
    dyn_tangent_options opt = DYN_TANGENT_OPTIONS_INIT;
    double theta[NETWORK_SIZE], kernel[36], a[6];
    dyn_objective *o = NULL;
    dyn_array *x = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    for (int i = 0; i < NETWORK_SIZE; i++)
        theta[i] = cos(i);
    opt.memory_limit = 4 * NETWORK_SIZE * (int64_t)sizeof(double);
    opt.traced = 1;
    if (s >= 0)
        s = dyn_array_wrap(ctx, DYN_F64, 2, (int64_t[]){ 6, dyn_model_input_size(dyn_objective_model(o)) }, theta, &x);
    if (s >= 0)
        s = dyn_tangent_kernel(dyn_objective_model(o), theta, x, NULL, &opt, kernel);
    if (s >= 0)
        s = dyn_kernel_fit(ctx, 6, kernel, 1, theta, NULL, a, NULL);
    if (s >= 0)
        s = dyn_kernel_alignment(ctx, 6, kernel, kernel, 1, a);
    dyn_array_unref(x);
    dyn_objective_unref(o);
    return s;
}

static dyn_status kfac(dyn_ctx *ctx, void *arg)
{
    dyn_kfac_options opt = DYN_KFAC_OPTIONS_INIT;
    double theta[NETWORK_SIZE];
    dyn_kfac *k = NULL;
    dyn_operator *A = NULL, *F = NULL;
    dyn_objective *o = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    for (int i = 0; i < NETWORK_SIZE; i++)
        theta[i] = cos(i);
    opt.eigenvalues = 1;
    if (s >= 0)
        s = dyn_kfac_create(o, theta, &opt, &k);
    if (s >= 0)
        s = dyn_kfac_inverse(k, 0.1, DYN_KFAC_DAMP_EXACT, &A);
    if (s >= 0)
        s = dyn_operator_apply(A, 1, theta, theta);
    if (s >= 0)
        s = dyn_objective_empirical_fisher(o, theta, 1, &F);
    dyn_operator_unref(F);
    dyn_operator_unref(A);
    dyn_kfac_free(k);
    dyn_objective_unref(o);
    return s;
}

static dyn_status third_derivative(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE];
    dyn_operator *A = NULL;
    dyn_objective *o = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    for (int i = 0; i < NETWORK_SIZE; i++)
        theta[i] = cos(i);
    if (s >= 0)
        s = dyn_objective_third_derivative(o, theta, theta, &A);
    if (s >= 0)
        s = dyn_operator_apply(A, 1, theta, theta);
    dyn_operator_unref(A);
    dyn_objective_unref(o);
    return s;
}

static dyn_status landscape(dyn_ctx *ctx, void *arg)
{
    double theta[3 * NETWORK_SIZE], directions[2 * NETWORK_SIZE], coordinates[6], shares[2];
    dyn_objective *o = NULL, *path = NULL;
    dyn_learning_coefficient_options opt = DYN_LEARNING_COEFFICIENT_OPTIONS_INIT;
    dyn_learning_coefficient_result found;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    for (int i = 0; i < 3 * NETWORK_SIZE; i++)
        theta[i] = cos(i);
    opt.chains = 2;
    opt.draws = 3;
    opt.burn_in = 0;
    if (s >= 0)
        s = dyn_objective_path(o, theta, theta + NETWORK_SIZE, DYN_PATH_BEZIER, 1, 3, &path);
    if (s >= 0)
        s = dyn_objective_value(path, theta + 2 * NETWORK_SIZE, shares);
    if (s >= 0)
        s = dyn_trajectory_plane(ctx, 3, NETWORK_SIZE, theta, 0, directions, coordinates, shares);
    if (s >= 0)
        s = dyn_space_overlap(ctx, 2, NETWORK_SIZE, theta, directions, shares, coordinates);
    if (s >= 0)
        s = dyn_objective_learning_coefficient(o, theta, &opt, NULL, &found);
    dyn_objective_unref(path);
    dyn_objective_unref(o);
    return s;
}

TEST(condensation_out_of_memory) { oom_try("condensation", condensation, NULL); }
TEST(sharpness_out_of_memory) { oom_try("sharpness", sharpness, NULL); }
TEST(observed_replicas_out_of_memory) { oom_try("observed replicas", observed_replicas, NULL); }
TEST(spikes_out_of_memory) { oom_try("spikes", spikes, NULL); }
TEST(phase_out_of_memory) { oom_try("phase", phase, NULL); }
TEST(rank_out_of_memory) { oom_try("rank", rank, NULL);
    oom_try("rank by products", rank_by_products, NULL); }
TEST(kfac_out_of_memory) { oom_try("kfac", kfac, NULL); }
TEST(landscape_out_of_memory) { oom_try("landscape", landscape, NULL); }
TEST(tangent_kernel_out_of_memory) { oom_try("tangent kernel", tangent_kernel, NULL); }
TEST(third_derivative_out_of_memory) { oom_try("third derivative", third_derivative, NULL); }

int main(void)
{
    RUN(condensation_out_of_memory);
    RUN(sharpness_out_of_memory);
    RUN(observed_replicas_out_of_memory);
    RUN(spikes_out_of_memory);
    RUN(phase_out_of_memory);
    RUN(rank_out_of_memory);
    RUN(kfac_out_of_memory);
    RUN(landscape_out_of_memory);
    RUN(tangent_kernel_out_of_memory);
    RUN(third_derivative_out_of_memory);
    return test_end();
}
