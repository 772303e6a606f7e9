/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The losses that have names, of outputs f and targets y of one shape [n, ..., c]; cross-entropies are taken over the last
 * axis, all that stands between is a position. Each is written so that neither it nor its derivative cancels:
 *
 *   mean squared error      (f - y)^2
 *   absolute error          |f - y|
 *   Huber                   e^2/2 for |e| <= delta, else delta (|e| - delta/2)
 *   cross-entropy           -y log softmax f, where log softmax f = (f - m) - log sum e^(f - m), m = max f
 *   Kullback-Leibler        y log y - y log softmax f
 *   binary cross-entropy    y softplus(-f) + (1 - y) softplus(f)
 *   hinge                   max(0, 1 - y f)
 *
 * Elements are summed, positions of cross-entropies averaged. */
#include <string.h>
#include <math.h>
#include "data/data.h"
#include "objective/losses.h"

int dyn__loss_is_softmax(const dyn_objective *o)
{
    return o->opt.loss == DYN_LOSS_CROSS_ENTROPY || o->opt.loss == DYN_LOSS_KL;
}

dyn_status dyn__loss_check(dyn_ctx *ctx, const dyn_objective_options *o)
{
    if (o->loss < DYN_LOSS_MSE || o->loss > DYN_LOSS_KL)
        return DYN__FAIL(ctx, DYN_EINVAL, "loss %d is not known", (int)o->loss);
    if (o->loss == DYN_LOSS_HUBER ? !(o->delta > 0) || !isfinite(o->delta) : o->delta != 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "delta is %g; the Huber loss needs one above 0, the others take none", o->delta);
    if (!(o->label_smoothing >= 0 && o->label_smoothing < 1) ||
        (o->label_smoothing > 0 && o->loss != DYN_LOSS_CROSS_ENTROPY))
        return DYN__FAIL(ctx, DYN_EINVAL, "label_smoothing is %g: from 0 to below 1, and of the cross-entropy",
                         o->label_smoothing);
    if (o->weight)
        DYN__TRY(dyn__check_ctx(ctx, "weight", o->weight->ctx));
    return DYN_OK;
}

/* ---- data ---- */

static int is_whole(const dyn_array *a) { return dyn_array_dtype(a) == DYN_I64 || dyn_array_dtype(a) == DYN_U8; }

/* The array's numbers, or with `index` its indices, as [n, shape]; it holds so many. */
static dyn_status as_data(dyn_objective *o, dyn_array *a, const dyn__shape *sample, int index, dyn_array **out)
{
    const dyn__shape s = dyn__shape_lead(sample, dyn_array_shape(a)[0]);
    dyn_array *typed = NULL;

    DYN__TRY(dyn_array_convert(a, index ? DYN_I64 : o->opt.dtype, &typed));
    const dyn_status status = dyn_array_reshape(typed, s.rank, s.dim, out);
    dyn_array_unref(typed);
    return status;
}

static dyn_status input_as_data(dyn_objective *o, dyn_array *x, dyn_array **out)
{
    const dyn_model *m = o->member[0].model;
    const int64_t d = dyn_model_input_size(m);
    const int index = m->input[0].dtype == DYN_I64;

    if (dyn_array_rank(x) < 1)
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "x of rank 0 needs a sample axis");
    const int64_t n = dyn_array_shape(x)[0];
    if (n < 1 || dyn_array_size(x) != n * d)
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "x has %lld numbers in %lld samples, the model takes %lld per sample",
                         (long long)dyn_array_size(x), (long long)n, (long long)d);
    if (index && !is_whole(x))
        return DYN__FAIL(o->ctx, DYN_EDTYPE, "x holds numbers, the model takes indices (DYN_I64)");
    return as_data(o, x, &m->input[0].shape, index, out);
}

static double number_at(const dyn_array *a, int64_t i)
{
    const void *p = dyn_array_data(a);

    switch (dyn_array_dtype(a)) {
    case DYN_F64:
        return ((const double *)p)[i];
    case DYN_F32:
        return (double)((const float *)p)[i];
    case DYN_I64:
        return (double)((const int64_t *)p)[i];
    default:
        return ((const uint8_t *)p)[i];
    }
}

