/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of small measurements fails in turn: what condensation and rank give beside their main numbers, episodes,
 * crossings, histograms, factors of layers. */
#include "oom/oom.h"
#include "oom/then.h"
#include "train_problem.h"

enum { NEURONS = 6, COMPONENTS = 3 };

static dyn_status network(dyn_ctx *ctx, dyn_model **out)
{
    return dyn_model_mlp(ctx, 3, (int64_t[]){ 2, NEURONS, 1 }, DYN_TANH, out);
}

static dyn_status condensation(dyn_ctx *ctx, void *arg)
{
    const double x[6] = { 1, 2, -1, .5, .3, -2 }, y[3] = { 1, -1, 2 };
    double theta[NETWORK_SIZE], w[NEURONS * COMPONENTS], a[NEURONS], angle[NEURONS], z[COMPONENTS], value, error;
    int64_t neurons, components, outputs;
    dyn_condensation *c = NULL;
    dyn_model *m = NULL;
    dyn_status s = network(ctx, &m);

    (void)arg;
    network_start(theta);
    THEN(dyn_condensation_shape(m, 1, &neurons, &components, &outputs));
    THEN(dyn_condensation_features(m, theta, 1, w, a));
    THEN(dyn_condensation_measure(ctx, NEURONS, 2, theta, 0, NULL, NULL, &c));
    THEN(dyn_condensation_orientation(c, angle));
    THEN(dyn_condensation_data_direction(ctx, 3, 2, x, y, 1, z));
    THEN(dyn_condensation_distance(ctx, 6, x, w, &value));
    THEN(dyn_condensation_slope(ctx, 3, (double[]){ 1, 2, 4 }, (double[]){ 1, 2, 3 }, &value, &error));
    dyn_condensation_free(c);
    dyn_model_unref(m);
    return s;
}

static dyn_status rank(dyn_ctx *ctx, void *arg)
{
    const double x[8] = { 1, 2, -1, .5, .3, -2, .7, .1 };
    double theta[NETWORK_SIZE];
    dyn_rank *r = NULL, *of_matrix = NULL;
    dyn_model *m = NULL;
    dyn_status s = network(ctx, &m);

    (void)arg;
    network_start(theta);
    THEN(dyn_rank_at(m, theta, 4, x, NULL, &r));
    THEN(dyn_rank_matrix(ctx, 4, 2, x, NULL, &of_matrix));
    dyn_rank_free(r);
    dyn_rank_free(of_matrix);
    dyn_model_unref(m);
    return s;
}

static dyn_status episodes(dyn_ctx *ctx, void *arg)
{
    const int64_t steps[6] = { 0, 1, 2, 3, 4, 5 };
    const double series[6] = { 1, 3, 3, 1, 3, 1 }, threshold[6] = { 2, 2, 2, 2, 2, 2 }, x[3] = { 1, 2, 4 };
    double sustained[6], counts[4], crossings[2];
    int64_t hits, missed, alarms;
    dyn_episodes *e = NULL;
    dyn_status s = dyn_episodes_above(ctx, 6, steps, series, threshold, &e);

    (void)arg;
    THEN(dyn_episodes_sustained(ctx, 6, series, sustained));
    THEN(dyn_episodes_confusion(e, e, 1, &hits, &missed, &alarms));
    THEN(dyn_loss_histogram(ctx, 6, steps, series, 4, 1, 4, counts));
    THEN(dyn_phase_crossings(ctx, 2, 3, x, series, 2, crossings));
    dyn_episodes_free(e);
    return s;
}

static dyn_status factors(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE];
    int32_t weight, bias;
    int64_t a, b;
    dyn_objective *o = NULL;
    dyn_operator *F = NULL;
    dyn_kfac *k = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    network_start(theta);
    THEN(dyn_kfac_create(o, theta, NULL, &k));
    THEN(dyn_kfac_layer(k, 0, &weight, &bias, &a, &b));
    THEN(dyn_kfac_operator(k, &F));
    dyn_operator_unref(F);
    dyn_kfac_free(k);
    dyn_objective_unref(o);
    return s;
}

TEST(out_of_memory)
{
    oom_try("condensation of a layer", condensation, NULL);
    oom_try("rank at a point", rank, NULL);
    oom_try("episodes", episodes, NULL);
    oom_try("factors of layers", factors, NULL);
}

int main(void)
{
    RUN(out_of_memory);
    return test_end();
}
