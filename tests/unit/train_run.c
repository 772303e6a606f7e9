/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Training runs: trajectory and history against closed forms, and every way a run can stop. */
#include <pthread.h>
#include "train_problem.h"

static dyn_ctx *ctx;
static dyn_objective *quadratic;

static dyn_run *start(dyn_optimizer_options optimizer, dyn_run_options options)
{
    dyn_run *r = NULL;

    CHECK_OK(ctx, dyn_run_create(quadratic, &optimizer, &options, quadratic_start, &r));
    return r;
}

static double loss_at(int t, double rate)
{
    double sum = 0;

    for (int i = 0; i < QUADRATIC_SIZE; i++)
        sum += curvature[i] * pow(quadratic_start[i] * pow(1 - rate * curvature[i], t), 2) / 2;
    return sum;
}

TEST(history_of_gradient_descent)
{
    dyn_run *r = start(OPTIMIZER(.rate = .25), RUN_OPTIONS(.steps = 50));
    const double *step, *loss, *norm, *rate;
    double theta[3];
    int64_t rows;

    CHECK(dyn_run_reason(r) == DYN_RUN_READY);
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(dyn_run_reason(r) == DYN_RUN_STEPS && dyn_run_step(r) == 50);
    step = dyn_run_history(r, "step", &rows), loss = dyn_run_history(r, "loss", NULL);
    norm = dyn_run_history(r, "gradient_norm", NULL), rate = dyn_run_history(r, "rate", NULL);
    CHECK(rows == 51);
    for (int t = 0; t < rows; t++) {
        double squares = 0;

        for (int i = 0; i < 3; i++)
            squares += pow(curvature[i] * quadratic_start[i] * pow(1 - .25 * curvature[i], t), 2);
        CHECK(step[t] == t && rate[t] == .25);
        CHECK_NEAR(loss[t] / loss_at(t, .25), 1, 1e-12);
        CHECK_NEAR(norm[t] / sqrt(squares), 1, 1e-12);
    }
    CHECK_OK(ctx, dyn_run_theta(r, theta));
    CHECK_NEAR(theta[0] / pow(1 - .125, 50), 1, 1e-13);
    CHECK(theta[2] == 0);
    CHECK(dyn_run_history(r, "losses", &rows) == NULL && rows == 0);
    dyn_run_free(r);
}

/* Rows at multiples of record_every and at the end; calls of dyn_run_train leave no trace. */
TEST(rows_of_the_history)
{
    dyn_run *r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 24, .record_every = 7));
    const double *step, expected[] = { 0, 7, 14, 21, 24 };
    int64_t rows;

    CHECK_OK(ctx, dyn_run_train(r, 3));
    CHECK(dyn_run_step(r) == 3 && dyn_run_reason(r) == DYN_RUN_READY);
    CHECK_OK(ctx, dyn_run_train(r, 11));
    CHECK_OK(ctx, dyn_run_train(r, 1000));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_train(r, 5));
    CHECK(dyn_run_reason(r) == DYN_RUN_STEPS && dyn_run_step(r) == 24);
    step = dyn_run_history(r, "step", &rows);
    CHECK(rows == 5 && memcmp(step, expected, sizeof expected) == 0);
    dyn_run_free(r);

    r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(0));
    CHECK_OK(ctx, dyn_run_train(r, 4));
    CHECK_OK(ctx, dyn_run_train(r, 4));
    step = dyn_run_history(r, "step", &rows);
    CHECK(rows == 9 && step[8] == 8);
    dyn_run_free(r);
}

TEST(stop_at_a_loss)
{
    const double limit = loss_at(13, .1);
    dyn_run *r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 1000, .stop_loss = limit * (1 + 1e-9)));
    const double *loss;
    int64_t rows;

    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(dyn_run_reason(r) == DYN_RUN_LOSS && dyn_run_step(r) == 13);
    loss = dyn_run_history(r, "loss", &rows);
    CHECK(rows == 14);
    CHECK_NEAR(loss[13] / limit, 1, 1e-12);
    CHECK_OK(ctx, dyn_run_train(r, 5));
    CHECK(dyn_run_reason(r) == DYN_RUN_LOSS && dyn_run_step(r) == 13);
    dyn_run_history(r, "loss", &rows);
    CHECK(rows == 14);
    dyn_run_free(r);
}

