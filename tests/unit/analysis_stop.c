/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A run that is stopped in the midst of a sharpness measurement, at any product, and goes on, in the same process or
 * from a checkpoint: parameters and series have the bits of a run that was never stopped. */
#include <stdlib.h>
#include <string.h>
#include "test.h"
#include <dyn/dyn.h>

enum { P = 90, STEPS = 9, EVERY = 3 };

static dyn_ctx *ctx;

/* The objective counts its products and asks its run to stop at one of them. */
typedef struct world { dyn_run *run; int64_t products, stop_at; } world;

static double slope(int i) { return 1.0 / (1.0 + 0.1 * i); }

static int32_t gradient(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta;
    double *value = at->value, *g = at->gradient;
    double f = 0;

    (void)user;
    for (int i = 0; i < P; i++) {
        f += theta[i] * theta[i] * (slope(i) / 2 + theta[i] * theta[i] / 4);
        g[i] = theta[i] * (slope(i) + theta[i] * theta[i]);
    }
    *value = f;
    return 0;
}

static int32_t value(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta;
    double *out = at->value;
    double g[P];

    return gradient(user, &(dyn_objective_view){ .theta = theta, .value = out, .gradient = g });
}

static int32_t product(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta, *v = at->v;
    double *hv = at->product;
    int64_t count = at->count;
    world *w = user;

    for (int64_t r = 0; r < count; r++, w->products++) {
        if (w->products == w->stop_at)
            dyn_run_stop(w->run);
        for (int i = 0; i < P; i++)
            hv[r * P + i] = (slope(i) + 3 * theta[i] * theta[i]) * v[r * P + i];
    }
    return 0;
}

static int32_t count_calls(void *user, const dyn_run_view *at)
{
    const double n = (double)++*(int *)user;

    return dyn_run_record(at->run, "calls", 1, &n);
}

typedef struct training { world w; dyn_objective *objective; dyn_sharpness_tracker *tracker; int calls; } training;

static void observe(training *t, int64_t every, int cold)
{
    dyn_sharpness_options o = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_schedule when = DYN_SCHEDULE_INIT;

    o.cold = cold;
    when.every = every;
    when.at_end = 1;
    dyn_sharpness_tracker_free(t->tracker);
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, P, &o, &t->tracker));
    CHECK_OK(ctx, dyn_run_observe(t->w.run, count_calls, &t->calls, &when));
    CHECK_OK(ctx, dyn_sharpness_observe(t->tracker, t->w.run, &when));
}

static dyn_optimizer_options adam(void)
{
    dyn_optimizer_options o = DYN_OPTIMIZER_OPTIONS_INIT;

    o.kind = DYN_OPTIMIZER_ADAM;
    o.rate = 0.05;
    return o;
}

static dyn_run_options until(int64_t steps)
{
    dyn_run_options o = DYN_RUN_OPTIONS_INIT;

    o.steps = steps ? steps : INT64_MAX;
    return o;
}

/* steps = 0: without an end of its own. every = 0: measured at the end only. */
static void begin_with(training *t, int64_t steps, int64_t every, int cold, int64_t stop_at)
{
    const dyn_optimizer_options optimizer = adam();
    const dyn_run_options opt = until(steps);
    double theta[P];

    *t = (training){ .w.stop_at = stop_at };
    for (int i = 0; i < P; i++)
        theta[i] = 1.0 + 0.01 * i;
    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = P, .value = value, .gradient = gradient,
                                                               .hessian = product, .user = &t->w), &t->objective));
    CHECK_OK(ctx, dyn_run_create(t->objective, &optimizer, &opt, theta, &t->w.run));
    observe(t, every, cold);
}

static void begin(training *t, int cold, int64_t stop_at) { begin_with(t, STEPS, EVERY, cold, stop_at); }

static void end(training *t)
{
    dyn_run_free(t->w.run);
    dyn_sharpness_tracker_free(t->tracker);
    dyn_objective_unref(t->objective);
}

static int same_series(const dyn_run *a, const dyn_run *b, const char *name)
{
    int64_t rows[2] = { 0 }, columns[2] = { 0 };
    const int64_t *steps[2] = { NULL };
    const double *values[2] = { NULL };

    CHECK_OK(ctx, dyn_run_series(a, name, &rows[0], &columns[0], &steps[0], &values[0]));
    CHECK_OK(ctx, dyn_run_series(b, name, &rows[1], &columns[1], &steps[1], &values[1]));
    return rows[0] == STEPS / EVERY + 1 && rows[0] == rows[1] && columns[0] == columns[1]
        && !memcmp(steps[0], steps[1], (size_t)rows[0] * sizeof *steps[0])
        && !memcmp(values[0], values[1], (size_t)(rows[0] * columns[0]) * sizeof *values[0]);
}

