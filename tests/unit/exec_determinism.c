/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same bits from 1, 2 and 7 threads, from repeated runs of one executor, from two executors of one plan in two
 * threads at once, and under every instruction set within itself. Between instruction sets the numbers agree to
 * rounding. */
#include <pthread.h>
#include "exec_problems.h"

static const int32_t thread_counts[] = { 1, 2, 7 };

/* The results for 1, 2, 7 threads must be one: they are returned. */
static results same_for_threads(const problem *p, int32_t isa)
{
    results first = { .number = NULL };

    for (int i = 0; i < 3; i++) {
        dyn_ctx *ctx = make_ctx(thread_counts[i], isa);
        results r = evaluate(ctx, p, i == 2);

        if (i == 0) {
            first = r;
        } else {
            if (!same_bits(&r, &first))
                TEST_FAIL("isa %d, %s, dtype %d: other bits from %d threads", (int)isa, p->digits ? "digits" : "curve",
                          (int)p->dtype, (int)thread_counts[i]);
            free(r.number);
        }
        dyn_ctx_free(ctx);
    }
    return first;
}

TEST(threads_and_reuse_whole_digits)
{
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        results r = same_for_threads(&(problem){ .digits = 1, .dtype = dtype, .samples = 1797 }, DYN_ISA_AUTO);
        free(r.number);
    }
}

TEST(instruction_sets)
{
    static const struct { const char *name; int32_t isa; } sets[] = {
        { "reference", DYN_ISA_REFERENCE }, { "vector", DYN_ISA_VECTOR }, { "AVX2", DYN_ISA_AVX2 } };

    for (int digits = 0; digits < 2; digits++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            const problem p = { .digits = digits, .dtype = dtype, .samples = !digits ? 80 : dtype == DYN_F32 ? 131 : 64 };
            results best = same_for_threads(&p, DYN_ISA_AUTO);

            for (int i = 0; i < 3; i++) {
                dyn_ctx *probe = make_ctx(1, sets[i].isa);
                results r;

                if (!probe)
                    continue;       /* not this CPU */
                dyn_ctx_free(probe);
                r = same_for_threads(&p, sets[i].isa);
                check_close(sets[i].name, &r, &best, dtype == DYN_F64 ? 1e-12 : 1e-4);
                free(r.number);
            }
            free(best.number);
        }
}

/* Loss, gradient and Hessian products within a limit; the status of the first that does not fit. */
static dyn_status derive_within(int32_t threads, const problem *p, results *r)
{
    dyn_ctx *ctx = make_ctx(threads, DYN_ISA_AUTO);
    dyn_objective *o = make_objective(ctx, p, p->samples);
    const int64_t size = dyn_objective_size(o);
    double *theta = start_of(o), *v = malloc((size_t)(DIRECTIONS * size) * sizeof *v);
    dyn_operator *A = NULL;

    directions(size, v);
    dyn_status s = dyn_objective_gradient(o, theta, r->number + r->at[GRADIENT], r->number);
    if (s == DYN_OK)
        s = dyn_objective_hessian(o, theta, &A);
    if (s == DYN_OK)
        s = dyn_operator_apply(A, 1, v, r->number + r->at[HESSIAN_1]);
    if (s == DYN_OK)
        s = dyn_operator_apply(A, DIRECTIONS, v, r->number + r->at[HESSIAN_40]);
    dyn_operator_unref(A);
    dyn_objective_unref(o);
    free(theta);
    free(v);
    dyn_ctx_free(ctx);
    return s;
}

/* A memory limit cuts the samples into chunks, the same for any number of threads. */
TEST(threads_and_memory_limits)
{
    static const int32_t counts[] = { 1, 4, 7, 64 };
    problem p = { .digits = 1, .samples = 101 };
    int fitting = 0;

    for (p.memory_limit = 150000; p.memory_limit < 40000000; p.memory_limit += p.memory_limit / 2) {
        results first = make_results(17610, 10), r = make_results(17610, 10);
        const dyn_status s = derive_within(counts[0], &p, &first);

        fitting += s == DYN_OK;
        for (int i = 1; i < 4; i++)
            if (derive_within(counts[i], &p, &r) != s || (s == DYN_OK && !same_bits(&r, &first)))
                TEST_FAIL("limit %lld: %d threads differ", (long long)p.memory_limit, (int)counts[i]);
        free(first.number);
        free(r.number);
    }
    CHECK(fitting > 5);
}

/* A block of directions is another plan than a single one; the numbers agree. */
TEST(block_and_single)
{
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);

    for (int digits = 0; digits < 2; digits++) {
        const problem p = { .digits = digits, .samples = 80 };
        results r = evaluate(ctx, &p, 0);
        const int64_t size = r.at[HESSIAN_40] - r.at[HESSIAN_1];

        for (int64_t i = 0; i < size; i++)
            CHECK_NEAR(r.number[r.at[HESSIAN_40] + i], r.number[r.at[HESSIAN_1] + i], 1e-12);
        free(r.number);
    }
    dyn_ctx_free(ctx);
}

/* ---- two executors of one plan ---- */

enum { TIMES = 60 };

typedef struct runner { dyn_exec *exec; double *theta, *out; int64_t size; int wrong; } runner;

