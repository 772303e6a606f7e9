/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Graphs: a model, a loss or any other function written as primitive operations on tensors of static shapes.
 *
 * A builder function returns the node it made, or a negative dyn_status. A negative operand is passed through, so that
 * a chain of calls needs one check at its end; the message of the first error stays in the context. Equal nodes are
 * made once (hash-consing), simple identities (x+0, x*1, constants) are folded at once.
 *
 * Binary functions broadcast as NumPy does: shapes are aligned at their last axes, and an axis of size 1 or a missing
 * axis is repeated. Axes count from 0; a negative axis counts from the end.
 *
 * thread: a graph is used from one thread at a time, that of its context. */
#ifndef DYN_GRAPH_H
#define DYN_GRAPH_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DYN_MAX_RANK = 8 };

typedef struct dyn_graph dyn_graph;
/** Index of a node in its graph; negative: a dyn_status. */
typedef int32_t dyn_node;

/** An empty graph whose numbers are of type dtype (DYN_F64 or DYN_F32). errors: DYN_EINVAL, DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_graph_create(dyn_ctx *ctx, int32_t dtype, dyn_graph **out);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_graph_free(dyn_graph *g);

/** Number of nodes. since: 0.1 */
DYN_API int32_t dyn_graph_size(const dyn_graph *g);
/** Element type of the graph's numbers. since: 0.1 */
DYN_API int32_t dyn_graph_dtype(const dyn_graph *g);
/** Rank of node x, or a negative status. shape may be NULL; else it receives up to DYN_MAX_RANK sizes. since: 0.1 */
DYN_API int32_t dyn_graph_shape(const dyn_graph *g, dyn_node x, int64_t *shape);
/**
 * Write the nodes that the outputs need as text (dot = 0) or in the DOT language (dot = 1) to buffer, at most size
 * bytes with the final zero. Returns the full length without the zero (like snprintf), or a negative status. since: 0.1
 */
DYN_API int64_t dyn_graph_print(const dyn_graph *g, int32_t dot, int32_t count, const dyn_node *outputs,
                                char *buffer, int64_t size);

/* ---- leaves ---- */

/**
 * A trainable tensor. Parameters form one vector theta in the order of their creation. name is copied and unique.
 * since: 0.1
 */
DYN_API dyn_node dyn_graph_parameter(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape);
/** A tensor given from outside at each run. name is copied and unique. since: 0.1 */
DYN_API dyn_node dyn_graph_input(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape);
/** A tensor of int64 indices given from outside; only dyn_graph_gather and dyn_graph_scatter_add take it. since: 0.1 */
DYN_API dyn_node dyn_graph_indices(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape);
/** A tensor whose elements all have this value; rank 0 is a scalar. since: 0.1 */
DYN_API dyn_node dyn_graph_constant(dyn_graph *g, double value, int32_t rank, const int64_t *shape);
/**
 * A tensor of these values, row-major, copied (and rounded to the graph's type). Plans keep them: nothing is to be bound.
 * errors: DYN_EINVAL values NULL; DYN_ESHAPE; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_node dyn_graph_constant_array(dyn_graph *g, int32_t rank, const int64_t *shape, const double *values);
/** The node of that name, or DYN_EINVAL. since: 0.1 */
DYN_API dyn_node dyn_graph_find(const dyn_graph *g, const char *name);

/* ---- elementwise ---- */

