/* SPDX-License-Identifier: BSD-3-Clause
 *
 * safetensors: named tensors in one file, as Hugging Face's libraries and PyTorch's users exchange them; and the binary
 * files of CIFAR. The readers take nothing on trust. experimental until 0.3. */
#ifndef DYN_SAFETENSORS_H
#define DYN_SAFETENSORS_H

#include <dyn/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open file, whole in memory. It keeps its context alive. thread: any, for reading. */
typedef struct dyn_safetensors dyn_safetensors;

/**
 * Open a file and check its header: names are not repeated, ranges lie one after the other without holes, overlap or
 * rest, and have the size that type and shape ask for.
 *
 * errors: DYN_EIO; DYN_EFORMAT with what is wrong; DYN_ENOTSUP in a build without jansson; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_safetensors_open(dyn_ctx *ctx, const char *path, dyn_safetensors **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_safetensors_free(dyn_safetensors *st);

/** Number of tensors; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_safetensors_count(const dyn_safetensors *st);

/** Name of tensor i in the order of the file, borrowed; NULL when out of range. since: 0.1 */
DYN_API const char *dyn_safetensors_name(const dyn_safetensors *st, int64_t i);

/**
 * The tensor of that name. F64, F32, I64 and U8 keep their type; F16 and BF16 become float32, BOOL uint8 (0 and 1), the
 * other integers int64.
 *
 * errors: DYN_EINVAL there is none; DYN_ENOTSUP a type that is not listed, U64 among them; DYN_EFORMAT a BOOL that is
 *         neither 0 nor 1; DYN_ESHAPE more axes than an array has; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_safetensors_read(dyn_safetensors *st, const char *name, dyn_array **out);

/**
 * Write arrays as F64, F32, I64 or U8, in this order. A file that is there is replaced when all is written.
 *
 * errors: DYN_EINVAL a name that is empty, repeated, "__metadata__" or no UTF-8; DYN_EIO; DYN_ENOTSUP; DYN_ENOMEM.
 * since:  0.1
 */
DYN_API dyn_status dyn_safetensors_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                                         dyn_array *const *arrays);

/**
 * Images of the binary version of CIFAR-10 (classes 10: records of label, then 3072 bytes) or CIFAR-100 (classes 100:
 * coarse label, fine label, 3072 bytes).
 *
 * shape:  images uint8 [n, 3, 32, 32], planes red, green, blue; labels int64 [n], the fine ones of CIFAR-100.
 * errors: DYN_EINVAL classes; DYN_EIO; DYN_EFORMAT the length is no multiple of a record, or a label is out of range,
 *         with its record; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_cifar_read(dyn_ctx *ctx, const char *path, int32_t classes, dyn_array **images,
                                  dyn_array **labels);

#ifdef __cplusplus
}
#endif
#endif
