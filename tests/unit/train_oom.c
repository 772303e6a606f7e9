/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of a training fails in turn: runs, observers, histories that grow, checkpoints, tables, replicas. */
#include "oom/oom.h"
#include "oom/then.h"
#include "train_problem.h"

static int32_t observer(void *user, const dyn_run_view *at)
{
    const dyn_status s = dyn_run_keep(at->run, "kept", 2, at->theta);

    (void)user;
    return s < 0 ? s : dyn_run_record(at->run, at->loss > 0 ? "a" : "b", 2, at->theta);
}

static dyn_status step_by_hand(dyn_ctx *ctx, void *arg)
{
    dyn_optimizer *o = NULL, *sam = NULL, *sophia = NULL;
    double x = 1, g = 1, h = 2, d, c;
    dyn_status s = dyn_optimizer_create(ctx, 1, DYN_F64, &OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM), &o);

    (void)arg;
    THEN(dyn_optimizer_step(o, &x, &g));
    THEN(dyn_optimizer_moment(o, 1, &d));
    THEN(dyn_optimizer_preconditioner(o, &d, &c));
    THEN(dyn_optimizer_create(ctx, 1, DYN_F64, &OPTIMIZER(.sam_rho = .1), &sam));
    THEN(dyn_optimizer_perturb(sam, &x, &g, &d));
    THEN(dyn_optimizer_create(ctx, 1, DYN_F64, &OPTIMIZER(.kind = DYN_OPTIMIZER_SOPHIA), &sophia));
    THEN(dyn_optimizer_curvature(sophia, &h));
    dyn_optimizer_free(o);
    dyn_optimizer_free(sam);
    dyn_optimizer_free(sophia);
    return s;
}

static const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM);
static const dyn_run_options options = RUN_OPTIONS(.steps = 30, .batch = 5, .ema = .5);

static dyn_status train(dyn_ctx *ctx, dyn_run **out)
{
    dyn_objective *o;
    double theta[NETWORK_SIZE];
    dyn_status s = try_network(ctx, DYN_F32, &o);

    *out = NULL;
    network_start(theta);
    if (s == DYN_OK)
        s = dyn_run_create(o, &adam, &options, theta, out);
    if (s == DYN_OK)
        s = dyn_run_observe(*out, observer, NULL,
                            &SCHEDULE(.count = 2, .steps = (const int64_t[]){ 3, 9 }, .at_end = 1));
    if (s == DYN_OK)
        s = dyn_run_train(*out, DYN_TO_END);
    dyn_objective_unref(o);
    return s;
}

/* What a run gives out. */
static dyn_status look(dyn_run *r)
{
    double theta[NETWORK_SIZE];
    int64_t rows, columns;
    const int64_t *steps;
    const double *values;
    uint64_t print;
    dyn_status s = dyn_run_theta(r, theta);

    THEN(dyn_run_states(r, theta));
    THEN(dyn_run_average(r, DYN_AVERAGE_EMA, theta));
    THEN(dyn_run_series(r, "a", &rows, &columns, &steps, &values));
    THEN(dyn_run_fingerprint(r, &print));
    THEN(dyn_run_set_note(r, "note"));
    return s;
}

static dyn_status run_and_table(dyn_ctx *ctx, void *path)
{
    dyn_run *r;
    dyn_status s = train(ctx, &r);

    THEN(look(r));
    THEN(dyn_run_write_csv(r, path));
    dyn_run_free(r);
    return s;
}

static dyn_status replicas(dyn_ctx *ctx, void *arg)
{
    const dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_replicas *t = NULL;
    dyn_objective *o;
    dyn_status s = try_network(ctx, DYN_F32, &o);

    (void)arg;
    opt.count = 3;
    opt.run_count = opt.init_count = 1;
    opt.runs = &options;
    opt.inits = &init;
    if (s == DYN_OK)
        s = dyn_replicas_create(o, &opt, &t);
    if (s == DYN_OK)
        s = dyn_replicas_train(t, 20);
    if (s == DYN_OK)
        s = dyn_replicas_results(t, NULL, NULL);
    dyn_replicas_free(t);
    dyn_objective_unref(o);
    return s;
}

/* A run that runs out of memory in the middle goes on afterwards as if nothing had been. */
TEST(training_goes_on)
{
    oom_heap heap = { .pass = INT64_MAX };
    dyn_ctx *ctx;
    dyn_objective *o;
    dyn_run *r, *whole;
    double theta[NETWORK_SIZE];
    int failures = 0;

    network_start(theta);
    CHECK(oom_create(&heap, &ctx) == DYN_OK);
    CHECK_OK(ctx, try_network(ctx, DYN_F64, &o));
    CHECK_OK(ctx, dyn_run_create(o, &adam, &options, theta, &whole));
    CHECK_OK(ctx, dyn_run_train(whole, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_create(o, &adam, &options, theta, &r));
    for (dyn_status s = DYN_ENOMEM; s == DYN_ENOMEM && failures < 100;) {
        heap.pass = heap.calls + 1;
        s = dyn_run_train(r, DYN_TO_END);
        failures += s == DYN_ENOMEM;
    }
    heap.pass = INT64_MAX;
    CHECK(failures >= 2 && dyn_run_reason(r) == DYN_RUN_STEPS);
    check_same_theta(r, whole, NETWORK_SIZE);
    check_same_records(r, whole);
    dyn_run_free(r);
    dyn_run_free(whole);
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

TEST(optimizer) { CHECK(oom_try("optimizer", step_by_hand, NULL) > 3); }
TEST(many) { CHECK(oom_try("replicas", replicas, NULL) > 20); }

TEST(runs_and_tables)
{
    char path[64];

    oom_try("run", run_and_table, (void *)(uintptr_t)temporary(path));
    unlink(path);
}

#if DYN__HAVE_ZIP
/* The file was written with other kernels. */
static dyn_status load(dyn_ctx *ctx, void *path)
{
    const dyn_run_options any = RUN_OPTIONS(.steps = 30, .batch = 5, .ema = .5, .any_numerics = 1);
    dyn_objective *o;
    char numerics[512];
    dyn_run *r = NULL;
    dyn_status s = try_network(ctx, DYN_F32, &o);

    if (s == DYN_OK)
        s = dyn_checkpoint_numerics(ctx, path, sizeof numerics, numerics);
    if (s == DYN_OK)
        s = dyn_run_load(o, &adam, &any, path, &r);
    if (s == DYN_OK)
        s = dyn_run_save(r, path);
    CHECK((s == DYN_OK) <= (r != NULL));
    dyn_run_free(r);
    dyn_objective_unref(o);
    return s;
}

TEST(checkpoints)
{
    char path[64];
    dyn_ctx *ctx = make_ctx(1);
    dyn_run *r;

    CHECK_OK(ctx, train(ctx, &r));
    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    dyn_run_free(r);
    dyn_ctx_free(ctx);
    oom_try("load and save", load, path);
    unlink(path);
}
#endif

int main(void)
{
    RUN(training_goes_on);
    RUN(optimizer);
    RUN(many);
    RUN(runs_and_tables);
#if DYN__HAVE_ZIP
    RUN(checkpoints);
#endif
    return test_end();
}
