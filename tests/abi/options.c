/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every option struct, field by field: NaN, the smallest integer and a reserved field that is not 0 are refused with the
 * name of the function in the message; a struct of wrong size, of an older or of a newer program gets its own error. A
 * struct that `users` lacks fails the test. */
#include "layout.h"
#include "objects.h"
#include "test.h"

static struct objects live;

/* As TEST_FAIL, but without a limit on the number of lines: the whole list is wanted. */
#define complain(...) (test_bad_++, printf("# "), printf(__VA_ARGS__), printf("\n"))

/* One call for each struct: valid but for the options. */
static dyn_status use_ctx(const void *opt)
{
    dyn_ctx *out;
    dyn_status s = dyn_ctx_create(opt, &out);

    dyn_ctx_free(out);
    return s;
}

#define USE(name, type, call, release)          \
    static dyn_status name(const void *opt)     \
    {                                           \
        type *out;                              \
        dyn_status s = call;                    \
        release(out);                           \
        return s;                               \
    }

static const double numbers[4] = { 1.0, 2.0, 3.0, 4.0 };
static const dyn_node first_node = 1;

USE(use_condensation, dyn_condensation, dyn_condensation_measure(live.ctx, 2, 2, numbers, 0, NULL, opt, &out),
    dyn_condensation_free)
USE(use_eigen, dyn_eigen, dyn_eigen_solve(live.operator, opt, &out), dyn_eigen_free)
USE(use_objective, dyn_objective, dyn_objective_create(live.ctx, live.model, live.array, live.array, opt, &out),
    dyn_objective_unref)
USE(use_anchor, dyn_array, dyn_generate_anchor(live.ctx, opt, &out), dyn_array_unref)
USE(use_chain, dyn_array, dyn_generate_chain(live.ctx, opt, &out), dyn_array_unref)

static dyn_status use_minimise(const void *opt)
{
    double theta[7] = { 0 };

    return dyn_objective_minimise(live.objective, opt, theta, NULL);
}

static dyn_status use_flow(const void *opt)
{
    double theta[7] = { 0 };

    return dyn_objective_flow(live.objective, opt, 0, NULL, NULL, theta, NULL);
}

static dyn_status use_langevin(const void *opt)
{
    double theta[7] = { 0 }, loss;

    return dyn_objective_langevin(live.objective, opt, 1, theta, &loss);
}

USE(use_optimizer, dyn_optimizer, dyn_optimizer_create(live.ctx, 7, DYN_F64, opt, &out), dyn_optimizer_free)
USE(use_perceptron, dyn_model, dyn_model_perceptron(live.ctx, opt, &out), dyn_model_unref)
USE(use_cnn, dyn_model, dyn_model_cnn(live.ctx, opt, &out), dyn_model_unref)
USE(use_resnet, dyn_model, dyn_model_resnet(live.ctx, opt, &out), dyn_model_unref)
USE(use_diagonal, dyn_model, dyn_model_diagonal(live.ctx, opt, &out), dyn_model_unref)
USE(use_factorisation, dyn_model, dyn_model_factorisation(live.ctx, opt, &out), dyn_model_unref)
USE(use_polynomial, dyn_model, dyn_model_polynomial(live.ctx, opt, &out), dyn_model_unref)
USE(use_tensor, dyn_model, dyn_model_tensor_factorisation(live.ctx, opt, &out), dyn_model_unref)
USE(use_recurrent, dyn_model, dyn_model_recurrent(live.ctx, opt, &out), dyn_model_unref)
USE(use_transformer, dyn_model, dyn_model_transformer(live.ctx, opt, &out), dyn_model_unref)
USE(use_plan, dyn_plan, dyn_plan_compile(live.graph, 1, &first_node, opt, &out), dyn_plan_unref)
USE(use_rank, dyn_rank, dyn_rank_model(live.model, live.theta, opt, &out), dyn_rank_free)

static dyn_status use_learning_coefficient(const void *opt)
{
    dyn_learning_coefficient_result out;

    return dyn_objective_learning_coefficient(live.objective, live.theta, opt, NULL, &out);
}

static dyn_status use_central(const void *opt)
{
    double theta[7] = { 0 };
    dyn_central_result trace[1];

    return dyn_objective_central_flow(live.objective, opt, 0, theta, NULL, trace, NULL);
}

