/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models of any family: creation from a build function, references, sizes, and writing a model into a graph. The
 * function is run once, for one sample: this declares the model's inputs, tensors and states, and every later writing is
 * held to it. */
#include <string.h>
#include "model/build.h"

/* ---- declaration ---- */

static dyn_status note_input(dyn_model *m, const char *name, int32_t dtype, const dyn__shape *shape)
{
    DYN__TRY(dyn__grow(m->ctx, (void **)&m->input, &m->inputs_cap, m->inputs + 1, sizeof *m->input));
    char *copy = dyn__strdup(m->ctx, name);
    if (!copy)
        return DYN_ENOMEM;
    m->input[m->inputs++] = (dyn__model_input){copy, dtype, *shape};
    return DYN_OK;
}

static dyn_node declare_input(dyn_build *b, const char *name, int32_t dtype, const dyn__shape *shape)
{
    dyn_graph *g = b->draft->g;

    if (!shape)
        return DYN__FAIL(g->ctx, DYN_ESTATE, "\"%s\": a model declares its inputs with their shapes, data are a loss's",
                         name);
    if (shape->rank == DYN_MAX_RANK)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "input \"%s\" has rank %d, at most %d beside the axis of samples", name,
                         (int)shape->rank, DYN_MAX_RANK - 1);
    const dyn__shape s = dyn__shape_lead(shape, b->samples);
    dyn_node x = dtype == DYN_I64 ? dyn_graph_indices(g, name, s.rank, s.dim) : dyn_graph_input(g, name, s.rank, s.dim);
    DYN__TRY(x);
    DYN__TRY(note_input(b->user, name, dtype, shape));
    return x;
}

static dyn_node declare_parameter(dyn_build *b, const char *name, const dyn__shape *shape, const dyn_init_options *init)
{
    dyn__draft *d = b->draft;
    dyn_node x = dyn__parameter(d->g, name, shape);

    if (x < 0 || !init)
        return x;
    DYN__TRY(dyn__grow(d->ctx, (void **)&d->own, &d->owns_cap, d->owns + 1, sizeof *d->own));
    dyn__own_init *own = &d->own[d->owns];
    DYN__TRY(dyn__init_complete(d->ctx, init, &own->init));
    if (own->init.layers)
        return DYN__FAIL(d->ctx, DYN_EINVAL, "parameter \"%s\": its own initialisation has scales of %d layers", name,
                         (int)own->init.layers);
    if (own->init.groups_count)
        return DYN__FAIL(d->ctx, DYN_EINVAL, "parameter \"%s\": its own initialisation has %d groups of tensors", name,
                         (int)own->init.groups_count);
    own->node = x;
    d->owns++;
    return x;
}

static dyn_node declare_state(dyn_build *b, const char *name, const dyn__shape *shape, const double *initial)
{
    return dyn__draft_state(b->draft, name, shape, initial);
}

const dyn__supplier dyn__declaring = {declare_input, declare_parameter, declare_state};

/* ---- creation ---- */

/* Shape of one sample from that of n samples. */
static dyn__shape without_samples(const dyn__shape *s)
{
    dyn__shape r = {s->rank - 1, {0}};

    memcpy(r.dim, s->dim + 1, (size_t)r.rank * sizeof r.dim[0]);
    return r;
}

static dyn_status read_output(dyn_model *m, const dyn_graph *g, dyn_node f)
{
    char text[128];

    DYN__TRY(f);
    const dyn__shape *s = &dyn__at(g, f)->shape;
    if (s->rank < 1 || s->dim[0] != 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "the build function made outputs of shape %s for 1 sample",
                         dyn__shape_text(s, text));
    m->output = without_samples(s);
    return DYN_OK;
}

static dyn_status check_inputs(const dyn_model *m, const dyn__draft *d)
{
    dyn_node *known = dyn__alloc(m->ctx, (size_t)m->inputs, sizeof *known);
    dyn_status s = known ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; s == DYN_OK && i < m->inputs; i++)
        known[i] = dyn_graph_find(d->g, m->input[i].name);
    if (s == DYN_OK)
        s = dyn__draft_check_inputs(d, m->inputs, known);
    dyn__free(m->ctx, known);
    return s;
}

