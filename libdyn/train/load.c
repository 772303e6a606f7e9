/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading a checkpoint. Nothing in the file is believed: types, shapes, ranges and the order of steps are checked
 * before a run made of it is given out. */
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_STEPS ((int64_t)1 << 53)

static int has(const dyn_npz *npz, const char *name)
{
    for (int64_t i = 0; i < dyn_npz_count(npz); i++)
        if (!strcmp(dyn_npz_name(npz, i), name))
            return 1;
    return 0;
}

/* Member `name` as an array of that type and rank; length >= 0 fixes its first axis. */
static dyn_status read_member(dyn_run *r, dyn_npz *npz, const char *name, int32_t dtype, int32_t rank, int64_t length,
                              dyn_array **out)
{
    dyn_status s = dyn_npz_read(npz, name, out);

    if (s != DYN_OK)
        return s == DYN_EINVAL ? DYN_EFORMAT : s;
    if (dyn_array_dtype(*out) == dtype && dyn_array_rank(*out) == rank &&
        (length < 0 || dyn_array_shape(*out)[0] == length))
        return DYN_OK;
    s = DYN__FAIL(r->ctx, DYN_EFORMAT, "\"%s\" has element type %d, rank %d, %lld elements; expected %d, %d and %lld",
                  name, dyn_array_dtype(*out), dyn_array_rank(*out), (long long)dyn_array_size(*out), dtype, rank,
                  (long long)length);
    dyn_array_unref(*out);
    *out = NULL;
    return s;
}

/* Copy a member of fixed length to where it belongs. */
static dyn_status read_vector(dyn_run *r, dyn_npz *npz, const char *name, int32_t dtype, int64_t length, void *to)
{
    dyn_array *a;

    DYN__TRY(read_member(r, npz, name, dtype, 1, length, &a));
    memcpy(to, dyn_array_data(a), (size_t)length * (dtype == DYN_F32 ? sizeof(float) : sizeof(double)));
    dyn_array_unref(a);
    return DYN_OK;
}

static dyn_status read_traits(dyn_run *r, dyn_npz *npz)
{
    int64_t traits[DYN__TRAITS];

    dyn__traits_default(r, traits);
    for (int i = 0; i < DYN__TRAITS; i++) {
        char name[DYN__MEMBER_NAME] = DYN__OPTIONS_PREFIX;
        strcat(name, dyn__trait_name(i));
        if (has(npz, name))
            DYN__TRY(read_vector(r, npz, name, DYN_I64, 1, &traits[i]));
    }
    return dyn__traits_compare(r, traits);
}

/* A text member, NULL without one; to be freed. */
static dyn_status read_text(dyn_run *r, dyn_npz *npz, const char *name, char **out)
{
    dyn_array *a;

    *out = NULL;
    if (!has(npz, name))
        return DYN_OK;
    DYN__TRY(read_member(r, npz, name, DYN_U8, 1, -1, &a));
    *out = dyn__alloc(r->ctx, (size_t)dyn_array_size(a) + 1, 1);
    if (*out)
        memcpy(*out, dyn_array_data(a), (size_t)dyn_array_size(a));
    dyn_array_unref(a);
    return *out ? DYN_OK : DYN_ENOMEM;
}

/* The first lines in which two texts differ. */
static dyn_status compare_texts(dyn_run *r, const char *what, const char *ours, const char *theirs)
{
    size_t n = 0, m;

    while (*ours && strncmp(ours, theirs, n = strcspn(ours, "\n") + 1) == 0)
        ours += n, theirs += n;
    if (!*ours && !*theirs)
        return DYN_OK;
    n = strcspn(ours, "\n");
    m = strcspn(theirs, "\n");
    return DYN__FAIL(r->ctx, DYN_EINVAL, "the %s is another one: it has \"%.*s\", in the checkpoint it has \"%.*s\"", what,
                     (int)(n < 300 ? n : 300), ours, (int)(m < 300 ? m : 300), theirs);
}

/* Compares a text of this run with a member of the file; absent: what it is then, NULL = not known. */
static dyn_status read_description(dyn_run *r, dyn_npz *npz, const char *what, const dyn__buffer *ours, const char *absent)
{
    char *theirs = NULL;
    dyn_status s = read_text(r, npz, what, &theirs);

    if (s == DYN_OK && (theirs || absent))
        s = compare_texts(r, what, ours->at ? ours->at : "", theirs ? theirs : absent);
    dyn__free(r->ctx, theirs);
    return s;
}

