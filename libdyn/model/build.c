/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Builds: running a build function, and what it may ask for. Where things come from is the supplier's business; what is
 * marked goes into the draft. */
#include <string.h>
#include "model/build.h"

/* ---- drafts ---- */

void dyn__draft_open(dyn__draft *d, dyn_graph *g, int training)
{
    *d = (dyn__draft){.ctx = g->ctx, .g = g, .training = training, .key = -1};
}

void dyn__draft_close(dyn__draft *d)
{
    for (int64_t i = 0; i < d->states; i++) {
        dyn__free(d->ctx, d->state[i].name);
        dyn__free(d->ctx, d->state[i].initial);
    }
    for (int64_t i = 0; i < d->terms; i++)
        dyn__free(d->ctx, d->term[i].name);
    for (int64_t i = 0; i < d->names; i++)
        dyn__free(d->ctx, d->named[i].name);
    dyn__free(d->ctx, d->state);
    dyn__free(d->ctx, d->term);
    dyn__free(d->ctx, d->named);
    dyn__free(d->ctx, d->own);
    dyn__free(d->ctx, d->cut);
    dyn__free(d->ctx, d->residual);
    *d = (dyn__draft){.ctx = d->ctx};
}

/* Room for one more of a growing list, and a copy of the name that comes with it. */
static dyn_status add_named(dyn__draft *d, void **list, int64_t *cap, int64_t count, size_t size, const char *name,
                            char **copy)
{
    DYN__TRY(dyn__grow(d->ctx, list, cap, count + 1, size));
    *copy = dyn__strdup(d->ctx, name);
    return *copy ? DYN_OK : DYN_ENOMEM;
}

static dyn_status add_node(dyn__draft *d, dyn_node **list, int64_t *count, int64_t *cap, dyn_node x)
{
    DYN__TRY(dyn__grow(d->ctx, (void **)list, cap, *count + 1, sizeof **list));
    (*list)[(*count)++] = x;
    return DYN_OK;
}

dyn_node dyn__draft_state(dyn__draft *d, const char *name, const dyn__shape *shape, const double *initial)
{
    char *copy;
    dyn__state_node *s;

    DYN__TRY(add_named(d, (void **)&d->state, &d->states_cap, d->states, sizeof *d->state, name, &copy));
    s = &d->state[d->states++];
    *s = (dyn__state_node){.name = copy, .initial = dyn__copied(d->ctx, initial, dyn__shape_size(shape))};
    if (!s->initial)
        return DYN_ENOMEM;
    return s->node = s->value = dyn_graph_input(d->g, name, shape->rank, shape->dim);
}

static int is_listed(int64_t count, const dyn_node *list, dyn_node x)
{
    for (int64_t i = 0; i < count; i++)
        if (list[i] == x)
            return 1;
    return 0;
}

dyn_status dyn__draft_check_inputs(const dyn__draft *d, int64_t count, const dyn_node *known)
{
    const dyn_graph *g = d->g;

    for (int64_t i = 0; i < g->names; i++) {
        const dyn_node x = g->name[i].node;
        if (dyn__at(g, x)->attr.i[0] != DYN__INPUT || x == d->key || is_listed(count, known, x))
            continue;
        int state = 0;
        for (int64_t k = 0; k < d->states; k++)
            state |= d->state[k].node == x;
        if (!state)
            return DYN__FAIL(g->ctx, DYN_EUSER, "the build function made an input \"%s\" of the graph, to which nothing would "
                             "be bound; dyn_build_input and dyn_build_data give inputs", g->name[i].text);
    }
    return DYN_OK;
}

/* ---- running ---- */

/* dyn_graph_parameter inside a build function asks the build's supplier. */
static dyn_node plain_parameter(void *user, dyn_graph *g, const char *name, int32_t rank, const int64_t *dim)
{
    dyn_build *b = user;

    (void)g;
    return dyn_build_parameter(b, name, rank, dim, NULL);
}

void dyn__build_close(dyn_build *b)
{
    dyn_ctx *ctx = b->draft->ctx;

    for (int64_t i = 0; i < b->callees; i++) {
        dyn__free(ctx, (char *)b->callee[i].prefix);
        dyn__free(ctx, b->callee[i].tensor);
        dyn__free(ctx, b->callee[i].state);
    }
    dyn__free(ctx, b->callee);
    b->callee = NULL;
    b->callees = 0;
}

