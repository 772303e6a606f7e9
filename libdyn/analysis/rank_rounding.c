/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Columns of a model's Jacobian that are rounding alone, as that of the bias of a transformer's keys, which softmax takes no
 * notice of: far smaller than the others, and another one altogether when theta moves by a few units of its last place.
 * Scaled to length 1 they would count as directions. */
#include <float.h>
#include <math.h>
#include "analysis/rank.h"
#include "model/model.h"

static const double SMALL = 1e-9;   /* beside the largest column: whether to look at all */
static const double MOVED = .125;   /* of its length, at the least, by which a column of rounding changes */
static const double SPREAD = 1e3;   /* how much longer such a column may be at other samples */

int64_t dyn__rank_look(const dyn_model *m, int64_t samples)
{
    enum { ROWS = 64 };
    const int64_t few = 1 + (ROWS - 1) / dyn_model_output_size(m);

    return samples < few ? samples : few;
}

static double length(int64_t rows, int64_t p, const double *column)
{
    double squares = 0.0;

    for (int64_t i = 0; i < rows; i++)
        squares += column[i * p] * column[i * p];
    return sqrt(squares);
}

static double distance(int64_t rows, int64_t p, const double *a, const double *b)
{
    double squares = 0.0;

    for (int64_t i = 0; i < rows; i++)
        squares += (a[i * p] - b[i * p]) * (a[i * p] - b[i * p]);
    return sqrt(squares);
}

/* Lengths of the columns that are small beside the largest, 0 for the others; how many those are. */
static int64_t find_small(int64_t rows, int64_t p, const double *jacobian, double *small)
{
    double largest = 0.0;
    int64_t found = 0;

    for (int64_t j = 0; j < p; j++) {
        small[j] = length(rows, p, jacobian + j);
        largest = fmax(largest, small[j]);
    }
    for (int64_t j = 0; j < p; j++) {
        small[j] = small[j] < SMALL * largest ? small[j] : 0.0;
        found += small[j] > 0.0;
    }
    return found;
}

static void keep_moved(int64_t rows, int64_t p, const double *jacobian, const double *moved, double *ceiling)
{
    for (int64_t j = 0; j < p; j++)
        if (ceiling[j] > 0.0 && distance(rows, p, jacobian + j, moved + j) < MOVED * ceiling[j])
            ceiling[j] = 0.0;
}

/* theta by some units of the last place off, and the Jacobian there. */
static dyn_status move(dyn_model *m, const double *theta, int64_t samples, const double *x, double *moved)
{
    const int64_t rows = samples * dyn_model_output_size(m);
    double *near = dyn__alloc(m->ctx, (size_t)(m->size + rows), sizeof *near);

    if (!near)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < m->size; i++)
        near[i] = theta[i] * (1.0 + (double)(4 + i % 5) * (i % 2 ? DBL_EPSILON : -DBL_EPSILON));
    const dyn_status s = dyn__rank_jacobian(m, near, samples, x, moved, near + m->size);
    dyn__free(m->ctx, near);
    return s;
}

dyn_status dyn__rank_rounding(dyn_model *m, const double *theta, int64_t samples, int64_t of, const double *x,
                              const double *jacobian, double *ceiling)
{
    const int64_t rows = samples * dyn_model_output_size(m), p = m->size;
    double *moved;

    if (find_small(rows, p, jacobian, ceiling) == 0)
        return DYN_OK;
    moved = dyn__alloc(m->ctx, (size_t)rows, (size_t)p * sizeof *moved);
    const dyn_status s = moved ? move(m, theta, samples, x, moved) : DYN_ENOMEM;
    if (s == DYN_OK)
        keep_moved(rows, p, jacobian, moved, ceiling);
    for (int64_t j = 0; j < p; j++)
        ceiling[j] *= SPREAD * sqrt((double)of / (double)samples);
    dyn__free(m->ctx, moved);
    return s;
}