static dyn_status read_descriptions(dyn_run *r, dyn_npz *npz)
{
    dyn__buffer objective = { .ctx = r->ctx }, rule = { .ctx = r->ctx };
    dyn_status s = dyn__objective_describe(r->objective, &objective);

    if (s == DYN_OK)
        s = dyn__rule_describe(r, &rule);
    if (s == DYN_OK)
        s = read_description(r, npz, "objective", &objective, NULL);
    if (s == DYN_OK)
        s = read_description(r, npz, "rule", &rule, "");
    dyn__free(r->ctx, objective.at);
    dyn__free(r->ctx, rule.at);
    return s;
}

static const char *limit_text(int64_t limit, char room[24])
{
    snprintf(room, 24, "%lld", (long long)limit);
    return limit < INT64_MAX ? room : "none";
}

static dyn_status read_memory_limit(dyn_run *r, dyn_npz *npz)
{
    const int64_t ours = dyn__objective_memory_limit(r->objective);
    int64_t theirs = INT64_MAX;
    char text[2][24];

    if (has(npz, "memory_limit"))
        DYN__TRY(read_vector(r, npz, "memory_limit", DYN_I64, 1, &theirs));
    if (ours == theirs || r->opt.any_numerics)
        return DYN_OK;
    return DYN__FAIL(r->ctx, DYN_ESTATE, "the checkpoint was written with memory_limit %s, here it is %s, which gives "
                     "other bits: any_numerics goes on all the same", limit_text(theirs, text[0]),
                     limit_text(ours, text[1]));
}

/* Within another class the steps to come have other bits than those of a run that never stopped. */
static dyn_status read_numerics(dyn_run *r, dyn_npz *npz)
{
    const char *ours = dyn_ctx_numerics(r->ctx);
    char *theirs;
    dyn_status s = read_text(r, npz, "numerics", &theirs);

    if (s == DYN_OK && theirs && !r->opt.any_numerics && strcmp(ours, theirs) != 0)
        s = DYN__FAIL(r->ctx, DYN_ESTATE, "the checkpoint was written with %.300s; here there is %.300s, which gives other "
                      "bits: take a context of that class, or go on all the same with any_numerics", theirs, ours);
    dyn__free(r->ctx, theirs);
    return s == DYN_OK ? read_memory_limit(r, npz) : s;
}

static dyn_status read_state(dyn_run *r, dyn_npz *npz)
{
    int64_t state[DYN__STATE_COUNT];

    DYN__TRY(read_vector(r, npz, "state", DYN_I64, DYN__STATE_COUNT, state));
    if (state[DYN__STATE_VERSION] != DYN__CHECKPOINT_VERSION)
        return DYN__FAIL(r->ctx, DYN_EVERSION, "version of the checkpoint is %lld, known is %d",
                         (long long)state[DYN__STATE_VERSION], DYN__CHECKPOINT_VERSION);
    r->step = state[DYN__STATE_STEP];
    r->seen = r->recorded = state[DYN__STATE_SEEN];
    if (r->step < 0 || r->step > MOST_STEPS || r->seen < r->step || r->seen > r->step + 1 ||
        state[DYN__STATE_REASON] < DYN_RUN_READY || state[DYN__STATE_REASON] > DYN_RUN_STALLED)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "step %lld, seen %lld and reason %lld do not go together",
                         (long long)r->step, (long long)r->seen, (long long)state[DYN__STATE_REASON]);
    r->reason = (int32_t)state[DYN__STATE_REASON];
    r->optimizer->steps = r->step;
    DYN__TRY(read_traits(r, npz));
    DYN__TRY(read_descriptions(r, npz));
    DYN__TRY(read_numerics(r, npz));
    return read_text(r, npz, "note", &r->note);
}

static dyn_status read_vectors(dyn_run *r, dyn_npz *npz)
{
    dyn_optimizer *o = r->optimizer;

    DYN__TRY(read_vector(r, npz, "theta", r->dtype, r->size, r->theta));
    for (int i = 0; i < DYN__MOMENTS; i++)
        if (o->moment[i])
            DYN__TRY(read_vector(r, npz, dyn__moment_name(i), r->dtype, r->size, o->moment[i]));
    for (int i = 0; i < 2; i++)
        if (r->average[i])
            DYN__TRY(read_vector(r, npz, dyn__average_name(i), DYN_F64, r->size, r->average[i]));
    return DYN_OK;
}

/* Column number c, of this length; the file may lack those of terms and validation, which are NaN then. */
static dyn_status read_column(dyn_run *r, dyn_npz *npz, int32_t number, int64_t rows)
{
    dyn__history_column *c = &r->history.column[number];
    char name[DYN__MEMBER_NAME + 16];

    snprintf(name, sizeof name, "history.%s", c->name);
    if (number < DYN__COL_FIRST_TERM || has(npz, name))
        return read_vector(r, npz, name, DYN_F64, rows, c->values);
    for (int64_t i = 0; i < rows; i++)
        c->values[i] = NAN;
    return DYN_OK;
}

