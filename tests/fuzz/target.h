/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all targets share. A target is one function in libFuzzer's form: bytes in, 0 out, no crash, no leak. */
#ifndef TARGET_H
#define TARGET_H

#include "data/data.h"

extern const char fuzz_name[];     /* of the target and of its folder under corpus/ */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read an array to its end, so that AddressSanitizer sees one that is too short. */
static inline void touch(dyn_array *a)
{
    volatile double sum = 0;

    for (int64_t i = 0; i < dyn_array_size(a); i++)
        sum += dyn__array_at(a, i);
    (void)sum;
    dyn_array_unref(a);
}

typedef dyn_status (*fuzz_parser)(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out);

/* One input through one reader, in a context of its own: memory left behind shows as a leak. */
static inline int fuzz_reader(fuzz_parser parse, const uint8_t *data, size_t size)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;
    dyn_array *a = NULL;

    o.threads = 1;
    o.isa = DYN_ISA_REFERENCE;
    if (dyn_ctx_create(&o, &ctx) != DYN_OK)
        return 0;
    if (parse(ctx, &(dyn__bytes){ data, (int64_t)size, "fuzz" }, &a) != DYN_OK && a)
        __builtin_trap();       /* an error must leave no array */
    touch(a);
    dyn_ctx_free(ctx);
    return 0;
}

#endif