/* Every target from low to high. */
static dyn_status check_range(dyn_objective *o, const dyn_array *y, double low, double high, const char *expected)
{
    for (int64_t i = 0; i < dyn_array_size(y); i++) {
        const double v = number_at(y, i);
        if (v < low || v > high)
            return DYN__FAIL(o->ctx, DYN_EINVAL, "y: number %lld is %g, expected %s", (long long)i, v, expected);
    }
    return DYN_OK;
}

static dyn_status check_targets(dyn_objective *o, const dyn_array *y, int classes, int64_t c)
{
    if (classes)
        return check_range(o, y, 0, (double)(c - 1), "a class, from 0 to below the number of outputs");
    switch (o->opt.loss) {
    case DYN_LOSS_CROSS_ENTROPY:
    case DYN_LOSS_KL:
        return check_range(o, y, 0, HUGE_VAL, "a share of a distribution, not negative");
    case DYN_LOSS_BINARY_CROSS_ENTROPY:
        return check_range(o, y, 0, 1, "a probability in [0, 1]");
    case DYN_LOSS_HINGE:
        return check_range(o, y, -1, 1, "a label, -1 or 1");
    default:
        return DYN_OK;
    }
}

static int has_classes(const dyn_objective *o)
{
    for (int32_t i = 0; i < o->data; i++)
        if (o->datum[i].shared && !strcmp(o->datum[i].name, "classes"))
            return 1;
    return 0;
}

dyn_status dyn__loss_check_rows(dyn_objective *o, const void *rows)
{
    const dyn_model *m = o->member[0].model;
    const int64_t size = o->n * o->datum[o->target].row, c = m->output.rank ? m->output.dim[m->output.rank - 1] : 1;
    dyn_array *y;

    DYN__TRY(dyn_array_wrap(o->ctx, o->opt.dtype, 1, &size, rows, &y));
    const dyn_status s = check_targets(o, y, has_classes(o), c);
    dyn_array_unref(y);
    return s;
}

/* 0, 1, ..., c - 1, to tell a class by. */
static dyn_status add_classes(dyn_objective *o, int64_t c)
{
    dyn_array *a = NULL;

    DYN__TRY(dyn_array_linspace(o->ctx, DYN_F64, 0, (double)(c - 1), c, &a));
    dyn_status s = dyn__objective_add_datum(o, "classes", a, 1);
    dyn_array_unref(a);
    return s;
}

static dyn_status size_of_targets(dyn_objective *o, const dyn_array *y, int64_t size)
{
    return DYN__FAIL(o->ctx, DYN_ESHAPE, "y has %lld numbers in %lld samples, expected %lld samples of %lld outputs",
                     (long long)dyn_array_size(y), (long long)(dyn_array_rank(y) ? dyn_array_shape(y)[0] : 0),
                     (long long)o->n, (long long)size);
}

/* *classes: they are numbers of classes. */
static dyn_status targets_as_data(dyn_objective *o, dyn_array *y, int *classes, dyn_array **out)
{
    const dyn_model *m = o->member[0].model;
    const int64_t size = dyn_model_output_size(m), c = dyn__loss_classes(o);
    dyn__shape shape = m->output;

    if (dyn__loss_is_softmax(o) && c < 2)
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "a softmax needs two outputs or more, the model has %lld", (long long)c);
    if (dyn_array_rank(y) < 1 || dyn_array_shape(y)[0] != o->n)
        return size_of_targets(o, y, size);
    *classes = o->opt.loss == DYN_LOSS_CROSS_ENTROPY && is_whole(y) && dyn_array_size(y) == o->n * (size / c);
    if (!*classes && dyn_array_size(y) != o->n * size)
        return size_of_targets(o, y, size);
    DYN__TRY(check_targets(o, y, *classes, c));
    if (*classes)
        shape.dim[shape.rank - 1] = 1;
    return as_data(o, y, &shape, 0, out);
}

static dyn_status weight_as_data(dyn_objective *o, dyn_array *w, dyn_array **out)
{
    dyn__shape shape = o->member[0].model->output;
    const int64_t positions = shape.rank ? dyn__shape_size(&shape) / shape.dim[shape.rank - 1] : 1;

    if (dyn_array_rank(w) < 1 || (dyn_array_size(w) != o->n && dyn_array_size(w) != o->n * positions))
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "weight has %lld numbers, expected one for each of %lld samples%s",
                         (long long)dyn_array_size(w), (long long)o->n, positions > 1 ? " or of their positions" : "");
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = i + 1 == shape.rank || dyn_array_size(w) == o->n ? 1 : shape.dim[i];
    return as_data(o, w, &shape, 0, out);
}

