/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One small live object of every handle type, for tests that misuse them. The members have the names of the types
 * without "dyn_". */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dyn/dyn.h>

struct objects {
    dyn_ctx *ctx;
    dyn_array *array;
    dyn_npz *npz;       /* NULL without libzip */
    dyn_safetensors *safetensors;   /* NULL without jansson */
    dyn_graph *graph;
    dyn_plan *plan;
    dyn_exec *exec;
    dyn_build *build;   /* NULL: there is one inside a build function only */
    dyn_model *model;
    dyn_objective *objective;
    dyn_operator *operator;
    dyn_eigen *eigen;
    dyn_optimizer *optimizer;
    dyn_run *run;
    dyn_replicas *replicas;
    dyn_sweep *sweep;   /* of one member, which cannot be made */
    dyn_condensation *condensation;
    dyn_sharpness_tracker *sharpness_tracker;
    dyn_episodes *episodes;
    dyn_rank *rank;
    dyn_kfac *kfac;
    dyn_check *check;
    char npz_path[32];
    double theta[7];    /* of the model: tanh 1-2-1 with all biases */
};

static void objects_need(const struct objects *o, dyn_status s)
{
    if (s == DYN_OK)
        return;
    fprintf(stderr, "objects: %s\n", dyn_ctx_message(o->ctx));
    exit(1);
}

/* An empty file to be written over; its name goes to `path`. */
static void objects_temporary(char path[32])
{
    int fd;

    snprintf(path, 32, "/tmp/dyn-objects-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        exit(1);
    close(fd);
}

static void objects_make_files(struct objects *o)
{
    const char *name = "x";
    dyn_status s;

    objects_temporary(o->npz_path);
    s = dyn_npz_write(o->ctx, o->npz_path, 1, &name, &o->array);
    if (s == DYN_OK)
        s = dyn_npz_open(o->ctx, o->npz_path, &o->npz);
    unlink(o->npz_path);
    if (DYN__HAVE_ZIP || s != DYN_ENOTSUP)
        objects_need(o, s);
    objects_temporary(o->npz_path);
    s = dyn_safetensors_write(o->ctx, o->npz_path, 1, &name, &o->array);
    if (s == DYN_OK)
        s = dyn_safetensors_open(o->ctx, o->npz_path, &o->safetensors);
    unlink(o->npz_path);
    if (DYN__HAVE_JANSSON || s != DYN_ENOTSUP)
        objects_need(o, s);
}

static void objects_make_graph(struct objects *o)
{
    const int64_t shape[2] = { 2, 3 };
    dyn_node y;

    objects_need(o, dyn_graph_create(o->ctx, DYN_F64, &o->graph));
    y = dyn_graph_tanh(o->graph, dyn_graph_input(o->graph, "x", 2, shape));
    objects_need(o, dyn_plan_compile(o->graph, 1, &y, NULL, &o->plan));
    objects_need(o, dyn_exec_create(o->plan, &o->exec));
}

static void objects_make_training(struct objects *o)
{
    const int64_t widths[3] = { 1, 2, 1 };
    dyn_perceptron_options perceptron = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_replicas_options replicas = DYN_REPLICAS_OPTIONS_INIT;

    perceptron.widths = widths;
    perceptron.widths_count = 3;
    perceptron.activation = DYN_TANH;
    objects_need(o, dyn_model_perceptron(o->ctx, &perceptron, &o->model));
    objects_need(o, dyn_model_initialise(o->model, NULL, o->theta));
    objects_need(o, dyn_objective_create(o->ctx, o->model, o->array, o->array, NULL, &o->objective));
    objects_need(o, dyn_optimizer_create(o->ctx, dyn_model_size(o->model), DYN_F64, NULL, &o->optimizer));
    objects_need(o, dyn_run_create(o->objective, NULL, NULL, o->theta, &o->run));
    replicas.count = 1;
    replicas.theta = o->theta;
    objects_need(o, dyn_replicas_create(o->objective, &replicas, &o->replicas));
}

static dyn_status objects_no_run(void *user, dyn_ctx *ctx, int64_t member, const double *parameters, dyn_run **out)
{
    (void)user;
    (void)ctx;
    (void)member;
    (void)parameters;
    *out = NULL;
    return DYN_EUSER;
}

static void objects_make_sweep(struct objects *o)
{
    static const char *const name = "x";
    dyn_sweep_options options = DYN_SWEEP_OPTIONS_INIT;

    options.count = options.parameters = 1;
    options.names = &name;
    options.values = o->theta;
    options.make = objects_no_run;
    objects_need(o, dyn_sweep_create(o->ctx, &options, &o->sweep));
}

static void objects_make_analyses(struct objects *o)
{
    static const double series[4] = { 1.0, 2.0, 3.0, 4.0 };

    objects_need(o, dyn_objective_hessian(o->objective, o->theta, &o->operator));
    objects_need(o, dyn_check_gradient(o->objective, o->theta, 1, &o->check));
    objects_need(o, dyn_eigen_solve(o->operator, NULL, &o->eigen));
    objects_need(o, dyn_condensation_measure(o->ctx, 2, 2, series, 0, NULL, NULL, &o->condensation));
    objects_need(o, dyn_sharpness_tracker_create(o->ctx, 7, NULL, &o->sharpness_tracker));
    objects_need(o, dyn_episodes_above(o->ctx, 4, NULL, series, series, &o->episodes));
    objects_need(o, dyn_kfac_create(o->objective, o->theta, NULL, &o->kfac));
    objects_need(o, dyn_rank_matrix(o->ctx, 2, 2, series, NULL, &o->rank));
}

static void objects_make(struct objects *o)
{
    static const double x[4] = { -1.0, 0.0, 0.5, 1.0 };
    const int64_t shape[2] = { 4, 1 };
    dyn_ctx_options options = DYN_CTX_OPTIONS_INIT;

    options.threads = 1;
    if (dyn_ctx_create(&options, &o->ctx) != DYN_OK)
        exit(1);
    objects_need(o, dyn_array_create(o->ctx, DYN_F64, 2, shape, x, &o->array));
    objects_make_files(o);
    objects_make_graph(o);
    objects_make_training(o);
    objects_make_sweep(o);
    objects_make_analyses(o);
}

static void objects_free(struct objects *o)
{
    dyn_kfac_free(o->kfac);
    dyn_rank_free(o->rank);
    dyn_episodes_free(o->episodes);
    dyn_sharpness_tracker_free(o->sharpness_tracker);
    dyn_condensation_free(o->condensation);
    dyn_sweep_free(o->sweep);
    dyn_replicas_free(o->replicas);
    dyn_run_free(o->run);
    dyn_optimizer_free(o->optimizer);
    dyn_eigen_free(o->eigen);
    dyn_operator_unref(o->operator);
    dyn_check_free(o->check);
    dyn_objective_unref(o->objective);
    dyn_model_unref(o->model);
    dyn_exec_free(o->exec);
    dyn_plan_unref(o->plan);
    dyn_graph_free(o->graph);
    dyn_npz_free(o->npz);
    dyn_safetensors_free(o->safetensors);
    dyn_array_unref(o->array);
    dyn_ctx_free(o->ctx);
}

#endif