TEST(stop_at_an_accuracy)
{
    dyn_objective *o = make_network(ctx, DYN_F32);
    const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .03);
    const dyn_run_options options = RUN_OPTIONS(.steps = 5000, .stop_accuracy = 0.95, .accuracy_every = 10);
    double theta[NETWORK_SIZE], accuracy;
    const double *values;
    const int64_t *steps;
    int64_t rows, columns;
    dyn_run *r;

    network_start(theta);
    CHECK_OK(ctx, dyn_run_create(o, &adam, &options, theta, &r));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(dyn_run_reason(r) == DYN_RUN_ACCURACY && dyn_run_step(r) % 10 == 0 && dyn_run_step(r) > 0);
    CHECK_OK(ctx, dyn_run_theta(r, theta));
    CHECK_OK(ctx, dyn_objective_accuracy(o, theta, &accuracy));
    CHECK_OK(ctx, dyn_run_series(r, "accuracy", &rows, &columns, &steps, &values));
    CHECK(columns == 1 && rows == dyn_run_step(r) / 10 + 1 && steps[rows - 1] == dyn_run_step(r));
    CHECK(accuracy >= .95 && values[rows - 1] == accuracy && values[rows - 2] < .95);
    dyn_run_free(r);
    dyn_objective_unref(o);
}

/* Ten times the stable rate: the loss overflows. What was measured before stays. */
TEST(stop_when_not_finite)
{
    dyn_run *r = start(OPTIMIZER(.rate = 5), RUN_OPTIONS(.steps = 10000));
    const double *loss;
    int64_t rows;

    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_run_train: loss is inf at step");
    CHECK(dyn_run_reason(r) == DYN_RUN_NONFINITE);
    loss = dyn_run_history(r, "loss", &rows);
    CHECK(rows == dyn_run_step(r) && rows > 100 && isfinite(loss[rows - 1]) && loss[rows - 1] > 1e300);
    CHECK(dyn_run_train(r, 10) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "the run ended at step");
    dyn_run_free(r);
}

typedef struct calls { int count, stop_after; double fraction; char text[100]; } calls;

static int32_t count_calls(void *user, double fraction, const char *text)
{
    calls *c = user;

    CHECK(fraction >= c->fraction && fraction <= 1);
    c->fraction = fraction;
    snprintf(c->text, sizeof c->text, "%s", text);
    return ++c->count == c->stop_after;
}

TEST(progress)
{
    calls c = { 0 }, d = { .stop_after = 3 };
    dyn_run *r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 40, .progress = count_calls, .progress_user = &c,
                                                          .progress_every = 10));

    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(c.count == 5 && c.fraction == 1);
    CHECK_STR(c.text, "step 40 of 40, loss ");
    dyn_run_free(r);
    r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 40, .progress = count_calls, .progress_user = &d,
                                                 .progress_every = 10));
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_STOPPED);
    CHECK(dyn_run_step(r) == 30 && dyn_run_reason(r) == DYN_RUN_STOPPED);
    d.fraction = 0;
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(dyn_run_step(r) == 40 && dyn_run_reason(r) == DYN_RUN_STEPS);
    dyn_run_free(r);
}

static void *stop_soon(void *run)
{
    usleep(20000);
    dyn_run_stop(run);
    return NULL;
}

TEST(stop_from_another_thread)
{
    dyn_run *r = start(OPTIMIZER(.rate = 1e-9), RUN_OPTIONS(.record_every = 1000000));
    pthread_t thread;
    int64_t rows;

    CHECK(pthread_create(&thread, NULL, stop_soon, r) == 0);
    CHECK(dyn_run_train(r, INT64_MAX - 1) == DYN_STOPPED);
    pthread_join(thread, NULL);
    CHECK(dyn_run_reason(r) == DYN_RUN_STOPPED && dyn_run_step(r) > 0);
    dyn_run_history(r, "loss", &rows);
    CHECK(rows == (dyn_run_step(r) + 999999) / 1000000);
    dyn_run_stop(r);        /* nothing is in progress: nothing happens */
    CHECK_OK(ctx, dyn_run_train(r, 1));
    dyn_run_stop(NULL);
    dyn_run_free(r);
}

static int32_t failing_gradient(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;

    return (*(int *)user)-- == 0 ? 7 : quadratic_form(x, value, g);
}

