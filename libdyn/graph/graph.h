/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The graph from inside. Nodes lie in one array, operands before results, so the array order is a topological order.
 * A primitive is one constant struct dyn__op in a file of its own under ops/; the list below is the only place that
 * names them all. */
#ifndef DYN__GRAPH_H
#define DYN__GRAPH_H

#include "base/base.h"
#include "base/names.h"
#include <dyn/graph.h>

/* OP(name). The order fixes the numbers. */
#define DYN__OP_LIST(OP)                                                                             \
    OP(input) OP(constant) OP(neg) OP(add) OP(sub) OP(mul) OP(div) OP(exp) OP(expm1) OP(log) OP(log1p) \
    OP(tanh) OP(erf) OP(sin) OP(cos) OP(sqrt) OP(powi) OP(pow) OP(max) OP(gt) OP(ge) OP(eq) OP(select) \
    OP(stop) OP(matmul) OP(sum) OP(amax) OP(broadcast) OP(reshape) OP(permute) OP(slice) OP(pad)     \
    OP(concat) OP(gather) OP(scatter_add) OP(identity) OP(unfold) OP(fold) OP(random) \
    OP(inset)

enum dyn__op_id {
#define DYN__X(name) DYN__OP_##name,
    DYN__OP_LIST(DYN__X)
#undef DYN__X
    DYN__OP_COUNT
};

enum { DYN__MAX_IN = 3, DYN__ZERO = INT32_MIN }; /* DYN__ZERO: a tangent that is zero by structure, no node at all */

typedef struct dyn__shape {
    int32_t rank;
    int64_t dim[DYN_MAX_RANK];
} dyn__shape;

/* What a primitive needs besides its operands; unused fields are zero, so that nodes compare as bytes. */
typedef struct dyn__attr {
    int64_t i[DYN_MAX_RANK];    /* axes, permutation, starts; matmul: trans_a, trans_b; input: kind, number; windows */
    double f;                   /* constant value, exponent */
    int64_t n;                  /* how many of i are used; axis; integer exponent */
} dyn__attr;

enum dyn__input_kind { DYN__PARAMETER = 0, DYN__INPUT = 1, DYN__TANGENT = 2, DYN__ARRAY = 3 };

struct dyn__op;

typedef struct dyn__node {
    int32_t op, dtype, nin;         /* op: DYN__OP_COUNT for a primitive that is not of the list */
    dyn_node in[DYN__MAX_IN];
    dyn__shape shape;
    dyn__attr attr;
    const struct dyn__op *kind;     /* the last: hashes leave it out */
} dyn__node;

struct dyn__label;
struct dyn__form;
struct dyn__frame;

typedef struct dyn__op {
    const char *name;
    int32_t nin;
    uint32_t linear;        /* bit i: linear in operand i while the others stand still */
    uint32_t jointly;       /* 1: linear in all operands together, so that tangents of all go through it at once */
    int32_t kernel;         /* elementwise: enum dyn__kernel_id; others -1 */
    uint32_t commutative;   /* operands may be exchanged */
    uint32_t shaped;        /* the shape of the result is given at insertion, not inferred */
    uint32_t cheap;         /* done again from the first caches it costs less than to load its result */
    /* The builder that folds constants and identities, if the primitive has one. */
    dyn_node (*fold)(dyn_graph *g, const dyn_node *in);
    /* Check the operands, set shape (and dtype if not the graph's). */
    dyn_status (*infer)(dyn_graph *g, dyn__node *n);
    /* Contribution of operand i, whose tangent is t, to the tangent of node y. NULL: linear in i, so the op itself
     * with t in place of i. */
    dyn_node (*jvp)(dyn_graph *g, dyn_node y, int i, dyn_node t);
    /* Cotangent for operand i (in which y is linear) from the cotangent ct of y. */
    dyn_node (*transpose)(dyn_graph *g, dyn_node y, int i, dyn_node ct);
    /* Node y with a leading axis: in[i] has that axis where batched[i] is set. NULL: all operands get the axis,
     * then the op itself. */
    dyn_node (*batch)(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size);
    /* Where the samples lie in the result, from where they lie in the operands, of which one at least has some and none
     * joins several (label.h). NULL: elementwise primitives keep them; others join them. */
    struct dyn__label (*label)(const dyn_graph *g, const dyn__node *n, const struct dyn__label *in, int64_t samples);
    /* Operands and attributes for the test harness: builds a node on fresh inputs of case k, or returns DYN_ENOTSUP
     * past the last case. */
    dyn_node (*sample)(dyn_graph *g, int k);
    /* What it computes, by its definition (graph/evaluate.h); none of a leaf that is given. */
    void (*evaluate)(const struct dyn__frame *f);
    /* What stands behind the name where a graph is printed, as snprintf. NULL: nothing. */
    int (*print)(const dyn_graph *g, dyn_node x, char *text, size_t size);
    /* How it is compiled (compile/form.h). NULL: element by element with `kernel`. */
    const struct dyn__form *form;
} dyn__op;

extern const dyn__op *const dyn__ops[DYN__OP_COUNT];

