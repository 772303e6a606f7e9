/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The executor from inside: what its parts know of each other. exec_tile.c runs instructions on a tile, exec_share.c
 * shares the tiles of a step out to threads, exec_move.c moves elements. */
#ifndef DYN__COMPILE_EXEC_H
#define DYN__COMPILE_EXEC_H

#include <string.h>
#include "compile/compile.h"

struct dyn_exec {
    dyn_plan *plan;
    dyn_ctx *ctx;
    char **base;                /* by enum dyn__base; what is bound, in memory of the host */
    void **memory;              /* of what is bound, in memory of the backend; NULL: it works in the host's */
    /* of the CPU */
    char *arena;
    char *scratch;              /* workers x plan->scratch */
    void *own;                  /* of another backend */
};

/* What an instruction works on: some rows of a set, some columns of those that follow column `from`; variant: of its
 * matrix products, DYN__BEGINS only where the instruction begins a sum. */
typedef struct dyn__piece {
    int64_t set, chunk, row, rows, from, column, columns;
    int32_t variant;
    char *tile;
} dyn__piece;

/* Where an operand lies, for this part. */
static inline char *dyn__address(const dyn_exec *e, const dyn__operand_ref *r, const dyn__piece *p)
{
    char *base = r->place.base == DYN__BASE_TILE ? p->tile : e->base[r->place.base];
    return base + (r->place.offset + p->set * r->set + p->chunk * r->chunk + p->row * r->row + p->column * r->column)
        * e->plan->esize;
}

/* Sizes of the dimensions, with another one in place of dimension d. */
typedef struct dyn__sizes { int64_t of[DYN__MAX_DIM]; } dyn__sizes;

static inline dyn__sizes dyn__sizes_with(const dyn__instr *q, int d, int64_t size)
{
    dyn__sizes s;

    memcpy(s.of, q->dim, sizeof s.of);
    s.of[d] = size;
    return s;
}

/* The next index of the first `dims` dimensions; 0 after the last. */
static inline int dyn__next(const dyn__sizes *s, int64_t *index, int dims)
{
    int d = dims - 1;

    while (d >= 0 && ++index[d] == s->of[d])
        index[d--] = 0;
    return d >= 0;
}

/* Element of argument a at this index. */
static inline char *dyn__element(const dyn__instr *q, int a, char *p, const int64_t *index, int dims, int esize)
{
    int64_t at = 0;

    for (int d = 0; d < dims; d++)
        at += index[d] * q->arg[a].stride[d];
    return p + at * esize;
}

/* exec_tile.c: one instruction; those up to q->end on one strip; those from q to `end` on one tile. */
void dyn__run_instr(const dyn_exec *e, const dyn__instr *q, const dyn__piece *at);
void dyn__run_strip(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, int64_t strip, dyn__piece p);
void dyn__run_tile(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, const dyn__instr *end,
                   const dyn__piece *p);
/* exec_share.c: so many tasks, on all threads if they are large. */
void dyn__share_out(const dyn_exec *e, int64_t tasks, int large, dyn__task_fn fn, void *t);
/* exec_move.c: how many tasks, at most `most`, so many elements are worth. */
int64_t dyn__tasks_for(int64_t elements, int64_t most);

/* Where argument a of an instruction that takes all of it begins. */
static inline char *dyn__argument(const dyn_exec *e, const dyn__instr *q, int a)
{
    return dyn__address(e, &q->arg[a], &(dyn__piece){0});
}

/* The same, of indices. */
static inline const int64_t *dyn__indices(const dyn_exec *e, const dyn__instr *q, int a)
{
    return (const int64_t *)(e->base[q->arg[a].place.base] + q->arg[a].place.offset * 8);
}

#endif
