/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives of functions of models and data, in C: values and derivatives in closed form, what joins samples, states, what
 * a build function may not do. */
#include <math.h>
#include <string.h>
#include <dyn/dyn.h>
#include "test.h"

static dyn_ctx *ctx;

enum { N = 6 };
static const double xs[N][2] = {{1, 2}, {-1, 0.5}, {0.3, -2}, {2, 1}, {-0.7, -1}, {0, 1}};
static const double ys[N] = {1, -1, 0.5, 2, 0, -0.5};

static dyn_array *wrapped(const void *data, int32_t dtype, int32_t rank, int64_t a, int64_t b)
{
    dyn_array *out = NULL;

    CHECK_OK(ctx, dyn_array_wrap(ctx, dtype, rank, (int64_t[]){a, b}, data, &out));
    return out;
}

/* f = x w, with a gain of its own initialisation. */
static dyn_node linear(void *user, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_init_options one = DYN_INIT_OPTIONS_INIT;
    dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){2});

    (void)user;
    one.kind = DYN_INIT_CONSTANT;
    one.scale = 1;
    dyn_node w = dyn_build_parameter(b, "w", 2, (int64_t[]){2, 1}, NULL);
    dyn_node gain = dyn_build_parameter(b, "gain", 1, (int64_t[]){1}, &one);
    return dyn_graph_mul(g, dyn_graph_matmul(g, x, w, 0, 0), gain);
}

static dyn_model *linear_model(void)
{
    dyn_model *m = NULL;

    CHECK_OK(ctx, dyn_model_create(ctx, linear, NULL, &m));
    return m;
}

typedef struct use { dyn_model *model; int centred, twice, penalty, stray; } use;

/* (f - y)^2 of each sample; centred: less its mean over the batch; a penalty |w| gain^2 of the outputs at data "one". */
static dyn_node loss(void *user, dyn_build *b)
{
    const use *u = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_data(b, "x"), y = dyn_build_data(b, "y"), f;
    const int64_t n = dyn_build_samples(b);

    if (u->stray)
        return dyn_graph_input(g, "stray", 1, &n);
    f = dyn_graph_reshape(g, dyn_build_call(b, NULL, u->model, 1, &x), 1, &n);
    if (u->twice)
        f = dyn_graph_add(g, f, dyn_graph_reshape(g, dyn_build_call(b, NULL, u->model, 1, &x), 1, &n));
    if (u->centred)
        f = dyn_graph_sub(g, f, dyn_graph_mean(g, f));
    dyn_node e = dyn_graph_sub(g, f, y), square = dyn_graph_mul(g, e, e);
    if (u->penalty) {
        dyn_node one = dyn_build_data(b, "one");
        CHECK_OK(ctx, dyn_build_term(b, "fit", square, 1));
        return dyn_build_term(b, "size", dyn_graph_mean(g, dyn_graph_mul(g, one, one)), 3);
    }
    return square;
}

static dyn_objective *made(use *u, dyn_status expected, int64_t memory_limit)
{
    static const double one[2] = {2, 2};
    const char *const names[3] = {"x", "y", "one"};
    dyn_array *const arrays[3] = {wrapped(xs, DYN_F64, 2, N, 2), wrapped(ys, DYN_F64, 1, N, 0), wrapped(one, DYN_F64, 1, 2, 0)};
    const int32_t shared[3] = {0, 0, 1};
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_objective *o = NULL;

    parts.models = 1;
    parts.model = &u->model;
    parts.data = 3;
    parts.array = arrays;
    parts.name = names;
    parts.shared = shared;
    if (memory_limit > 0)
        opt.memory_limit = memory_limit;
    CHECK(dyn_objective_from_function(ctx, loss, u, &parts, &opt, &o) == expected);
    CHECK((o != NULL) == (expected == DYN_OK));
    for (int i = 0; i < 3; i++)
        dyn_array_unref(arrays[i]);
    return o;
}