DYN_API dyn_node dyn_graph_add(dyn_graph *g, dyn_node a, dyn_node b);       /**< a + b. since: 0.1 */
DYN_API dyn_node dyn_graph_sub(dyn_graph *g, dyn_node a, dyn_node b);       /**< a - b. since: 0.1 */
DYN_API dyn_node dyn_graph_mul(dyn_graph *g, dyn_node a, dyn_node b);       /**< a * b. since: 0.1 */
DYN_API dyn_node dyn_graph_div(dyn_graph *g, dyn_node a, dyn_node b);       /**< a / b. since: 0.1 */
/** max(a, b); NaN if either is. Subgradient: a's where a > b, else b's. since: 0.1 */
DYN_API dyn_node dyn_graph_max(dyn_graph *g, dyn_node a, dyn_node b);
/** 1 where a > b, else 0; derivative 0. since: 0.1 */
DYN_API dyn_node dyn_graph_greater(dyn_graph *g, dyn_node a, dyn_node b);
/** 1 where a >= b, else 0; derivative 0. since: 0.1 */
DYN_API dyn_node dyn_graph_greater_equal(dyn_graph *g, dyn_node a, dyn_node b);
/** 1 where a == b, else 0; derivative 0. since: 0.1 */
DYN_API dyn_node dyn_graph_equal(dyn_graph *g, dyn_node a, dyn_node b);
DYN_API dyn_node dyn_graph_neg(dyn_graph *g, dyn_node x);       /**< -x. since: 0.1 */
DYN_API dyn_node dyn_graph_scale(dyn_graph *g, dyn_node x, double c);   /**< c * x. since: 0.1 */
DYN_API dyn_node dyn_graph_exp(dyn_graph *g, dyn_node x);       /**< e^x. since: 0.1 */
DYN_API dyn_node dyn_graph_expm1(dyn_graph *g, dyn_node x);     /**< e^x - 1, accurate near 0. since: 0.1 */
DYN_API dyn_node dyn_graph_log(dyn_graph *g, dyn_node x);       /**< Natural logarithm. since: 0.1 */
DYN_API dyn_node dyn_graph_log1p(dyn_graph *g, dyn_node x);     /**< log(1 + x), accurate near 0. since: 0.1 */
DYN_API dyn_node dyn_graph_tanh(dyn_graph *g, dyn_node x);      /**< Hyperbolic tangent. since: 0.1 */
DYN_API dyn_node dyn_graph_erf(dyn_graph *g, dyn_node x);       /**< Error function. since: 0.1 */
DYN_API dyn_node dyn_graph_sin(dyn_graph *g, dyn_node x);       /**< Sine, radians. since: 0.1 */
DYN_API dyn_node dyn_graph_cos(dyn_graph *g, dyn_node x);       /**< Cosine, radians. since: 0.1 */
DYN_API dyn_node dyn_graph_sqrt(dyn_graph *g, dyn_node x);      /**< Square root. since: 0.1 */
/** x^n for an integer n, by repeated multiplication; defined for negative x. since: 0.1 */
DYN_API dyn_node dyn_graph_powi(dyn_graph *g, dyn_node x, int64_t n);
/** x^c for a real c; NaN for x < 0. since: 0.1 */
DYN_API dyn_node dyn_graph_pow(dyn_graph *g, dyn_node x, double c);
/**
 * a where cond is not 0, else b. cond gets no derivative. Derivatives are those of both branches, one of them times 0:
 * where the branch not taken has an infinite or undefined slope, as sqrt at 0, the derivative is NaN. Give that branch
 * an operand it can take: select(x < 1, x, sqrt(select(x < 1, 1, x))). since: 0.1
 */
DYN_API dyn_node dyn_graph_select(dyn_graph *g, dyn_node cond, dyn_node a, dyn_node b);
/** x, with derivative 0. since: 0.1 */
DYN_API dyn_node dyn_graph_stop(dyn_graph *g, dyn_node x);

/**
 * x as a node of its own, through which no simplification looks. Needed where a derivative is taken with respect to an
 * inner node f (jvp, vjp, ggn): the loss must be written on dyn_graph_identity(g, f), or -f in the loss may reach
 * behind f. since: 0.1
 */
DYN_API dyn_node dyn_graph_identity(dyn_graph *g, dyn_node x);

/* ---- products and reductions ---- */

/**
 * Matrix product of the last two axes: a [.., m, k] (k x m when trans_a), b [.., k, n] (n x k when trans_b), result
 * [.., m, n]. Leading axes are equal, or one operand has none and is used for all. since: 0.1
 */
DYN_API dyn_node dyn_graph_matmul(dyn_graph *g, dyn_node a, dyn_node b, int32_t trans_a, int32_t trans_b);
/** Sum over the listed axes, which disappear. since: 0.1 */
DYN_API dyn_node dyn_graph_sum(dyn_graph *g, dyn_node x, int32_t count, const int32_t *axes);
/** Largest element over the listed axes, which disappear. Ties share the derivative equally. since: 0.1 */
DYN_API dyn_node dyn_graph_amax(dyn_graph *g, dyn_node x, int32_t count, const int32_t *axes);

/* ---- shape and place ---- */

