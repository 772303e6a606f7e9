/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Directions scaled to theta; the plane of a trajectory. */
#include <float.h>
#include <math.h>
#include <string.h>
#include <dyn/landscape.h>
#include "linalg/dense.h"
#include "linalg/operator.h"
#include "objective/impl.h"

/* ---- directions ---- */

/* The length of `count` numbers `stride` apart. */
static double length(const double *x, int64_t count, int64_t stride)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += x[i * stride] * x[i * stride];
    return sqrt(sum);
}

/* To theta's length; 0 stays 0. */
static void match(double *d, const double *theta, int64_t count, int64_t stride)
{
    const double own = length(d, count, stride), factor = own > 0.0 ? length(theta, count, stride) / own : 0.0;

    for (int64_t i = 0; i < count; i++)
        d[i * stride] *= factor;
}

static void scale_tensor(int32_t rank, const int64_t *shape, int32_t scale, const double *theta, double *d)
{
    int64_t size = 1, columns = rank > 0 ? shape[rank - 1] : 1;

    for (int32_t i = 0; i < rank; i++)
        size *= shape[i];
    if (rank < 2)
        memset(d, 0, (size_t)size * sizeof *d);
    else if (scale == DYN_DIRECTION_LAYER)
        match(d, theta, size, 1);
    else if (scale == DYN_DIRECTION_FILTER)
        for (int64_t j = 0; j < columns; j++)
            match(d + j, theta + j, size / columns, columns);
    else
        for (int64_t i = 0; i < size; i++)
            d[i] *= fabs(theta[i]);
}

dyn_status dyn_direction_normalise(dyn_objective *o, const double *theta, int32_t scale, double *direction)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, direction));
    DYN__TRY(dyn__check_finite(o->ctx, "direction", o->p, direction));
    if (scale < DYN_DIRECTION_FILTER || scale > DYN_DIRECTION_WEIGHT)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "scale is %d, must be one of enum dyn_direction_scale", (int)scale);
    if (o->tensors == 0)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective has no tensors");
    for (int32_t i = 0; i < o->tensors; i++) {
        int64_t shape[DYN_MAX_RANK], offset;
        const int32_t rank = dyn_objective_tensor(o, i, shape, &offset, NULL, 0);
        DYN__TRY(rank);
        scale_tensor(rank, shape, scale, theta + offset, direction + offset);
    }
    return DYN_OK;
}

/* ---- trajectories ---- */

typedef struct plane {
    int64_t rows, p;
    const double *thetas;
    double *centre, *gram, *values;     /* [p], [rows][rows] and then its eigenvectors as rows, [rows] */
} plane;

static void find_centre(const plane *t, int centred)
{
    if (!centred) {
        memcpy(t->centre, t->thetas + (t->rows - 1) * t->p, (size_t)t->p * sizeof *t->centre);
        return;
    }
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t i = 0; i < t->p; i++)
            t->centre[i] += t->thetas[r * t->p + i] / (double)t->rows;
}

static void find_gram(const plane *t)
{
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c <= r; c++) {
            const double *a = t->thetas + r * t->p, *b = t->thetas + c * t->p;
            double sum = 0.0;
            for (int64_t i = 0; i < t->p; i++)
                sum += (a[i] - t->centre[i]) * (b[i] - t->centre[i]);
            t->gram[r * t->rows + c] = sum;
        }
}

static void fix_sign(int64_t p, double *d)
{
    int64_t largest = 0;

    for (int64_t i = 1; i < p; i++)
        if (fabs(d[i]) > fabs(d[largest]))
            largest = i;
    const double sign = d[largest] < 0.0 ? -1.0 : 1.0;
    for (int64_t i = 0; i < p; i++)
        d[i] *= sign;
}

/* Direction k, from the k-th largest eigenvector of the Gram matrix. */
static void find_direction(const plane *t, int64_t k, double *d)
{
    const double *u = t->gram + (t->rows - 1 - k) * t->rows;

    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t i = 0; i < t->p; i++)
            d[i] += u[r] * (t->thetas[r * t->p + i] - t->centre[i]);
    const double norm = length(d, t->p, 1);
    for (int64_t i = 0; i < t->p; i++)
        d[i] /= norm;
    fix_sign(t->p, d);
}

static void find_coordinates(const plane *t, const double *d, int64_t k, double *coordinates)
{
    for (int64_t r = 0; r < t->rows; r++) {
        double sum = 0.0;
        for (int64_t i = 0; i < t->p; i++)
            sum += d[i] * (t->thetas[r * t->p + i] - t->centre[i]);
        coordinates[2 * r + k] = sum;
    }
}

static dyn_status find_plane(dyn_ctx *ctx, const plane *t, double *directions, double *coordinates, double *shares)
{
    double sum = 0.0;

    find_gram(t);
    DYN__TRY(dyn__eigh(ctx, t->rows, t->gram, t->values, 1));
    for (int64_t r = 0; r < t->rows; r++)
        sum += fmax(t->values[r], 0.0);
    for (int64_t k = 0; k < 2; k++) {
        const double value = t->values[t->rows - 1 - k];
        shares[k] = 0.0;
        memset(directions + k * t->p, 0, (size_t)t->p * sizeof *directions);
        if (value > (double)t->rows * DBL_EPSILON * sum) {      /* more than rounding */
            shares[k] = value / sum;
            find_direction(t, k, directions + k * t->p);
        }
        find_coordinates(t, directions + k * t->p, k, coordinates);
    }
    return DYN_OK;
}

dyn_status dyn_trajectory_plane(dyn_ctx *ctx, int64_t rows, int64_t p, const double *thetas, int32_t centred,
                                double *directions, double *coordinates, double *shares)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, thetas);
    DYN__NEED(ctx, directions);
    DYN__NEED(ctx, coordinates);
    DYN__NEED(ctx, shares);
    DYN__TRY(dyn__check_flag(ctx, "centred", centred));
    if (rows < 2 || p < 1 || rows > 100000 || p > INT64_MAX / 8 / rows)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld rows of %lld parameters: 2 to 100000 rows, and at least one parameter",
                         (long long)rows, (long long)p);
    DYN__TRY(dyn__check_finite(ctx, "thetas", rows * p, thetas));
    double *room = dyn__alloc(ctx, (size_t)(p + rows * rows + rows), sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    const plane t = { rows, p, thetas, room, room + p, room + p + rows * rows };
    find_centre(&t, centred);
    dyn_status s = find_plane(ctx, &t, directions, coordinates, shares);
    dyn__free(ctx, room);
    return s;
}
