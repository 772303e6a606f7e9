/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Weighted sums of objectives, each with its data. Theta holds every model once, in the order in which the summands name
 * them; a summand sees its own models' part of it. Each summand is fed by itself: where its samples are more than the
 * batch, it takes the step's batch of its own order. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "linalg/operator.h"
#include "objective/describe.h"
#include "objective/impl.h"

/* A run of parameters: where it begins in theta and in the summand's. */
typedef struct span { int64_t here, there, size; } span;

typedef struct summand {
    dyn_objective *o;
    double weight;
    span *span, *state;         /* [spans] of parameters, of states */
    int32_t spans, first_term;
} summand;

typedef struct sum { int32_t count; summand item[]; } sum;

/* ---- theta of a summand ---- */

static void take(const summand *s, int32_t esize, void *own, const void *theta)
{
    for (int32_t i = 0; i < s->spans; i++)
        memcpy((char *)own + s->span[i].there * esize, (const char *)theta + s->span[i].here * esize,
               (size_t)(s->span[i].size * esize));
}

static void add(const dyn_objective *o, const summand *s, void *to, const void *own)
{
    for (int32_t k = 0; k < s->spans; k++)
        for (int64_t i = 0; i < s->span[k].size; i++) {
            const int64_t here = s->span[k].here + i, there = s->span[k].there + i;
            if (o->opt.dtype == DYN_F32)
                ((float *)to)[here] += (float)s->weight * ((const float *)own)[there];
            else
                ((double *)to)[here] += s->weight * ((const double *)own)[there];
        }
}

/* ---- state of a summand ---- */

static void take_state(const summand *s, int32_t esize, void *own, const void *state)
{
    for (int32_t i = 0; s->o->states && i < s->spans; i++)
        memcpy((char *)own + s->state[i].there * esize, (const char *)state + s->state[i].here * esize,
               (size_t)(s->state[i].size * esize));
}

static void give_state(const summand *s, int32_t esize, const void *own, void *state)
{
    for (int32_t i = 0; s->o->states && i < s->spans; i++)
        memcpy((char *)state + s->state[i].here * esize, (const char *)own + s->state[i].there * esize,
               (size_t)(s->state[i].size * esize));
}

/* What is measured on the sum is measured on its summands, of which each has a state of its own. */
static void set_state(dyn_objective *o, const void *native, uint64_t seed, int64_t step)
{
    const sum *s = o->own;

    for (int32_t i = 0; i < s->count; i++) {
        const summand *t = &s->item[i];
        if (t->o->states)
            take_state(t, o->esize, t->o->state, native);
        dyn__objective_set_state(t->o, t->o->state, seed, step);
    }
}

/* ---- evaluation ---- */

typedef struct evaluation {
    dyn__evaluator **e;         /* [count] */
    void *theta, *gradient;     /* room for those of any summand */
    void *state, *next;         /* likewise */
} evaluation;

static dyn_status open_evaluation(dyn__evaluator *e)
{
    const sum *s = e->o->own;
    evaluation *v = dyn__alloc(e->o->ctx, 1, sizeof *v);

    if (!v)
        return DYN_ENOMEM;
    e->own = v;
    if (e->feeding.fill)
        return DYN__FAIL(e->o->ctx, DYN_ENOTSUP, "a sum of objectives has data of several: a stream serves one function");
    v->e = dyn__alloc(e->o->ctx, (size_t)s->count, sizeof *v->e);
    v->theta = dyn__alloc(e->o->ctx, (size_t)e->o->p, (size_t)e->o->esize);
    v->gradient = dyn__alloc(e->o->ctx, (size_t)e->o->p, (size_t)e->o->esize);
    v->state = dyn__alloc(e->o->ctx, (size_t)e->o->states + 1, (size_t)e->o->esize);
    v->next = dyn__alloc(e->o->ctx, (size_t)e->o->states + 1, (size_t)e->o->esize);
    if (!v->e || !v->theta || !v->gradient || !v->state || !v->next)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < s->count; i++)
        DYN__TRY(e->training ? dyn__evaluator_create(s->item[i].o, &e->feeding, &v->e[i])
                             : dyn__evaluator_measuring(s->item[i].o, e->value_only, &v->e[i]));
    for (int32_t i = 0; i < s->count; i++)
        e->o->draws |= s->item[i].o->draws;
    return DYN_OK;
}

