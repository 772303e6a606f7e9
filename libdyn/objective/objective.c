/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all kinds of objectives have in common: references, theta's tensors, terms, loss and gradient. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "linalg/operator.h"
#include "objective/parts.h"
#include "objective/row_plan.h"

/* ---- life ---- */

dyn_status dyn__objective_new(dyn_ctx *ctx, const dyn__objective_kind *kind, int32_t dtype, dyn_objective **out)
{
    dyn_objective *o = dyn__alloc(ctx, 1, sizeof *o);

    *out = NULL;
    if (!o)
        return DYN_ENOMEM;
    dyn__ref_init(&o->ref);
    dyn__ctx_ref(ctx);
    o->ctx = ctx;
    o->kind = kind;
    o->esize = dtype == DYN_F32 ? 4 : 8;
    o->opt.dtype = dtype;
    o->target = -1;
    *out = o;
    return DYN_OK;
}

dyn_status dyn__objective_buffers(dyn_objective *o)
{
    o->theta = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    o->gradient = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    return o->theta && o->gradient ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__objective_add_member(dyn_objective *o, dyn_model *m, const char *name)
{
    dyn__member *all = dyn__alloc(o->ctx, (size_t)o->members + 1, sizeof *all);
    char *copy = dyn__strdup(o->ctx, name);

    if (!all || !copy) {
        dyn__free(o->ctx, all);
        dyn__free(o->ctx, copy);
        return DYN_ENOMEM;
    }
    for (int32_t i = 0; i < o->members; i++)
        all[i] = o->member[i];
    all[o->members] = (dyn__member){dyn_model_ref(m), copy, o->p, o->states, o->tensors};
    dyn__free(o->ctx, o->member);
    o->member = all;
    o->members++;
    o->p += m->size;
    o->tensors += m->tensors;
    o->states += m->states_size;
    return DYN_OK;
}

dyn_status dyn__objective_add_term(dyn_objective *o, const char *name)
{
    char **all = dyn__alloc(o->ctx, (size_t)o->terms + 1, sizeof *all);
    char *copy = dyn__strdup(o->ctx, name);

    if (!all || !copy) {
        dyn__free(o->ctx, all);
        dyn__free(o->ctx, copy);
        return DYN_ENOMEM;
    }
    for (int32_t i = 0; i < o->terms; i++)
        all[i] = o->term[i];
    all[o->terms++] = copy;
    dyn__free(o->ctx, o->term);
    o->term = all;
    return DYN_OK;
}

dyn_objective *dyn_objective_ref(dyn_objective *o)
{
    if (o)
        dyn__ref_take(&o->ref);
    return o;
}

static void free_lists(dyn_objective *o)
{
    for (int32_t i = 0; i < o->members; i++) {
        dyn_model_unref(o->member[i].model);
        dyn__free(o->ctx, o->member[i].name);
    }
    for (int32_t i = 0; i < o->data; i++) {
        dyn_array_unref(o->datum[i].array);
        dyn__free(o->ctx, o->datum[i].name);
    }
    for (int32_t i = 0; i < o->terms; i++)
        dyn__free(o->ctx, o->term[i]);
    dyn__free(o->ctx, o->member);
    dyn__free(o->ctx, o->datum);
    dyn__free(o->ctx, o->term);
    dyn__free(o->ctx, o->penalty);
    dyn__free(o->ctx, o->coupling[0]);
    dyn__free(o->ctx, o->coupling[1]);
}

void dyn_objective_unref(dyn_objective *o)
{
    dyn_ctx *ctx;

    if (!o || !dyn__ref_drop(&o->ref))
        return;
    ctx = o->ctx;
    for (int i = 0; i < DYN__CURVATURES; i++)
        dyn__curvature_free(o->spare[i]);
    for (int i = 0; i < DYN__STEP_PLANS; i++)
        dyn__step_plan_unref(o, o->step_plan[i]);
    for (int i = 0; i < 2; i++)
        dyn__row_plan_free(o, o->row_plan[i]);
    dyn__evaluator_free(o->evaluator);
    dyn__evaluator_free(o->loss);
    dyn__forward_free(o);
    if (o->kind->free)
        o->kind->free(o);
    if (o->owns_user)
        dyn__free(ctx, o->user);
    free_lists(o);
    dyn__free(ctx, o->own);
    dyn__free(ctx, o->state);
    dyn__free(ctx, o->theta);
    dyn__free(ctx, o->gradient);
    dyn__free(ctx, o);
    dyn__ctx_unref(ctx);
}

/* ---- looking ---- */

int64_t dyn_objective_size(const dyn_objective *o) { return o ? o->p : 0; }
int64_t dyn_objective_samples(const dyn_objective *o) { return o ? o->n : 0; }
int64_t dyn_objective_outputs(const dyn_objective *o) { return o ? o->c : 0; }
int32_t dyn_objective_models(const dyn_objective *o) { return o ? o->members : 0; }
int32_t dyn_objective_tensors(const dyn_objective *o) { return o ? o->tensors : 0; }
int32_t dyn_objective_terms(const dyn_objective *o) { return o ? o->terms : 0; }
dyn_ctx *dyn__objective_ctx(const dyn_objective *o) { return o->ctx; }
int32_t dyn__objective_dtype(const dyn_objective *o) { return o->opt.dtype; }
int dyn__objective_calls_out(const dyn_objective *o) { return o->kind != &dyn__graph_kind; }

int dyn__objective_stays(const dyn_objective *o) { return o->kind->stays && !o->exchanged; }

int dyn__objective_draws(const dyn_objective *o) { return o->draws; }

dyn_model *dyn_objective_model(const dyn_objective *o)
{
    return o && o->members == 1 ? o->member[0].model : NULL;
}

dyn_model *dyn_objective_member(const dyn_objective *o, int32_t i, int64_t *offset)
{
    if (!o || i < 0 || i >= o->members)
        return NULL;
    if (offset)
        *offset = o->member[i].offset;
    return o->member[i].model;
}

const char *dyn_objective_term_name(const dyn_objective *o, int32_t i)
{
    return o && i >= 0 && i < o->terms ? o->term[i] : NULL;
}

const char *dyn_objective_coupling(const dyn_objective *o, int32_t training)
{
    return o ? o->coupling[training != 0] : NULL;
}

const dyn__tensor *dyn__objective_tensor(const dyn_objective *o, int32_t i, int64_t *offset, const dyn__member **of)
{
    int32_t k = 0;

    while (k + 1 < o->members && o->member[k + 1].tensor <= i)
        k++;
    const dyn__tensor *t = &o->member[k].model->tensor[i - o->member[k].tensor];
    if (offset)
        *offset = o->member[k].offset + t->offset;
    if (of)
        *of = &o->member[k];
    return t;
}

int32_t dyn_objective_tensor(const dyn_objective *o, int32_t i, int64_t *shape, int64_t *offset, char *name, int64_t bytes)
{
    const dyn__member *of;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    if (i < 0 || i >= o->tensors || (name && bytes < 1))
        return DYN__FAIL(o->ctx, DYN_EINVAL, "tensor %d of %d, a name of %lld bytes", (int)i, (int)o->tensors,
                         (long long)bytes);
    const dyn__tensor *t = dyn__objective_tensor(o, i, offset, &of);
    if (shape)
        memcpy(shape, t->shape.dim, (size_t)t->shape.rank * sizeof *shape);
    if (name)
        snprintf(name, (size_t)bytes, "%s%s%s", of->name, of->name[0] ? "." : "", t->name);
    return t->shape.rank;
}

/* ---- checks ---- */

dyn_status dyn__check_theta(dyn_objective *o, const double *theta, const void *result)
{
    if (!theta || !result)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "theta or the result is NULL");
    for (int64_t i = 0; i < o->p; i++)
        if (!isfinite(theta[i]))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "theta[%lld] = %g", (long long)i, theta[i]);
    return DYN_OK;
}

