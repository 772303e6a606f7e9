/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Observers and series: when they are called, what they see, and that nothing they do moves the trajectory. */
#include "train_problem.h"

static dyn_ctx *ctx;
static dyn_objective *quadratic;

typedef struct diary { int64_t step[300]; int count; dyn_status answer; int64_t answer_at; } diary;

static int32_t note(void *user, const dyn_run_view *at)
{
    diary *l = user;
    double value, g[QUADRATIC_SIZE], own[QUADRATIC_SIZE];

    l->step[l->count++] = at->step;
    quadratic_form(at->theta, &value, g);
    CHECK(value == at->loss && memcmp(g, at->gradient, sizeof g) == 0);
    CHECK(dyn_run_step(at->run) == at->step);
    CHECK(dyn_run_theta(at->run, own) == DYN_OK && memcmp(own, at->theta, sizeof own) == 0);
    return at->step == l->answer_at ? l->answer : 0;
}

static dyn_run *start(int64_t steps)
{
    dyn_run *r = NULL;

    CHECK_OK(ctx, dyn_run_create(quadratic, &OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .1),
                                 &RUN_OPTIONS(.steps = steps ? steps : INT64_MAX), quadratic_start, &r));
    return r;
}

static void check_steps(const dyn_schedule *when, int64_t steps, int count, const int64_t *expected)
{
    diary l = { .answer_at = -1 };
    dyn_run *r = start(steps);

    CHECK_OK(ctx, dyn_run_observe(r, note, &l, when));
    for (int call = 1; call < 7; call++)
        CHECK_OK(ctx, dyn_run_train(r, call));      /* 21 steps in pieces, then the rest */
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(l.count == count);
    if (l.count == count)
        for (int i = 0; i < count; i++)
            CHECK(l.step[i] == expected[i]);
    dyn_run_free(r);
}

TEST(schedules)
{
    const int64_t list[] = { 30, 4, 4, 1000, 0 };

    check_steps(&SCHEDULE(.every = 10), 45, 5, (const int64_t[]){ 0, 10, 20, 30, 40 });
    check_steps(&SCHEDULE(.every = 15), 45, 4, (const int64_t[]){ 0, 15, 30, 45 });
    check_steps(&SCHEDULE(.at_start = 1), 45, 1, (const int64_t[]){ 0 });
    check_steps(&SCHEDULE(.at_end = 1), 45, 1, (const int64_t[]){ 45 });
    check_steps(&SCHEDULE(.at_start = 1, .at_end = 1, .every = 40), 45, 3, (const int64_t[]){ 0, 40, 45 });
    check_steps(&SCHEDULE(.per_decade = 1), 100, 3, (const int64_t[]){ 1, 10, 100 });
    check_steps(&SCHEDULE(.per_decade = 3), 120, 7, (const int64_t[]){ 1, 2, 5, 10, 22, 46, 100 });
    check_steps(&SCHEDULE(.count = 5, .steps = list), 60, 3, (const int64_t[]){ 0, 4, 30 });
    check_steps(&SCHEDULE(.per_decade = 2, .at_end = 1, .count = 2, .steps = list), 45, 7,
                (const int64_t[]){ 1, 3, 4, 10, 30, 32, 45 });
    check_steps(&SCHEDULE(.every = INT64_MAX), 22, 1, (const int64_t[]){ 0 });
    check_steps(NULL, 22, 23, (const int64_t[]){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                                 20, 21, 22 });
}