static double expected_loss(const double theta[3], double factor, double *gradient)
{
    double sum = 0;

    memset(gradient, 0, 3 * sizeof *gradient);
    for (int i = 0; i < N; i++) {
        const double z = xs[i][0] * theta[0] + xs[i][1] * theta[1], e = factor * theta[2] * z - ys[i];
        sum += e * e / N;
        for (int k = 0; k < 2; k++)
            gradient[k] += 2 * e * factor * theta[2] * xs[i][k] / N;
        gradient[2] += 2 * e * factor * z / N;
    }
    return sum;
}

static void check_against(dyn_objective *o, double factor)
{
    const double theta[3] = {0.7, -0.4, 1.5};
    double value, gradient[3], right[3];

    const double expected = expected_loss(theta, factor, right);
    CHECK_OK(ctx, dyn_objective_gradient(o, theta, gradient, &value));
    CHECK_NEAR(value, expected, 1e-14);
    for (int k = 0; k < 3; k++)
        CHECK_NEAR(gradient[k], right[k], 1e-13);
}

TEST(values_and_gradients)
{
    use u = {.model = linear_model()};
    double theta[3];

    CHECK_OK(ctx, dyn_model_initialise(u.model, NULL, theta));
    CHECK(theta[2] == 1 && theta[0] != 1);
    dyn_objective *o = made(&u, DYN_OK, 0);
    check_against(o, 1);
    CHECK(dyn_objective_samples(o) == N && dyn_objective_outputs(o) == 1 && dyn_objective_coupling(o, 0) == NULL);
    dyn_objective_unref(o);
    u.twice = 1;
    o = made(&u, DYN_OK, 0);
    check_against(o, 2);        /* one set of parameters */
    CHECK(dyn_objective_size(o) == 3 && dyn_objective_outputs(o) == 0);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

TEST(what_joins_samples)
{
    use u = {.model = linear_model(), .centred = 1};
    const double theta[3] = {0.7, -0.4, 1.5};
    double rows[N * 3];
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_run *run;
    dyn_objective *o = made(&u, DYN_OK, 0);

    CHECK_STR(dyn_objective_coupling(o, 0), "a sum of shape []");
    CHECK(dyn_objective_sample_gradients(o, theta, rows) == DYN_ENOTSUP);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_objective_sample_gradients: gradients of samples: the loss joins samples at node");
    CHECK(dyn_objective_jacobian(o, theta, rows) == DYN_ENOTSUP);
    opt.batch = 4;
    CHECK(dyn_run_create(o, NULL, &opt, theta, &run) == DYN_ENOTSUP && !run);
    CHECK_STR(dyn_ctx_message(ctx), "2 of 4 samples, and the loss joins samples");
    opt.drop_last = 1;
    CHECK_OK(ctx, dyn_run_create(o, NULL, &opt, theta, &run));
    dyn_run_free(run);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

TEST(terms)
{
    use u = {.model = linear_model(), .penalty = 1};
    const double theta[3] = {0.7, -0.4, 1.5};
    double terms[2], value, right[3];
    dyn_objective *o = made(&u, DYN_OK, 0);

    CHECK(dyn_objective_terms(o) == 2 && !strcmp(dyn_objective_term_name(o, 1), "size"));
    CHECK_OK(ctx, dyn_objective_term_values(o, theta, terms));
    CHECK_OK(ctx, dyn_objective_value(o, theta, &value));
    CHECK_NEAR(terms[0], expected_loss(theta, 1, right), 1e-14);
    CHECK_NEAR(terms[1], 4, 1e-15);
    CHECK_NEAR(value, terms[0] + 12, 1e-13);
    dyn_objective_unref(o);
    dyn_model_unref(u.model);
}

TEST(inputs_without_a_role_are_refused)
{
    use u = {.model = linear_model(), .stray = 1};

    made(&u, DYN_EUSER, 0);
    CHECK_STR(dyn_ctx_message(ctx), "made an input \"stray\" of the graph");
    dyn_model_unref(u.model);
}

TEST(sums)
{
    use u = {.model = linear_model()}, v = {.model = u.model, .twice = 1};
    dyn_objective *parts[2] = {made(&u, DYN_OK, 0), made(&v, DYN_OK, 0)}, *sum = NULL;
    const double weights[2] = {0.5, 2}, theta[3] = {0.7, -0.4, 1.5};
    double value, gradient[3], a[3], b[3], direction[3] = {1, -2, 0.5}, image[3], ia[3], ib[3];
    dyn_operator *H = NULL, *A = NULL, *B = NULL;

    CHECK_OK(ctx, dyn_objective_sum(ctx, 2, parts, weights, &sum));
    CHECK(dyn_objective_size(sum) == 3);
    CHECK_OK(ctx, dyn_objective_gradient(sum, theta, gradient, &value));
    CHECK_NEAR(value, 0.5 * expected_loss(theta, 1, a) + 2 * expected_loss(theta, 2, b), 1e-13);
    for (int k = 0; k < 3; k++)
        CHECK_NEAR(gradient[k], 0.5 * a[k] + 2 * b[k], 1e-13);
    CHECK_OK(ctx, dyn_objective_hessian(sum, theta, &H));
    CHECK_OK(ctx, dyn_objective_hessian(parts[0], theta, &A));
    CHECK_OK(ctx, dyn_objective_hessian(parts[1], theta, &B));
    CHECK_OK(ctx, dyn_operator_apply(H, 1, direction, image));
    CHECK_OK(ctx, dyn_operator_apply(A, 1, direction, ia));
    CHECK_OK(ctx, dyn_operator_apply(B, 1, direction, ib));
    for (int k = 0; k < 3; k++)
        CHECK_NEAR(image[k], 0.5 * ia[k] + 2 * ib[k], 1e-12);
    dyn_operator_unref(H);
    dyn_operator_unref(A);
    dyn_operator_unref(B);
    dyn_objective_unref(sum);
    dyn_objective_unref(parts[0]);
    dyn_objective_unref(parts[1]);
    dyn_model_unref(u.model);
}

/* ---- one model in another, a state ---- */

static dyn_node nested(void *user, dyn_build *b)
{
    dyn_model *inner = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){2}), f = dyn_build_call(b, "inner", inner, 1, &x);

    return dyn_graph_add(g, f, dyn_build_parameter(b, "shift", 1, (int64_t[]){1}, NULL));
}

