/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the analyses fails in turn: the status is DYN_ENOMEM and nothing is left behind. */
#include "oom/oom.h"
#include <dyn/condensation.h>
#include <dyn/rank.h>
#include <dyn/sharpness.h>

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
        s = dyn_condensation_cover(c, 0.0, NULL, &ratio);
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
        s = dyn_sharpness_tracker_measure(t, H, d, 1.0, d);
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
    return s;
}

static dyn_status spikes(dyn_ctx *ctx, void *arg)
{
    static const double loss[5] = { 1, 1, 5, 1, 1 };
    dyn_episodes *e = NULL;
    dyn_status s = dyn_episodes_spikes(ctx, 5, loss, NULL, &e);

    (void)arg;
    dyn_episodes_free(e);
    return s;
}

static dyn_status rank(dyn_ctx *ctx, void *arg)
{
    static const int64_t widths[3] = { 1, 2, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    double theta[7] = { 1, -2, 0.5, 0.3, 1, 1, 0 };
    dyn_model *m = NULL;
    dyn_rank *r = NULL;
    dyn_status s;

    (void)arg;
    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    s = dyn_model_perceptron(ctx, &opt, &m);
    if (s >= 0)
        s = dyn_rank_model(m, theta, NULL, &r);
    dyn_rank_free(r);
    dyn_model_unref(m);
    return s;
}

TEST(condensation_out_of_memory) { oom_try("condensation", condensation, NULL); }
TEST(sharpness_out_of_memory) { oom_try("sharpness", sharpness, NULL); }
TEST(spikes_out_of_memory) { oom_try("spikes", spikes, NULL); }
TEST(rank_out_of_memory) { oom_try("rank", rank, NULL); }

int main(void)
{
    RUN(condensation_out_of_memory);
    RUN(sharpness_out_of_memory);
    RUN(spikes_out_of_memory);
    RUN(rank_out_of_memory);
    return test_end();
}
