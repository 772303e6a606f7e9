/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Thirty steps of Adam on the digits and on a curve: the same theta, bit for bit, from 1, 2 and 7 threads, and from a
 * run stopped at a random step, saved, and loaded into a context of other threads. Under every instruction set. */
#include <unistd.h>
#include "exec_problems.h"
#include "optimizers.h"

enum { STEPS = 30 };

typedef struct trained { int64_t size; double *theta; double loss[STEPS + 1]; } trained;

static const dyn_optimizer_options adam = OPTIMIZER_OPTIONS(.kind = DYN_OPTIMIZER_ADAM, .rate = 0.01);

static dyn_run_options run_options(const problem *p)
{
    dyn_run_options o = DYN_RUN_OPTIONS_INIT;

    o.steps = STEPS;
    o.batch = p->digits ? 150 : INT64_MAX;
    o.seed = 5;
    return o;
}

static dyn_run *start(dyn_ctx *ctx, const problem *p)
{
    const dyn_run_options opt = run_options(p);
    dyn_objective *o = make_objective(ctx, p, p->samples);
    double *theta = start_of(o);
    dyn_run *r = NULL;

    CHECK_OK(ctx, dyn_run_create(o, &adam, &opt, theta, &r));
    dyn_objective_unref(o);
    free(theta);
    return r;
}

static trained finish(dyn_ctx *ctx, dyn_run *r)
{
    trained t = { .size = dyn_objective_size(dyn_run_objective(r)) };
    int64_t rows = 0;

    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    t.theta = malloc((size_t)t.size * sizeof *t.theta);
    CHECK_OK(ctx, dyn_run_theta(r, t.theta));
    const double *loss = dyn_run_history(r, "loss", &rows);
    CHECK(rows == STEPS + 1);
    memcpy(t.loss, loss, (size_t)(rows < STEPS + 1 ? rows : STEPS + 1) * sizeof *loss);
    dyn_run_free(r);
    return t;
}

static int same(const trained *a, const trained *b)
{
    return memcmp(a->theta, b->theta, (size_t)a->size * sizeof *a->theta) == 0
        && memcmp(a->loss, b->loss, sizeof a->loss) == 0;
}

static trained train(const problem *p, int32_t threads, int32_t isa)
{
    dyn_ctx *ctx = make_ctx(threads, isa);
    trained t = finish(ctx, start(ctx, p));

    dyn_ctx_free(ctx);
    return t;
}

/* To step `stop` with some threads, the rest with others. Returns DYN_ENOTSUP where checkpoints cannot be written. */
static dyn_status interrupted(const problem *p, int64_t stop, int32_t before, int32_t after, int32_t isa, trained *out)
{
    const dyn_run_options opt = run_options(p);
    char path[] = "/tmp/dyn-exec-XXXXXX";
    dyn_ctx *ctx = make_ctx(before, isa);
    dyn_run *r = start(ctx, p);
    dyn_status s;
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    close(fd);
    CHECK_OK(ctx, dyn_run_train(r, stop));
    s = dyn_run_save(r, path);
    dyn_run_free(r);
    dyn_ctx_free(ctx);
    if (s == DYN_OK) {
        ctx = make_ctx(after, isa);
        dyn_objective *o = make_objective(ctx, p, p->samples);
        CHECK_OK(ctx, dyn_run_load(o, &adam, &opt, path, &r));
        CHECK(dyn_run_step(r) == stop);
        *out = finish(ctx, r);
        dyn_objective_unref(o);
        dyn_ctx_free(ctx);
    }
    unlink(path);
    return s;
}

static void check_problem(const problem *p, int32_t isa)
{
    trained one = train(p, 1, isa), two = train(p, 2, isa), seven = train(p, 7, isa), resumed;
    double draw = 0;

    CHECK(same(&one, &two) && same(&one, &seven));
    CHECK(one.loss[STEPS] < one.loss[0]);
    for (uint64_t k = 0; k < 2; k++) {
        dyn_ctx *ctx = make_ctx(1, DYN_ISA_AUTO);
        CHECK_OK(ctx, dyn_random_uniform(ctx, 99 + k, (uint32_t)p->digits, 0, 1, &draw));
        dyn_ctx_free(ctx);
        dyn_status s = interrupted(p, 1 + (int64_t)(draw * (STEPS - 1)), 7, 2, isa, &resumed);
        if (s == DYN_ENOTSUP)
            break;
        CHECK(s == DYN_OK && same(&one, &resumed));
        if (s == DYN_OK)
            free(resumed.theta);
    }
    free(one.theta);
    free(two.theta);
    free(seven.theta);
}

static void check_all(int32_t isa)
{
    dyn_ctx *ctx = make_ctx(1, isa);

    dyn_ctx_free(ctx);
    for (int digits = 0; ctx && digits < 2; digits++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++)
            check_problem(&(problem){ .digits = digits, .dtype = dtype,
                                      .samples = !digits ? 80 : isa == DYN_ISA_AUTO ? 1797 : 400 }, isa);
}

TEST(best_instruction_set) { check_all(DYN_ISA_AUTO); }
TEST(avx2) { check_all(DYN_ISA_AVX2); }
TEST(vector) { check_all(DYN_ISA_VECTOR); }
TEST(reference) { check_all(DYN_ISA_REFERENCE); }

int main(void)
{
    RUN(best_instruction_set);
    RUN(avx2);
    RUN(vector);
    RUN(reference);
    return test_end();
}
