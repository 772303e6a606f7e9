/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whole tables: parity and modular arithmetic. */
#include "generate/generate.h"

dyn_status dyn_generate_parity(dyn_ctx *ctx, int32_t bits, dyn_array **x, dyn_array **y)
{
    double *in, *out;
    dyn_status s;

    if (y)
        *y = NULL;
    DYN__GENERATE(ctx, x);
    DYN__NEED(ctx, y);
    DYN__RANGE(ctx, "bits", bits, 1, 20);
    DYN__TRY(dyn__new_reals(ctx, (int64_t)1 << bits, bits, x, &in));
    s = dyn__new_reals(ctx, (int64_t)1 << bits, 1, y, &out);
    if (s != DYN_OK) {
        dyn_array_unref(*x);
        *x = NULL;
        return s;
    }
    for (int64_t i = 0; i < (int64_t)1 << bits; i++) {
        out[i] = 1;
        for (int32_t k = 0; k < bits; k++)
            out[i] *= in[i * bits + k] = i >> k & 1 ? -1 : 1;
    }
    return DYN_OK;
}

dyn_status dyn_generate_modular(dyn_ctx *ctx, int64_t p, int32_t op, dyn_array **out)
{
    int64_t *row;

    DYN__GENERATE(ctx, out);
    DYN__RANGE(ctx, "p", p, 2, 4096);
    DYN__RANGE(ctx, "op", op, DYN_MODULAR_ADD, DYN_MODULAR_MULTIPLY);
    DYN__TRY(dyn__new_tokens(ctx, p * p, 3, out, &row));
    for (int64_t a = 0; a < p; a++)
        for (int64_t b = 0; b < p; b++, row += 3) {
            row[0] = a;
            row[1] = b;
            row[2] = (op == DYN_MODULAR_ADD ? a + b : op == DYN_MODULAR_SUBTRACT ? a - b + p : a * b) % p;
        }
    return DYN_OK;
}
