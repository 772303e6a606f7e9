/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What families share: see family.h. */
#include <stdio.h>
#include <string.h>
#include "family/family.h"

dyn_status dyn__check_size(dyn_ctx *ctx, const char *name, int64_t value)
{
    if (value < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is %lld, expected at least 1", name, (long long)value);
    return DYN_OK;
}

dyn_status dyn__check_choice(dyn_ctx *ctx, const char *name, int32_t value, int32_t last)
{
    if (value < 0 || value > last)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s %d is outside [0, %d]", name, (int)value, (int)last);
    return DYN_OK;
}

dyn_status dyn__family_create(dyn_ctx *ctx, dyn_build_fn build, dyn__theirs_fn theirs, const void *options, size_t size,
                             dyn_model **out)
{
    void *own = dyn__alloc(ctx, 1, size);

    if (!own)
        return DYN_ENOMEM;
    memcpy(own, options, size);
    return dyn__model_called(dyn__model_create(ctx, build, own, 1, 1, out), out, theirs);
}

/* ---- pieces ---- */

const dyn_init_options dyn__init_one = {sizeof dyn__init_one, DYN_INIT_CONSTANT, 1, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};
const dyn_init_options dyn__init_zero = {sizeof dyn__init_zero, DYN_INIT_ZERO, 1, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};

static const char *full_name(const dyn__piece *p, const char *name, char buf[128])
{
    if (p->number)
        snprintf(buf, 128, "%s%s%d", p->prefix, name, (int)p->number);
    else
        snprintf(buf, 128, "%s%s", p->prefix, name);
    return buf;
}

dyn_node dyn__piece_parameter(const dyn__piece *p, const char *name, int32_t rank, const int64_t *shape,
                             const dyn_init_options *init)
{
    char full[128];

    return dyn_build_parameter(p->b, full_name(p, name, full), rank, shape, init);
}

dyn_node dyn__piece_named(const dyn__piece *p, const char *name, dyn_node x)
{
    char full[128];

    return dyn_build_name(p->b, full_name(p, name, full), x);
}

/* Size of the last axis, or a negative status. */
static int64_t features(const dyn__piece *p, dyn_node x)
{
    int64_t shape[DYN_MAX_RANK];

    const int32_t rank = dyn_graph_shape(dyn_build_graph(p->b), x, shape);
    return rank < 1 ? rank : shape[rank - 1];
}

dyn_node dyn__piece_linear(const dyn__piece *p, dyn_node x, int64_t out, int32_t bias)
{
    DYN__TRY(x);
    dyn_node w = dyn__piece_parameter(p, "W", 2, (int64_t[]){features(p, x), out}, NULL);
    dyn_node b = bias ? dyn__piece_parameter(p, "b", 1, &out, NULL) : DYN_NO_NODE;

    return dyn_layer_linear(dyn_build_graph(p->b), x, w, b);
}

dyn_node dyn__piece_normed(const dyn__piece *p, dyn_node x, int32_t batch_norm, int32_t bias)
{
    char full[128];

    DYN__TRY(x);
    const int64_t channels = features(p, x);
    if (!batch_norm)
        return bias ? dyn_graph_add(dyn_build_graph(p->b), x, dyn__piece_parameter(p, "b", 1, &channels, NULL)) : x;
    dyn_node gain = dyn__piece_parameter(p, "gain", 1, &channels, &dyn__init_one);
    dyn_node shift = dyn__piece_parameter(p, "shift", 1, &channels, &dyn__init_zero);
    return dyn_layer_batch_norm(p->b, full_name(p, "norm", full), x, gain, shift, 0.1, 1e-5);
}
