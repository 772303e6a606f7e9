/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The graph of an objective on some samples. All tensors of theta are made first, in its order; then the build function
 * writes, reading data by name; then its terms are added up:
 *
 *   a term [n] of which value i depends on sample i only     weight / total * sum of it    (or weight * sum)
 *   a term [] that depends on theta only: a penalty          weight * samples / total * it
 *   a term that joins samples                                weight * it, or its mean      and samples must be total
 *
 * and the options' penalties, so that the losses of chunks add up to the loss of the whole. */
#include <stdio.h>
#include <string.h>
#include "objective/impl.h"

/* ---- tensors ---- */

/* The member's tensors and states as nodes, where a call will find them. */
static dyn_status make_tensors(dyn_objective *o, dyn__loss_graph *l, const dyn__member *m, dyn__callee *c)
{
    char name[256];

    for (int32_t i = 0; i < m->model->tensors; i++) {
        snprintf(name, sizeof name, "%s%s", c->prefix, m->model->tensor[i].name);
        DYN__TRY(c->tensor[i] = dyn__parameter(l->g, name, &m->model->tensor[i].shape));
        l->parameter[l->parameters++] = c->tensor[i];
    }
    for (int32_t i = 0; i < m->model->states; i++) {
        const dyn__model_state *s = &m->model->state[i];
        snprintf(name, sizeof name, "%s%s", c->prefix, s->name);
        DYN__TRY(c->state[i] = dyn__draft_state(&l->draft, name, &s->shape, s->initial));
        DYN__TRY(dyn__grow(o->ctx, (void **)&l->slot, &l->slots_cap, l->slots + 1, sizeof *l->slot));
        l->slot[l->slots++] = (dyn__slot){c->state[i], DYN__SLOT_STATE, 0, m->state + s->offset};
    }
    return DYN_OK;
}

static dyn_status make_members(dyn_objective *o, dyn__loss_graph *l, dyn_build *b)
{
    dyn__callee *c;

    l->parameter = dyn__alloc(o->ctx, (size_t)o->tensors + 1, sizeof *l->parameter);
    if (!l->parameter)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < o->members; i++) {
        DYN__TRY(dyn__build_callee(b, o->member[i].name, o->member[i].model, &c));
        DYN__TRY(make_tensors(o, l, &o->member[i], c));
    }
    return DYN_OK;
}

/* ---- what the build function asks for ---- */

typedef struct writing { dyn_objective *o; dyn__loss_graph *l; } writing;

static dyn_node find_slot(const dyn__loss_graph *l, int32_t number)
{
    for (int64_t i = 0; i < l->slots; i++)
        if (l->slot[i].role <= DYN__SLOT_SHARED && l->slot[i].number == number)
            return l->slot[i].node;
    return -1;
}

static dyn_node make_slot(writing *w, dyn_build *b, int32_t number)
{
    const dyn__datum *d = &w->o->datum[number];
    dyn__loss_graph *l = w->l;
    int64_t shape[DYN_MAX_RANK];
    const int32_t rank = dyn_array_rank(d->array);

    memcpy(shape, dyn_array_shape(d->array), (size_t)rank * sizeof *shape);
    if (!d->shared)
        shape[0] = b->samples;
    dyn_node x = dyn_array_dtype(d->array) == DYN_I64 ? dyn_graph_indices(l->g, d->name, rank, shape)
                                                      : dyn_graph_input(l->g, d->name, rank, shape);
    DYN__TRY(x);
    DYN__TRY(dyn__grow(w->o->ctx, (void **)&l->slot, &l->slots_cap, l->slots + 1, sizeof *l->slot));
    l->slot[l->slots++] = (dyn__slot){x, d->shared ? DYN__SLOT_SHARED : DYN__SLOT_SAMPLES, number, 0};
    return x;
}

static dyn_node check_datum(writing *w, dyn_build *b, int32_t number, int32_t dtype, const dyn__shape *shape, dyn_node x)
{
    const dyn__datum *d = &w->o->datum[number];
    const dyn__node *n = dyn__at(w->l->g, x);
    const dyn__shape expected = d->shared || !shape ? n->shape : dyn__shape_lead(shape, b->samples);
    char p[128], q[128];

    if (!dyn__shape_equal(shape && d->shared ? shape : &expected, &n->shape))
        return DYN__FAIL(w->o->ctx, DYN_ESHAPE, "\"%s\" has shape %s with its samples, %s is asked for", d->name,
                         dyn__shape_text(&n->shape, p), dyn__shape_text(&expected, q));
    if (dtype >= 0 && (dtype == DYN_I64) != (n->dtype == DYN_I64))
        return DYN__FAIL(w->o->ctx, DYN_EDTYPE, "\"%s\" holds %s, %s are asked for", d->name,
                         n->dtype == DYN_I64 ? "indices" : "numbers", dtype == DYN_I64 ? "indices" : "numbers");
    return x;
}