dyn_status dyn__need_graph(dyn_objective *o)
{
    if (o->kind == &dyn__graph_kind)
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective is made of %s, a model on data is needed",
                     o->kind == &dyn__called_kind ? "callbacks" : "other objectives");
}

dyn_status dyn__need_separate(dyn_objective *o, const char *what)
{
    DYN__TRY(dyn__need_graph(o));
    if (!o->coupling[0])
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s: the loss joins samples at %s", what, o->coupling[0]);
}

/* ---- value and gradient ---- */

/* The evaluator, made on first use, run at theta. */
static dyn_status evaluate(dyn_objective *o, dyn__evaluator **e, int value_only, const double *theta, double *value)
{
    dyn__step_io io = {.theta = o->theta, .gradient = o->gradient, .state = o->state, .seed = o->seed, .step = o->step};

    if (!*e)
        DYN__TRY(dyn__evaluator_measuring(o, value_only, e));
    dyn__to_native(o, o->p, o->theta, theta);
    DYN__TRY((*e)->o->kind->evaluator_step(*e, &io));
    if (value)
        *value = io.loss;
    return DYN_OK;
}

dyn_status dyn_objective_value(dyn_objective *o, const double *theta, double *value)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, value));
    return evaluate(o, &o->loss, 1, theta, value);
}

