/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sum of objectives over ranks. Every rank evaluates its blocks; reduce.c adds up. */
#include "sum.h"

#include <stdlib.h>
#include <string.h>

void dyn_mpi_blocks(MPI_Comm comm, int64_t blocks, int64_t *first, int64_t *count)
{
    int rank = 0, ranks = 1;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    *first = blocks * rank / ranks;
    *count = blocks * (rank + 1) / ranks - *first;
}

/* ---- evaluation ---- */

static dyn_status value_of(dyn_mpi_sum *s, int64_t i, const void *theta, double *numbers)
{
    return dyn_objective_value(s->mine[i], theta, numbers);
}

static int32_t value(void *user, const dyn_objective_view *at)
{
    return dyn__mpi_reduce(user, 1, DYN_OK, value_of, at->theta, at->value) < 0;
}

/* Value and gradient, one behind the other. */
static dyn_status gradient_of(dyn_mpi_sum *s, int64_t i, const void *theta, double *numbers)
{
    return dyn_objective_gradient(s->mine[i], theta, numbers + 1, numbers);
}

static int32_t gradient(void *user, const dyn_objective_view *at)
{
    dyn_mpi_sum *s = user;
    double *both = malloc((size_t)(s->p + 1) * sizeof *both);
    const dyn_status status = dyn__mpi_reduce(s, s->p + 1, both ? DYN_OK : DYN_ENOMEM, gradient_of, at->theta, both);

    if (status >= 0) {
        *at->value = both[0];
        memcpy(at->gradient, both + 1, (size_t)s->p * sizeof *both);
    }
    free(both);
    return status < 0;
}

static dyn_status product_of(dyn_mpi_sum *s, int64_t i, const void *arg, double *numbers)
{
    const dyn_objective_view *at = arg;
    dyn_operator *h = NULL;
    dyn_status status = dyn_objective_hessian(s->mine[i], at->theta, &h);

    if (status >= 0)
        status = dyn_operator_apply(h, at->count, at->v, numbers);
    dyn_operator_unref(h);
    return status;
}

static int32_t product(void *user, const dyn_objective_view *at)
{
    return dyn__mpi_reduce(user, at->count * at->size, DYN_OK, product_of, at, at->product) < 0;
}

/* ---- life ---- */

/* The number of parameters, which all blocks of all ranks must have; 0 where they differ. */
static int64_t common_size(const dyn_mpi_sum *s, dyn_objective *const *mine)
{
    int64_t ends[2] = { INT64_MAX, INT64_MAX }, all[2];

    for (int64_t i = 0; i < s->count; i++) {
        const int64_t p = mine && mine[i] ? dyn_objective_size(mine[i]) : 0;
        ends[0] = p < ends[0] ? p : ends[0];
        ends[1] = -p < ends[1] ? -p : ends[1];
    }
    MPI_Allreduce(ends, all, 2, MPI_INT64_T, MPI_MIN, s->comm);
    return all[0] == -all[1] ? all[0] : 0;
}

static dyn_status fill(dyn_ctx *ctx, dyn_mpi_sum *s, dyn_objective *const *mine, const double *weights)
{
    s->mine = calloc((size_t)s->count + 1, sizeof *s->mine);
    s->weights = malloc((size_t)s->blocks * sizeof *s->weights);
    s->counts = calloc(4 * (size_t)s->ranks, sizeof *s->counts);
    if (!s->mine || !s->weights || !s->counts)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < s->count; i++)
        s->mine[i] = dyn_objective_ref(mine[i]);
    for (int64_t b = 0; b < s->blocks; b++)
        s->weights[b] = weights ? weights[b] : 1;
    const dyn_objective_functions f = { .struct_size = sizeof f, .size = s->p, .value = value, .gradient = gradient,
                                        .hessian = product, .user = s };

    return dyn_objective_from_callbacks(ctx, &f, &s->objective);
}

dyn_status dyn_mpi_sum_create(dyn_ctx *ctx, MPI_Comm comm, int64_t blocks, dyn_objective *const *mine,
                              const double *weights, dyn_mpi_sum **out)
{
    dyn_mpi_sum *s;
    dyn_status status;

    if (!ctx || !out || blocks < 1)
        return DYN_EINVAL;
    *out = NULL;
    s = calloc(1, sizeof *s);
    if (!s)
        return DYN_ENOMEM;
    s->comm = comm;
    MPI_Comm_rank(comm, &s->rank);
    MPI_Comm_size(comm, &s->ranks);
    s->blocks = blocks;
    dyn_mpi_blocks(comm, blocks, &s->first, &s->count);
    s->p = common_size(s, mine);
    status = s->p > 0 ? fill(ctx, s, mine, weights) : DYN_EINVAL;
    if (status == DYN_OK)
        *out = s;
    else
        dyn_mpi_sum_free(s);
    return status;
}

dyn_objective *dyn_mpi_sum_objective(const dyn_mpi_sum *sum) { return sum ? sum->objective : NULL; }

void dyn_mpi_sum_free(dyn_mpi_sum *s)
{
    if (!s)
        return;
    dyn_objective_unref(s->objective);
    for (int64_t i = 0; s->mine && i < s->count; i++)
        dyn_objective_unref(s->mine[i]);
    free(s->counts);
    free(s->weights);
    free(s->mine);
    free(s->work);
    free(s);
}
