/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From graph to plan. The graph is first lowered to a few forms (lower.c). Each node then has a role (roles.c):
 *
 *   leaf   input or constant
 *   view   the elements of another node under other strides: broadcast, reshape, slice, unfold. No work, no memory.
 *   row    row r of the result needs only row r of some operands (and all of others): elementwise, sums within a row,
 *          x W, rows of a table chosen by indices
 *   term   a sum over rows: column sums, totals, x^T y
 *   move   everything else: permute, fold, scatter, random numbers; pad, inset, concat along axes of rows
 *
 * Row and term nodes over the same rows that need no finished sum of each other form one cluster (stages, roles.c). A
 * cluster runs tile by tile over its rows: a short program of kernels whose intermediate results stay in the first
 * caches, through forward, loss and backward pass alike. Rows may come in V independent sets (`outer`), when a block
 * of vectors goes through at once. */
#ifndef DYN__COMPILE_H
#define DYN__COMPILE_H

#include "graph/graph.h"
#include "kernel/kernel.h"
#include "kernel/machine.h"
#include <dyn/plan.h>

/* ---- places ---- */

/* Where a number lies: a base pointer of the executor, an element offset. */
/* BOUND + k: k-th input or output */
enum dyn__base { DYN__BASE_NONE, DYN__BASE_TILE, DYN__BASE_ARENA, DYN__BASE_CONSTANT, DYN__BASE_BOUND };

typedef struct dyn__place { int32_t base; int64_t offset; } dyn__place;

/* The elements of node `base` seen through strides, one per axis of the viewing node's shape. */
typedef struct dyn__view {
    dyn_node base;
    int64_t offset;
    int64_t stride[DYN_MAX_RANK];
} dyn__view;

enum dyn__role { DYN__LEAF, DYN__VIEW, DYN__ROW, DYN__TERM, DYN__MOVE };

typedef struct dyn__cnode {
    int32_t role;
    int32_t outer;          /* 1: axis 0 is the outer axis V, rows are axis 1 */
    int64_t V, R, C;        /* sets, rows, elements of the result per row (row) or in all (term, per set) */
    int32_t row_axes;       /* axes behind the outer one that count the rows, of what is iterated over */
    int32_t tall;           /* of a product: x W with W the same for all rows, which are all axes of x but the last */
    int64_t pitch;          /* elements from one row to the next: C, or more in a tile buffer */
    int64_t wish;           /* rows that its readers have, where it can have any; 0: they have none */
    int32_t begins;         /* it begins a cluster, and its operands lie in memory */
    int32_t stage;
    int32_t step;           /* the step that computes it */
    dyn_node before;        /* the node before it in that step, -1 = none */
    dyn_node end;           /* of the first node of a step: the last one */
    int32_t last;           /* the last step that reads it */
    int32_t uses;           /* operands of needed nodes that resolve to it */
    int32_t absorbed;       /* part of the instruction of its only reader */
    int32_t kept;           /* all rows of it lie in memory for a part of its step (defer.c) */
    int32_t stored;         /* needs memory beyond a tile */
    int32_t handed_on;      /* its memory is that of the node that reads it last */
    int32_t sums;           /* of an addition: how deep additions of additions go below it */
    int32_t sum;            /* of a term: its place among the sums of its step, plus 1 */
    int32_t part_of;        /* the sum in whose place it is worked out, where it stands; plus 1, 0 = none */
    int32_t parts;          /* of such a sum: those not selected yet, from the last to the first, which overwrites */
    int64_t slot;           /* tile buffer, as an element of a row; -1 = none */
    dyn__view view;
    dyn__place place;       /* memory, when stored or leaf */
} dyn__cnode;

static inline int64_t dyn__divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

enum { DYN__MOST_SUMS = 32 };       /* deeper ones are not worked out in one place: that is a recursion */

/* ---- instructions ---- */

enum { DYN__MAX_DIM = DYN_MAX_RANK + 1 };

/* A sum over rows of x^T y, this product in whole, goes strip by strip of its own rows, the columns of x; else of its
 * columns, those of y. */
static inline int dyn__cuts_rows(const dyn__gemm *whole) { return whole->m >= whole->n; }

