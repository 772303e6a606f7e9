/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models to and from safetensors files with PyTorch's names: a list of entries, and the numbers of a tensor moved between
 * the two layouts. */
#include <math.h>
#include <string.h>
#include "family/family.h"

typedef struct listing {
    dyn_model *model;
    int32_t count;
    dyn_exchange_part *part;
    const double *theta, *states;   /* what is written */
} listing;

static dyn_status list_entries(dyn_model *m, listing *l)
{
    l->model = m;
    l->count = m->tensors + m->states;
    l->part = dyn__alloc(m->ctx, (size_t)l->count, sizeof *l->part);
    if (!l->part)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < l->count; i++)
        DYN__TRY(dyn_exchange_entry(m, i, &l->part[i]));
    return DYN_OK;
}

static int64_t offset_of(const listing *l, const dyn_exchange_part *p)
{
    return p->state ? l->model->state[p->source].offset : l->model->tensor[p->source].offset;
}

/* ---- what one name holds ---- */

/* A name with its whole shape. */
typedef struct whole {
    int32_t first;              /* its first part */
    int32_t rank;
    int64_t shape[DYN_MAX_RANK], size;
} whole;

static int same_name(const listing *l, int32_t i, int32_t k) { return strcmp(l->part[i].name, l->part[k].name) == 0; }

static int is_first(const listing *l, int32_t i)
{
    for (int32_t k = 0; k < i; k++)
        if (l->part[i].joined >= 0 && same_name(l, i, k))
            return 0;
    return 1;
}

static whole whole_of(const listing *l, int32_t first)
{
    const dyn_exchange_part *p = &l->part[first];
    whole w = {.first = first, .rank = p->rank, .size = 1};

    memcpy(w.shape, p->shape, sizeof w.shape);
    for (int32_t k = first + 1; p->joined >= 0 && k < l->count; k++)
        if (same_name(l, first, k))
            w.shape[p->joined] += l->part[k].shape[p->joined];
    for (int32_t k = 0; k < w.rank; k++)
        w.size *= w.shape[k];
    return w;
}

/* ---- numbers between the layouts ---- */

/* Strides of the tensor of the model along their axes. */
static void strides_of(const dyn_exchange_part *p, int64_t *stride)
{
    int64_t own[DYN_MAX_RANK], step = 1;

    for (int32_t k = p->axes; k-- > 0; step *= p->split[k])
        own[k] = step;
    for (int32_t k = 0; k < p->axes; k++)
        stride[k] = own[p->order[k]];
}

/* Moves the part: ours is the tensor of the model, theirs the whole in their layout from the part's first number on; a run
 * of `run` numbers of the part is followed by the next `step` numbers later. */
static void move(const dyn_exchange_part *p, double *ours, double *theirs, int64_t run, int64_t step, int to_theirs)
{
    int64_t index[DYN_MAX_RANK] = {0}, stride[DYN_MAX_RANK], size = 1, at = 0;

    strides_of(p, stride);
    for (int32_t k = 0; k < p->axes; k++)
        size *= p->split[k];
    for (int64_t i = 0; i < size; i++) {
        double *there = theirs + i / run * step + i % run;
        *(to_theirs ? there : ours + at) = *(to_theirs ? ours + at : there);
        for (int32_t k = p->axes; k-- > 0;) {
            at += stride[k];
            if (++index[k] < p->split[p->order[k]])
                break;
            at -= stride[k] * index[k];
            index[k] = 0;
        }
    }
}

/* All parts of a name; ours is theta and states. */
static void move_all(const listing *l, const whole *w, double *theta, double *states, double *theirs, int to_theirs)
{
    const dyn_exchange_part *first = &l->part[w->first];
    int64_t step = 1, begin = 0;

    for (int32_t k = first->joined < 0 ? 0 : first->joined; k < w->rank; k++)
        step *= w->shape[k];
    for (int32_t i = w->first; i < l->count; i++) {
        const dyn_exchange_part *p = &l->part[i];
        int64_t run = 1;

        if (i > w->first && (first->joined < 0 || !same_name(l, i, w->first)))
            continue;
        for (int32_t k = p->joined < 0 ? 0 : p->joined; k < p->rank; k++)
            run *= p->shape[k];
        move(p, (p->state ? states : theta) + offset_of(l, p), theirs + begin, run, step, to_theirs);
        begin += run;
    }
}

/* ---- writing ---- */

/* What goes into the file: at most two names for each entry. */
typedef struct outgoing {
    const char **name;
    dyn_array **array;
    int64_t count;
} outgoing;

