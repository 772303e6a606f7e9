/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs of one objective write and compile the steps that they have in common once, and compute what runs of objectives of
 * their own compute, to the bit. */
#include "train_problem.h"
#include "objective/impl.h"

static dyn_ctx *ctx;
enum { PARAMETERS = 3 };

/* tanh(x w) */
static dyn_node linear(void *user, dyn_build *b)
{
    dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){ PARAMETERS });

    (void)user;
    return dyn_graph_tanh(dyn_build_graph(b), dyn_graph_matmul(dyn_build_graph(b), x,
                          dyn_build_parameter(b, "w", 2, (int64_t[]){ PARAMETERS, 1 }, NULL), 0, 0));
}

typedef struct use { dyn_model *model; int written; } use;

/* Squared errors; counts how often it is written. */
static dyn_node loss(void *user, dyn_build *b)
{
    use *u = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_data(b, "x"), y = dyn_build_data(b, "y"), e;

    u->written++;
    e = dyn_graph_sub(g, dyn_build_call(b, NULL, u->model, 1, &x), y);
    return dyn_graph_reshape(g, dyn_graph_mul(g, e, e), 1, (int64_t[]){ dyn_build_samples(b) });
}

static dyn_array *numbers(int64_t columns)
{
    double values[SAMPLES * PARAMETERS];
    dyn_array *a = NULL;

    for (int i = 0; i < SAMPLES * (int)columns; i++)
        values[i] = sin(1.0 + (double)columns * i);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[2]){ SAMPLES, columns }, values, &a));
    return a;
}

static dyn_objective *make(use *u)
{
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_array *data[2] = { numbers(PARAMETERS), numbers(1) };
    dyn_objective *o = NULL;

    CHECK_OK(ctx, dyn_model_create(ctx, linear, NULL, &u->model));
    parts.models = 1;
    parts.model = &u->model;
    parts.data = 2;
    parts.array = data;
    parts.name = (const char *const[]){ "x", "y" };
    CHECK_OK(ctx, dyn_objective_from_function(ctx, loss, u, &parts, NULL, &o));
    dyn_array_unref(data[0]);
    dyn_array_unref(data[1]);
    return o;
}

static dyn_run *begin(dyn_objective *o, int64_t batch)
{
    static const double theta[PARAMETERS] = { .3, -.2, .5 };
    dyn_run *r = NULL;

    CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .05),
                                 &RUN_OPTIONS(.batch = batch, .seed = 3), theta, &r));
    return r;
}