dyn_node dyn__build_run(dyn_build *b, dyn_build_fn fn, void *user)
{
    dyn_graph *g = b->draft->g;
    dyn__tensors_of own = {plain_parameter, b}, *before = g->tensors;
    const int64_t exhausted = dyn__exhausted(g->ctx);

    g->tensors = &own;
    dyn_node x = fn(user, b);
    g->tensors = before;
    dyn__build_close(b);
    /* the function may have gone on without what could not be made: its own complaint is then a consequence */
    if (dyn__exhausted(g->ctx) != exhausted)
        return DYN__FAIL(g->ctx, DYN_ENOMEM, "out of memory in the build function");
    if (x >= g->count)
        return DYN__FAIL(g->ctx, DYN_EUSER, "the build function returned node %d: the graph has %d", (int)x,
                         (int)g->count);
    return x;
}

int dyn__build_declares(const dyn_build *b)
{
    while (b->caller)
        b = b->caller;
    return b->from == &dyn__declaring && b->draft->training;
}

/* ---- what a build function asks ---- */

dyn_graph *dyn_build_graph(const dyn_build *b) { return b ? b->draft->g : NULL; }
int64_t dyn_build_samples(const dyn_build *b) { return b ? b->samples : 0; }
int32_t dyn_build_training(const dyn_build *b) { return b ? b->draft->training : 0; }

/* A name and a shape as the caller gave them; DYN__TRY it. */
static dyn_status check_named(dyn_build *b, const char *name, int32_t rank, const int64_t *dim, dyn__shape *shape)
{
    if (!name || !name[0] || rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !dim))
        return DYN__FAIL(b->draft->ctx, DYN_EINVAL, "a name and a shape of rank 0 to %d are needed, the rank is %d",
                         DYN_MAX_RANK, (int)rank);
    *shape = (dyn__shape){.rank = rank};
    if (rank > 0)
        memcpy(shape->dim, dim, (size_t)rank * sizeof *dim);
    return DYN_OK;
}

static dyn_node ask_input(dyn_build *b, const char *name, int32_t dtype, int32_t rank, const int64_t *dim)
{
    dyn__shape shape;

    DYN__TRY(check_named(b, name, rank, dim, &shape));
    return b->from->input(b, name, dtype, &shape);
}

dyn_node dyn_build_input(dyn_build *b, const char *name, int32_t rank, const int64_t *shape)
{
    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    return ask_input(b, name, b->draft->g->dtype, rank, shape);
}

dyn_node dyn_build_indices(dyn_build *b, const char *name, int32_t rank, const int64_t *shape)
{
    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    return ask_input(b, name, DYN_I64, rank, shape);
}

dyn_node dyn_build_data(dyn_build *b, const char *name)
{
    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    DYN__NEED(b->draft->ctx, name);
    return b->from->input(b, name, -1, NULL);
}

dyn_node dyn_build_parameter(dyn_build *b, const char *name, int32_t rank, const int64_t *dim,
                             const dyn_init_options *init)
{
    dyn__shape shape;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    DYN__TRY(check_named(b, name, rank, dim, &shape));
    if (!b->from->parameter)
        return DYN__FAIL(b->draft->ctx, DYN_ESTATE, "parameter \"%s\": a loss has none of its own, models have", name);
    return b->from->parameter(b, name, &shape, init);
}

/* The one value of all elements where `initial` is a number, which is repeated. */
static dyn_node state_filled(dyn_build *b, const char *name, const dyn__shape *shape, double initial)
{
    const int64_t n = dyn__shape_size(shape);
    double *values = dyn__alloc(b->draft->ctx, (size_t)n + 1, sizeof *values);

    if (!values)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        values[i] = initial;
    const dyn_node x = b->from->state(b, name, shape, values);
    dyn__free(b->draft->ctx, values);
    return x;
}

static dyn_status check_state(dyn_build *b, const char *name, int32_t rank, const int64_t *dim, dyn__shape *shape)
{
    DYN__TRY(check_named(b, name, rank, dim, shape));
    if (!b->from->state)
        return DYN__FAIL(b->draft->ctx, DYN_ESTATE, "state \"%s\": a loss has none of its own, models have", name);
    return DYN_OK;
}

dyn_node dyn_build_state(dyn_build *b, const char *name, int32_t rank, const int64_t *dim, double initial)
{
    dyn__shape shape;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    DYN__TRY(check_state(b, name, rank, dim, &shape));
    return state_filled(b, name, &shape, initial);
}

dyn_node dyn_build_state_from(dyn_build *b, const char *name, int32_t rank, const int64_t *dim, const double *initial)
{
    dyn__shape shape;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    DYN__NEED(b->draft->ctx, initial);
    DYN__TRY(check_state(b, name, rank, dim, &shape));
    return b->from->state(b, name, &shape, initial);
}

/* The state whose present value is x. */
static dyn__state_node *find_state(dyn__draft *d, dyn_node x)
{
    for (int64_t i = 0; i < d->states; i++)
        if (d->state[i].value == x)
            return &d->state[i];
    return NULL;
}

