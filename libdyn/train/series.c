/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Series of results: rows of equal length, each with its step, under a name. */
#include "train/run.h"

#include <string.h>

static int good_name(const dyn_run *r, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";
    const size_t n = strlen(name);

    return dyn__history_find(&r->history, name) < 0 && n > 0 && n < DYN__SERIES_NAME && strspn(name, letters) == n;
}

static dyn__series *find(const dyn_run *r, const char *name)
{
    for (int64_t i = 0; i < r->series_count; i++)
        if (!strcmp(r->series[i].name, name))
            return &r->series[i];
    return NULL;
}

static dyn_status reserve(dyn_ctx *ctx, dyn__series *s, int64_t rows)
{
    int64_t numbers;

    if (__builtin_mul_overflow(rows, s->columns, &numbers))
        return DYN__FAIL(ctx, DYN_ENOMEM, "out of memory: %lld rows of %lld columns", (long long)rows,
                         (long long)s->columns);
    DYN__TRY(dyn__grow(ctx, (void **)&s->steps, &s->steps_cap, rows, sizeof *s->steps));
    return dyn__grow(ctx, (void **)&s->values, &s->values_cap, numbers, sizeof *s->values);
}

static void free_rows(dyn_ctx *ctx, dyn__series *s)
{
    dyn__free(ctx, s->steps);
    dyn__free(ctx, s->values);
}

/* Its rows have room before anybody can see it: after an error there is no series. */
static dyn_status begin(dyn_run *r, const char *name, int64_t columns, int64_t rows, dyn__series **out)
{
    dyn__series s = { .columns = columns };
    dyn_status status;

    if (!good_name(r, name))
        return DYN__FAIL(r->ctx, DYN_EINVAL, "\"%.80s\" cannot name a series", name);
    strcpy(s.name, name);
    DYN__TRY(dyn__grow(r->ctx, (void **)&r->series, &r->series_cap, r->series_count + 1, sizeof *r->series));
    status = reserve(r->ctx, &s, rows);
    if (status != DYN_OK) {
        free_rows(r->ctx, &s);
        return status;
    }
    *out = &r->series[r->series_count++];
    **out = s;
    return DYN_OK;
}

dyn_status dyn__series_open(dyn_run *r, const char *name, int64_t columns, int64_t rows, dyn__series **out)
{
    dyn__series *s = find(r, name);

    if (!s)
        return begin(r, name, columns, rows, out);
    if (s->columns != columns)
        return DYN__FAIL(r->ctx, DYN_ESHAPE, "series \"%s\" has %lld columns, not %lld", name, (long long)s->columns,
                         (long long)columns);
    *out = s;
    return reserve(r->ctx, s, s->rows + rows);
}

dyn_status dyn__series_push(dyn_run *r, const char *name, int64_t step, int64_t columns, const double *values)
{
    dyn__series *s;

    DYN__TRY(dyn__series_open(r, name, columns, 1, &s));
    memcpy(s->values + s->rows * columns, values, (size_t)columns * sizeof *values);
    s->steps[s->rows++] = step;
    return DYN_OK;
}

void dyn__series_free(dyn_run *r)
{
    for (int64_t i = 0; i < r->series_count; i++)
        free_rows(r->ctx, &r->series[i]);
    dyn__free(r->ctx, r->series);
}

dyn_status dyn_run_record(dyn_run *run, const char *name, int64_t count, const double *values)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    if (!name || !values || count < 1)
        return DYN__FAIL(run->ctx, DYN_EINVAL, "count is %lld, name or values %s NULL", (long long)count,
                         name && values ? "are not" : "is");
    return dyn__series_push(run, name, run->step, count, values);
}

int64_t dyn_run_series_count(const dyn_run *run) { return run ? run->series_count : 0; }

const char *dyn_run_series_name(const dyn_run *run, int64_t i)
{
    return run && i >= 0 && i < run->series_count ? run->series[i].name : NULL;
}

dyn_status dyn_run_series(const dyn_run *run, const char *name, int64_t *rows_out, int64_t *columns_out,
                          const int64_t **steps_out, const double **values_out)
{
    const dyn__series *s;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    s = name ? find(run, name) : NULL;
    if (!s)
        return DYN__FAIL(run->ctx, DYN_EINVAL, "no series \"%.80s\" among %lld", name ? name : "NULL",
                         (long long)run->series_count);
    if (rows_out)
        *rows_out = s->rows;
    if (columns_out)
        *columns_out = s->columns;
    if (steps_out)
        *steps_out = s->steps;
    if (values_out)
        *values_out = s->values;
    return DYN_OK;
}
