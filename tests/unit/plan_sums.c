/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sums of very many products, x W_1 + x W_2 + ... and x^T y_1 + x^T y_2 + ..., built from the left, from the right and
 * from equal halves: the numbers, and a stack no deeper than for a few. */
#include <pthread.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "test.h"

enum { PARTS = 4096, ROWS = 5, IN = 3, OUT = 2, STACK = 256 << 10 };
enum order { LEFT, RIGHT, HALVES };

typedef struct task { dyn_ctx *ctx; enum order order; int over_rows; double result[ROWS * OUT]; } task;

static dyn_node part(dyn_graph *g, dyn_node x, dyn_node w, int over_rows, int i)
{
    return dyn_graph_matmul(g, x, dyn_graph_scale(g, w, 1 + i), over_rows, 0);
}

static dyn_node sum_of(dyn_graph *g, dyn_node x, dyn_node w, const task *t, int from, int to)
{
    dyn_node sum = part(g, x, w, t->over_rows, from);

    if (t->order == HALVES)
        return to - from == 1 ? sum : dyn_graph_add(g, sum_of(g, x, w, t, from, (from + to) / 2),
                                                    sum_of(g, x, w, t, (from + to) / 2, to));
    for (int i = from + 1; i < to; i++) {
        const dyn_node next = part(g, x, w, t->over_rows, i);
        sum = t->order == LEFT ? dyn_graph_add(g, sum, next) : dyn_graph_add(g, next, sum);
    }
    return sum;
}

static void *run(void *arg)
{
    task *t = arg;
    double x[ROWS * IN], w[ROWS * OUT];
    dyn_graph *g = NULL;
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    for (int i = 0; i < ROWS * IN; i++)
        x[i] = i % 4;
    for (int i = 0; i < ROWS * OUT; i++)
        w[i] = 1 + i;
    CHECK_OK(t->ctx, dyn_graph_create(t->ctx, DYN_F64, &g));
    const dyn_node in = dyn_graph_input(g, "x", 2, (const int64_t[]){ ROWS, IN });
    const dyn_node weight = dyn_graph_input(g, "w", 2, (const int64_t[]){ t->over_rows ? ROWS : IN, OUT });
    const dyn_node sum = sum_of(g, in, weight, t, 0, PARTS);
    CHECK_OK(t->ctx, dyn_plan_compile(g, 1, &sum, NULL, &p));
    CHECK_OK(t->ctx, dyn_exec_create(p, &e));
    CHECK_OK(t->ctx, dyn_exec_bind(e, "x", DOUBLES(x)));
    CHECK_OK(t->ctx, dyn_exec_bind(e, "w", DYN_F64, (t->over_rows ? ROWS : IN) * OUT, w));
    CHECK_OK(t->ctx, dyn_exec_bind_output(e, 0, DYN_F64, dyn_plan_output_size(p, 0), t->result));
    CHECK_OK(t->ctx, dyn_exec_run(e));
    dyn_exec_free(e);
    dyn_plan_unref(p);
    dyn_graph_free(g);
    return NULL;
}

static void check(const task *t)
{
    const int rows = t->over_rows ? IN : ROWS, inner = t->over_rows ? ROWS : IN;
    double factor = 0;

    for (int i = 0; i < PARTS; i++)
        factor += 1 + i;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < OUT; c++) {
            double want = 0;
            for (int k = 0; k < inner; k++)
                want += (t->over_rows ? k * IN + r : r * IN + k) % 4 * (1 + k * OUT + c);
            CHECK(t->result[r * OUT + c] == factor * want);
        }
}

TEST(many_parts)
{
    dyn_ctx *ctx = NULL;
    pthread_attr_t attr;

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    pthread_attr_init(&attr);
    CHECK(pthread_attr_setstacksize(&attr, STACK) == 0);
    for (int i = 0; i < 6; i++) {
        task t = { .ctx = ctx, .order = i % 3, .over_rows = i / 3 };
        pthread_t thread;
        CHECK(pthread_create(&thread, &attr, run, &t) == 0);
        pthread_join(thread, NULL);
        check(&t);
    }
    pthread_attr_destroy(&attr);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(many_parts);
    return test_end();
}
