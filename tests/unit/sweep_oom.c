/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of a sweep fails in turn, with and without a store. A member that runs out of memory is one that failed,
 * and its message says so. */
#include "base/base.h"
#include "base/have.h"
#include "oom/oom.h"
#include "oom/then.h"
#include "train_problem.h"

enum { COUNT = 3 };

static dyn_status make(void *user, dyn_ctx *ctx, int64_t member, const double *p, dyn_run **out)
{
    double theta[NETWORK_SIZE];
    dyn_objective *o = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)user;
    (void)member;
    network_start(theta);
    THEN(dyn_run_create(o, &OPTIMIZER(.rate = p[0]), &RUN_OPTIONS(.steps = 3), theta, out));
    THEN(dyn_run_set_note(*out, "a note"));
    dyn_objective_unref(o);
    return s;
}

static int32_t ended(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run)
{
    (void)user;
    (void)member;
    return dyn_sweep_result(sweep, "steps", (double)dyn_run_step(run));
}

/* DYN_ENOMEM if a member failed for want of memory, which is then the context's message. */
static dyn_status members(dyn_ctx *ctx, const dyn_sweep *w)
{
    int failed = 0;

    for (int i = 0; i < COUNT; i++) {
        const int this = dyn_sweep_status(w, i) == DYN_MEMBER_FAILED;

        if (this && !strstr(dyn_sweep_message(w, i), "out of memory"))
            TEST_FAIL("member %d: %s", i, dyn_sweep_message(w, i));
        failed += this;
    }
    return failed ? DYN__FAIL(ctx, DYN_ENOMEM, "out of memory in %d members", failed) : DYN_OK;
}

static dyn_status sweep(dyn_ctx *ctx, void *path)
{
    const double rates[COUNT] = { .1, .2, .3 };
    const double *lists[] = { rates };
    const char *names[] = { "rate" };
    dyn_sweep_options o = DYN_SWEEP_OPTIONS_INIT;
    double values[COUNT], column[COUNT], seconds, total;
    int64_t due, bytes;
    dyn_sweep *w = NULL;
    dyn_status s = dyn_sweep_grid(1, (int64_t[]){ COUNT }, lists, values, &o.count);

    o.parameters = 1;
    o.names = names;
    o.values = values;
    o.make = make;
    o.ended = ended;
    o.store = path;
    THEN(dyn_sweep_create(ctx, &o, &w));
    THEN(dyn_sweep_cost(w, &due, &bytes, &seconds, &total));
    THEN(dyn_sweep_train(w));
    THEN(members(ctx, w));
    THEN(dyn_sweep_column(w, "steps", column));
    dyn_sweep_free(w);
    if (path)
        unlink(path);
    return s;
}

static dyn_status shared(dyn_ctx *ctx, void *arg)
{
    dyn_ctx *other = NULL;
    dyn_objective *o = NULL;
    dyn_status s = dyn_ctx_create(NULL, &other);

    (void)arg;
    if (s < 0)
        return DYN__FAIL(ctx, s, "out of memory: no second context");
    THEN(dyn_sweep_share_plans(ctx, other));
    THEN(try_network(ctx, DYN_F64, &o));
    dyn_objective_unref(o);
    dyn_ctx_free(other);
    return s;
}

static dyn_status packed(dyn_ctx *ctx, void *arg)
{
    const double rates[COUNT] = { .1, .2, .3 };
    const char *names[] = { "rate" };
    dyn_sweep_options o = DYN_SWEEP_OPTIONS_INIT;
    dyn_sweep *w = NULL;
    const void *bytes;
    int64_t size;
    dyn_status s;

    (void)arg;
    o.count = COUNT;
    o.parameters = 1;
    o.names = names;
    o.values = rates;
    o.make = make;
    o.ended = ended;
    s = dyn_sweep_create(ctx, &o, &w);
    THEN(dyn_sweep_member(w, 1, &bytes, &size));
    THEN(dyn_sweep_keep(w, bytes, size));
    THEN(members(ctx, w));
    dyn_sweep_free(w);
    return s;
}

TEST(out_of_memory)
{
    oom_try("sweep", sweep, NULL);
    oom_try("packed members", packed, NULL);
    oom_try("shared plans", shared, NULL);
#if DYN__HAVE_SQLITE
    char path[64];

    /* a store syncs, which memory as a disk does at once */
    if (access("/dev/shm", W_OK) == 0)
        snprintf(path, sizeof path, "/dev/shm/dyn-sweep-%d", (int)getpid());
    else
        temporary(path);
    oom_try("store", sweep, path);
#endif
}

int main(void)
{
    RUN(out_of_memory);
    return test_end();
}
