/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Internals of the data room. An array is a shape and a pointer; its elements belong to it (own), to another array
 * (base) or to the caller. A file format is a function from bytes in memory to an array: the fuzzer needs no files. */
#ifndef DYN__DATA_H
#define DYN__DATA_H

#include <dyn/data.h>
#include "base/base.h"
#include "base/dtype.h"

struct dyn_array {
    dyn__ref ref;
    int32_t dtype, rank;
    dyn_ctx *ctx;
    dyn_array *base;        /* the array that owns the elements, or NULL */
    void *own;              /* elements to free with this array, or NULL */
    const void *data;
    int64_t size;
    int64_t shape[DYN_ARRAY_MAX_RANK];
};

/* Bytes to be read and what to call them in messages. */
typedef struct dyn__bytes {
    const unsigned char *p;
    int64_t n;
    const char *name;
} dyn__bytes;

/* The layout of numbers in a file: how the room reads integers and floats of any width and byte order. */
typedef struct dyn__packing {
    char kind;      /* 'f' float, 'i' signed, 'u' unsigned */
    int size;       /* bytes of an element */
    int big;        /* most significant byte first */
    int fortran;    /* first axis varies fastest */
} dyn__packing;

/* A new array with its own elements, all zero, to be filled through ->own before anybody else sees it. */
dyn_status dyn__array_new(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, dyn_array **out);
/* The same with the type and shape of a, but `rows` places on axis `axis`. */
dyn_status dyn__array_like(const dyn_array *a, int32_t axis, int64_t rows, dyn_array **out);
/* Element i as a double. */
double dyn__array_at(const dyn_array *a, int64_t i);
/* 1 if element i is an integer that fits, then in *out. */
int dyn__array_integer(const dyn_array *a, int64_t i, int64_t *out);
/* Elements per place of the first axis; 1 for rank 0. */
int64_t dyn__array_columns(const dyn_array *a);

/* Turn packed elements into an array: b->p holds them from byte `start` on and nothing after them. */
dyn_status dyn__unpack(dyn_ctx *ctx, const dyn__bytes *b, int64_t start, const dyn__packing *pack, int32_t rank,
                       const int64_t *shape, dyn_array **out);

dyn_status dyn__parse_npy(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out);
dyn_status dyn__parse_idx(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out);
dyn_status dyn__parse_csv(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out);
/* The bytes must stay while the archive is open. */
dyn_status dyn__npz_from_bytes(dyn_ctx *ctx, const dyn__bytes *b, dyn_npz **out);

int dyn__is_npy(const dyn__bytes *b);
int dyn__is_idx(const dyn__bytes *b);
int dyn__is_gzip(const dyn__bytes *b);
/* What a file is that we cannot read ("a PNG image"), or NULL for one that is not known. */
const char *dyn__foreign(const dyn__bytes *b);
/* Unpack a gzip file. out->p is to be freed with dyn__free; untouched after an error. */
dyn_status dyn__gunzip(dyn_ctx *ctx, const dyn__bytes *b, dyn__bytes *out);

/* The first bytes of an .npy file of a. Returns their number, a multiple of 64, at most DYN__NPY_HEADER. */
#define DYN__NPY_HEADER 384
int64_t dyn__npy_header(const dyn_array *a, unsigned char *out);

/* From the bytes of a file to *out, of the type that the parser makes. A parser may keep the bytes, to be freed with
 * dyn__free: it then sets b->p to NULL. `member` chooses from several arrays, or is NULL. */
typedef dyn_status dyn__parser(dyn_ctx *ctx, dyn__bytes *b, const char *member, void *out);
/* Read the whole of a regular file and parse it. */
dyn_status dyn__file_parse(dyn_ctx *ctx, const char *path, const char *member, dyn__parser *parse, void *out);

#endif