static dyn_status add_ready(dyn_objective *o, const char *name, dyn_array *ready)
{
    const dyn_status s = dyn__objective_add_datum(o, name, ready, 0);

    dyn_array_unref(ready);
    return s;
}

dyn_status dyn__loss_inputs(dyn_objective *o, dyn_model *model, dyn_array *x, dyn_array *y)
{
    dyn_array *ready = NULL;
    int classes = 0;

    if (model->inputs != 1)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "the model has %d inputs; its objective is written as a function",
                         (int)model->inputs);
    DYN__TRY(input_as_data(o, x, &ready));
    DYN__TRY(add_ready(o, model->input[0].name, ready));
    DYN__TRY(targets_as_data(o, y, &classes, &ready));
    dyn_status s = classes ? add_classes(o, dyn__loss_classes(o)) : DYN_OK;
    o->target = o->data;
    DYN__TRY(s < 0 ? (dyn_array_unref(ready), s) : add_ready(o, "y", ready));
    if (o->opt.weight) {
        DYN__TRY(weight_as_data(o, o->opt.weight, &ready));
        DYN__TRY(add_ready(o, "weight", ready));
    }
    o->opt.weight = NULL;       /* it is data from here on */
    return DYN_OK;
}

dyn_status dyn__loss_new_data(dyn_objective *o, int32_t i, dyn_array *given, dyn_array **out)
{
    int classes = 0;

    if (i == 0)
        return input_as_data(o, given, out);
    if (i > o->target)
        return weight_as_data(o, given, out);
    if (i < o->target)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "\"%s\" is the loss's own", o->datum[i].name);
    DYN__TRY(targets_as_data(o, given, &classes, out));
    if (classes == has_classes(o))
        return DYN_OK;
    dyn_array_unref(*out);
    *out = NULL;
    return DYN__FAIL(o->ctx, DYN_ESHAPE, "y %s, before it %s", classes ? "holds classes" : "is one number per output",
                     classes ? "was one number per output" : "held classes");
}

/* ---- the graph ---- */

static dyn_node squared(dyn_graph *g, dyn_node x) { return dyn_graph_mul(g, x, x); }

static dyn_node huber(dyn_graph *g, dyn_node e, double delta)
{
    dyn_node a = dyn_graph_abs(g, e), d = dyn_graph_constant(g, delta, 0, NULL);
    dyn_node outside = dyn_graph_scale(g, dyn_graph_sub(g, a, dyn_graph_constant(g, delta / 2, 0, NULL)), delta);

    return dyn_graph_select(g, dyn_graph_greater(g, a, d), outside, dyn_graph_scale(g, squared(g, e), 0.5));
}

/* The last axis as one of size 1. */
static dyn_node with_last(dyn_graph *g, dyn_node x)
{
    int64_t shape[DYN_MAX_RANK + 1];
    const int32_t rank = dyn_graph_shape(g, x, shape);

    if (rank < 0)
        return rank;
    shape[rank] = 1;
    return dyn_graph_reshape(g, x, rank + 1, shape);
}

static dyn_node log_softmax(dyn_graph *g, dyn_node f)
{
    const int32_t last = dyn_graph_shape(g, f, NULL) - 1;
    dyn_node m = dyn_graph_stop(g, with_last(g, dyn_graph_amax(g, f, 1, &last)));
    dyn_node z = dyn_graph_sub(g, f, m);

    return dyn_graph_sub(g, z, with_last(g, dyn_graph_log(g, dyn_graph_sum(g, dyn_graph_exp(g, z), 1, &last))));
}

