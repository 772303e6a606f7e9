/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of layers share: a graph of small inputs, and the numbers of any of its nodes. */
#ifndef LAYER_FIXTURE_H
#define LAYER_FIXTURE_H

#include "test.h"
#include <dyn/dyn.h>

enum { INPUTS = 8, ROOM = 512 };

static dyn_ctx *ctx;
static dyn_graph *g;
static const void *given[INPUTS];   /* data of input "0", "1", .. */
static int inputs;

static void begin(int32_t dtype)
{
    CHECK_OK(ctx, dyn_graph_create(ctx, dtype, &g));
    inputs = 0;
}

static void finish(void)
{
    dyn_graph_free(g);
}

static const char *input_name(int i)
{
    static const char *const names[INPUTS] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    return names[i];
}

/* An input that has these numbers. */
static dyn_node number(const void *data, int32_t rank, const int64_t *shape)
{
    given[inputs] = data;
    return dyn_graph_input(g, input_name(inputs++), rank, shape);
}
#define NUMBERS(data, ...) \
    number(data, (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static inline dyn_node index_input(const int64_t *data, int32_t rank, const int64_t *shape)
{
    given[inputs] = data;
    return dyn_graph_indices(g, input_name(inputs++), rank, shape);
}

/* The numbers of node x. */
static const void *values(dyn_node x)
{
    static double out[ROOM];
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    memset(out, 0xff, sizeof out);
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &x, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    for (int32_t i = 0; i < dyn_plan_inputs(p); i++) {
        const char *name = dyn_plan_input_name(p, i);
        int32_t dtype;
        const int64_t size = dyn_plan_input_size(p, i, &dtype);
        CHECK_OK(ctx, dyn_exec_bind(e, name, dtype, size, given[name[0] - '0']));
    }
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, dyn_graph_dtype(g), dyn_plan_output_size(p, 0), out));
    CHECK_OK(ctx, dyn_exec_run(e));
    dyn_exec_free(e);
    dyn_plan_unref(p);
    return out;
}

/* Node x has these numbers, to `tol`. */
static void is(dyn_node x, int64_t count, const double *expected, double tol)
{
    if (x < 0) {
        TEST_FAIL("%s: node is %d: %s", test_name_, (int)x, dyn_ctx_message(ctx));
        return;
    }
    const double *v = values(x);
    for (int64_t i = 0; i < count; i++)
        CHECK_NEAR(v[i], expected[i], tol);
}
#define IS(x, tol, ...) is(x, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__}, tol)

static inline dyn_node total(dyn_node x)
{
    const int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    return dyn_graph_sum(g, x, dyn_graph_shape(g, x, NULL), axes);
}

/* d scalar / d x */
static inline dyn_node slope(dyn_node scalar, dyn_node x)
{
    dyn_node out = -1;

    CHECK_OK(ctx, dyn_graph_gradient(g, scalar, 1, &x, &out));
    return out;
}

/* Refused with this status and words. */
#define REFUSED(call, status, words)                        \
    do {                                                    \
        CHECK((call) == (status));                          \
        CHECK_STR(dyn_ctx_message(ctx), words);             \
    } while (0)

#endif
