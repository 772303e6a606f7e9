/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The struct behind an objective, for the files that implement one. Three kinds differ in a table of functions: a
 * function on the graph with data (a model's loss is one), the caller's own functions, a weighted sum of objectives. */
#ifndef DYN__OBJECTIVE_IMPL_H
#define DYN__OBJECTIVE_IMPL_H

#include "compile/compile.h"
#include "graph/label.h"
#include "model/build.h"
#include "objective/objective.h"

/* ---- what an objective is made of ---- */

typedef struct dyn__datum {
    char *name;
    dyn_array *array;           /* in the element type, or indices */
    int32_t shared;             /* the same for all samples */
    int32_t esize;
    int64_t row;                /* numbers of one sample; of all, when shared */
    int64_t rows;               /* of the shortest table that these indices choose from; 0 = none */
} dyn__datum;

/* A model whose tensors are part of theta. */
typedef struct dyn__member {
    dyn_model *model;
    char *name;                 /* what heads its tensors' names */
    int64_t offset, state;      /* in theta, in the state */
    int32_t tensor;             /* number of its first tensor */
} dyn__member;

/* Plans of steps that an objective keeps: of a batch and a shorter last one, each with a shorter last chunk. */
enum { DYN__STEP_PLANS = 4 };

/* Operators on directions v at a point. */
enum dyn__curvature_kind {
    DYN__HESSIAN,       /* d^2 L [v] */
    DYN__GAUSS_NEWTON,
    DYN__THIRD,         /* d^3 L [along, v]: how the Hessian changes along a direction */
    DYN__CURVATURES
};
typedef struct dyn__curvature_at {
    int kind;
    const double *theta, *along;        /* [p]; along is NULL unless the kind has it */
} dyn__curvature_at;

struct dyn__objective_kind;
struct dyn__row_plan;
struct dyn__step_plan;
struct dyn__buffer;

struct dyn_objective {
    dyn__ref ref;
    dyn_ctx *ctx;
    const struct dyn__objective_kind *kind;
    void *own;                      /* of the kind */
    dyn_objective_options opt;      /* complete */
    int64_t n, c, p;                /* samples, outputs per sample, parameters */
    int32_t esize;
    dyn__member *member;
    int32_t members, tensors;
    int64_t states;                 /* numbers */
    char **term;                    /* names of the terms */
    int32_t terms;
    int32_t exchanged;              /* data were, and the caller may write into what was given */
    int32_t draws;                  /* a graph of it has read random numbers */
    dyn_penalty *penalty;           /* [tensors] of each, without pattern; NULL = none but opt.l2 */
    char *coupling[2];              /* what joins samples, measuring and training; NULL = nothing */

    /* a function on the graph */
    dyn_build_fn build;
    void *user;
    int32_t owns_user;
    dyn__datum *datum;
    int32_t data;
    int32_t target;                 /* number of the datum that holds the targets; -1 = none */
    void *state;                    /* that measurements take, in the element type */
    uint64_t seed;                  /* and their random numbers */
    int64_t step;

    /* made on first use */
    dyn__evaluator *evaluator, *loss;   /* of all samples; the second without gradient */
    struct dyn__parts *forward;         /* outputs */
    void *theta, *gradient;             /* p numbers each, in the element type */
    void *spare[DYN__CURVATURES];       /* plans of operators of each kind that are not in use */
    struct dyn__step_plan *step_plan[DYN__STEP_PLANS];      /* of training, the newest first; each counted */
    struct dyn__row_plan *row_plan[2];  /* of the samples' losses, of the outputs */
};

typedef struct dyn__objective_kind {
    dyn_status (*evaluator_create)(dyn__evaluator *e);
    dyn_status (*evaluator_step)(dyn__evaluator *e, dyn__step_io *io);
    void (*evaluator_free)(dyn__evaluator *e);
    dyn_status (*curvature)(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out);
    void (*free)(dyn_objective *o);
    dyn_status (*describe)(dyn_objective *o, struct dyn__buffer *t);
    /* what measurements take, for others that it is made of; NULL: of none */
    void (*set_state)(dyn_objective *o, const void *native, uint64_t seed, int64_t step);
    int32_t stays;              /* it calls nothing of the caller's when it is evaluated */
    int64_t (*memory_limit)(const dyn_objective *o);        /* NULL: that of its options */
} dyn__objective_kind;
extern const dyn__objective_kind dyn__graph_kind, dyn__called_kind, dyn__sum_kind;

/* Parts of one kind of evaluator stand in `own`. */
struct dyn__evaluator {
    dyn_objective *o;           /* not counted: the owner of the evaluator holds the objective */
    dyn__feeding feeding;
    int32_t training;           /* writes the graph for training */
    int32_t value_only;         /* no gradient */
    double *term;               /* [o->terms] */
    void *own;
};

/* turns.c. The samples of a step. */
typedef struct dyn__turns {
    int64_t batch, ragged;      /* samples of a batch, and of a shorter last one of an epoch; 0 = there is none */
    int64_t per_epoch;          /* batches of an epoch */
    int64_t *order, epoch;      /* [n] the samples in that epoch under that seed; epoch -1 = none yet */
    const int64_t *at;          /* those of the step */
    uint64_t seed;
} dyn__turns;
/* Sizes; room for the order, which the owner frees; the samples of a step: so many, at t->at. */
void dyn__turns_set(const dyn_objective *o, const dyn__feeding *f, dyn__turns *t);
dyn_status dyn__turns_open(const dyn_objective *o, dyn__turns *t);
dyn_status dyn__turns_go(const dyn_objective *o, dyn__turns *t, uint64_t seed, int64_t step, int64_t *count);

/* An evaluator of all samples as measurements see them; value_only: its steps leave the gradient alone. */
dyn_status dyn__evaluator_measuring(dyn_objective *o, int value_only, dyn__evaluator **out);

/* objective.c. An objective without anything in it; free it by dyn_objective_unref. */
dyn_status dyn__objective_new(dyn_ctx *ctx, const dyn__objective_kind *kind, int32_t dtype, dyn_objective **out);
/* Adds a model to theta. */
dyn_status dyn__objective_add_member(dyn_objective *o, dyn_model *m, const char *name);
/* Buffers of p numbers, once p is known. */
dyn_status dyn__objective_buffers(dyn_objective *o);
/* The state that measurements take, at its start; once all models are known. */
dyn_status dyn__objective_make_state(dyn_objective *o);
dyn_status dyn__objective_add_term(dyn_objective *o, const char *name);
/* Tensor i of theta and the member it is of; offset is that of the tensor in theta. */
const dyn__tensor *dyn__objective_tensor(const dyn_objective *o, int32_t i, int64_t *offset, const dyn__member **of);
/* theta finite and given */
dyn_status dyn__check_theta(dyn_objective *o, const double *theta, const void *result);
/* DYN_ENOTSUP unless the objective is a function on the graph, whose samples do not depend on each other as measured. */
dyn_status dyn__need_graph(dyn_objective *o);
/* DYN_ENOTSUP unless it calls one model, whose outputs are then known. */
dyn_status dyn__need_outputs(dyn_objective *o);
dyn_status dyn__need_separate(dyn_objective *o, const char *what);

/* rows.c: double <-> element type */
void dyn__to_native(const dyn_objective *o, int64_t n, void *to, const double *from);
void dyn__from_native(const dyn_objective *o, int64_t n, double *to, const void *from);
void dyn__add_native(const dyn_objective *o, int64_t n, double *to, const void *from);
/* rows [count, p] <-> the element type, tensor by tensor */
void dyn__rows_to_native(const dyn_objective *o, int64_t count, void *to, const double *rows);
void dyn__rows_from_native(const dyn_objective *o, int64_t count, double *rows, const void *from);

/* ---- the graph of some samples ---- */

enum dyn__slot_role {
    DYN__SLOT_SAMPLES, DYN__SLOT_SHARED, DYN__SLOT_STATE,
    DYN__SLOT_KEY,              /* of random numbers: {seed, step, first sample} */
    DYN__SLOT_KEYS              /* one for each of `number` samples */
};

/* An input of the graph that is no parameter. */
typedef struct dyn__slot {
    dyn_node node;
    int32_t role, number;       /* datum */
    int64_t offset;             /* of a state */
} dyn__slot;

/* The objective on `samples` samples, whose loss counts them with the weights of a whole of `total`. */
typedef struct dyn__loss_graph {
    dyn_graph *g;
    dyn__draft draft;
    dyn__slot *slot;
    int64_t slots, slots_cap;
    dyn_node *parameter;        /* in the order of theta */
    int32_t parameters;
    dyn__label *label;          /* of the nodes that the build function has made */
    dyn_node f;                 /* outputs of the only model called, or -1 */
    dyn_node *term;             /* [terms] their values, without weights, of the share of these samples */
    dyn_node fit, penalty;      /* what depends on the samples; what depends on theta alone; -1 = nothing */
    dyn_node loss;              /* both together */
} dyn__loss_graph;

/* Which data are indices into which tables, from a graph of the objective; then those data are checked. */
dyn_status dyn__find_tables(dyn_objective *o, const dyn__loss_graph *l);
dyn_status dyn__check_ids(dyn_objective *o, const dyn__datum *d, const dyn_array *array);
dyn_status dyn__check_id_numbers(dyn_objective *o, const dyn__datum *d, int64_t count, const int64_t *id);

dyn_status dyn__loss_graph_make(dyn_objective *o, int64_t samples, int64_t total, int training, dyn__loss_graph *out);
/* The graph of measuring all samples in which everything that has a name is made and read. */
dyn_status dyn__loss_graph_inside(dyn_objective *o, dyn__loss_graph *out);
void dyn__loss_graph_free(dyn_objective *o, dyn__loss_graph *l);
/* Where the Gauss-Newton matrix cuts; refuses a loss that depends on theta otherwise. */
dyn_status dyn__loss_graph_cuts(dyn_objective *o, const dyn__loss_graph *l, const dyn_node **cut, int32_t *count);
/* Bind parameter tensors of a plan to their places in theta. Tensors the plan does not read are skipped. */
void dyn__bind_theta(const dyn_objective *o, const dyn__loss_graph *l, dyn_exec *e, const void *theta);
/* Outputs first, first+1, ... of a plan to the tensors' places in a vector. */
void dyn__bind_gradient(const dyn_objective *o, dyn_exec *e, int32_t first, void *gradient);
/* The slots of a graph as inputs of a plan: node is the number of the input, and of those the plan reads only. */
typedef struct dyn__slots {
    int64_t count;
    dyn__slot *slot;
    int64_t (*key)[3];          /* what the plan reads as keys */
} dyn__slots;

/* What is bound to slots: the samples from `first` on, of rows, datum by datum, or with NULL of the objective's data. */
typedef struct dyn__inputs {
    const void *state;
    void *const *rows;
    int64_t first;
    uint64_t seed;
    int64_t step;
} dyn__inputs;
/* What measurements take: the objective's own data, state, seed and step. */
dyn__inputs dyn__measured_inputs(const dyn_objective *o, int64_t first);
dyn_status dyn__slots_find(dyn_objective *o, const dyn__loss_graph *l, const dyn_exec *e, dyn__slots *out);
void dyn__slots_free(dyn_objective *o, dyn__slots *s);
void dyn__slots_bind(const dyn_objective *o, dyn__slots *s, dyn_exec *e, const dyn__inputs *in);

dyn_status dyn__graph_curvature(dyn_objective *o, const dyn__curvature_at *at, dyn_operator **out);
void dyn__curvature_free(void *spare);
void dyn__forward_free(dyn_objective *o);

#endif
