/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layers: functions on the nodes of a graph, named and ordered as in torch.nn.functional. They make no parameters: what
 * they are given may be a parameter, a piece of one, or any other node, and one weight may serve several layers (tying).
 * They are compositions of primitives, so that all derivatives of all orders and per-sample Jacobians are there.
 *
 * Layout. Features and channels are the last axis, samples the first: x [n, features], [n, T, features], [n, H, W,
 * channels]. Weights have what they feed as their last axis, so that the fan rule of <dyn/model.h> holds: linear [in, out],
 * convolutions [k.., in / groups, out], embeddings [rows, features].
 *
 * An operand that a layer can do without is DYN_NO_NODE where there is none.
 *
 * thread: as for the graph. Experimental until 0.3. */
#ifndef DYN_LAYER_H
#define DYN_LAYER_H

#include <dyn/build.h>

#ifdef __cplusplus
extern "C" {
#endif

/** In place of an operand that is not there. */
#define DYN_NO_NODE INT32_MIN

/* ---- products, look-up ---- */

/** x w + bias. shape: x [.., in], w [in, out], bias [out] or DYN_NO_NODE, result [.., out]. since: 0.1 */
DYN_API dyn_node dyn_layer_linear(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias);
/**
 * Rows of a table by their numbers. shape: ids [..] int64, table [rows, features], result [.., features]. An id outside
 * [0, rows) gives NaN. since: 0.1
 */
DYN_API dyn_node dyn_layer_embedding(dyn_graph *g, dyn_node ids, dyn_node table);
/**
 * act(x w1 + b1) w2 + b2; with a gate (act(x wg) * (x w1 + b1)) w2 + b2, which is SwiGLU where act is DYN_SILU.
 * b1, wg, b2 may be DYN_NO_NODE; activation: enum dyn_activation. since: 0.1
 */
DYN_API dyn_node dyn_layer_feed_forward(dyn_graph *g, dyn_node x, dyn_node w1, dyn_node b1, dyn_node wg, dyn_node w2,
                                        dyn_node b2, int32_t activation);

/* ---- convolution: x [n, spatial.., channels] with one to three spatial axes, as many as the kernel w has ---- */

/** In a list of paddings: as many zeros as give ceil(length / stride) outputs, an odd one to the right. */
#define DYN_SAME (-1)

/**
 * y_p = sum_k x_{stride p + dilation k - padding} w_k + bias, summed over the channels of a group.
 * stride, padding (zeros on either side, or DYN_SAME), dilation: one per spatial axis; NULL: 1, 0, 1. With as many groups
 * as channels it is depthwise.
 * shape: w [k.., channels / groups, out], bias [out] or DYN_NO_NODE, result [n, p.., out]. errors: DYN_EINVAL,
 * DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_conv(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias, const int64_t *stride,
                                const int64_t *padding, const int64_t *dilation, int64_t groups);
/**
 * The adjoint in x of dyn_layer_conv with the kernel whose in and out are exchanged: element p of x adds its multiple of
 * the kernel at stride p - padding. output_padding lengthens the result at its end, which is cropped less.
 * shape: w [k.., channels / groups, out], result [n, stride (p - 1) + dilation (k - 1) + 1 - 2 padding +
 * output_padding.., out]. errors: DYN_EINVAL output_padding not below the larger of stride and dilation; DYN_ESHAPE.
 * since: 0.1
 */
DYN_API dyn_node dyn_layer_conv_transpose(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias, const int64_t *stride,
                                          const int64_t *padding, const int64_t *output_padding, int64_t groups,
                                          const int64_t *dilation);

/* ---- pooling: x [n, spatial.., channels]; size, stride (NULL: size), padding, dilation per spatial axis ---- */

/**
 * Largest of each window; of equal ones the first, row by row, alone has the derivative. Padding is no element. ceil_mode 1:
 * a last window that begins inside x and its left padding counts though it ends outside. errors: DYN_EINVAL padding above
 * half the size; DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_max_pool(dyn_graph *g, dyn_node x, const int64_t *size, const int64_t *stride,
                                    const int64_t *padding, const int64_t *dilation, int32_t ceil_mode);
/**
 * Mean of each window: over the elements of x in it and, with count_padding 1, the zeros of the padding, but not over what
 * ceil_mode adds. since: 0.1
 */
DYN_API dyn_node dyn_layer_avg_pool(dyn_graph *g, dyn_node x, const int64_t *size, const int64_t *stride,
                                    const int64_t *padding, int32_t ceil_mode, int32_t count_padding);
/**
 * count[i] outputs along spatial axis i, of windows from floor(j L / count) to ceil((j + 1) L / count) - 1; 1, 1, .. is
 * the mean, or the largest, of a whole channel. since: 0.1
 */
DYN_API dyn_node dyn_layer_adaptive_avg_pool(dyn_graph *g, dyn_node x, const int64_t *count);
DYN_API dyn_node dyn_layer_adaptive_max_pool(dyn_graph *g, dyn_node x, const int64_t *count);

/* ---- softmax ---- */

/**
 * softmax over the last axis, by its largest element, so that nothing overflows. mask: DYN_NO_NODE, or a node that
 * broadcasts to x; elements where it is 0 are left out. A row all of which is left out is 0, with derivative 0.
 * since: 0.1
 */
DYN_API dyn_node dyn_layer_softmax(dyn_graph *g, dyn_node x, dyn_node mask);
/** log softmax over the last axis, accurate for every x. since: 0.1 */
DYN_API dyn_node dyn_layer_log_softmax(dyn_graph *g, dyn_node x);

/* ---- norms: gain and shift may be DYN_NO_NODE ---- */

/** (x - mean) / sqrt(var + eps) * gain + shift over the last `axes` axes, the variance biased. since: 0.1 */
DYN_API dyn_node dyn_layer_layer_norm(dyn_graph *g, dyn_node x, int32_t axes, dyn_node gain, dyn_node shift, double eps);
/** x / sqrt(mean x^2 + eps) * gain over the last axis. since: 0.1 */
DYN_API dyn_node dyn_layer_rms_norm(dyn_graph *g, dyn_node x, dyn_node gain, double eps);
/**
 * Each sample's channels in `groups` runs, each normalised over its channels and all places. shape: x [n, .., channels],
 * gain, shift [channels]. errors: DYN_EINVAL groups do not divide the channels. since: 0.1
 */
DYN_API dyn_node dyn_layer_group_norm(dyn_graph *g, dyn_node x, int64_t groups, dyn_node gain, dyn_node shift,
                                      double eps);
/**
 * Each channel normalised over samples and places. In training by the (biased) moments of the batch, which joins the
 * samples, and the running mean and the running unbiased variance move to those of the batch by the share `momentum`.
 * When measuring by the running ones, which are states "<name>.mean" and "<name>.var" [channels], 0 and 1 at the start.
 * shape: x [n, .., channels]. errors: DYN_ESHAPE one value per channel in training. since: 0.1
 */
DYN_API dyn_node dyn_layer_batch_norm(dyn_build *b, const char *name, dyn_node x, dyn_node gain, dyn_node shift,
                                      double momentum, double eps);

/* ---- dropout ---- */

/** What is dropped at once. Values never change. */
enum dyn_drop {
    DYN_DROP_ELEMENTS = 0,
    DYN_DROP_PLACES = 1,        /* all channels of a place: whole tokens */
    DYN_DROP_CHANNELS = 2       /* a channel at all places */
};

/**
 * In training each element of x is 0 with probability p, else x / (1 - p); when measuring x itself. p = 0 is x, p = 1 is 0.
 * whole: enum dyn_drop. shape: x [n, ..]. errors: DYN_EINVAL p outside [0, 1]; DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_dropout(dyn_build *b, dyn_node x, double p, int32_t whole);

/**
 * Variance that dropout of h gives the outputs h W, summed over them: p / (1 - p) sum_j h_j^2 |W_j|^2. Its mean over
 * samples is what dropout adds to a squared error in expectation, half of it the penalty R1 of the halved error (arXiv
 * 2207.05952). shape: h [n, neurons], w [neurons, outputs]; the result is [n].
 * errors: DYN_EINVAL p outside [0, 1); DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_dropout_variance(dyn_graph *g, dyn_node h, dyn_node w, double p);

/* ---- places in a sequence ---- */

/** 0, 1, .., count - 1 as numbers. shape: [count]. since: 0.1 */
DYN_API dyn_node dyn_layer_arange(dyn_graph *g, int64_t count);
/**
 * 1 where query i sees key j <= i, else 0: aligned at the first query and the first key where their numbers differ, as
 * PyTorch does. shape: [queries, keys]. since: 0.1
 */
DYN_API dyn_node dyn_layer_causal_mask(dyn_graph *g, int64_t queries, int64_t keys);
/** Row t is sin, cos, sin, .. of t base^(-2 j / width), j = 0, 1, ... shape: [length, width], width even. since: 0.1 */
DYN_API dyn_node dyn_layer_sinusoidal(dyn_graph *g, int64_t length, int64_t width, double base);
/**
 * Rotary positions: pair j at place t is turned by the angle t base^(-2 j / width). Pairs are the elements j and
 * j + width / 2, or, interleaved, 2 j and 2 j + 1. shape: x [.., T, width], width even. since: 0.1
 */
DYN_API dyn_node dyn_layer_rotary(dyn_graph *g, dyn_node x, double base, int32_t interleaved);

/* ---- attention ---- */

/** [.., T, heads * width] to [.., heads, T, width]. since: 0.1 */
DYN_API dyn_node dyn_layer_split_heads(dyn_graph *g, dyn_node x, int32_t heads);
/** [.., heads, T, width] to [.., T, heads * width]. since: 0.1 */
DYN_API dyn_node dyn_layer_merge_heads(dyn_graph *g, dyn_node x);
/**
 * softmax(scale q k^T) v, row by row of q. mask: DYN_NO_NODE, or [.., L, S] or what broadcasts to it, 0 = not seen; causal: 1
 * leaves out keys after the query (dyn_layer_causal_mask), too. A query that sees nothing gets 0. scale NAN: 1/sqrt(dk).
 * Keys and values may have fewer heads, each of which then serves a run of query heads. Without `weights`, more than 128
 * queries go in blocks: what causality hides is then not computed, and the matrix of weights is never whole.
 * shape: q [.., L, dk], k [.., S, dk], v [.., S, dv], result [.., L, dv]; weights NULL, or receives the softmax [.., L, S].
 * errors: DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_scaled_dot_product_attention(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v, dyn_node mask,
                                                        int32_t causal, double scale, dyn_node *weights);

/* ---- recurrent ---- */

/** How a recurrent layer goes on from its state. Values never change. */
enum dyn_cell {
    DYN_CELL_SIMPLE = 0,    /* h' = tanh(x w + b + h u + c) */
    DYN_CELL_GRU = 1,       /* gates r, z, n in this order, as PyTorch's GRU */
    DYN_CELL_LSTM = 2       /* gates i, f, g, o in this order, as PyTorch's LSTM; its state is h and the cell */
};

/**
 * A recurrent layer, unrolled over the T places of x. The state is 0 at the start.
 * shape: x [n, T, in], w [in, G h], u [h, G h], b and c [G h] or DYN_NO_NODE, G = 1, 3, 4 gates; result [n, T, h].
 * errors: DYN_EINVAL; DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_node dyn_layer_recurrent(dyn_graph *g, int32_t cell, dyn_node x, dyn_node w, dyn_node u, dyn_node b,
                                     dyn_node c);

#ifdef __cplusplus
}
#endif
#endif
