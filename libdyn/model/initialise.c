/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Initialisation. Element k of tensor i is draw k of (seed, stream init, site i): widening one layer or drawing
 * another kind for it moves no other tensor. A copy of a tensor is copied, not drawn. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>
#include "model/model.h"
#include "random/random.h"

enum draw { DRAW_NORMAL, DRAW_UNIFORM, DRAW_ORTHOGONAL, DRAW_ZERO, DRAW_CONSTANT, DRAW_IDENTITY };

/* What size means in the table below. */
enum size_rule { SIZE_GIVEN, SIZE_IN, SIZE_IN_OUT, SIZE_POWER, SIZE_WIDTH_POWER };

/* The size of a draw (standard deviation or half-width) is scale * sqrt(factor / fan), or (factor / fan)^scale for powers. */
static const struct kind {
    enum draw draw;
    enum size_rule rule;
    double factor;
} kinds[] = {
    [DYN_INIT_DEFAULT] = {DRAW_UNIFORM, SIZE_IN, 1},
    [DYN_INIT_NORMAL] = {DRAW_NORMAL, SIZE_GIVEN, 1},
    [DYN_INIT_UNIFORM] = {DRAW_UNIFORM, SIZE_GIVEN, 1},
    [DYN_INIT_POWER] = {DRAW_NORMAL, SIZE_POWER, 1},
    [DYN_INIT_LECUN] = {DRAW_NORMAL, SIZE_IN, 1},
    [DYN_INIT_XAVIER] = {DRAW_NORMAL, SIZE_IN_OUT, 2},
    [DYN_INIT_XAVIER_UNIFORM] = {DRAW_UNIFORM, SIZE_IN_OUT, 6},
    [DYN_INIT_HE] = {DRAW_NORMAL, SIZE_IN, 2},
    [DYN_INIT_ORTHOGONAL] = {DRAW_ORTHOGONAL, SIZE_GIVEN, 1},
    [DYN_INIT_ZERO] = {DRAW_ZERO, SIZE_GIVEN, 1},
    [DYN_INIT_WIDTH_POWER] = {DRAW_NORMAL, SIZE_WIDTH_POWER, 1},
    [DYN_INIT_CONSTANT] = {DRAW_CONSTANT, SIZE_GIVEN, 1},
    [DYN_INIT_IDENTITY] = {DRAW_IDENTITY, SIZE_GIVEN, 1},
    [DYN_INIT_UNIFORM_POWER] = {DRAW_UNIFORM, SIZE_POWER, 6},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- sizes ---- */

/* Outputs of every layer but the last; 0 without hidden layers. */
static int64_t widest_hidden(const dyn_model *m)
{
    int64_t widest = 0;

    for (int32_t i = 0; i < m->tensors; i++) {
        const dyn__tensor *t = &m->tensor[i];
        if (!t->bias && t->layer < m->layers - 1 && t->fan_out > widest)
            widest = t->fan_out;
    }
    return widest;
}

static double size_of(const struct kind *k, const dyn__tensor *t, double scale, int64_t widest)
{
    switch (k->rule) {
    case SIZE_GIVEN:
        return scale;
    case SIZE_IN:
        return scale * sqrt(k->factor / (double)t->fan_in);
    case SIZE_IN_OUT:
        return scale * sqrt(k->factor / ((double)t->fan_in + (double)t->fan_out));
    case SIZE_POWER:
        return pow((double)t->fan_in / k->factor, -scale);
    case SIZE_WIDTH_POWER:
        return pow((double)widest, -scale);
    }
    return NAN;
}

/* ---- options ---- */

/* One drawing instruction for one tensor. */
typedef struct recipe {
    const struct kind *kind;
    double size;
} recipe;

static dyn_status check_kind(dyn_ctx *ctx, const char *what, int32_t kind, double scale)
{
    if (kind < 0 || kind >= KINDS)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s %d is outside [0, %d]", what, (int)kind, KINDS - 1);
    const int power = kinds[kind].rule == SIZE_POWER || kinds[kind].rule == SIZE_WIDTH_POWER;
    const int signed_scale = power || kinds[kind].draw == DRAW_CONSTANT || kinds[kind].draw == DRAW_IDENTITY;
    if (!isfinite(scale) || (scale < 0 && !signed_scale))
        return DYN__FAIL(ctx, DYN_EINVAL, "scale %g with %s %d; it must be finite%s", scale, what, (int)kind,
                         signed_scale ? "" : " and not negative");
    return DYN_OK;
}

static int needs_matrix(int32_t kind)
{
    return kind == DYN_INIT_ORTHOGONAL || kind == DYN_INIT_IDENTITY;
}

static dyn_status check_bias(dyn_ctx *ctx, const dyn_init_options *o)
{
    if (!isfinite(o->bias_scale))
        return DYN__FAIL(ctx, DYN_EINVAL, "bias_scale is %g", o->bias_scale);
    if (o->bias_kind == DYN_INIT_AS_WEIGHTS)
        return DYN_OK;
    if (needs_matrix(o->bias_kind))
        return DYN__FAIL(ctx, DYN_EINVAL, "bias_kind is DYN_INIT_%s, which needs a matrix",
                         o->bias_kind == DYN_INIT_IDENTITY ? "IDENTITY" : "ORTHOGONAL");
    return check_kind(ctx, "bias_kind", o->bias_kind, o->bias_scale);
}

dyn_status dyn__init_complete(dyn_ctx *ctx, const dyn_init_options *given, dyn_init_options *o)
{
    *o = (dyn_init_options)DYN_INIT_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_init_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(check_kind(ctx, "kind", o->kind, o->scale));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    if (o->groups_count < 0 || (o->groups_count > 0) != (o->groups != NULL))
        return DYN__FAIL(ctx, DYN_EINVAL, "groups_count is %d and groups is %s", (int)o->groups_count,
                         o->groups ? "given" : "NULL");
    return check_bias(ctx, o);
}

/* A group that takes no tensor is a mistake. */
static dyn_status check_group(const dyn_model *m, const dyn_init_group *group)
{
    DYN__NEED(m->ctx, group->pattern);
    DYN__TRY(dyn__check_reserved(m->ctx, (uint32_t)group->reserved));
    DYN__TRY(check_kind(m->ctx, "kind", group->kind, group->scale));
    for (int32_t i = 0; i < m->tensors; i++)
        if (fnmatch(group->pattern, m->tensor[i].name, 0) == 0)
            return DYN_OK;
    return DYN__FAIL(m->ctx, DYN_EINVAL, "group \"%s\": none of %d tensors has such a name; they are %s to %s",
                     group->pattern, (int)m->tensors, m->tensor[0].name, m->tensor[m->tensors - 1].name);
}

static dyn_status check_options(const dyn_model *m, const dyn_init_options *o)
{
    if (o->layers != 0 && o->layers != m->layers)
        return DYN__FAIL(m->ctx, DYN_ESHAPE, "layers is %d; the model has %d", (int)o->layers, (int)m->layers);
    if ((o->layers != 0) != (o->layer_scale != NULL))
        return DYN__FAIL(m->ctx, DYN_EINVAL, "layers is %d and layer_scale is %s", (int)o->layers,
                         o->layer_scale ? "given" : "NULL");
    for (int32_t i = 0; i < o->layers; i++)
        DYN__TRY(check_kind(m->ctx, "kind", o->kind, o->layer_scale[i]));
    for (int32_t i = 0; i < o->groups_count; i++)
        DYN__TRY(check_group(m, &o->groups[i]));
    return DYN_OK;
}

static const dyn_init_group *group_of(const dyn__tensor *t, const dyn_init_options *o)
{
    for (int32_t k = o->groups_count - 1; k >= 0; k--)
        if (fnmatch(o->groups[k].pattern, t->name, 0) == 0)
            return &o->groups[k];
    return NULL;
}

/* Kind and scale, by whoever says so: a group, the tensor itself, the options. */
static const struct kind *kind_of(const dyn__tensor *t, const dyn_init_options *o, double *scale)
{
    const dyn_init_group *group = group_of(t, o);

    if (group) {
        *scale = group->scale;
        return &kinds[group->kind];
    }
    if (t->has_init)
        o = &t->init;
    if (t->bias && o->bias_kind != DYN_INIT_AS_WEIGHTS) {
        *scale = o->bias_scale;
        return &kinds[o->bias_kind];
    }
    *scale = o->layer_scale ? o->layer_scale[t->layer] : o->scale;
    return &kinds[o->kind];
}

static dyn_status recipe_of(const dyn_model *m, const dyn_init_options *o, int32_t i, recipe *out)
{
    const dyn__tensor *t = &m->tensor[i];
    const int64_t widest = widest_hidden(m);
    double scale;

    out->kind = kind_of(t, o, &scale);
    if (t->bias && (out->kind->draw == DRAW_ORTHOGONAL || out->kind->draw == DRAW_IDENTITY))
        out->kind = &kinds[DYN_INIT_ZERO];
    if (out->kind->rule == SIZE_WIDTH_POWER && widest == 0)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "DYN_INIT_WIDTH_POWER needs a hidden layer; the model has none");
    out->size = size_of(out->kind, t, scale, widest);
    if (!isfinite(out->size))
        return DYN__FAIL(m->ctx, DYN_ENONFINITE, "scale %g gives \"%s\" a size of %g", scale, t->name, out->size);
    return DYN_OK;
}

