/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cosines between neurons, tile by tile of the lower triangle, each a small matrix product of unit rows; and projections
 * on one vector. Tiles go to the threads. */
#include <math.h>
#include <string.h>
#include "analysis/condensation.h"

void dyn__condensation_project(const dyn_condensation *c, const double *v, double *out)
{
    dyn__arg arg[3] = { { out, 1, 1 }, { c->unit, c->components, 1 }, { (double *)(uintptr_t)v, 0, 1 } };

    dyn__kernels_of(c->ctx)->f64.tile[DYN__K_ROW_DOT](c->neurons, c->components, arg, 0.0);
}

/* Rows and columns of a task: tasks count the tiles of the lower triangle row by row. */
static void place_tile(const dyn__cosine_tiles *t, int64_t task, dyn__cosine_tile *tile)
{
    int64_t row = (int64_t)((sqrt(8.0 * (double)task + 1.0) - 1.0) / 2.0), column;

    while (row * (row + 1) / 2 > task)
        row--;
    while ((row + 1) * (row + 2) / 2 <= task)
        row++;
    column = task - row * (row + 1) / 2;
    tile->i = row * DYN__COSINE_TILE;
    tile->j = column * DYN__COSINE_TILE;
    tile->rows = t->n - tile->i < DYN__COSINE_TILE ? t->n - tile->i : DYN__COSINE_TILE;
    tile->columns = t->n - tile->j < DYN__COSINE_TILE ? t->n - tile->j : DYN__COSINE_TILE;
}

/* Rounding takes cosines of unit rows a few units beyond 1: above it seldom, in rows of condensed neurons. */
static void clamp(const dyn__cosine_tiles *t, const dyn__cosine_tile *tile, double *x)
{
    const dyn__kernel_table *kernels = &dyn__kernels_of(t->ctx)->f64;
    double minus = -1.0, largest[DYN__COSINE_TILE];
    const dyn__arg below[3] = { { x, tile->ld, 1 }, { x, tile->ld, 1 }, { &minus, 0, 0 } };
    const dyn__arg row_max[2] = { { largest, 1, 0 }, { x, tile->ld, 1 } };

    kernels->tile[DYN__K_MAX](tile->rows, tile->columns, below, 0.0);
    kernels->tile[DYN__K_ROW_MAX](tile->rows, tile->columns, row_max, 0.0);
    for (int64_t r = 0; r < tile->rows; r++)
        for (int64_t c = 0; c < tile->columns && largest[r] > 1.0; c++)
            if (x[r * tile->ld + c] > 1.0)
                x[r * tile->ld + c] = 1.0;
}

static void set_diagonal(const dyn__cosine_tiles *t, const dyn__cosine_tile *tile, double *x)
{
    for (int64_t r = 0; r < tile->rows; r++)
        x[r * tile->ld + r] = t->norm[tile->i + r] > 0.0;
}

static void run_tile(void *arg, int64_t task, int worker)
{
    const dyn__cosine_tiles *t = arg;
    dyn__gemm plan = { .dtype = DYN_F64, .k = t->k, .lda = t->k, .ldb = t->n, .provider = DYN__GEMM_PLAIN };
    dyn__cosine_tile tile = { .ld = t->out ? t->n : DYN__COSINE_TILE };
    double *x;

    if (dyn__interrupted(t->ctx))
        return;
    place_tile(t, task, &tile);
    x = t->out ? t->out + tile.i * t->n + tile.j : t->scratch + worker * DYN__COSINE_TILE * DYN__COSINE_TILE;
    plan.m = tile.rows;
    plan.n = tile.columns;
    plan.ldc = tile.ld;
    if (dyn__gemm_plan(dyn__kernels_of(t->ctx), &plan) < 0)
        return;                 /* the kernels of every table can do this */
    dyn__gemm_run(&plan, t->unit + tile.i * t->k, t->turned + tile.j, x);
    if (tile.i == tile.j)
        set_diagonal(t, &tile, x);
    clamp(t, &tile, x);
    t->use(t, &tile, x);
}

/* Unit rows and norms in the order asked for, and the rows as columns. */
static void arrange(const dyn_condensation *c, const int64_t *order, double *unit, double *norm, double *turned)
{
    int64_t n = c->neurons, k = c->components;

    for (int64_t i = 0; i < n; i++) {
        int64_t from = order ? order[i] : i;

        memcpy(unit + i * k, c->unit + from * k, (size_t)k * sizeof *unit);
        norm[i] = c->norms[from];
    }
    dyn__kernels_of(c->ctx)->f64.transpose(n, k, turned, n, unit, k);
}

dyn_status dyn__condensation_tiles(const dyn_condensation *c, const int64_t *order, double *out, dyn__cosine_use use,
                                   void *user)
{
    int64_t n = c->neurons, k = c->components, rows = (n + DYN__COSINE_TILE - 1) / DYN__COSINE_TILE;
    size_t workers = (size_t)dyn__workers(c->ctx);
    double *block = dyn__alloc(c->ctx, (size_t)n, (size_t)(2 * k + 1) * sizeof *block);
    double *scratch = dyn__alloc(c->ctx, workers, DYN__COSINE_TILE * DYN__COSINE_TILE * sizeof *scratch);
    dyn__cosine_tiles t = { .ctx = c->ctx, .n = n, .k = k, .unit = block, .out = out, .scratch = scratch,
                            .use = use, .user = user };

    if (block && scratch) {
        t.turned = block + n * k;
        t.norm = block + 2 * n * k;
        arrange(c, order, block, block + 2 * n * k, block + n * k);
        dyn__parallel(c->ctx, rows * (rows + 1) / 2, run_tile, &t);
    }
    dyn__free(c->ctx, scratch);
    dyn__free(c->ctx, block);
    return block && scratch ? dyn__check_interrupt(c->ctx) : DYN_ENOMEM;
}

/* The mirror image of a tile. Of one on the diagonal the lower half counts. */
static void mirror(const dyn__cosine_tiles *t, const dyn__cosine_tile *tile, double *x)
{
    if (tile->i != tile->j) {
        dyn__kernels_of(t->ctx)->f64.transpose(tile->rows, tile->columns, t->out + tile->j * t->n + tile->i, t->n, x,
                                               t->n);
        return;
    }
    for (int64_t r = 0; r < tile->rows; r++)
        for (int64_t c = r + 1; c < tile->columns; c++)
            x[r * t->n + c] = x[c * t->n + r];
}

dyn_status dyn_condensation_cosines(const dyn_condensation *c, int32_t ordered, double *cosines)
{
    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    DYN__NEED(c->ctx, cosines);
    return dyn__condensation_tiles(c, ordered ? c->order : NULL, cosines, mirror, NULL);
}