dyn_status dyn_objective_values(dyn_objective *o, int64_t count, const double *theta, double *values)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    if (count < 1)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "count is %lld", (long long)count);
    for (int64_t i = 0; i < count; i++) {
        DYN__TRY(dyn__check_theta(o, theta ? theta + i * o->p : NULL, values));
        DYN__TRY(evaluate(o, &o->loss, 1, theta + i * o->p, values + i));
    }
    return DYN_OK;
}

dyn_status dyn_objective_gradient(dyn_objective *o, const double *theta, double *gradient, double *value)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, gradient));
    DYN__TRY(evaluate(o, &o->evaluator, 0, theta, value));
    dyn__from_native(o, o->p, gradient, o->gradient);
    return DYN_OK;
}

dyn_status dyn_objective_term_values(dyn_objective *o, const double *theta, double *values)
{
    double loss;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, values));
    DYN__TRY(evaluate(o, &o->loss, 1, theta, &loss));
    for (int32_t i = 0; i < o->terms; i++)
        values[i] = o->loss->term[i];
    return DYN_OK;
}

/* ---- curvature ---- */

static dyn_status curvature(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out)
{
    DYN__TRY(dyn__check_theta(o, at->theta, out));
    return o->kind->curvature(o, at, out);
}

dyn_status dyn_objective_hessian(dyn_objective *o, const double *theta, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    return curvature(o, &(dyn__curvature_at){DYN__HESSIAN, theta, NULL}, out);
}

dyn_status dyn_objective_ggn(dyn_objective *o, const double *theta, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    return curvature(o, &(dyn__curvature_at){DYN__GAUSS_NEWTON, theta, NULL}, out);
}

dyn_status dyn_objective_third_derivative(dyn_objective *o, const double *theta, const double *u, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, u);
    DYN__TRY(dyn__check_finite(o->ctx, "u", o->p, u));
    return curvature(o, &(dyn__curvature_at){DYN__THIRD, theta, u}, out);
}

/* ---- state ---- */

int64_t dyn__objective_state_size(const dyn_objective *o) { return o->states; }

int64_t dyn__objective_memory_limit(const dyn_objective *o)
{
    return o->kind->memory_limit ? o->kind->memory_limit(o) : o->opt.memory_limit;
}

void dyn__objective_state(const dyn_objective *o, double *state)
{
    for (int32_t k = 0; k < o->members; k++)
        dyn__model_initial_states(o->member[k].model, state + o->member[k].state);
}

dyn_status dyn__objective_make_state(dyn_objective *o)
{
    double *state;

    if (o->states == 0)
        return DYN_OK;
    state = dyn__alloc(o->ctx, (size_t)o->states, sizeof *state);
    o->state = dyn__alloc(o->ctx, (size_t)o->states, (size_t)o->esize);
    if (state && o->state) {
        dyn__objective_state(o, state);
        dyn__to_native(o, o->states, o->state, state);
    }
    dyn__free(o->ctx, state);
    return state && o->state ? DYN_OK : DYN_ENOMEM;
}

void dyn__objective_set_state(dyn_objective *o, const void *native, uint64_t seed, int64_t step)
{
    o->seed = seed;
    o->step = step;
    if (o->states && native != o->state)
        memcpy(o->state, native, (size_t)(o->states * o->esize));
    if (o->kind->set_state)
        o->kind->set_state(o, native, seed, step);
}
