/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The struct behind an objective, for the files that implement one. */
#ifndef DYN__OBJECTIVE_IMPL_H
#define DYN__OBJECTIVE_IMPL_H

#include "compile/compile.h"
#include "model/model.h"
#include "train/objective.h"

/* A graph of the objective on `samples` samples, whose loss counts them with the weights of a whole of `total`. */
typedef struct dyn__loss_graph {
    dyn_graph *g;
    dyn_node x, y, f, loss;
    dyn_node *parameter;
    int32_t parameters;
} dyn__loss_graph;

/* An evaluation in equal chunks of samples and a shorter last one; objective_parts.h. */
typedef struct dyn__part {
    int64_t samples;            /* 0 = no such part */
    dyn__loss_graph graph;
    dyn_exec *exec;
    int32_t x, y;               /* input numbers */
    const void *theta;          /* an evaluator's: bound now */
    void *gradient;
    void *out;                  /* memory of the part's results, or NULL */
} dyn__part;

typedef struct dyn__parts {
    int64_t total;              /* samples in all; 0 = not made */
    dyn__part whole, tail;
} dyn__parts;

struct dyn_objective {
    dyn__ref ref;
    dyn_ctx *ctx;
    dyn_model *model;               /* NULL: callbacks */
    dyn_objective_options opt;
    int64_t n, d, c, p;             /* samples, inputs and outputs per sample, parameters */
    int32_t esize;
    dyn_array *x, *y;               /* in the element type */
    dyn__evaluator *evaluator;      /* full batch, made on first use */
    dyn__evaluator *loss;           /* the same without gradient */
    dyn__parts forward;             /* outputs at theta, made on first use */
    void *theta, *gradient;         /* p numbers each, in the element type */
    void *spare[2];                 /* plans of a Hessian and of a Gauss-Newton operator that are not in use */
    dyn_value_fn value;
    dyn_gradient_fn gradient_fn;
    dyn_product_fn product;
    void *user;
};

dyn_status dyn__loss_graph_make(dyn_objective *o, int64_t samples, int64_t total, dyn__loss_graph *out);
void dyn__loss_graph_free(dyn_objective *o, dyn__loss_graph *l);
/* Bind parameter tensors of a plan to their places in theta. Tensors the plan does not read are skipped. */
void dyn__bind_theta(const dyn_objective *o, const dyn__loss_graph *l, dyn_exec *e, const void *theta);
/* Outputs first, first+1, ... of a plan to the tensors' places in a vector. */
void dyn__bind_gradient(const dyn_objective *o, dyn_exec *e, int32_t first, void *gradient);
/* The inputs x and y of a plan to the objective's samples from `first` on. */
void dyn__bind_samples(const dyn_objective *o, dyn_exec *e, dyn_node x, dyn_node y, int64_t first);
/* An evaluator of the full batch whose runs leave the gradient alone. */
dyn_status dyn__evaluator_create_value(dyn_objective *o, dyn__evaluator **out);
void dyn__curvature_free(void *spare);
/* double <-> element type */
void dyn__to_native(const dyn_objective *o, int64_t n, void *to, const double *from);
void dyn__from_native(const dyn_objective *o, int64_t n, double *to, const void *from);
void dyn__add_native(const dyn_objective *o, int64_t n, double *to, const void *from);
/* rows [count, p] <-> the element type, tensor by tensor */
void dyn__rows_to_native(const dyn_objective *o, int64_t count, void *to, const double *rows);
void dyn__rows_from_native(const dyn_objective *o, int64_t count, double *rows, const void *from);
/* theta finite and given, objective with a model where one is needed */
dyn_status dyn__check_theta(dyn_objective *o, const double *theta, const void *result);
dyn_status dyn__need_model(dyn_objective *o);

#endif