typedef struct dyn__name { char *text; dyn_node node; } dyn__name;

/* Who answers for parameters while a model writes itself into a graph that is more than this model. */
typedef struct dyn__tensors_of {
    dyn_node (*parameter)(void *user, dyn_graph *g, const char *name, int32_t rank, const int64_t *shape);
    void *user;
} dyn__tensors_of;

struct dyn_graph {
    dyn_ctx *ctx;
    int32_t dtype;
    int32_t count;              /* nodes */
    dyn__node *node;
    int64_t capacity;
    int32_t *table;             /* open addressing: node + 1, 0 = free */
    int64_t table_size;         /* power of two */
    dyn__name *name;            /* of inputs and parameters, in the order of creation */
    int64_t names, names_capacity;
    dyn__names by_name;         /* places in name */
    int32_t tangents;           /* anonymous inputs made so far */
    dyn__tensors_of *tensors;   /* NULL: dyn_graph_parameter makes parameters of its own */
    double **array;             /* values of the constant arrays, by their number attr.i[1] */
    int64_t arrays, arrays_capacity;
};

static inline const dyn__node *dyn__at(const dyn_graph *g, dyn_node x) { return &g->node[x]; }
static inline const dyn__op *dyn__op_of(const dyn__node *n) { return n->kind; }
int64_t dyn__shape_size(const dyn__shape *s);
int dyn__shape_equal(const dyn__shape *a, const dyn__shape *b);
/* "[2, 3]" into buf; returns buf. */
const char *dyn__shape_text(const dyn__shape *s, char buf[128]);

/* A negative node passes through as the status it is; one that the graph does not have is an error. */
dyn_status dyn__check_node(const dyn_graph *g, dyn_node x);
/* How a builder on node x begins. */
#define DYN__ENTER_NODE(g, x) \
    DYN__TRY((g) ? DYN_OK : DYN_EINVAL); DYN__ENTER((g)->ctx); DYN__TRY(dyn__check_node((g), (x)))

/* Insert a node: validate, fold into an equal one if there is one. attr may be NULL. Negative operands pass through. */
dyn_node dyn__insert(dyn_graph *g, int op, int nin, const dyn_node *in, const dyn__attr *attr, const dyn__shape *shape);
/* The same of a primitive from anywhere, which is to live as long as the graph. */
dyn_node dyn__insert_kind(dyn_graph *g, const dyn__op *kind, const dyn_node *in, const dyn__attr *attr,
                          const dyn__shape *shape);
/* n, a node of this graph or another, on other operands. */
dyn_node dyn__insert_like(dyn_graph *g, const dyn__node *n, const dyn_node *in);
dyn_node dyn__insert1(dyn_graph *g, int op, dyn_node a, const dyn__attr *attr, const dyn__shape *shape);
dyn_node dyn__insert2(dyn_graph *g, int op, dyn_node a, dyn_node b);
/* The op of node y on other operands, attributes kept. */
dyn_node dyn__again(dyn_graph *g, dyn_node y, const dyn_node *in);

/* Constants. */
dyn_node dyn__splat(dyn_graph *g, double value, const dyn__shape *shape);
dyn_node dyn__like(dyn_graph *g, double value, dyn_node x);
int dyn__is_constant(const dyn_graph *g, dyn_node x, double *value);
/* Values of a constant array; NULL for other nodes. */
const double *dyn__array_of(const dyn_graph *g, dyn_node x);
/* An unnamed input of this shape and type, different from every other. */
dyn_node dyn__tangent_input(dyn_graph *g, int dtype, const dyn__shape *shape);

/* Broadcast by explicit axes: axis k of x becomes axis axes[k] of the result (ascending); the other axes are new. */
dyn_node dyn__broadcast(dyn_graph *g, dyn_node x, const dyn__shape *shape, const int64_t *axes);
dyn_node dyn__reshape_to(dyn_graph *g, dyn_node x, const dyn__shape *shape);
/* Give x a leading axis of this size by repetition. */
dyn_node dyn__lead(dyn_graph *g, dyn_node x, int64_t size);
dyn__shape dyn__shape_lead(const dyn__shape *s, int64_t size);

/* Shared shape rule: elementwise operands of equal shapes. */
dyn_status dyn__infer_elementwise(dyn_graph *g, dyn__node *n);
/* Shared sample: all inputs of shape [2, 3] (tests keep operands positive where the domain asks for it). */
dyn_node dyn__sample_elementwise(dyn_graph *g, int op, int k, const dyn__attr *attr);

/* A parameter of the graph's own, whoever answers for those of the model being written. */
dyn_node dyn__parameter(dyn_graph *g, const char *name, const dyn__shape *shape);
/* Parameters in the order of creation; returns their number. out may be NULL. */
int32_t dyn__parameters(const dyn_graph *g, dyn_node *out);
const char *dyn__name_of(const dyn_graph *g, dyn_node x);
/* Mark in need[0 .. g->count) the nodes that the outputs depend on. */
void dyn__mark_needed(const dyn_graph *g, int32_t count, const dyn_node *outputs, uint8_t *need);

#endif
