/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The first node of a loss, or of its gradient, that is not finite at theta: where the trouble begins that a loss of NaN is
 * the end of. The sums of all nodes come from one plan; the first that is not finite is then looked at. */
#include <math.h>
#include <stdio.h>
#include "objective/parts.h"

typedef struct search {
    dyn_objective *o;
    dyn__loss_graph l;
    dyn_node *node, *sum;       /* [count] nodes in their order, their sums */
    int32_t count;
    void *values;               /* of the last run, in the element type */
} search;

static dyn_node sum_all(dyn_graph *g, dyn_node x)
{
    static const int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    return dyn_graph_sum(g, x, dyn__at(g, x)->shape.rank, axes);
}

/* Numbers that loss and gradient depend on, in the order in which they were written. */
static dyn_status list_nodes(search *s)
{
    dyn__loss_graph *l = &s->l;
    dyn_ctx *ctx = s->o->ctx;
    dyn_node *out = dyn__alloc(ctx, (size_t)l->parameters + 1, sizeof *out);
    uint8_t *need = NULL;
    dyn_status status = out ? dyn_graph_gradient(l->g, l->loss, l->parameters, l->parameter, out) : DYN_ENOMEM;

    if (status == DYN_OK) {
        out[l->parameters] = l->loss;
        need = dyn__alloc(ctx, (size_t)l->g->count + 1, 1);
        s->node = dyn__alloc(ctx, 2 * (size_t)l->g->count + 2, sizeof *s->node);
        status = need && s->node ? DYN_OK : DYN_ENOMEM;
    }
    if (status == DYN_OK) {
        dyn__mark_needed(l->g, l->parameters + 1, out, need);
        for (dyn_node x = 0; x < l->g->count; x++)
            if (need[x] && dyn__at(l->g, x)->dtype != DYN_I64)
                s->node[s->count++] = x;
        s->sum = s->node + s->count;
    }
    dyn__free(ctx, need);
    dyn__free(ctx, out);
    return status;
}

/* Values of these nodes, one behind the other, at o->theta. */
static dyn_status evaluate(search *s, int32_t count, const dyn_node *nodes)
{
    dyn_objective *o = s->o;
    const dyn__inputs in = dyn__measured_inputs(o, 0);
    dyn__budget b = dyn__budget_of(o);
    dyn__slots slots = {0};
    dyn_exec *exec = NULL;
    int64_t size = 0;

    for (int32_t i = 0; i < count; i++)
        size += dyn__shape_size(&dyn__at(s->l.g, nodes[i])->shape);
    dyn__free(o->ctx, s->values);
    s->values = dyn__alloc(o->ctx, (size_t)size + 1, (size_t)o->esize);
    dyn_status status = s->values ? dyn__budget_exec(&b, s->l.g, count, nodes, &(dyn__compile_options){.outer = 0}, &exec)
                                  : DYN_ENOMEM;
    if (status == DYN_OK)
        status = dyn__slots_find(o, &s->l, exec, &slots);
    if (status == DYN_OK) {
        char *at = s->values;
        for (int32_t i = 0; i < count; i++) {
            dyn__exec_set_output(exec, i, at);
            at += dyn__shape_size(&dyn__at(s->l.g, nodes[i])->shape) * o->esize;
        }
        dyn__bind_theta(o, &s->l, exec, o->theta);
        dyn__slots_bind(o, &slots, exec, &in);
        dyn__exec_go(exec);
        status = dyn__check_interrupt(o->ctx);
    }
    dyn__slots_free(o, &slots);
    dyn_exec_free(exec);
    return status;
}

static double value_at(const search *s, int64_t i)
{
    double x;

    dyn__from_native(s->o, 1, &x, (const char *)s->values + i * s->o->esize);
    return x;
}

/* A sum may overflow where no number does: the elements decide. */
static dyn_status look_at(search *s, dyn_node x, char *text, int64_t room, int *found)
{
    const dyn__node *n = dyn__at(s->l.g, x);
    const int64_t size = dyn__shape_size(&n->shape);
    char shape[128];

    DYN__TRY(evaluate(s, 1, &x));
    for (int64_t i = 0; i < size && !*found; i++)
        if (!isfinite(value_at(s, i))) {
            const double value = isnan(value_at(s, i)) ? (double)NAN : value_at(s, i);      /* no sign */
            *found = 1;
            snprintf(text, (size_t)room, "node %d, %s%s%s of shape %s: element %lld is %g", (int)x, dyn__op_of(n)->name,
                     dyn__name_of(s->l.g, x)[0] ? " " : "", dyn__name_of(s->l.g, x), dyn__shape_text(&n->shape, shape),
                     (long long)i, value);
        }
    return DYN_OK;
}

static dyn_status find(search *s, char *text, int64_t room)
{
    int found = 0;

    DYN__TRY(dyn__loss_graph_make(s->o, s->o->n, s->o->n, 0, &s->l));
    DYN__TRY(list_nodes(s));
    for (int32_t i = 0; i < s->count; i++)
        DYN__TRY(s->sum[i] = sum_all(s->l.g, s->node[i]));
    DYN__TRY(evaluate(s, s->count, s->sum));
    for (int32_t i = 0; i < s->count && !found; i++) {
        if (isfinite(value_at(s, i)))
            continue;
        DYN__TRY(look_at(s, s->node[i], text, room, &found));
        if (!found)
            DYN__TRY(evaluate(s, s->count, s->sum));
    }
    return DYN_OK;
}

dyn_status dyn_objective_nonfinite(dyn_objective *o, const double *theta, char *text, int64_t room)
{
    search s = {.o = o};

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_graph(o));
    DYN__TRY(dyn__check_theta(o, theta, text));
    if (room < 1)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "a text of %lld bytes", (long long)room);
    text[0] = 0;
    dyn__to_native(o, o->p, o->theta, theta);
    const dyn_status status = find(&s, text, room);
    dyn__free(o->ctx, s.values);
    dyn__free(o->ctx, s.node);
    if (s.l.g)
        dyn__loss_graph_free(o, &s.l);
    return status;
}
