/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replicas: the bits of runs of their own, for any number of threads and any company; failures that stay alone. */
#include "train_problem.h"

enum { REPLICAS = 9, STEPS = 200 };
static dyn_ctx *ctx;

typedef struct setting {
    dyn_optimizer_options optimizers[REPLICAS];
    dyn_run_options runs[REPLICAS];
    double theta[REPLICAS * NETWORK_SIZE];
} setting;

/* Replicas with rates, ends and orders of their own; number 4 is given a rate that no network survives. */
static void fill(setting *s, int64_t batch)
{
    for (int i = 0; i < REPLICAS; i++) {
        s->optimizers[i] = i == 4 ? OPTIMIZER(.rate = 1e200)
                                  : OPTIMIZER(.kind = i % 2 ? DYN_OPTIMIZER_ADAM : DYN_OPTIMIZER_HEAVY_BALL,
                                              .rate = .01 + .005 * i);
        s->runs[i] = RUN_OPTIONS(.steps = STEPS + 10 * i, .batch = batch ? batch : INT64_MAX, .seed = (uint64_t)i,
                                 .record_every = 1 + i % 3);
        for (int j = 0; j < NETWORK_SIZE; j++)
            s->theta[i * NETWORK_SIZE + j] = sin(1.0 + 7 * i + 3 * j);
    }
}

static dyn_replicas *make(dyn_objective *o, const setting *s, int first, int count)
{
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_replicas *t = NULL;

    opt.count = opt.optimizer_count = opt.run_count = count;
    opt.optimizers = s->optimizers + first;
    opt.runs = s->runs + first;
    opt.theta = s->theta + first * NETWORK_SIZE;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_OK);
    return t;
}

static void check_against_single_runs(dyn_replicas *t, const setting *s, dyn_objective *o)
{
    for (int i = 0; i < REPLICAS; i++) {
        dyn_run *single = NULL, *r = dyn_replicas_run(t, i);

        CHECK_OK(ctx, dyn_run_create(o, &s->optimizers[i], &s->runs[i], s->theta + i * NETWORK_SIZE, &single));
        CHECK(dyn_run_train(single, DYN_TO_END) == (i == 4 ? DYN_ENONFINITE : DYN_OK));
        CHECK(dyn_run_reason(r) == dyn_run_reason(single) && dyn_run_step(r) == dyn_run_step(single));
        check_same_theta(r, single, NETWORK_SIZE);
        check_same_records(r, single);
        dyn_run_free(single);
    }
}

TEST(same_bits_as_single_runs)
{
    for (int64_t batch = 0; batch <= 5; batch += 5)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++)
            for (int k = 0; k < 3; k++) {
                const int threads[] = { 1, 2, 7 };
                dyn_ctx *c = make_ctx(threads[k]);
                dyn_objective *o = make_network(c, dtype), *alone = make_network(ctx, dtype);
                setting s;
                dyn_replicas *t;

                fill(&s, batch);
                t = make(o, &s, 0, REPLICAS);
                CHECK_OK(c, dyn_replicas_train(t, DYN_TO_END));
                CHECK(dyn_run_reason(dyn_replicas_run(t, 4)) == DYN_RUN_NONFINITE);
                check_against_single_runs(t, &s, alone);
                dyn_replicas_free(t);
                dyn_objective_unref(o);
                dyn_objective_unref(alone);
                dyn_ctx_free(c);
            }
}

static int32_t go_on(void *user, double fraction, const char *text)
{
    double *last = user;

    CHECK(fraction >= *last && fraction <= 1);
    CHECK_STR(text, "replicas training");
    *last = fraction;
    return 0;
}

/* In groups of other sizes, in several calls, with and without progress. */
TEST(grouping_does_not_matter)
{
    dyn_objective *o = make_network(ctx, DYN_F64);
    setting s;
    dyn_replicas *all, *part;

    fill(&s, 5);
    all = make(o, &s, 0, REPLICAS);
    CHECK_OK(ctx, dyn_replicas_train(all, DYN_TO_END));
    for (int first = 0; first < REPLICAS; first += 4) {
        const int count = REPLICAS - first < 4 ? REPLICAS - first : 4;

        part = make(o, &s, first, count);
        CHECK_OK(ctx, dyn_replicas_train(part, 33));
        CHECK_OK(ctx, dyn_replicas_train(part, DYN_TO_END));
        for (int i = 0; i < count; i++) {
            check_same_theta(dyn_replicas_run(all, first + i), dyn_replicas_run(part, i), NETWORK_SIZE);
            check_same_records(dyn_replicas_run(all, first + i), dyn_replicas_run(part, i));
        }
        dyn_replicas_free(part);
    }
    dyn_replicas_free(all);
    dyn_objective_unref(o);
}

