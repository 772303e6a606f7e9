/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sum of objectives over ranks. Every rank evaluates its blocks; all get the results of all and add them up in the
 * order of the blocks, so that the sum has the same bits for any number of ranks. */
#include "sum.h"

#include <limits.h>
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

dyn_status dyn__mpi_reserve(dyn_mpi_sum *s, int64_t numbers)
{
    double *more;

    if (numbers <= s->room)
        return DYN_OK;
    if (numbers > INT_MAX / s->blocks)
        return DYN_EFULL;
    more = realloc(s->all, (size_t)(s->blocks * numbers) * sizeof *more);
    if (!more)
        return DYN_ENOMEM;
    s->all = more;
    s->room = numbers;
    return DYN_OK;
}

dyn_status dyn__mpi_gather(dyn_mpi_sum *s, int64_t numbers, dyn_status own)
{
    int32_t worst = own;
    int ranks;

    MPI_Allreduce(&own, &worst, 1, MPI_INT32_T, MPI_MIN, s->comm);
    if (worst < 0)
        return worst;
    s->received += (s->blocks - s->count) * numbers * (int64_t)sizeof *s->all;
    MPI_Comm_size(s->comm, &ranks);
    for (int r = 0; r < ranks; r++) {
        s->places[r] = (int)(s->blocks * r / ranks * numbers);
        s->counts[r] = (int)(s->blocks * (r + 1) / ranks * numbers) - s->places[r];
    }
    return MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, s->all, s->counts, s->places, MPI_DOUBLE, s->comm)
               == MPI_SUCCESS ? DYN_OK : DYN_EIO;
}

void dyn__mpi_add_up(const dyn_mpi_sum *s, int64_t numbers, int64_t from, int64_t count, double *sum)
{
    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int64_t b = 0; b < s->blocks; b++) {
        const double *part = dyn__mpi_of_block(s, b, numbers) + from;
        for (int64_t i = 0; i < count; i++)
            sum[i] += s->weights[b] * part[i];
    }
}

static int32_t value(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta;
    double *out = at->value;
    dyn_mpi_sum *s = user;
    dyn_status own = dyn__mpi_reserve(s, 1);

    for (int64_t i = 0; own >= 0 && i < s->count; i++)
        own = dyn_objective_value(s->mine[i], theta, dyn__mpi_of_block(s, s->first + i, 1));
    own = dyn__mpi_gather(s, 1, own);
    if (own >= 0)
        dyn__mpi_add_up(s, 1, 0, 1, out);
    return own < 0;
}

static int32_t gradient(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta;
    double *out = at->value, *g = at->gradient;
    dyn_mpi_sum *s = user;
    const int64_t numbers = s->p + 1;
    dyn_status own = dyn__mpi_reserve(s, numbers);

    for (int64_t i = 0; own >= 0 && i < s->count; i++) {
        double *block = dyn__mpi_of_block(s, s->first + i, numbers);
        own = dyn_objective_gradient(s->mine[i], theta, block + 1, block);
    }
    own = dyn__mpi_gather(s, numbers, own);
    if (own >= 0) {
        dyn__mpi_add_up(s, numbers, 0, 1, out);
        dyn__mpi_add_up(s, numbers, 1, s->p, g);
    }
    return own < 0;
}

static dyn_status block_product(dyn_objective *o, const double *theta, int64_t count, const double *v, double *hv)
{
    dyn_operator *h = NULL;
    dyn_status s = dyn_objective_hessian(o, theta, &h);

    if (s >= 0)
        s = dyn_operator_apply(h, count, v, hv);
    dyn_operator_unref(h);
    return s;
}

static int32_t product(void *user, const dyn_objective_view *at)
{
    const double *theta = at->theta, *v = at->v;
    double *hv = at->product;
    int64_t count = at->count;
    dyn_mpi_sum *s = user;
    const int64_t numbers = count * s->p;
    dyn_status own = dyn__mpi_reserve(s, numbers);

    for (int64_t i = 0; own >= 0 && i < s->count; i++)
        own = block_product(s->mine[i], theta, count, v, dyn__mpi_of_block(s, s->first + i, numbers));
    own = dyn__mpi_gather(s, numbers, own);
    if (own >= 0)
        dyn__mpi_add_up(s, numbers, 0, numbers, hv);
    return own < 0;
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
    int ranks = 1;

    MPI_Comm_size(s->comm, &ranks);
    s->mine = calloc((size_t)s->count + 1, sizeof *s->mine);
    s->weights = malloc((size_t)s->blocks * sizeof *s->weights);
    s->counts = calloc((size_t)ranks, sizeof *s->counts);
    s->places = calloc((size_t)ranks, sizeof *s->places);
    if (!s->mine || !s->weights || !s->counts || !s->places)
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
    free(s->places);
    free(s->counts);
    free(s->weights);
    free(s->mine);
    free(s->all);
    free(s);
}
