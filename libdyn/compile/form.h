/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a primitive tells the compiler about itself; its file in graph/ops/ fills one of these in. The passes ask here
 * and know no primitive's rules, so that one from anywhere is compiled as those of the library are. What is left out
 * has a default. */
#ifndef DYN__FORM_H
#define DYN__FORM_H

#include "compile/compile.h"

/* `node` is not made before `reader` could be, in whose cluster it belongs. */
typedef struct dyn__wait { dyn_node node, reader; } dyn__wait;

/* A graph on its way into the forms that later passes know. */
typedef struct dyn__lowering {
    dyn_graph *to;
    dyn__view *view;        /* of the new nodes below `known` */
    int64_t capacity;
    dyn_node known;
    dyn__wait *wait;
    int64_t waits, wait_capacity;
} dyn__lowering;

typedef struct dyn__form {
    /* Of nodes for which `assign` says nothing else. */
    enum dyn__role role;
    /* n again in the graph l->to, on operands `in` of that graph. NULL: as it is. */
    dyn_node (*lower)(dyn__lowering *l, const dyn__node *n, const dyn_node *in);
    /* A view of its operand, whose own view is `in`: what differs in v, which has its base, its offset, strides 0. */
    void (*view)(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v);
    /* Role and rows of x; readers: of every node. NULL: role as above; rows as elementwise primitives have them. */
    void (*assign)(dyn__compiler *k, dyn_node x, const int32_t *readers);
    /* Its rows are its own choice, whatever its operands have. */
    int own_rows;
    /* Operand i must be whole, whatever the rows of y are. NULL: none must. */
    int (*reads_whole)(const dyn__compiler *k, dyn_node y, int i);
    /* y begins a cluster: its operands are better stored than made in the one that it would join. NULL: never. */
    int (*begins)(const dyn__compiler *k, dyn_node y, const dyn__load *load);
    /* What y adds to the load of its cluster. NULL: nothing of account. */
    void (*loads)(const dyn__compiler *k, dyn_node y, dyn__load *load);
    /* The instruction for row or term y, which writes to the place of node `into` of its shape. NULL: the primitive's
     * kernel, element by element, unless `fuse` finds one that does y with some of its operands: it returns 1 then. */
    dyn_status (*select)(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into);
    /* The instructions for row y where these are several, the last first. */
    dyn_status (*select_all)(dyn__compiler *k, dyn__step *step, int64_t *capacity, dyn_node y);
    int (*fuse)(dyn__compiler *k, dyn__instr *q, dyn_node y);
    /* The kernel itself, where the primitive's is DYN__K_OWN. */
    const dyn__own_kernel *own;
    /* The number that the kernel takes. NULL: attr.f. */
    double (*scalar)(const dyn__node *n);
    /* The instructions of a step that moves elements; it may give the step another kind (compile/move.h). */
    dyn_status (*move)(dyn__compiler *k, dyn__step *step, dyn_node y);
    /* A move whose result may lie where operand 0 lies, if nobody reads that later. */
    int in_place;
} dyn__form;

const dyn__form *dyn__form_of(const dyn__node *n);
/* Has it a kernel that works element by element? */
static inline int dyn__has_elements(const dyn__node *n) { return dyn__op_of(n)->kernel >= 0; }

/* lower.c: x itself, or a copy where its elements do not lie as its reader needs them; the view that x is, until the
 * next call, or NULL where memory ran out. */
dyn_node dyn__fitted(dyn__lowering *l, dyn_node x, int (*fits)(const dyn__view *, const dyn__shape *));
dyn_node dyn__densely(dyn__lowering *l, dyn_node x);
const dyn__view *dyn__lowered_view(dyn__lowering *l, dyn_node x);
int dyn__is_dense(dyn__lowering *l, dyn_node x);

/* n on these operands, by its form; node y waits for `reader`. */
dyn_node dyn__lower_on(dyn__lowering *l, const dyn__node *n, const dyn_node *in);
dyn_status dyn__wait_for(dyn__lowering *l, dyn_node y, dyn_node reader);

/* roles.c: x works row by row on a space of shape s, of whose axes behind the outer one up to `most` count rows. Does x
 * carry the outer axis, are the rows of a and b the same, x as an operand has it. */
void dyn__assign_rows(dyn__compiler *k, dyn_node x, const dyn__shape *s, int most);
int dyn__carries_outer(const dyn__compiler *k, dyn_node x);
static inline int dyn__same_rows(const dyn__cnode *a, const dyn__cnode *b)
{
    return a->outer == b->outer && a->V == b->V && a->R == b->R;
}

#endif