static dyn_status use_tangent(const void *opt)
{
    double kernel[100 * 100];

    return dyn_tangent_kernel(live.model, live.theta, live.array, NULL, opt, kernel);
}

static dyn_status use_kernel_fit(const void *opt)
{
    double a[2];

    return dyn_kernel_fit(live.ctx, 2, numbers, 1, numbers, opt, a, NULL);
}

USE(use_kfac, dyn_kfac, dyn_kfac_create(live.objective, live.theta, opt, &out), dyn_kfac_free)
USE(use_sweep, dyn_sweep, dyn_sweep_create(live.ctx, opt, &out), dyn_sweep_free)
USE(use_replicas, dyn_replicas, dyn_replicas_create(live.objective, opt, &out), dyn_replicas_free)
USE(use_run, dyn_run, dyn_run_create(live.objective, NULL, opt, live.theta, &out), dyn_run_free)
USE(use_sharpness, dyn_sharpness_tracker, dyn_sharpness_tracker_create(live.ctx, 7, opt, &out),
    dyn_sharpness_tracker_free)
USE(use_plateau, dyn_episodes, dyn_episodes_plateaus(live.ctx, 4, NULL, numbers, opt, &out), dyn_episodes_free)
USE(use_spike, dyn_episodes, dyn_episodes_spikes(live.ctx, 4, NULL, numbers, opt, &out), dyn_episodes_free)

static dyn_node write_loss(void *user, dyn_build *b)
{
    dyn_node x = dyn_build_data(b, "x");

    (void)user;
    return dyn_graph_sum(dyn_build_graph(b), dyn_build_call(b, NULL, live.model, 1, &x), 1, (int32_t[]){1});
}

static int32_t square(void *user, const dyn_objective_view *at)
{
    (void)user;
    *at->value = at->theta[0] * at->theta[0];
    return 0;
}

USE(use_functions, dyn_objective, dyn_objective_from_callbacks(live.ctx, opt, &out), dyn_objective_unref)
USE(use_parts, dyn_objective, dyn_objective_from_function(live.ctx, write_loss, NULL, opt, NULL, &out), dyn_objective_unref)

static dyn_status use_init(const void *opt)
{
    double theta[7];

    return dyn_model_initialise(live.model, opt, theta);
}

static dyn_status use_trace(const void *opt)
{
    double trace, error;

    return dyn_operator_trace(live.operator, opt, &trace, &error);
}

static dyn_status use_solve(const void *opt)
{
    const double b[7] = {1};
    double x[7];

    return dyn_operator_solve(live.operator, b, opt, x, NULL, NULL);
}

static int32_t observe(void *user, const dyn_run_view *at)
{
    (void)at;
    (void)user;
    return DYN_OK;
}

static dyn_status use_schedule(const void *opt)
{
    return dyn_run_observe(live.run, observe, NULL, opt);
}

