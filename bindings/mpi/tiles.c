/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jacobians of a sum over ranks, block by block: each rank reduces those of its own blocks to some numbers, which are
 * added up as gradients are. */
#include "sum.h"

#include <stdlib.h>
#include <string.h>

static int64_t rows_of(const dyn_objective *o) { return dyn_objective_samples(o) * dyn_objective_outputs(o); }

static dyn_status one_tile(const dyn_mpi_sum *s, int64_t i, const double *theta, dyn_mpi_tile_fn tile, void *user,
                           double *numbers)
{
    const int64_t rows = rows_of(s->mine[i]);
    double *jacobian = malloc((size_t)(rows > 0 ? rows * s->p : 1) * sizeof *jacobian);
    dyn_status status = jacobian ? dyn_objective_jacobian(s->mine[i], theta, jacobian) : DYN_ENOMEM;

    if (status >= 0 && tile(user, s->first + i, rows, jacobian, numbers) != 0)
        status = DYN_EUSER;
    free(jacobian);
    return status;
}

dyn_status dyn_mpi_sum_tiles(dyn_mpi_sum *sum, const double *theta, int64_t count, dyn_mpi_tile_fn tile, void *user,
                             double *out)
{
    dyn_status own;

    if (!sum)
        return DYN_EINVAL;
    own = !theta || !tile || !out || count < 1 ? DYN_EINVAL : dyn__mpi_reserve(sum, count);
    for (int64_t i = 0; own >= 0 && i < sum->count; i++)
        own = one_tile(sum, i, theta, tile, user, dyn__mpi_of_block(sum, sum->first + i, count));
    own = dyn__mpi_gather(sum, count, own);
    if (own >= 0)
        dyn__mpi_add_up(sum, count, 0, count, out);
    return own;
}

/* J^T J, both halves, the rows in their order. */
static int32_t gram(void *user, int64_t block, int64_t rows, const double *jacobian, double *out)
{
    const int64_t p = *(const int64_t *)user;

    (void)block;
    memset(out, 0, (size_t)(p * p) * sizeof *out);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < p; i++) {
            const double a = jacobian[r * p + i];
            for (int64_t j = 0; j < p; j++)
                out[i * p + j] += a * jacobian[r * p + j];
        }
    return 0;
}

dyn_status dyn_mpi_sum_gram(dyn_mpi_sum *sum, const double *theta, double *out)
{
    int64_t p = sum ? sum->p : 0;

    return dyn_mpi_sum_tiles(sum, theta, p * p, gram, &p, out);
}

int64_t dyn_mpi_sum_received(const dyn_mpi_sum *sum) { return sum ? sum->received : 0; }
