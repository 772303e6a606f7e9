/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Convolutional networks: plain stacks, among them the two-layer networks of arXiv 2305.09947 and VGG's, and residual
 * ones. Samples are [spatial.., channels]. */
#ifndef DYN_CONVOLUTIONAL_H
#define DYN_CONVOLUTIONAL_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_cnn_options {
    uint32_t struct_size;           /* sizeof(dyn_cnn_options); set by DYN_CNN_OPTIONS_INIT */
    int32_t axes;                   /* spatial axes, 1 to 3; default 2 */
    const int64_t *input;           /* [axes + 1] shape of a sample: spatial sizes, channels */
    int32_t convolutions;           /* entries of channels, at least 1 */
    int32_t dense;                  /* entries of hidden; default 0 */
    const int64_t *channels;        /* [convolutions] channels that a convolution makes; 0: pooling of 2 instead */
    const int64_t *hidden;          /* [dense] widths of fully connected layers before the output */
    int64_t outputs;                /* default 1 */
    int64_t kernel;                 /* size along every axis; default 3 */
    int64_t stride;                 /* default 1 */
    int64_t padding;                /* zeros on either side, or -1 (default): ceil(size / stride) places */
    int32_t activation;             /* enum dyn_activation of the convolutions; default DYN_RELU */
    int32_t dense_activation;       /* of the fully connected layers; default DYN_RELU */
    int32_t bias;                   /* default 1: every layer has biases */
    int32_t batch_norm;             /* 1: a batch norm, which replaces the bias, after each convolution */
    int32_t global_pool;            /* 1: the mean over all places goes to the dense layers, not all places */
    uint32_t reserved;              /* must be 0 */
} dyn_cnn_options;
#define DYN_CNN_OPTIONS_INIT { DYN_SIZE_OF(dyn_cnn_options), 2, NULL, 0, 0, NULL, NULL, 1, 3, 1, -1, DYN_RELU, \
                               DYN_RELU, 1, 0, 0, 0 }

/**
 * Convolutions with activations, then fully connected layers: x [n, input], f [n, outputs]. Layers are counted through:
 * "W1" [kernel.., channels in, out], "b1", or with batch norm "gain1", "shift1" and the states "norm1.mean", "norm1.var";
 * then "W<l>" [in, out], "b<l>". All places of the last convolution, channels last, are the input of the first of these.
 * Outputs of the activations have names "layer1", "layer2", ...
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_cnn(dyn_ctx *ctx, const dyn_cnn_options *opt, dyn_model **out);

typedef struct dyn_resnet_options {
    uint32_t struct_size;           /* sizeof(dyn_resnet_options); set by DYN_RESNET_OPTIONS_INIT */
    int32_t stages;                 /* entries of blocks; default 4 */
    const int64_t *blocks;          /* [stages] residual blocks of each; NULL (default): 2 each, which is ResNet-18 */
    int64_t height;                 /* of a sample; default 32 */
    int64_t width;                  /* default 32 */
    int64_t channels;               /* of a sample; default 3 */
    int64_t base;                   /* channels of the first stage, doubled by every other; default 64 */
    int64_t outputs;                /* default 10 */
    int32_t activation;             /* enum dyn_activation; default DYN_RELU */
    int32_t batch_norm;             /* default 1; 0: biases instead */
    int32_t large;                  /* 1: the beginning for 224 x 224: 7 x 7, stride 2, then pooling; 0 (default): 3 x 3 */
    uint32_t reserved;              /* must be 0 */
} dyn_resnet_options;
#define DYN_RESNET_OPTIONS_INIT { DYN_SIZE_OF(dyn_resnet_options), 4, NULL, 32, 32, 3, 64, 10, DYN_RELU, 1, 0, 0 }

/**
 * A residual network of basic blocks: x [n, height, width, channels], f [n, outputs]. A block is
 *     act(x' + norm(conv(act(norm(conv(x)))))),  x' = x, or norm(conv 1 x 1) where the shape changes,
 * with 3 x 3 kernels without biases; the first block of every stage but the first has stride 2. The mean over the places
 * goes to the output layer. Parameters: "W", "gain", "shift" of the beginning as "begin.W", ..; "stage1.block1.W1",
 * ".gain1", ".shift1", ".W2", .., ".shortcut.W", ".shortcut.gain", ..; "W", "b" of the output. States are the
 * running moments, "stage1.block1.norm1.mean", ... Outputs of blocks have names "stage1.block1", ...
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_resnet(dyn_ctx *ctx, const dyn_resnet_options *opt, dyn_model **out);

#ifdef __cplusplus
}
#endif
#endif
