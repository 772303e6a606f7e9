/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of a sum over ranks: results of all blocks, gathered on every rank and added up in the order of the blocks. */
#ifndef DYN__MPI_SUM_H
#define DYN__MPI_SUM_H

#include "dyn/mpi.h"

struct dyn_mpi_sum {
    MPI_Comm comm;
    int64_t p, blocks, first, count, room;
    int64_t received;           /* bytes */
    dyn_objective **mine;       /* [count] */
    double *weights;            /* [blocks] */
    double *all;                /* [blocks, room] results of all blocks */
    int *counts, *places;       /* [ranks] of the gathering, in numbers */
    dyn_objective *objective;
};

/* Room for so many numbers of every block; where those of a block lie then. */
dyn_status dyn__mpi_reserve(dyn_mpi_sum *s, int64_t numbers);
static inline double *dyn__mpi_of_block(const dyn_mpi_sum *s, int64_t block, int64_t numbers)
{
    return s->all + block * numbers;
}
/* All blocks to all ranks. Every rank's status is the worst of all, so that none waits for one that has given up. */
dyn_status dyn__mpi_gather(dyn_mpi_sum *s, int64_t numbers, dyn_status own);
/* sum [count] of the weighted numbers [from, from + count) of all blocks. */
void dyn__mpi_add_up(const dyn_mpi_sum *s, int64_t numbers, int64_t from, int64_t count, double *sum);

#endif
