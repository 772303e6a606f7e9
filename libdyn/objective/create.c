/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation of objectives that are functions on the graph: options, models, data. The function writes once here, so that
 * what is wrong with it is said at creation. */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "data/data.h"
#include "objective/impl.h"
#include "objective/losses.h"

/* ---- options ---- */

static dyn_status check_penalty(dyn_ctx *ctx, int32_t i, const dyn_penalty *p)
{
    if (!p->pattern || !(p->l1 >= 0 && p->l2 >= 0) || !isfinite(p->l1 + p->l2))
        return DYN__FAIL(ctx, DYN_EINVAL, "penalties[%d]: pattern \"%s\", l2 %g, l1 %g, which must be finite and not "
                         "negative", (int)i, p->pattern ? p->pattern : "NULL", p->l2, p->l1);
    return DYN_OK;
}

dyn_status dyn__objective_options(dyn_ctx *ctx, const dyn_objective_options *given, dyn_objective_options *opt)
{
    *opt = (dyn_objective_options)DYN_OBJECTIVE_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_objective_options", given, opt, sizeof *opt, sizeof *opt));
    if (opt->dtype != DYN_F64 && opt->dtype != DYN_F32)
        return DYN__FAIL(ctx, DYN_EDTYPE, "dtype %d is neither DYN_F64 nor DYN_F32", (int)opt->dtype);
    DYN__TRY(dyn__check_flag(ctx, "half", opt->half));
    DYN__TRY(dyn__check_flag(ctx, "sum_samples", opt->sum_samples));
    DYN__TRY(dyn__check_flag(ctx, "mean_outputs", opt->mean_outputs));
    if (!(opt->l2 >= 0) || !isfinite(opt->l2) || opt->memory_limit < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "l2 %g, memory_limit %lld: both must be finite and not negative", opt->l2,
                         (long long)opt->memory_limit);
    DYN__TRY(dyn__check_reserved(ctx, opt->reserved));
    if (opt->penalties_count < 0 || (opt->penalties_count > 0 && !opt->penalties))
        return DYN__FAIL(ctx, DYN_EINVAL, "%d penalties given as %s", (int)opt->penalties_count,
                         opt->penalties ? "a list" : "NULL");
    for (int32_t i = 0; i < opt->penalties_count; i++)
        DYN__TRY(check_penalty(ctx, i, &opt->penalties[i]));
    return DYN_OK;
}

/* ---- data ---- */

static dyn_status check_finite(dyn_ctx *ctx, const char *what, const dyn_array *a)
{
    const double *v = dyn_array_data(a);
    const float *w = dyn_array_data(a);

    if (dyn_array_dtype(a) == DYN_I64)
        return DYN_OK;
    for (int64_t i = 0; i < dyn_array_size(a); i++)
        if (!isfinite(dyn_array_dtype(a) == DYN_F32 ? (double)w[i] : v[i]))
            return DYN__FAIL(ctx, DYN_ENONFINITE, "%s: number %lld is not finite", what, (long long)i);
    return DYN_OK;
}

/* All per-sample data have the same number of samples. */
static dyn_status count_samples(dyn_objective *o, const char *name, const dyn_array *a)
{
    int64_t n;

    if (dyn_array_rank(a) < 1)
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "\"%s\" has rank 0, an axis of samples is needed", name);
    n = dyn_array_shape(a)[0];
    if (n < 1 || (o->n && n != o->n))
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "\"%s\" has %lld samples, what comes before it has %lld", name,
                         (long long)n, (long long)o->n);
    o->n = n;
    return DYN_OK;
}

/* The array in the form that the graph reads: the element type, or indices as they are. */
static dyn_status take_array(dyn_objective *o, const char *name, dyn_array *a, dyn__datum *d)
{
    if (dyn_array_rank(a) > DYN_MAX_RANK)
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "\"%s\" has rank %d, at most %d", name, (int)dyn_array_rank(a),
                         DYN_MAX_RANK);
    if (dyn_array_dtype(a) == DYN_I64)
        d->array = dyn_array_ref(a);
    else
        DYN__TRY(dyn_array_convert(a, o->opt.dtype, &d->array));
    return check_finite(o->ctx, name, d->array);
}