/* ---- drawing ---- */

/* Rows or columns of the matrix [fan_in, fan_out], whichever are fewer. */
static dyn_status draw_orthogonal(const dyn_model *m, const dyn__tensor *t, dyn__key key, double *out)
{
    const int by_rows = t->fan_in < t->fan_out;
    const int64_t count = by_rows ? t->fan_in : t->fan_out, length = by_rows ? t->fan_out : t->fan_in;
    double *v = dyn__alloc(m->ctx, (size_t)t->size, sizeof *v);

    if (!v)
        return DYN_ENOMEM;
    dyn__normal_f64(key, 0, t->size, v);
    dyn__orthonormalise(count, length, v);
    for (int64_t j = 0; j < count; j++)
        for (int64_t i = 0; i < length; i++)
            out[by_rows ? j * length + i : i * count + j] = v[j * length + i];
    dyn__free(m->ctx, v);
    return DYN_OK;
}

/* 1 where a feature meets itself, at the middle of a kernel. */
static void draw_identity(const dyn__tensor *t, double *out)
{
    const int32_t rank = t->shape.rank;
    const int64_t columns = t->shape.dim[rank - 1], rows = t->shape.dim[rank - 2];
    int64_t middle = 0;

    for (int32_t i = 0; i < rank - 2; i++)
        middle = middle * t->shape.dim[i] + t->shape.dim[i] / 2;
    memset(out, 0, (size_t)t->size * sizeof *out);
    for (int64_t i = 0; i < rows && i < columns; i++)
        out[(middle * rows + i) * columns + i] = 1;
}

