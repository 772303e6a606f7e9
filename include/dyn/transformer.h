/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Decoder transformers: the models of the papers on anchor functions, multi-step reasoning and composition (arXiv
 * 2401.08309, 2405.15302, 2405.05409, 2501.08537) with every ablation, GPT-2 style, LLaMA style.
 *
 *     X = E[tokens] + P
 *     each layer    X <- X + Attention(X),  X <- X + FeedForward(X)
 *     logits = X W + b
 *
 * with a norm behind each sum (post), or before attention, feed-forward and output (pre), or none. */
#ifndef DYN_TRANSFORMER_H
#define DYN_TRANSFORMER_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sets of defaults; dyn_transformer_defaults writes them. Values never change. */
enum dyn_transformer_style {
    DYN_TRANSFORMER_PAPER = 0,  /* what DYN_TRANSFORMER_OPTIONS_INIT says */
    DYN_TRANSFORMER_GPT2 = 1,   /* pre norm, GELU, biases, tied output, all places; width 768, 12 layers and heads */
    DYN_TRANSFORMER_LLAMA = 2   /* pre RMS norm, rotary, SwiGLU, all places; width 512, 8 layers and heads */
};

/** Where norms stand. Values never change. */
enum dyn_norm {
    DYN_NORM_NONE = 0,
    DYN_NORM_PRE = 1,
    DYN_NORM_POST = 2
};

/** How a place is told. Values never change. */
enum dyn_position {
    DYN_POSITION_NONE = 0,
    DYN_POSITION_LEARNED = 1,       /* a table added to the embedding */
    DYN_POSITION_SINUSOIDAL = 2,    /* the same, fixed: dyn_layer_sinusoidal */
    DYN_POSITION_ROTARY = 3         /* queries and keys turned, halves paired: dyn_layer_rotary */
};

/**
 * Fixed matrices Z_l [d, d] beside the weights of attention (arXiv 2405.15302): the scores of layer l gain, head by head,
 * beta X Z_(l-1)^T X^T / sqrt(dk), and what it hands on gains alpha A X Z_l. alpha and beta are parameters. Values never change.
 */
enum dyn_buffers {
    DYN_BUFFERS_NONE = 0,
    DYN_BUFFERS_RANDOM = 1,         /* Z of N(0, 1/d), one for each layer: the paper's RMBA */
    DYN_BUFFERS_IDENTITY = 2        /* Z = 1 in all layers: its IMBA */
};

typedef struct dyn_transformer_options {
    uint32_t struct_size;       /* sizeof(dyn_transformer_options); set by DYN_TRANSFORMER_OPTIONS_INIT */
    int32_t layers;             /* default 2 */
    int64_t vocabulary;         /* V, tokens are 0 .. V - 1; default 201 */
    int64_t length;             /* T, places of a sample; default 9 */
    int64_t width;              /* d; default 400 */
    int64_t key_width;          /* of one head; 0 = width / heads. Default 64 */
    int64_t value_width;        /* of one head; 0 (default) = key_width */
    int64_t hidden;             /* of the feed-forward; 0 = none. Default 1200 */
    int32_t heads;              /* default 1 */
    int32_t kv_heads;           /* heads of keys and values, each serving a run of query heads; 0 (default) = heads */
    int32_t norm;               /* enum dyn_norm; default post */
    int32_t rms;                /* 1: RMS norm, which has no shift */
    int32_t norm_query_only;    /* 1: with pre norms, keys and values are read from X itself (arXiv 2501.08537) */
    int32_t position;           /* enum dyn_position; default learned */
    int32_t activation;         /* enum dyn_activation of the feed-forward; default DYN_RELU */
    int32_t gated;              /* 1: the feed-forward has a gate: (act(X Wg) * (X W1)) W2 */
    int32_t bias;               /* 1: biases in attention and feed-forward */
    int32_t output_bias;        /* default 1 */
    int32_t causal;             /* default 1 */
    int32_t residual;           /* 1 (default): X + Attention(X); 0: Attention(X) alone */
    int32_t mix;                /* 1 (default): heads go through Wo; 0: they are X, so that heads value_width = width */
    int32_t project;            /* 1 (default): logits = X W; 0: logits = X, so that width = vocabulary */
    int32_t tied;               /* 1: W is the transposed embedding */
    int32_t last;               /* 1 (default): logits of the last place only */
    int64_t pad;                /* this token is never seen; -1 (default): there is none */
    double eps;                 /* of the norms; default 1e-5 */
    double rotary_base;         /* default 10000 */
    const dyn_init_options *embedding;  /* how E and P are drawn; NULL (default): normal of std 1, as PyTorch's */
    const dyn_init_options *weights;    /* matrices and biases; NULL (default): as dyn_model_initialise's options say */
    int32_t depth_scaled;       /* 1: scale of Wo and W2 divided by sqrt(2 layers); needs `weights` */
    int32_t buffers;            /* enum dyn_buffers; default none */
    double dropout;             /* of the embedding, the attention map and what each block adds; default 0 */
    double buffer_scale;        /* alpha and beta at the start; default 0.1 */
    uint64_t buffer_seed;       /* of the Z_l; default 0 */
} dyn_transformer_options;
/** The two-layer model of arXiv 2401.08309. */
#define DYN_TRANSFORMER_OPTIONS_INIT { DYN_SIZE_OF(dyn_transformer_options), 2, 201, 9, 400, 64, 0, 1200, 1, 0, \
                                       DYN_NORM_POST, 0, 0, DYN_POSITION_LEARNED, DYN_RELU, 0, 0, 1, 1, 1, 1, 1, 0, 1, \
                                       -1, 1e-5, 1e4, NULL, NULL, 0, DYN_BUFFERS_NONE, 0.0, 0.1, 0 }

/**
 * Write the defaults of a style; embedding and weights may point to static options. thread: any.
 * errors: DYN_EINVAL out is NULL, or there is no such style: *out is untouched then. since: 0.1
 */
DYN_API dyn_status dyn_transformer_defaults(int32_t style, dyn_transformer_options *out);

/**
 * A decoder transformer. Its input is "tokens" [n, T] (DYN_I64), its output [n, V], or [n, T, V] for all places.
 *
 * Parameters, layers counted from 1: "embedding" [V, d], "position" [T, d], "layer1.Wq" [d, heads dk], "layer1.bq",
 * "layer1.Wk", "layer1.bk", "layer1.Wv" [d, heads dv], "layer1.bv", "layer1.Wo" [heads dv, d], "layer1.bo", "layer1.W1"
 * [d, hidden], "layer1.b1", "layer1.Wg", "layer1.W2" [hidden, d], "layer1.b2", "W" [d, V], "b" [V]; gains and shifts
 * "layer1.gain1", "layer1.shift1" (attention's), "layer1.gain2", "layer1.shift2" (the feed-forward's), "gain", "shift"
 * (before the output, pre norms); with buffers "layer1.alpha" [heads] and from layer 2 on "layer2.beta" [heads]. Norms begin as 1 and 0, whatever the initialisation is.
 *
 * Tensors with names, layers likewise: "layer1.scores" and "layer1.attention" [n, heads, T, T], before and after the
 * softmax, "layer1.heads" [n, heads, T, dv], "layer1.stream" [n, T, d], what the layer hands on.
 *
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_transformer(dyn_ctx *ctx, const dyn_transformer_options *opt, dyn_model **out);

#ifdef __cplusplus
}
#endif
#endif