static dyn_status declare(dyn_model *m, dyn_graph *g, int copies)
{
    dyn__draft d;

    dyn__draft_open(&d, g, 1);
    dyn_build b = {.draft = &d, .from = &dyn__declaring, .user = m, .samples = 1};
    dyn_status s = read_output(m, g, dyn__build_run(&b, m->build, m->user));
    if (s == DYN_OK && m->inputs == 0)
        s = DYN__FAIL(m->ctx, DYN_EUSER, "the build function asked for no input");
    if (s == DYN_OK)
        s = check_inputs(m, &d);
    if (s == DYN_OK)
        s = dyn__model_read_tensors(m, &d, copies);
    if (s == DYN_OK)
        s = dyn__model_read_states(m, &d);
    dyn__draft_close(&d);
    return s;
}

static dyn_model *new_model(dyn_ctx *ctx, dyn_build_fn build, void *user)
{
    dyn_model *m = dyn__alloc(ctx, 1, sizeof *m);

    if (!m)
        return NULL;
    dyn__ref_init(&m->ref);
    dyn__ctx_ref(ctx);
    m->ctx = ctx;
    m->build = build;
    m->user = user;
    return m;
}

/* Runs the build function for the first time; ends m if it is of no use. */
static dyn_status finish(dyn_model *m, int copies, dyn_model **out)
{
    dyn_graph *g = NULL;
    dyn_status s = dyn_graph_create(m->ctx, DYN_F64, &g);

    if (s == DYN_OK)
        s = declare(m, g, copies);
    dyn_graph_free(g);
    if (s == DYN_OK)
        *out = m;
    else
        dyn_model_unref(m);
    return s;
}

dyn_status dyn__model_create(dyn_ctx *ctx, dyn_build_fn build, void *user, int owns_user, int copies, dyn_model **out)
{
    dyn_model *m = new_model(ctx, build, user);

    if (!m) {
        if (owns_user)
            dyn__free(ctx, user);
        return DYN_ENOMEM;
    }
    m->owns_user = owns_user;
    return finish(m, copies, out);
}

dyn_status dyn__model_create_with(dyn_ctx *ctx, dyn_build_fn build, void *user, void (*destroy)(void *user), dyn_model **out)
{
    dyn_model *m = new_model(ctx, build, user);

    if (!m) {
        destroy(user);
        return DYN_ENOMEM;
    }
    m->destroy = destroy;
    return finish(m, 1, out);
}

dyn_status dyn_model_create(dyn_ctx *ctx, dyn_build_fn build, void *user, dyn_model **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, build);
    return dyn__model_create(ctx, build, user, 0, 1, out);
}

/* ---- models of one input x ---- */

typedef struct single {
    dyn_model_build_fn build;
    void *user;
    dyn__shape input;
} single;

static dyn_node build_single(void *user, dyn_build *b)
{
    const single *s = user;
    dyn_node x = dyn_build_input(b, "x", s->input.rank, s->input.dim);

    return x < 0 ? x : s->build(s->user, dyn_build_graph(b), x);
}

dyn_status dyn_model_from_callback(dyn_ctx *ctx, dyn_model_build_fn build, void *user, int32_t input_rank,
                                   const int64_t *input_shape, dyn_model **out)
{
    single *s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, build);
    if (input_rank < 0 || input_rank >= DYN_MAX_RANK || (input_rank > 0 && !input_shape))
        return DYN__FAIL(ctx, DYN_ESHAPE, "input_rank %d is outside [0, %d] or input_shape is missing", (int)input_rank,
                         DYN_MAX_RANK - 1);
    s = dyn__alloc(ctx, 1, sizeof *s);
    if (!s)
        return DYN_ENOMEM;
    *s = (single){build, user, {.rank = input_rank}};
    for (int i = 0; i < input_rank; i++)
        s->input.dim[i] = input_shape[i];
    return dyn__model_create(ctx, build_single, s, 1, 1, out);
}

/* ---- references ---- */

dyn_model *dyn_model_ref(dyn_model *m)
{
    if (m)
        dyn__ref_take(&m->ref);
    return m;
}

void dyn_model_unref(dyn_model *m)
{
    dyn_ctx *ctx;

    if (!m || !dyn__ref_drop(&m->ref))
        return;
    ctx = m->ctx;
    for (int32_t i = 0; m->tensor && i < m->tensors; i++)
        dyn__free(ctx, m->tensor[i].name);
    for (int64_t i = 0; i < m->inputs; i++)
        dyn__free(ctx, m->input[i].name);
    for (int32_t i = 0; m->state && i < m->states; i++) {
        dyn__free(ctx, m->state[i].name);
        dyn__free(ctx, m->state[i].initial);
    }
    dyn__free(ctx, m->tensor);
    dyn__free(ctx, m->input);
    dyn__free(ctx, m->state);
    if (m->owns_user)
        dyn__free(ctx, m->user);
    if (m->destroy)
        m->destroy(m->user);
    dyn__free(ctx, m);
    dyn__ctx_unref(ctx);
}

