/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans and executors that are misused: the status, a message with the function's name and the numbers, no byte lost.
 * And what is large but right: rank 8, 20000 nodes, shapes beyond any memory. */
#include <time.h>
#include <stdlib.h>
#include "graph_refused.h"

static dyn_ctx *ctx;

static dyn_graph *new_graph(int32_t dtype)
{
    dyn_graph *g = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, dtype, &g));
    return g;
}

TEST(compile)
{
    const int64_t start = dyn_ctx_bytes(ctx);
    dyn_graph *g = new_graph(DYN_F64);
    const dyn_node x = dyn_graph_input(g, "x", 1, SHAPE(3)), i = dyn_graph_indices(g, "i", 1, SHAPE(3)), none = 12345;
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn_plan *p = (dyn_plan *)&g;

    REFUSED(dyn_plan_compile(g, 1, &none, NULL, &p), DYN_EINVAL, "dyn_plan_compile", "output 0 is node 12345");
    CHECK(!p);
    REFUSED(dyn_plan_compile(g, 1, &i, NULL, &p), DYN_EINVAL, "dyn_plan_compile", "output 0 is node 1");
    REFUSED(dyn_plan_compile(g, 0, &x, NULL, &p), DYN_EINVAL, "dyn_plan_compile", "0 outputs");
    REFUSED(dyn_plan_compile(g, 1, NULL, NULL, &p), DYN_EINVAL, "dyn_plan_compile", "");
    REFUSED(dyn_plan_compile(g, 1, &x, NULL, NULL), DYN_EINVAL, "dyn_plan_compile", "NULL");
    opt.arena_limit = -1;
    REFUSED(dyn_plan_compile(g, 1, &x, &opt, &p), DYN_EINVAL, "dyn_plan_compile", "-1");
    CHECK(dyn_plan_compile(NULL, 1, &x, NULL, &p) == DYN_EINVAL && !p);
    dyn_graph_free(g);
    CHECK(dyn_ctx_bytes(ctx) == start);
    CHECK(dyn_plan_bytes(NULL) == 0 && dyn_plan_inputs(NULL) == 0 && !dyn_plan_input_name(NULL, 0)
          && !dyn_plan_ref(NULL));
    CHECK(dyn_plan_print(NULL, NULL, 0) < 0);
    dyn_plan_unref(NULL);
    dyn_exec_free(NULL);
}

