/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models of any family: creation from a build function, references, sizes, and writing a model into a graph. The
 * function is tried once, for one sample, and every later graph is held to what it did then. */
#include <string.h>
#include "model/model.h"

/* ---- creation ---- */

/* Shape of one sample from that of n samples. */
static dyn__shape without_samples(const dyn__shape *s)
{
    dyn__shape r = {s->rank - 1, {0}};

    memcpy(r.dim, s->dim + 1, (size_t)r.rank * sizeof r.dim[0]);
    return r;
}

/* Is f a node of g that holds n samples? */
static dyn_status check_result(dyn_graph *g, dyn_node f, int64_t n)
{
    char text[128];

    if (f < 0)
        return f;
    if (f >= g->count)
        return DYN__FAIL(g->ctx, DYN_EUSER, "the build function returned node %d: the graph has %d", (int)f,
                         (int)g->count);
    const dyn__shape *s = &dyn__at(g, f)->shape;
    if (s->rank < 1 || s->dim[0] != n)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "the build function made outputs of shape %s for %lld samples",
                         dyn__shape_text(s, text), (long long)n);
    return DYN_OK;
}

static dyn_status try_build(dyn_model *m, dyn_graph *g, int copies)
{
    const dyn__shape s = dyn__shape_lead(&m->input, 1);
    dyn_node x = dyn_graph_input(g, "x", s.rank, s.dim);

    DYN__TRY(x);
    dyn_node f = m->build(m->user, g, x);
    DYN__TRY(check_result(g, f, 1));
    m->output = without_samples(&dyn__at(g, f)->shape);
    return dyn__model_read_tensors(m, g, copies);
}

dyn_status dyn__model_create(dyn_ctx *ctx, dyn_model_build_fn build, void *user, int owns_user, const dyn__shape *input,
                             int copies, dyn_model **out)
{
    dyn_graph *g = NULL;
    dyn_model *m = dyn__alloc(ctx, 1, sizeof *m);

    if (!m) {
        if (owns_user)
            dyn__free(ctx, user);
        return DYN_ENOMEM;
    }
    dyn__ref_init(&m->ref);
    dyn__ctx_ref(ctx);
    m->ctx = ctx;
    m->build = build;
    m->user = user;
    m->owns_user = owns_user;
    m->input = *input;
    dyn_status s = dyn_graph_create(ctx, DYN_F64, &g);
    if (s == DYN_OK)
        s = try_build(m, g, copies);
    dyn_graph_free(g);
    if (s == DYN_OK)
        *out = m;
    else
        dyn_model_unref(m);
    return s;
}

dyn_status dyn_model_from_callback(dyn_ctx *ctx, dyn_model_build_fn build, void *user, int32_t input_rank,
                                   const int64_t *input_shape, dyn_model **out)
{
    dyn__shape input = {input_rank, {0}};

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
    for (int i = 0; i < input_rank; i++)
        input.dim[i] = input_shape[i];
    return dyn__model_create(ctx, build, user, 0, &input, 1, out);
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
    dyn__free(ctx, m->tensor);
    if (m->owns_user)
        dyn__free(ctx, m->user);
    dyn__free(ctx, m);
    dyn__ctx_unref(ctx);
}

/* ---- sizes ---- */

int64_t dyn_model_size(const dyn_model *m) { return m ? m->size : 0; }
int32_t dyn_model_tensors(const dyn_model *m) { return m ? m->tensors : 0; }
int64_t dyn_model_input_size(const dyn_model *m) { return m ? dyn__shape_size(&m->input) : 0; }
int64_t dyn_model_output_size(const dyn_model *m) { return m ? dyn__shape_size(&m->output) : 0; }

const char *dyn_model_tensor_name(const dyn_model *m, int32_t i)
{
    return m && i >= 0 && i < m->tensors ? m->tensor[i].name : NULL;
}

int32_t dyn_model_tensor(const dyn_model *m, int32_t i, int64_t *shape, int64_t *offset)
{
    if (!m)
        return DYN_EINVAL;
    if (i < 0 || i >= m->tensors) {
        DYN__ENTER(m->ctx);
        return DYN__FAIL(m->ctx, DYN_EINVAL, "tensor %d: the model has %d", (int)i, (int)m->tensors);
    }
    const dyn__tensor *t = &m->tensor[i];
    if (shape)
        memcpy(shape, t->shape.dim, (size_t)t->shape.rank * sizeof *shape);
    if (offset)
        *offset = t->offset;
    return t->shape.rank;
}

/* ---- into a graph ---- */

static dyn_status check_samples(const dyn_model *m, dyn_graph *g, dyn_node x)
{
    char p[128], q[128];

    if (x < 0)
        return x;
    if (x >= g->count)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d: the graph has %d", (int)x, (int)g->count);
    const dyn__shape *s = &dyn__at(g, x)->shape;
    if (s->rank == m->input.rank + 1) {
        dyn__shape one = without_samples(s);
        if (dyn__shape_equal(&one, &m->input))
            return DYN_OK;
    }
    return DYN__FAIL(g->ctx, DYN_ESHAPE, "x has shape %s; expected an axis of samples, then %s",
                     dyn__shape_text(s, p), dyn__shape_text(&m->input, q));
}

/* The parameters must be those of the first try, or theta would be read at the wrong places. */
static dyn_status check_tensors(const dyn_model *m, dyn_graph *g, int32_t before)
{
    char p[128], q[128];
    int32_t made = dyn__parameters(g, NULL) - before;

    if (made != m->tensors)
        return DYN__FAIL(g->ctx, DYN_EUSER, "the build function made %d parameters, before it made %d", (int)made,
                         (int)m->tensors);
    for (int32_t i = 0; i < m->tensors; i++) {
        dyn_node x = dyn_graph_find(g, m->tensor[i].name);
        DYN__TRY(x);
        if (!dyn__shape_equal(&dyn__at(g, x)->shape, &m->tensor[i].shape))
            return DYN__FAIL(g->ctx, DYN_EUSER, "the build function made \"%s\" of shape %s, before of shape %s",
                             m->tensor[i].name, dyn__shape_text(&dyn__at(g, x)->shape, p),
                             dyn__shape_text(&m->tensor[i].shape, q));
    }
    return DYN_OK;
}

dyn_node dyn_model_build(const dyn_model *m, dyn_graph *g, dyn_node x)
{
    char p[128], q[128];

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, g);
    DYN__TRY(dyn__check_ctx(m->ctx, "g", g->ctx));
    DYN__TRY(check_samples(m, g, x));
    const int64_t n = dyn__at(g, x)->shape.dim[0];
    const int32_t before = dyn__parameters(g, NULL);
    dyn_node f = m->build(m->user, g, x);
    DYN__TRY(check_result(g, f, n));
    DYN__TRY(check_tensors(m, g, before));
    const dyn__shape made = without_samples(&dyn__at(g, f)->shape);
    if (!dyn__shape_equal(&made, &m->output))
        return DYN__FAIL(g->ctx, DYN_EUSER, "the build function made outputs of shape %s, before of shape %s",
                         dyn__shape_text(&made, p), dyn__shape_text(&m->output, q));
    return f;
}