TEST(progress_and_results)
{
    dyn_objective *o = make_network(ctx, DYN_F32);
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .01);
    const dyn_init_options init = { .struct_size = sizeof init, .kind = DYN_INIT_NORMAL, .scale = .5, .seed = 40,
                                    .bias_kind = DYN_INIT_AS_WEIGHTS };
    double last = 0, theta[3 * NETWORK_SIZE], loss[3], expected[NETWORK_SIZE];
    dyn_init_options third = init;
    dyn_replicas *t;

    opt.count = 3;
    opt.optimizer_count = 1, opt.optimizers = &adam;
    opt.init_count = 1, opt.inits = &init;
    opt.progress = go_on, opt.progress_user = &last;
    CHECK_OK(ctx, dyn_replicas_create(o, &opt, &t));
    CHECK_OK(ctx, dyn_replicas_results(t, theta, loss));
    CHECK(isnan(loss[0]) && dyn_replicas_count(t) == 3);
    third.seed = 42;
    CHECK_OK(ctx, dyn_model_initialise(dyn_objective_model(o), &third, expected));
    for (int i = 0; i < NETWORK_SIZE; i++)
        CHECK(theta[2 * NETWORK_SIZE + i] == (double)(float)expected[i]);
    CHECK_OK(ctx, dyn_replicas_train(t, 500));
    CHECK(last == 1);
    CHECK_OK(ctx, dyn_replicas_results(t, theta, loss));
    for (int i = 0; i < 3; i++) {
        double value;
        int64_t rows;
        const double *history = dyn_run_history(dyn_replicas_run(t, i), "loss", &rows);

        CHECK_OK(ctx, dyn_objective_value(o, theta + i * NETWORK_SIZE, &value));
        CHECK_NEAR(loss[i], value, 1e-6);
        CHECK(rows == 501 && history[500] == loss[i] && history[0] > loss[i]);
    }
    dyn_replicas_free(t);
    dyn_objective_unref(o);
}

static int32_t stop_now(void *user, double fraction, const char *text)
{
    (void)user, (void)fraction, (void)text;
    return 1;
}

TEST(cancel)
{
    dyn_objective *o = make_network(ctx, DYN_F64);
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_replicas *t;
    setting s;

    fill(&s, 0);
    opt.count = 2, opt.theta = s.theta;
    opt.progress = stop_now;
    CHECK_OK(ctx, dyn_replicas_create(o, &opt, &t));
    CHECK(dyn_replicas_train(t, 100000000) == DYN_STOPPED);
    CHECK(dyn_run_step(dyn_replicas_run(t, 0)) > 0 && dyn_run_step(dyn_replicas_run(t, 1)) < 100000000);
    CHECK(dyn_run_reason(dyn_replicas_run(t, 1)) == DYN_RUN_STOPPED);
    dyn_replicas_stop(t);       /* nothing is in progress: nothing happens */
    CHECK_OK(ctx, dyn_replicas_train(t, 5));
    dyn_replicas_stop(NULL);
    dyn_replicas_free(t);
    dyn_objective_unref(o);
}

static int32_t record(void *user, const dyn_run_view *at)
{
    double accuracy;

    ++*(int *)user;         /* calls come one at a time */
    CHECK(dyn_objective_accuracy(dyn_run_objective(at->run), at->theta, &accuracy) == DYN_OK);
    CHECK(dyn_run_record(at->run, "accuracy here", 1, &accuracy) == DYN_OK);
    return at->step == 50 && *(int *)user < 0 ? DYN_STOPPED : 0;
}

/* Observers and accuracy share the objective with all other replicas. */
TEST(observers_of_replicas)
{
    dyn_ctx *c = make_ctx(4);
    dyn_objective *o = make_network(c, DYN_F32);
    dyn_replicas *t;
    setting s;
    int count = 0, seen = 0;

    fill(&s, 0);
    for (int i = 0; i < REPLICAS; i++) {
        s.runs[i].stop_accuracy = 1;
        s.runs[i].accuracy_every = 20;
    }
    t = make(o, &s, 0, REPLICAS);
    for (int i = 0; i < REPLICAS; i++)
        CHECK_OK(c, dyn_run_observe(dyn_replicas_run(t, i), record, &count, &SCHEDULE(.every = 10)));
    CHECK_OK(c, dyn_replicas_train(t, 100));
    for (int i = 0; i < REPLICAS; i++) {
        const double *a = NULL, *b = NULL;
        int64_t rows = 0;

        CHECK_OK(c, dyn_run_series(dyn_replicas_run(t, i), "accuracy", NULL, NULL, NULL, &a));
        CHECK_OK(c, dyn_run_series(dyn_replicas_run(t, i), "accuracy here", &rows, NULL, NULL, &b));
        CHECK(a && b && a[0] == b[0]);
        seen += (int)rows;
    }
    CHECK(count == seen && seen > 50);
    dyn_replicas_free(t);
    dyn_objective_unref(o);
    dyn_ctx_free(c);
}

