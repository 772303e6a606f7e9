/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation fails in turn: building a graph, each transform of it, compiling with and without fusion, an
 * executor; an objective and each of its evaluations, whole and in chunks. */
#include "oom/oom.h"
#include "train_problem.h"

#define SHAPE(...) (const int64_t[]){ __VA_ARGS__ }

/* ---- graphs ---- */

typedef struct small { dyn_graph *g; dyn_node x, w, f, loss, v, many; } small;

static dyn_status build(dyn_ctx *ctx, small *s)
{
    dyn_graph *g = NULL;
    dyn_status status = dyn_graph_create(ctx, DYN_F64, &g);

    *s = (small){ .g = g };
    if (status < 0)
        return status;
    s->x = dyn_graph_input(g, "x", 2, SHAPE(6, 3));
    s->w = dyn_graph_parameter(g, "w", 2, SHAPE(3, 2));
    s->v = dyn_graph_input(g, "v", 2, SHAPE(3, 2));
    s->many = dyn_graph_input(g, "many", 3, SHAPE(5, 3, 2));
    if (s->v < 0 || s->many < 0)
        return s->v < 0 ? s->v : s->many;
    s->f = dyn_graph_identity(g, dyn_graph_tanh(g, dyn_graph_matmul(g, s->x, s->w, 0, 0)));
    s->loss = dyn_graph_mean(g, dyn_graph_softplus(g, s->f));
    return s->loss < 0 ? s->loss : DYN_OK;
}

typedef dyn_status (*transform)(const small *s, dyn_node *out);

static dyn_status gradient(const small *s, dyn_node *out) { return dyn_graph_gradient(s->g, s->loss, 1, &s->w, out); }
static dyn_status jvp(const small *s, dyn_node *out) { return dyn_graph_jvp(s->g, 1, &s->f, 1, &s->w, &s->v, out); }
static dyn_status vjp(const small *s, dyn_node *out) { return dyn_graph_vjp(s->g, 1, &s->f, &s->f, 1, &s->w, out); }
static dyn_status hvp(const small *s, dyn_node *out) { return dyn_graph_hvp(s->g, s->loss, 1, &s->w, &s->v, out); }
static dyn_status ggn(const small *s, dyn_node *out)
{
    return dyn_graph_ggn(s->g, s->loss, s->f, 1, &s->w, &s->v, out);
}

static dyn_status batch(const small *s, dyn_node *out)
{
    dyn_status status = hvp(s, out);
    return status < 0 ? status : dyn_graph_batch(s->g, 5, 1, out, 1, &s->v, &s->many, out);
}
static dyn_status print(const small *s, dyn_node *out)
{
    int64_t length = dyn_graph_print(s->g, 0, 1, &s->loss, NULL, 0);
    *out = s->loss;
    return length < 0 ? (dyn_status)length : DYN_OK;
}

static dyn_status compile_and_run(const small *s, dyn_node y, int unfused)
{
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    double data[30] = { 0 }, out[60], seconds[200];
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    opt.unfused = unfused;
    dyn_status status = dyn_plan_compile(s->g, 1, &y, &opt, &p);
    if (status == DYN_OK)
        status = dyn_exec_create(p, &e);
    for (int i = 0; status == DYN_OK && i < dyn_plan_inputs(p); i++)
        status = dyn_exec_bind(e, dyn_plan_input_name(p, i), DYN_F64, dyn_plan_input_size(p, i, NULL), data);
    if (status == DYN_OK)
        status = dyn_exec_bind_output(e, 0, DYN_F64, dyn_plan_output_size(p, 0), out);
    if (status == DYN_OK)
        status = dyn_exec_run(e);
    if (status == DYN_OK)
        status = dyn_plan_steps(p) <= 200 ? dyn_exec_profile(e, 1, seconds) : DYN_OK;
    CHECK((p != NULL) >= (e != NULL));
    dyn_exec_free(e);
    dyn_plan_unref(p);
    return status;
}

static dyn_status graph_work(dyn_ctx *ctx, void *arg)
{
    transform fn;
    dyn_node out = -1;
    small s;
    dyn_status status = build(ctx, &s);

    memcpy(&fn, arg, sizeof fn);
    if (status == DYN_OK)
        status = fn(&s, &out);
    for (int unfused = 0; status == DYN_OK && unfused < 2; unfused++)
        status = compile_and_run(&s, out, unfused);
    dyn_graph_free(s.g);
    return status;
}

TEST(transforms_and_plans)
{
    static const struct { const char *name; transform fn; } all[] = {
        { "gradient", gradient }, { "jvp", jvp }, { "vjp", vjp }, { "hvp", hvp }, { "ggn", ggn }, { "batch", batch },
            { "print", print },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        transform fn = all[i].fn;
        CHECK(oom_try(all[i].name, graph_work, &fn) > 20);
    }
}

/* A graph that ran out of memory once goes on as if nothing had been: its nodes are those of a graph that never did. */
TEST(graph_goes_on)
{
    oom_heap heap = { .pass = INT64_MAX };
    dyn_ctx *ctx = NULL;
    dyn_node out = -1, expected = -1;
    small s, whole;
    int failures = 0;

    CHECK(oom_create(&heap, &ctx) == DYN_OK);
    CHECK_OK(ctx, build(ctx, &whole));
    CHECK_OK(ctx, batch(&whole, &expected));
    CHECK_OK(ctx, build(ctx, &s));
    for (dyn_status status = DYN_ENOMEM; status == DYN_ENOMEM && failures < 1000; failures++) {
        heap.pass = heap.calls + failures;
        status = batch(&s, &out);
        if (status != DYN_OK)
            CHECK(status == DYN_ENOMEM);
    }
    heap.pass = INT64_MAX;
    CHECK(failures > 5 && failures < 1000);
    CHECK_OK(ctx, compile_and_run(&s, out, 0));
    dyn_graph_free(s.g);
    dyn_graph_free(whole.g);
    dyn_ctx_free(ctx);
}

