/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rules of the caller's own. The rule writes a step on nodes once; the step is then a plan like any other, which writes
 * theta and the moments to a second place, since a rule may read all of them (a norm) before it writes. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>
#include "compile/shared.h"
#include "optim/chunk.h"

enum { RATE, STEP, CLIP, NUMBERS };     /* inputs of shape [] */

/* A graph on the optimiser's vectors, compiled. */
typedef struct written {
    dyn_graph *g;
    dyn_node theta, gradient, number[NUMBERS], moment[DYN__MOMENTS];
    dyn_node out[2 + DYN__MOMENTS];     /* of a step: theta, moments, the sum of all moments */
    int32_t count;
    dyn_exec *exec;
} written;

typedef struct dyn__own_rule {
    written step, preconditioner;
    union { double f64; float f32; } number[NUMBERS], sum;
    void *next;                 /* theta after the step; of a preconditioner, d */
    void *moment[DYN__MOMENTS]; /* where the moments go, in turn with the optimiser's */
} dyn__own_rule;

/* ---- writing ---- */

static dyn_node vector(const dyn_optimizer *o, dyn_graph *g, const char *name)
{
    return dyn_graph_input(g, name, 1, &o->size);
}

static dyn_status write_numbers(written *w)
{
    static const char *const names[NUMBERS] = { "rate", "step", "clip" };

    for (int i = 0; i < NUMBERS; i++)
        DYN__TRY(w->number[i] = dyn_graph_input(w->g, names[i], 0, NULL));
    return DYN_OK;
}

static dyn_status write_moments(const dyn_optimizer *o, written *w)
{
    for (int i = 0; i < o->opt.moments; i++)
        DYN__TRY(w->moment[i] = vector(o, w->g, dyn__moment_name(i)));
    return DYN_OK;
}

/* The gradient as the rule gets it: clipped, with its coupled decay. */
static dyn_node given_gradient(const dyn_optimizer *o, const written *w)
{
    dyn_node g = w->gradient;

    if (o->opt.clip_norm > 0)
        g = dyn_graph_mul(w->g, g, dyn_graph_broadcast_to(w->g, w->number[CLIP], 1, &o->size));
    if (o->opt.weight_decay > 0) {
        const dyn_node decay = dyn_graph_mul(w->g, dyn__span_node(o, w->g, dyn__span_decay), w->theta);
        g = dyn_graph_add(w->g, g, dyn_graph_scale(w->g, decay, o->opt.weight_decay));
    }
    return g;
}

static dyn_status check_out(const dyn_optimizer *o, const written *w, const char *what)
{
    char text[128];

    for (int32_t i = 0; i < w->count; i++) {
        if (w->out[i] < 0 || w->out[i] >= dyn_graph_size(w->g))
            return DYN__FAIL(o->ctx, DYN_EUSER, "the %s gave node %d as result %d", what, (int)w->out[i], (int)i);
        const dyn__shape *s = &dyn__at(w->g, w->out[i])->shape;
        if (s->rank != 1 || s->dim[0] != o->size)
            return DYN__FAIL(o->ctx, DYN_ESHAPE, "result %d of the %s has shape %s, expected [%lld]", (int)i, what,
                             dyn__shape_text(s, text), (long long)o->size);
    }
    return DYN_OK;
}

static dyn_status call_rule(const dyn_optimizer *o, written *w, dyn_rule_fn fn, dyn_node gradient, const char *what)
{
    const dyn_rule_view in = {
        .struct_size = sizeof in, .moments = o->opt.moments, .theta = w->theta, .gradient = gradient,
        .rate = dyn_graph_mul(w->g, w->number[RATE], dyn__span_node(o, w->g, dyn__span_rate)), .step = w->number[STEP], .moment = w->moment,
    };

    DYN__TRY(in.rate);
    DYN__TRY(fn(o->opt.rule_user, w->g, &in, w->out));
    return check_out(o, w, what);
}

/* Whether all moments are finite is seen in their sum, which costs no pass. */
static dyn_status add_sum(const dyn_optimizer *o, written *w)
{
    dyn_node sum = -1;

    for (int i = 0; i < o->opt.moments; i++) {
        const dyn_node x = dyn_graph_sum(w->g, w->out[1 + i], 1, (const int32_t[]){ 0 });
        sum = sum < 0 ? x : dyn_graph_add(w->g, sum, x);
        DYN__TRY(sum);
    }
    if (sum >= 0)
        w->out[w->count++] = sum;
    return DYN_OK;
}

static dyn_status compile(written *w)
{
    const dyn__compile_options opt = { .threads = 0 };
    dyn_plan *plan;

    DYN__TRY(dyn__compile_shared(w->g, w->count, w->out, &opt, &plan));
    const dyn_status s = dyn__exec_create(w->g->ctx, plan, &w->exec);
    dyn_plan_unref(plan);
    return s;
}

static dyn_status write_step(const dyn_optimizer *o, written *w)
{
    DYN__TRY(dyn_graph_create(o->ctx, o->dtype, &w->g));
    DYN__TRY(w->theta = vector(o, w->g, "theta"));
    DYN__TRY(w->gradient = vector(o, w->g, "gradient"));
    DYN__TRY(write_numbers(w));
    DYN__TRY(write_moments(o, w));
    const dyn_node gradient = given_gradient(o, w);
    DYN__TRY(gradient);
    w->count = 1 + o->opt.moments;
    DYN__TRY(call_rule(o, w, o->opt.rule, gradient, "rule"));
    if (o->spans)
        DYN__TRY(w->out[0] = dyn_graph_select(w->g, dyn__span_node(o, w->g, dyn__span_moves), w->out[0], w->theta));
    DYN__TRY(add_sum(o, w));
    return compile(w);
}