static int32_t fails_far_out(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;

    (void)user;
    return fabs(x[0]) > 100 ? 3 : quadratic_form(x, value, g);
}

TEST(one_fails)
{
    dyn_objective *o;
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    const double theta[9] = { 1, 1, 1, 1000, 1, 1, 2, 2, 2 };
    const dyn_run_options run = RUN_OPTIONS(.steps = 30);
    dyn_replicas *t;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 3, .value = quadratic_value,
                                                               .gradient = fails_far_out), &o));
    opt.count = 3, opt.theta = theta;
    opt.run_count = 1, opt.runs = &run;
    CHECK_OK(ctx, dyn_replicas_create(o, &opt, &t));
    CHECK(dyn_replicas_train(t, DYN_TO_END) == DYN_EUSER);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_replicas_train: replica 1 failed at step 0");
    CHECK(dyn_run_reason(dyn_replicas_run(t, 0)) == DYN_RUN_STEPS && dyn_run_step(dyn_replicas_run(t, 2)) == 30);
    CHECK(dyn_run_train(dyn_replicas_run(t, 0), 1) == DYN_ESTATE);
    dyn_replicas_free(t);
    dyn_objective_unref(o);
}

/* A bad option is reported with its replica. */
TEST(bad_options)
{
    dyn_objective *o = make_network(ctx, DYN_F64), *q = make_quadratic(ctx);
    const dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_replicas *t;
    setting s;

    CHECK(dyn_replicas_create(NULL, &opt, &t) == DYN_EINVAL && dyn_replicas_create(o, &opt, NULL) == DYN_EINVAL);
    CHECK(dyn_replicas_create(o, NULL, &t) == DYN_EINVAL && t == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_replicas_create: count is 0");
    fill(&s, 0);
    opt.count = 3;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "theta is NULL with 0 inits");
    opt.theta = s.theta;
    opt.optimizer_count = 2, opt.optimizers = s.optimizers;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "optimizers: count is 2 for 3 replicas");
    opt.optimizer_count = 3;
    s.optimizers[2].rate = -1;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EINVAL && t == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_replicas_create: replica 2: rate is -1");
    s.optimizers[2].struct_size = 4;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EABI_SIZE);
    s.optimizers[2] = s.optimizers[1];
    opt.run_count = 3, opt.runs = s.runs;
    s.runs[1].batch = 5;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "replica 1: batch 5, drop_last 0 differ from replica 0's 9223372036854775807, 0");
    s.runs[1] = s.runs[0];
    s.runs[2].progress = stop_now;
    CHECK(dyn_replicas_create(o, &opt, &t) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "replica 2: progress");
    opt.run_count = 0, opt.optimizer_count = 0, opt.theta = NULL, opt.init_count = 1, opt.inits = &init;
    CHECK(dyn_replicas_create(q, &opt, &t) == DYN_ENOTSUP);
    CHECK_OK(ctx, dyn_replicas_create(o, &opt, &t));
    CHECK(dyn_replicas_train(t, DYN_TO_END) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "replica 0 give no end");
    CHECK(dyn_replicas_train(t, -1) == DYN_EINVAL && dyn_replicas_train(NULL, 1) == DYN_EINVAL);
    CHECK(dyn_replicas_run(t, 3) == NULL && dyn_replicas_run(NULL, 0) == NULL && dyn_replicas_count(NULL) == 0);
    CHECK(dyn_replicas_results(NULL, NULL, NULL) == DYN_EINVAL);
    dyn_replicas_free(t);
    dyn_replicas_free(NULL);
    dyn_objective_unref(o);
    dyn_objective_unref(q);
}

int main(void)
{
    ctx = make_ctx(2);
    RUN(same_bits_as_single_runs);
    RUN(grouping_does_not_matter);
    RUN(progress_and_results);
    RUN(cancel);
    RUN(observers_of_replicas);
    RUN(one_fails);
    RUN(bad_options);
    dyn_ctx_free(ctx);
    return test_end();
}