/* ---- sizes ---- */

int64_t dyn_model_size(const dyn_model *m) { return m ? m->size : 0; }
int32_t dyn_model_tensors(const dyn_model *m) { return m ? m->tensors : 0; }
int32_t dyn_model_inputs(const dyn_model *m) { return m ? (int32_t)m->inputs : 0; }
int64_t dyn_model_input_size(const dyn_model *m) { return m ? dyn__shape_size(&m->input[0].shape) : 0; }
int64_t dyn_model_output_size(const dyn_model *m) { return m ? dyn__shape_size(&m->output) : 0; }
int32_t dyn_model_states(const dyn_model *m) { return m ? m->states : 0; }
int64_t dyn_model_state_size(const dyn_model *m) { return m ? m->states_size : 0; }

const char *dyn_model_tensor_name(const dyn_model *m, int32_t i)
{
    return m && i >= 0 && i < m->tensors ? m->tensor[i].name : NULL;
}

const char *dyn_model_input_name(const dyn_model *m, int32_t i)
{
    return m && i >= 0 && i < m->inputs ? m->input[i].name : NULL;
}

const char *dyn_model_state_name(const dyn_model *m, int32_t i)
{
    return m && i >= 0 && i < m->states ? m->state[i].name : NULL;
}

/* Copies a shape out; returns its rank. */
static int32_t give_shape(const dyn__shape *s, int64_t *shape)
{
    if (shape)
        memcpy(shape, s->dim, (size_t)s->rank * sizeof *shape);
    return s->rank;
}

int32_t dyn_model_tensor(const dyn_model *m, int32_t i, int64_t *shape, int64_t *offset)
{
    if (!m)
        return DYN_EINVAL;
    if (i < 0 || i >= m->tensors) {
        DYN__ENTER(m->ctx);
        return DYN__FAIL(m->ctx, DYN_EINVAL, "tensor %d: the model has %d", (int)i, (int)m->tensors);
    }
    if (offset)
        *offset = m->tensor[i].offset;
    return give_shape(&m->tensor[i].shape, shape);
}

int32_t dyn_model_input(const dyn_model *m, int32_t i, int64_t *shape, int32_t *dtype)
{
    if (!m)
        return DYN_EINVAL;
    if (i < 0 || i >= m->inputs) {
        DYN__ENTER(m->ctx);
        return DYN__FAIL(m->ctx, DYN_EINVAL, "input %d: the model has %d", (int)i, (int)m->inputs);
    }
    if (dtype)
        *dtype = m->input[i].dtype;
    return give_shape(&m->input[i].shape, shape);
}

int32_t dyn_model_state(const dyn_model *m, int32_t i, int64_t *shape)
{
    if (!m)
        return DYN_EINVAL;
    if (i < 0 || i >= m->states) {
        DYN__ENTER(m->ctx);
        return DYN__FAIL(m->ctx, DYN_EINVAL, "state %d: the model has %d", (int)i, (int)m->states);
    }
    return give_shape(&m->state[i].shape, shape);
}

void dyn__model_initial_states(const dyn_model *m, double *states)
{
    for (int32_t i = 0; i < m->states; i++)
        memcpy(states + m->state[i].offset, m->state[i].initial, (size_t)m->state[i].size * sizeof *states);
}

dyn_status dyn_model_initial_states(const dyn_model *m, double *states)
{
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, states);
    dyn__model_initial_states(m, states);
    return DYN_OK;
}

int32_t dyn_model_output(const dyn_model *m, int64_t *shape)
{
    return m ? give_shape(&m->output, shape) : DYN_EINVAL;
}

/* ---- into a graph ---- */

/* The outermost build of a bare graph: a model called from it has its parameters there under their own names. */
dyn_node dyn_model_build(const dyn_model *m, dyn_graph *g, dyn_node x)
{
    dyn__callee *callee;
    dyn__draft d;

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, g);
    DYN__TRY(dyn__check_ctx(m->ctx, "g", g->ctx));
    DYN__TRY(x);
    dyn__draft_open(&d, g, 0);
    dyn_build b = {.draft = &d, .from = &dyn__declaring, .samples = 1};
    dyn_node f = dyn__build_callee(&b, "", m, &callee);
    if (f == DYN_OK)
        f = dyn__build_at(&b, callee, 1, &x);
    dyn__build_close(&b);
    dyn__draft_close(&d);
    return f;
}
