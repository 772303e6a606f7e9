/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jacobians of a sum over ranks, block by block: each rank reduces those of its own blocks to some numbers, which are
 * added up as gradients are. */
#include "sum.h"

#include <stdlib.h>
#include <string.h>

static int64_t rows_of(const dyn_objective *o) { return dyn_objective_samples(o) * dyn_objective_outputs(o); }

typedef struct asked { const double *theta; dyn_mpi_tile_fn tile; void *user; } asked;

static dyn_status tile_of(dyn_mpi_sum *s, int64_t i, const void *arg, double *numbers)
{
    const asked *a = arg;
    const int64_t rows = rows_of(s->mine[i]);
    double *jacobian = malloc((size_t)(rows > 0 ? rows * s->p : 1) * sizeof *jacobian);
    dyn_status status = jacobian ? dyn_objective_jacobian(s->mine[i], a->theta, jacobian) : DYN_ENOMEM;

    if (status >= 0 && a->tile(a->user, s->first + i, rows, jacobian, numbers) != 0)
        status = DYN_EUSER;
    free(jacobian);
    return status;
}

dyn_status dyn_mpi_sum_tiles(dyn_mpi_sum *sum, const double *theta, int64_t count, dyn_mpi_tile_fn tile, void *user,
                             double *out)
{
    const asked a = { theta, tile, user };

    if (!sum)
        return DYN_EINVAL;
    return dyn__mpi_reduce(sum, count, !theta || !tile || !out || count < 1 ? DYN_EINVAL : DYN_OK, tile_of, &a, out);
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