/* A failure of the objective leaves the run where it was; another try goes on. */
TEST(failing_objective)
{
    int calls_left = 5;
    dyn_objective *o;
    dyn_run *r, *whole = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 20));

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 3, .value = quadratic_value,
                                                               .gradient = failing_gradient, .user = &calls_left), &o));
    CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.rate = .1), &RUN_OPTIONS(.steps = 20), quadratic_start, &r));
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_EUSER);
    CHECK(dyn_run_step(r) == 5 && dyn_run_reason(r) == DYN_RUN_FAILED);
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_train(whole, DYN_TO_END));
    check_same_theta(r, whole, 3);
    check_same_records(r, whole);
    dyn_run_free(r);
    dyn_run_free(whole);
    dyn_objective_unref(o);
}

typedef struct scaled { double by, seen[QUADRATIC_SIZE]; int watching; } scaled;

/* by times the quadratic; keeps the first theta it sees. */
static int32_t scaled_gradient(void *user, const dyn_objective_view *at)
{
    scaled *s = user;

    if (s->watching)
        memcpy(s->seen, at->theta, sizeof s->seen);
    s->watching = 0;
    quadratic_form(at->theta, at->value, at->gradient);
    *at->value *= s->by;
    for (int i = 0; i < QUADRATIC_SIZE; i++)
        at->gradient[i] *= s->by;
    return 0;
}

/* An objective may change between two trainings: the second begins by looking at where it stands. */
TEST(another_objective_by_the_next_training)
{
    static const int32_t kinds[] = { DYN_OPTIMIZER_GD, DYN_OPTIMIZER_LBFGS };
    double theta[QUADRATIC_SIZE];

    for (int k = 0; k < 2; k++) {
        scaled user = { .by = 1 };
        dyn_objective *o;
        dyn_run *r;

        CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 3, .value = quadratic_value,
                                                                   .gradient = scaled_gradient, .user = &user), &o));
        CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.kind = kinds[k], .rate = .1), NULL, quadratic_start, &r));
        CHECK_OK(ctx, dyn_run_train(r, 2));
        CHECK_OK(ctx, dyn_run_theta(r, theta));
        user.by = 2;
        user.watching = 1;
        CHECK_OK(ctx, dyn_run_train(r, 1));
        CHECK(!memcmp(theta, user.seen, sizeof theta));
        dyn_run_free(r);
        dyn_objective_unref(o);
    }
}

TEST(bad_options)
{
    const struct { dyn_run_options options; dyn_status status; const char *message; } bad[] = {
        { RUN_OPTIONS(.steps = -1), DYN_EINVAL, "dyn_run_create: steps is -1" },
        { RUN_OPTIONS(.record_every = -2), DYN_EINVAL, "record_every is -2" },
        { RUN_OPTIONS(.accuracy_every = -3), DYN_EINVAL, "accuracy_every is -3" },
        { RUN_OPTIONS(.progress_every = -3), DYN_EINVAL, "progress_every is -3" },
        { RUN_OPTIONS(.batch = -1), DYN_EINVAL, "batch is -1" },
        { RUN_OPTIONS(.batch = 4), DYN_ENOTSUP, "batch is 4, but the objective has no samples" },
        { RUN_OPTIONS(.stop_loss = NAN), DYN_EINVAL, "stop_loss is nan" },
        { RUN_OPTIONS(.stop_accuracy = 1.5), DYN_EINVAL, "stop_accuracy 1.5" },
        { RUN_OPTIONS(.stop_accuracy = NAN), DYN_EINVAL, "stop_accuracy nan" },
        { RUN_OPTIONS(.drop_last = 2), DYN_EINVAL, "drop_last is 2" },
        { { .struct_size = 8 }, DYN_EABI_OLD, "dyn_run_options: struct_size is 8" },
    };
    dyn_run *r;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r = (dyn_run *)1;
        CHECK(dyn_run_create(quadratic, NULL, &bad[i].options, quadratic_start, &r) == bad[i].status);
        CHECK(r == NULL);
        CHECK_STR(dyn_ctx_message(ctx), bad[i].message);
    }
    CHECK(dyn_run_create(quadratic, &OPTIMIZER(.rate = -3), NULL, quadratic_start, &r) == DYN_EINVAL && r == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_run_create: rate is -3");
}

