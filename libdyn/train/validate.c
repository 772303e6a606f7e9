/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The validation set: an objective of the same parameters on other data, looked at on a schedule. The best theta is kept,
 * and a run that does not improve for long enough ends. */
#include "train/run.h"

#include <math.h>
#include <string.h>
#include "optim/chunk.h"

static dyn_status check_fits(dyn_run *r, dyn_objective *v)
{
    DYN__TRY(dyn__check_ctx(r->ctx, "validation", dyn__objective_ctx(v)));
    if (dyn_objective_size(v) == r->size && dyn__objective_state_size(v) == dyn__objective_state_size(r->objective))
        return DYN_OK;
    return DYN__FAIL(r->ctx, DYN_ESHAPE, "validation has %lld parameters, the objective %lld: it must be of the same models",
                     (long long)dyn_objective_size(v), (long long)r->size);
}

dyn_status dyn__validation_open(dyn_run *r)
{
    dyn_run_options *o = &r->opt;

    if (!o->validation && (o->patience || o->keep_best))
        return DYN__FAIL(r->ctx, DYN_EINVAL, "patience is %lld, keep_best %d without a validation",
                         (long long)o->patience, (int)o->keep_best);
    r->best = (dyn__best){.loss = INFINITY, .now = NAN, .accuracy = NAN, .step = -1};
    if (!o->validation)
        return DYN_OK;
    DYN__TRY(check_fits(r, o->validation));
    dyn_objective_ref(o->validation);
    r->validated = o->validation;
    DYN__TRY(dyn__run_widen(r));
    if (o->keep_best || o->patience)
        r->best.theta = dyn__alloc(r->ctx, 1, r->bytes);
    return r->best.theta || !(o->keep_best || o->patience) ? DYN_OK : DYN_ENOMEM;
}

/* Loss and, where the targets are known, accuracy at theta, with the run's state. */
static dyn_status look(dyn_run *r)
{
    const double *theta = dyn__run_doubles(r, r->theta, r->wide);

    dyn__run_lock(r);
    dyn__objective_set_state(r->validated, r->state, r->opt.seed, r->step);
    dyn_status s = dyn_objective_value(r->validated, theta, &r->best.now);
    if (s == DYN_OK && dyn_objective_accuracy(r->validated, theta, &r->best.accuracy) < 0)
        r->best.accuracy = NAN;
    dyn__run_unlock(r);
    return s < 0 ? s : dyn__check_interrupt(r->ctx);
}

dyn_status dyn__validate(dyn_run *r, int final)
{
    dyn__best *b = &r->best;

    b->now = b->accuracy = NAN;
    if (!r->validated || (!final && r->step % r->opt.validate_every != 0))
        return DYN_OK;
    DYN__TRY(look(r));
    if (b->now < b->loss) {
        b->loss = b->now;
        b->step = r->step;
        b->stale = 0;
        if (b->theta)
            memcpy(b->theta, r->theta, r->bytes);
    } else {
        b->stale++;
    }
    if (r->opt.patience && b->stale >= r->opt.patience && r->reason == DYN_RUN_READY)
        r->reason = DYN_RUN_PATIENCE;
    return DYN_OK;
}

dyn_status dyn_run_best(const dyn_run *run, double *theta, double *loss, int64_t *step)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    if (run->best.step < 0 || (theta && !run->best.theta))
        return DYN__FAIL(run->ctx, DYN_ESTATE, "no best parameters are kept: that takes a validation, and keep_best or "
                         "patience");
    if (theta)
        dyn__to_double(run->dtype, run->size, run->best.theta, theta);
    if (loss)
        *loss = run->best.loss;
    if (step)
        *step = run->best.step;
    return DYN_OK;
}
