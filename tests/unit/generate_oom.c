/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the generators and of safetensors files fails in turn. */
#include "base/have.h"
#include "data_util.h"
#include "oom/oom.h"
#include "oom/then.h"

enum { ARRAYS = 9 };

static void drop(dyn_array **a)
{
    for (int i = 0; i < ARRAYS; i++)
        dyn_array_unref(a[i]);
}

static dyn_status tokens(dyn_ctx *ctx, void *arg)
{
    dyn_anchor_options anchor = DYN_ANCHOR_OPTIONS_INIT;
    dyn_chain_options chain = DYN_CHAIN_OPTIONS_INIT;
    dyn_array *a[ARRAYS] = { NULL };
    dyn_status s = DYN_OK;

    (void)arg;
    anchor.count = chain.count = 10;
    THEN(dyn_generate_anchor(ctx, &anchor, &a[0]));
    anchor.task = DYN_ANCHOR_COMPOSITION;
    THEN(dyn_generate_anchor(ctx, &anchor, &a[1]));
    THEN(dyn_generate_chain(ctx, &chain, &a[2]));
    THEN(dyn_generate_composite(ctx, 1, 160, 3, &a[3], &a[4], &a[5]));
    THEN(dyn_generate_modular(ctx, 5, DYN_MODULAR_MULTIPLY, &a[6]));
    drop(a);
    return s;
}

static dyn_status numbers(dyn_ctx *ctx, void *arg)
{
    dyn_array *a[ARRAYS] = { NULL };
    dyn_status s = DYN_OK;

    (void)arg;
    THEN(dyn_generate_target(ctx, DYN_TARGET_SIN_6_ALIASED, 40, 1, &a[0], &a[1]));
    THEN(dyn_generate_target(ctx, DYN_TARGET_QUADRATIC_50D, 3, 1, &a[2], &a[3]));
    THEN(dyn_generate_parity(ctx, 3, &a[4], &a[5]));
    THEN(dyn_generate_matrix(ctx, "M4", &a[6]));
    THEN(dyn_generate_low_rank(ctx, 4, 3, 2, 7, &a[7]));
    THEN(dyn_generate_observed(ctx, DYN_OBSERVED_RANDOM, 4, 3, 7, &a[8]));
    drop(a);
    return s;
}

static dyn_status orders(dyn_ctx *ctx, void *arg)
{
    const int64_t place[4] = { 0, 1, 3, 8 };
    int64_t order[20], component[6], components;
    double uniform[4];
    dyn_status s = dyn_observation_graph(ctx, 3, 3, 4, place, 1, component, &components, NULL);

    (void)arg;
    THEN(dyn_data_order(ctx, 3, 1, 20, order));
    THEN(dyn_random_permutation(ctx, 3, 1, 20, order));
    THEN(dyn_random_uniform(ctx, 3, 1, 0, 4, uniform));
    return s;
}

static dyn_status rescaled(dyn_ctx *ctx, void *arg)
{
    dyn_array *a[ARRAYS] = { NULL };
    dyn_status s = dyn_generate_matrix(ctx, "N1", &a[0]);

    (void)arg;
    THEN(dyn_array_standardise(a[0], DYN_MOMENTS_WHOLE, &a[1], &a[2], &a[3]));
    THEN(dyn_array_rescale(a[0], a[1], a[2], &a[4]));
    drop(a);
    return s;
}

TEST(generators)
{
    oom_try("sequences of tokens", tokens, NULL);
    oom_try("targets and matrices", numbers, NULL);
    oom_try("orders", orders, NULL);
    oom_try("rescaled", rescaled, NULL);
}

#if DYN__HAVE_JANSSON
static dyn_status there_and_back(dyn_ctx *ctx, void *path)
{
    const char *names[] = { "first", "second" };
    dyn_array *a[ARRAYS] = { NULL };
    dyn_safetensors *st = NULL;
    dyn_status s = dyn_generate_matrix(ctx, "M1", &a[0]);

    THEN(dyn_generate_modular(ctx, 3, DYN_MODULAR_ADD, &a[1]));
    THEN(dyn_safetensors_write(ctx, path, 2, names, a));
    THEN(dyn_safetensors_open(ctx, path, &st));
    THEN(dyn_safetensors_read(st, "second", &a[2]));
    dyn_safetensors_free(st);
    drop(a);
    return s;
}

TEST(safetensors)
{
    const char *path = write_text("oom.safetensors", "", 0);

    oom_try("safetensors", there_and_back, (void *)(uintptr_t)path);
}
#endif

static dyn_status cifar(dyn_ctx *ctx, void *path)
{
    dyn_array *a[ARRAYS] = { NULL };
    dyn_status s = dyn_cifar_read(ctx, path, 10, &a[0], &a[1]);

    drop(a);
    return s;
}

TEST(images)
{
    static char record[3073];
    const char *path = write_text("oom-cifar.bin", record, sizeof record);

    oom_try("cifar", cifar, (void *)(uintptr_t)path);
}

int main(void)
{
    RUN(generators);
#if DYN__HAVE_JANSSON
    RUN(safetensors);
#endif
    RUN(images);
    return test_end();
}
