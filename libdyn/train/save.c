/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing a checkpoint. The arrays are the run's own, wrapped, not copied. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

/* The members collected so far. */
typedef struct bundle {
    dyn_ctx *ctx;
    int64_t count;
    const char **names;
    dyn_array **arrays;
    char (*text)[DYN__MEMBER_NAME];
    double best[3];
    int64_t place[2];           /* of pairs */
} bundle;

static dyn_status bundle_open(bundle *b, int64_t members)
{
    b->names = dyn__alloc(b->ctx, (size_t)members, sizeof *b->names);
    b->arrays = dyn__alloc(b->ctx, (size_t)members, sizeof *b->arrays);
    b->text = dyn__alloc(b->ctx, (size_t)members, sizeof *b->text);
    return b->names && b->arrays && b->text ? DYN_OK : DYN_ENOMEM;
}

static void bundle_close(bundle *b)
{
    for (int64_t i = 0; i < b->count; i++)
        dyn_array_unref(b->arrays[i]);
    dyn__free(b->ctx, b->names);
    dyn__free(b->ctx, b->arrays);
    dyn__free(b->ctx, b->text);
}

/* A member named by three parts put together; columns = 0 makes it a vector. */
static dyn_status add(bundle *b, const char *const name[3], int32_t dtype, int64_t rows, int64_t columns,
                      const void *data)
{
    const int64_t shape[2] = { rows, columns };

    snprintf(b->text[b->count], DYN__MEMBER_NAME, "%s%s%s", name[0], name[1], name[2]);
    b->names[b->count] = b->text[b->count];
    DYN__TRY(dyn_array_wrap(b->ctx, dtype, columns ? 2 : 1, shape, data, &b->arrays[b->count]));
    b->count++;
    return DYN_OK;
}
#define NAME(...) ((const char *const[3]){ __VA_ARGS__ })

/* What an unfinished step has left is not saved, as the step begins anew. */
static int is_unfinished(const dyn_run *r) { return r->recorded > r->seen; }

static int64_t finished_rows(const dyn_run *r)
{
    const int64_t rows = r->history.rows;

    return rows - (is_unfinished(r) && rows > 0 && r->history.column[DYN__COL_STEP].values[rows - 1] >= (double)r->seen);
}

/* Three numbers, and the parameters where they are kept. */
static dyn_status add_best(bundle *b, const dyn_run *r)
{
    b->best[0] = r->best.loss;
    b->best[1] = (double)r->best.step;
    b->best[2] = (double)r->best.stale;
    DYN__TRY(add(b, NAME("best", "", ""), DYN_F64, 3, 0, b->best));
    return r->best.theta ? add(b, NAME("best.theta", "", ""), r->dtype, r->size, 0, r->best.theta) : DYN_OK;
}

static dyn_status add_pairs(bundle *b, const dyn__descending *l)
{
    const dyn__pairs *p = &l->pairs;

    b->place[0] = p->count;
    b->place[1] = p->next;
    DYN__TRY(add(b, NAME("lbfgs", "", ""), DYN_I64, 2, 0, b->place));
    DYN__TRY(add(b, NAME("lbfgs", ".step", ""), DYN_F64, 1, 0, &l->taken));
    DYN__TRY(add(b, NAME("lbfgs", ".s", ""), DYN_F64, p->capacity * p->n, 0, p->s));
    return add(b, NAME("lbfgs", ".y", ""), DYN_F64, p->capacity * p->n, 0, p->y);
}

static dyn_status add_vectors(bundle *b, const dyn_run *r)
{
    const dyn_optimizer *o = r->optimizer;
    const int64_t rows = finished_rows(r);

    DYN__TRY(add(b, NAME("theta", "", ""), r->dtype, r->size, 0, r->theta));
    for (int i = 0; i < DYN__MOMENTS; i++)
        if (o->moment[i])
            DYN__TRY(add(b, NAME(dyn__moment_name(i), "", ""), r->dtype, r->size, 0, o->moment[i]));
    for (int i = 0; i < 2; i++)
        if (r->average[i])
            DYN__TRY(add(b, NAME(dyn__average_name(i), "", ""), DYN_F64, r->size, 0, r->average[i]));
    if (r->descending)
        DYN__TRY(add_pairs(b, r->descending));
    for (int32_t c = 0; c < r->history.columns; c++)
        DYN__TRY(add(b, NAME("history.", r->history.column[c].name, ""), DYN_F64, rows, 0, r->history.column[c].values));
    if (r->state)
        DYN__TRY(add(b, NAME("model_state", "", ""), r->dtype, dyn__objective_state_size(r->objective), 0, r->state));
    return r->validated ? add_best(b, r) : DYN_OK;
}

