/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model from inside: a build function, and the table of the tensors it makes. Families differ in the build function
 * only; the table is read off a graph that was built once for one sample. */
#ifndef DYN__MODEL_H
#define DYN__MODEL_H

#include <dyn/build.h>
#include <dyn/exchange.h>
#include <dyn/model.h>
#include "base/base.h"
#include "graph/graph.h"

typedef struct dyn__tensor {
    char *name;
    dyn__shape shape;
    int64_t offset, size;
    int64_t fan_in, fan_out;    /* a bias has those of the weight before it */
    int32_t layer;              /* from 0 */
    int32_t bias;               /* 1: rank 0 or 1 */
    int32_t twin;               /* tensor that this one starts equal to; -1 = none */
    int32_t has_init;           /* it is drawn by `init`, whatever the options are */
    dyn_init_options init;
} dyn__tensor;

typedef struct dyn__model_input {
    char *name;
    int32_t dtype;              /* the graph's, or DYN_I64 */
    dyn__shape shape;           /* of one sample */
} dyn__model_input;

typedef struct dyn__model_state {
    char *name;
    dyn__shape shape;
    int64_t offset, size;
    double *initial;            /* [size] */
} dyn__model_state;

struct dyn__draft;

/* The caller's options checked and completed. */
dyn_status dyn__init_complete(dyn_ctx *ctx, const dyn_init_options *given, dyn_init_options *out);

struct dyn_model {
    dyn__ref ref;
    dyn_ctx *ctx;
    dyn_build_fn build;
    void *user;
    int32_t owns_user;          /* user is a block of dyn__alloc that goes with the model */
    void (*destroy)(void *user);    /* what ends user otherwise, or NULL */
    dyn_status (*theirs)(const void *user, dyn_exchange_part *p);   /* names of PyTorch's: theirs.h; NULL: its own */
    dyn__shape output;          /* of one sample */
    dyn__model_input *input;
    int64_t inputs, inputs_cap;
    dyn__tensor *tensor;
    int32_t tensors, layers;
    int64_t size;
    dyn__model_state *state;
    int32_t states;
    int64_t states_size;
};

/* A model of `copies` equal parts, whose tensors follow one another and start equal. Takes over user if owns_user is
 * set, also on failure. */
dyn_status dyn__model_create(dyn_ctx *ctx, dyn_build_fn build, void *user, int owns_user, int copies, dyn_model **out);

/* The same with a function that ends user, also on failure. */
dyn_status dyn__model_create_with(dyn_ctx *ctx, dyn_build_fn build, void *user, void (*destroy)(void *user), dyn_model **out);

/* Fill m->tensor, m->state and what belongs to them from the draft of its declaration. */
dyn_status dyn__model_read_tensors(dyn_model *m, const struct dyn__draft *d, int copies);
dyn_status dyn__model_read_states(dyn_model *m, const struct dyn__draft *d);

/* All states as they are at the start, states [m->states_size]. */
void dyn__model_initial_states(const dyn_model *m, double *states);

/* DYN_EINVAL with a message if there is no such activation. */
dyn_status dyn__check_activation(dyn_ctx *ctx, int32_t activation);

/* count orthonormal vectors of this length, count <= length, as the rows of v,
 * which holds vectors in general position. */
void dyn__orthonormalise(int64_t count, int64_t length, double *v);

#endif