static const struct user { const char *name; dyn_status (*use)(const void *opt); const char *function; } users[] = {
    { "dyn_anchor_options", use_anchor, "dyn_generate_anchor" },
    { "dyn_chain_options", use_chain, "dyn_generate_chain" },
    { "dyn_central_options", use_central, "dyn_objective_central_flow" },
    { "dyn_cnn_options", use_cnn, "dyn_model_cnn" },
    { "dyn_condensation_options", use_condensation, "dyn_condensation_measure" },
    { "dyn_ctx_options", use_ctx, NULL },
    { "dyn_diagonal_options", use_diagonal, "dyn_model_diagonal" },
    { "dyn_eigen_options", use_eigen, "dyn_eigen_solve" },
    { "dyn_factorisation_options", use_factorisation, "dyn_model_factorisation" },
    { "dyn_flow_options", use_flow, "dyn_objective_flow" },
    { "dyn_init_options", use_init, "dyn_model_initialise" },
    { "dyn_kernel_fit_options", use_kernel_fit, "dyn_kernel_fit" },
    { "dyn_kfac_options", use_kfac, "dyn_kfac_create" },
    { "dyn_langevin_options", use_langevin, "dyn_objective_langevin" },
    { "dyn_learning_coefficient_options", use_learning_coefficient, "dyn_objective_learning_coefficient" },
    { "dyn_minimise_options", use_minimise, "dyn_objective_minimise" },
    { "dyn_objective_options", use_objective, "dyn_objective_create" },
    { "dyn_objective_functions", use_functions, "dyn_objective_from_callbacks" },
    { "dyn_objective_parts", use_parts, "dyn_objective_from_function" },
    { "dyn_optimizer_options", use_optimizer, "dyn_optimizer_create" },
    { "dyn_perceptron_options", use_perceptron, "dyn_model_perceptron" },
    { "dyn_plan_options", use_plan, "dyn_plan_compile" },
    { "dyn_polynomial_options", use_polynomial, "dyn_model_polynomial" },
    { "dyn_rank_options", use_rank, "dyn_rank_model" },
    { "dyn_recurrent_options", use_recurrent, "dyn_model_recurrent" },
    { "dyn_replicas_options", use_replicas, "dyn_replicas_create" },
    { "dyn_resnet_options", use_resnet, "dyn_model_resnet" },
    { "dyn_run_options", use_run, "dyn_run_create" },
    { "dyn_schedule", use_schedule, "dyn_run_observe" },
    { "dyn_sharpness_options", use_sharpness, "dyn_sharpness_tracker_create" },
    { "dyn_solve_options", use_solve, "dyn_operator_solve" },
    { "dyn_sweep_options", use_sweep, "dyn_sweep_create" },
    { "dyn_plateau_options", use_plateau, "dyn_episodes_plateaus" },
    { "dyn_spike_options", use_spike, "dyn_episodes_spikes" },
    { "dyn_tangent_options", use_tangent, "dyn_tangent_kernel" },
    { "dyn_tensor_options", use_tensor, "dyn_model_tensor_factorisation" },
    { "dyn_trace_options", use_trace, "dyn_operator_trace" },
    { "dyn_transformer_options", use_transformer, "dyn_model_transformer" },
};

static const struct user *user_of(const struct layout *l)
{
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        if (strcmp(users[i].name, l->name) == 0)
            return &users[i];
    }
    complain("no call is known for %s", l->name);
    return NULL;
}

/* Room for the struct of a program from the future. */
union options { max_align_t align; unsigned char bytes[8192]; };

/* A valid struct: the INIT macro, with what has no default. */
static void valid(const struct layout *l, union options *o)
{
    static const int64_t widths[2] = { 1, 1 }, three[3] = { 2, 2, 1 };

    static const char *const names[1] = { "x" };

    memset(o, 0, sizeof *o);
    memcpy(o->bytes, l->init, l->size);
    if (strcmp(l->name, "dyn_objective_parts") == 0) {
        dyn_objective_parts *p = (dyn_objective_parts *)(void *)o;

        p->models = p->data = 1;
        p->model = &live.model;
        p->array = &live.array;
        p->name = names;
    } else if (strcmp(l->name, "dyn_objective_functions") == 0) {
        ((dyn_objective_functions *)(void *)o)->size = 1;
        ((dyn_objective_functions *)(void *)o)->value = square;
    } else if (strcmp(l->name, "dyn_cnn_options") == 0) {
        ((dyn_cnn_options *)(void *)o)->input = ((dyn_cnn_options *)(void *)o)->channels = three;
        ((dyn_cnn_options *)(void *)o)->convolutions = 1;
    } else if (strcmp(l->name, "dyn_factorisation_options") == 0) {
        ((dyn_factorisation_options *)(void *)o)->widths = three;
    } else if (strcmp(l->name, "dyn_tensor_options") == 0) {
        ((dyn_tensor_options *)(void *)o)->sizes = three;
    } else if (strcmp(l->name, "dyn_perceptron_options") == 0) {
        ((dyn_perceptron_options *)(void *)o)->widths = widths;
        ((dyn_perceptron_options *)(void *)o)->widths_count = 2;
    } else if (strcmp(l->name, "dyn_replicas_options") == 0) {
        ((dyn_replicas_options *)(void *)o)->theta = live.theta;
        ((dyn_replicas_options *)(void *)o)->count = 1;
    } else if (strcmp(l->name, "dyn_sweep_options") == 0) {
        dyn_sweep_options *w = (dyn_sweep_options *)(void *)o;

        w->count = w->parameters = 1;
        w->names = names;
        w->values = live.theta;
        w->make = objects_no_run;
    }
}