static void close_evaluation(dyn__evaluator *e)
{
    const sum *s = e->o->own;
    evaluation *v = e->own;

    if (!v)
        return;
    for (int32_t i = 0; v->e && i < s->count; i++)
        dyn__evaluator_free(v->e[i]);
    dyn__free(e->o->ctx, v->e);
    dyn__free(e->o->ctx, v->theta);
    dyn__free(e->o->ctx, v->gradient);
    dyn__free(e->o->ctx, v->state);
    dyn__free(e->o->ctx, v->next);
    dyn__free(e->o->ctx, v);
}

static dyn_status step(dyn__evaluator *e, dyn__step_io *io)
{
    const sum *s = e->o->own;
    evaluation *v = e->own;

    const int moves = e->training && e->o->states > 0;

    io->loss = 0;
    if (!e->value_only)
        memset(io->gradient, 0, (size_t)(e->o->p * e->o->esize));
    if (moves)
        memcpy(io->next, io->state, (size_t)(e->o->states * e->o->esize));
    for (int32_t i = 0; i < s->count; i++) {
        const summand *t = &s->item[i];
        dyn__step_io own = {.seed = io->seed, .step = io->step, .theta = v->theta, .gradient = v->gradient,
                            .state = v->state, .next = v->next};
        take(t, e->o->esize, v->theta, io->theta);
        take_state(t, e->o->esize, v->state, moves ? io->next : io->state);     /* one after the other, as calls are */
        DYN__TRY(dyn__evaluator_step(v->e[i], &own));
        if (moves)
            give_state(t, e->o->esize, v->next, io->next);
        io->loss += t->weight * own.loss;
        if (!e->value_only)
            add(e->o, t, io->gradient, v->gradient);
        memcpy(e->term + t->first_term, dyn__evaluator_terms(v->e[i]), (size_t)t->o->terms * sizeof *e->term);
    }
    return DYN_OK;
}

/* ---- curvature ---- */

typedef struct curved {
    dyn_objective *o;
    dyn_operator **part;        /* [count] */
    double *x, *y;              /* room for a direction of a summand and its image */
} curved;

static void destroy(void *user)
{
    curved *c = user;
    dyn_objective *o = c->o;
    const sum *s = o->own;

    for (int32_t i = 0; c->part && i < s->count; i++)
        dyn_operator_unref(c->part[i]);
    dyn__free(o->ctx, c->part);
    dyn__free(o->ctx, c->x);
    dyn__free(o->ctx, c->y);
    dyn__free(o->ctx, c);
    dyn_objective_unref(o);
}

static void add_image(const summand *t, double *y, const double *own)
{
    for (int32_t k = 0; k < t->spans; k++)
        for (int64_t i = 0; i < t->span[k].size; i++)
            y[t->span[k].here + i] += t->weight * own[t->span[k].there + i];
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    curved *c = user;
    const sum *s = c->o->own;
    const int64_t p = c->o->p;

    memset(y, 0, (size_t)(count * p) * sizeof *y);
    for (int64_t k = 0; k < count; k++)
        for (int32_t i = 0; i < s->count; i++) {
            take(&s->item[i], (int32_t)sizeof *x, c->x, x + k * p);
            DYN__TRY(dyn_operator_apply(c->part[i], 1, c->x, c->y));
            add_image(&s->item[i], y + k * p, c->y);
        }
    return DYN_OK;
}

/* Summands by differences make the sum one. */
static void stretch(void *user, double factor)
{
    curved *c = user;
    const sum *s = c->o->own;

    for (int32_t i = 0; i < s->count; i++)
        dyn__operator_stretch(c->part[i], factor);
}

static int is_rough(const curved *c)
{
    const sum *s = c->o->own;
    int rough = 0;

    for (int32_t i = 0; i < s->count; i++)
        rough |= c->part[i]->stretch != NULL;
    return rough;
}

