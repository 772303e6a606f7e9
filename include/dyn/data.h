/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Data: arrays in memory, their files (.npy, .npz, CSV, IDX), what is done to them before training (standardise,
 * one-hot, split) and the order of mini-batches. An array never changes after creation; every transformation
 * gives a new one. Readers treat their input as hostile: a damaged file gives an error that names the file and the
 * place. */
#ifndef DYN_DATA_H
#define DYN_DATA_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most axes an array may have. */
#define DYN_ARRAY_MAX_RANK 8

/**
 * A dense row-major array of DYN_F64, DYN_F32, DYN_I64 or DYN_U8 elements. Immutable and counted by reference; it keeps its
 * context alive. thread: accessors from any thread; functions that make arrays use the context, one thread at a time.
 */
typedef struct dyn_array dyn_array;

/* ---- making and looking ---- */

/**
 * Make an array from a copy of the caller's elements.
 *
 * shape:  data holds shape[0] * ... * shape[rank-1] elements, row-major; rank 0 is one number; an axis may be 0.
 * alias:  data and shape are copied; data may be NULL when there are no elements.
 * owner:  *out is one reference, NULL on error.
 * errors: DYN_EINVAL, DYN_EDTYPE, DYN_ESHAPE (rank above DYN_ARRAY_MAX_RANK, negative or too large axes), DYN_ENOMEM.
 * since:  0.1
 */
DYN_API dyn_status dyn_array_create(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, const void *data,
                                    dyn_array **out);

/**
 * Make an array on the caller's memory, without a copy. data must stay, unchanged, until the last reference to the
 * array (and to arrays reshaped from it) is gone. Otherwise as dyn_array_create. since: 0.1
 */
DYN_API dyn_status dyn_array_wrap(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, const void *data,
                                  dyn_array **out);

/** Take one more reference and return a; NULL gives NULL. Any thread. since: 0.1 */
DYN_API dyn_array *dyn_array_ref(dyn_array *a);

/** Give back one reference; NULL is allowed. since: 0.1 */
DYN_API void dyn_array_unref(dyn_array *a);

/** Element type (enum dyn_dtype); DYN_EINVAL for NULL. since: 0.1 */
DYN_API int32_t dyn_array_dtype(const dyn_array *a);

/** Number of axes; 0 for NULL. since: 0.1 */
DYN_API int32_t dyn_array_rank(const dyn_array *a);

/** Length of each axis, dyn_array_rank numbers. Borrowed, lives as long as a; NULL for NULL. since: 0.1 */
DYN_API const int64_t *dyn_array_shape(const dyn_array *a);

/** Number of elements; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_array_size(const dyn_array *a);

/** The elements, row-major. Borrowed, lives as long as a; NULL for NULL. since: 0.1 */
DYN_API const void *dyn_array_data(const dyn_array *a);

/**
 * The same numbers with another element type. F64 to F32 rounds to nearest; to I64 and U8 a number must be an integer
 * in range. Same type: a itself with one more reference.
 * errors: DYN_EDTYPE; DYN_EINVAL a number that is no integer in range, with its position; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_convert(dyn_array *a, int32_t dtype, dyn_array **out);

/**
 * The same elements with another shape, sharing the memory of a. errors: DYN_ESHAPE other number of elements;
 * DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_reshape(dyn_array *a, int32_t rank, const int64_t *shape, dyn_array **out);

/**
 * n numbers evenly spaced from first to last, both included; n = 1 gives first.
 *
 * shape:  out [n], DYN_F64 or DYN_F32; computed in double precision as first + i * ((last - first) / (n - 1)).
 * errors: DYN_EDTYPE; DYN_EINVAL n < 1; DYN_ENONFINITE; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_linspace(dyn_ctx *ctx, int32_t dtype, double first, double last, int64_t n,
                                      dyn_array **out);

/* ---- files ---- */

/**
 * Read an array from a file. The kind is recognised by the first bytes: .npy (versions 1 to 3, both byte orders, C and
 * Fortran order), .npz, IDX (the format of MNIST); anything else is read as CSV, unless the name ends with .npy or .npz.
 * A file packed with gzip is read like the one inside; one of a known other kind (HDF5, PNG ...) is refused by its name.
 *
 * member: which array of an .npz; NULL if it holds only one; NULL for every other kind.
 * types:  float64 becomes DYN_F64, float32 DYN_F32, booleans and unsigned bytes DYN_U8, other integers up to 64 bits
 *         signed DYN_I64. An objective converts into its own type; dyn_array_convert does.
 * CSV:    gives DYN_F64 [rows, columns]. The separator is the first of semicolon, comma, tab that the first line has,
 *         else spaces. A first line with a name and no number is a header and is skipped, as are empty lines and lines
 *         beginning with '#'. What looks like a number or stands for a missing one (1.0D0, 1_000, NA) is no name. The
 *         decimal point is always '.', whatever the locale.
 * errors: DYN_EIO; DYN_EFORMAT with file and byte, or line and column; DYN_ENOTSUP an element type not listed, .npz or
 *         gzip in a library built without libzip or zlib; DYN_EINVAL member; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_read(dyn_ctx *ctx, const char *path, const char *member, dyn_array **out);

/**
 * Write an .npy file (version 1.0, the machine's byte order, C order). The file is written beside, synced and renamed:
 * a reader sees the old file or the new one; nothing is left of a process that is killed, where the file system knows
 * unnamed files. A symbolic link is followed. A device or pipe is written into; a pipe must have a reader. A folder that
 * cannot be synced after the rename is a warning in the log. errors: DYN_EIO, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_write_npy(const dyn_array *a, const char *path);

/**
 * Write a rank 2 array as comma-separated text, with as many digits as give the same numbers back.
 *
 * header: names of the columns, or NULL for no header line. A name may hold neither comma, quote nor line end.
 * errors: DYN_ESHAPE rank is not 2; DYN_EINVAL a name; DYN_EIO; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_write_csv(const dyn_array *a, const char *path, const char *const *header);

/** An open .npz archive: named arrays in one file. thread: one at a time, with its context. */
typedef struct dyn_npz dyn_npz;