/* The status must be `expected`, or any error for expected = 0, with a message of the right function. */
static void refused(const struct layout *l, const union options *o, dyn_status expected, const char *why)
{
    const struct user *u = user_of(l);
    dyn_status s = u ? u->use(o) : 0;

    if (!u)
        return;
    if (s >= 0 || (expected && s != expected))
        complain("%s: %s: status %s", l->name, why, dyn_status_name(s));
    if (s < 0 && u->function && strncmp(dyn_ctx_message(live.ctx), u->function, strlen(u->function)) != 0)
        complain("%s: %s: message \"%s\"", l->name, why, dyn_ctx_message(live.ctx));
}

TEST(defaults_are_accepted)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct user *u = user_of(&layouts[i]);
        union options o;

        valid(&layouts[i], &o);
        if (u && u->use(&o) < 0)
            complain("%s: %s", layouts[i].name, dyn_ctx_message(live.ctx));
    }
}

/* Programs of the first release pass the size that the struct had then, for ever; nothing shorter is theirs. */
TEST(sizes_of_the_first_release)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct layout *l = &layouts[i];
        const struct user *u = user_of(l);
        uint32_t size = (uint32_t)l->first;
        union options o;

        valid(l, &o);
        memset(o.bytes + size, 0xff, sizeof o.bytes - size);    /* what lies behind is not the struct's */
        memcpy(o.bytes, &size, sizeof size);
        if (u && u->use(&o) < 0)
            complain("%s of %u bytes: %s", l->name, (unsigned)size, dyn_ctx_message(live.ctx));
        size -= 4;
        memcpy(o.bytes, &size, sizeof size);
        refused(l, &o, DYN_EABI_OLD, "shorter than in its first release");
    }
}

TEST(sizes)
{
    static const struct { uint32_t size; dyn_status status; const char *why; } cases[] = {
        { 0, DYN_EABI_SIZE, "size 0" }, { 3, DYN_EABI_SIZE, "size 3" }, { 8000, DYN_EABI_SIZE, "size 8000" },
        { 4, DYN_EABI_OLD, "size 4" },
    };

    for (size_t i = 0; i < LAYOUTS; i++) {
        union options o;
        uint32_t newer = (uint32_t)layouts[i].size + 8;

        valid(&layouts[i], &o);
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            memcpy(o.bytes, &cases[j].size, sizeof cases[j].size);
            refused(&layouts[i], &o, cases[j].status, cases[j].why);
        }
        memcpy(o.bytes, &newer, sizeof newer);
        if (user_of(&layouts[i]) && user_of(&layouts[i])->use(&o) < 0)
            complain("%s: a longer struct with a zero tail is refused", layouts[i].name);
        o.bytes[layouts[i].size] = 1;
        refused(&layouts[i], &o, DYN_EABI_NEW, "an unknown field is set");
    }
}

/* Put the worst value of its kind in a field; 0 if there is none. */
static int spoil(const struct field *f, unsigned char *at)
{
    const double d = NAN;
    const int32_t i = INT32_MIN;
    const int64_t l = INT64_MIN;
    const uint32_t u = 1;

    if (f->kind == 'd')
        memcpy(at, &d, sizeof d);
    else if (f->kind == 'i')
        memcpy(at, &i, sizeof i);
    else if (f->kind == 'l')
        memcpy(at, &l, sizeof l);
    else if (f->kind == 'u' && strcmp(f->name, "reserved") == 0)
        memcpy(at, &u, sizeof u);
    else
        return 0;
    return 1;
}

TEST(fields)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        for (size_t j = 1; j < layouts[i].count; j++) {
            const struct field *f = &layouts[i].fields[j];
            union options o;

            valid(&layouts[i], &o);
            if (spoil(f, o.bytes + f->offset))
                refused(&layouts[i], &o, 0, f->name);
        }
    }
}

int main(void)
{
    objects_make(&live);
    RUN(defaults_are_accepted);
    RUN(sizes_of_the_first_release);
    RUN(sizes);
    RUN(fields);
    objects_free(&live);
    return test_end();
}
