/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model called from a loss or from another model. What it asks for is what its declaration asked for, in that order:
 * inputs are the arguments, tensors and states the callee's, which the caller is asked for once. */
#include <stdio.h>
#include <string.h>
#include "model/build.h"

/* ---- the supplier of a called model ---- */

static dyn_node argument(dyn_build *b, const char *name, int32_t dtype, const dyn__shape *shape)
{
    const dyn_model *m = b->self->model;
    char text[128];

    for (int64_t i = 0; i < m->inputs; i++)
        if (!strcmp(m->input[i].name, name)) {
            if (!shape || (dyn__shape_equal(shape, &m->input[i].shape) && (dtype == DYN_I64) == (m->input[i].dtype == DYN_I64)))
                return b->argument[i];
            return DYN__FAIL(m->ctx, DYN_EUSER, "the build function asked for \"%s\" of another type or shape before: %s",
                             name, dyn__shape_text(&m->input[i].shape, text));
        }
    return DYN__FAIL(m->ctx, DYN_EUSER, "the build function asks for an input \"%s\", before it did not", name);
}

/* Joins prefix and name; buf holds names of any length that the graph takes. */
static dyn_status joined(dyn_ctx *ctx, const char *prefix, const char *name, char buf[256])
{
    if (snprintf(buf, 256, "%s%s", prefix, name) >= 256)
        return DYN__FAIL(ctx, DYN_EINVAL, "the name \"%.40s...%s\" is longer than 255 bytes", prefix, name);
    return DYN_OK;
}

static dyn_node parameter(dyn_build *b, const char *name, const dyn__shape *shape, const dyn_init_options *init)
{
    dyn__callee *self = b->self;
    const dyn_model *m = self->model;
    const int32_t k = b->tensors++;
    char p[128], q[128], full[256];

    if (k >= m->tensors)
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made more parameters (\"%s\"), before it made %d", name,
                         (int)m->tensors);
    const dyn__tensor *t = &m->tensor[k];
    if (strcmp(t->name, name) || !dyn__shape_equal(&t->shape, shape))
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made \"%s\" of shape %s, before \"%s\" of shape %s",
                         name, dyn__shape_text(shape, p), t->name, dyn__shape_text(&t->shape, q));
    if (self->tensor[k] < 0) {
        DYN__TRY(joined(m->ctx, self->prefix, name, full));
        self->tensor[k] = b->caller->from->parameter(b->caller, full, shape, init ? init : t->has_init ? &t->init : NULL);
    }
    return self->tensor[k];
}

static dyn_node state(dyn_build *b, const char *name, const dyn__shape *shape, const double *initial)
{
    dyn__callee *self = b->self;
    const dyn_model *m = self->model;
    const int32_t k = b->states++;
    char full[256];

    if (k >= m->states || strcmp(m->state[k].name, name) || !dyn__shape_equal(&m->state[k].shape, shape))
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made state \"%s\", before it did not, or of another shape",
                         name);
    if (self->state[k] < 0) {
        DYN__TRY(joined(m->ctx, self->prefix, name, full));
        self->state[k] = b->caller->from->state(b->caller, full, shape, initial);
    }
    /* a second call goes on from what the first has made of it */
    for (int64_t i = 0; i < b->draft->states; i++)
        if (b->draft->state[i].node == self->state[k])
            return b->draft->state[i].value;
    return self->state[k];
}

static const dyn__supplier called = {argument, parameter, state};

/* ---- callees ---- */

static dyn_status fill(dyn_build *b, dyn__callee *c, const char *prefix)
{
    const dyn_model *m = c->model;
    dyn_ctx *ctx = m->ctx;
    char number[16];

    if (!prefix) {
        snprintf(number, sizeof number, "%d.", (int)b->callees + 1);
        prefix = number;
    }
    c->prefix = dyn__strdup(ctx, prefix);
    c->tensor = dyn__alloc(ctx, (size_t)m->tensors + 1, sizeof *c->tensor);
    c->state = dyn__alloc(ctx, (size_t)m->states + 1, sizeof *c->state);
    if (!c->prefix || !c->tensor || !c->state)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < m->tensors; i++)
        c->tensor[i] = -1;
    for (int32_t i = 0; i < m->states; i++)
        c->state[i] = -1;
    return DYN_OK;
}

static dyn_status add_callee(dyn_build *b, const char *prefix, const dyn_model *m, dyn__callee **out)
{
    dyn_ctx *ctx = m->ctx;

    DYN__TRY(dyn__grow(ctx, (void **)&b->callee, &b->callees_cap, b->callees + 1, sizeof *b->callee));
    dyn__callee *c = &b->callee[b->callees];
    *c = (dyn__callee){.model = m};
    dyn_status s = fill(b, c, prefix);
    if (s < 0) {
        dyn__free(ctx, (char *)c->prefix);
        dyn__free(ctx, c->tensor);
        dyn__free(ctx, c->state);
        return s;
    }
    b->callees++;
    *out = c;
    return DYN_OK;
}

dyn_status dyn__build_callee(dyn_build *b, const char *name, const dyn_model *m, dyn__callee **out)
{
    char prefix[256];

    for (int64_t i = 0; i < b->callees; i++)
        if (b->callee[i].model == m) {
            *out = &b->callee[i];
            return DYN_OK;
        }
    if (name && name[0])
        DYN__TRY(joined(m->ctx, name, ".", prefix));
    return add_callee(b, name && name[0] ? prefix : name, m, out);
}