/* Where matrix products differ: on the last tile, the last strip, and where a sum begins. */
enum dyn__variant { DYN__LAST_TILE = 1, DYN__LAST_STRIP = 2, DYN__BEGINS = 4, DYN__VARIANTS = 8 };

/* What the executor reads stands first. */
typedef struct dyn__operand_ref {
    dyn__place place;
    /* elements to add per outer set, per chunk of rows, per row of the tile's start, per column of the strip's start */
    int64_t set, chunk, row, column;
    int64_t stride[DYN__MAX_DIM];   /* per iteration dimension */
    dyn_node node;                  /* whose elements */
    int64_t offset;                 /* of its view */
    int64_t view_set, view_row;     /* strides of the view along the outer axis and the rows */
} dyn__operand_ref;

struct dyn__instr;
struct dyn__piece;
typedef void (*dyn__run_fn)(const dyn_exec *e, const struct dyn__instr *q, const struct dyn__piece *at);

/* One kernel call per tile (or a few, when more than two dimensions remain). dim[0] counts tile rows times
 * `multiple`. */
typedef struct dyn__instr {
    int32_t kernel;             /* enum dyn__kernel_id, or -1: matrix product */
    int32_t nargs, ndim;
    int32_t zero;               /* clear the output tile first */
    int32_t begins;             /* first to write to its sums: on the first tile of a chunk it overwrites them */
    int32_t partial;            /* it writes to a part of the elements of its node's rows */
    int32_t per_row;            /* one product per tile row */
    int32_t end;                /* behind the last instruction of the group that goes strip by strip, or of this one */
    int64_t columns, strip;     /* of all strips together and of each; 0 if not in strips */
    int32_t deferred;           /* a product that waits behind the chunks of rows (defer.c) */
    int32_t rows_apart;         /* of the first of a group: it has no sum over rows, which can be shared out, too */
    int64_t multiple;
    double c;                   /* the exponent of a power */
    int32_t flags;              /* DYN__SUMS_*: of a kernel that also sums its result */
    const dyn__own_kernel *own; /* of DYN__K_OWN */
    dyn__run_fn run;            /* how it is run, where it is no call of a kernel on all its arguments; own names it */
    dyn__tile_fn fn;
    int64_t dim[DYN__MAX_DIM];
    dyn__operand_ref arg[DYN__MAX_ARGS];        /* 0 is the output */
    /* product: m rows per tile row, contraction over tile rows (term) or not; what runs, for every enum dyn__variant */
    dyn__gemm whole, *gemm;
    int64_t row_size;           /* elements of the output from one row to the next */
    dyn_node node;
} dyn__instr;

static inline int dyn__is_summed(int kernel) { return kernel >= DYN__K_MUL_1MSQ_SUMS; }
static inline int dyn__is_row_sum(int kernel) { return kernel == DYN__K_ROW_SUM || kernel == DYN__K_ROW_DOT; }
/* In strips, it sums over the columns of all strips. */
static inline int dyn__is_part_of_row_sum(const dyn__instr *q) { return q->strip && dyn__is_row_sum(q->kernel); }
/* Its first result goes element by element with its inputs. */
static inline int dyn__is_elementwise(const dyn__instr *q)
{
    return !q->run && (q->kernel < DYN__K_ROW_SUM || dyn__is_summed(q->kernel));
}

/* Argument a is written: the first, and what kernels with several results have behind their inputs. */
static inline int dyn__is_result(const dyn__instr *q, int a)
{
    return a == 0 || (a == 3 && q->kernel == DYN__K_COL_SUM_DOT) || (dyn__is_summed(q->kernel) && (a == 4 || a >= 6));
}

struct dyn__step;

/* How a step is run and shown. */
typedef struct dyn__step_kind {
    const char *name;
    void (*run)(const dyn_exec *e, const struct dyn__step *step);
    /* What stands behind the name, as snprintf; NULL: nothing. */
    int (*print)(const struct dyn__step *step, char *text, size_t size);
    /* Gives back what the step's own numbers hold beyond their block; NULL: nothing. */
    void (*free)(dyn_ctx *ctx, void *own);
} dyn__step_kind;
extern const dyn__step_kind dyn__step_tiles;

