/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation fails in turn: models and losses of one's own with all that a build function can write, models that are
 * frozen, centred, with other states, and an objective of each kind. Families: family_models.c. */
#include "oom/oom.h"
#include "oom/then.h"
#include "train_problem.h"

enum { HIDDEN = 3, STATES = 1 + HIDDEN };

/* tanh(x W) with a running mean, dropout, a number at random, a start of its own and a name. */
static dyn_node network(void *user, dyn_build *b)
{
    const dyn_init_options ones = { .struct_size = sizeof ones, .kind = DYN_INIT_CONSTANT, .scale = 1,
                                    .bias_kind = DYN_INIT_AS_WEIGHTS };
    const double start[HIDDEN] = { 1, 2, 3 };
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 1, (int64_t[]){2}), keep = dyn_build_bernoulli(b, .5, 0, NULL);
    dyn_node w = dyn_build_parameter(b, "W1", 2, (int64_t[]){2, HIDDEN}, NULL);
    dyn_node v = dyn_build_parameter(b, "W2", 2, (int64_t[]){HIDDEN, 1}, &ones);
    dyn_node mean = dyn_build_state(b, "mean", 0, NULL, 0), scale = dyn_build_state_from(b, "scale", 1,
                                                                                        (int64_t[]){HIDDEN}, start);
    dyn_status s;
    dyn_node h = dyn_build_name(b, "h", dyn_graph_tanh(g, dyn_graph_matmul(g, x, w, 0, 0)));

    (void)user;
    h = dyn_graph_mul(g, h, dyn_graph_add(g, scale, dyn_graph_scale(g, keep, .1)));
    s = dyn_build_training(b) ? dyn_build_update(b, mean, dyn_graph_mean(g, h)) : DYN_OK;
    return s < 0 ? s : dyn_graph_matmul(g, dyn_graph_sub(g, h, mean), v, 0, 0);
}

static dyn_node plain(void *user, dyn_graph *g, dyn_node x)
{
    dyn_node w = dyn_graph_parameter(g, "W", 2, (int64_t[]){2, 1});

    (void)user;
    return dyn_graph_tanh(g, dyn_graph_matmul(g, x, w, 0, 0));
}

/* Squared error and a second term; one residual marked. */
static dyn_node loss(void *user, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_data(b, "x"), y = dyn_build_data(b, "y");
    dyn_node f = dyn_graph_reshape(g, dyn_build_call(b, "f", user, 1, &x), 1, (int64_t[]){dyn_build_samples(b)});
    dyn_node e = dyn_build_residual(b, dyn_graph_sub(g, f, y));

    const dyn_status s = dyn_build_term(b, "absolute", dyn_graph_abs(g, e), .5);
    return s < 0 ? s : dyn_graph_mul(g, e, e);
}

static dyn_status make(dyn_ctx *ctx, dyn_model **m)
{
    return dyn_model_create(ctx, network, NULL, m);
}

static dyn_status models(dyn_ctx *ctx, void *arg)
{
    const char *frozen[] = { "W1" };
    const int64_t two = 2;
    double theta[3 * HIDDEN] = { 1 }, whole[3 * HIDDEN], part[HIDDEN], states[STATES];
    dyn_model *m[5] = { NULL };
    dyn_status s = make(ctx, &m[0]);

    (void)arg;
    THEN(dyn_model_initialise(m[0], NULL, theta));
    THEN(dyn_model_initial_states(m[0], states));
    THEN(dyn_model_freeze(m[0], 1, frozen, theta, &m[1]));
    THEN(dyn_model_contract(m[1], theta, part));
    THEN(dyn_model_expand(m[1], part, whole));
    THEN(dyn_model_with_states(m[0], states, &m[2]));
    THEN(dyn_model_from_callback(ctx, plain, NULL, 1, &two, &m[3]));
    THEN(dyn_model_centre(m[3], theta, &m[4]));
    for (int i = 0; i < 5; i++)
        dyn_model_unref(m[i]);
    return s;
}