/* Gradient of the mean of f^2 of the digits network at x, as a plan. */
static dyn_plan *gradient_plan(dyn_ctx *ctx, dyn_model *m, int64_t samples)
{
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_node parameter[8], gradient[8];
    const int32_t count = dyn_model_tensors(m);

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node f = dyn_model_build(m, g, dyn_graph_input(g, "x", 2, (int64_t[]){ samples, 64 }));
    dyn_node loss = dyn_graph_mean(g, dyn_graph_mul(g, f, f));
    for (int32_t i = 0; i < count; i++)
        parameter[i] = dyn_graph_find(g, dyn_model_tensor_name(m, i));
    CHECK_OK(ctx, dyn_graph_gradient(g, loss, count, parameter, gradient));
    CHECK_OK(ctx, dyn_plan_compile(g, count, gradient, NULL, &plan));
    dyn_graph_free(g);
    return plan;
}

static void bind_all(dyn_ctx *ctx, const dyn_plan *p, const dyn_model *m, runner *r, const double *x)
{
    int64_t offset;

    CHECK_OK(ctx, dyn_exec_bind(r->exec, "x", DYN_F64, dyn_plan_input_size(p, 0, NULL), x));
    for (int32_t i = 0; i < dyn_model_tensors(m); i++) {
        const int64_t size = dyn_plan_output_size(p, i);    /* of the gradient by the tensor */
        dyn_model_tensor(m, i, NULL, &offset);
        CHECK_OK(ctx, dyn_exec_bind(r->exec, dyn_model_tensor_name(m, i), DYN_F64, size, r->theta + offset));
        CHECK_OK(ctx, dyn_exec_bind_output(r->exec, i, DYN_F64, size, r->out + offset));
    }
}

static void *run_often(void *arg)
{
    runner *r = arg;
    double *first = malloc((size_t)r->size * sizeof *first);

    memcpy(first, r->out, (size_t)r->size * sizeof *first);     /* from a run alone */
    for (int i = 0; i < TIMES; i++) {
        memset(r->out, 0, (size_t)r->size * sizeof *first);
        r->wrong += dyn_exec_run(r->exec) != DYN_OK;
        r->wrong += memcmp(r->out, first, (size_t)r->size * sizeof *first) != 0;
    }
    free(first);
    return NULL;
}

/* A first run at a start of its own. */
static runner run_once(dyn_ctx *ctx, const dyn_model *m, dyn_plan *plan, uint64_t seed, const double *x)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    runner r = { .size = dyn_model_size(m) };

    r.theta = calloc((size_t)r.size, sizeof(double));
    r.out = calloc((size_t)r.size, sizeof(double));
    init.seed = seed;
    CHECK_OK(ctx, dyn_model_initialise(m, &init, r.theta));
    CHECK_OK(ctx, dyn_exec_create(plan, &r.exec));
    bind_all(ctx, plan, m, &r, x);
    CHECK_OK(ctx, dyn_exec_run(r.exec));
    return r;
}

static void free_runner(runner *r)
{
    dyn_exec_free(r->exec);
    free(r->theta);
    free(r->out);
}

TEST(two_executors_at_once)
{
    dyn_ctx *ctx = make_ctx(7, DYN_ISA_AUTO);
    dyn_model *m = make_model(ctx, 1);
    dyn_plan *plan = gradient_plan(ctx, m, 300);
    dyn_array *x = NULL, *y = NULL;
    runner r[2];
    pthread_t thread;

    digits_data(ctx, &x, &y);
    for (int i = 0; i < 2; i++)
        r[i] = run_once(ctx, m, plan, (uint64_t)i, dyn_array_data(x));
    CHECK(memcmp(r[0].out, r[1].out, (size_t)r[0].size * sizeof(double)) != 0);
    CHECK(pthread_create(&thread, NULL, run_often, &r[1]) == 0);
    run_often(&r[0]);
    pthread_join(thread, NULL);
    CHECK(r[0].wrong == 0 && r[1].wrong == 0);
    for (int i = 0; i < 2; i++)
        free_runner(&r[i]);
    dyn_plan_unref(plan);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(m);
    dyn_ctx_free(ctx);
}

/* ---- layers so wide that columns, not rows, are shared out ---- */

static dyn_model *wide_model(dyn_ctx *ctx)
{
    static const int64_t widths[] = { 64, 600, 530, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = NULL;

    opt.widths = widths;
    opt.widths_count = 4;
    opt.activation = DYN_TANH;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    return m;
}

static void check_wide(int64_t samples)
{
    double *first = NULL;

    for (int i = 0; i < 3; i++) {
        dyn_ctx *ctx = make_ctx(thread_counts[i], DYN_ISA_AUTO);
        dyn_model *m = wide_model(ctx);
        dyn_plan *plan = gradient_plan(ctx, m, samples);
        dyn_array *x = NULL, *y = NULL;

        digits_data(ctx, &x, &y);
        runner r = run_once(ctx, m, plan, 0, dyn_array_data(x));
        if (!first) {
            first = malloc((size_t)r.size * sizeof *first);
            memcpy(first, r.out, (size_t)r.size * sizeof *first);
        }
        CHECK(memcmp(r.out, first, (size_t)r.size * sizeof *first) == 0);
        free_runner(&r);
        dyn_plan_unref(plan);
        dyn_array_unref(x);
        dyn_array_unref(y);
        dyn_model_unref(m);
        dyn_ctx_free(ctx);
    }
    free(first);
}

TEST(threads_and_wide_layers)
{
    check_wide(50);
    check_wide(300);        /* several tiles */
}

int main(void)
{
    RUN(threads_and_reuse_whole_digits);
    RUN(instruction_sets);
    RUN(threads_and_memory_limits);
    RUN(block_and_single);
    RUN(two_executors_at_once);
    RUN(threads_and_wide_layers);
    return test_end();
}
