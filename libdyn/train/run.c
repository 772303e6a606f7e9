/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Training runs: making them, freeing them, looking at them, and the rules for callers of dyn_run_train. */
#include "train/run.h"

#include <float.h>
#include <math.h>
#include "data/data.h"
#include "optim/chunk.h"

/* ---- options ---- */

static dyn_status check_counts(dyn_ctx *ctx, const dyn_run_options *o)
{
    const struct { const char *name; int64_t value, least; } counts[] = {
        { "steps", o->steps, 0 }, { "batch", o->batch, 1 }, { "record_every", o->record_every, 1 },
        { "accuracy_every", o->accuracy_every, 1 }, { "progress_every", o->progress_every, 0 },
        { "validate_every", o->validate_every, 1 }, { "patience", o->patience, 0 },
        { "mean_from", o->mean_from, 0 }, { "accumulate", o->accumulate, 1 },
    };

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].value < counts[i].least)
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %lld, must be at least %lld", counts[i].name,
                             (long long)counts[i].value, (long long)counts[i].least);
    return DYN_OK;
}

static dyn_status complete(dyn_ctx *ctx, const dyn_run_options *given, dyn_run_options *o)
{
    _Static_assert(sizeof(void *) != 8 || (sizeof *o == 168 && offsetof(dyn_run_options, any_numerics) == 116),
                   "no implicit padding");

    *o = (dyn_run_options)DYN_RUN_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_run_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(check_counts(ctx, o));
    if (!(o->stop_loss < HUGE_VAL) || !(o->stop_accuracy >= 0 && (o->stop_accuracy <= 1 || isinf(o->stop_accuracy))))
        return DYN__FAIL(ctx, DYN_EINVAL, "stop_loss is %g (finite, or -INFINITY), stop_accuracy %g (in [0, 1], or "
                         "INFINITY)", o->stop_loss, o->stop_accuracy);
    if (!(o->gradient_tolerance < HUGE_VAL))
        return DYN__FAIL(ctx, DYN_EINVAL, "gradient_tolerance is %g, must be finite, or -INFINITY", o->gradient_tolerance);
    if (!(o->ema >= 0 && o->ema < 1))
        return DYN__FAIL(ctx, DYN_EINVAL, "ema is %g, allowed is [0, 1)", o->ema);
    if (o->drop_last != 0 && o->drop_last != 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "drop_last is %d, not 0 or 1", o->drop_last);
    DYN__TRY(dyn__check_flag(ctx, "keep_best", o->keep_best));
    return dyn__check_flag(ctx, "any_numerics", o->any_numerics);
}

/* ---- life ---- */

static dyn_status copy_theta(dyn_run *r, const double *theta)
{
    const double limit = r->dtype == DYN_F32 ? (double)FLT_MAX : DBL_MAX;

    for (int64_t i = 0; i < r->size; i++)
        if (!(fabs(theta[i]) <= limit))
            return DYN__FAIL(r->ctx, DYN_ENONFINITE, "theta[%lld] is %g", (long long)i, theta[i]);
    dyn__from_double(r->dtype, r->size, theta, r->theta);
    return DYN_OK;
}

dyn_status dyn__run_widen(dyn_run *r)
{
    if (r->dtype != DYN_F64 && !r->wide)
        r->wide = dyn__alloc(r->ctx, 2 * (size_t)r->size, sizeof *r->wide);
    return r->dtype == DYN_F64 || r->wide ? DYN_OK : DYN_ENOMEM;
}

static dyn_status open_state(dyn_run *r)
{
    const size_t n = (size_t)dyn__objective_state_size(r->objective);
    double *initial;

    if (n == 0)
        return DYN_OK;
    initial = dyn__alloc(r->ctx, n, sizeof *initial);
    r->state = dyn__alloc(r->ctx, n, dyn__dtype_size(r->dtype));
    r->next_state = dyn__alloc(r->ctx, n, dyn__dtype_size(r->dtype));
    if (initial && r->state && r->next_state) {
        dyn__objective_state(r->objective, initial);
        dyn__from_double(r->dtype, (int64_t)n, initial, r->state);
    }
    dyn__free(r->ctx, initial);
    return initial && r->state && r->next_state ? DYN_OK : DYN_ENOMEM;
}

static dyn_status open_evaluator(dyn_run *r)
{
    DYN__TRY(dyn__run_batch(r->objective, &r->opt, &r->batch));
    DYN__TRY(open_state(r));
    DYN__TRY(dyn__run_feed_open(r));
    if (r->team)
        return DYN_OK;
    DYN__TRY(dyn__run_evaluator(r->objective, &r->opt, 0, r, &r->own));
    r->evaluator = r->own;
    return DYN_OK;
}