/* Without an end of its own the run ends with each call; an early end counts too. */
TEST(ends)
{
    diary l = { .answer_at = -1 }, m = { .answer_at = -1 };
    dyn_run *r = start(0);

    CHECK_OK(ctx, dyn_run_observe(r, note, &l, &SCHEDULE(.at_end = 1)));
    CHECK_OK(ctx, dyn_run_train(r, 5));
    CHECK_OK(ctx, dyn_run_train(r, 7));
    CHECK(l.count == 2 && l.step[0] == 5 && l.step[1] == 12);
    dyn_run_free(r);
    CHECK_OK(ctx, dyn_run_create(quadratic, &OPTIMIZER(.rate = .1), &RUN_OPTIONS(.steps = 5000, .stop_loss = 1e-6),
                                 quadratic_start, &r));
    CHECK_OK(ctx, dyn_run_observe(r, note, &m, &SCHEDULE(.at_end = 1)));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(m.count == 1 && m.step[0] == dyn_run_step(r) && dyn_run_step(r) < 5000);
    dyn_run_free(r);
}

/* The optimiser an observer sees has taken g_t in; its twin is stepped by hand. */
typedef struct twin { dyn_optimizer *o; double theta[3]; int calls; } twin;

static int32_t compare_with_twin(void *user, const dyn_run_view *at)
{
    twin *t = user;
    double a[3], b[3], c, d;

    CHECK(memcmp(at->theta, t->theta, sizeof t->theta) == 0);
    CHECK_OK(ctx, dyn_optimizer_step(t->o, t->theta, at->gradient));
    CHECK(dyn_optimizer_steps(dyn_run_optimizer(at->run)) == at->step + 1);
    for (int moment = 1; moment <= 2; moment++) {
        CHECK_OK(ctx, dyn_optimizer_moment(dyn_run_optimizer(at->run), moment, a));
        CHECK_OK(ctx, dyn_optimizer_moment(t->o, moment, b));
        CHECK(memcmp(a, b, sizeof a) == 0);
    }
    CHECK_OK(ctx, dyn_optimizer_preconditioner(dyn_run_optimizer(at->run), a, &c));
    CHECK_OK(ctx, dyn_optimizer_preconditioner(t->o, b, &d));
    CHECK(memcmp(a, b, sizeof a) == 0 && c == d);
    t->calls++;
    return 0;
}

TEST(observer_sees_the_step_about_to_be_taken)
{
    const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .1);
    twin t = { .theta = { quadratic_start[0], quadratic_start[1], quadratic_start[2] } };
    dyn_run *r = start(20);

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 3, DYN_F64, &adam, &t.o));
    CHECK_OK(ctx, dyn_run_observe(r, compare_with_twin, &t, NULL));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(t.calls == 21);
    CHECK(dyn_optimizer_steps(dyn_run_optimizer(r)) == 20);
    dyn_optimizer_free(t.o);
    dyn_run_free(r);
}

/* An observer that runs other work on the same objective. */
static int32_t disturb(void *user, const dyn_run_view *at)
{
    dyn_objective *o = dyn_run_objective(at->run);
    double value, elsewhere[NETWORK_SIZE], g[NETWORK_SIZE];

    (void)user;
    for (int i = 0; i < NETWORK_SIZE; i++)
        elsewhere[i] = at->theta[i] + 1 + (double)at->step;
    CHECK_OK(ctx, dyn_objective_gradient(o, elsewhere, g, &value));
    CHECK(dyn_run_train(at->run, 1) == DYN_ESTATE && dyn_run_save(at->run, "/tmp/never") == DYN_ESTATE);
    CHECK(dyn_run_observe(at->run, disturb, NULL, NULL) == DYN_ESTATE);
    CHECK_OK(ctx, dyn_run_record(at->run, "loss here", 1, &at->loss));
    return 0;
}