static dyn_node give_data(dyn_build *b, const char *name, int32_t dtype, const dyn__shape *shape)
{
    writing *w = b->user;

    for (int32_t i = 0; i < w->o->data; i++)
        if (!strcmp(w->o->datum[i].name, name)) {
            dyn_node x = find_slot(w->l, i);
            if (x < 0)
                DYN__TRY(x = make_slot(w, b, i));
            return check_datum(w, b, i, dtype, shape, x);
        }
    return DYN__FAIL(w->o->ctx, DYN_EINVAL, "the objective has no data \"%s\"", name);
}

static dyn_node no_parameter(dyn_build *b, const char *name, const dyn__shape *shape, const dyn_init_options *init)
{
    (void)shape, (void)init;
    return DYN__FAIL(b->draft->ctx, DYN_EINVAL, "parameter \"%s\": it belongs to no model that the objective was given",
                     name);
}

static dyn_node no_state(dyn_build *b, const char *name, const dyn__shape *shape, const double *initial)
{
    (void)initial;
    return no_parameter(b, name, shape, NULL);
}

static const dyn__supplier of_objective = {give_data, no_parameter, no_state};

/* ---- terms ---- */

static dyn_node sum_all(dyn_graph *g, dyn_node x)
{
    static const int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    return x < 0 ? x : dyn_graph_sum(g, x, dyn__at(g, x)->shape.rank, axes);
}

static dyn_status add_to(dyn_graph *g, dyn_node *sum, dyn_node x)
{
    *sum = *sum < 0 ? x : dyn_graph_add(g, *sum, x);
    return *sum < 0 ? *sum : DYN_OK;
}

/* It joins samples: the chunk must be the whole. */
static int is_coupled(const dyn__loss_graph *l, const dyn__term_node *t)
{
    const dyn__label label = l->label[t->node];

    return label.axis == DYN__COUPLED || (label.axis >= 0 && (label.outer > 1 || label.inner > 1));
}

static dyn_status check_term(dyn_objective *o, const dyn__loss_graph *l, const dyn__term_node *t, int64_t samples)
{
    const dyn__shape *s = &dyn__at(l->g, t->node)->shape;
    char text[128];

    if (dyn__at(l->g, t->node)->dtype == DYN_I64)
        return DYN__FAIL(o->ctx, DYN_EDTYPE, "term \"%s\", node %d, is a tensor of indices", t->name, (int)t->node);
    if (s->rank == 0 || (s->rank == 1 && s->dim[0] == samples))
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ESHAPE, "term \"%s\", node %d, a %s, has shape %s, expected [%lld], a value for each sample, "
                     "or []", t->name, (int)t->node, dyn__op_of(dyn__at(l->g, t->node))->name, dyn__shape_text(s, text),
                     (long long)samples);
}

/* The term's value: what these samples contribute to that of `total`. */
static dyn_status add_term(dyn_objective *o, dyn__loss_graph *l, int32_t i, int64_t samples, int64_t total)
{
    const dyn__term_node *t = &l->draft.term[i];
    const int alone = dyn__at(l->g, t->node)->shape.rank == 0;
    const int shared = l->label[t->node].axis == DYN__SHARED;
    double a = alone && shared ? (double)samples / (double)total : alone ? 1 : o->opt.sum_samples ? 1 : 1 / (double)total;

    DYN__TRY(check_term(o, l, t, samples));
    dyn_node x = sum_all(l->g, t->node);
    DYN__TRY(add_to(l->g, alone && shared ? &l->penalty : &l->fit, dyn_graph_scale(l->g, x, a * t->weight)));
    if (o->terms > 1)
        DYN__TRY(l->term[i] = dyn_graph_scale(l->g, x, a));
    return DYN_OK;
}

static dyn_status add_penalty(dyn_graph *g, dyn_node w, double l2, double l1, dyn_node *sum)
{
    if (l2 > 0)
        DYN__TRY(add_to(g, sum, dyn_graph_scale(g, sum_all(g, dyn_graph_mul(g, w, w)), 0.5 * l2)));
    if (l1 > 0)
        DYN__TRY(add_to(g, sum, dyn_graph_scale(g, sum_all(g, dyn_graph_abs(g, w)), l1)));
    return DYN_OK;
}