/** Repeat x into a larger shape, aligned at the last axes as NumPy does. since: 0.1 */
DYN_API dyn_node dyn_graph_broadcast_to(dyn_graph *g, dyn_node x, int32_t rank, const int64_t *shape);
/** The same elements in row-major order under another shape of the same size. since: 0.1 */
DYN_API dyn_node dyn_graph_reshape(dyn_graph *g, dyn_node x, int32_t rank, const int64_t *shape);
/** Axis i of the result is axis axes[i] of x. since: 0.1 */
DYN_API dyn_node dyn_graph_permute(dyn_graph *g, dyn_node x, const int32_t *axes);
/** Elements start[i] .. start[i]+size[i]-1 of every axis. since: 0.1 */
DYN_API dyn_node dyn_graph_slice(dyn_graph *g, dyn_node x, const int64_t *start, const int64_t *size);
/** Elements start .. start+size-1 of one axis, all of the others. since: 0.1 */
DYN_API dyn_node dyn_graph_narrow(dyn_graph *g, dyn_node x, int32_t axis, int64_t start, int64_t size);
/** Zeros around x: x begins at `before` in a tensor of this shape. since: 0.1 */
DYN_API dyn_node dyn_graph_pad(dyn_graph *g, dyn_node x, const int64_t *before, const int64_t *shape);
/** a and b one after the other along an axis. since: 0.1 */
DYN_API dyn_node dyn_graph_concat(dyn_graph *g, dyn_node a, dyn_node b, int32_t axis);
/**
 * Every step[i]-th element of axis i, size[i] of them from start[i] on; a negative step goes backwards. All of them lie
 * within the axis. since: 0.1
 */
DYN_API dyn_node dyn_graph_slice_step(dyn_graph *g, dyn_node x, const int64_t *start, const int64_t *size,
                                      const int64_t *step);
/**
 * Windows along an axis of x, which becomes two: [.., L, ..] to [.., windows, size, ..]. Element k of window p is
 * x[p stride + k dilation - before]; there are `before` and `after` zeros around the axis. As many windows as fit:
 * (before + L + after - dilation (size - 1) - 1) / stride + 1, rounded down. What convolution and pooling are made of;
 * once for every axis that has windows. errors: DYN_EINVAL, DYN_ESHAPE (no window fits). since: 0.1
 */
DYN_API dyn_node dyn_graph_unfold(dyn_graph *g, dyn_node x, int32_t axis, int64_t size, int64_t stride,
                                  int64_t dilation, int64_t before, int64_t after);
/**
 * The transpose of dyn_graph_unfold: [.., windows, size, ..] with the windows at `axis` to [.., length, ..], element
 * x[p, k] added at p stride + k dilation - before; what falls outside is dropped. errors: DYN_EINVAL, DYN_ESHAPE.
 * since: 0.1
 */
DYN_API dyn_node dyn_graph_fold(dyn_graph *g, dyn_node x, int32_t axis, int64_t length, int64_t stride,
                                int64_t dilation, int64_t before);
/**
 * Rows of table [t, ..] chosen by indices of any shape [i..]: result [i.., ..]. Indices outside [0, t) give NaN.
 * since: 0.1
 */
DYN_API dyn_node dyn_graph_gather(dyn_graph *g, dyn_node table, dyn_node indices);
/** Table of `rows` rows, zero but for x [i.., ..] added at rows indices [i..], in their order. since: 0.1 */
DYN_API dyn_node dyn_graph_scatter_add(dyn_graph *g, dyn_node x, dyn_node indices, int64_t rows);
/**
 * As dyn_graph_gather, for tables and indices with `lead` leading axes in common: table [b.., t, ..], indices
 * [b.., i..], result [b.., i.., ..]. With outputs [n, classes], labels [n] and lead 1: the output of each label.
 * since: 0.1
 */
DYN_API dyn_node dyn_graph_batched_gather(dyn_graph *g, dyn_node table, dyn_node indices, int32_t lead);
/** As dyn_graph_scatter_add: x [b.., i.., ..], indices [b.., i..], result [b.., rows, ..]. since: 0.1 */
DYN_API dyn_node dyn_graph_batched_scatter_add(dyn_graph *g, dyn_node x, dyn_node indices, int32_t lead, int64_t rows);

/* ---- random numbers ---- */

/**
 * Uniform numbers in [0, 1), new ones for every key: indices of shape [3], bound at each run, {seed, step, first row}.
 * They are a function of the key, of `site`, which tells one use of random numbers from another, and of their place:
 * row r, column c of the result is draw (first row + r) * columns + c, rows being those of the first axis. So the same
 * node, or one of the same site and key in another graph, is the same numbers in a function and in all its derivatives,
 * for any number of threads and however the rows are cut. A key of shape [k.., 3] gives each of the leading indices
 * k.. of the result a key of its own. No derivative. since: 0.1
 */
