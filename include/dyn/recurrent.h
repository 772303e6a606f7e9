/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recurrent networks over sequences of tokens or of numbers: the baseline of arXiv 2401.08309. */
#ifndef DYN_RECURRENT_H
#define DYN_RECURRENT_H

#include <dyn/layer.h>
#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_recurrent_options {
    uint32_t struct_size;       /* sizeof(dyn_recurrent_options); set by DYN_RECURRENT_OPTIONS_INIT */
    int32_t cell;               /* enum dyn_cell; default DYN_CELL_LSTM */
    int32_t layers;             /* default 1 */
    int32_t last;               /* 1 (default): the output of the last place only */
    int64_t vocabulary;         /* tokens 0 .. V - 1 are the input; 0 (default): numbers, `inputs` of them at a place */
    int64_t inputs;             /* numbers at a place, or the width of the embedding; default 1 */
    int64_t length;             /* T, places of a sample; default 1 */
    int64_t width;              /* of the state; default 64 */
    int64_t outputs;            /* default 1 */
    int32_t bias;               /* default 1 */
    int32_t tied;               /* 1: the output matrix is the transposed embedding; needs outputs = V, width = inputs */
} dyn_recurrent_options;
#define DYN_RECURRENT_OPTIONS_INIT { DYN_SIZE_OF(dyn_recurrent_options), DYN_CELL_LSTM, 1, 1, 0, 1, 1, 64, 1, 1, 0 }

/**
 * Recurrent layers, one on the outputs of the other, and a linear output: "tokens" [n, T] (DYN_I64) or x [n, T, inputs] to
 * [n, outputs], or [n, T, outputs] of all places. Parameters: "embedding" [V, inputs] (normal of std 1), "layer1.W" [inputs,
 * gates width], "layer1.U" [width, gates width], "layer1.b", "layer1.c" [gates width], ..; "W" [width, outputs], "b".
 * Outputs of layers have names "layer1.state" [n, T, width], ..
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_recurrent(dyn_ctx *ctx, const dyn_recurrent_options *opt, dyn_model **out);

#ifdef __cplusplus
}
#endif
#endif
