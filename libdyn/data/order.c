/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The order of samples within an epoch, from (seed, epoch) alone: a resumed run needs no state to go on alike. */
#include <dyn/data.h>
#include "random/random.h"

dyn_status dyn_data_order(dyn_ctx *ctx, uint64_t seed, int64_t epoch, int64_t n, int64_t *out)
{
    dyn__key key = { .seed = seed, .stream = DYN__STREAM_ORDER };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 0 || (n && !out))
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %lld, out is %s", (long long)n, out ? "given" : "NULL");
    if (epoch < 0 || epoch > UINT32_MAX)
        return DYN__FAIL(ctx, DYN_EINVAL, "epoch %lld is not in [0, 2^32)", (long long)epoch);
    key.step = (uint32_t)epoch;
    dyn__permutation(key, n, out);
    return DYN_OK;
}

int64_t dyn_data_batches(int64_t n, int64_t batch, int32_t drop_last)
{
    if (n < 1 || batch < 0)
        return 0;
    if (batch == 0 || batch >= n)
        return 1;
    return n / batch + (n % batch && !drop_last);
}
