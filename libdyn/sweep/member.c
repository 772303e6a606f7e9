/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One member of a sweep, in a context of one thread, in which its bits are those of a run alone. */
#include "base/child.h"
#include "objective/objective.h"
#include "sweep/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double dyn__seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int32_t asked_to_stop(void *user)
{
    dyn_sweep *w = user;

    if (w->alone && dyn__interrupted(w->ctx))
        atomic_store(&w->stop, 1);
    return atomic_load(&w->stop);
}

dyn_status dyn__sweep_context(dyn_sweep *w, dyn_ctx **out)
{
    const dyn_status s = dyn__ctx_child(w->ctx, asked_to_stop, w, out);

    return s < 0 ? DYN__FAIL(w->ctx, s, "no context for a member: %s", dyn_status_text(s)) : s;
}

dyn_status dyn__member_make(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn_run **run)
{
    const int64_t failures = dyn__failures(ctx);
    dyn_status s;

    *run = NULL;
    s = w->opt.make(w->opt.make_user, ctx, i, w->values + i * w->opt.parameters, run);
    if (s >= 0 && !*run)
        return DYN__FAIL(ctx, DYN_EUSER, "make gave no run");
    if (s < 0 && dyn__failures(ctx) == failures)
        return DYN__FAIL(ctx, s, "make returned %d", (int)s);
    if (s >= 0 && dyn__objective_ctx(dyn_run_objective(*run)) != ctx)
        return DYN__FAIL(ctx, DYN_EINVAL, "make gave a run of another context than it was given");
    return s < 0 ? s : DYN_OK;
}

static dyn_status train(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn__outcome *o, dyn_run **run)
{
    DYN__TRY(dyn__member_make(w, ctx, i, run));
    DYN__TRY(dyn_run_fingerprint(*run, &o->member.fingerprint));
    return w->path && w->opt.checkpoint_every > 0 ? dyn__checkpoint_train(w, i, *run) : dyn_run_train(*run, DYN_TO_END);
}

/* The message of a member that did not end well. */
static dyn_status fail(dyn__outcome *o, dyn_ctx *ctx, const dyn_run *run, dyn_status s)
{
    const int nonfinite = s == DYN_ENONFINITE && run && dyn_run_reason(run) == DYN_RUN_NONFINITE;

    o->member.status = nonfinite ? DYN_MEMBER_NONFINITE : DYN_MEMBER_FAILED;
    o->member.message = dyn__strdup(o->ctx, dyn_ctx_message(ctx));
    return o->member.message ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__member_train(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn__outcome *o, dyn_run **run)
{
    const double begun = dyn__seconds();
    dyn_status s;

    memset(o, 0, sizeof *o);
    o->ctx = w->ctx;
    o->index = i;
    o->member.loss = NAN;
    if (gethostname(o->host, sizeof o->host - 1) != 0)
        o->host[0] = '\0';
    s = train(w, ctx, i, o, run);
    if (atomic_load(&w->stop) && (s == DYN_STOPPED || s == DYN_EINTERRUPTED))
        return DYN_STOPPED;
    o->member.status = DYN_MEMBER_DONE;
    if (s == DYN_STOPPED)
        s = DYN__FAIL(ctx, DYN_EUSER, "an observer stopped the run at step %lld", (long long)dyn_run_step(*run));
    if (s < 0)
        DYN__TRY(fail(o, ctx, *run, s));
    if (*run && o->member.status != DYN_MEMBER_FAILED)
        DYN__TRY(dyn__outcome_of(o, *run));
    o->member.seconds = dyn__seconds() - begun;
    return DYN_OK;
}

/* Numbers that the caller finds in the run at its end. */
dyn_status dyn__member_look(dyn_sweep *w, dyn__outcome *o, dyn_run *run)
{
    const int64_t exhausted = dyn__exhausted(w->ctx);
    int32_t result;

    if (!w->opt.ended || !run || o->member.status == DYN_MEMBER_FAILED)
        return DYN_OK;
    w->ending = o;
    result = w->opt.ended(w->opt.ended_user, w, o->index, run);
    w->ending = NULL;
    if (result == 0)
        return DYN_OK;
    o->member.status = DYN_MEMBER_FAILED;
    dyn__free(o->ctx, o->member.message);
    o->member.message = dyn__alloc(o->ctx, 64, 1);
    if (!o->member.message)
        return DYN_ENOMEM;
    snprintf(o->member.message, 64, "ended returned %d%s", (int)result,
             dyn__exhausted(w->ctx) != exhausted ? ", out of memory" : "");
    return DYN_OK;
}

static int is_parameter(const dyn_sweep *w, const char *name)
{
    for (int64_t p = 0; p < w->opt.parameters; p++)
        if (strcmp(dyn__sweep_name(w, p), name) == 0)
            return 1;
    return 0;
}

dyn_status dyn_sweep_result(dyn_sweep *sweep, const char *name, double value)
{
    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    if (!sweep->ending)
        return DYN__FAIL(sweep->ctx, DYN_ESTATE, "only the sweep's function `ended` has results to give");
    DYN__TRY(dyn__check_name(sweep->ctx, "the name", name));
    if (dyn__is_column(name) || is_parameter(sweep, name))
        return DYN__FAIL(sweep->ctx, DYN_EINVAL, "%s is the name of a parameter or of a column, and of a result", name);
    return dyn__outcome_number(sweep->ending, name, value);
}