static size_t state_bytes(const dyn_run *r)
{
    return (size_t)dyn__objective_state_size(r->objective) * dyn__dtype_size(r->dtype);
}

static dyn_status fill(dyn_run *r, const dyn_optimizer_options *optimizer, const dyn_run_options *opt,
                       const double *theta)
{
    DYN__TRY(complete(r->ctx, opt, &r->opt));
    r->dtype = dyn__objective_dtype(r->objective);
    r->size = dyn_objective_size(r->objective);
    r->bytes = (size_t)r->size * dyn__dtype_size(r->dtype);
    r->due = INT64_MAX;
    r->loss = NAN;
    r->known = -1;
    DYN__TRY(dyn__run_optimizer(r, optimizer));
    r->theta = dyn__alloc(r->ctx, 1, r->bytes);
    r->gradient = dyn__alloc(r->ctx, 1, r->bytes);
    if (r->optimizer->opt.sam_rho > 0)
        r->uphill = dyn__alloc(r->ctx, 1, 2 * r->bytes + state_bytes(r));
    if (r->optimizer->opt.sam_rho > 0 && !r->uphill)
        return DYN_ENOMEM;
    if (!r->theta || !r->gradient)
        return DYN_ENOMEM;
    if (theta)
        DYN__TRY(copy_theta(r, theta));
    if (r->opt.stop_accuracy <= 1)
        DYN__TRY(dyn__run_widen(r));
    DYN__TRY(dyn__average_open(r));
    DYN__TRY(open_evaluator(r));
    DYN__TRY(dyn__descend_open(r));
    DYN__TRY(dyn__validation_open(r));
    return dyn__history_open(r);
}

dyn_status dyn__run_create(dyn_objective *objective, const dyn_optimizer_options *optimizer,
                           const dyn_run_options *opt, const double *theta, dyn__team *team, dyn_run **out)
{
    dyn_ctx *ctx = dyn__objective_ctx(objective);
    dyn_run *r = dyn__alloc(ctx, 1, sizeof *r);
    dyn_status s;

    *out = NULL;
    if (!r)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    r->ctx = ctx;
    r->objective = dyn_objective_ref(objective);
    r->team = team;
    s = fill(r, optimizer, opt, theta);
    if (s == DYN_OK)
        *out = r;
    else
        dyn_run_free(r);
    return s;
}

dyn_status dyn_run_create(dyn_objective *objective, const dyn_optimizer_options *optimizer,
                          const dyn_run_options *opt, const double *theta, dyn_run **out)
{
    if (out)
        *out = NULL;
    if (!objective)
        return DYN_EINVAL;
    DYN__ENTER(dyn__objective_ctx(objective));
    DYN__NEED(dyn__objective_ctx(objective), theta);
    DYN__NEED(dyn__objective_ctx(objective), out);
    return dyn__run_create(objective, optimizer, opt, theta, NULL, out);
}

void dyn_run_free(dyn_run *r)
{
    dyn_ctx *ctx;

    if (!r)
        return;
    ctx = r->ctx;
    dyn__observers_free(r);
    dyn__kept_free(r);
    dyn__series_free(r);
    dyn__history_free(ctx, &r->history);
    dyn__evaluator_free(r->own);
    dyn_objective_unref(r->validated);
    dyn__descend_free(r);
    dyn__free(ctx, r->best.theta);
    dyn__free(ctx, r->average[0]);
    dyn__free(ctx, r->average[1]);
    dyn__free(ctx, r->share);
    dyn__free(ctx, r->between);
    dyn__free(ctx, r->terms);
    dyn__batch_names_close(r->objective, &r->names);
    dyn__free(ctx, r->state);
    dyn__free(ctx, r->next_state);
    dyn__free(ctx, r->wide);
    dyn__free(ctx, r->next);
    dyn__free(ctx, r->uphill);
    dyn__free(ctx, r->gradient);
    dyn__free(ctx, r->note);
    dyn__free(ctx, r->theta);
    dyn_optimizer_free(r->optimizer);
    dyn_objective_unref(r->objective);
    dyn__free(ctx, r);
    dyn__ctx_unref(ctx);
}

/* ---- training ---- */

