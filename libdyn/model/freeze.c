/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model made of another, some of whose tensors stand still, whose states begin elsewhere, or less its own outputs at
 * given parameters: a model of its own that calls the other, with the fixed tensors as constants. Gradients, moments,
 * decay and curvature have no part of what is frozen, since there is none. */
#include <fnmatch.h>
#include <string.h>
#include "model/build.h"
#include "model/theirs.h"

typedef struct frozen {
    dyn_model *inner;
    double *theta;              /* [inner->size] */
    uint8_t *fixed;             /* [inner->tensors] */
    double *states;             /* [inner->states_size], where they begin */
    int32_t centred;            /* its outputs at theta are taken off */
} frozen;

/* ---- the build function ---- */

static dyn_node tensor_of(const frozen *f, dyn_build *b, int32_t i, int all_fixed)
{
    const dyn__tensor *t = &f->inner->tensor[i];

    if (f->fixed[i] || all_fixed)
        return dyn_graph_constant_array(b->draft->g, t->shape.rank, t->shape.dim, f->theta + t->offset);
    return dyn_build_parameter(b, t->name, t->shape.rank, t->shape.dim, t->has_init ? &t->init : NULL);
}

static dyn_status fill(const frozen *f, dyn_build *b, dyn__callee *c, dyn_node *input)
{
    for (int64_t i = 0; i < f->inner->inputs; i++) {
        const dyn__model_input *in = &f->inner->input[i];
        DYN__TRY(input[i] = in->dtype == DYN_I64 ? dyn_build_indices(b, in->name, in->shape.rank, in->shape.dim)
                                                 : dyn_build_input(b, in->name, in->shape.rank, in->shape.dim));
    }
    for (int32_t i = 0; i < f->inner->tensors; i++)
        DYN__TRY(c->tensor[i] = tensor_of(f, b, i, 0));
    for (int32_t i = 0; i < f->inner->states; i++) {
        const dyn__model_state *s = &f->inner->state[i];
        DYN__TRY(c->state[i] = dyn_build_state_from(b, s->name, s->shape.rank, s->shape.dim, f->states + s->offset));
    }
    return DYN_OK;
}

/* y less the outputs with all tensors at theta. */
static dyn_node less_start(const frozen *f, dyn_build *b, dyn__callee *c, const dyn_node *input, dyn_node y)
{
    for (int32_t i = 0; i < f->inner->tensors; i++)
        DYN__TRY(c->tensor[i] = tensor_of(f, b, i, 1));
    dyn_node start = dyn__build_at(b, c, (int32_t)f->inner->inputs, input);
    return start < 0 ? start : dyn_graph_sub(b->draft->g, y, start);
}

static dyn_node build(void *user, dyn_build *b)
{
    const frozen *f = user;
    const dyn_model *m = f->inner;
    dyn__callee c = {.model = m, .prefix = ""};
    dyn_node *input = dyn__alloc(m->ctx, (size_t)m->inputs, sizeof *input), r = DYN_ENOMEM;

    c.tensor = dyn__alloc(m->ctx, (size_t)m->tensors, sizeof *c.tensor);
    c.state = dyn__alloc(m->ctx, (size_t)m->states + 1, sizeof *c.state);
    if (input && c.tensor && c.state)
        r = fill(f, b, &c, input);
    if (r == DYN_OK)
        r = dyn__build_at(b, &c, (int32_t)m->inputs, input);
    if (r >= 0 && f->centred)
        r = less_start(f, b, &c, input, r);
    dyn__free(m->ctx, c.state);
    dyn__free(m->ctx, c.tensor);
    dyn__free(m->ctx, input);
    return r;
}

/* ---- creation ---- */

static void destroy(void *user)
{
    frozen *f = user;
    dyn_ctx *ctx = f->inner->ctx;
    dyn_model *inner = f->inner;

    dyn__free(ctx, f->theta);
    dyn__free(ctx, f->fixed);
    dyn__free(ctx, f->states);
    dyn__free(ctx, f);
    dyn_model_unref(inner);
}

/* Those of the model inside, whose tensors are the same. */
static dyn_status theirs(const void *user, dyn_exchange_part *p)
{
    const frozen *f = user;

    if (memchr(f->fixed, 1, (size_t)f->inner->tensors))
        return DYN__FAIL(f->inner->ctx, DYN_ENOTSUP, "some tensors are frozen: dyn_model_expand gives the whole model's");
    return f->inner->theirs ? f->inner->theirs(f->inner->user, p) : DYN_OK;
}

static dyn_status create(frozen *f, dyn_model **out)
{
    return dyn__model_called(dyn__model_create_with(f->inner->ctx, build, f, destroy, out), out, theirs);
}