dyn_status dyn_build_update(dyn_build *b, dyn_node state, dyn_node value)
{
    char p[128], q[128];

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn_graph *g = b->draft->g;
    DYN__TRY(dyn__check_node(g, state));
    DYN__TRY(dyn__check_node(g, value));
    dyn__state_node *s = find_state(b->draft, state);
    if (!s)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d is not a state", (int)state);
    if (!dyn__shape_equal(&dyn__at(g, state)->shape, &dyn__at(g, value)->shape))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "\"%s\" has shape %s, its new value %s", s->name,
                         dyn__shape_text(&dyn__at(g, state)->shape, p), dyn__shape_text(&dyn__at(g, value)->shape, q));
    s->value = value;
    return DYN_OK;
}

/* ---- random numbers ---- */

/* One key for all, an input of the graph; every use has a site of its own. */
static dyn_node next_key(dyn_build *b, uint32_t *site)
{
    dyn__draft *d = b->draft;

    if (d->key < 0)
        d->key = dyn_graph_indices(d->g, "random key", 1, (int64_t[]){3});
    *site = d->sites++;
    return d->key;
}

dyn_node dyn_build_uniform(dyn_build *b, int32_t rank, const int64_t *shape)
{
    uint32_t site;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn_node key = next_key(b, &site);
    return dyn_graph_uniform(b->draft->g, key, site, rank, shape);
}

dyn_node dyn_build_bernoulli(dyn_build *b, double p, int32_t rank, const int64_t *shape)
{
    uint32_t site;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn_node key = next_key(b, &site);
    return dyn_graph_bernoulli(b->draft->g, key, site, p, rank, shape);
}

/* Box and Muller: the radius sqrt(-2 log(1 - u)) is finite, as u < 1. */
dyn_node dyn_build_normal(dyn_build *b, int32_t rank, const int64_t *shape)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node u = dyn_build_uniform(b, rank, shape), v = dyn_build_uniform(b, rank, shape);
    dyn_node radius = dyn_graph_sqrt(g, dyn_graph_scale(g, dyn_graph_log1p(g, dyn_graph_neg(g, u)), -2));

    return dyn_graph_stop(g, dyn_graph_mul(g, radius, dyn_graph_cos(g, dyn_graph_scale(g, v, 6.283185307179586))));
}

/* ---- marks ---- */

dyn_node dyn_build_name(dyn_build *b, const char *name, dyn_node x)
{
    char *copy;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn__draft *d = b->draft;
    DYN__NEED(d->ctx, name);
    DYN__TRY(x = dyn_graph_identity(d->g, x));
    DYN__TRY(add_named(d, (void **)&d->named, &d->names_cap, d->names, sizeof *d->named, name, &copy));
    d->named[d->names++] = (dyn__named_node){copy, x};
    return x;
}

dyn_node dyn_build_residual(dyn_build *b, dyn_node x)
{
    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn__draft *d = b->draft;
    DYN__TRY(x = dyn_graph_identity(d->g, x));
    DYN__TRY(add_node(d, &d->residual, &d->residuals, &d->residuals_cap, x));
    return x;
}

dyn_status dyn_build_term(dyn_build *b, const char *name, dyn_node x, double weight)
{
    char *copy;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn__draft *d = b->draft;
    DYN__NEED(d->ctx, name);
    DYN__TRY(dyn__check_node(d->g, x));
    for (int64_t i = 0; i < d->terms; i++)
        if (!strcmp(d->term[i].name, name))
            return DYN__FAIL(d->ctx, DYN_EINVAL, "there is a term \"%s\" already", name);
    DYN__TRY(add_named(d, (void **)&d->term, &d->terms_cap, d->terms, sizeof *d->term, name, &copy));
    d->term[d->terms++] = (dyn__term_node){copy, x, weight};
    return DYN_OK;
}

/* ---- calls ---- */

dyn_node dyn_build_call(dyn_build *b, const char *name, const dyn_model *model, int32_t count, const dyn_node *inputs)
{
    dyn__callee *callee;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn__draft *d = b->draft;
    DYN__NEED(d->ctx, model);
    DYN__NEED(d->ctx, inputs);
    DYN__TRY(dyn__check_ctx(d->ctx, "model", model->ctx));
    DYN__TRY(dyn__build_callee(b, name, model, &callee));
    dyn_node f = dyn__build_at(b, callee, count, inputs);
    if (b->caller || b->from == &dyn__declaring)
        return f;
    DYN__TRY(f = dyn_graph_identity(d->g, f));      /* what a loss calls is where the Gauss-Newton matrix cuts */
    DYN__TRY(add_node(d, &d->cut, &d->cuts, &d->cuts_cap, f));
    return f;
}
