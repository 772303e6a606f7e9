/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The optimiser's part of a step: what some optimisers want besides the gradient at theta (the gradient uphill of it, the
 * diagonal of the Hessian), and the name of the tensor whose moment was lost. */
#include "train/run.h"

#include <stdio.h>
#include "optim/chunk.h"
#include "random/random.h"

static void lock(dyn_run *r)
{
    if (r->team)
        pthread_mutex_lock(&r->team->callbacks);
}

static void unlock(dyn_run *r)
{
    if (r->team)
        pthread_mutex_unlock(&r->team->callbacks);
}

/* u = -1 or 1 at random, x = H u at theta, u = u x: an estimate without bias of the diagonal. */
static dyn_status probe_diagonal(dyn_run *r, double *u, double *x)
{
    const dyn__key key = { .stream = DYN__STREAM_PROBE, .step = (uint32_t)r->step };
    dyn_operator *H = NULL;
    dyn_status s;

    dyn__to_double(r->dtype, r->size, r->theta, x);
    DYN__TRY(dyn_objective_hessian(r->objective, x, &H));
    dyn__uniform_f64(key, 0, r->size, u);
    for (int64_t i = 0; i < r->size; i++)
        u[i] = u[i] < 0.5 ? -1 : 1;
    s = dyn_operator_apply(H, 1, u, x);
    for (int64_t i = 0; i < r->size; i++)
        u[i] *= x[i];
    dyn_operator_unref(H);
    return s;
}

static dyn_status take_curvature(dyn_run *r)
{
    double *room = dyn__alloc(r->ctx, (size_t)r->size, 2 * sizeof *room);
    dyn_status s;

    if (!room)
        return DYN_ENOMEM;
    lock(r);
    s = probe_diagonal(r, room, room + r->size);
    unlock(r);
    if (s == DYN_OK) {
        dyn__from_double(r->dtype, r->size, room, room + r->size);
        s = dyn_optimizer_curvature(r->optimizer, room + r->size);
    }
    dyn__free(r->ctx, room);
    return s;
}

/* The gradient of the same batch uphill of theta; what it makes of the state (running statistics) is thrown away. */
static dyn_status climb(dyn_run *r, double *norm)
{
    char *at = r->uphill, *gradient = at + r->bytes;
    double loss;

    DYN__TRY(dyn_optimizer_perturb(r->optimizer, r->theta, r->gradient, at));
    DYN__TRY(dyn__run_gradient(r, at, gradient, gradient + r->bytes, &loss));
    *norm = dyn__optimizer_norm(r->optimizer, gradient);
    return DYN_OK;
}

/* Say in the message which tensor the parameter belongs to. */
static dyn_status name_tensor(dyn_run *r, const void *gradient)
{
    const dyn_model *model = dyn_objective_model(r->objective);
    char text[200];
    const int64_t i = dyn__optimizer_lost(r->optimizer, gradient, text, sizeof text);
    int64_t offset = 0;
    int32_t t = model ? dyn_model_tensors(model) : 0;

    r->reason = DYN_RUN_NONFINITE;
    while (--t >= 0) {
        dyn_model_tensor(model, t, NULL, &offset);
        if (offset <= i)
            return DYN__FAIL(r->ctx, DYN_ENONFINITE, "%s; it is element %lld of %s", text, (long long)(i - offset),
                             dyn_model_tensor_name(model, t));
    }
    return DYN__FAIL(r->ctx, DYN_ENONFINITE, "%s", text);
}

dyn_status dyn__run_move(dyn_run *r, void *theta, double norm)
{
    const dyn_optimizer_options *o = &r->optimizer->opt;
    const void *gradient = r->gradient;
    dyn_status s;

    if (r->descending) {
        dyn__descend_take(r, theta);
        return DYN_OK;
    }
    if (o->kind == DYN_OPTIMIZER_SOPHIA && o->curvature_every && r->step % o->curvature_every == 0)
        DYN__TRY(take_curvature(r));
    if (r->uphill) {
        DYN__TRY(climb(r, &norm));
        gradient = (char *)r->uphill + r->bytes;
    }
    s = dyn__optimizer_advance(r->optimizer, theta, gradient, norm);
    return s == DYN_ENONFINITE ? name_tensor(r, gradient) : s;
}