static dyn_status add(const listing *l, const whole *w, int32_t dtype, double *buffer, outgoing *o)
{
    dyn_array *a = NULL;
    dyn_ctx *ctx = l->model->ctx;

    move_all(l, w, (double *)l->theta, (double *)l->states, buffer, 1);
    DYN__TRY(dyn_array_create(ctx, DYN_F64, w->rank, w->shape, buffer, &a));
    dyn_status s = dyn_array_convert(a, dtype, &o->array[o->count]);
    dyn_array_unref(a);
    DYN__TRY(s);
    o->name[o->count++] = l->part[w->first].name;
    if (l->part[w->first].also[0]) {
        o->array[o->count] = dyn_array_ref(o->array[o->count - 1]);
        o->name[o->count++] = l->part[w->first].also;
    }
    return DYN_OK;
}

static dyn_status write_all(const listing *l, int32_t dtype, const char *path, double *buffer, outgoing *o)
{
    for (int32_t i = 0; i < l->count; i++)
        if (is_first(l, i)) {
            const whole w = whole_of(l, i);
            DYN__TRY(add(l, &w, dtype, buffer, o));
        }
    return dyn_safetensors_write(l->model->ctx, path, o->count, o->name, o->array);
}

static dyn_status write_listed(const listing *l, int32_t dtype, const char *path)
{
    dyn_ctx *ctx = l->model->ctx;
    double *buffer = dyn__alloc(ctx, (size_t)(l->model->size + l->model->states_size), sizeof *buffer);
    outgoing o = {dyn__alloc(ctx, 2 * (size_t)l->count, sizeof *o.name),
                  dyn__alloc(ctx, 2 * (size_t)l->count, sizeof *o.array), 0};
    dyn_status s = buffer && o.name && o.array ? write_all(l, dtype, path, buffer, &o) : DYN_ENOMEM;

    for (int64_t i = 0; i < o.count; i++)
        dyn_array_unref(o.array[i]);
    dyn__free(ctx, o.array);
    dyn__free(ctx, o.name);
    dyn__free(ctx, buffer);
    return s;
}

static dyn_status with_states(dyn_model *m, listing *l, int32_t dtype, const char *path)
{
    double *begin = NULL;

    if (!l->states) {
        begin = dyn__alloc(m->ctx, (size_t)m->states_size + 1, sizeof *begin);
        if (!begin)
            return DYN_ENOMEM;
        dyn__model_initial_states(m, begin);
        l->states = begin;
    }
    dyn_status s = write_listed(l, dtype, path);
    dyn__free(m->ctx, begin);
    return s;
}

dyn_status dyn_exchange_write(dyn_model *m, const double *theta, const double *states, int32_t dtype, const char *path)
{
    listing l = {.theta = theta, .states = states};

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, theta);
    DYN__NEED(m->ctx, path);
    if (dtype != DYN_F64 && dtype != DYN_F32)
        return DYN__FAIL(m->ctx, DYN_EDTYPE, "dtype is %d, expected DYN_F64 or DYN_F32", (int)dtype);
    dyn_status s = list_entries(m, &l);
    if (s == DYN_OK)
        s = with_states(m, &l, dtype, path);
    dyn__free(m->ctx, l.part);
    return s;
}

/* ---- reading ---- */

/* Whether a file calls it so: its name, or that without the word for the outer module. */
static int calls(const char *in_file, const char *name)
{
    static const char *const outer[] = {"transformer.", "model."};

    if (strcmp(in_file, name) == 0)
        return 1;
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        if (strncmp(name, outer[i], strlen(outer[i])) == 0 && strcmp(in_file, name + strlen(outer[i])) == 0)
            return 1;
    return 0;
}

/* What modules keep and no model has. */
static int is_passed_over(const char *name)
{
    static const char *const ends[] = {"num_batches_tracked", ".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq"};
    const size_t length = strlen(name);

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (length >= strlen(ends[i]) && strcmp(name + length - strlen(ends[i]), ends[i]) == 0)
            return 1;
    return 0;
}

static dyn_status check_names(const listing *l, const dyn_safetensors *file, const char *path)
{
    for (int64_t k = 0; k < dyn_safetensors_count(file); k++) {
        const char *name = dyn_safetensors_name(file, k);
        int32_t i = 0;

        while (i < l->count && !calls(name, l->part[i].name) && !(l->part[i].also[0] && calls(name, l->part[i].also)))
            i++;
        if (i == l->count && !is_passed_over(name))
            return DYN__FAIL(l->model->ctx, DYN_EINVAL, "%s: \"%.100s\" is not in the model, whose first is \"%s\"", path,
                             name, l->part[0].name);
    }
    return DYN_OK;
}

