/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sum over blocks that lie on several ranks, with the same bits for any number of them: it is that of a binary tree
 * over the blocks. A rank adds up the whole subtrees among its own blocks; of these every rank gets its slice, finishes
 * the tree there, and all get all slices. */
#include "sum.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Subtrees from the left to the right, each whole, of so many blocks from a start; `at` has room for each of them. */
typedef struct trees {
    int64_t n, start[DYN__MPI_DEPTH], size[DYN__MPI_DEPTH];
} trees;

/* The last two are the halves of one. */
static int is_pair(const trees *t)
{
    return t->n > 1 && t->size[t->n - 1] == t->size[t->n - 2] && t->start[t->n - 2] % (2 * t->size[t->n - 1]) == 0;
}

static void join(trees *t)
{
    t->n--;
    t->size[t->n - 1] *= 2;
}

static void push(trees *t, int64_t start, int64_t size)
{
    t->start[t->n] = start;
    t->size[t->n++] = size;
}

static void add(double *to, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

static int64_t first_block(const dyn_mpi_sum *s, int r) { return s->blocks * r / s->ranks; }

/* The subtrees that rank r sends. */
static trees trees_of(const dyn_mpi_sum *s, int r)
{
    trees t = { 0 };

    for (int64_t b = first_block(s, r); b < first_block(s, r + 1); b++) {
        push(&t, b, 1);
        while (is_pair(&t))
            join(&t);
    }
    return t;
}

/* Slices of a vector of so many numbers, one for every rank. */
static int64_t slice(const dyn_mpi_sum *s, int64_t numbers, int r) { return numbers * r / s->ranks; }
static int64_t slice_size(const dyn_mpi_sum *s, int64_t numbers, int r)
{
    return slice(s, numbers, r + 1) - slice(s, numbers, r);
}

/* ---- memory: own subtrees [DEPTH], what is sent and what is received, each [DEPTH or more] ---- */

static int64_t all_trees(const dyn_mpi_sum *s)
{
    int64_t n = 0;

    for (int r = 0; r < s->ranks; r++)
        n += trees_of(s, r).n;
    return n;
}

static int64_t levels(const dyn_mpi_sum *s)
{
    int64_t n = 2;

    while ((INT64_C(1) << n) <= 2 * s->blocks)
        n++;
    return 2 * n;
}

static dyn_status reserve(dyn_mpi_sum *s, int64_t numbers)
{
    const int64_t rows = levels(s) + trees_of(s, s->rank).n, wide = numbers + s->ranks;
    const int64_t need = rows * wide + all_trees(s) * (numbers / s->ranks + 1);
    double *more;

    if (numbers > INT_MAX / (all_trees(s) + 1))
        return DYN_EFULL;
    if (need <= s->room)
        return DYN_OK;
    more = realloc(s->work, (size_t)need * sizeof *more);
    if (!more)
        return DYN_ENOMEM;
    s->work = more;
    s->room = need;
    return DYN_OK;
}

/* ---- the sum ---- */

/* Blocks of this rank, added up to whole subtrees: tree k in own[k * numbers ..]. */
static dyn_status add_own(dyn_mpi_sum *s, int64_t numbers, dyn__mpi_block_fn fn, const void *arg, double *own)
{
    trees t = { 0 };
    dyn_status status = DYN_OK;

    for (int64_t i = 0; i < s->count && status >= 0; i++) {
        double *leaf = own + t.n * numbers;
        status = fn(s, i, arg, leaf);
        for (int64_t j = 0; j < numbers; j++)
            leaf[j] *= s->weights[s->first + i];
        push(&t, s->first + i, 1);
        while (is_pair(&t)) {
            add(own + (t.n - 2) * numbers, own + (t.n - 1) * numbers, numbers);
            join(&t);
        }
    }
    return status;
}

/* Own subtrees, slice by slice, to the ranks that finish them. */
static int exchange(dyn_mpi_sum *s, int64_t numbers, const double *own, double *sent, double *got)
{
    int *out = s->counts, *from = out + s->ranks, *in = from + s->ranks, *to = in + s->ranks, at = 0, there = 0;
    const int64_t n = trees_of(s, s->rank).n, mine = slice_size(s, numbers, s->rank);

    for (int r = 0; r < s->ranks; r++) {
        const int64_t size = slice_size(s, numbers, r);
        for (int64_t k = 0; k < n; k++)
            memcpy(sent + at + k * size, own + k * numbers + slice(s, numbers, r), (size_t)size * sizeof *sent);
        out[r] = (int)(n * size), from[r] = at, at += out[r];
        in[r] = (int)(trees_of(s, r).n * mine), to[r] = there, there += in[r];
    }
    s->received += (there - in[s->rank]) * (int64_t)sizeof *got;
    return MPI_Alltoallv(sent, out, from, MPI_DOUBLE, got, in, to, MPI_DOUBLE, s->comm);
}

/* The subtrees of all ranks, in their order, to one; what is no whole subtree at the end, from the right. */
static double *finish(const dyn_mpi_sum *s, int64_t size, double *got)
{
    double *place[DYN__MPI_DEPTH] = { got };
    trees t = { 0 };

    for (int r = 0; r < s->ranks; r++) {
        const trees theirs = trees_of(s, r);
        for (int64_t k = 0; k < theirs.n; k++, got += size) {
            place[t.n] = got;
            push(&t, theirs.start[k], theirs.size[k]);
            while (is_pair(&t)) {
                add(place[t.n - 2], place[t.n - 1], size);
                join(&t);
            }
        }
    }
    while (t.n > 1) {
        add(place[t.n - 2], place[t.n - 1], size);
        t.n--;
    }
    return place[0];
}

static int share(dyn_mpi_sum *s, int64_t numbers, const double *mine, double *out)
{
    int *counts = s->counts, *places = counts + s->ranks;

    for (int r = 0; r < s->ranks; r++) {
        counts[r] = (int)slice_size(s, numbers, r);
        places[r] = (int)slice(s, numbers, r);
    }
    s->received += (numbers - counts[s->rank]) * (int64_t)sizeof *out;
    return MPI_Allgatherv(mine, counts[s->rank], MPI_DOUBLE, out, counts, places, MPI_DOUBLE, s->comm);
}

dyn_status dyn__mpi_reduce(dyn_mpi_sum *s, int64_t numbers, dyn_status own, dyn__mpi_block_fn fn, const void *arg,
                           double *out)
{
    double *sent, *got;
    int32_t worst;

    if (own >= 0)
        own = reserve(s, numbers);
    if (own >= 0)
        own = add_own(s, numbers, fn, arg, s->work);
    worst = own;
    MPI_Allreduce(&own, &worst, 1, MPI_INT32_T, MPI_MIN, s->comm);
    if (worst < 0)
        return worst;
    sent = s->work + levels(s) * (numbers + s->ranks);
    got = sent + trees_of(s, s->rank).n * (numbers + s->ranks);
    if (exchange(s, numbers, s->work, sent, got) != MPI_SUCCESS)
        return DYN_EIO;
    got = finish(s, slice_size(s, numbers, s->rank), got);
    return share(s, numbers, got, out) == MPI_SUCCESS ? DYN_OK : DYN_EIO;
}
