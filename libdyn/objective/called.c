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

    if (e->feeding.batch > 0 || e->feeding.fill)
        return DYN__FAIL(e->o->ctx, DYN_ENOTSUP, "an objective of callbacks has no mini-batches");
    if (!e->value_only && !f->gradient)
        return DYN__FAIL(e->o->ctx, DYN_ENOTSUP, "the objective has no gradient function");
    return DYN_OK;
}

static dyn_status step(dyn__evaluator *e, dyn__step_io *io)
{
    const dyn__functions *f = e->o->own;
    int32_t r;

    io->loss = 0;
    r = e->value_only ? f->value(f->user, io->theta, &io->loss) : f->gradient(f->user, io->theta, &io->loss, io->gradient);
    DYN__TRY(dyn__called_status(e->o, f, e->value_only ? "the caller's value function" : "the caller's gradient function", r));
    e->term[0] = io->loss;
    return DYN_OK;
}

static void destroy_evaluator(dyn__evaluator *e) { (void)e; }

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

static dyn_status describe(dyn_objective *o, dyn__text *t)
{
    return dyn__text_put(t, "functions of %lld parameters\n", (long long)o->p);
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

dyn_status dyn_objective_from_callbacks(dyn_ctx *ctx, int64_t p, dyn_value_fn value, dyn_gradient_fn gradient,
                                        dyn_product_fn hessian, void *user, dyn_objective **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (p < 1 || !value)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld parameters, value function %s", (long long)p, value ? "given" : "NULL");
    return dyn__called_create(ctx, p, &(dyn__functions){value, gradient, hessian, user, NULL, 0}, 0, NULL, out);
}