/** Open an archive to read. errors: DYN_EIO; DYN_EFORMAT; DYN_ENOTSUP built without libzip; DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_npz_open(dyn_ctx *ctx, const char *path, dyn_npz **out);

/** Close and give the memory back; NULL is allowed. since: 0.1 */
DYN_API void dyn_npz_free(dyn_npz *npz);

/** Number of members; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_npz_count(const dyn_npz *npz);

/**
 * Name of member i, 0 <= i < dyn_npz_count, without the ending ".npy"; NULL out of range. Borrowed, lives as long as
 * npz. since: 0.1
 */
DYN_API const char *dyn_npz_name(const dyn_npz *npz, int64_t i);

/** Read the member of that name. errors: DYN_EINVAL no such member; as dyn_array_read. since: 0.1 */
DYN_API dyn_status dyn_npz_read(dyn_npz *npz, const char *name, dyn_array **out);

/**
 * Write count arrays under their names, uncompressed as numpy.savez does, in the way of dyn_array_write_npy.
 * The same arrays give the same bytes. Arrays may be of any context.
 * errors: DYN_EINVAL count < 1, a name empty or given twice; DYN_ENOTSUP; DYN_EIO; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_npz_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                                 dyn_array *const *arrays);

/* ---- transformations ---- */

/** What a mean and a standard deviation are taken over. A column is one place of all axes but the first. */
enum dyn_moments {
    DYN_MOMENTS_COLUMNS = 0,    /* one per column, over the first axis */
    DYN_MOMENTS_WHOLE = 1       /* one for all elements */
};

/**
 * Subtract the mean and divide by the standard deviation (of the population: divided by n). A column that does not
 * vary is only centred, and its std is given as 1.
 *
 * shape:  out as a, DYN_F32 for DYN_F32, else DYN_F64; mean_out, std_out [columns] or [1], DYN_F64; computed in double.
 * owner:  out, mean_out and std_out are one reference each, NULL on error; mean_out and std_out may be NULL.
 * errors: DYN_EINVAL over; DYN_ESHAPE rank 0 or no elements; DYN_ENONFINITE with the position; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_standardise(const dyn_array *a, int32_t over, dyn_array **mean_out, dyn_array **std_out,
                                         dyn_array **out);

/**
 * (a - mean) / std with numbers that are given: for test data, with the mean and std of the training data.
 *
 * shape:  mean and std DYN_F64, both [1] or both [columns]; out as for dyn_array_standardise.
 * errors: DYN_ESHAPE; DYN_EDTYPE; DYN_EINVAL a std that is not positive; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_rescale(const dyn_array *a, const dyn_array *mean, const dyn_array *std, dyn_array **out);

/**
 * Class labels as rows of zeros with a single one.
 *
 * shape:  labels n elements of any shape and type, integers in [0, classes); out [n, classes] of type dtype.
 * errors: DYN_EINVAL classes < 1, or a label out of range with its position; DYN_EDTYPE; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_one_hot(const dyn_array *labels, int64_t classes, int32_t dtype, dyn_array **out);

/**
 * count places of one axis, from first on. shape: as a, with shape[axis] = count.
 * errors: DYN_EINVAL axis; DYN_ESHAPE the range leaves the axis; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_slice(const dyn_array *a, int32_t axis, int64_t first, int64_t count, dyn_array **out);

/**
 * The rows index[0], ..., index[count-1] of the first axis, in that order; a row may come twice.
 * shape: as a, with shape[0] = count.
 * errors: DYN_ESHAPE rank 0; DYN_EINVAL an index out of range; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_take(const dyn_array *a, int64_t count, const int64_t *index, dyn_array **out);

/**
 * Divide the rows at random: count of them into *first_out, the others into *second_out. Which rows go where is a
 * function of seed, the number of rows and count: inputs and labels split alike.
 * errors: DYN_ESHAPE rank 0; DYN_EINVAL count outside [0, rows]; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_array_split(const dyn_array *a, uint64_t seed, int64_t count, dyn_array **first_out,
                                   dyn_array **second_out);

/* ---- order of mini-batches ---- */

/**
 * The order in which an epoch visits n samples: a uniformly random permutation of 0 .. n-1, a function of
 * (seed, epoch, n).
 * shape: out [n]. errors: DYN_EINVAL n < 0 or epoch outside [0, 2^32). since: 0.1
 */
DYN_API dyn_status dyn_data_order(dyn_ctx *ctx, uint64_t seed, int64_t epoch, int64_t n, int64_t *out);

/**
 * Batches in an epoch of n samples. batch = 0 or batch >= n is full batch: 1. drop_last leaves out a last batch that
 * is not full. 0 if n < 1 or batch < 0. Any thread. since: 0.1
 */
DYN_API int64_t dyn_data_batches(int64_t n, int64_t batch, int32_t drop_last);

#ifdef __cplusplus
}
#endif
#endif