/* Takes a reference to m, of which nothing is fixed yet. */
static frozen *wrapped(dyn_model *m)
{
    dyn_ctx *ctx = m->ctx;
    frozen *f = dyn__alloc(ctx, 1, sizeof *f);

    if (!f)
        return NULL;
    f->inner = dyn_model_ref(m);
    f->theta = dyn__alloc(ctx, (size_t)m->size, sizeof *f->theta);
    f->fixed = dyn__alloc(ctx, (size_t)m->tensors, 1);
    f->states = dyn__alloc(ctx, (size_t)m->states_size + 1, sizeof *f->states);
    if (f->theta && f->fixed && f->states) {
        dyn__model_initial_states(m, f->states);
        return f;
    }
    destroy(f);
    return NULL;
}

/* What all three begin with: the arguments, and a model around m with the caller's numbers, theta or states. */
static dyn_status begin(dyn_model *m, const char *what, const double *numbers, dyn_model **out, frozen **f)
{
    DYN__NEED(m->ctx, out);
    if (!numbers)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "%s is NULL", what);
    *f = wrapped(m);
    return *f ? DYN_OK : DYN_ENOMEM;
}

/* Marks what a pattern matches; one that matches nothing is a mistake. */
static dyn_status mark(frozen *f, const char *pattern)
{
    int found = 0;

    for (int32_t i = 0; i < f->inner->tensors; i++)
        if (fnmatch(pattern, f->inner->tensor[i].name, 0) == 0)
            found = f->fixed[i] = 1;
    return found ? DYN_OK : DYN__FAIL(f->inner->ctx, DYN_EINVAL, "no tensor's name matches \"%s\"", pattern);
}

static dyn_status mark_all(frozen *f, int32_t count, const char *const *patterns)
{
    int32_t left = 0;

    for (int32_t i = 0; i < count; i++) {
        DYN__NEED(f->inner->ctx, patterns[i]);
        DYN__TRY(mark(f, patterns[i]));
    }
    for (int32_t i = 0; i < f->inner->tensors; i++)
        left += !f->fixed[i];
    return left ? DYN_OK : DYN__FAIL(f->inner->ctx, DYN_EINVAL, "all tensors would stand still");
}

dyn_status dyn_model_freeze(dyn_model *m, int32_t count, const char *const *patterns, const double *theta, dyn_model **out)
{
    frozen *f;

    if (out)
        *out = NULL;
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    if (count < 1 || !patterns)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "%d patterns, the list is %s", (int)count, patterns ? "given" : "NULL");
    DYN__TRY(begin(m, "theta", theta, out, &f));
    memcpy(f->theta, theta, (size_t)m->size * sizeof *theta);
    const dyn_status s = mark_all(f, count, patterns);
    if (s == DYN_OK)
        return create(f, out);
    destroy(f);
    return s;
}

dyn_status dyn_model_with_states(dyn_model *m, const double *states, dyn_model **out)
{
    frozen *f;

    if (out)
        *out = NULL;
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__TRY(begin(m, "states", states, out, &f));
    memcpy(f->states, states, (size_t)m->states_size * sizeof *states);
    return create(f, out);
}

dyn_status dyn_model_centre(dyn_model *m, const double *theta, dyn_model **out)
{
    frozen *f;

    if (out)
        *out = NULL;
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    if (m->states)
        return DYN__FAIL(m->ctx, DYN_ENOTSUP, "the model has %d states, which both its calls would move", (int)m->states);
    DYN__TRY(begin(m, "theta", theta, out, &f));
    f->centred = 1;
    memcpy(f->theta, theta, (size_t)m->size * sizeof *theta);
    return create(f, out);
}

/* ---- between its theta and the other's ---- */

static const frozen *frozen_of(const dyn_model *m) { return m->build == build ? m->user : NULL; }

/* Copies tensor by tensor, to the whole or from it. */
static dyn_status exchange(const dyn_model *m, double *own, double *whole, int to_whole)
{
    const frozen *f = frozen_of(m);
    int32_t k = 0;

    if (!f)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "nothing of the model is frozen");
    if (to_whole)
        memcpy(whole, f->theta, (size_t)f->inner->size * sizeof *whole);
    for (int32_t i = 0; i < f->inner->tensors; i++) {
        const dyn__tensor *t = &f->inner->tensor[i];
        double *there = whole + t->offset;
        if (f->fixed[i])
            continue;
        double *here = own + m->tensor[k++].offset;
        memcpy(to_whole ? there : here, to_whole ? here : there, (size_t)t->size * sizeof *own);
    }
    return DYN_OK;
}

dyn_status dyn_model_expand(const dyn_model *m, const double *theta, double *whole)
{
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, theta);
    DYN__NEED(m->ctx, whole);
    return exchange(m, (double *)theta, whole, 1);
}

dyn_status dyn_model_contract(const dyn_model *m, const double *whole, double *theta)
{
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, whole);
    DYN__NEED(m->ctx, theta);
    return exchange(m, theta, (double *)whole, 0);
}