static dyn_status add_penalties(dyn_objective *o, dyn__loss_graph *l, double share)
{
    for (int32_t i = 0; i < l->parameters; i++) {
        const dyn_penalty own = o->penalty ? o->penalty[i] : (dyn_penalty){NULL, 0, 0};
        DYN__TRY(add_penalty(l->g, l->parameter[i], (o->opt.l2 + own.l2) * share, own.l1 * share, &l->penalty));
    }
    return DYN_OK;
}

/* Random numbers belong to the samples by their rows; in any other shape they would change with the chunks. */
static dyn__label label_drawn(const dyn_graph *g, dyn_node x, int64_t samples)
{
    const dyn__shape *s = &dyn__at(g, x)->shape;

    return s->rank > 0 && s->dim[0] == samples ? (dyn__label){0, 1, 1} : dyn__coupled_label();
}

static dyn_status label_nodes(dyn_objective *o, dyn__loss_graph *l, int64_t samples)
{
    l->label = dyn__alloc(o->ctx, (size_t)l->g->count + 1, sizeof *l->label);
    if (!l->label)
        return DYN_ENOMEM;
    for (dyn_node x = 0; x < l->g->count; x++)
        l->label[x] = l->draft.key >= 0 && dyn__at(l->g, x)->nin > 0 && dyn__at(l->g, x)->in[0] == l->draft.key
                          ? label_drawn(l->g, x, samples) : dyn__shared_label();
    for (int64_t i = 0; i < l->slots; i++)
        if (l->slot[i].role == DYN__SLOT_SAMPLES)
            l->label[l->slot[i].node].axis = 0;
    dyn__label_samples(l->g, samples, l->label);
    return DYN_OK;
}

/* What joins samples, in words; a batch of one cannot. */
static dyn_status note_coupling(dyn_objective *o, const dyn__loss_graph *l, int64_t samples, int training)
{
    char text[192], shape[128];

    for (int64_t i = 0; i < l->draft.terms && samples > 1 && !o->coupling[training]; i++) {
        if (!is_coupled(l, &l->draft.term[i]))
            continue;
        const dyn_node x = dyn__coupling_node(l->g, l->label, l->draft.term[i].node);
        snprintf(text, sizeof text, "node %d, a %s of shape %s", (int)x, dyn__op_of(dyn__at(l->g, x))->name,
                 dyn__shape_text(&dyn__at(l->g, x)->shape, shape));
        o->coupling[training] = dyn__strdup(o->ctx, text);
        if (!o->coupling[training])
            return DYN_ENOMEM;
    }
    return DYN_OK;
}

/* The first graph names the terms; later ones are held to it. */
static dyn_status match_terms(dyn_objective *o, dyn__loss_graph *l)
{
    const int first = o->terms == 0;

    for (int64_t i = 0; first && i < l->draft.terms; i++)
        DYN__TRY(dyn__objective_add_term(o, l->draft.term[i].name));
    if (l->draft.terms != o->terms)
        return DYN__FAIL(o->ctx, DYN_EUSER, "the build function made %d terms, before %d", (int)l->draft.terms,
                         (int)o->terms);
    l->term = dyn__alloc(o->ctx, (size_t)o->terms + 1, sizeof *l->term);
    return l->term ? DYN_OK : DYN_ENOMEM;
}

static dyn_status add_terms(dyn_objective *o, dyn__loss_graph *l, int64_t samples, int64_t total, int training)
{
    DYN__TRY(match_terms(o, l));
    DYN__TRY(label_nodes(o, l, samples));
    DYN__TRY(note_coupling(o, l, samples, training));
    if (o->coupling[training] && samples != total)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%lld of %lld samples: the loss joins samples at %s, so that it has no parts",
                         (long long)samples, (long long)total, o->coupling[training]);
    for (int32_t i = 0; i < o->terms; i++)
        DYN__TRY(add_term(o, l, i, samples, total));
    DYN__TRY(add_penalties(o, l, (double)samples / (double)total));
    if (l->penalty >= 0)
        l->loss = l->penalty;
    if (l->fit >= 0)
        l->loss = l->loss < 0 ? l->fit : dyn_graph_add(l->g, l->fit, l->penalty);
    return l->loss < 0 ? l->loss : DYN_OK;
}

/* ---- the whole ---- */

static dyn_status add_key(dyn_objective *o, dyn__loss_graph *l)
{
    if (l->draft.key < 0)
        return DYN_OK;
    o->draws = 1;
    DYN__TRY(dyn__grow(o->ctx, (void **)&l->slot, &l->slots_cap, l->slots + 1, sizeof *l->slot));
    l->slot[l->slots++] = (dyn__slot){l->draft.key, DYN__SLOT_KEY, 0, 0};
    return DYN_OK;
}