/* The first column gives the number of rows to the others. */
static dyn_status read_history(dyn_run *r, dyn_npz *npz)
{
    dyn__history *h = &r->history;
    const double *steps;
    dyn_array *first;
    int64_t rows;

    DYN__TRY(read_member(r, npz, "history.step", DYN_F64, 1, -1, &first));
    rows = dyn_array_size(first);
    dyn_array_unref(first);
    DYN__TRY(dyn__history_reserve(r->ctx, h, rows));
    for (int32_t c = 0; c < h->columns && rows; c++)
        DYN__TRY(read_column(r, npz, c, rows));
    steps = h->column[DYN__COL_STEP].values;
    for (int64_t i = 0; i < rows; i++)
        if (!(steps[i] >= 0 && steps[i] < (double)r->seen && (i == 0 || steps[i] > steps[i - 1])))
            return DYN__FAIL(r->ctx, DYN_EFORMAT, "row %lld of the history is of step %g", (long long)i, steps[i]);
    h->rows = rows;
    return DYN_OK;
}

/* Of a run that had no validation there is nothing to read. */
static dyn_status read_best(dyn_run *r, dyn_npz *npz)
{
    double best[3];

    if (!r->validated || !has(npz, "best"))
        return DYN_OK;
    DYN__TRY(read_vector(r, npz, "best", DYN_F64, 3, best));
    if (!(best[1] >= -1 && best[1] <= (double)r->step && best[2] >= 0 && best[2] <= (double)MOST_STEPS))
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "the best step is %g, %g looks ago, and the run is at step %lld", best[1],
                         best[2], (long long)r->step);
    r->best.loss = best[0];
    r->best.step = (int64_t)best[1];
    r->best.stale = (int64_t)best[2];
    if (r->best.theta && r->best.step >= 0)
        return read_vector(r, npz, "best.theta", r->dtype, r->size, r->best.theta);
    return DYN_OK;
}

static dyn_status fill_series(dyn_run *r, const char *name, const dyn_array *steps, const dyn_array *values)
{
    const int64_t rows = dyn_array_size(steps), columns = dyn_array_shape(values)[1];
    const int64_t *at = dyn_array_data(steps);
    dyn__series *s;

    if (columns < 1)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "series \"%s\" has no columns", name);
    for (int64_t i = 0; i < rows; i++)
        if (at[i] < (i ? at[i - 1] : 0) || at[i] > r->seen)
            return DYN__FAIL(r->ctx, DYN_EFORMAT, "row %lld of series \"%s\" is of step %lld", (long long)i, name,
                             (long long)at[i]);
    DYN__TRY(dyn__series_open(r, name, columns, rows, &s));
    if (s->rows)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "series \"%s\" comes twice", name);
    if (rows) {
        memcpy(s->steps, at, (size_t)rows * sizeof *at);
        memcpy(s->values, dyn_array_data(values), (size_t)dyn_array_size(values) * sizeof *s->values);
    }
    s->rows = rows;
    return DYN_OK;
}

/* The series whose member of steps is called `member`, with `length` letters in its own name. */
static dyn_status read_series(dyn_run *r, dyn_npz *npz, const char *member, size_t length)
{
    char name[DYN__SERIES_NAME] = "", other[DYN__MEMBER_NAME] = DYN__SERIES_PREFIX;
    dyn_array *steps, *values;
    dyn_status s;

    if (length >= sizeof name)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "member \"%.100s\": the name is too long", member);
    memcpy(name, member + strlen(DYN__SERIES_PREFIX), length);
    strcat(strcat(other, name), DYN__SERIES_VALUES);
    DYN__TRY(read_member(r, npz, member, DYN_I64, 1, -1, &steps));
    s = read_member(r, npz, other, DYN_F64, 2, dyn_array_size(steps), &values);
    if (s == DYN_OK)
        s = fill_series(r, name, steps, values);
    dyn_array_unref(steps);
    dyn_array_unref(values);
    return s;
}

static dyn_status read_all_series(dyn_run *r, dyn_npz *npz)
{
    const size_t prefix = strlen(DYN__SERIES_PREFIX), suffix = strlen(DYN__SERIES_STEPS);

    for (int64_t i = 0; i < dyn_npz_count(npz); i++) {
        const char *member = dyn_npz_name(npz, i);
        const size_t n = strlen(member);

        if (n > prefix + suffix && !strncmp(member, DYN__SERIES_PREFIX, prefix) &&
            !strcmp(member + n - suffix, DYN__SERIES_STEPS))
            DYN__TRY(read_series(r, npz, member, n - prefix - suffix));
    }
    return DYN_OK;
}