static dyn_status add_series(bundle *b, const dyn_run *r, const dyn__series *s)
{
    int64_t rows = s->rows;

    while (is_unfinished(r) && rows > 0 && s->steps[rows - 1] >= r->seen)
        rows--;
    DYN__TRY(add(b, NAME(DYN__SERIES_PREFIX, s->name, DYN__SERIES_STEPS), DYN_I64, rows, 0, s->steps));
    return add(b, NAME(DYN__SERIES_PREFIX, s->name, DYN__SERIES_VALUES), DYN_F64, rows, s->columns, s->values);
}

static dyn_status add_kept(bundle *b, const dyn_run *r, int64_t i)
{
    int64_t count;
    const double *values = dyn__kept_at(r, i, &count);

    return values ? add(b, NAME(DYN__KEPT_PREFIX, r->kept[i].name, ""), DYN_F64, count, 0, values) : DYN_OK;
}

static dyn_status write(bundle *b, const dyn_run *r, const dyn__buffer *objective, const dyn__buffer *rule, const char *path)
{
    const int64_t state[DYN__STATE_COUNT] = { DYN__CHECKPOINT_VERSION, r->step, r->seen, r->reason };
    const char *numerics = dyn_ctx_numerics(r->ctx);
    const int64_t limit = dyn__objective_memory_limit(r->objective);
    int64_t traits[DYN__TRAITS];

    dyn__traits_of(r, traits);
    DYN__TRY(add(b, NAME("state", "", ""), DYN_I64, DYN__STATE_COUNT, 0, state));
    for (int i = 0; i < DYN__TRAITS; i++)
        DYN__TRY(add(b, NAME(DYN__OPTIONS_PREFIX, dyn__trait_name(i), ""), DYN_I64, 1, 0, &traits[i]));
    DYN__TRY(add(b, NAME("objective", "", ""), DYN_U8, objective->length, 0, objective->at));
    if (rule->length)
        DYN__TRY(add(b, NAME("rule", "", ""), DYN_U8, rule->length, 0, rule->at));
    DYN__TRY(add(b, NAME("numerics", "", ""), DYN_U8, (int64_t)strlen(numerics), 0, numerics));
    if (limit < INT64_MAX)
        DYN__TRY(add(b, NAME("memory_limit", "", ""), DYN_I64, 1, 0, &limit));
    if (r->note)
        DYN__TRY(add(b, NAME("note", "", ""), DYN_U8, (int64_t)strlen(r->note), 0, r->note));
    DYN__TRY(add_vectors(b, r));
    for (int64_t i = 0; i < r->series_count; i++)
        DYN__TRY(add_series(b, r, &r->series[i]));
    for (int64_t i = 0; i < r->kept_count; i++)
        DYN__TRY(add_kept(b, r, i));
    return dyn_npz_write(r->ctx, path, b->count, b->names, b->arrays);
}

dyn_status dyn_run_save(const dyn_run *run, const char *path)
{
    bundle b = { 0 };
    dyn__buffer objective = { 0 }, rule = { 0 };
    dyn_status s;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, path);
    if (run->busy)
        return DYN__FAIL(run->ctx, DYN_ESTATE, "the run is training");
    b.ctx = objective.ctx = rule.ctx = run->ctx;
    s = dyn__objective_describe(run->objective, &objective);
    if (s == DYN_OK)
        s = dyn__rule_describe(run, &rule);
    if (s == DYN_OK)
        s = bundle_open(&b, 21 + DYN__TRAITS + run->history.columns + 2 * run->series_count + run->kept_count);
    if (s == DYN_OK)
        s = write(&b, run, &objective, &rule, path);
    bundle_close(&b);
    dyn__free(run->ctx, objective.at);
    dyn__free(run->ctx, rule.at);
    return s;
}
