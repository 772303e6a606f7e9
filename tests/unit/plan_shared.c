/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans that contexts share: equal graphs have one, whichever context and thread asks; anything that may change a result
 * makes another; executors are their own contexts'; and nothing is left, in whatever order all goes. */
#include <pthread.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "compile/shared.h"
#include "base/shelf.h"
#include "test.h"

enum { N = 5, MANY = 70 };

/* What a graph is made of: x of this name and size, times an array, to a power. */
typedef struct recipe { const char *name; int64_t size; double array, power; int32_t dtype; } recipe;
static const recipe plain = { "x", N, 3, 2, DYN_F64 };

/* ---- contexts whose memory is counted ---- */

static _Atomic int64_t live;

static void *take(void *user, size_t size, size_t align)
{
    (void)user;
    atomic_fetch_add(&live, (int64_t)size);
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void give(void *user, void *p, size_t size, size_t align)
{
    (void)user, (void)align;
    atomic_fetch_sub(&live, (int64_t)size);
    free(p);
}

static dyn_ctx *make_ctx(int threads)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *c = NULL;

    o.threads = threads, o.alloc = take, o.free = give;
    CHECK(dyn_ctx_create(&o, &c) == DYN_OK);
    return c;
}

static dyn_ctx *sharing(dyn_ctx *keeper, int threads)
{
    dyn_ctx *c = make_ctx(threads);

    CHECK_OK(c, dyn_sweep_share_plans(c, keeper));
    return c;
}

/* ---- plans ---- */

/* sum_i (a_i x_i)^power, a_0 = array, others 1; the plan of its outputs, `threads` asked for. */
static dyn_plan *plan_of(dyn_ctx *c, const recipe *r, int32_t outputs, int32_t threads)
{
    double a[MANY + N];
    dyn_graph *g = NULL;
    dyn_plan *p = NULL;
    dyn_node out[2];

    for (int i = 0; i < r->size; i++)
        a[i] = i ? 1 : r->array;
    CHECK_OK(c, dyn_graph_create(c, r->dtype, &g));
    const dyn_node x = dyn_graph_input(g, r->name, 1, &r->size);
    out[1] = dyn_graph_mul(g, x, dyn_graph_constant_array(g, 1, &r->size, a));
    out[0] = dyn_graph_sum(g, dyn_graph_pow(g, out[1], r->power), 1, (const int32_t[]){ 0 });
    CHECK_OK(c, dyn__compile_shared(g, outputs, out, &(dyn__compile_options){ .threads = threads }, &p));
    dyn_graph_free(g);
    return p;
}

static double run(dyn_ctx *c, dyn_plan *p)
{
    const double x[N] = { 1, 2, 3, 4, 5 };
    double sum = 0;
    dyn_exec *e = NULL;

    CHECK_OK(c, dyn__exec_create(c, p, &e));
    CHECK_OK(c, dyn_exec_bind(e, "x", DOUBLES(x)));
    CHECK_OK(c, dyn_exec_bind_output(e, 0, DYN_F64, 1, &sum));
    CHECK_OK(c, dyn_exec_run(e));
    dyn_exec_free(e);
    return sum;
}

TEST(equal_graphs_have_one_plan)
{
    dyn_ctx *keeper = make_ctx(1), *a = sharing(keeper, 1), *b = sharing(keeper, 1);
    dyn_plan *p = plan_of(a, &plain, 1, 0), *q = plan_of(b, &plain, 1, 0), *own = plan_of(keeper, &plain, 1, 0);

    CHECK(p == q && own != p);
    CHECK(run(a, p) == 9 + 4 + 9 + 16 + 25 && run(b, q) == run(keeper, own));
    dyn_plan_unref(p);
    dyn_plan_unref(q);
    dyn_plan_unref(own);
    dyn_ctx_free(a);
    q = plan_of(b, &plain, 1, 0);       /* a's plan outlives it */
    CHECK(q == p && run(b, q) == 63);
    dyn_plan_unref(q);
    dyn_ctx_free(b);
    dyn_ctx_free(keeper);
    CHECK(live == 0);
}

