/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The history: one growing array per column. Room for a row is made in all columns before anything is written. */
#include "train/run.h"

#include <string.h>

static const char *const names[DYN__COLUMNS] = {
    [DYN__COL_STEP] = "step", [DYN__COL_LOSS] = "loss", [DYN__COL_NORM] = "gradient_norm", [DYN__COL_RATE] = "rate",
};

const char *dyn__column_name(int column) { return names[column]; }

dyn_status dyn__history_reserve(dyn_ctx *ctx, dyn__history *h, int64_t rows)
{
    for (int c = 0; c < DYN__COLUMNS; c++)
        DYN__TRY(dyn__grow(ctx, (void **)&h->column[c], &h->cap[c], rows, sizeof *h->column[c]));
    return DYN_OK;
}

void dyn__history_push(dyn__history *h, const double row[DYN__COLUMNS])
{
    for (int c = 0; c < DYN__COLUMNS; c++)
        h->column[c][h->rows] = row[c];
    h->rows++;
}

void dyn__history_free(dyn_ctx *ctx, dyn__history *h)
{
    for (int c = 0; c < DYN__COLUMNS; c++)
        dyn__free(ctx, h->column[c]);
}

const double *dyn_run_history(const dyn_run *run, const char *column, int64_t *rows)
{
    static const double none[1];

    if (rows)
        *rows = 0;
    if (!run || !column)
        return NULL;
    for (int c = 0; c < DYN__COLUMNS; c++)
        if (!strcmp(column, names[c])) {
            if (rows)
                *rows = run->history.rows;
            return run->history.column[c] ? run->history.column[c] : none;
        }
    return NULL;
}