static dyn_status write_preconditioner(const dyn_optimizer *o, written *w)
{
    DYN__TRY(dyn_graph_create(o->ctx, o->dtype, &w->g));
    w->theta = w->gradient = -1;
    DYN__TRY(write_numbers(w));
    DYN__TRY(write_moments(o, w));
    w->count = 1;
    DYN__TRY(call_rule(o, w, o->opt.preconditioner, -1, "preconditioner"));
    return compile(w);
}

/* ---- life ---- */

dyn_status dyn__own_create(dyn_optimizer *o)
{
    dyn__own_rule *r = dyn__alloc(o->ctx, 1, sizeof *r);

    if (!r)
        return DYN_ENOMEM;
    o->own = r;
    r->next = dyn__alloc(o->ctx, (size_t)o->size, o->width);
    if (!r->next)
        return DYN_ENOMEM;
    for (int i = 0; i < o->opt.moments; i++)
        if (!(r->moment[i] = dyn__alloc(o->ctx, (size_t)o->size, o->width)))
            return DYN_ENOMEM;
    DYN__TRY(write_step(o, &r->step));
    return o->opt.preconditioner ? write_preconditioner(o, &r->preconditioner) : DYN_OK;
}

static void free_written(written *w)
{
    dyn_exec_free(w->exec);
    dyn_graph_free(w->g);
}

void dyn__own_free(dyn_optimizer *o)
{
    dyn__own_rule *r = o->own;

    if (!r)
        return;
    free_written(&r->step);
    free_written(&r->preconditioner);
    for (int i = 0; i < DYN__MOMENTS; i++)
        dyn__free(o->ctx, r->moment[i]);
    dyn__free(o->ctx, r->next);
    dyn__free(o->ctx, r);
}

const dyn_graph *dyn__own_graph(const dyn_optimizer *o, int32_t *count, const dyn_node **outputs)
{
    if (!o->own)
        return NULL;
    *count = o->own->step.count;
    *outputs = o->own->step.out;
    return o->own->step.g;
}

/* ---- a step ---- */

static void set_number(const dyn_optimizer *o, int i, double x)
{
    if (o->dtype == DYN_F32)
        o->own->number[i].f32 = (float)x;
    else
        o->own->number[i].f64 = x;
}

/* Inputs that the plan does not read are left out. */
static void set_input(const written *w, dyn_node x, const void *data)
{
    const int32_t i = x < 0 ? -1 : dyn__plan_find(dyn__exec_plan(w->exec), x);

    if (i >= 0)
        dyn__exec_set_input(w->exec, i, data);
}

static void set_inputs(const dyn_optimizer *o, const written *w)
{
    for (int i = 0; i < NUMBERS; i++)
        set_input(w, w->number[i], &o->own->number[i]);
    for (int i = 0; i < o->opt.moments; i++)
        set_input(w, w->moment[i], o->moment[i]);
}

static double sum_of(const dyn_optimizer *o)
{
    return o->dtype == DYN_F32 ? (double)o->own->sum.f32 : o->own->sum.f64;
}

/* A sum may overflow where no number does. */
static int is_finite(const dyn_optimizer *o)
{
    if (o->opt.moments == 0 || isfinite(sum_of(o)))
        return 1;
    for (int i = 0; i < o->opt.moments; i++)
        if (!isfinite(dyn__optimizer_norm(o, o->moment[i])))
            return 0;
    return 1;
}

int dyn__own_move(dyn_optimizer *o, const dyn__update *h, void *theta, const void *gradient)
{
    dyn__own_rule *r = o->own;
    const written *w = &r->step;

    set_number(o, RATE, h->rate);
    set_number(o, STEP, (double)(o->steps + 1));
    set_number(o, CLIP, h->clip);
    set_inputs(o, w);
    set_input(w, w->theta, theta);
    set_input(w, w->gradient, gradient);
    dyn__exec_set_output(w->exec, 0, r->next);
    for (int i = 0; i < o->opt.moments; i++)
        dyn__exec_set_output(w->exec, 1 + i, r->moment[i]);
    if (o->opt.moments)
        dyn__exec_set_output(w->exec, 1 + o->opt.moments, &r->sum);
    dyn__exec_go(w->exec);
    memcpy(theta, r->next, (size_t)o->size * o->width);
    for (int i = 0; i < o->opt.moments; i++) {
        void *old = o->moment[i];
        o->moment[i] = r->moment[i];
        r->moment[i] = old;
    }
    return is_finite(o);
}

dyn_status dyn__own_preconditioner(const dyn_optimizer *o, double *d)
{
    dyn__own_rule *r = o->own;
    const int64_t k = o->steps > 0 ? o->steps : 1;

    set_number(o, RATE, dyn__rate(&o->opt, k - 1));
    set_number(o, STEP, (double)k);
    set_inputs(o, &r->preconditioner);
    dyn__exec_set_output(r->preconditioner.exec, 0, r->next);
    dyn__exec_go(r->preconditioner.exec);
    dyn__to_double(o->dtype, o->size, r->next, d);
    for (int64_t i = 0; i < o->size; i++)
        if (!isfinite(d[i]))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "the declared preconditioner is %g for parameter %lld", d[i],
                             (long long)i);
    return DYN_OK;
}