dyn_status dyn__objective_add_datum(dyn_objective *o, const char *name, dyn_array *a, int shared)
{
    dyn__datum *all = dyn__alloc(o->ctx, (size_t)o->data + 1, sizeof *all), *d;

    if (!all)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < o->data; i++)
        all[i] = o->datum[i];
    dyn__free(o->ctx, o->datum);
    o->datum = all;
    d = &all[o->data];
    d->name = dyn__strdup(o->ctx, name);
    if (!d->name)
        return DYN_ENOMEM;
    o->data++;      /* from here it is freed with the objective */
    for (int32_t i = 0; i + 1 < o->data; i++)
        if (!strcmp(all[i].name, name))
            return DYN__FAIL(o->ctx, DYN_EINVAL, "there are two data \"%s\"", name);
    if (!shared)
        DYN__TRY(count_samples(o, name, a));
    d->shared = shared;
    DYN__TRY(take_array(o, name, a, d));
    d->esize = dyn_array_dtype(d->array) == DYN_I64 ? 8 : o->esize;
    d->row = dyn_array_size(a) / (shared ? 1 : o->n);
    return DYN_OK;
}

static int32_t find_datum(const dyn_objective *o, const char *name)
{
    for (int32_t i = 0; i < o->data; i++)
        if (!strcmp(o->datum[i].name, name))
            return i;
    return -1;
}

/* The array in the place of datum i. A run in progress reads it from its next evaluation on; what the datum points to
 * is bound at each. */
static dyn_status exchange(dyn_objective *o, int32_t i, dyn_array *array)
{
    const dyn_array *old = o->datum[i].array;
    dyn__datum now = {0};

    if (dyn_array_rank(array) != dyn_array_rank(old) || memcmp(dyn_array_shape(array), dyn_array_shape(old),
            (size_t)dyn_array_rank(old) * sizeof(int64_t)) || (array->dtype == DYN_I64) != (old->dtype == DYN_I64))
        return DYN__FAIL(o->ctx, DYN_ESHAPE, "\"%s\" must keep its shape and kind: %lld numbers of rank %d are given for "
                         "%lld of rank %d", o->datum[i].name, (long long)array->size, (int)array->rank,
                         (long long)old->size, (int)old->rank);
    DYN__TRY(dyn__check_ids(o, &o->datum[i], array));
    const dyn_status s = take_array(o, o->datum[i].name, array, &now);
    dyn_array_unref(s < 0 ? now.array : o->datum[i].array);
    if (s >= 0) {
        o->datum[i].array = now.array;
        o->exchanged = 1;
    }
    return s;
}

dyn_status dyn_objective_set_data(dyn_objective *o, const char *name, dyn_array *array)
{
    dyn_array *ready = NULL;
    int32_t i;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_graph(o));
    DYN__NEED(o->ctx, name);
    DYN__NEED(o->ctx, array);
    DYN__TRY(dyn__check_ctx(o->ctx, "array", array->ctx));
    i = find_datum(o, name);
    if (i < 0)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "the objective has no data \"%s\"", name);
    if (o->build == dyn__loss_build)
        DYN__TRY(dyn__loss_new_data(o, i, array, &ready));
    const dyn_status s = exchange(o, i, ready ? ready : array);
    dyn_array_unref(ready);
    return s;
}

/* ---- creation ---- */

/* Writes the function once, as it measures, and learns from it. */
static dyn_status try_function(dyn_objective *o)
{
    dyn__loss_graph l;

    DYN__TRY(dyn__loss_graph_make(o, o->n, o->n, 0, &l));
    if (l.f >= 0)
        o->c = dyn__shape_size(&dyn__at(l.g, l.f)->shape) / o->n;
    dyn_status s = dyn__find_tables(o, &l);
    dyn__loss_graph_free(o, &l);
    return s;
}

/* ---- penalties ---- */

static dyn_status take_penalty(dyn_objective *o, const dyn_penalty *p)
{
    char name[512];
    int found = 0;

    for (int32_t i = 0; i < o->tensors; i++) {
        dyn_objective_tensor(o, i, NULL, NULL, name, sizeof name);
        if (fnmatch(p->pattern, name, 0) != 0)
            continue;
        found = 1;
        o->penalty[i].l1 += p->l1;
        o->penalty[i].l2 += p->l2;
    }
    return found ? DYN_OK : DYN__FAIL(o->ctx, DYN_EINVAL, "penalty \"%s\": none of %d tensors has such a name; the last "
                                      "is %s", p->pattern, (int)o->tensors, name);
}

/* The caller's list is not kept. */
static dyn_status take_penalties(dyn_objective *o)
{
    const dyn_penalty *list = o->opt.penalties;

    o->opt.penalties = NULL;
    if (o->opt.penalties_count == 0)
        return DYN_OK;
    o->penalty = dyn__alloc(o->ctx, (size_t)o->tensors + 1, sizeof *o->penalty);
    if (!o->penalty)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < o->opt.penalties_count; i++)
        DYN__TRY(take_penalty(o, &list[i]));
    return DYN_OK;
}

