/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rank of a model under a memory limit: the Jacobian is made some samples at a time, and only the triangle of what came
 * so far is kept, R of (R above the next rows). It has the singular values of the whole Jacobian, and those of the
 * whole with scaled columns after its own are scaled. Columns are brought near 1 by powers of two from the first rows
 * on, so that squares exist. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "analysis/rank.h"
#include "kernel/kernel.h"
#include "linalg/dense.h"
#include "model/model.h"

typedef struct tiles {
    dyn_model *m;
    int64_t p, outputs, samples;    /* samples of a tile */
    double *stack;                  /* [p + samples outputs][p]: R, then the tile */
    double *R;                      /* [p][p] */
    double *factor;                 /* [p] powers of two */
    double *ceiling;                /* [p] lengths up to which columns of R are rounding */
    double *targets;
} tiles;

/* Copies of p x p numbers that are held at once, those of the factorisation and of the cut included; of a tile. */
enum { SQUARES = 4, TILES = 2 };

int64_t dyn__rank_bytes(const dyn_model *m, int64_t samples, int64_t limit)
{
    int64_t rows = samples * dyn_model_output_size(m), p = m->size, number = (int64_t)sizeof(double);

    return limit > 0 ? number * p * (SQUARES * p + TILES * rows) : number * p * (SQUARES * p + 3 * rows);
}

/* Samples of a tile: as many as the limit allows. */
static dyn_status choose_tile(const dyn_model *m, int64_t samples, int64_t limit, int64_t *tile)
{
    int64_t one = dyn__rank_bytes(m, 1, limit), each = TILES * (int64_t)sizeof(double) * dyn_model_output_size(m) * m->size;

    if (one > limit)
        return DYN__FAIL(m->ctx, DYN_EFULL, "memory_limit is %" PRId64 " bytes, one sample at a time needs %" PRId64, limit,
                         one);
    *tile = 1 + (limit - one) / each;
    *tile = *tile < samples ? *tile : samples;
    return DYN_OK;
}

static void choose_factors(const tiles *t, int64_t rows)
{
    const double *a = t->stack + t->p * t->p;

    for (int64_t j = 0; j < t->p; j++) {
        double largest = 0.0;
        int exponent;

        for (int64_t i = 0; i < rows; i++)
            largest = fmax(largest, fabs(a[i * t->p + j]));
        frexp(largest, &exponent);
        t->factor[j] = ldexp(1.0, exponent > 900 ? -900 : exponent < -900 ? 900 : -exponent);
    }
}

/* After the first tile. */
static dyn_status begin(const tiles *t, const double *theta, int64_t count, int64_t samples, const double *x)
{
    choose_factors(t, count * t->outputs);
    DYN__TRY(dyn__rank_rounding(t->m, theta, dyn__rank_look(t->m, count), samples, x, t->stack + t->p * t->p, t->ceiling));
    for (int64_t j = 0; j < t->p; j++)
        t->ceiling[j] *= t->factor[j];
    return DYN_OK;
}

/* R of the stack, whose last rows are new. */
static dyn_status absorb(const tiles *t, int64_t rows)
{
    double *a = t->stack + t->p * t->p;
    const dyn__arg arg[3] = { { a, t->p, 1 }, { a, t->p, 1 }, { t->factor, 0, 1 } };

    dyn__kernels_of(t->m->ctx)->f64.tile[DYN__K_MUL](rows, t->p, arg, 0);
    DYN__TRY(dyn__qr(t->m->ctx, t->p + rows, t->p, t->stack, 0, t->R, t->p));
    memcpy(t->stack, t->R, (size_t)(t->p * t->p) * sizeof *a);
    return DYN_OK;
}

static dyn_status run(const tiles *t, const double *theta, int64_t samples, const double *x)
{
    int64_t inputs = dyn_model_input_size(t->m);

    for (int64_t first = 0; first < samples; first += t->samples) {
        int64_t count = samples - first < t->samples ? samples - first : t->samples, rows = count * t->outputs;

        DYN__TRY(dyn__rank_jacobian(t->m, theta, count, x + first * inputs, t->stack + t->p * t->p, t->targets));
        if (first == 0)
            DYN__TRY(begin(t, theta, count, samples, x));
        DYN__TRY(absorb(t, rows));
    }
    return DYN_OK;
}

static void release(tiles *t)
{
    dyn__free(t->m->ctx, t->targets);
    dyn__free(t->m->ctx, t->factor);
    dyn__free(t->m->ctx, t->stack);
    t->stack = t->factor = t->targets = NULL;
}

dyn_status dyn__rank_tiles(dyn_model *m, const double *theta, int64_t samples, const double *x,
                           const dyn_rank_options *o, dyn_rank **out)
{
    tiles t = { .m = m, .p = m->size, .outputs = dyn_model_output_size(m) };
    dyn_status s = choose_tile(m, samples, o->memory_limit, &t.samples);
    int64_t rows = t.samples * t.outputs;

    if (s < 0)
        return s;
    t.stack = dyn__alloc(m->ctx, (size_t)(t.p + rows), (size_t)t.p * sizeof *t.stack);
    t.R = dyn__alloc(m->ctx, (size_t)t.p, (size_t)t.p * sizeof *t.R);
    t.factor = dyn__alloc(m->ctx, (size_t)t.p, sizeof *t.factor);
    t.ceiling = dyn__alloc(m->ctx, (size_t)t.p, sizeof *t.ceiling);
    t.targets = dyn__alloc(m->ctx, (size_t)rows, sizeof *t.targets);
    s = t.stack && t.R && t.factor && t.ceiling && t.targets ? run(&t, theta, samples, x) : DYN_ENOMEM;
    release(&t);
    if (s >= 0)
        s = dyn__rank_triangle(m->ctx, samples * t.outputs, t.p, t.R, t.ceiling, o, out);
    dyn__free(m->ctx, t.ceiling);
    dyn__free(m->ctx, t.R);
    return s;
}