DYN_API dyn_node dyn_graph_uniform(dyn_graph *g, dyn_node key, uint32_t site, int32_t rank, const int64_t *shape);
/** 1 with probability p, else 0: where dyn_graph_uniform lies below p. since: 0.1 */
DYN_API dyn_node dyn_graph_bernoulli(dyn_graph *g, dyn_node key, uint32_t site, double p, int32_t rank,
                                     const int64_t *shape);

/* ---- compositions ---- */

DYN_API dyn_node dyn_graph_relu(dyn_graph *g, dyn_node x);          /**< max(x, 0); derivative 0 at 0. since: 0.1 */
DYN_API dyn_node dyn_graph_abs(dyn_graph *g, dyn_node x);           /**< |x|; derivative -1 at 0. since: 0.1 */
DYN_API dyn_node dyn_graph_sign(dyn_graph *g, dyn_node x);          /**< -1, 0 or 1; derivative 0. since: 0.1 */
DYN_API dyn_node dyn_graph_sigmoid(dyn_graph *g, dyn_node x);       /**< 1/(1+e^-x) as (1+tanh(x/2))/2. since: 0.1 */
DYN_API dyn_node dyn_graph_softplus(dyn_graph *g, dyn_node x);      /**< log(1+e^x), accurate for every x. since: 0.1 */
/** log sum_c e^x over the last axis, which disappears; safe for large x. since: 0.1 */
DYN_API dyn_node dyn_graph_logsumexp(dyn_graph *g, dyn_node x);
DYN_API dyn_node dyn_graph_mean(dyn_graph *g, dyn_node x);          /**< Mean of all elements, a scalar. since: 0.1 */

/* ---- derivatives: transforms that add to the graph ---- */

/**
 * Directional derivative: out[j] = sum_i d outputs[j] / d inputs[i] * tangents[i]. inputs may be any nodes; a path
 * stops at them. shape: tangents[i] as inputs[i], out[j] as outputs[j]. since: 0.1
 */
DYN_API dyn_status dyn_graph_jvp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, int32_t n_in,
                                 const dyn_node *inputs, const dyn_node *tangents, dyn_node *out);
/**
 * The derivative of v [n, c] by an input t [n, 1] of which row i moves row i of v only, of any order; shaped as v. It goes
 * forward, so that it may be differentiated again, and by the parameters. errors: DYN_ESHAPE the last axis of t is not
 * one of size 1; DYN_EINVAL order < 0. since: 0.1
 */
DYN_API dyn_node dyn_graph_derivative(dyn_graph *g, dyn_node v, dyn_node t, int32_t order);
/**
 * Transposed derivative: out[i] = sum_j (d outputs[j] / d inputs[i])^T cotangents[j].
 * shape: cotangents[j] as outputs[j], out[i] as inputs[i]. since: 0.1
 */
DYN_API dyn_status dyn_graph_vjp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, const dyn_node *cotangents,
                                 int32_t n_in, const dyn_node *inputs, dyn_node *out);
/** Gradient of a scalar: out[i] has the shape of inputs[i]. since: 0.1 */
DYN_API dyn_status dyn_graph_gradient(dyn_graph *g, dyn_node scalar, int32_t n_in, const dyn_node *inputs,
                                      dyn_node *out);
/**
 * Hessian of a scalar times the direction (v_i): out[i] = sum_k d^2 scalar / (d inputs[i] d inputs[k]) v[k].
 * since: 0.1
 */
DYN_API dyn_status dyn_graph_hvp(dyn_graph *g, dyn_node scalar, int32_t n_in, const dyn_node *inputs,
                                 const dyn_node *v, dyn_node *out);
/**
 * Generalised Gauss-Newton matrix J^T (d^2 scalar / d f^2) J times v, J = d f / d inputs, where scalar depends on
 * inputs through node f, made by dyn_graph_identity. since: 0.1
 */
DYN_API dyn_status dyn_graph_ggn(dyn_graph *g, dyn_node scalar, dyn_node f, int32_t n_in, const dyn_node *inputs,
                                 const dyn_node *v, dyn_node *out);
/**
 * Carry a leading axis of size `size` through: outputs of many runs at once. batched[i] stands for inputs[i] and has
 * the shape [size, shape of inputs[i]]; out[j] gets the shape [size, shape of outputs[j]]. since: 0.1
 */
DYN_API dyn_status dyn_graph_batch(dyn_graph *g, int64_t size, int32_t n_out, const dyn_node *outputs, int32_t n_in,
                                   const dyn_node *inputs, const dyn_node *batched, dyn_node *out);

#ifdef __cplusplus
}
#endif
#endif
