/* SPDX-License-Identifier: BSD-3-Clause
 *
 * History and series as one CSV table. Their steps ascend, so the rows are a merge: at every row each part stands at
 * its first entry that is not behind. */
#include "train/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN_NAME = DYN__SERIES_NAME + 24 };     /* a series, a dot and a number */

/* A part of the table: the history (NULL series) or a series, its columns from `first` on. */
typedef struct part {
    const dyn__history *history;
    const dyn__series *series;
    int64_t rows, columns, first, at;
} part;

typedef struct table {
    dyn_ctx *ctx;
    part *parts;
    int64_t part_count, rows, columns;
    double *cells;
    char (*text)[COLUMN_NAME];
    const char **header;
} table;

static int64_t step_of(const part *p)
{
    if (p->at >= p->rows)
        return INT64_MAX;
    return p->series ? p->series->steps[p->at] : (int64_t)p->history->column[DYN__COL_STEP].values[p->at];
}

static double cell(const part *p, int64_t c)
{
    return p->series ? p->series->values[p->at * p->columns + c] : p->history->column[c + 1].values[p->at];
}

/* The next row, into cells unless they are NULL. 0 after the last. */
static int next_row(table *t, double *cells)
{
    int64_t step = INT64_MAX;

    for (int64_t i = 0; i < t->part_count; i++)
        step = step_of(&t->parts[i]) < step ? step_of(&t->parts[i]) : step;
    if (step == INT64_MAX)
        return 0;
    for (int64_t c = 1; cells && c < t->columns; c++)
        cells[c] = NAN;
    if (cells)
        cells[0] = (double)step;
    for (int64_t i = 0; i < t->part_count; i++)
        for (part *p = &t->parts[i]; step_of(p) == step; p->at++)
            for (int64_t c = 0; cells && c < p->columns; c++)
                cells[p->first + c] = cell(p, c);
    return 1;
}

static void rewind_parts(table *t)
{
    for (int64_t i = 0; i < t->part_count; i++)
        t->parts[i].at = 0;
}

static dyn_status collect_parts(table *t, const dyn_run *r)
{
    t->part_count = 1 + r->series_count;
    t->parts = dyn__alloc(t->ctx, (size_t)t->part_count, sizeof *t->parts);
    if (!t->parts)
        return DYN_ENOMEM;
    t->columns = 1;
    for (int64_t i = 0; i < t->part_count; i++) {
        const dyn__series *s = i ? &r->series[i - 1] : NULL;

        t->parts[i] = (part){ &r->history, s, s ? s->rows : r->history.rows, s ? s->columns : r->history.columns - 1,
                              t->columns, 0 };
        t->columns += t->parts[i].columns;
    }
    return DYN_OK;
}

static void name_column(const part *p, int64_t c, char *text, size_t size)
{
    if (!p->series)
        snprintf(text, size, "%s", p->history->column[c + 1].name);
    else if (p->columns == 1)
        snprintf(text, size, "%s", p->series->name);
    else
        snprintf(text, size, "%s.%lld", p->series->name, (long long)c);
}

static dyn_status name_columns(table *t)
{
    t->text = dyn__alloc(t->ctx, (size_t)t->columns, sizeof *t->text);
    t->header = dyn__alloc(t->ctx, (size_t)t->columns, sizeof *t->header);
    if (!t->text || !t->header)
        return DYN_ENOMEM;
    strcpy(t->text[0], t->parts[0].history->column[DYN__COL_STEP].name);
    for (int64_t i = 0; i < t->part_count; i++)
        for (int64_t c = 0; c < t->parts[i].columns; c++)
            name_column(&t->parts[i], c, t->text[t->parts[i].first + c], sizeof *t->text);
    for (int64_t c = 0; c < t->columns; c++)
        t->header[c] = t->text[c];
    return DYN_OK;
}

static dyn_status fill_cells(table *t)
{
    while (next_row(t, NULL))
        t->rows++;
    rewind_parts(t);
    t->cells = dyn__alloc(t->ctx, (size_t)t->rows * (size_t)t->columns, sizeof *t->cells);
    if (!t->cells)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < t->rows; i++)
        next_row(t, t->cells + i * t->columns);
    return DYN_OK;
}

static dyn_status write(table *t, const dyn_run *r, const char *path)
{
    dyn_array *a;
    dyn_status s;

    DYN__TRY(collect_parts(t, r));
    DYN__TRY(name_columns(t));
    DYN__TRY(fill_cells(t));
    DYN__TRY(dyn_array_wrap(t->ctx, DYN_F64, 2, (const int64_t[2]){ t->rows, t->columns }, t->cells, &a));
    s = dyn_array_write_csv(a, path, t->header);
    dyn_array_unref(a);
    return s;
}

dyn_status dyn_run_write_csv(const dyn_run *run, const char *path)
{
    table t = { 0 };
    dyn_status s;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, path);
    t.ctx = run->ctx;
    s = write(&t, run, path);
    dyn__free(t.ctx, t.parts);
    dyn__free(t.ctx, t.text);
    dyn__free(t.ctx, t.header);
    dyn__free(t.ctx, t.cells);
    return s;
}