/* They count as kept before the run goes on. */
static dyn_status read_kept(dyn_run *r, dyn_npz *npz)
{
    const size_t prefix = strlen(DYN__KEPT_PREFIX);

    for (int64_t i = 0; i < dyn_npz_count(npz); i++) {
        const char *member = dyn_npz_name(npz, i);
        dyn_array *values;
        dyn_status s;

        if (strncmp(member, DYN__KEPT_PREFIX, prefix))
            continue;
        DYN__TRY(read_member(r, npz, member, DYN_F64, 1, -1, &values));
        s = dyn_run_keep(r, member + prefix, dyn_array_size(values), dyn_array_data(values));
        dyn_array_unref(values);
        DYN__TRY(s);
        r->kept[r->kept_count - 1].step = -1;
    }
    return DYN_OK;
}

static dyn_status read_pairs(dyn_run *r, dyn_npz *npz)
{
    static const char *const names[2] = { "lbfgs.s", "lbfgs.y" };
    dyn__pairs *p = &r->descending->pairs;
    double *const to[2] = { p->s, p->y };
    int64_t place[2];

    for (int i = 0; i < 2; i++)
        DYN__TRY(read_vector(r, npz, names[i], DYN_F64, p->capacity * p->n, to[i]));
    DYN__TRY(read_vector(r, npz, "lbfgs.step", DYN_F64, 1, &r->descending->taken));
    DYN__TRY(read_vector(r, npz, "lbfgs", DYN_I64, 2, place));
    return dyn__descend_restore(r, place);
}

static dyn_status read_all(dyn_run *r, dyn_npz *npz)
{
    DYN__TRY(read_state(r, npz));
    DYN__TRY(read_vectors(r, npz));
    if (r->state)
        DYN__TRY(read_vector(r, npz, "model_state", r->dtype, dyn__objective_state_size(r->objective), r->state));
    if (r->descending)
        DYN__TRY(read_pairs(r, npz));
    DYN__TRY(read_best(r, npz));
    DYN__TRY(read_history(r, npz));
    DYN__TRY(read_all_series(r, npz));
    return read_kept(r, npz);
}

dyn_status dyn__run_restore(dyn_run *r, const char *path)
{
    dyn_npz *npz;
    dyn_status s;

    DYN__TRY(dyn_npz_open(r->ctx, path, &npz));
    dyn__free(r->ctx, r->note);
    r->note = NULL;
    s = read_all(r, npz);
    dyn_npz_free(npz);
    dyn__measure_find_due(r, r->seen);
    return s;
}

dyn_status dyn_run_load(dyn_objective *objective, const dyn_optimizer_options *optimizer, const dyn_run_options *opt,
                        const char *path, dyn_run **out)
{
    dyn_ctx *ctx = objective ? dyn__objective_ctx(objective) : NULL;
    dyn_npz *npz;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!objective)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn_npz_open(ctx, path, &npz));
    s = dyn__run_create(objective, optimizer, opt, NULL, NULL, out);
    if (s == DYN_OK)
        s = read_all(*out, npz);
    if (s != DYN_OK) {
        dyn_run_free(*out);
        *out = NULL;
    }
    dyn_npz_free(npz);
    return s;
}

dyn_status dyn_checkpoint_numerics(dyn_ctx *ctx, const char *path, int64_t room, char *text)
{
    dyn_array *a = NULL;
    dyn_npz *npz = NULL;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, text);
    s = dyn_npz_open(ctx, path, &npz);
    if (s == DYN_OK && !has(npz, "numerics"))
        s = DYN__FAIL(ctx, DYN_EFORMAT, "\"%s\" holds no numeric class", path);
    if (s == DYN_OK)
        s = dyn_npz_read(npz, "numerics", &a);
    if (s == DYN_OK && (dyn_array_dtype(a) != DYN_U8 || dyn_array_size(a) >= room))
        s = DYN__FAIL(ctx, DYN_EINVAL, "the class in \"%s\" has %lld bytes of type %d; there is room for %lld and their "
                      "end", path, (long long)dyn_array_size(a), (int)dyn_array_dtype(a), (long long)room - 1);
    if (s == DYN_OK) {
        memcpy(text, dyn_array_data(a), (size_t)dyn_array_size(a));
        text[dyn_array_size(a)] = '\0';
    }
    dyn_array_unref(a);
    dyn_npz_free(npz);
    return s;
}
