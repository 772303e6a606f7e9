/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives of the caller's own functions. The Hessian is an operator that passes its own copy of theta to the caller's
 * product function. */
#include <stddef.h>
#include <string.h>
#include "linalg/operator.h"
#include "objective/called.h"
#include "objective/describe.h"

dyn_status dyn__called_status(const dyn_objective *o, const dyn__functions *f, const char *what, int32_t result)
{
    return f->ours ? result : dyn__callback_status(o->ctx, what, result);
}

/* ---- evaluation ---- */

static dyn_status create(dyn__evaluator *e)
{
    const dyn__functions *f = e->o->own;
    dyn__turns *t;

    if (e->feeding.fill || (e->feeding.batch > 0 && !f->batch))
        return DYN__FAIL(e->o->ctx, DYN_ENOTSUP, e->feeding.fill
                         ? "a stream is for functions on a graph: callbacks have data of their own"
                         : "the objective of callbacks has no samples, of which batches could be taken");
    if (!e->value_only && !f->gradient)
        return DYN__FAIL(e->o->ctx, DYN_ENOTSUP, "the objective has no gradient function");
    if (e->feeding.batch == 0)
        return DYN_OK;
    e->own = t = dyn__alloc(e->o->ctx, 1, sizeof *t);
    if (!t)
        return DYN_ENOMEM;
    dyn__turns_set(e->o, &e->feeding, t);
    return dyn__turns_open(e->o, t);
}

/* Loss and gradient on the samples of the step. */
static int32_t step_of_batch(dyn__evaluator *e, dyn__step_io *io, dyn_status *s)
{
    const dyn__functions *f = e->o->own;
    dyn__turns *t = e->own;
    int64_t count = 0;

    *s = dyn__turns_go(e->o, t, io->seed, io->step, &count);
    return *s < 0 ? 0 : f->batch(f->user, io->theta, count, t->at, &io->loss, io->gradient);
}

static dyn_status step(dyn__evaluator *e, dyn__step_io *io)
{
    const dyn__functions *f = e->o->own;
    dyn_status s = DYN_OK;
    int32_t r;

    io->loss = 0;
    if (e->own)
        r = step_of_batch(e, io, &s);
    else if (e->value_only)
        r = f->value(f->user, io->theta, &io->loss);
    else
        r = f->gradient(f->user, io->theta, &io->loss, io->gradient);
    DYN__TRY(s);
    DYN__TRY(dyn__called_status(e->o, f, e->value_only ? "the caller's value function" : "the caller's gradient function",
                                r));
    e->term[0] = io->loss;
    return DYN_OK;
}

static void destroy_evaluator(dyn__evaluator *e)
{
    dyn__turns *t = e->own;

    if (t)
        dyn__free(e->o->ctx, t->order);
    dyn__free(e->o->ctx, t);
}

/* ---- the Hessian ---- */

typedef struct called { dyn_objective *o; double theta[]; } called;

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    called *c = user;
    const dyn__functions *f = c->o->own;

    return dyn__callback_status(c->o->ctx, "the caller's product function", f->product(f->user, c->theta, count, x, y));
}

static void destroy(void *user)
{
    called *c = user;
    dyn_objective *o = c->o;

    dyn__free(o->ctx, c);
    dyn_objective_unref(o);
}

static dyn_status curvature(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out)
{
    const dyn__functions *f = o->own;
    called *c;
    dyn_status s;

    if (at->kind != DYN__HESSIAN)
        return dyn__need_graph(o);
    if (!f->product && !f->gradient)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective has neither a Hessian product nor a gradient function");
    if (!f->product)
        return dyn__hessian_by_differences(o, at->theta, out);
    c = dyn__alloc(o->ctx, 1, sizeof *c + (size_t)o->p * sizeof c->theta[0]);
    if (!c)
        return DYN_ENOMEM;
    c->o = dyn_objective_ref(o);
    memcpy(c->theta, at->theta, (size_t)o->p * sizeof *c->theta);
    s = dyn__operator_create(o->ctx, o->p, apply, c, destroy, out);
    if (s < 0)
        destroy(c);
    return s;
}

/* ---- the kind ---- */

static void release(dyn_objective *o)
{
    const dyn__functions *f = o->own;

    if (f && f->release)
        f->release(f->user);
}

