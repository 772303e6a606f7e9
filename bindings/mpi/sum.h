/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of a sum over ranks. */
#ifndef DYN__MPI_SUM_H
#define DYN__MPI_SUM_H

#include "dyn/mpi.h"

enum { DYN__MPI_DEPTH = 64 };   /* of a tree over any number of blocks */

struct dyn_mpi_sum {
    MPI_Comm comm;
    int ranks, rank;
    int64_t p, blocks, first, count, room;
    int64_t received;           /* bytes */
    dyn_objective **mine;       /* [count] */
    double *weights;            /* [blocks] */
    double *work;               /* see reduce.c */
    int *counts;                /* [4, ranks] of messages and where they begin, in numbers */
    dyn_objective *objective;
};

/* Numbers of this rank's block i; 0 or an error. */
typedef dyn_status (*dyn__mpi_block_fn)(dyn_mpi_sum *s, int64_t i, const void *arg, double *numbers);

/* reduce.c: out [numbers] = the weighted sum of what fn makes of every block, on all ranks; own: an error this rank has
 * met before. Every rank's status is the worst of all, so that none waits for one that has given up. */
dyn_status dyn__mpi_reduce(dyn_mpi_sum *s, int64_t numbers, dyn_status own, dyn__mpi_block_fn fn, const void *arg,
                           double *out);

#endif