/* ---- the call ---- */

static dyn_status check_argument(const dyn_model *m, const dyn_graph *g, int64_t i, dyn_node x, int64_t samples)
{
    const dyn__model_input *in = &m->input[i];
    const dyn__node *n = dyn__at(g, x);
    const dyn__shape expected = dyn__shape_lead(&in->shape, samples);
    char p[128], q[128];

    if (!dyn__shape_equal(&n->shape, &expected))
        return DYN__FAIL(m->ctx, DYN_ESHAPE, "%s has shape %s; expected an axis of samples, then %s", in->name,
                         dyn__shape_text(&n->shape, p), dyn__shape_text(&in->shape, q));
    if ((n->dtype == DYN_I64) != (in->dtype == DYN_I64))
        return DYN__FAIL(m->ctx, DYN_EDTYPE, "%s is a tensor of %s, the model takes %s", in->name,
                         n->dtype == DYN_I64 ? "indices" : "numbers", in->dtype == DYN_I64 ? "indices" : "numbers");
    return DYN_OK;
}

static dyn_status check_arguments(const dyn_model *m, const dyn_graph *g, int32_t count, const dyn_node *inputs,
                                  int64_t *samples)
{
    char text[128];

    if (count != m->inputs)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "%d inputs, the model takes %d", (int)count, (int)m->inputs);
    for (int32_t i = 0; i < count; i++) {
        DYN__TRY(dyn__check_node(g, inputs[i]));
        const dyn__shape *s = &dyn__at(g, inputs[i])->shape;
        if (s->rank < 1)
            return DYN__FAIL(m->ctx, DYN_ESHAPE, "%s has shape [], expected an axis of samples, then %s",
                             m->input[i].name, dyn__shape_text(&m->input[i].shape, text));
        if (i == 0)
            *samples = s->dim[0];
        DYN__TRY(check_argument(m, g, i, inputs[i], *samples));
    }
    return DYN_OK;
}

static dyn_node checked_result(dyn_build *b, const dyn_model *m, dyn_node f)
{
    const dyn__shape expected = dyn__shape_lead(&m->output, b->samples);
    char p[128], q[128];

    if (f < 0)
        return f;
    if (b->tensors != m->tensors)
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made %d parameters, before it made %d",
                         (int)b->tensors, (int)m->tensors);
    if (b->states != m->states)
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made %d states, before it made %d", (int)b->states,
                         (int)m->states);
    if (!dyn__shape_equal(&dyn__at(b->draft->g, f)->shape, &expected))
        return DYN__FAIL(m->ctx, DYN_EUSER, "the build function made outputs of shape %s, before of shape %s",
                         dyn__shape_text(&dyn__at(b->draft->g, f)->shape, p), dyn__shape_text(&expected, q));
    return f;
}

dyn_node dyn__build_at(dyn_build *b, dyn__callee *callee, int32_t count, const dyn_node *inputs)
{
    const dyn_model *m = callee->model;
    dyn__callee self = *callee;     /* its arrays stay; the list of callees may move */
    dyn_build inner = {.draft = b->draft, .from = &called, .caller = b, .self = &self, .argument = inputs};

    DYN__TRY(check_arguments(m, b->draft->g, count, inputs, &inner.samples));
    dyn_node f = dyn__build_run(&inner, m->build, m->user);
    return checked_result(&inner, m, f);
}

/* ---- with parameters from a node ---- */

static dyn_status cut_tensors(dyn_graph *g, const dyn_model *m, dyn_node theta, dyn_node *tensor)
{
    for (int32_t i = 0; i < m->tensors; i++) {
        const dyn__tensor *t = &m->tensor[i];
        DYN__TRY(tensor[i] = dyn__reshape_to(g, dyn_graph_slice(g, theta, &t->offset, &t->size), &t->shape));
    }
    return DYN_OK;
}

dyn_node dyn_build_call_at(dyn_build *b, const dyn_model *m, dyn_node theta, int32_t count, const dyn_node *inputs)
{
    char text[128];

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn_graph *g = b->draft->g;
    DYN__NEED(g->ctx, m);
    DYN__NEED(g->ctx, inputs);
    DYN__TRY(dyn__check_ctx(g->ctx, "model", m->ctx));
    DYN__TRY(dyn__check_node(g, theta));
    const dyn__shape *s = &dyn__at(g, theta)->shape;
    if (s->rank != 1 || s->dim[0] != m->size)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "theta has shape %s, the model has %lld parameters", dyn__shape_text(s, text),
                         (long long)m->size);
    if (m->states)
        return DYN__FAIL(g->ctx, DYN_ENOTSUP, "the model has states, which would be nobody's");
    dyn__callee c = {.model = m, .prefix = "", .tensor = dyn__alloc(g->ctx, (size_t)m->tensors, sizeof(dyn_node))};
    if (!c.tensor)
        return DYN_ENOMEM;
    dyn_node f = cut_tensors(g, m, theta, c.tensor);
    if (f == DYN_OK)
        f = dyn__build_at(b, &c, count, inputs);
    dyn__free(g->ctx, c.tensor);
    return f;
}
