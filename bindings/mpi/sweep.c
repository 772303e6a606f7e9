/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sweep over ranks. A rank asks for a member by sending what became of the last one (nothing at first), or that it
 * cannot go on; rank 0 answers with the next, or -1. */
#include "dyn/mpi.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

enum { RESULT = 1, FAILED = 2, MEMBER = 3, WAIT_NS = 500000 };

static dyn_status check(int code) { return code == MPI_SUCCESS ? DYN_OK : DYN_EIO; }
#define TRY(call) do { dyn_status s_ = (call); if (s_ < 0) return s_; } while (0)

/* ---- the ranks that train ---- */

static dyn_status send(MPI_Comm comm, const void *packed, int64_t size)
{
    return size > INT_MAX ? DYN_EFULL : check(MPI_Send(packed, (int)size, MPI_BYTE, 0, RESULT, comm));
}

static dyn_status next(MPI_Comm comm, int64_t *member)
{
    return check(MPI_Recv(member, 1, MPI_INT64_T, 0, MEMBER, comm, MPI_STATUS_IGNORE));
}

static dyn_status train_one(dyn_sweep *sweep, MPI_Comm comm, int64_t member)
{
    const void *packed;
    int64_t size;
    const dyn_status s = dyn_sweep_member(sweep, member, &packed, &size);

    return s == DYN_OK ? send(comm, packed, size) : s > 0 ? DYN_EINTERRUPTED : s;
}

static dyn_status train(dyn_sweep *sweep, MPI_Comm comm)
{
    int64_t member;

    TRY(send(comm, "", 0));
    for (;;) {
        TRY(next(comm, &member));
        if (member < 0)
            return DYN_OK;
        TRY(train_one(sweep, comm, member));
    }
}

/* ---- the rank that keeps ---- */

typedef struct keeper {
    dyn_sweep *sweep;
    MPI_Comm comm;
    int64_t next;
    int working;        /* ranks that have not been told to end */
    dyn_status failed;
} keeper;

static int64_t take(keeper *k)
{
    while (k->failed == DYN_OK && k->next < dyn_sweep_count(k->sweep))
        if (dyn_sweep_status(k->sweep, k->next++) == DYN_MEMBER_WAITING)
            return k->next - 1;
    return -1;
}

static dyn_status answer(keeper *k, int rank)
{
    const int64_t member = take(k);

    k->working -= member < 0;
    return check(MPI_Send(&member, 1, MPI_INT64_T, rank, MEMBER, k->comm));
}

static dyn_status keep(keeper *k, int rank, int size)
{
    void *packed = malloc((size_t)size + 1);
    dyn_status s = DYN_ENOMEM;

    if (packed)
        s = check(MPI_Recv(packed, size, MPI_BYTE, rank, RESULT, k->comm, MPI_STATUS_IGNORE));
    if (s == DYN_OK && size)
        s = dyn_sweep_keep(k->sweep, packed, size);
    free(packed);
    return s;
}

/* A rank that cannot go on asks no more. */
static dyn_status give_up(keeper *k, int rank)
{
    int32_t status;

    TRY(check(MPI_Recv(&status, 1, MPI_INT32_T, rank, FAILED, k->comm, MPI_STATUS_IGNORE)));
    k->failed = status;
    k->working--;
    return DYN_OK;
}

static dyn_status listen(keeper *k)
{
    const struct timespec pause = { .tv_nsec = WAIT_NS };
    MPI_Status from;
    int there = 0, size;

    TRY(check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, k->comm, &there, &from)));
    if (!there) {
        nanosleep(&pause, NULL);        /* MPI itself would spin */
        return DYN_OK;
    }
    if (from.MPI_TAG == FAILED)
        return give_up(k, from.MPI_SOURCE);
    TRY(check(MPI_Get_count(&from, MPI_BYTE, &size)));
    const dyn_status s = keep(k, from.MPI_SOURCE, size);
    if (s < 0)
        k->failed = s;
    return answer(k, from.MPI_SOURCE);
}

static dyn_status lead(dyn_sweep *sweep, MPI_Comm comm, int ranks)
{
    keeper k = { .sweep = sweep, .comm = comm, .working = ranks - 1 };

    while (k.working)
        TRY(listen(&k));
    return k.failed;
}

/* Ranks hear of one another's failures at the end. */
static dyn_status together(MPI_Comm comm, dyn_status own)
{
    int32_t all = own;

    TRY(check(MPI_Allreduce(&own, &all, 1, MPI_INT32_T, MPI_MIN, comm)));
    return all;
}

dyn_status dyn_mpi_sweep_train(dyn_sweep *sweep, MPI_Comm comm)
{
    int rank, ranks;
    dyn_status s;

    if (!sweep)
        return DYN_EINVAL;
    TRY(check(MPI_Comm_rank(comm, &rank)));
    TRY(check(MPI_Comm_size(comm, &ranks)));
    if (ranks == 1)
        return dyn_sweep_train(sweep);
    s = rank == 0 ? lead(sweep, comm, ranks) : train(sweep, comm);
    if (rank && s < 0)
        TRY(check(MPI_Send(&s, 1, MPI_INT32_T, 0, FAILED, comm)));
    return together(comm, s);
}