TEST(a_model_in_a_model)
{
    dyn_model *inner = linear_model(), *m = NULL;
    int64_t offset;

    CHECK_OK(ctx, dyn_model_create(ctx, nested, inner, &m));
    CHECK(dyn_model_size(m) == 4 && dyn_model_tensors(m) == 3);
    CHECK_STR(dyn_model_tensor_name(m, 0), "inner.w");
    CHECK_STR(dyn_model_tensor_name(m, 2), "shift");
    CHECK(dyn_model_tensor(m, 1, NULL, &offset) == 1 && offset == 2);
    double theta[4];
    CHECK_OK(ctx, dyn_model_initialise(m, NULL, theta));
    CHECK(theta[2] == 1);       /* the inner model's own initialisation */
    dyn_model_unref(m);
    dyn_model_unref(inner);
}

TEST(a_model_that_stands_still_in_part)
{
    const char *const w[1] = {"w"}, *const none[1] = {"v*"}, *const all[1] = {"*"};
    const double theta[3] = {0.7, -0.4, 1.5}, gain = 2;
    double whole[3], part;
    dyn_model *m = linear_model(), *tuned = NULL;

    CHECK(dyn_model_freeze(m, 1, none, theta, &tuned) == DYN_EINVAL && !tuned);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_model_freeze: no tensor's name matches \"v*\"");
    CHECK(dyn_model_freeze(m, 1, all, theta, &tuned) == DYN_EINVAL && !tuned);
    CHECK_OK(ctx, dyn_model_freeze(m, 1, w, theta, &tuned));
    CHECK(dyn_model_size(tuned) == 1);
    CHECK_STR(dyn_model_tensor_name(tuned, 0), "gain");
    CHECK_OK(ctx, dyn_model_expand(tuned, &gain, whole));
    CHECK(whole[0] == 0.7 && whole[1] == -0.4 && whole[2] == 2);
    CHECK_OK(ctx, dyn_model_contract(tuned, theta, &part));
    CHECK(part == 1.5);
    CHECK(dyn_model_expand(m, theta, whole) == DYN_EINVAL);

    use u = {.model = tuned};
    double value, slope, right[3];
    dyn_objective *o = made(&u, DYN_OK, 0);
    CHECK_OK(ctx, dyn_objective_gradient(o, &part, &slope, &value));
    CHECK_NEAR(value, expected_loss(theta, 1, right), 1e-14);
    CHECK_NEAR(slope, right[2], 1e-13);
    dyn_objective_unref(o);
    dyn_model_unref(tuned);
    dyn_model_unref(m);
}