typedef struct dyn__sum {       /* accumulator of a term node */
    dyn__place place;           /* chunk partials, or the result itself when there is one chunk */
    dyn__place result;
    int64_t size;               /* per set */
    int32_t first;              /* the first instruction that writes to it */
    int32_t clear;              /* to be cleared before: that one does not begin it */
    int32_t deferred;           /* of products that wait: not in parts */
    int64_t start;              /* elements of the sums before it: they stand in the order of their results */
    dyn_node node;
} dyn__sum;

typedef struct dyn__step {
    const dyn__step_kind *kind;
    void *own;                  /* numbers of this kind alone */
    dyn_node node;
    int64_t leading;            /* of a move: indexes of its first axis, which it can be done by; 0 = it cannot */
    /* tiles */
    int64_t V, R, tile, tiles, chunks, block;   /* a task is one chunk of rows of `block` sets */
    int64_t share;              /* tiles of a chunk, but for the last */
    int64_t adders;             /* tasks that add up the sums of the chunks */
    dyn__instr *instr;
    int32_t instrs;
    dyn__gemm *gemm;            /* of its products */
    dyn__sum *sum;
    int32_t sums;
    int64_t summed;             /* elements of all sums, per set */
    int64_t scratch;            /* bytes per worker */
    int64_t deferred;           /* chunks in front of products that wait (defer.c); 0 = none wait */
    int64_t ranges;             /* shared out by columns (across.c): tasks of a group of strips, at most; 0 = by chunks */
    /* Elements of what passes between groups of strips or chunks and products that wait, and of parts of row sums, and
     * where they lie; 0 = in tiles. */
    int64_t between;
    dyn__place between_place;
    double work;                /* estimated nanoseconds on one core */
} dyn__step;

static inline int64_t dyn__strips(const dyn__instr *q) { return dyn__divide_up(q->columns, q->strip); }
/* Tasks of the group of strips that begins with q, where columns are shared out. */
static inline int64_t dyn__ranges(const dyn__step *step, const dyn__instr *q)
{
    return step->ranges < dyn__strips(q) ? step->ranges : dyn__strips(q);
}

typedef struct dyn__binding { dyn_node node; char *name; int64_t size; int32_t dtype; } dyn__binding;

struct dyn_plan {
    dyn__ref ref;
    dyn_ctx *ctx;
    const struct dyn__backend *backend;
    void *own;                  /* of a backend other than the CPU's */
    int32_t dtype, esize, threads, workers;
    dyn__binding *input;        /* in the order of their nodes */
    dyn__names by_name;         /* places in input */
    int32_t inputs, outputs;
    int64_t *output_size;       /* elements */
    void *constant;             /* values of the constants, in the element type */
    int64_t constants;
    /* of the CPU */
    dyn__step *step;
    int32_t steps;
    int64_t steps_capacity;
    int64_t arena, scratch;     /* bytes: values, and one worker's tiles */
    const dyn__kernel_table *table;
};

/* What the instructions of the step being shaped have to do with a node: places among them, plus 1; 0 = none. */
typedef struct dyn__of_node {
    int32_t maker;              /* the last that makes it */
    int32_t readers;            /* how many read it */
    int32_t first;              /* of a list that a pass keeps */
    uint8_t where;              /* strip.c */
} dyn__of_node;

/* What a cluster is known to hold while stages are given out: bytes of weights and sums that every tile reads, and of
 * what a row keeps in the tile. node: one of it; 0 bytes: none is known. */
typedef struct dyn__load { int32_t stage; dyn_node node; int64_t whole, row; } dyn__load;

/* State of one compilation. */
typedef struct dyn__compiler {
    dyn_ctx *ctx;
    dyn_graph *g;               /* lowered */
    dyn_plan *plan;
    dyn__machine machine;
    dyn__cnode *node;
    int32_t count;
    dyn_node *output;           /* lowered outputs */
    int32_t outputs;
    int64_t V;                  /* outer size asked for, 0 = none */
    uint8_t *batched;           /* lowered nodes that carry the outer axis */
    int32_t *late;              /* by lowered node: a node before whose stage it is not made; plus 1. NULL: there are none */
    int32_t unfused;
    int64_t arena_limit;        /* bytes; 0 = none */
    int64_t wide;               /* bytes of a row from which a layer goes in strips; of the step being shaped only */
    /* by node: the last instruction of a step that reads it; of the step being shaped only */
    int32_t *last_use;
    dyn__of_node *of_node;
    dyn__load *load;            /* roles.c: a hash table by stage and rows, of load_mask + 1 */
    uint64_t load_mask;
} dyn__compiler;

