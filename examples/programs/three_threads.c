/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A host with threads of its own: three networks are trained in three threads, the second is stopped from the main
 * one, and their parameters go to one .npz. A call on what an earlier call could not make fails as well, so one look
 * at the end tells. Usage: three_threads FILE.npz */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { JOBS = 3, SAMPLES = 64 };
typedef struct job { dyn_ctx *ctx; dyn_run *run; dyn_status status; } job;
static dyn_status prepare(job *j, int64_t width, int64_t steps)
{
    double x[SAMPLES], y[SAMPLES], theta[3 * 40 + 1];
    dyn_ctx_options one = DYN_CTX_OPTIONS_INIT;
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_run_options options = DYN_RUN_OPTIONS_INIT;
    dyn_array *inputs = NULL, *targets = NULL;
    dyn_model *model = NULL;
    dyn_objective *loss = NULL;
    for (int i = 0; i < SAMPLES; i++) {
        x[i] = 2.0 * i / (SAMPLES - 1) - 1;
        y[i] = sin(3 * x[i]);
    }
    one.threads = 1;
    net.widths = (int64_t[]){ 1, width, 1 };
    net.widths_count = 3;
    net.activation = DYN_TANH;
    options.steps = steps;
    dyn_ctx_create(&one, &j->ctx);
    dyn_array_create(j->ctx, DYN_F64, 1, (int64_t[]){ SAMPLES }, x, &inputs);
    dyn_array_create(j->ctx, DYN_F64, 1, (int64_t[]){ SAMPLES }, y, &targets);
    dyn_model_perceptron(j->ctx, &net, &model);
    dyn_model_initialise(model, NULL, theta);
    dyn_objective_create(j->ctx, model, inputs, targets, NULL, &loss);
    dyn_status s = dyn_run_create(loss, NULL, &options, theta, &j->run);
    dyn_objective_unref(loss);
    dyn_model_unref(model);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    return s;
}
static void *train(void *arg)
{
    job *j = arg;
    j->status = dyn_run_train(j->run, DYN_TO_END);
    return NULL;
}
static dyn_status store(job *jobs, const char *path)
{
    static const char *const names[JOBS] = { "first", "stopped", "third" };
    dyn_array *theta[JOBS] = { NULL };
    for (int i = 0; i < JOBS; i++) {
        const int64_t p = dyn_objective_size(dyn_run_objective(jobs[i].run));
        dyn_array_create(jobs[0].ctx, DYN_F64, 1, &p, dyn_run_parameters(jobs[i].run, NULL), &theta[i]);
    }
    dyn_status s = dyn_npz_write(jobs[0].ctx, path, JOBS, names, theta);
    for (int i = 0; i < JOBS; i++)
        dyn_array_unref(theta[i]);
    return s;
}
int main(int argc, char **argv)
{
    static const int64_t widths[JOBS] = { 10, 20, 40 }, steps[JOBS] = { 2000, INT64_C(1) << 40, 1000 };
    pthread_t threads[JOBS];
    job jobs[JOBS] = { { NULL, NULL, 0 } };
    for (int i = 0; i < JOBS; i++)
        if (prepare(&jobs[i], widths[i], steps[i]) < 0)
            return fprintf(stderr, "%s\n", dyn_ctx_message(jobs[i].ctx));
    for (int i = 0; i < JOBS; i++)
        pthread_create(&threads[i], NULL, train, &jobs[i]);
    nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    dyn_run_stop(jobs[1].run);
    for (int i = 0; i < JOBS; i++)
        pthread_join(threads[i], NULL);
    dyn_status s = store(jobs, argc > 1 ? argv[1] : "three.npz");

    /* ---- check: two went to their ends, one was stopped before its own; what was stored can be read ---- */
    int good = s == DYN_OK && jobs[0].status == DYN_OK && dyn_run_step(jobs[0].run) == steps[0] &&
               jobs[1].status == DYN_STOPPED && dyn_run_step(jobs[1].run) < steps[1] &&
               jobs[2].status == DYN_OK && dyn_run_reason(jobs[2].run) == DYN_RUN_STEPS;
    for (int i = 0; i < JOBS; i++) {
        dyn_run_free(jobs[i].run);
        dyn_ctx_free(jobs[i].ctx);
    }
    puts(good ? "1 passed, 0 failed" : "0 passed, 1 failed");
    return !good;
}