static dyn_status find(const listing *l, const dyn_safetensors *file, int32_t i, const char *path, const char **name)
{
    const char *const wanted[] = {l->part[i].name, l->part[i].also};

    for (int32_t which = 0; which < 2; which++)
        for (int64_t k = 0; wanted[which][0] && k < dyn_safetensors_count(file); k++)
            if (calls(dyn_safetensors_name(file, k), wanted[which])) {
                *name = dyn_safetensors_name(file, k);
                return DYN_OK;
            }
    return DYN__FAIL(l->model->ctx, DYN_EINVAL, "%s: \"%s\" is missing", path, wanted[0]);
}

static const char *shape_text(int32_t rank, const int64_t *dim, char *text)
{
    dyn__shape s = {.rank = rank};

    memcpy(s.dim, dim, (size_t)rank * sizeof *dim);
    return dyn__shape_text(&s, text);
}

static dyn_status check_array(const listing *l, const whole *w, const dyn_array *a, const char *path)
{
    const int32_t rank = dyn_array_rank(a), dtype = dyn_array_dtype(a);
    const char *name = l->part[w->first].name;
    char have[128], want[128];

    if (dtype != DYN_F64 && dtype != DYN_F32)
        return DYN__FAIL(l->model->ctx, DYN_EDTYPE, "%s: \"%s\" holds integers", path, name);
    if (rank != w->rank || memcmp(dyn_array_shape(a), w->shape, (size_t)rank * sizeof *w->shape) != 0)
        return DYN__FAIL(l->model->ctx, DYN_ESHAPE, "%s: \"%s\" has shape %s, expected %s", path, name,
                         shape_text(rank, dyn_array_shape(a), have), shape_text(w->rank, w->shape, want));
    return DYN_OK;
}

static dyn_status read_one(const listing *l, const whole *w, dyn_array *a, const char *path, double *theta, double *states)
{
    dyn_array *wide = NULL;

    DYN__TRY(check_array(l, w, a, path));
    DYN__TRY(dyn_array_convert(a, DYN_F64, &wide));
    const double *numbers = dyn_array_data(wide);
    dyn_status s = DYN_OK;
    for (int64_t i = 0; s == DYN_OK && i < w->size; i++)
        if (!isfinite(numbers[i]))
            s = DYN__FAIL(l->model->ctx, DYN_ENONFINITE, "%s: number %lld of \"%s\" is %g", path, (long long)i,
                          l->part[w->first].name, numbers[i]);
    if (s == DYN_OK)
        move_all(l, w, theta, states, (double *)numbers, 0);
    dyn_array_unref(wide);
    return s;
}

static dyn_status read_all(const listing *l, dyn_safetensors *file, const char *path, double *theta, double *states)
{
    DYN__TRY(check_names(l, file, path));
    for (int32_t i = 0; i < l->count; i++) {
        const char *name = NULL;
        dyn_array *a = NULL;

        if (!is_first(l, i))
            continue;
        const whole w = whole_of(l, i);
        DYN__TRY(find(l, file, i, path, &name));
        DYN__TRY(dyn_safetensors_read(file, name, &a));
        dyn_status s = read_one(l, &w, a, path, theta, states);
        dyn_array_unref(a);
        DYN__TRY(s);
    }
    return DYN_OK;
}

static dyn_status read_listed(const listing *l, const char *path, double *theta, double *states)
{
    dyn_model *m = l->model;
    double *numbers = dyn__alloc(m->ctx, (size_t)(m->size + m->states_size), sizeof *numbers);
    dyn_safetensors *file = NULL;
    dyn_status s = numbers ? dyn_safetensors_open(m->ctx, path, &file) : DYN_ENOMEM;

    if (s == DYN_OK)
        s = read_all(l, file, path, numbers, numbers + m->size);
    if (s == DYN_OK) {
        memcpy(theta, numbers, (size_t)m->size * sizeof *theta);
        if (states)
            memcpy(states, numbers + m->size, (size_t)m->states_size * sizeof *states);
    }
    dyn_safetensors_free(file);
    dyn__free(m->ctx, numbers);
    return s;
}

dyn_status dyn_exchange_read(dyn_model *m, const char *path, double *theta, double *states)
{
    listing l = {0};

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, path);
    DYN__NEED(m->ctx, theta);
    dyn_status s = list_entries(m, &l);
    if (s == DYN_OK)
        s = read_listed(&l, path, theta, states);
    dyn__free(m->ctx, l.part);
    return s;
}
