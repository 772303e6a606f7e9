/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The checker of option structs. It tells a struct that cannot be one (malformed) from one of a release before the
 * first that is supported (old) and from one whose caller uses fields that this library does not know (new). The oldest
 * sizes are frozen here; callers pass that of today for structs that no release has had yet. */
#include "base/base.h"

#include <string.h>

enum { LARGEST = 4096 };

/* Sizes of the option structs in the first release that had them, which their callers pass for ever. A struct that no
 * release has had yet is not here. */
static const struct { const char *name; size_t size; } first_sizes[] = {
    { "dyn_condensation_options", 40 }, { "dyn_ctx_options", 56 }, { "dyn_eigen_options", 96 },
    { "dyn_init_options", 48 }, { "dyn_objective_options", 40 }, { "dyn_optimizer_options", 128 },
    { "dyn_perceptron_options", 56 }, { "dyn_plan_options", 24 }, { "dyn_rank_options", 40 },
    { "dyn_replicas_options", 88 }, { "dyn_run_options", 88 }, { "dyn_schedule", 40 },
    { "dyn_sharpness_options", 56 }, { "dyn_spike_options", 40 }, { "dyn_trace_options", 24 },
};

static size_t first_size(const char *name, size_t otherwise)
{
    for (size_t i = 0; i < sizeof first_sizes / sizeof *first_sizes; i++)
        if (!strcmp(first_sizes[i].name, name))
            return first_sizes[i].size;
    return otherwise;
}

static int any_byte_set(const unsigned char *p, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (p[i])
            return 1;
    return 0;
}

dyn_status dyn__options(dyn_ctx *ctx, const char *what, const void *given, void *full, size_t full_size,
                        size_t v1_size)
{
    const size_t oldest = first_size(what, v1_size);
    uint32_t own = (uint32_t)full_size, size;

    if (given) {
        memcpy(&size, given, sizeof size);
        if (size < sizeof size || size > LARGEST || size % sizeof size)
            return DYN__FAIL(ctx, DYN_EABI_SIZE, "%s: struct_size is %u, expected %zu", what, size, full_size);
        if (size < oldest)
            return DYN__FAIL(ctx, DYN_EABI_OLD, "%s: struct_size is %u, the oldest supported is %zu", what, size,
                             oldest);
        if (size > full_size && any_byte_set(given, full_size, size))
            return DYN__FAIL(ctx, DYN_EABI_NEW, "%s: unknown fields are set, in bytes %zu to %u", what, full_size,
                             size);
        memcpy(full, given, size < full_size ? size : full_size);
    }
    memcpy(full, &own, sizeof own);
    return DYN_OK;
}

dyn_status dyn__check_flag(dyn_ctx *ctx, const char *name, int32_t value)
{
    return value == 0 || value == 1 ? DYN_OK : DYN__FAIL(ctx, DYN_EINVAL, "%s is %d, not 0 or 1", name, (int)value);
}

dyn_status dyn__check_reserved(dyn_ctx *ctx, uint32_t reserved)
{
    return reserved ? DYN__FAIL(ctx, DYN_EINVAL, "reserved is %u, not 0", (unsigned)reserved) : DYN_OK;
}