static dyn_status compose(dyn_ctx *ctx, dyn_array *x, dyn_array *y, dyn_objective **out)
{
    const char *names[] = { "x", "y" }, *model_names[] = { "f" };
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_model *m = NULL;
    dyn_status s = make(ctx, &m);

    parts.models = 1;
    parts.model = &m;
    parts.model_name = model_names;
    parts.data = 2;
    parts.array = (dyn_array *[]){ x, y };
    parts.name = names;
    THEN(dyn_objective_from_function(ctx, loss, m, &parts, NULL, out));
    dyn_model_unref(m);
    return s;
}

static dyn_status look(dyn_objective *o, const double *theta, dyn_array *x)
{
    const char *inside[] = { "h" };
    double h[SAMPLES * HIDDEN], terms[4], values[2], gradient[3 * HIDDEN];
    double *const all[] = { h };
    char text[200];
    dyn_operator *H = NULL, *G = NULL;
    dyn_status s = dyn_objective_gradient(o, theta, gradient, &values[0]);

    THEN(dyn_objective_values(o, 1, theta, values));
    THEN(dyn_objective_term_values(o, theta, terms));
    THEN(dyn_objective_inside_values(o, theta, 1, inside, all, NULL));
    THEN(dyn_objective_nonfinite(o, theta, text, sizeof text));
    THEN(dyn_objective_hessian(o, theta, &H));
    THEN(dyn_objective_ggn(o, theta, &G));
    THEN(dyn_objective_set_data(o, "x", x));
    dyn_operator_unref(H);
    dyn_operator_unref(G);
    return s;
}

static dyn_status written(dyn_ctx *ctx, void *arg)
{
    double theta[3 * HIDDEN] = { .5, -.2, .7, .1, .4, -.3, 1, 1, 1 };
    dyn_array *x = NULL, *y = NULL;
    dyn_objective *o = NULL, *both = NULL;
    dyn_status s = make_data(ctx, DYN_F64, &x, &y);

    (void)arg;
    THEN(compose(ctx, x, y, &o));
    THEN(look(o, theta, x));
    THEN(dyn_objective_sum(ctx, 2, (dyn_objective *[]){ o, o }, (double[]){ 1, 2 }, &both));
    THEN(dyn_objective_values(both, 1, theta, &(double){ 0 }));
    dyn_objective_unref(both);
    dyn_objective_unref(o);
    dyn_array_unref(x);
    dyn_array_unref(y);
    return s;
}

/* A model at data without targets. */
static dyn_status mapped(dyn_ctx *ctx, void *arg)
{
    double theta[3 * HIDDEN] = { .5, -.2, .7, .1, .4, -.3, 1, 1, 1 }, y[SAMPLES];
    dyn_array *x = NULL, *unused = NULL;
    dyn_objective *o = NULL;
    dyn_operator *J = NULL;
    dyn_model *m = NULL;
    dyn_status s = make_data(ctx, DYN_F64, &x, &unused);

    (void)arg;
    THEN(make(ctx, &m));
    THEN(dyn_objective_map(ctx, m, 1, &x, NULL, &o));
    THEN(dyn_objective_predict(o, theta, y));
    THEN(dyn_objective_jacobian_map(o, theta, &J));
    THEN(dyn_operator_apply(J, 1, theta, y));
    dyn_operator_unref(J);
    dyn_objective_unref(o);
    dyn_model_unref(m);
    dyn_array_unref(x);
    dyn_array_unref(unused);
    return s;
}

static dyn_status simple(dyn_ctx *ctx, void *arg)
{
    dyn_objective *o[4] = { NULL };
    dyn_status s = dyn_objective_power(ctx, 2, 4, &o[0]);

    (void)arg;
    THEN(dyn_objective_quadratic(ctx, QUADRATIC_SIZE, curvature, &o[1]));
    THEN(dyn_objective_rosenbrock(ctx, 4, &o[2]));
    THEN(dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = QUADRATIC_SIZE, .value = quadratic_value,
                                                     .gradient = quadratic_gradient), &o[3]));
    for (int i = 0; i < 4; i++)
        dyn_objective_unref(o[i]);
    return s;
}

TEST(out_of_memory)
{
    oom_try("models of one's own", models, NULL);
    oom_try("losses of one's own", written, NULL);
    oom_try("a model at data", mapped, NULL);
    oom_try("test functions", simple, NULL);
}

int main(void)
{
    RUN(out_of_memory);
    return test_end();
}
