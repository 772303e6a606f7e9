/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The binary files of CIFAR: records of one or two label bytes and three planes of 32 x 32. */
#include "data/data.h"

#include <string.h>
#include <dyn/safetensors.h>

enum { PIXELS = 3 * 32 * 32 };

typedef struct records {
    int32_t classes;
    dyn_array **images, **labels;
} records;

static dyn_status fill(dyn_ctx *ctx, const dyn__bytes *b, const records *r, int64_t n, int64_t head)
{
    const int64_t shape[4] = { n, 3, 32, 32 };

    DYN__TRY(dyn__array_new(ctx, DYN_U8, 4, shape, r->images));
    DYN__TRY(dyn__array_new(ctx, DYN_I64, 1, shape, r->labels));
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *record = b->p + i * (head + PIXELS);
        const int64_t label = record[head - 1];

        if (label >= r->classes || (head == 2 && record[0] >= 20))
            return DYN__FAIL(ctx, DYN_EFORMAT, "%s: record %lld: label %d is not below %d", b->name, (long long)i,
                             label >= r->classes ? (int)label : record[0], label >= r->classes ? r->classes : 20);
        ((int64_t *)(*r->labels)->own)[i] = label;
        memcpy((unsigned char *)(*r->images)->own + i * PIXELS, record + head, PIXELS);
    }
    return DYN_OK;
}

static dyn_status parse(dyn_ctx *ctx, dyn__bytes *b, const char *none, void *out)
{
    const records *r = out;
    const int64_t head = r->classes == 10 ? 1 : 2;

    (void)none;
    if (b->n == 0 || b->n % (head + PIXELS))
        return DYN__FAIL(ctx, DYN_EFORMAT, "%s: %lld bytes are no records of %lld bytes", b->name, (long long)b->n,
                         (long long)(head + PIXELS));
    return fill(ctx, b, r, b->n / (head + PIXELS), head);
}

dyn_status dyn_cifar_read(dyn_ctx *ctx, const char *path, int32_t classes, dyn_array **images, dyn_array **labels)
{
    records r = { classes, images, labels };
    dyn_status s;

    if (images)
        *images = NULL;
    if (labels)
        *labels = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, images);
    DYN__NEED(ctx, labels);
    if (classes != 10 && classes != 100)
        return DYN__FAIL(ctx, DYN_EINVAL, "classes is %d, not 10 or 100", classes);
    s = dyn__file_parse(ctx, path, NULL, parse, &r);
    if (s != DYN_OK) {
        dyn_array_unref(*images);
        dyn_array_unref(*labels);
        *images = *labels = NULL;
    }
    return s;
}
