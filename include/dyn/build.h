/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a build function receives: the function that writes a model, or a loss, into a graph. Everything it reads or makes
 * has a role, and by these roles alone a run knows what to bind, to draw, to differentiate, to keep:
 *
 *   sample     an input with the samples along axis 0           dyn_build_input, dyn_build_indices, dyn_build_data
 *   shared     an input that is the same for all samples        dyn_build_data of data declared so
 *   parameter  a trainable tensor, part of theta                dyn_build_parameter, dyn_build_call
 *   state      a tensor that training updates by a rule of its  dyn_build_state, dyn_build_update
 *              own, without a gradient (running statistics)
 *   random     numbers drawn anew at every step                 dyn_build_uniform, dyn_build_normal
 *
 * The function is called whenever a graph is needed, for any number of samples, and must do the same each time: the same
 * inputs, parameters and states in the same order. Nodes belong to the graph of this call only. Errors pass through as
 * negative nodes, as with dyn_graph_*.
 *
 * thread: as for the graph. Experimental until 0.3. */
#ifndef DYN_BUILD_H
#define DYN_BUILD_H

#include <dyn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_build dyn_build;
struct dyn_model;
struct dyn_init_options;

/** Writes a model or a loss into b's graph and returns its result, or a negative status. user is the caller's own. */
typedef dyn_node (*dyn_build_fn)(void *user, dyn_build *b);

/** The graph that is written, borrowed. NULL for NULL. since: 0.1 */
DYN_API dyn_graph *dyn_build_graph(const dyn_build *b);
/** Number of samples n of this writing: the size of axis 0 of every sample input. 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_build_samples(const dyn_build *b);
/**
 * 1 where the graph is for training steps: dropout drops, a batch norm takes the statistics of the batch. 0 where it is
 * for measurements. since: 0.1
 */
DYN_API int32_t dyn_build_training(const dyn_build *b);

/* ---- inputs ---- */

/**
 * In a model: the input of that name, [n, shape]; the calls at creation declare a model's inputs and their order. In a
 * loss: the data of that name, which must have that shape.
 * shape: of one sample [rank]. errors: DYN_ESHAPE; DYN_EINVAL no data of that name; DYN_EUSER not what was declared at
 * creation. since: 0.1
 */
DYN_API dyn_node dyn_build_input(dyn_build *b, const char *name, int32_t rank, const int64_t *shape);
/** The same with int64 indices: only dyn_graph_gather and dyn_graph_scatter_add take them. since: 0.1 */
DYN_API dyn_node dyn_build_indices(dyn_build *b, const char *name, int32_t rank, const int64_t *shape);
/** In a loss: the data of that name, as the array has it, [n, ...] or, for shared data, the array's own shape. since: 0.1 */
DYN_API dyn_node dyn_build_data(dyn_build *b, const char *name);

/* ---- what a model has ---- */

/**
 * A parameter tensor with an initialisation of its own, which dyn_model_initialise's options then leave alone; init NULL:
 * as dyn_graph_parameter. Only in a model. errors: DYN_EINVAL; DYN_ESTATE outside a model. since: 0.1
 */
DYN_API dyn_node dyn_build_parameter(dyn_build *b, const char *name, int32_t rank, const int64_t *shape,
                                     const struct dyn_init_options *init);
/**
 * A state tensor, all of whose elements are `initial` at the start. Only in a model. since: 0.1
 */
DYN_API dyn_node dyn_build_state(dyn_build *b, const char *name, int32_t rank, const int64_t *shape, double initial);
/** The same with a value of its own for each element, initial [shape], which is copied. since: 0.1 */
DYN_API dyn_node dyn_build_state_from(dyn_build *b, const char *name, int32_t rank, const int64_t *shape,
                                      const double *initial);
/** After a training step the state becomes `value`, of its shape. Measurements change no state. since: 0.1 */
DYN_API dyn_status dyn_build_update(dyn_build *b, dyn_node state, dyn_node value);

/* ---- random numbers ---- */

/**
 * Numbers drawn anew at every step: uniform in [0, 1); 1 with probability p, else 0; standard normal. They follow from the
 * run's seed, the step, the use (in the order of the calls) and their place: axis 0 counts samples, so that a gradient and
 * its curvature see the same numbers, however the samples are cut. No derivative. Measurements draw those of the step they
 * are made at. since: 0.1
 */
DYN_API dyn_node dyn_build_uniform(dyn_build *b, int32_t rank, const int64_t *shape);
DYN_API dyn_node dyn_build_bernoulli(dyn_build *b, double p, int32_t rank, const int64_t *shape);
DYN_API dyn_node dyn_build_normal(dyn_build *b, int32_t rank, const int64_t *shape);

/* ---- calls ---- */

/**
 * The outputs [n, ...] of a model at inputs in its order. A model called twice has one set of parameters. In a loss these
 * are the models given to the objective; the Gauss-Newton matrix cuts at their outputs. In a model, `name` (NULL: the
 * number of the call) and a dot head the names of the called model's tensors.
 * errors: DYN_EINVAL a model the objective was not given; DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_build_call(dyn_build *b, const char *name, const struct dyn_model *model, int32_t count,
                                const dyn_node *inputs);

/**
 * The same with the parameters read from theta [p], any node of the graph: a teacher whose theta is shared data, say. The
 * Gauss-Newton matrix does not cut here. errors: as dyn_build_call; DYN_ENOTSUP a model with states. since: 0.1
 */
DYN_API dyn_node dyn_build_call_at(dyn_build *b, const struct dyn_model *model, dyn_node theta, int32_t count,
                                   const dyn_node *inputs);

/* ---- marks ---- */

/** Name a tensor, to be read by that name from outside (dyn_map). Returns x as a node of its own. since: 0.1 */
DYN_API dyn_node dyn_build_name(dyn_build *b, const char *name, dyn_node x);
/**
 * In a loss: the Gauss-Newton matrix cuts at x, instead of at the outputs of the models. Returns x as a node of its own,
 * on which the loss must be written. since: 0.1
 */
DYN_API dyn_node dyn_build_residual(dyn_build *b, dyn_node x);
/**
 * In a loss of several terms: one of them, recorded under its name; the loss is the sum of weight times term. The build
 * function then returns any of them.
 * shape: x [n], one value per sample, of which the mean is taken, or [] (where it joins samples, the batch is coupled).
 * since: 0.1
 */
DYN_API dyn_status dyn_build_term(dyn_build *b, const char *name, dyn_node x, double weight);

#ifdef __cplusplus
}
#endif
#endif
