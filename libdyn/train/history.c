/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The history: one growing array per column. Room for a row is made in all columns before anything is written. */
#include "train/run.h"

#include <stdio.h>
#include <string.h>

int32_t dyn__history_find(const dyn__history *h, const char *name)
{
    for (int32_t c = 0; c < h->columns; c++)
        if (!strcmp(h->column[c].name, name))
            return c;
    return -1;
}

static void add_column(dyn__history *h, const char *name)
{
    snprintf(h->column[h->columns].name, sizeof h->column[0].name, "%s", name);
    h->columns++;
}

/* A term that is called as a column of its own is told from it. */
static void add_term(dyn__history *h, const char *name)
{
    char other[sizeof h->column[0].name];

    snprintf(other, sizeof other, "term.%.*s", (int)sizeof other - 6, name);
    add_column(h, dyn__history_find(h, name) < 0 ? name : other);
}

dyn_status dyn__history_open(dyn_run *r)
{
    static const char *const first[DYN__COL_FIRST_TERM] = {"step", "loss", "gradient_norm", "rate"};
    const int32_t terms = dyn_objective_terms(r->objective);
    dyn__history *h = &r->history;

    h->column = dyn__alloc(r->ctx, (size_t)(DYN__COL_FIRST_TERM + terms + 2), sizeof *h->column);
    h->row = dyn__alloc(r->ctx, (size_t)(DYN__COL_FIRST_TERM + terms + 2), sizeof *h->row);
    if (!h->column || !h->row)
        return DYN_ENOMEM;
    for (int c = 0; c < DYN__COL_FIRST_TERM; c++)
        add_column(h, first[c]);
    for (int32_t i = 0; terms > 1 && i < terms; i++)
        add_term(h, dyn_objective_term_name(r->objective, i));
    if (r->opt.validation) {
        add_column(h, "validation_loss");
        add_column(h, "validation_accuracy");
    }
    return DYN_OK;
}

dyn_status dyn__history_reserve(dyn_ctx *ctx, dyn__history *h, int64_t rows)
{
    for (int32_t c = 0; c < h->columns; c++)
        DYN__TRY(dyn__grow(ctx, (void **)&h->column[c].values, &h->column[c].cap, rows, sizeof(double)));
    return DYN_OK;
}

void dyn__history_push(dyn__history *h)
{
    for (int32_t c = 0; c < h->columns; c++)
        h->column[c].values[h->rows] = h->row[c];
    h->rows++;
}

void dyn__history_free(dyn_ctx *ctx, dyn__history *h)
{
    for (int32_t c = 0; c < h->columns; c++)
        dyn__free(ctx, h->column[c].values);
    dyn__free(ctx, h->column);
    dyn__free(ctx, h->row);
}

int32_t dyn_run_columns(const dyn_run *run) { return run ? run->history.columns : 0; }

const char *dyn_run_column_name(const dyn_run *run, int32_t i)
{
    return run && i >= 0 && i < run->history.columns ? run->history.column[i].name : NULL;
}

const double *dyn_run_history(const dyn_run *run, const char *column, int64_t *rows)
{
    static const double none[1];

    if (rows)
        *rows = 0;
    const int32_t c = run && column ? dyn__history_find(&run->history, column) : -1;
    if (c < 0)
        return NULL;
    if (rows)
        *rows = run->history.rows;
    return run->history.column[c].values ? run->history.column[c].values : none;
}
