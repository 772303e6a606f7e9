/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of the data room share: paths of the committed files, a folder to write in, comparison with the rule
 * by which data/make.py filled its files. */
#ifndef DATA_UTIL_H
#define DATA_UTIL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dyn/dyn.h>
#include "test.h"

/* Path of a file of the source tree; valid until the next call. */
static inline const char *source_path(const char *name)
{
    static char path[1024];
    const char *root = getenv("DYN_TEST_SOURCE");

    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

static inline const char *fixture(const char *name)
{
    char relative[256];

    snprintf(relative, sizeof relative, "tests/unit/data/%s", name);
    return source_path(relative);
}

/* Path of a file in a folder of this process; drop_scratch removes the folder and the files made there. */
static char scratch_folder[64], scratch_files[16][96];
static int scratch_count;

static inline const char *scratch(const char *name)
{
    char *path = scratch_files[scratch_count++];

    if (!scratch_folder[0]) {
        strcpy(scratch_folder, "/tmp/dyn-data-XXXXXX");
        CHECK(mkdtemp(scratch_folder) != NULL);
    }
    snprintf(path, sizeof scratch_files[0], "%s/%s", scratch_folder, name);
    return path;
}

static inline void drop_scratch(void)
{
    for (int i = 0; i < scratch_count; i++)
        unlink(scratch_files[i]);
    if (scratch_folder[0])
        CHECK(rmdir(scratch_folder) == 0);
}

static inline const char *write_text(const char *name, const char *text, size_t n)
{
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");

    CHECK(f && fwrite(text, 1, n, f) == n);
    if (f)
        fclose(f);
    return path;
}

static inline double element(const dyn_array *a, int64_t i)
{
    switch (dyn_array_dtype(a)) {
    case DYN_F64: return ((const double *)dyn_array_data(a))[i];
    case DYN_U8: return ((const uint8_t *)dyn_array_data(a))[i];
    case DYN_F32: return (double)((const float *)dyn_array_data(a))[i];
    default: return (double)((const int64_t *)dyn_array_data(a))[i];
    }
}

static inline int has_shape(const dyn_array *a, int rank, const int64_t *shape)
{
    if (dyn_array_rank(a) != rank)
        return 0;
    for (int i = 0; i < rank; i++)
        if (dyn_array_shape(a)[i] != shape[i])
            return 0;
    return 1;
}

#define CHECK_SHAPE(a, ...)                                                                                    \
    CHECK(has_shape((a), (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]){ __VA_ARGS__ }))

#endif