/* y, or where it holds classes, 1 at the class and 0 elsewhere; smoothed as (1 - s) y + s / c. */
static dyn_node distribution(const dyn_objective *o, dyn_build *b, dyn_node f, dyn_node y)
{
    dyn_graph *g = dyn_build_graph(b);
    int64_t shape[DYN_MAX_RANK], of_y[DYN_MAX_RANK];
    const int32_t rank = dyn_graph_shape(g, f, shape);
    const double s = o->opt.label_smoothing;

    if (rank < 0 || dyn_graph_shape(g, y, of_y) < 0)
        return rank < 0 ? rank : y;
    if (of_y[rank - 1] != shape[rank - 1])
        y = dyn_graph_equal(g, y, dyn_build_data(b, "classes"));
    if (s == 0)
        return y;
    return dyn_graph_add(g, dyn_graph_scale(g, y, 1 - s),
                         dyn_graph_constant(g, s / (double)shape[rank - 1], 0, NULL));
}

static dyn_node binary_cross_entropy(dyn_graph *g, dyn_node f, dyn_node y)
{
    dyn_node one = dyn_graph_constant(g, 1, 0, NULL);
    dyn_node right = dyn_graph_mul(g, y, dyn_graph_softplus(g, dyn_graph_neg(g, f)));

    return dyn_graph_add(g, right, dyn_graph_mul(g, dyn_graph_sub(g, one, y), dyn_graph_softplus(g, f)));
}

/* y log y, 0 at 0 */
static dyn_node negative_entropy(dyn_graph *g, dyn_node y)
{
    dyn_node zero = dyn_graph_constant(g, 0, 0, NULL), some = dyn_graph_greater(g, y, zero);
    dyn_node safe = dyn_graph_select(g, some, y, dyn_graph_constant(g, 1, 0, NULL));

    return dyn_graph_mul(g, y, dyn_graph_log(g, safe));
}

/* Of every element. */
static dyn_node element_loss(const dyn_objective *o, dyn_build *b, dyn_node f, dyn_node y)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node one;

    switch (o->opt.loss) {
    case DYN_LOSS_CROSS_ENTROPY:
        return dyn_graph_neg(g, dyn_graph_mul(g, distribution(o, b, f, y), log_softmax(g, f)));
    case DYN_LOSS_KL:
        return dyn_graph_sub(g, negative_entropy(g, y), dyn_graph_mul(g, y, log_softmax(g, f)));
    case DYN_LOSS_BINARY_CROSS_ENTROPY:
        return binary_cross_entropy(g, f, y);
    case DYN_LOSS_L1:
        return dyn_graph_abs(g, dyn_graph_sub(g, f, y));
    case DYN_LOSS_HUBER:
        return huber(g, dyn_graph_sub(g, f, y), o->opt.delta);
    case DYN_LOSS_HINGE:
        one = dyn_graph_constant(g, 1, 0, NULL);
        return dyn_graph_relu(g, dyn_graph_sub(g, one, dyn_graph_mul(g, y, f)));
    default:
        return squared(g, dyn_graph_sub(g, f, y));
    }
}

int64_t dyn__loss_classes(const dyn_objective *o)
{
    const dyn__shape *s = &o->member[0].model->output;

    return s->rank ? s->dim[s->rank - 1] : 1;
}

double dyn__loss_factor(const dyn_objective *o)
{
    const double size = (double)dyn__shape_size(&o->member[0].model->output), c = (double)dyn__loss_classes(o);
    double a = dyn__loss_is_softmax(o) ? c / size : 1;

    if (o->opt.mean_outputs)
        a = 1 / size;
    return o->opt.half && o->opt.loss == DYN_LOSS_MSE ? a / 2 : a;
}

dyn_node dyn__loss_build(void *user, dyn_build *b)
{
    static const int32_t axes[DYN_MAX_RANK] = {1, 2, 3, 4, 5, 6, 7};
    const dyn_objective *o = user;
    const dyn_model *m = o->member[0].model;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_data(b, m->input[0].name), y = dyn_build_data(b, "y");

    DYN__TRY(x);
    dyn_node f = dyn_build_call(b, NULL, m, 1, &x);
    dyn_node e = element_loss(o, b, f, y);
    DYN__TRY(e);
    if (o->target + 1 < o->data)
        DYN__TRY(e = dyn_graph_mul(g, e, dyn_build_data(b, "weight")));
    e = dyn_graph_sum(g, e, dyn__at(g, e)->shape.rank - 1, axes);
    DYN__TRY(dyn_build_term(b, "loss", e, dyn__loss_factor(o)));
    return e;
}
