/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How wrong products are that come from differences: the same with twice the step has four times the error of truncation,
 * and rounding errors of its own. What the two differ by is more than what either is wrong by. */
#include "linalg/operator.h"

#include <math.h>

void dyn__operator_stretch(dyn_operator *A, double factor)
{
    if (A && A->stretch)
        A->stretch(A->user, factor);
}

static double distance(int64_t n, const double *x, const double *y)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

static dyn_status compare(dyn_operator *A, const double *x, double *room, double *error)
{
    dyn_status s = dyn__operator_apply(A, 1, x, room);

    dyn__operator_stretch(A, 2);
    if (s == DYN_OK)
        s = dyn__operator_apply(A, 1, x, room + A->rows);
    dyn__operator_stretch(A, 1);
    *error = distance(A->rows, room, room + A->rows);
    return s;
}

dyn_status dyn__operator_errors(dyn_operator *A, int64_t count, const double *x, double *errors)
{
    double *room;
    dyn_status s = DYN_OK;

    for (int64_t i = 0; i < count; i++)
        errors[i] = 0;
    if (!A->stretch)
        return DYN_OK;
    room = dyn__alloc(A->ctx, (size_t)A->rows, 2 * sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < count && s == DYN_OK; i++)
        s = compare(A, x + i * A->size, room, errors + i);
    dyn__free(A->ctx, room);
    return s;
}

dyn_status dyn_operator_product_errors(dyn_operator *A, int64_t count, const double *x, double *errors)
{
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, x);
    DYN__NEED(A->ctx, errors);
    if (count < 1)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "count is %lld", (long long)count);
    return dyn__operator_errors(A, count, x, errors);
}