static dyn_status open_curved(curved *c, const dyn__curvature_at *at)
{
    const sum *s = c->o->own;
    dyn_ctx *ctx = c->o->ctx;

    c->part = dyn__alloc(ctx, (size_t)s->count, sizeof *c->part);
    c->x = dyn__alloc(ctx, (size_t)c->o->p, sizeof *c->x);
    c->y = dyn__alloc(ctx, (size_t)c->o->p, sizeof *c->y);
    if (!c->part || !c->x || !c->y)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < s->count; i++) {
        const dyn__curvature_at own = {at->kind, c->x, at->along ? c->y : NULL};
        take(&s->item[i], (int32_t)sizeof *c->x, c->x, at->theta);
        if (at->along)
            take(&s->item[i], (int32_t)sizeof *c->y, c->y, at->along);
        DYN__TRY(s->item[i].o->kind->curvature(s->item[i].o, &own, &c->part[i]));
    }
    return DYN_OK;
}

static dyn_status curvature(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out)
{
    curved *c = dyn__alloc(o->ctx, 1, sizeof *c);

    if (!c)
        return DYN_ENOMEM;
    c->o = dyn_objective_ref(o);
    dyn_status s = open_curved(c, at);
    if (s == DYN_OK)
        s = dyn__operator_create(o->ctx, o->p, apply, c, destroy, out);
    if (s == DYN_OK && is_rough(c))
        (*out)->stretch = stretch;
    if (s == DYN_OK)
        (*out)->dtype = c->o->opt.dtype;
    if (s < 0)
        destroy(c);
    return s;
}

/* ---- creation ---- */

static void free_sum(dyn_objective *o)
{
    sum *s = o->own;

    for (int32_t i = 0; s && i < s->count; i++) {
        dyn_objective_unref(s->item[i].o);
        dyn__free(o->ctx, s->item[i].span);
        dyn__free(o->ctx, s->item[i].state);
    }
}

static dyn_status describe(dyn_objective *o, dyn__buffer *t)
{
    const sum *s = o->own;

    for (int32_t i = 0; i < s->count; i++) {
        DYN__TRY(dyn__buffer_print(t, "summand %d, weight", (int)i + 1));
        DYN__TRY(dyn__text_number(t, s->item[i].weight));
        DYN__TRY(dyn__buffer_print(t, "\n"));
        DYN__TRY(dyn__objective_describe(s->item[i].o, t));
    }
    return DYN_OK;
}

/* The least of those of the summands. */
static int64_t memory_limit(const dyn_objective *o)
{
    const sum *s = o->own;
    int64_t least = INT64_MAX;

    for (int32_t i = 0; i < s->count; i++) {
        const int64_t limit = dyn__objective_memory_limit(s->item[i].o);
        least = limit < least ? limit : least;
    }
    return least;
}

const dyn__objective_kind dyn__sum_kind = {
    .evaluator_create = open_evaluation, .evaluator_step = step, .evaluator_free = close_evaluation,
    .curvature = curvature, .free = free_sum, .describe = describe, .set_state = set_state,
    .memory_limit = memory_limit,
};

static dyn__member *find_member(const dyn_objective *o, const dyn_model *m)
{
    for (int32_t i = 0; i < o->members; i++)
        if (o->member[i].model == m)
            return &o->member[i];
    return NULL;
}

static int is_head(const dyn_objective *o, const char *name)
{
    for (int32_t i = 0; i < o->members; i++)
        if (!strcmp(o->member[i].name, name))
            return 1;
    return 0;
}

/* Adds a model that is new. Where what heads its tensors' names is taken, a number follows, or stands for none. */
static dyn_status add_member(dyn_objective *o, const dyn__member *m)
{
    char name[300];

    if (find_member(o, m->model))
        return DYN_OK;
    snprintf(name, sizeof name, "%s", m->name);
    for (int32_t number = 2; is_head(o, name); number++)
        snprintf(name, sizeof name, "%s%s%d", m->name, m->name[0] ? "." : "", (int)number);
    return dyn__objective_add_member(o, m->model, name);
}