TEST(executor)
{
    const int64_t start = dyn_ctx_bytes(ctx);
    dyn_graph *g = new_graph(DYN_F64);
    const dyn_node x = dyn_graph_input(g, "x", 1, SHAPE(3)), w = dyn_graph_parameter(g, "w", 1, SHAPE(3));
    const dyn_node out[2] = { dyn_graph_mul(g, x, w), dyn_graph_add(g, x, w) };
    double data[3] = { 1, 2, 3 }, product[3], sum[3];
    char start_of[8];
    int32_t dtype = -1;
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    CHECK_OK(ctx, dyn_plan_compile(g, 2, out, NULL, &p));
    dyn_graph_free(g);
    CHECK(dyn_plan_inputs(p) == 2 && !strcmp(dyn_plan_input_name(p, 1), "w"));
    CHECK(!dyn_plan_input_name(p, 2) && !dyn_plan_input_name(p, -1));
    REFUSED(dyn_plan_print(p, NULL, 8), DYN_EINVAL, "dyn_plan_print", "no buffer of 8 bytes");
    REFUSED(dyn_plan_print(p, start_of, -1), DYN_EINVAL, "dyn_plan_print", "a buffer of -1 bytes");
    CHECK(dyn_plan_print(p, start_of, sizeof start_of) > 8 && strlen(start_of) == 7);
    CHECK(dyn_exec_create(NULL, &e) == DYN_EINVAL && dyn_exec_create(p, NULL) == DYN_EINVAL);
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    REFUSED(dyn_exec_run(e), DYN_ESTATE, "dyn_exec_run", "input x is not bound");
    REFUSED(dyn_exec_bind(e, "y", DOUBLES(data)), DYN_EINVAL, "dyn_exec_bind", "\"y\"");
    REFUSED(dyn_exec_bind(e, NULL, DOUBLES(data)), DYN_EINVAL, "dyn_exec_bind", "NULL");
    REFUSED(dyn_exec_bind(e, "x", DYN_F64, 1, NULL), DYN_EINVAL, "dyn_exec_bind", "NULL");
    REFUSED(dyn_exec_bind(e, "x", DYN_F32, 3, data), DYN_EDTYPE, "dyn_exec_bind",
            "x is given as float32, expected float64");
    REFUSED(dyn_exec_bind(e, "x", DYN_F64, 2, data), DYN_ESHAPE, "dyn_exec_bind",
            "x is given as 2 numbers, expected 3");
    REFUSED(dyn_exec_bind_output(e, 0, DYN_I64, 3, product), DYN_EDTYPE, "dyn_exec_bind_output",
            "output 0 is given as int64");
    REFUSED(dyn_exec_bind_output(e, 0, DYN_F64, 4, product), DYN_ESHAPE, "dyn_exec_bind_output",
            "4 numbers, expected 3");
    CHECK(dyn_plan_input_size(p, 1, &dtype) == 3 && dtype == DYN_F64 && dyn_plan_output_size(p, 1) == 3);
    CHECK(dyn_plan_input_size(p, 2, &dtype) == 0 && dyn_plan_output_size(p, -1) == 0);
    CHECK(!dyn_plan_input_size(NULL, 0, NULL));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DOUBLES(data)));
    CHECK_OK(ctx, dyn_exec_bind(e, "w", DOUBLES(data)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DOUBLES(product)));
    REFUSED(dyn_exec_run(e), DYN_ESTATE, "dyn_exec_run", "output 1 of 2 is not bound");
    REFUSED(dyn_exec_bind_output(e, 2, DOUBLES(sum)), DYN_EINVAL, "dyn_exec_bind_output", "output 2 of 2");
    REFUSED(dyn_exec_bind_output(e, -1, DOUBLES(sum)), DYN_EINVAL, "dyn_exec_bind_output", "output -1 of 2");
    REFUSED(dyn_exec_bind_output(e, 1, DYN_F64, 2, NULL), DYN_EINVAL, "dyn_exec_bind_output", "NULL");
    CHECK_OK(ctx, dyn_exec_bind_output(e, 1, DOUBLES(sum)));
    CHECK_OK(ctx, dyn_exec_run(e));
    CHECK(product[2] == 9 && sum[1] == 4);
    dyn_plan_unref(p);          /* the executor keeps it */
    CHECK_OK(ctx, dyn_exec_run(e));
    CHECK(dyn_exec_run(NULL) == DYN_EINVAL && dyn_exec_bind(NULL, "x", DOUBLES(data)) == DYN_EINVAL);
    CHECK(dyn_exec_bind_output(NULL, 0, DOUBLES(sum)) == DYN_EINVAL);
    dyn_exec_free(e);
    CHECK(dyn_ctx_bytes(ctx) == start);
}

/* Values that no address space holds: refused with their size, before anything of that size is asked for. */
TEST(values_beyond_memory)
{
    const int64_t start = dyn_ctx_bytes(ctx), n = (int64_t)1 << 58;
    dyn_graph *g = new_graph(DYN_F64);
    const dyn_node x = dyn_graph_input(g, "x", 0, NULL);
    dyn_node y = dyn_graph_tanh(g, dyn_graph_broadcast_to(g, x, 1, &n));
    dyn_plan *p = NULL;

    for (int i = 0; i < 20; i++)
        y = dyn_graph_sin(g, y);
    REFUSED(dyn_plan_compile(g, 1, &y, NULL, &p), DYN_EFULL, "dyn_plan_compile", "bytes");
    CHECK(!p);
    dyn_graph_free(g);
    CHECK(dyn_ctx_bytes(ctx) == start);
}

/* ---- large and right ---- */

static int64_t size_of_input(const dyn_plan *p, const char *name)
{
    for (int32_t i = 0; i < dyn_plan_inputs(p); i++)
        if (!strcmp(dyn_plan_input_name(p, i), name))
            return dyn_plan_input_size(p, i, NULL);
    return 0;
}

static void run(dyn_plan *p, int inputs, const char *const *names, double *const *data, double *out)
{
    dyn_exec *e = NULL;

    CHECK_OK(ctx, dyn_exec_create(p, &e));
    for (int i = 0; i < inputs; i++)
        CHECK_OK(ctx, dyn_exec_bind(e, names[i], DYN_F64, size_of_input(p, names[i]), data[i]));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, dyn_plan_output_size(p, 0), out));
    CHECK_OK(ctx, dyn_exec_run(e));
    dyn_exec_free(e);
}