typedef struct dyn__compile_options {
    int64_t outer;              /* size of the outer axis; 0 = none */
    int32_t outer_inputs;       /* inputs whose axis 0 is the outer axis */
    const dyn_node *outer_input;
    int32_t cuts;               /* nodes that are given from outside, like inputs: the plan starts behind them */
    const dyn_node *cut;
    int32_t threads, unfused;
    int64_t arena_limit;
} dyn__compile_options;

dyn_status dyn__compile(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn__compile_options *opt,
                        dyn_plan **out);

/* lower.c: the needed part of g as a new graph of restricted forms. map[x] is the image of node x, or -1;
 * is_cut[x]: x becomes an input; late: NULL, or as the compiler has it. */
dyn_status dyn__lower(dyn_graph *g, int32_t count, const dyn_node *outputs, const uint8_t *is_cut, dyn_node *map,
                      dyn_graph **out, int32_t **late);
/* view.c: the view that node x is, given that of its operand. */
void dyn__view_through(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v);
int dyn__view_dense(const dyn__view *v, const dyn__shape *s);
void dyn__dense_strides(const dyn__shape *s, int64_t *stride);
/* rows.c. Rows are a number of axes behind the outer one, R in all: how many axes of this shape, at least one; 0 if
 * none fit. */
int dyn__row_axes(const dyn__shape *s, int outer, int64_t R);
/* Are rows of so many axes, seen through v, all equally far apart? Their distance. */
int dyn__row_stride(const dyn__view *v, const dyn__shape *s, int outer, int row_axes, int64_t *stride);
/* The finest rows that an operand of n has, which iterates over s, and n can have: of up to `most` axes; 0 if there
 * are none. */
int dyn__axes_of_operands(const dyn__compiler *k, const dyn__node *n, const dyn__shape *s, int outer, int most);
/* Rows of the result x: as an operand has them; as its readers have them; else the first axis, or the first that has
 * more than one index. Of the first `most` axes of s, over which x iterates. */
int dyn__axes_for(const dyn__compiler *k, dyn_node x, const dyn__shape *s, int outer, int most);
void dyn__set_rows(dyn__cnode *c, const dyn__shape *s, int outer, int axes);
/* wish.c: after roles and rows were given out once, the rows that readers have of what could have others. free: scratch,
 * a byte for every node. */
void dyn__find_wishes(dyn__compiler *k, const uint8_t *need, uint8_t *free);
static inline const dyn__shape *dyn__shape_of(const dyn__compiler *k, dyn_node x) { return &dyn__at(k->g, x)->shape; }
/* roles.c: roles, stages, steps in order. */
dyn_status dyn__assign_roles(dyn__compiler *k);
/* order.c: nodes of steps in another order where that keeps tiles small. */
dyn_status dyn__order_nodes(dyn__compiler *k);
/* pitch.c: elements from row to row; views of what lies in tiles follow. dense: scratch, a byte for every node. */
void dyn__set_pitches(dyn__compiler *k, uint8_t *dense);
/* The last node of step s, from which `before` leads to the first; -1 if the step computes no node of its own. */
dyn_node dyn__step_end(const dyn__compiler *k, int32_t s);
/* 1: operand i of node x is read row by row, from a node of the same rows. */
int dyn__aligned(const dyn__compiler *k, dyn_node x, dyn_node operand);
/* select.c: instructions of the cluster that makes up step s. */
dyn_status dyn__select(dyn__compiler *k, int32_t s);
/* strip.c: groups of instructions that run strip by strip of columns. */
dyn_status dyn__strip(dyn__compiler *k, int32_t s);
enum { DYN__SHARED_BYTES = 512 };   /* of a row that is worth strips which are shared out */
/* Columns over which the instruction can be cut into strips, or 0. */
int64_t dyn__columns_of(const dyn__compiler *k, const dyn__instr *q);
/* Elements from one column to the next of argument a; 0 if it is the same for all columns. */
int64_t dyn__column_stride(const dyn__compiler *k, const dyn__instr *q, int a);
/* defer.c: products of gradients put behind chunks of few rows, where that is worth it; and how many chunks so much work
 * on so many rows is worth. */
