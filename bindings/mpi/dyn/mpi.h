/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libdyn over the ranks of MPI, a library of its own (libdyn-mpi), so that the ABI of libdyn depends on no MPI: sweeps
 * whose members go to whichever rank is free, and objectives whose samples lie on several ranks. Results have the same
 * bits for any number of ranks. All functions are collective: every rank of the communicator calls them, in the same
 * order. */
#ifndef DYN_MPI_H
#define DYN_MPI_H

#include <mpi.h>
#include <dyn/dyn.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Train a sweep: rank 0 hands members out and keeps what comes back, the others train, one at a time each. Every rank
 * makes its sweep with the same options; only that of rank 0 has a store (and takes in what it holds). With one rank
 * it is dyn_sweep_train. Where rank 0 is to leave no core idle, start one rank more than there are cores: it sleeps.
 *
 * errors: those of dyn_sweep_member on any rank, of dyn_sweep_keep on rank 0, which then ends all ranks; DYN_EIO a call
 *         of MPI failed (where its error handler returns).   since: 0.1
 */
DYN_API dyn_status dyn_mpi_sweep_train(dyn_sweep *sweep, MPI_Comm comm);

/** A sum of objectives that lie on several ranks. */
typedef struct dyn_mpi_sum dyn_mpi_sum;

/** Which of so many blocks are this rank's: *first .. *first + *count - 1. since: 0.1 */
DYN_API void dyn_mpi_blocks(MPI_Comm comm, int64_t blocks, int64_t *first, int64_t *count);

/**
 * sum_b weights[b] f_b over all blocks, added up by a binary tree over the blocks whichever ranks they lie on. Cut a
 * large problem into a number of blocks that does not depend on the ranks (16, say; a power of two that the ranks
 * divide sends least); each rank makes the objectives of its own, for which see dyn_mpi_blocks, of equal sizes. For the
 * mean over n samples f_b is the mean over the n_b of a block, and its weight n_b / n. Memory: some log2(blocks) x
 * (p + 1) doubles on every rank.
 *
 * shape: mine [count of this rank], referenced; weights [blocks], the same on all ranks, NULL = 1.
 * errors: DYN_EINVAL; DYN_ENOMEM.   owner: *out is owned by the caller, NULL on error.   since: 0.1
 */
DYN_API dyn_status dyn_mpi_sum_create(dyn_ctx *ctx, MPI_Comm comm, int64_t blocks, dyn_objective *const *mine,
                                      const double *weights, dyn_mpi_sum **out);

/** The sum as an objective, for runs and measurements that every rank makes alike: value, gradient, Hessian products.
 * Borrowed; lives as long as sum. NULL for NULL. since: 0.1 */
DYN_API dyn_objective *dyn_mpi_sum_objective(const dyn_mpi_sum *sum);

/**
 * Numbers [count] from the Jacobian of one block, jacobian [rows, p]: rows are its samples times outputs. Called on
 * the rank that has the block. Anything but 0 ends the call on all ranks, with DYN_EUSER.
 */
typedef int32_t (*dyn_mpi_tile_fn)(void *user, int64_t block, int64_t rows, const double *jacobian, double *numbers);

/**
 * sum_b weights[b] t_b, where t_b [count] is what tile makes of the Jacobian of block b at theta: ranks work on their
 * own blocks at once, and hold one Jacobian each, never that of all samples. out [count] is on all ranks, with the same
 * bits for any number of them. Blocks must be losses of a model with outputs.
 *
 * errors: DYN_EINVAL; DYN_EUSER; DYN_ENOMEM; DYN_EFULL count beyond 2^31 / blocks; as dyn_objective_jacobian.
 * since: 0.1
 */
DYN_API dyn_status dyn_mpi_sum_tiles(dyn_mpi_sum *sum, const double *theta, int64_t count, dyn_mpi_tile_fn tile,
                                     void *user, double *out);

/** gram [p, p] = sum_b weights[b] J_b^T J_b, likewise: its eigenvalues tell the rank of the Jacobian of all samples. It
 * takes some log2(blocks) x p^2 doubles on every rank. since: 0.1 */
DYN_API dyn_status dyn_mpi_sum_gram(dyn_mpi_sum *sum, const double *theta, double *gram);

/**
 * Bytes of results that this rank has received from others so far. Of a vector of n numbers, 1 for a value, p + 1 for a
 * gradient, p for every direction of a Hessian product, count for tiles, every rank finishes the sum of its slice, n /
 * ranks numbers: it receives the slice of every whole subtree that the others have among their blocks, one each where
 * ranks divide a power of two of blocks, and then all other slices: 2 (1 - 1 / ranks) x 8 n bytes. 0 for NULL.
 * since: 0.1
 */
DYN_API int64_t dyn_mpi_sum_received(const dyn_mpi_sum *sum);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_mpi_sum_free(dyn_mpi_sum *sum);

#ifdef __cplusplus
}
#endif
#endif