/* tanh(x) + x permuted, summed over every other axis, all in rank 8. */
TEST(rank_8)
{
    static const int32_t reversed[8] = { 7, 6, 5, 4, 3, 2, 1, 0 }, odd[4] = { 1, 3, 5, 7 };
    const int64_t two[8] = { 2, 2, 2, 2, 2, 2, 2, 2 };
    double x[256], y[16], *data[1] = { x };
    dyn_graph *g = new_graph(DYN_F64);
    const dyn_node in = dyn_graph_input(g, "x", 8, two);
    const dyn_node all = dyn_graph_add(g, dyn_graph_tanh(g, in), dyn_graph_permute(g, in, reversed));
    dyn_node out = dyn_graph_sum(g, all, 4, odd), gradient;
    dyn_plan *p = NULL;

    for (int i = 0; i < 256; i++)
        x[i] = cos(1.7 * i);
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &out, NULL, &p));
    run(p, 1, (const char *const[]){ "x" }, data, y);
    dyn_plan_unref(p);
    for (int k = 0; k < 16; k++) {
        double sum = 0;

        for (int o = 0; o < 16; o++) {
            int at = 0, back = 0;       /* axis 2a has bit a of k, axis 2a+1 bit a of o, the first axis highest */
            for (int axis = 0; axis < 8; axis++) {
                const int bit = (axis % 2 ? o : k) >> (3 - axis / 2) & 1;
                at |= bit << (7 - axis);
                back |= bit << axis;
            }
            sum += tanh(x[at]) + x[back];
        }
        CHECK_NEAR(y[k], sum, 1e-13);
    }
    CHECK_OK(ctx, dyn_graph_gradient(g, dyn_graph_mean(g, all), 1, &in, &gradient));
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &gradient, NULL, &p));
    double slope[256];
    run(p, 1, (const char *const[]){ "x" }, data, slope);
    for (int i = 0; i < 256; i++)
        CHECK_NEAR(slope[i], (2 - tanh(x[i]) * tanh(x[i])) / 256, 1e-14);
    dyn_plan_unref(p);
    dyn_graph_free(g);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { NODES = 20000 };

static dyn_node elementwise(dyn_graph *g, dyn_node x, dyn_node y) { return dyn_graph_sin(g, dyn_graph_add(g, y, x)); }
static dyn_node moved(dyn_graph *g, dyn_node x, dyn_node y)
{
    (void)x;
    return dyn_graph_permute(g, dyn_graph_sin(g, y), (int32_t[]){ 1, 0 });
}
static dyn_node multiplied(dyn_graph *g, dyn_node x, dyn_node y)
{
    return dyn_graph_sin(g, dyn_graph_matmul(g, x, y, 1, 0));
}

/* A chain of NODES nodes and its gradient, several times as long: within seconds, as no pass may be quadratic. */
TEST(twenty_thousand_nodes)
{
    dyn_node (*const links[])(dyn_graph *, dyn_node, dyn_node) = { elementwise, moved, multiplied };

    for (int i = 0; i < 3; i++) {
        const double before = seconds();
        dyn_graph *g = new_graph(DYN_F64);
        const dyn_node x = dyn_graph_input(g, "x", 2, SHAPE(4, 4));
        dyn_node y = x, gradient;
        dyn_plan *p = NULL;

        while (y >= 0 && dyn_graph_size(g) < NODES)
            y = links[i](g, x, y);
        CHECK_OK(ctx, dyn_graph_gradient(g, dyn_graph_mean(g, y), 1, &x, &gradient));
        CHECK_OK(ctx, dyn_plan_compile(g, 1, &gradient, NULL, &p));
        CHECK(dyn_graph_size(g) > 2 * NODES);
        if (seconds() - before > 20)    /* 0.1 to 0.5 s on a quiet machine; a sanitizer takes ten times that */
            TEST_FAIL("chain %d took %.1f s", i, seconds() - before);
        dyn_plan_unref(p);
        dyn_graph_free(g);
    }
}

/* One output per node, each with its own number of rows, and as many inputs. */
TEST(many_outputs)
{
    enum { MANY = 3000 };
    dyn_graph *g = new_graph(DYN_F32);
    dyn_node *out = malloc(MANY * sizeof *out);
    char name[16];
    dyn_plan *p = NULL;

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "x%d", i);
        out[i] = dyn_graph_sin(g, dyn_graph_input(g, name, 1, SHAPE(1 + i)));
    }
    CHECK_OK(ctx, dyn_plan_compile(g, MANY, out, NULL, &p));
    CHECK(dyn_plan_inputs(p) == MANY);
    dyn_plan_unref(p);
    dyn_graph_free(g);
    free(out);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(compile);
    RUN(executor);
    RUN(values_beyond_memory);
    RUN(rank_8);
    RUN(twenty_thousand_nodes);
    RUN(many_outputs);
    dyn_ctx_free(ctx);
    return test_end();
}
