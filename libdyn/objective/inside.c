/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tensors inside, by the names that dyn_build_name gave them: their values and the loss's gradients by them, in one pass. */
#include <string.h>
#include "objective/parts.h"

/* Node of a name; of several with it (a model called twice) the first. */
static dyn_node find_named(dyn_objective *o, const dyn__loss_graph *l, const char *name)
{
    for (int64_t i = 0; i < l->draft.names; i++)
        if (!strcmp(l->draft.named[i].name, name))
            return l->draft.named[i].node;
    return DYN__FAIL(o->ctx, DYN_EINVAL, "no tensor inside is named \"%s\"", name);
}

static dyn_status make(dyn_objective *o, dyn__loss_graph *l)
{
    DYN__TRY(dyn__need_graph(o));
    return dyn__loss_graph_inside(o, l);
}

int32_t dyn_objective_inside_count(dyn_objective *o)
{
    dyn__loss_graph l;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(make(o, &l));
    const int32_t n = (int32_t)l.draft.names;
    dyn__loss_graph_free(o, &l);
    return n;
}

/* The name, cut to `bytes`, and shape of a named tensor. */
static int32_t describe(dyn_objective *o, const dyn__loss_graph *l, int32_t i, int64_t *shape, char *name, int64_t bytes)
{
    if (i < 0 || i >= l->draft.names || (name && bytes < 1))
        return DYN__FAIL(o->ctx, DYN_EINVAL, "tensor %d of %d inside, a name of %lld bytes", (int)i, (int)l->draft.names,
                         (long long)bytes);
    const dyn__shape *s = &dyn__at(l->g, l->draft.named[i].node)->shape;
    if (shape)
        memcpy(shape, s->dim, (size_t)s->rank * sizeof *shape);
    if (name) {
        strncpy(name, l->draft.named[i].name, (size_t)bytes - 1);
        name[bytes - 1] = 0;
    }
    return s->rank;
}

int32_t dyn_objective_inside(dyn_objective *o, int32_t i, int64_t *shape, char *name, int64_t bytes)
{
    dyn__loss_graph l;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(make(o, &l));
    const int32_t rank = describe(o, &l, i, shape, name, bytes);
    dyn__loss_graph_free(o, &l);
    return rank;
}

/* ---- values ---- */

typedef struct view { dyn_objective *o; dyn__loss_graph l; dyn_node *node; int32_t count, outputs; void **native; } view;

static dyn_status list_nodes(view *v, const char *const *names, int gradients)
{
    dyn_ctx *ctx = v->o->ctx;

    v->outputs = v->count * (gradients ? 2 : 1);
    v->node = dyn__alloc(ctx, 2 * (size_t)v->count, sizeof *v->node);
    v->native = dyn__alloc(ctx, 2 * (size_t)v->count, sizeof *v->native);
    if (!v->node || !v->native)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < v->count; i++) {
        DYN__NEED(ctx, names[i]);
        DYN__TRY(v->node[i] = find_named(v->o, &v->l, names[i]));
    }
    for (int32_t i = 0; gradients && i < v->count; i++)     /* one by one: of several at once, paths would stop at each */
        DYN__TRY(dyn_graph_gradient(v->l.g, v->l.loss, 1, &v->node[i], &v->node[v->count + i]));
    return DYN_OK;
}

static int64_t size_of(const view *v, int32_t i) { return dyn__shape_size(&dyn__at(v->l.g, v->node[i])->shape); }

static dyn_status run(view *v, const double *theta)
{
    dyn_objective *o = v->o;
    dyn__budget b = dyn__budget_of(o);
    const dyn__inputs in = dyn__measured_inputs(o, 0);
    dyn__slots slots = {0};
    dyn_exec *exec = NULL;

    dyn_status s = dyn__budget_exec(&b, v->l.g, v->outputs, v->node, &(dyn__compile_options){.outer = 0}, &exec);
    for (int32_t i = 0; s == DYN_OK && i < v->outputs; i++) {
        s = dyn__budget_alloc(&b, "a tensor inside", size_of(v, i), o->esize, &v->native[i]);
        if (s == DYN_OK)
            dyn__exec_set_output(exec, i, v->native[i]);
    }
    if (s == DYN_OK)
        s = dyn__slots_find(o, &v->l, exec, &slots);
    if (s == DYN_OK) {
        dyn__to_native(o, o->p, o->theta, theta);
        dyn__bind_theta(o, &v->l, exec, o->theta);
        dyn__slots_bind(o, &slots, exec, &in);
        dyn__exec_go(exec);
    }
    dyn__slots_free(o, &slots);
    dyn_exec_free(exec);
    return s;
}

static dyn_status look(view *v, const double *theta, const char *const *names, double *const *values,
                       double *const *gradients)
{
    DYN__TRY(list_nodes(v, names, gradients != NULL));
    DYN__TRY(run(v, theta));
    for (int32_t i = 0; i < v->outputs; i++) {
        double *to = i < v->count ? values[i] : gradients[i - v->count];
        if (to)
            dyn__from_native(v->o, size_of(v, i), to, v->native[i]);
    }
    return DYN_OK;
}

dyn_status dyn_objective_inside_values(dyn_objective *o, const double *theta, int32_t count, const char *const *names,
                                       double *const *values, double *const *gradients)
{
    view v = {.o = o, .count = count};

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, names);
    DYN__TRY(dyn__check_theta(o, theta, values));
    if (count < 1)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "%d names", (int)count);
    DYN__TRY(make(o, &v.l));
    dyn_status s = look(&v, theta, names, values, gradients);
    for (int32_t i = 0; v.native && i < v.outputs; i++)
        dyn__free(o->ctx, v.native[i]);
    dyn__free(o->ctx, v.native);
    dyn__free(o->ctx, v.node);
    dyn__loss_graph_free(o, &v.l);
    return s;
}