/* The state counts steps: s <- s + 1, and f = w x s. */
static dyn_node counting(void *user, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){2}), s = dyn_build_state(b, "s", 1, (int64_t[]){1}, 1);

    (void)user;
    if (dyn_build_training(b))
        dyn_build_update(b, s, dyn_graph_add(g, s, dyn_graph_constant(g, 1, 0, NULL)));
    dyn_node w = dyn_graph_parameter(g, "w", 2, (int64_t[]){2, 1});
    return dyn_graph_mul(g, dyn_graph_matmul(g, x, w, 0, 0), s);
}

static int32_t look(void *user, const dyn_run_view *at)
{
    double measured;

    (void)user;
    CHECK_OK(ctx, dyn_objective_value(dyn_run_objective(at->run), at->theta, &measured));
    CHECK_NEAR(measured, at->loss, 1e-12 * (1 + fabs(at->loss)));     /* both with the state of this step */
    double sum = 0;
    for (int i = 0; i < N; i++) {
        const double e = (xs[i][0] + xs[i][1]) * (double)(at->step + 1) - ys[i];
        sum += e * e / N;
    }
    CHECK_NEAR(at->loss, sum, 1e-11);
    return 0;
}

TEST(states_move_with_the_steps)
{
    dyn_array *x = wrapped(xs, DYN_F64, 2, N, 2), *y = wrapped(ys, DYN_F64, 1, N, 0);
    dyn_model *m = NULL;
    dyn_objective *o = NULL;
    dyn_run *run = NULL;
    dyn_optimizer_options still = DYN_OPTIMIZER_OPTIONS_INIT;
    const double theta[2] = {1, 1};

    CHECK_OK(ctx, dyn_model_create(ctx, counting, NULL, &m));
    CHECK(dyn_model_state_size(m) == 1);
    CHECK_OK(ctx, dyn_objective_create(ctx, m, x, y, NULL, &o));
    still.rate = 0;
    CHECK_OK(ctx, dyn_run_create(o, &still, NULL, theta, &run));
    CHECK_OK(ctx, dyn_run_observe(run, look, NULL, NULL));
    CHECK_OK(ctx, dyn_run_train(run, 4));
    dyn_run_free(run);
    dyn_objective_unref(o);
    dyn_model_unref(m);
    dyn_array_unref(x);
    dyn_array_unref(y);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(values_and_gradients);
    RUN(what_joins_samples);
    RUN(terms);
    RUN(inputs_without_a_role_are_refused);
    RUN(sums);
    RUN(a_model_in_a_model);
    RUN(a_model_that_stands_still_in_part);
    RUN(states_move_with_the_steps);
    CHECK(dyn_ctx_bytes(ctx) >= 0);
    dyn_ctx_free(ctx);
    return test_end();
}