/* Twelve steps of r are those of the first run of an objective of its own. */
static void check_against_a_fresh_one(dyn_run *r, int64_t batch)
{
    use u = { 0 };
    dyn_objective *o = make(&u);
    dyn_run *fresh = begin(o, batch);

    CHECK_OK(ctx, dyn_run_train(fresh, 12));
    check_same_theta(r, fresh, PARAMETERS);
    check_same_records(r, fresh);
    dyn_run_free(fresh);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

/* Batches of 5 of 23 samples leave a last one of 3: two plans. */
TEST(one_after_another)
{
    static const struct { int64_t batch; int writes; } cases[] = { { INT64_MAX, 1 }, { 5, 2 } };

    for (int c = 0; c < 2; c++) {
        use u = { 0 };
        dyn_objective *o = make(&u);
        const int before = u.written;
        for (int i = 0; i < 3; i++) {
            dyn_run *r = begin(o, cases[c].batch);
            CHECK(u.written == before + cases[c].writes);
            CHECK_OK(ctx, dyn_run_train(r, 12));
            check_against_a_fresh_one(r, cases[c].batch);
            dyn_run_free(r);
        }
        dyn_objective_unref(o);
        dyn_model_unref(u.model);
    }
}

/* They step in turn, each with numbers of its own; the first outlives the reference that made it. */
TEST(side_by_side)
{
    use u = { 0 };
    dyn_objective *o = make(&u);
    const int64_t batch[4] = { INT64_MAX, 5, INT64_MAX, 5 };
    const int before = u.written;
    dyn_run *r[4];

    for (int i = 0; i < 4; i++)
        r[i] = begin(o, batch[i]);
    CHECK(u.written == before + 3);
    dyn_objective_unref(o);
    for (int step = 0; step < 12; step++)
        for (int i = 0; i < 4; i++)
            CHECK_OK(ctx, dyn_run_train(r[i], 1));
    for (int i = 0; i < 4; i++) {
        check_against_a_fresh_one(r[i], batch[i]);
        dyn_run_free(r[i]);
    }
    dyn_model_unref(u.model);
}

/* Many sizes: the oldest plans go, those in use stay with their runs, and come again when they are asked for. */
TEST(more_than_are_kept)
{
    use u = { 0 };
    dyn_objective *o = make(&u);
    dyn_run *first = begin(o, 5), *again;

    for (int64_t batch = 6; batch < 14; batch++)
        dyn_run_free(begin(o, batch));
    const int before = u.written;
    again = begin(o, 5);
    CHECK(u.written == before + 2);
    CHECK_OK(ctx, dyn_run_train(first, 12));
    CHECK_OK(ctx, dyn_run_train(again, 12));
    check_against_a_fresh_one(first, 5);
    check_against_a_fresh_one(again, 5);
    dyn_run_free(first);
    dyn_run_free(again);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

/* New data is what the next run sees, as if its plans had been made for it. */
TEST(exchanged_data)
{
    use u = { 0 };
    dyn_objective *o = make(&u);
    dyn_run *r = begin(o, INT64_MAX);
    double zeros[SAMPLES] = { 0 }, first[PARAMETERS], value;
    dyn_array *y = NULL;
    int64_t rows;

    dyn_run_free(r);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[2]){ SAMPLES, 1 }, zeros, &y));
    CHECK_OK(ctx, dyn_objective_set_data(o, "y", y));
    r = begin(o, INT64_MAX);
    CHECK_OK(ctx, dyn_run_theta(r, first));
    CHECK_OK(ctx, dyn_run_train(r, 1));
    value = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double z = 0;
        for (int k = 0; k < PARAMETERS; k++)
            z += sin(1.0 + (double)PARAMETERS * (PARAMETERS * i + k)) * first[k];
        value += tanh(z) * tanh(z) / SAMPLES;
    }
    CHECK(fabs(dyn_run_history(r, "loss", &rows)[0] - value) < 1e-14);
    dyn_run_free(r);
    dyn_array_unref(y);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

/* ---- how often a run evaluates ---- */

static int evaluations;
static dyn__objective_kind counting;

static dyn_status count_step(dyn__evaluator *e, dyn__step_io *io)
{
    evaluations++;
    return dyn__graph_kind.evaluator_step(e, io);
}

static int evaluations_of(dyn_run *r, int64_t steps)
{
    evaluations = 0;
    CHECK_OK(ctx, dyn_run_train(r, steps));
    return evaluations;
}

/* What was evaluated where one call ended is not evaluated again by the next, unless something has changed. */
TEST(goes_on_from_what_is_known)
{
    use u = { 0 };
    dyn_objective *o = make(&u);
    dyn_run *r, *whole;
    double theta[PARAMETERS], other[PARAMETERS], zeros[SAMPLES] = { 0 };
    dyn_array *y = NULL;

    counting = dyn__graph_kind;
    counting.evaluator_step = count_step;
    o->kind = &counting;
    r = begin(o, INT64_MAX);
    whole = begin(o, INT64_MAX);
    CHECK(evaluations_of(r, 1) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(evaluations_of(r, 1) == 1);
    CHECK(evaluations_of(whole, 4) == 5);
    CHECK_OK(ctx, dyn_run_theta(r, theta));
    CHECK_OK(ctx, dyn_run_theta(whole, other));
    CHECK(memcmp(theta, other, sizeof theta) == 0);
    CHECK_OK(ctx, dyn_run_set_theta(r, theta));
    CHECK(evaluations_of(r, 1) == 2);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (const int64_t[2]){ SAMPLES, 1 }, zeros, &y));
    o->kind = &dyn__graph_kind;
    CHECK_OK(ctx, dyn_objective_set_data(o, "y", y));
    o->kind = &counting;
    CHECK(evaluations_of(r, 1) == 2);
    CHECK(evaluations_of(r, 1) == 2);
    dyn_array_unref(y);
    dyn_run_free(r);
    dyn_run_free(whole);
    o->kind = &dyn__graph_kind;
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

int main(void)
{
    ctx = make_ctx(2);
    RUN(one_after_another);
    RUN(side_by_side);
    RUN(more_than_are_kept);
    RUN(exchanged_data);
    RUN(goes_on_from_what_is_known);
    dyn_ctx_free(ctx);
    return test_end();
}