static dyn_status check_inputs(dyn_objective *o, const dyn__loss_graph *l)
{
    dyn_node *known = dyn__alloc(o->ctx, (size_t)l->slots + 1, sizeof *known);

    if (!known)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < l->slots; i++)
        known[i] = l->slot[i].node;
    dyn_status s = dyn__draft_check_inputs(&l->draft, l->slots, known);
    dyn__free(o->ctx, known);
    return s;
}

/* Writes with the build function. What it returns is the loss, unless it has named terms. */
static dyn_status write(dyn_objective *o, dyn__loss_graph *l, int64_t samples)
{
    writing w = {o, l};
    dyn_build b = {.draft = &l->draft, .from = &of_objective, .user = &w, .samples = samples};
    dyn_status s = make_members(o, l, &b);

    if (s < 0) {
        dyn__build_close(&b);
        return s;
    }
    const dyn_node x = dyn__build_run(&b, o->build, o->user);
    DYN__TRY(x);
    DYN__TRY(check_inputs(o, l));
    DYN__TRY(add_key(o, l));
    if (l->draft.terms > 0)
        return DYN_OK;
    return dyn_build_term(&b, "loss", x, 1);
}

static dyn_status fill(dyn_objective *o, int64_t samples, int64_t total, int training, dyn__loss_graph *l)
{
    DYN__TRY(write(o, l, samples));
    if (l->draft.cuts == 1)
        l->f = l->draft.cut[0];
    return add_terms(o, l, samples, total, training);
}

static dyn_status make(dyn_objective *o, int64_t samples, int64_t total, int training, int inside, dyn__loss_graph *out)
{
    *out = (dyn__loss_graph){.f = -1, .fit = -1, .penalty = -1, .loss = -1};
    DYN__TRY(dyn_graph_create(o->ctx, o->opt.dtype, &out->g));
    dyn__draft_open(&out->draft, out->g, training);
    out->draft.inside = inside;
    dyn_status s = fill(o, samples, total, training, out);
    if (s < 0)
        dyn__loss_graph_free(o, out);
    return s;
}

dyn_status dyn__loss_graph_make(dyn_objective *o, int64_t samples, int64_t total, int training, dyn__loss_graph *out)
{
    return make(o, samples, total, training, 0, out);
}

dyn_status dyn__loss_graph_inside(dyn_objective *o, dyn__loss_graph *out) { return make(o, o->n, o->n, 0, 1, out); }

void dyn__loss_graph_free(dyn_objective *o, dyn__loss_graph *l)
{
    dyn__free(o->ctx, l->parameter);
    dyn__free(o->ctx, l->slot);
    dyn__free(o->ctx, l->term);
    dyn__free(o->ctx, l->label);
    if (l->g)
        dyn__draft_close(&l->draft);
    dyn_graph_free(l->g);
    *l = (dyn__loss_graph){0};
}

/* ---- where Gauss-Newton cuts ---- */

/* Does x depend on a parameter by a path that avoids the cuts? */
static dyn_status find_way_round(dyn_objective *o, const dyn__loss_graph *l, const dyn_node *cut, int32_t count)
{
    uint8_t *need = dyn__alloc(o->ctx, (size_t)l->g->count + 1, 1);
    int32_t found = -1;

    if (!need)
        return DYN_ENOMEM;
    need[l->fit] = 1;
    for (dyn_node x = l->fit; x >= 0; x--) {
        int is_cut = 0;
        for (int32_t i = 0; i < count; i++)
            is_cut |= cut[i] == x;
        for (int i = 0; need[x] && !is_cut && i < dyn__at(l->g, x)->nin; i++)
            need[dyn__at(l->g, x)->in[i]] = 1;
    }
    for (int32_t i = 0; i < l->parameters && found < 0; i++)
        if (need[l->parameter[i]])
            found = i;
    dyn__free(o->ctx, need);
    if (found < 0)
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP,
                     "the loss depends on \"%s\" not only through the outputs of its models; mark the residual to cut at",
                     dyn__name_of(l->g, l->parameter[found]));
}

dyn_status dyn__loss_graph_cuts(dyn_objective *o, const dyn__loss_graph *l, const dyn_node **cut, int32_t *count)
{
    const dyn__draft *d = &l->draft;

    *cut = d->residuals ? d->residual : d->cut;
    *count = (int32_t)(d->residuals ? d->residuals : d->cuts);
    return l->fit < 0 ? DYN_OK : find_way_round(o, l, *cut, *count);
}
