/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An archive with all its members. */
#include "target.h"

const char fuzz_name[] = "npz";

static dyn_status read_all(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out)
{
    dyn_npz *npz = NULL;
    dyn_status s = dyn__npz_from_bytes(ctx, b, &npz);

    for (int64_t i = 0; i < dyn_npz_count(npz); i++) {
        dyn_array *a = NULL;

        if (dyn_npz_read(npz, dyn_npz_name(npz, i), &a) != DYN_OK && a)
            __builtin_trap();
        touch(a);
    }
    dyn_npz_free(npz);
    *out = NULL;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_reader(read_all, data, size);
}
