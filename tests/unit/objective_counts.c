/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is spared, counted and not timed: a teacher's parameters given anew compile nothing, and the gradient of a
 * network of which a part stands still takes less arithmetic and less memory than that of the whole. */
#include <stdlib.h>
#include <string.h>
#include <dyn/dyn.h>
#include "compile/compile.h"
#include "objective/impl.h"
#include "test.h"

enum { N = 40, IN = 30, HIDDEN = 50, OUT = 5, P = (IN + 1) * HIDDEN + (HIDDEN + 1) * OUT };

static dyn_ctx *ctx;
static int64_t blocks;      /* asked for so far */

static void *count_alloc(void *user, size_t size, size_t align)
{
    (void)user;
    blocks++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void count_free(void *user, void *p, size_t size, size_t align)
{
    (void)user, (void)size, (void)align;
    free(p);
}

static dyn_array *array_of(int32_t rank, int64_t rows, int64_t columns, double phase)
{
    static double room[8][N * IN + P];
    static int used;
    double *data = room[used++ % 8];
    dyn_array *out = NULL;

    for (int64_t i = 0; i < rows * columns; i++)
        data[i] = sin(phase + 0.37 * (double)i);
    const int64_t shape[] = {rank > 1 ? rows : rows * columns, columns};
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, rank, shape, data, &out));
    return out;
}

static dyn_model *network(void)
{
    dyn_model *m = NULL;

    CHECK_OK(ctx, dyn_model_mlp(ctx, 3, (int64_t[]){IN, HIDDEN, OUT}, DYN_TANH, &m));
    return m;
}

/* ---- a teacher ---- */

/* sum_k (student(x) - teacher(x))_k^2 of each sample. */
static dyn_node distil(void *user, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_data(b, "x"), theta = dyn_build_data(b, "teacher");
    dyn_node e = dyn_graph_sub(g, dyn_build_call(b, NULL, user, 1, &x), dyn_build_call_at(b, user, theta, 1, &x));

    return dyn_graph_sum(g, dyn_graph_mul(g, e, e), 1, (const int32_t[]){1});
}

static dyn_objective *taught(dyn_model *m)
{
    dyn_array *data[2] = {array_of(2, N, IN, 0), array_of(1, 1, P, 1)};
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_objective *o = NULL;

    parts.models = 1, parts.model = &m, parts.data = 2, parts.array = data;
    parts.name = (const char *const[]){"x", "teacher"};
    parts.shared = (const int32_t[]){0, 1};
    CHECK_OK(ctx, dyn_objective_from_function(ctx, distil, m, &parts, NULL, &o));
    dyn_array_unref(data[0]);
    dyn_array_unref(data[1]);
    return o;
}

TEST(another_teacher_compiles_nothing)
{
    dyn_model *m = network();
    dyn_objective *o = taught(m);
    dyn_array *teacher = array_of(1, 1, P, 2), *student = array_of(1, 1, P, 2);
    const double *theta = dyn_array_data(student);
    double gradient[P], value;

    const int64_t before = blocks;
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, gradient, &value));
    CHECK(value > 1e-3 && blocks > before);             /* the first call compiles */
    CHECK_OK(ctx, dyn_objective_set_data(o, "teacher", teacher));
    const int64_t compiled = blocks;
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, gradient, &value));
    CHECK(blocks == compiled);
    CHECK(value == 0);                                  /* the student is the new teacher */
    for (int i = 0; i < P; i++)
        CHECK(gradient[i] == 0);
    dyn_array_unref(teacher);
    dyn_array_unref(student);
    dyn_objective_unref(o);
    dyn_model_unref(m);
}

/* ---- a part that stands still ---- */

typedef struct cost { double work; int64_t bytes; } cost;

/* Of the gradient of the mean squared error: estimated arithmetic on one core, and the bytes of an executor. */
static cost cost_of(dyn_model *m)
{
    dyn_array *x = array_of(2, N, IN, 0), *y = array_of(2, N, OUT, 1);
    dyn_node out[8] = {0};
    dyn__loss_graph l;
    dyn_objective *o = NULL;
    dyn_plan *p = NULL;
    cost c = {0};

    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, NULL, &o));
    CHECK_OK(ctx, dyn__loss_graph_make(o, N, N, 1, &l));
    CHECK_OK(ctx, dyn_graph_gradient(l.g, l.loss, l.parameters, l.parameter, out));
    CHECK_OK(ctx, dyn_plan_compile(l.g, l.parameters, out, NULL, &p));
    for (int32_t i = 0; i < p->steps; i++)
        c.work += p->step[i].work;
    c.bytes = dyn_plan_bytes(p);
    dyn_plan_unref(p);
    dyn__loss_graph_free(o, &l);
    dyn_objective_unref(o);
    dyn_array_unref(x);
    dyn_array_unref(y);
    return c;
}

TEST(what_stands_still_costs_nothing_backwards)
{
    dyn_model *m = network(), *tuned = NULL;
    dyn_array *theta = array_of(1, 1, P, 2);

    CHECK_OK(ctx, dyn_model_freeze(m, 1, (const char *const[]){"W1"}, dyn_array_data(theta), &tuned));
    const cost whole = cost_of(m), part = cost_of(tuned);
    /* of 30 x 50 + 3 x 50 x 5 multiplications for each sample and both ways, the 30 x 50 of W1's gradient are spared */
    if (!(part.work < 0.8 * whole.work && part.bytes < whole.bytes))
        TEST_FAIL("work %g of %g, bytes %d of %d", part.work, whole.work, (int)part.bytes, (int)whole.bytes);
    dyn_array_unref(theta);
    dyn_model_unref(tuned);
    dyn_model_unref(m);
}

int main(void)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;

    opt.threads = 1, opt.alloc = count_alloc, opt.free = count_free;
    if (dyn_ctx_create(&opt, &ctx) != DYN_OK)
        return 1;
    RUN(another_teacher_compiles_nothing);
    RUN(what_stands_still_costs_nothing_backwards);
    dyn_ctx_free(ctx);
    return test_end();
}
