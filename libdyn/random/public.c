/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The public draws. They use a stream of their own, with the caller's stream number in the place of the site, so that
 * they never repeat numbers that training uses with the same seed. */
#include <dyn/random.h>
#include "random/random.h"

static dyn__key user_key(uint64_t seed, uint32_t stream)
{
    return (dyn__key){ .seed = seed, .stream = DYN__STREAM_USER, .site = stream };
}

static dyn_status check(dyn_ctx *ctx, int64_t first, int64_t n, const void *out)
{
    DYN__NEED(ctx, out);
    if (first < 0 || n < 0 || first > DYN__DRAWS - n)
        return DYN__FAIL(ctx, DYN_EINVAL, "first = %lld, n = %lld, expected 0 <= first, 0 <= n, first + n <= 2^56",
                         (long long)first, (long long)n);
    return DYN_OK;
}

dyn_status dyn_random_uniform(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t first, int64_t n, double *out)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, first, n, out));
    dyn__uniform_f64(user_key(seed, stream), first, n, out);
    return DYN_OK;
}

dyn_status dyn_random_normal(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t first, int64_t n, double *out)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, first, n, out));
    dyn__normal_f64(user_key(seed, stream), first, n, out);
    return DYN_OK;
}

dyn_status dyn_random_permutation(dyn_ctx *ctx, uint64_t seed, uint32_t stream, int64_t n, int64_t *out)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, 0, n, out));
    dyn__permutation(user_key(seed, stream), n, out);
    return DYN_OK;
}