TEST(bad_calls)
{
    const double infinite[3] = { 0, INFINITY, 0 };
    double theta[3] = { 0 };
    dyn_run *r;

    CHECK(dyn_run_create(NULL, NULL, NULL, theta, &r) == DYN_EINVAL && r == NULL);
    CHECK(dyn_run_create(quadratic, NULL, NULL, NULL, &r) == DYN_EINVAL);
    CHECK(dyn_run_create(quadratic, NULL, NULL, quadratic_start, NULL) == DYN_EINVAL);
    CHECK(dyn_run_create(quadratic, NULL, NULL, infinite, &r) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "theta[1] is inf");
    CHECK_OK(ctx, dyn_run_create(quadratic, NULL, NULL, quadratic_start, &r));
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "options give no end");
    CHECK(dyn_run_train(r, -1) == DYN_EINVAL);
    CHECK(dyn_run_train(NULL, 1) == DYN_EINVAL);
    CHECK(dyn_run_theta(r, NULL) == DYN_EINVAL && dyn_run_theta(NULL, theta) == DYN_EINVAL);
    CHECK(dyn_run_objective(r) == quadratic && dyn_optimizer_rate(dyn_run_optimizer(r), 0) == 1e-3);
    CHECK(dyn_run_step(NULL) == 0 && dyn_run_reason(NULL) == 0 && !dyn_run_optimizer(NULL) && !dyn_run_objective(NULL));
    CHECK(dyn_run_history(NULL, "loss", NULL) == NULL && dyn_run_parameters(NULL, NULL) == NULL);
    dyn_run_free(r);
    dyn_run_free(NULL);
}

/* theta -= rate h theta: from another theta the next step begins there; history and step go on. */
static void set_and_go(int32_t kind, int native)
{
    static const double other[3] = { 2, 1, -3 };
    double theta[3];
    int64_t rows;
    dyn_run *r = start(OPTIMIZER(.kind = kind, .rate = .1), RUN_OPTIONS(.stop_loss = 0.5));

    CHECK_OK(ctx, dyn_run_train(r, 2));
    CHECK_OK(ctx, native ? dyn_run_set_parameters(r, DYN_F64, 3, other) : dyn_run_set_theta(r, other));
    CHECK_OK(ctx, dyn_run_theta(r, theta));
    CHECK(!memcmp(theta, other, sizeof theta));
    CHECK_OK(ctx, dyn_run_train(r, 1));
    CHECK(dyn_run_step(r) == 3 && dyn_run_history(r, "loss", &rows) && rows == 4);
    CHECK_OK(ctx, dyn_run_theta(r, theta));
    for (int i = 0; i < 3 && kind == DYN_OPTIMIZER_GD; i++)
        CHECK_NEAR(theta[i], (1 - .1 * curvature[i]) * other[i], 1e-15);
    CHECK(kind == DYN_OPTIMIZER_GD || dyn_run_history(r, "loss", &rows)[3] < 19.5);
    dyn_run_free(r);
}

TEST(set_theta)
{
    static const float single[3] = { 1, 2, 3 };
    static const double hole[3] = { 1, NAN, 3 };
    dyn_run *r = start(OPTIMIZER(.rate = .1), RUN_OPTIONS(.steps = 20));

    set_and_go(DYN_OPTIMIZER_GD, 0);
    set_and_go(DYN_OPTIMIZER_GD, 1);
    set_and_go(DYN_OPTIMIZER_LBFGS, 0);
    CHECK(dyn_run_set_parameters(r, DYN_F32, 3, single) == DYN_EDTYPE);
    CHECK_STR(dyn_ctx_message(ctx), "float32, the run's is float64");
    CHECK(dyn_run_set_parameters(r, DYN_F64, 2, hole) == DYN_ESHAPE);
    CHECK(dyn_run_set_parameters(r, DYN_F64, 3, hole) == DYN_ENONFINITE);
    CHECK(dyn_run_set_theta(r, hole) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "theta[1]");
    CHECK(dyn_run_set_theta(r, NULL) == DYN_EINVAL && dyn_run_set_theta(NULL, hole) == DYN_EINVAL);
    dyn_run_free(r);
}

int main(void)
{
    ctx = make_ctx(2);
    quadratic = make_quadratic(ctx);
    RUN(history_of_gradient_descent);
    RUN(rows_of_the_history);
    RUN(stop_at_a_loss);
    RUN(stop_at_an_accuracy);
    RUN(stop_when_not_finite);
    RUN(progress);
    RUN(stop_from_another_thread);
    RUN(failing_objective);
    RUN(another_objective_by_the_next_training);
    RUN(bad_options);
    RUN(bad_calls);
    RUN(set_theta);
    dyn_objective_unref(quadratic);
    dyn_ctx_free(ctx);
    return test_end();
}
