/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A draft is what has been written into one graph, by role. A build is one function writing into it: a model at its
 * declaration, a model that is called, or a loss. Where a build gets its inputs and tensors from is the difference
 * between them, and is a pair of functions. */
#ifndef DYN__BUILD_H
#define DYN__BUILD_H

#include <dyn/build.h>
#include "model/model.h"

/* A state tensor: `node` is the input that is read, `value` what it is now and, at the end, after the step; initial
 * holds its elements at the start. */
typedef struct dyn__state_node { char *name; dyn_node node, value; double *initial; } dyn__state_node;
typedef struct dyn__term_node { char *name; dyn_node node; double weight; } dyn__term_node;
typedef struct dyn__named_node { char *name; dyn_node node; } dyn__named_node;
/* A parameter with an initialisation of its own. */
typedef struct dyn__own_init { dyn_node node; dyn_init_options init; } dyn__own_init;

/* The tensors of a model that has been called, in its order; one such for all calls from one build. */
typedef struct dyn__callee {
    const dyn_model *model;
    const char *prefix;         /* "" or what heads its tensors' names, with the dot */
    dyn_node *tensor;           /* [model->tensors]; -1 = the caller is asked for it when it is needed */
    dyn_node *state;            /* [model->states], likewise */
} dyn__callee;

typedef struct dyn__draft {
    dyn_ctx *ctx;
    dyn_graph *g;
    int32_t training;
    int32_t inside;             /* tensors inside are asked for by name: what has a name must be made and read */
    dyn__state_node *state;
    int64_t states, states_cap;
    dyn__term_node *term;
    int64_t terms, terms_cap;
    dyn__named_node *named;
    int64_t names, names_cap;
    dyn__own_init *own;
    int64_t owns, owns_cap;
    dyn_node *cut;              /* outputs of the models a loss has called */
    int64_t cuts, cuts_cap;
    dyn_node *residual;         /* marked to be cut at instead */
    int64_t residuals, residuals_cap;
    dyn_node key;               /* of the random numbers; -1 = nobody has asked for one */
    uint32_t sites;             /* uses of random numbers so far */
} dyn__draft;

void dyn__draft_open(dyn__draft *d, dyn_graph *g, int training);
/* The graph is not the draft's. */
void dyn__draft_close(dyn__draft *d);

/* Where a build finds what it asks for. shape NULL: as it is; dtype -1: any. parameter, state NULL: there are none. */
typedef struct dyn__supplier {
    dyn_node (*input)(dyn_build *b, const char *name, int32_t dtype, const dyn__shape *shape);
    dyn_node (*parameter)(dyn_build *b, const char *name, const dyn__shape *shape, const dyn_init_options *init);
    dyn_node (*state)(dyn_build *b, const char *name, const dyn__shape *shape, const double *initial);
} dyn__supplier;
extern const dyn__supplier dyn__declaring;      /* the graph's own inputs, parameters and states; names are noted */

struct dyn_build {
    dyn__draft *draft;
    const dyn__supplier *from;
    void *user;                 /* the supplier's */
    int64_t samples;
    dyn_build *caller;          /* NULL: the outermost */
    dyn__callee *callee;        /* models called from here */
    int64_t callees, callees_cap;
    /* a model that is called */
    dyn__callee *self;
    const dyn_node *argument;
    int32_t tensors, states;    /* asked for so far in this call */
};

/* May a build leave out what it only names? */
static inline int dyn__build_is_blind(const dyn_build *b) { return !b->draft->inside; }

/* Refuses an input of the graph that is none of these, since nothing would ever be bound to it. */
dyn_status dyn__draft_check_inputs(const dyn__draft *d, int64_t count, const dyn_node *known);
/* Runs the build function fn on b, which is filled in down to `samples`; b is closed afterwards. */
dyn_node dyn__build_run(dyn_build *b, dyn_build_fn fn, void *user);
/* 1 while a model is declared: sizes are found out, for one sample, and nothing will be computed. */
int dyn__build_declares(const dyn_build *b);
/* Frees what is known of the models that b has called. */
void dyn__build_close(dyn_build *b);
/* The entry of a model called from b, made if there is none. Tensors and states may then be given to it. */
dyn_status dyn__build_callee(dyn_build *b, const char *prefix, const dyn_model *model, dyn__callee **out);
/* Writes the model at these inputs with the callee's tensors. */
dyn_node dyn__build_at(dyn_build *b, dyn__callee *callee, int32_t count, const dyn_node *inputs);
/* A new state of the draft, an input of its graph; initial is copied. */
dyn_node dyn__draft_state(dyn__draft *d, const char *name, const dyn__shape *shape, const double *initial);

#endif