/* ---- objectives ---- */

typedef dyn_status (*evaluation)(dyn_objective *o, const double *theta, double *room);

enum { VECTORS = 40 };  /* more than a block of directions */

static dyn_status apply_both(dyn_operator *A, double *room)
{
    double *y = room + VECTORS * NETWORK_SIZE;
    dyn_status s = dyn_operator_apply(A, 1, room, y);

    return s == DYN_OK ? dyn_operator_apply(A, VECTORS, room, y) : s;
}

static dyn_status value(dyn_objective *o, const double *theta, double *room)
{
    return dyn_objective_value(o, theta, room);
}

static dyn_status slope(dyn_objective *o, const double *theta, double *room)
{
    return dyn_objective_gradient(o, theta, room, NULL);
}

typedef dyn_status (*curvature_of)(dyn_objective *o, const double *theta, dyn_operator **out);

static dyn_status products(curvature_of make, dyn_objective *o, const double *theta, double *room)
{
    dyn_operator *A = NULL;
    dyn_status s = make(o, theta, &A);

    if (s == DYN_OK)
        s = apply_both(A, room);
    dyn_operator_unref(A);
    return s;
}

static dyn_status hessian(dyn_objective *o, const double *theta, double *room)
{
    return products(dyn_objective_hessian, o, theta, room);
}

static dyn_status gauss_newton(dyn_objective *o, const double *theta, double *room)
{
    return products(dyn_objective_ggn, o, theta, room);
}

static const struct { const char *name; evaluation fn; } evaluations[] = {
    { "value", value }, { "gradient", slope }, { "Hessian", hessian }, { "Gauss-Newton", gauss_newton },
    { "Jacobian", dyn_objective_jacobian }, { "sample gradients", dyn_objective_sample_gradients },
    { "predict", dyn_objective_predict }, { "accuracy", dyn_objective_accuracy },
};
enum { EVALUATIONS = sizeof evaluations / sizeof evaluations[0] };

typedef struct job { evaluation fn; int64_t limit; } job;

static dyn_status limited_network(dyn_ctx *ctx, int64_t limit, dyn_objective **out)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_objective *whole = NULL;
    dyn_array *x = NULL, *y = NULL;
    dyn_status s = try_network(ctx, DYN_F32, &whole);

    *out = NULL;
    opt.dtype = DYN_F32;
    opt.memory_limit = limit ? limit : INT64_MAX;
    if (s == DYN_OK)
        s = make_data(ctx, DYN_F32, &x, &y);
    if (s == DYN_OK)
        s = dyn_objective_create(ctx, dyn_objective_model(whole), x, y, &opt, out);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_objective_unref(whole);
    return s;
}

static dyn_status objective_work(dyn_ctx *ctx, void *arg)
{
    const job *j = arg;
    static double room[2 * VECTORS * NETWORK_SIZE];
    double theta[NETWORK_SIZE];
    dyn_objective *o = NULL;
    dyn_status s = limited_network(ctx, j->limit, &o);

    network_start(theta);
    for (int i = 0; i < VECTORS * NETWORK_SIZE; i++)
        room[i] = sin(0.1 * i);
    if (s == DYN_OK)
        s = j->fn(o, theta, room);
    dyn_objective_unref(o);
    return s;
}

TEST(whole_objectives)
{
    for (int i = 0; i < EVALUATIONS; i++)
        CHECK(oom_try(evaluations[i].name, objective_work, &(job){ evaluations[i].fn, 0 }) > 20);
}

TEST(objectives_in_chunks)
{
    for (int i = 0; i < EVALUATIONS; i++)
        CHECK(oom_try(evaluations[i].name, objective_work, &(job){ evaluations[i].fn, 2000 }) > 20);
}

/* An objective on which every evaluation has failed many times gives what a fresh one gives. */
TEST(objective_goes_on)
{
    oom_heap heap = { .pass = INT64_MAX };
    dyn_ctx *ctx = NULL;
    dyn_objective *o = NULL, *fresh = NULL;
    double theta[NETWORK_SIZE], a[2 * VECTORS * NETWORK_SIZE] = { 0 }, b[2 * VECTORS * NETWORK_SIZE] = { 0 };
    int failures = 0;

    network_start(theta);
    CHECK(oom_create(&heap, &ctx) == DYN_OK);
    CHECK_OK(ctx, try_network(ctx, DYN_F64, &o));
    CHECK_OK(ctx, try_network(ctx, DYN_F64, &fresh));
    for (int i = 0; i < EVALUATIONS; i++) {
        dyn_status s = DYN_ENOMEM;

        for (int pass = 0; s == DYN_ENOMEM && pass < 5000; pass++) {
            heap.pass = heap.calls + pass;
            s = evaluations[i].fn(o, theta, a);
            failures += s == DYN_ENOMEM;
        }
        heap.pass = INT64_MAX;
        CHECK(s == DYN_OK);
        CHECK_OK(ctx, evaluations[i].fn(fresh, theta, b));
        CHECK(memcmp(a, b, sizeof a) == 0);
    }
    CHECK(failures > 200);
    dyn_objective_unref(o);
    dyn_objective_unref(fresh);
    dyn_ctx_free(ctx);
    CHECK(heap.live == 0);
}

int main(void)
{
    RUN(transforms_and_plans);
    RUN(graph_goes_on);
    RUN(whole_objectives);
    RUN(objectives_in_chunks);
    RUN(objective_goes_on);
    return test_end();
}
