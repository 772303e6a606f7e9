/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a curvature operator of a model is made of: the product as a graph, the values that depend on theta alone
 * (residuals), plans of the product for one direction or several. */
#ifndef DYN__OBJECTIVE_CURVATURE_H
#define DYN__OBJECTIVE_CURVATURE_H

#include "objective/parts.h"

/* The image of a direction under the curvature of some samples, per tensor. */
typedef struct dyn__product_graph {
    dyn__loss_graph loss;
    dyn_node *direction, *image, *extra;
    dyn_node *along;            /* what the third derivative takes beside the direction; else NULL */
} dyn__product_graph;

/* kind: enum dyn__curvature_kind */
dyn_status dyn__product_graph_make(dyn_objective *o, int kind, int64_t samples, dyn__product_graph *out);
void dyn__product_graph_free(dyn_objective *o, dyn__product_graph *g);

/* Where the product is taken, in the element type. */
typedef struct dyn__curvature_point { void *theta, *along; } dyn__curvature_point;
void dyn__bind_point(const dyn_objective *o, const dyn__product_graph *g, dyn_exec *e, const dyn__curvature_point *at);

typedef struct dyn__residuals {
    int32_t count;
    dyn_node *node;
    void **value;
    dyn_exec *exec;             /* computes the values; NULL if there are none */
    dyn__slots slots;
} dyn__residuals;

/* Chooses them and makes their plan, which reads the point and all samples. */
dyn_status dyn__residuals_make(dyn_objective *o, const dyn__product_graph *g, const dyn__curvature_point *at, dyn__budget *b,
                               dyn__residuals *out);
/* Theta, data, state or the random numbers have changed. */
void dyn__residuals_update(const dyn_objective *o, dyn__residuals *r, const dyn__inputs *in);
void dyn__residuals_free(dyn_objective *o, dyn__residuals *r);

typedef struct dyn__product {   /* `sets` directions at once */
    int64_t sets;
    dyn_exec *exec;
    dyn__slots slots;
    void *v, *hv;               /* [sets, p], tensor by tensor */
} dyn__product;

/* Room for the directions and their images. */
dyn_status dyn__product_begin(const dyn_objective *o, int64_t sets, dyn__budget *b, dyn__product *out);
/* An executor on them; sets > 1 is the outer axis of its plan. The point and the residuals are bound; the slots are found. */
dyn_status dyn__product_compile(dyn_objective *o, const dyn__product_graph *g, const dyn__residuals *r,
                                const dyn__curvature_point *at, const dyn__product *q, dyn__budget *b, dyn_exec **out,
                                dyn__slots *slots);
void dyn__product_free(dyn_objective *o, dyn__product *q);

#endif