TEST(measuring_changes_nothing)
{
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        dyn_objective *o = make_network(ctx, dtype);
        const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAMW, .rate = .05, .weight_decay = .01);
        const dyn_run_options options = RUN_OPTIONS(.batch = 5, .seed = 3);
        double theta[NETWORK_SIZE];
        dyn_run *plain, *measured;

        network_start(theta);
        CHECK_OK(ctx, dyn_run_create(o, &adam, &options, theta, &plain));
        CHECK_OK(ctx, dyn_run_create(o, &adam, &options, theta, &measured));
        CHECK_OK(ctx, dyn_run_observe(measured, disturb, NULL, &SCHEDULE(.every = 3, .at_end = 1)));
        CHECK_OK(ctx, dyn_run_train(plain, 40));
        CHECK_OK(ctx, dyn_run_train(measured, 17));     /* measured at its end, with the moments of a step to come */
        CHECK_OK(ctx, dyn_run_train(measured, 23));
        check_same_theta(plain, measured, NETWORK_SIZE);
        CHECK(memcmp(dyn_run_history(plain, "loss", NULL), dyn_run_history(measured, "loss", NULL), 41 * 8) == 0);
        dyn_run_free(plain);
        dyn_run_free(measured);
        dyn_objective_unref(o);
    }
}

TEST(observers_stop_a_run)
{
    diary stop = { .answer = DYN_STOPPED, .answer_at = 7 }, fail = { .answer = DYN_ENOTSUP, .answer_at = 9 };
    diary odd = { .answer = DYN_ENONFINITE, .answer_at = 11 };
    dyn_run *r = start(15), *whole = start(15);

    CHECK_OK(ctx, dyn_run_observe(r, note, &stop, NULL));
    CHECK_OK(ctx, dyn_run_observe(r, note, &fail, NULL));
    CHECK_OK(ctx, dyn_run_observe(r, note, &odd, NULL));
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_STOPPED);
    CHECK(dyn_run_step(r) == 8 && dyn_run_reason(r) == DYN_RUN_STOPPED && fail.count == 8);
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_ENOTSUP);
    CHECK(dyn_run_step(r) == 10 && dyn_run_reason(r) == DYN_RUN_FAILED);
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_ENONFINITE);
    CHECK(dyn_run_step(r) == 12 && dyn_run_reason(r) == DYN_RUN_FAILED);
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(stop.count == 16 && fail.count == 16);
    CHECK_OK(ctx, dyn_run_train(whole, DYN_TO_END));
    check_same_theta(r, whole, 3);
    check_same_records(r, whole);
    dyn_run_free(r);
    dyn_run_free(whole);
}

static int32_t fails_inside(void *user, const dyn_run_view *at)
{
    (void)user;
    return dyn_run_record(at->run, "a/b", 1, &at->loss);
}

/* An answer without a message of its own is named with the step, and never gets the message of an older failure. */
TEST(answers_of_observers)
{
    static const struct { int32_t answer; dyn_status status; const char *message; } rows[] = {
        { DYN_ESHAPE, DYN_ESHAPE, "dyn_run_train: observer 0 returned -3 (DYN_ESHAPE) at step 2" },
        { DYN_NOT_CONVERGED, DYN_EUSER, "dyn_run_train: observer 0 returned 1 (DYN_NOT_CONVERGED) at step 2" },
        { 7, DYN_EUSER, "dyn_run_train: observer 0 returned 7 (unknown status) at step 2" },
        { -99, DYN_EUSER, "dyn_run_train: observer 0 returned -99 (unknown status) at step 2" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        diary odd = { .answer = rows[i].answer, .answer_at = 2 };
        dyn_run *r = start(5);

        CHECK_OK(ctx, dyn_run_observe(r, note, &odd, NULL));
        CHECK(dyn_run_record(r, "", 1, curvature) == DYN_EINVAL);       /* an older failure */
        CHECK(dyn_run_train(r, DYN_TO_END) == rows[i].status && dyn_run_reason(r) == DYN_RUN_FAILED);
        CHECK_STR(dyn_ctx_message(ctx), rows[i].message);
        dyn_run_free(r);
    }
    dyn_run *r = start(5);
    CHECK_OK(ctx, dyn_run_observe(r, fails_inside, NULL, NULL));
    CHECK(dyn_run_train(r, DYN_TO_END) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "\"a/b\" cannot name a series");
    dyn_run_free(r);
}

/* After an error nothing has changed: no series is left that has no rows. */
TEST(series_that_fail)
{
    char path[] = "/tmp/dyn-measure-XXXXXX";
    dyn_run *r = start(3);

    close(mkstemp(path));
    CHECK(dyn_run_record(r, "s", INT64_C(1) << 60, curvature) == DYN_ENOMEM);
    CHECK(dyn_run_record(r, "s", INT64_MAX, curvature) == DYN_ENOMEM);
    CHECK(dyn_run_series_count(r) == 0);
    CHECK_OK(ctx, dyn_run_record(r, "s", 2, curvature));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_write_csv(r, path));
    unlink(path);
    dyn_run_free(r);
}