dyn_status dyn__objective_ready(dyn_objective *o)
{
    DYN__TRY(take_penalties(o));
    if (o->n == 0)
        o->n = 1;       /* nothing but shared data: one sample of them */
    DYN__TRY(dyn__objective_make_state(o));
    DYN__TRY(dyn__objective_buffers(o));
    return try_function(o);
}

static dyn_status check_parts(dyn_ctx *ctx, const dyn_objective_parts *p)
{
    if (p->models < 1 || !p->model || p->data < 0 || (p->data > 0 && (!p->array || !p->name)))
        return DYN__FAIL(ctx, DYN_EINVAL, "%d models, %d data: a list is missing, or there is no model", (int)p->models,
                         (int)p->data);
    for (int32_t i = 0; i < p->models; i++) {
        DYN__NEED(ctx, p->model[i]);
        DYN__TRY(dyn__check_ctx(ctx, "a model", p->model[i]->ctx));
        for (int32_t k = 0; k < i; k++)
            if (p->model[k] == p->model[i])
                return DYN__FAIL(ctx, DYN_EINVAL, "models %d and %d are the same; it can be called twice", (int)k, (int)i);
    }
    for (int32_t i = 0; i < p->data; i++) {
        DYN__NEED(ctx, p->array[i]);
        DYN__NEED(ctx, p->name[i]);
        DYN__TRY(dyn__check_ctx(ctx, p->name[i], p->array[i]->ctx));
    }
    return DYN_OK;
}

static dyn_status take_parts(dyn_objective *o, const dyn_objective_parts *p)
{
    char number[16] = "";

    for (int32_t i = 0; i < p->models; i++) {
        if (p->models > 1)
            snprintf(number, sizeof number, "%d", (int)i + 1);
        DYN__TRY(dyn__objective_add_member(o, p->model[i], p->model_name ? p->model_name[i] : number));
    }
    for (int32_t i = 0; i < p->data; i++)
        DYN__TRY(dyn__objective_add_datum(o, p->name[i], p->array[i], p->shared && p->shared[i]));
    return dyn__objective_ready(o);
}

dyn_status dyn_objective_from_function(dyn_ctx *ctx, dyn_build_fn build, void *user, const dyn_objective_parts *parts,
                                       const dyn_objective_options *given, dyn_objective **out)
{
    dyn_objective_options opt;
    dyn_objective_parts p = DYN_OBJECTIVE_PARTS_INIT;
    dyn_objective *o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, build);
    DYN__TRY(dyn__options(ctx, "dyn_objective_parts", parts, &p, sizeof p, sizeof p));
    DYN__TRY(dyn__check_reserved(ctx, p.reserved));
    DYN__TRY(check_parts(ctx, &p));
    DYN__TRY(dyn__objective_options(ctx, given, &opt));
    DYN__TRY(dyn__objective_new(ctx, &dyn__graph_kind, opt.dtype, &o));
    o->opt = opt;
    o->build = build;
    o->user = user;
    dyn_status s = take_parts(o, &p);
    if (s < 0)
        dyn_objective_unref(o);
    else
        *out = o;
    return s;
}

/* ---- the loss of a model on x and y ---- */

static dyn_status fill(dyn_objective *o, dyn_model *model, dyn_array *x, dyn_array *y)
{
    DYN__TRY(dyn__objective_add_member(o, model, ""));
    DYN__TRY(dyn__loss_inputs(o, model, x, y));
    DYN__TRY(dyn__objective_ready(o));
    return DYN_OK;
}

dyn_status dyn_objective_create(dyn_ctx *ctx, dyn_model *model, dyn_array *x, dyn_array *y,
                                const dyn_objective_options *given, dyn_objective **out)
{
    dyn_objective_options opt;
    dyn_objective *o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, model);
    DYN__NEED(ctx, x);
    DYN__NEED(ctx, y);
    DYN__TRY(dyn__check_ctx(ctx, "model", model->ctx));
    DYN__TRY(dyn__check_ctx(ctx, "x", x->ctx));
    DYN__TRY(dyn__check_ctx(ctx, "y", y->ctx));
    DYN__TRY(dyn__objective_options(ctx, given, &opt));
    DYN__TRY(dyn__loss_check(ctx, &opt));
    DYN__TRY(dyn__objective_new(ctx, &dyn__graph_kind, opt.dtype, &o));
    o->opt = opt;
    o->build = dyn__loss_build;
    o->user = o;
    dyn_status s = fill(o, model, x, y);
    if (s < 0)
        dyn_objective_unref(o);
    else
        *out = o;
    return s;
}