static void check_same(const training *whole, const training *stopped)
{
    static const char *const names[] = { "calls", "sharpness_pre", "sharpness", "sharpness_residual", "lambda_grad" };
    double theta[2][P];
    int64_t rows[2];

    CHECK_OK(ctx, dyn_run_theta(whole->w.run, theta[0]));
    CHECK_OK(ctx, dyn_run_theta(stopped->w.run, theta[1]));
    CHECK(!memcmp(theta[0], theta[1], sizeof theta[0]));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(same_series(whole->w.run, stopped->w.run, names[i]));
    const double *a = dyn_run_history(whole->w.run, "loss", &rows[0]);
    const double *b = dyn_run_history(stopped->w.run, "loss", &rows[1]);
    CHECK(rows[0] == STEPS + 1 && rows[1] == rows[0] && !memcmp(a, b, (size_t)rows[0] * sizeof *a));
}

/* A stop during the last products of a measurement comes too late for it and holds the next step. */
TEST(goes_on_in_the_same_process)
{
    training whole;
    int broken_off = 0;

    begin(&whole, 0, -1);
    CHECK_OK(ctx, dyn_run_train(whole.w.run, DYN_TO_END));
    for (int64_t at = 0; at < whole.w.products; at += 1 + at / 7) {
        training t;

        begin(&t, 0, at);
        CHECK(dyn_run_train(t.w.run, DYN_TO_END) == (dyn_status)DYN_STOPPED || dyn_run_step(t.w.run) == STEPS);
        broken_off += dyn_run_step(t.w.run) % EVERY == 0;
        if (dyn_run_reason(t.w.run) == DYN_RUN_STOPPED)
            CHECK_OK(ctx, dyn_run_train(t.w.run, DYN_TO_END));
        check_same(&whole, &t);
        end(&t);
    }
    CHECK(broken_off > 5);
    end(&whole);
}

/* The measurement at the end of one training was broken off; the next goes further, so that it is not the end. */
TEST(goes_on_to_another_end)
{
    training whole, t;
    double theta[2][P];

    begin_with(&whole, 0, 0, 0, -1);
    CHECK_OK(ctx, dyn_run_train(whole.w.run, 3));
    CHECK_OK(ctx, dyn_run_train(whole.w.run, 4));
    begin_with(&t, 0, 0, 0, 2);
    CHECK(dyn_run_train(t.w.run, 3) == (dyn_status)DYN_STOPPED && dyn_run_step(t.w.run) == 3);
    CHECK_OK(ctx, dyn_run_train(t.w.run, 4));
    CHECK(dyn_run_step(t.w.run) == 7);
    CHECK_OK(ctx, dyn_run_theta(whole.w.run, theta[0]));
    CHECK_OK(ctx, dyn_run_theta(t.w.run, theta[1]));
    CHECK(!memcmp(theta[0], theta[1], sizeof theta[0]));
    end(&t);
    end(&whole);
}

#if DYN__HAVE_ZIP
/* The observers of the unfinished step are called anew: what they had recorded is not in the checkpoint. */
TEST(goes_on_from_a_checkpoint)
{
    const dyn_optimizer_options optimizer = adam();
    const dyn_run_options opt = until(STEPS);
    char path[] = "/tmp/dyn-stop-XXXXXX";
    training whole, t;
    int64_t rows = 0;

    CHECK(mkstemp(path) >= 0);
    begin(&whole, 1, -1);
    CHECK_OK(ctx, dyn_run_train(whole.w.run, DYN_TO_END));
    begin(&t, 1, 3 * whole.w.products / 8 + 2);      /* in the second of four measurements */
    CHECK(dyn_run_train(t.w.run, DYN_TO_END) == (dyn_status)DYN_STOPPED && dyn_run_step(t.w.run) % EVERY == 0);
    CHECK_OK(ctx, dyn_run_save(t.w.run, path));
    dyn_run_free(t.w.run);
    CHECK_OK(ctx, dyn_run_load(t.objective, &optimizer, &opt, path, &t.w.run));
    CHECK_OK(ctx, dyn_run_series(t.w.run, "calls", &rows, NULL, NULL, NULL));
    CHECK(rows == t.calls - 1);
    t.calls = (int)rows;
    observe(&t, EVERY, 1);
    CHECK_OK(ctx, dyn_run_train(t.w.run, DYN_TO_END));
    check_same(&whole, &t);
    remove(path);
    end(&t);
    end(&whole);
}
#endif

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(goes_on_in_the_same_process);
    RUN(goes_on_to_another_end);
#if DYN__HAVE_ZIP
    RUN(goes_on_from_a_checkpoint);
#endif
    dyn_ctx_free(ctx);
    return test_end();
}