TEST(whatever_decides_a_result_makes_another)
{
    const recipe others[] = { { "z", N, 3, 2, DYN_F64 }, { "x", N + 1, 3, 2, DYN_F64 }, { "x", N, 4, 2, DYN_F64 },
                              { "x", N, 3, 3, DYN_F64 }, { "x", N, 3, 2, DYN_F32 } };
    dyn_ctx *keeper = make_ctx(1), *a = sharing(keeper, 1), *b = sharing(keeper, 1), *two = sharing(keeper, 2);
    dyn_plan *p = plan_of(a, &plain, 1, 0), *q;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        q = plan_of(b, &others[i], 1, 0);
        CHECK(q != p);
        dyn_plan_unref(q);
    }
    q = plan_of(b, &plain, 2, 0);
    CHECK(q != p);
    dyn_plan_unref(q);
    q = plan_of(two, &plain, 1, 0);     /* its executors have memory for two workers */
    CHECK(q != p);
    dyn_plan_unref(q);
    q = plan_of(two, &plain, 1, 1);
    CHECK(q != p);
    dyn_plan_unref(q);
    dyn_plan_unref(p);
    dyn_ctx_free(two);
    dyn_ctx_free(b);
    dyn_ctx_free(a);
    dyn_ctx_free(keeper);
    CHECK(live == 0);
}

TEST(the_least_used_makes_room)
{
    dyn_ctx *keeper = make_ctx(1), *a = sharing(keeper, 1);
    dyn_plan *first = plan_of(a, &plain, 1, 0), *second, *again;
    recipe r = plain;

    r.size = N + 1;
    second = plan_of(a, &r, 1, 0);
    for (int i = 2; i < MANY; i++) {
        r.size = N + i;
        dyn_plan_unref(plan_of(a, &r, 1, 0));
        again = plan_of(a, &plain, 1, 0);
        CHECK(again == first);
        dyn_plan_unref(again);
    }
    r.size = N + 1;
    again = plan_of(a, &r, 1, 0);
    CHECK(again != second);
    dyn_plan_unref(again);
    dyn_plan_unref(second);
    dyn_plan_unref(first);
    dyn_ctx_free(a);
    dyn_ctx_free(keeper);
    CHECK(live == 0);
}

TEST(the_keeper_may_go_first)
{
    dyn_ctx *keeper = make_ctx(1), *a = sharing(keeper, 1), *b = sharing(keeper, 1);
    dyn_plan *p = plan_of(a, &plain, 1, 0), *q;

    dyn_ctx_free(keeper);
    q = plan_of(b, &plain, 1, 0);
    CHECK(q != p && run(a, p) == 63 && run(b, q) == 63);
    dyn_plan_unref(p);
    dyn_plan_unref(q);
    dyn_ctx_free(a);
    dyn_ctx_free(b);
    CHECK(live == 0);
}

typedef struct worker { pthread_t thread; dyn_ctx *keeper; int bad; } worker;

static void *work(void *arg)
{
    worker *w = arg;

    for (int round = 0; round < 20; round++) {
        dyn_ctx *c = sharing(w->keeper, 1);
        recipe r = plain;
        for (int i = 0; i < 5; i++) {
            r.array = 1 + i;
            dyn_plan *p = plan_of(c, &r, 1, 0);
            w->bad += run(c, p) != r.array * r.array + 54;
            dyn_plan_unref(p);
        }
        dyn_ctx_free(c);
    }
    return NULL;
}

TEST(from_many_threads)
{
    worker w[4];
    dyn_ctx *keeper = make_ctx(1);

    for (int i = 0; i < 4; i++) {
        w[i] = (worker){ .keeper = keeper };
        CHECK(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(w[i].thread, NULL);
        CHECK(w[i].bad == 0);
    }
    dyn_ctx_free(keeper);
    CHECK(live == 0);
}

TEST(what_is_refused)
{
    dyn_ctx *keeper = make_ctx(1), *a = sharing(keeper, 1);

    CHECK(dyn_sweep_share_plans(NULL, keeper) == DYN_EINVAL);
    CHECK(dyn_sweep_share_plans(keeper, NULL) == DYN_EINVAL);
    CHECK(dyn_sweep_share_plans(keeper, keeper) == DYN_EINVAL);
    CHECK(dyn_sweep_share_plans(a, keeper) == DYN_EINVAL);
    CHECK(strcmp(dyn_ctx_message(a), "dyn_sweep_share_plans: the context shares plans already") == 0);
    dyn_ctx_free(a);
    dyn_ctx_free(keeper);
    CHECK(live == 0);
}

int main(void)
{
    RUN(equal_graphs_have_one_plan);
    RUN(whatever_decides_a_result_makes_another);
    RUN(the_least_used_makes_room);
    RUN(the_keeper_may_go_first);
    RUN(from_many_threads);
    RUN(what_is_refused);
    return test_end();
}