static dyn_status describe(dyn_objective *o, dyn__buffer *t)
{
    return dyn__buffer_print(t, "functions of %lld parameters\n", (long long)o->p);
}

const dyn__objective_kind dyn__called_kind = {
    .evaluator_create = create, .evaluator_step = step, .evaluator_free = destroy_evaluator, .curvature = curvature,
    .free = release, .describe = describe,
};

/* The functions stand before what they own. */
typedef struct owned { dyn__functions functions; max_align_t data[]; } owned;

static dyn_status fill(dyn_objective *o, const dyn__functions *f, size_t size)
{
    DYN__TRY(dyn__objective_buffers(o));
    DYN__TRY(dyn__objective_add_term(o, "loss"));
    owned *own = dyn__alloc(o->ctx, 1, sizeof *own + size);
    if (!own)
        return DYN_ENOMEM;
    own->functions = *f;
    if (size > 0)
        own->functions.user = own->data;
    o->own = own;
    return DYN_OK;
}

dyn_status dyn__called_create(dyn_ctx *ctx, int64_t p, const dyn__functions *f, size_t size, void **own,
                              dyn_objective **out)
{
    dyn_objective *o;

    DYN__TRY(dyn__objective_new(ctx, &dyn__called_kind, DYN_F64, &o));
    o->p = p;
    dyn_status s = fill(o, f, size);
    if (s < 0) {
        dyn_objective_unref(o);
        return s;
    }
    if (own)
        *own = ((dyn__functions *)o->own)->user;
    *out = o;
    return DYN_OK;
}

/* ---- the caller's functions ---- */

static int32_t value(void *user, const double *theta, double *loss)
{
    const dyn_objective_functions *f = user;
    const dyn_objective_view at = {.struct_size = sizeof at, .size = f->size, .theta = theta, .value = loss};

    return f->value(f->user, &at);
}

static int32_t batch(void *user, const double *theta, int64_t samples, const int64_t *sample, double *loss,
                     double *gradient)
{
    const dyn_objective_functions *f = user;
    double unused;
    const dyn_objective_view at = {.struct_size = sizeof at, .size = f->size, .theta = theta, .samples = samples,
                                   .sample = sample, .value = loss ? loss : &unused, .gradient = gradient};

    return f->gradient(f->user, &at);
}

static int32_t gradient(void *user, const double *theta, double *loss, double *slope)
{
    return batch(user, theta, 0, NULL, loss, slope);
}

static int32_t product(void *user, const double *theta, int64_t count, const double *v, double *hv)
{
    const dyn_objective_functions *f = user;
    const dyn_objective_view at = {.struct_size = sizeof at, .size = f->size, .theta = theta, .count = count, .v = v,
                                   .product = hv};

    return f->hessian(f->user, &at);
}

static dyn_status check_functions(dyn_ctx *ctx, const dyn_objective_functions *f)
{
    DYN__TRY(dyn__check_reserved(ctx, f->reserved));
    if (f->size < 1 || f->samples < 0 || !f->value)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld parameters, %lld samples, value function %s", (long long)f->size,
                         (long long)f->samples, f->value ? "given" : "NULL");
    if (f->samples > 0 && !f->gradient)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld samples without a gradient function, which would be asked for some of "
                         "them", (long long)f->samples);
    return DYN_OK;
}

dyn_status dyn_objective_from_callbacks(dyn_ctx *ctx, const dyn_objective_functions *given, dyn_objective **out)
{
    dyn_objective_functions f = DYN_OBJECTIVE_FUNCTIONS_INIT;
    void *own = NULL;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, given);
    DYN__TRY(dyn__options(ctx, "dyn_objective_functions", given, &f, sizeof f, sizeof f));
    DYN__TRY(check_functions(ctx, &f));
    const dyn__functions calls = {
        .value = value, .gradient = f.gradient ? gradient : NULL, .product = f.hessian ? product : NULL,
        .batch = f.samples > 0 ? batch : NULL,
    };
    DYN__TRY(dyn__called_create(ctx, f.size, &calls, sizeof f, &own, out));
    *(dyn_objective_functions *)own = f;
    (*out)->n = f.samples;
    return DYN_OK;
}