static dyn_status check_trainable(dyn_run *r, int64_t steps)
{
    if (r->team)
        return DYN__FAIL(r->ctx, DYN_ESTATE, "the run belongs to replicas, which train together");
    if (r->busy)
        return DYN__FAIL(r->ctx, DYN_ESTATE, "the run is training");
    if (r->reason == DYN_RUN_NONFINITE)
        return DYN__FAIL(r->ctx, DYN_ENONFINITE, "the run ended at step %lld, where loss or gradient is not finite",
                         (long long)r->step);
    if (steps < 0)
        return DYN__FAIL(r->ctx, DYN_EINVAL, "steps is %lld", (long long)steps);
    if (steps == DYN_TO_END && r->opt.steps == INT64_MAX)
        return DYN__FAIL(r->ctx, DYN_EINVAL, "steps is DYN_TO_END, and the run's options give no end");
    return DYN_OK;
}

dyn_status dyn_run_train(dyn_run *run, int64_t steps)
{
    int64_t last;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__TRY(check_trainable(run, steps));
    atomic_store(&run->stop, 0);
    last = dyn__run_end(run, steps);
    return dyn__run_advance(run, last, last);
}

void dyn_run_stop(dyn_run *run)
{
    if (run)
        atomic_store(&run->stop, 1);
}

/* ---- looking ---- */

int64_t dyn_run_step(const dyn_run *run) { return run ? run->step : 0; }
int32_t dyn_run_reason(const dyn_run *run) { return run ? run->reason : DYN_RUN_READY; }
const dyn_optimizer *dyn_run_optimizer(const dyn_run *run) { return run ? run->optimizer : NULL; }
dyn_objective *dyn_run_objective(const dyn_run *run) { return run ? run->objective : NULL; }

dyn_status dyn_run_theta(const dyn_run *run, double *theta)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, theta);
    dyn__to_double(run->dtype, run->size, run->theta, theta);
    return DYN_OK;
}

/* What was known at the old theta is forgotten: the step's loss, where a line search stands, why the run had ended. */
static void begin_anew(dyn_run *r)
{
    r->known = -1;
    if (r->reason != DYN_RUN_STEPS)
        r->reason = DYN_RUN_READY;
}

static dyn_status check_settable(dyn_run *r)
{
    if (r->busy || r->unfinished)
        return DYN__FAIL(r->ctx, DYN_ESTATE, r->busy ? "the run is training" : "a measurement at this step is not ended");
    return DYN_OK;
}

dyn_status dyn_run_set_theta(dyn_run *run, const double *theta)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, theta);
    DYN__TRY(check_settable(run));
    DYN__TRY(copy_theta(run, theta));
    begin_anew(run);
    return DYN_OK;
}

dyn_status dyn_run_set_parameters(dyn_run *run, int32_t dtype, int64_t size, const void *theta)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, theta);
    DYN__TRY(check_settable(run));
    if (dtype != run->dtype)
        return DYN__FAIL(run->ctx, DYN_EDTYPE, "theta is given as %s, the run's is %s", dyn__dtype_name(dtype),
                         dyn__dtype_name(run->dtype));
    if (size != run->size)
        return DYN__FAIL(run->ctx, DYN_ESHAPE, "theta has %lld numbers, the run %lld parameters", (long long)size,
                         (long long)run->size);
    for (int64_t i = 0; i < size; i++)
        if (!isfinite(dtype == DYN_F32 ? (double)((const float *)theta)[i] : ((const double *)theta)[i]))
            return DYN__FAIL(run->ctx, DYN_ENONFINITE, "theta[%lld] is not finite", (long long)i);
    memcpy(run->theta, theta, run->bytes);
    begin_anew(run);
    return DYN_OK;
}

dyn_status dyn_run_states(const dyn_run *run, double *states)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    const int64_t n = dyn__objective_state_size(run->objective);
    if (n == 0)
        return DYN_OK;
    DYN__NEED(run->ctx, states);
    dyn__to_double(run->dtype, n, run->state, states);
    return DYN_OK;
}

dyn_status dyn_run_set_note(dyn_run *run, const char *text)
{
    char *copy = NULL;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    if (text && !(copy = dyn__strdup(run->ctx, text)))
        return DYN_ENOMEM;
    dyn__free(run->ctx, run->note);
    run->note = copy;
    return DYN_OK;
}

const char *dyn_run_note(const dyn_run *run) { return run ? run->note : NULL; }

const void *dyn_run_parameters(const dyn_run *run, int32_t *dtype)
{
    if (!run)
        return NULL;
    if (dtype)
        *dtype = run->dtype;
    return run->theta;
}