static dyn_status draw(const dyn_model *m, int32_t i, const recipe *r, uint64_t seed, double *theta)
{
    const dyn__tensor *t = &m->tensor[i];
    const dyn__key key = {seed, DYN__STREAM_INIT, 0, (uint32_t)i};
    double *out = theta + t->offset;

    switch (r->kind->draw) {
    case DRAW_ZERO:
        memset(out, 0, (size_t)t->size * sizeof *out);
        return DYN_OK;
    case DRAW_CONSTANT:
        for (int64_t k = 0; k < t->size; k++)
            out[k] = r->size;
        return DYN_OK;
    case DRAW_NORMAL:
        dyn__normal_f64(key, 0, t->size, out);
        break;
    case DRAW_UNIFORM:
        dyn__uniform_f64(key, 0, t->size, out);
        for (int64_t k = 0; k < t->size; k++)
            out[k] = 2 * out[k] - 1;
        break;
    case DRAW_ORTHOGONAL:
        DYN__TRY(draw_orthogonal(m, t, key, out));
        break;
    case DRAW_IDENTITY:
        draw_identity(t, out);
    }
    for (int64_t k = 0; k < t->size; k++)
        out[k] *= r->size;
    return DYN_OK;
}

static dyn_status initialise_tensor(const dyn_model *m, int32_t i, const dyn_init_options *o, double *theta)
{
    const dyn__tensor *t = &m->tensor[i];
    recipe r = {NULL, 0};

    if (t->twin >= 0) {
        memcpy(theta + t->offset, theta + m->tensor[t->twin].offset, (size_t)t->size * sizeof *theta);
        return DYN_OK;
    }
    DYN__TRY(recipe_of(m, o, i, &r));
    return draw(m, i, &r, o->seed, theta);
}

dyn_status dyn_model_initialise(const dyn_model *m, const dyn_init_options *opt, double *theta)
{
    dyn_init_options o = DYN_INIT_OPTIONS_INIT;

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, theta);
    DYN__TRY(dyn__init_complete(m->ctx, opt, &o));
    DYN__TRY(check_options(m, &o));
    for (int32_t i = 0; i < m->tensors; i++)
        DYN__TRY(initialise_tensor(m, i, &o, theta));
    return DYN_OK;
}