dyn_status dyn__defer(dyn__compiler *k, int32_t s);
int64_t dyn__chunks_of_few(int64_t rows, double work);
/* x is an intermediate result of step s that lies in a tile buffer. */
static inline int dyn__in_tile(const dyn__compiler *k, int32_t s, dyn_node x)
{
    return k->node[x].step == s && k->node[x].role == DYN__ROW && !k->node[x].stored;
}
/* Elements in a cache line. */
static inline int64_t dyn__line(const dyn__compiler *k) { return 64 / k->plan->esize; }
/* buffers.c: places in the tile for the results of step s, or in memory where they are kept; how many elements a row of
 * either takes. */
dyn_status dyn__plan_buffers(dyn__compiler *k, int32_t s, int64_t *row_elements, int64_t *kept_elements);
/* tile.c: tile height, chunks of rows of step s. */
dyn_status dyn__shape_tiles(dyn__compiler *k, int32_t s);
/* cost.c, estimated nanoseconds on one core: instruction q for a row; how many chunks of rows or ranges of a group of
 * strips are worth their own tasks, and what either costs beyond its work: partial sums, two cores together, or that
 * one core waits where there is one chunk; what passes between groups. */
double dyn__row_cost(const dyn__compiler *k, const dyn__instr *q);
/* x W [rows, in] [in, out] is cheaper in a cluster of its own than in this one. */
int dyn__is_cheaper_apart(const dyn__compiler *k, const dyn__load *load, int64_t rows, int64_t in, int64_t out);
double dyn__sum_bytes(const dyn__compiler *k, const dyn__step *step);
double dyn__worthwhile_chunks(const dyn__compiler *k, double work, double sum_bytes);
int64_t dyn__worthwhile_ranges(double work);
double dyn__cost_of_chunks(const dyn__compiler *k, const dyn__step *step, double sum_bytes);
double dyn__cost_of_ranges(const dyn__compiler *k, int64_t between_bytes, int64_t groups);
/* The greatest power of two up to `most`, at least 1 and at most 16. */
int64_t dyn__power_of_two(double most);
/* across.c: would all rows of step s be one chunk, though there is work for more threads? */
int dyn__rows_are_few(const dyn__compiler *k, int32_t s);
/* across.c: and will they be shared out by columns, if nothing else prevents it? */
int dyn__may_share_columns(const dyn__compiler *k, int32_t s);
/* across.c: share the step out by columns instead of chunks of rows, where that is cheaper. grouped: the part of its
 * work that goes in strips. */
void dyn__share_columns(const dyn__compiler *k, dyn__step *step, int64_t row_elements, double grouped,
                        double sum_bytes);
/* The accumulator of node x among those of this step, or NULL. */
const dyn__sum *dyn__sum_of(const dyn__compiler *k, const dyn__step *step, dyn_node x);
/* place.c: memory of stored values and chunk sums; then every operand's place. */
dyn_status dyn__place_values(dyn__compiler *k);
/* move.c */
dyn_status dyn__final_copies(dyn__compiler *k);
dyn__step *dyn__new_step(dyn__compiler *k, const dyn__step_kind *kind, dyn_node node);

/* split.c: the nodes a plan for `outputs` with inputs `varying` should be given as cuts: what does not depend on
 * `varying`, is worth storing, and is read by what does. frontier has room for g->count nodes; returns their number or
 * a negative status. */
int32_t dyn__frontier(dyn_graph *g, int32_t count, const dyn_node *outputs, int32_t n_varying,
                      const dyn_node *varying, dyn_node *frontier);

/* Executor internals used by objectives: bind by input number. */
const dyn_plan *dyn__exec_plan(const dyn_exec *e);
/* What an executor would take with one thread: what memory limits count, so that they cut the samples alike for any
 * number of threads. Each further thread takes tile buffers of its own. */
int64_t dyn__plan_bytes_of_one_thread(const dyn_plan *p);
int32_t dyn__plan_find(const dyn_plan *p, dyn_node original);
void dyn__exec_set_input(dyn_exec *e, int32_t i, const void *data);
void dyn__exec_set_output(dyn_exec *e, int32_t i, void *data);
void dyn__exec_go(dyn_exec *e);

#endif