TEST(series)
{
    dyn_run *r = start(0);
    const double rows[3][2] = { { 1, 2 }, { 3, NAN }, { 5, 6 } };
    const char *const bad[] = { "", "loss", "a/b", "a,b", "a\nb",
                                "0123456789012345678901234567890123456789012345678901234567890123" };
    const double *values;
    const int64_t *steps;
    int64_t n, k;

    for (int i = 0; i < 3; i++) {
        CHECK_OK(ctx, dyn_run_record(r, "top-2 eigenvalues", 2, rows[i]));
        CHECK_OK(ctx, dyn_run_train(r, 2));
    }
    CHECK_OK(ctx, dyn_run_record(r, "other", 1, rows[0]));
    CHECK_OK(ctx, dyn_run_series(r, "top-2 eigenvalues", &n, &k, &steps, &values));
    CHECK(n == 3 && k == 2 && memcmp(values, rows, sizeof rows) == 0);
    CHECK(steps[0] == 0 && steps[1] == 2 && steps[2] == 4);
    CHECK_OK(ctx, dyn_run_series(r, "other", NULL, NULL, NULL, NULL));
    CHECK(dyn_run_series_count(r) == 2 && !strcmp(dyn_run_series_name(r, 1), "other"));
    CHECK(dyn_run_series_name(r, 2) == NULL && dyn_run_series_name(r, -1) == NULL);
    CHECK(dyn_run_record(r, "other", 2, rows[0]) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "series \"other\" has 1 columns, not 2");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(dyn_run_record(r, bad[i], 1, rows[0]) == DYN_EINVAL);
    CHECK(dyn_run_record(r, "x", 0, rows[0]) == DYN_EINVAL);
    CHECK(dyn_run_series(r, "none", &n, &k, &steps, &values) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "no series \"none\" among 2");
    dyn_run_free(r);
}

TEST(bad_schedules)
{
    const int64_t negative[] = { 3, -1 };
    const struct { dyn_schedule when; const char *message; } bad[] = {
        { SCHEDULE(.every = -1), "every -1" }, { SCHEDULE(.per_decade = -1), "per_decade -1" },
        { SCHEDULE(.count = -1), "count -1" }, { SCHEDULE(.count = 2), "steps is NULL with count 2" },
        { SCHEDULE(.count = 2, .steps = negative), "steps[1] is -1" }, { SCHEDULE(.at_end = 2), "at_end 2" },
    };
    dyn_run *r = start(10);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(dyn_run_observe(r, note, NULL, &bad[i].when) == DYN_EINVAL);
        CHECK_STR(dyn_ctx_message(ctx), bad[i].message);
    }
    CHECK(dyn_run_observe(r, NULL, NULL, NULL) == DYN_EINVAL && dyn_run_observe(NULL, note, NULL, NULL) == DYN_EINVAL);
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    dyn_run_free(r);
}

int main(void)
{
    ctx = make_ctx(2);
    quadratic = make_quadratic(ctx);
    RUN(schedules);
    RUN(ends);
    RUN(observer_sees_the_step_about_to_be_taken);
    RUN(measuring_changes_nothing);
    RUN(observers_stop_a_run);
    RUN(answers_of_observers);
    RUN(series_that_fail);
    RUN(series);
    RUN(bad_schedules);
    dyn_objective_unref(quadratic);
    dyn_ctx_free(ctx);
    return test_end();
}