/* Callbacks have no models, and one theta: that of the sum. */
static dyn_status add_spans(dyn_objective *o, summand *t)
{
    t->spans = t->o->members ? t->o->members : 1;
    t->span = dyn__alloc(o->ctx, (size_t)t->spans, sizeof *t->span);
    t->state = dyn__alloc(o->ctx, (size_t)t->spans, sizeof *t->state);
    if (!t->span || !t->state)
        return DYN_ENOMEM;
    if (t->o->members == 0) {
        o->p = t->o->p;
        t->span[0] = (span){0, 0, o->p};
    }
    for (int32_t i = 0; i < t->o->members; i++) {
        const dyn__member *m = &t->o->member[i];
        DYN__TRY(add_member(o, m));
        const dyn__member *here = find_member(o, m->model);
        t->span[i] = (span){here->offset, m->offset, m->model->size};
        t->state[i] = (span){here->state, m->state, m->model->states_size};
    }
    return DYN_OK;
}

static int is_taken(const dyn_objective *o, const char *name)
{
    for (int32_t k = 0; k < o->terms; k++)
        if (!strcmp(o->term[k], name))
            return 1;
    return 0;
}

/* A term is called as its summand's, and with the next free number if that is taken. */
static dyn_status add_terms(dyn_objective *o, summand *t)
{
    char name[300];

    t->first_term = o->terms;
    for (int32_t i = 0; i < t->o->terms; i++) {
        snprintf(name, sizeof name, "%s", t->o->term[i]);
        for (int32_t number = 2; is_taken(o, name); number++)
            snprintf(name, sizeof name, "%s.%d", t->o->term[i], (int)number);
        DYN__TRY(dyn__objective_add_term(o, name));
    }
    return DYN_OK;
}

static dyn_status add_summand(dyn_objective *o, sum *s, dyn_objective *part, double weight)
{
    summand *t = &s->item[s->count++];

    *t = (summand){.o = dyn_objective_ref(part), .weight = weight};
    o->n = part->n > o->n ? part->n : o->n;
    for (int training = 0; training < 2; training++)
        if (part->coupling[training] && !o->coupling[training] &&
            !(o->coupling[training] = dyn__strdup(o->ctx, part->coupling[training])))
            return DYN_ENOMEM;
    DYN__TRY(add_spans(o, t));
    return add_terms(o, t);
}

static dyn_status check_summands(dyn_ctx *ctx, int32_t count, dyn_objective *const *parts, const double *weights)
{
    if (count < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "%d objectives", (int)count);
    for (int32_t i = 0; i < count; i++) {
        DYN__NEED(ctx, parts[i]);
        DYN__TRY(dyn__check_ctx(ctx, "an objective", parts[i]->ctx));
        if (parts[i]->opt.dtype != parts[0]->opt.dtype)
            return DYN__FAIL(ctx, DYN_EDTYPE, "objective %d has another element type than the first", (int)i);
        if ((parts[i]->members == 0) != (parts[0]->members == 0) || (parts[i]->members == 0 && parts[i]->p != parts[0]->p))
            return DYN__FAIL(ctx, DYN_ESHAPE, "objective %d has %lld parameters%s, the first %lld%s", (int)i,
                             (long long)parts[i]->p, parts[i]->members ? " of models" : "", (long long)parts[0]->p,
                             parts[0]->members ? " of models" : "");
        if (weights && !isfinite(weights[i]))
            return DYN__FAIL(ctx, DYN_ENONFINITE, "weight %d is %g", (int)i, weights[i]);
    }
    return DYN_OK;
}

static dyn_status fill(dyn_objective *o, int32_t count, dyn_objective *const *parts, const double *weights)
{
    o->own = dyn__alloc(o->ctx, 1, sizeof(sum) + (size_t)count * sizeof(summand));
    if (!o->own)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < count; i++)
        DYN__TRY(add_summand(o, o->own, parts[i], weights ? weights[i] : 1));
    DYN__TRY(dyn__objective_make_state(o));
    return dyn__objective_buffers(o);
}

dyn_status dyn_objective_sum(dyn_ctx *ctx, int32_t count, dyn_objective *const *parts, const double *weights,
                             dyn_objective **out)
{
    dyn_objective *o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, parts);
    DYN__TRY(check_summands(ctx, count, parts, weights));
    DYN__TRY(dyn__objective_new(ctx, &dyn__sum_kind, parts[0]->opt.dtype, &o));
    dyn_status s = fill(o, count, parts, weights);
    if (s < 0)
        dyn_objective_unref(o);
    else
        *out = o;
    return s;
}
