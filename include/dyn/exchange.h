/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models in and out under the names and in the layouts of PyTorch's equal module, so that load_state_dict takes what is
 * written here and a file of PyTorch's is read as it is. docs/families.md says which module each family equals: VGG and
 * ResNet of torchvision, GPT-2 and LLaMA of transformers, nn.Sequential, nn.LSTM and their kin, nn.TransformerEncoderLayer.
 * experimental until 0.3. */
#ifndef DYN_EXCHANGE_H
#define DYN_EXCHANGE_H

#include <dyn/model.h>
#include <dyn/safetensors.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Where a tensor or a state of the model is in PyTorch's module. Its axes, split into `split` [axes], come in the order
 * `order`; the last `flat` of them are then one: shape [rank]. Entries of one name follow each other along the axis
 * `joined`, in the order in which they are listed: queries, keys and values in one matrix.
 */
typedef struct dyn_exchange_part {
    char name[128];             /* in PyTorch */
    char also[128];             /* a second name of what is tied; "" = none */
    int32_t state;              /* 1: of a state, 0: of a parameter tensor */
    int32_t source;             /* its number there: dyn_model_state, dyn_model_tensor */
    int32_t joined;             /* axis along which it is one part of several; -1: it is the whole */
    int32_t flat;               /* 1 or more */
    int32_t axes, rank;         /* rank = axes + 1 - flat; of a single number both are 0 and flat is 1 */
    int32_t order[DYN_MAX_RANK];
    int64_t split[DYN_MAX_RANK];
    int64_t shape[DYN_MAX_RANK];
} dyn_exchange_part;

/**
 * Entry i of the model: first its parameter tensors, then its states, dyn_model_tensors(m) + dyn_model_states(m) in all.
 *
 * A model of no family, and a tensor that PyTorch has no other name for, keep their own names and layouts.
 * errors: DYN_EINVAL m or out is NULL, i out of range; DYN_ENOTSUP a model made by dyn_model_freeze: dyn_model_expand gives the
 *         parameters of the whole one, which has names. thread: any. since: 0.1
 */
DYN_API dyn_status dyn_exchange_entry(const dyn_model *m, int32_t i, dyn_exchange_part *out);

/**
 * Write the model as a safetensors file under PyTorch's names.
 *
 * shape:  theta [p], dyn_model_size; states [dyn_model_state_size], NULL: as they begin.
 * dtype:  of the numbers in the file: DYN_F64 or DYN_F32.
 * errors: DYN_EINVAL, DYN_EDTYPE, DYN_EIO, DYN_ENOTSUP (without jansson; a frozen model), DYN_ENOMEM. A file that is there is
 *         replaced when all is written. since: 0.1
 */
DYN_API dyn_status dyn_exchange_write(dyn_model *m, const double *theta, const double *states, int32_t dtype,
                                      const char *path);

/**
 * Read theta and states from a safetensors file of PyTorch's equal module. Numbers of any float type are taken. What modules
 * keep beside their tensors (num_batches_tracked, masks and angles of attention) is passed over, and the names may lack
 * "transformer." or "model.", as files of the inner module do.
 *
 * shape:  theta [p], dyn_model_size; states [dyn_model_state_size], NULL: they are not wanted.
 * errors: DYN_EINVAL a name missing, or in the file and not in the model; DYN_ESHAPE with both shapes; DYN_EDTYPE integers;
 *         DYN_ENONFINITE with its place; what dyn_safetensors_open says. theta and states are written on success only.
 * since:  0.1
 */
DYN_API dyn_status dyn_exchange_read(dyn_model *m, const char *path, double *theta, double *states);

#ifdef __cplusplus
}
#endif
#endif
