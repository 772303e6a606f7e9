/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Train a tanh network on 1797 handwritten digits and watch it learn. Full-batch Adam from a small start; on the way
 *   condensation   into how few directions the neurons of the first layer gather,
 *   sharpness      the largest eigenvalue of Adam's own preconditioned Hessian, against its stability threshold 2/rate,
 *   rank           how many directions of parameter space change the outputs on 60 of the digits.
 * Everything measured is kept in the run, so that a checkpoint holds it: Ctrl-C stops, --resume goes on.
 *
 * The loss is the squared error: with cross-entropy the curvature dies once all digits are right, and Adam leaves the
 * edge of stability. All digits are used for training; how well it generalises is not the question here. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dyn/dyn.h>

enum {
    CLASSES = 10, PIXELS = 64,
    NEURONS = 100, COMPONENTS = PIXELS + 1,     /* of a hidden layer; a neuron's weights and its bias */
    MEASURE_EVERY = 25,                 /* steps between measurements of sharpness and condensation */
    PROBES_PER_CLASS = 6,               /* the rank is measured on 60 digits, so that the Jacobian has 600 rows */
    PROBES = PROBES_PER_CLASS * CLASSES,
    STAGES = 3, PATH_SIZE = 4096
};
static const char *const STAGE[STAGES] = { "start", "middle", "end" };
static const double RANK_TOLERANCE = 1e-4;      /* a direction counts if it moves the outputs by so much of the most */

typedef struct settings {
    int64_t steps;
    double rate, gamma;                 /* Adam's learning rate; weights start with std = inputs^-gamma */
    uint64_t seed;
    int32_t threads;                    /* 0 = all cores */
    int32_t resume;
    const char *data, *out;             /* folders */
} settings;

typedef struct progress_bar {
    const dyn_run *run;
    int64_t steps;
    int32_t terminal, told;             /* told: tenths of the way that have had their line, where nobody watches */
} progress_bar;

typedef struct job {
    settings set;
    dyn_ctx *ctx;
    dyn_array *images, *targets;        /* [n, 64] in [0, 1]; [n, 10] one-hot */
    dyn_array *probes;                  /* [60, 64] */
    dyn_model *model;
    dyn_objective *objective;
    dyn_sharpness_tracker *tracker;
    dyn_run *run;
    double *theta;
    progress_bar bar;
} job;

/* ---- Ctrl-C and progress ---- */

/* A signal handler has nothing else to write to. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first Ctrl-C stops the training after a whole step; a second one ends the program as usual. */
static void catch_interrupts(void)
{
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* Where a person watches, a bar that is drawn again and again; else a line for every tenth. Non-zero stops the run. */
static int32_t show_progress(void *user, double fraction, const char *text)
{
    static const char hashes[] = "########################################";
    progress_bar *bar = user;
    int64_t rows = 0;
    const int64_t step = dyn_run_step(bar->run);
    const double *loss = dyn_run_history(bar->run, "loss", &rows);
    const int width = (int)sizeof hashes - 1, done = (int)(width * step / bar->steps);

    (void)fraction, (void)text;         /* of one call of dyn_run_train; the bar shows the whole run */
    if (bar->terminal)
        fprintf(stderr, "\r  [%.*s%*s] ", done, hashes, width - done, "");
    else if (10 * step / bar->steps == bar->told)
        return interrupted;
    fprintf(stderr, "%sstep %" PRId64 " of %" PRId64 ", loss %.3g%s", bar->terminal ? "" : "  ", step, bar->steps,
            loss[rows - 1], bar->terminal ? "\033[K" : "\n");
    bar->told = (int32_t)(10 * step / bar->steps);
    return interrupted;
}

/* ---- data, network, run ---- */

static dyn_status read_file(const job *j, const char *name, dyn_array **out)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", j->set.data, name);
    return dyn_array_read(j->ctx, path, NULL, out);
}

/* Pixels come as 0 to 16. */
static dyn_status scale_pixels(dyn_ctx *ctx, const dyn_array *pixels, dyn_array **out)
{
    static const double zero = 0.0, sixteen = 16.0;
    const int64_t one = 1;
    dyn_array *mean = NULL, *std = NULL;
    dyn_status s = dyn_array_wrap(ctx, DYN_F64, 1, &one, &zero, &mean);

    if (s >= 0)
        s = dyn_array_wrap(ctx, DYN_F64, 1, &one, &sixteen, &std);
    if (s >= 0)
        s = dyn_array_rescale(pixels, mean, std, out);
    dyn_array_unref(mean);
    dyn_array_unref(std);
    return s;
}

/* The first few images of every digit. */
static dyn_status choose_probes(job *j, const dyn_array *labels)
{
    const int64_t *label = dyn_array_data(labels);
    int64_t index[PROBES], found[CLASSES] = { 0 }, count = 0;

    for (int64_t i = 0; i < dyn_array_size(labels); i++)
        if (found[label[i]]++ < PROBES_PER_CLASS)
            index[count++] = i;
    return dyn_array_take(j->images, count, index, &j->probes);
}

static dyn_status load_data(job *j)
{
    dyn_array *pixels = NULL, *bytes = NULL, *labels = NULL;
    dyn_status s = read_file(j, "digits-images.npy", &pixels);

    if (s >= 0)
        s = read_file(j, "digits-labels.npy", &bytes);
    if (s >= 0)
        s = dyn_array_convert(bytes, DYN_I64, &labels);
    if (s >= 0)
        s = dyn_array_one_hot(labels, CLASSES, DYN_F64, &j->targets);   /* refuses labels that are no digit */
    if (s >= 0)
        s = scale_pixels(j->ctx, pixels, &j->images);
    if (s >= 0)
        s = choose_probes(j, labels);
    dyn_array_unref(labels);
    dyn_array_unref(bytes);
    dyn_array_unref(pixels);
    return s;
}

static dyn_status make_network(job *j)
{
    static const int64_t widths[] = { PIXELS, NEURONS, NEURONS, CLASSES };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_objective_options loss = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_status s;

    net.widths = widths;
    net.widths_count = 4;
    net.activation = DYN_TANH;
    init.kind = DYN_INIT_POWER;         /* small: the neurons start in the linear part of tanh and can condense */
    init.scale = j->set.gamma;
    init.seed = j->set.seed;
    loss.loss = DYN_LOSS_MSE;
    loss.dtype = DYN_F32;               /* training and curvature; the rank is always measured in float64 */
    s = dyn_model_perceptron(j->ctx, &net, &j->model);
    if (s < 0)
        return s;
    j->theta = malloc((size_t)dyn_model_size(j->model) * sizeof *j->theta);
    if (!j->theta)
        return DYN_ENOMEM;
    s = dyn_model_initialise(j->model, &init, j->theta);
    return s >= 0 ? dyn_objective_create(j->ctx, j->model, j->images, j->targets, &loss, &j->objective) : s;
}

/* A new run, or the one of the checkpoint. */
static dyn_status make_run(job *j, const char *checkpoint)
{
    dyn_optimizer_options adam = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_status s;

    adam.kind = DYN_OPTIMIZER_ADAM;
    adam.rate = j->set.rate;
    opt.steps = j->set.steps;
    opt.progress = show_progress;
    opt.progress_user = &j->bar;
    s = j->set.resume ? dyn_run_load(j->objective, &adam, &opt, checkpoint, &j->run)
                      : dyn_run_create(j->objective, &adam, &opt, j->theta, &j->run);
    j->bar = (progress_bar){ j->run, j->set.steps, isatty(STDERR_FILENO), 0 };
    return s;
}

/* ---- measurements ---- */

static dyn_status condensation_at(job *j, const double *theta, dyn_condensation **out)
{
    dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
    double features[NEURONS * COMPONENTS], output[NEURONS * NEURONS];
    dyn_status s = dyn_condensation_features(j->model, theta, 1, features, output);

    opt.join_opposite = 1;      /* tanh is odd: w and -w serve alike */
    return s >= 0 ? dyn_condensation_measure(j->ctx, NEURONS, COMPONENTS, features, NEURONS, output, &opt, out) : s;
}

/* Observer of the run: condensation of the first layer, and the share of digits that are recognised. */
static int32_t observe_neurons(void *user, const dyn_run_view *at)
{
    job *j = user;
    dyn_condensation *c = NULL;
    double accuracy, row[3];
    dyn_status s = condensation_at(j, at->theta, &c);

    if (s >= 0)
        s = dyn_objective_accuracy(j->objective, at->theta, &accuracy);
    if (s >= 0) {
        row[0] = (double)dyn_condensation_effective(c);
        row[1] = (double)dyn_condensation_clusters(c);
        row[2] = dyn_condensation_leading(c, NULL, NULL);
        s = dyn_run_record(at->run, "condensation", 3, row);
    }
    if (s >= 0)
        s = dyn_run_record(at->run, "accuracy", 1, &accuracy);
    dyn_condensation_free(c);
    return s;
}

static dyn_status add_measurements(job *j)
{
    dyn_schedule when = DYN_SCHEDULE_INIT;
    dyn_sharpness_options sharp = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_status s;

    when.every = MEASURE_EVERY;
    when.at_end = 1;
    sharp.tolerance = 1e-3;     /* of the residual; an eigenvalue is then good to about its square */
    s = dyn_sharpness_tracker_create(j->ctx, dyn_model_size(j->model), &sharp, &j->tracker);
    if (s >= 0)
        s = dyn_sharpness_observe(j->tracker, j->run, &when);
    return s >= 0 ? dyn_run_observe(j->run, observe_neurons, j, &when) : s;
}

typedef struct member {
    const char *name;
    int32_t dtype, rank;
    const int64_t *shape;
    const void *data;
} member;

/* Write arrays that are in memory as one .npz. */
static dyn_status write_members(dyn_ctx *ctx, const char *path, int count, const member *m)
{
    enum { MOST = 16 };
    const char *names[MOST];
    dyn_array *arrays[MOST] = { NULL };
    dyn_status s = DYN_OK;

    for (int i = 0; i < count && s >= 0; i++) {
        names[i] = m[i].name;
        s = dyn_array_wrap(ctx, m[i].dtype, m[i].rank, m[i].shape, m[i].data, &arrays[i]);
    }
    if (s >= 0)
        s = dyn_npz_write(ctx, path, count, names, arrays);
    for (int i = 0; i < count; i++)
        dyn_array_unref(arrays[i]);
    return s;
}

/* The file of a stage: the map of cosines, ordered; order and cluster of the neurons; the singular values. */
static dyn_status write_stage(job *j, const char *name, const dyn_condensation *c, const dyn_rank *r)
{
    double cosines[NEURONS * NEURONS];
    int64_t values = 0;
    const double *singular = dyn_rank_singular_values(r, &values), tolerance = dyn_rank_tolerance(r);
    const int64_t n = NEURONS, square[2] = { n, n }, step = dyn_run_step(j->run), rank = dyn_rank_value(r);
    const int64_t directions = dyn_condensation_effective(c);
    const member members[] = {
        { "step", DYN_I64, 0, NULL, &step },
        { "cosines", DYN_F64, 2, square, cosines },
        { "order", DYN_I64, 1, &n, dyn_condensation_order(c) },
        { "cluster", DYN_I64, 1, &n, dyn_condensation_assignment(c) },
        { "directions", DYN_I64, 0, NULL, &directions },
        { "singular_values", DYN_F64, 1, &values, singular },
        { "rank", DYN_I64, 0, NULL, &rank },
        { "tolerance", DYN_F64, 0, NULL, &tolerance },
    };
    char path[PATH_SIZE];
    dyn_status s = dyn_condensation_cosines(c, 1, cosines);

    snprintf(path, sizeof path, "%s/%s.npz", j->set.out, name);
    return s >= 0 ? write_members(j->ctx, path, (int)(sizeof members / sizeof *members), members) : s;
}

/* What takes seconds is measured three times only. The rank is that of the Jacobian of 600 outputs (10 for each of the
 * 60 probes) in 17610 parameters, the empirical rank: the model rank can only be larger. */
static dyn_status measure_stage(job *j, const char *name)
{
    dyn_rank_options opt = DYN_RANK_OPTIONS_INIT;
    dyn_condensation *c = NULL;
    dyn_rank *r = NULL;
    double row[3];
    dyn_status s = dyn_run_theta(j->run, j->theta);

    opt.tolerance = RANK_TOLERANCE;
    if (s >= 0)
        s = condensation_at(j, j->theta, &c);
    if (s >= 0)
        s = dyn_rank_at(j->model, j->theta, PROBES, dyn_array_data(j->probes), &opt, &r);
    if (s >= 0) {
        row[0] = (double)dyn_rank_by_tolerance(r, &row[1]);
        row[2] = (double)dyn_rank_rows(r);
        s = dyn_run_record(j->run, "rank", 3, row);
    }
    if (s >= 0)
        s = write_stage(j, name, c, r);
    dyn_rank_free(r);
    dyn_condensation_free(c);
    return s;
}

static int64_t step_of_stage(const job *j, int stage)
{
    const int64_t at[STAGES] = { 0, j->set.steps / 10, j->set.steps };     /* neurons are most condensed early */

    return at[stage];
}

/* Train from stage to stage. DYN_STOPPED: Ctrl-C; what was measured is saved all the same. */
static dyn_status train(job *j, const char *checkpoint)
{
    dyn_status s = DYN_OK, saved;

    for (int i = 0; i < STAGES && s == DYN_OK; i++) {
        const int64_t left = step_of_stage(j, i) - dyn_run_step(j->run);

        if (left < 0)
            continue;           /* before the checkpoint */
        if (left > 0)
            s = dyn_run_train(j->run, left);
        if (s == DYN_OK)
            s = measure_stage(j, STAGE[i]);
    }
    if (j->bar.terminal)
        fputc('\n', stderr);
    saved = dyn_run_save(j->run, checkpoint);
    return s < 0 || saved >= 0 ? s : saved;
}

/* ---- results ---- */

/* Column of a series at a step; nan if it was not recorded there. */
static double value_at(const dyn_run *run, const char *series, int64_t column, int64_t step)
{
    const double *values;
    const int64_t *steps;
    int64_t rows = 0, columns = 0;

    if (dyn_run_series(run, series, &rows, &columns, &steps, &values) < 0)
        return NAN;
    for (int64_t i = rows - 1; i >= 0; i--)
        if (steps[i] == step)
            return values[i * columns + column];
    return NAN;
}

static double loss_at(const dyn_run *run, int64_t step)
{
    int64_t rows = 0;
    const double *loss = dyn_run_history(run, "loss", &rows);   /* a row for every step */

    return step < rows ? loss[step] : (double)NAN;
}

static void print_row(const dyn_run *run, int64_t step)
{
    const double sharpness = value_at(run, "sharpness_pre", 0, step), threshold = value_at(run, "threshold", 0, step);

    printf("%6" PRId64 "  %9.2e  %5.1f %%  %9.4g  %7.0e%c  %10.3f  %9.3f  %9.3g  %6.0f  %6.3f\n", step,
           loss_at(run, step), 100.0 * value_at(run, "accuracy", 0, step), sharpness,
           value_at(run, "sharpness_pre_residual", 0, step),
           value_at(run, "sharpness_pre_converged", 0, step) == 1.0 ? ' ' : '!', sharpness / threshold,
           value_at(run, "lambda_grad_pre", 0, step) / threshold, value_at(run, "sharpness", 0, step),
           value_at(run, "condensation", 0, step), value_at(run, "condensation", 2, step));
}

/* Steps 0, 25, 50, 100, 250, ... and the last one. */
static void print_timeline(const job *j)
{
    const int64_t last = dyn_run_step(j->run);

    printf("\nOn the way (2/rate = %.0f; a ! marks an eigenvalue that has not converged)\n\n", 2.0 / j->set.rate);
    puts("  step       loss  correct  sharpness  residual  / (2/rate)  along the  Hessian's  direc-  on one");
    puts("                              of Adam                        gradient        own   tions    line");
    print_row(j->run, 0);
    for (int64_t decade = 100; decade / 4 < last; decade *= 10)
        for (int64_t part = 4; part >= 1 && decade / part < last; part /= 2)
            print_row(j->run, decade / part);
    print_row(j->run, last);
}

static void print_stages(const job *j)
{
    printf("\nRank of the Jacobian on %d digits: singular values above %g of the largest\n\n", (int)PROBES,
           RANK_TOLERANCE);
    puts("           step   rank  of rows   gap at the cut");
    for (int i = 0; i < STAGES; i++) {
        const int64_t step = step_of_stage(j, i);
        const double rank = value_at(j->run, "rank", 0, step);

        if (!isnan(rank))
            printf("%-8s %6" PRId64 "  %5.0f  %7.0f   %14.4g\n", STAGE[i], step, rank,
                   value_at(j->run, "rank", 2, step), value_at(j->run, "rank", 1, step));
    }
}

static dyn_status report(const job *j, const char *checkpoint, dyn_status trained)
{
    char path[PATH_SIZE];
    dyn_status s;

    snprintf(path, sizeof path, "%s/history.csv", j->set.out);
    s = dyn_run_write_csv(j->run, path);
    if (s < 0)
        return s;
    print_timeline(j);
    print_stages(j);
    printf("\nResults: %s, and for each stage %s/<stage>.npz\n", path, j->set.out);
    if (trained == DYN_STOPPED)
        printf("Stopped at step %" PRId64 "; the same command with --resume goes on from %s\n", dyn_run_step(j->run),
               checkpoint);
    return DYN_OK;
}

/* ---- the program ---- */

static dyn_status do_job(job *j)
{
    char checkpoint[PATH_SIZE];
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_status s, trained;

    opt.threads = j->set.threads;
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.npz", j->set.out);
    s = dyn_ctx_create(&opt, &j->ctx);
    if (s >= 0)
        s = load_data(j);
    if (s >= 0)
        s = make_network(j);
    if (s >= 0)
        s = make_run(j, checkpoint);
    if (s >= 0)
        s = add_measurements(j);
    if (s < 0)
        return s;
    printf("libdyn %s, %d threads. Network 64-100-100-10, tanh, %" PRId64 " parameters, weights start with std "
           "inputs^-%g.\nAdam with rate %g for %" PRId64 " steps on %" PRId64 " digits.\n", dyn_version(),
           (int)dyn_ctx_threads(j->ctx), dyn_model_size(j->model), j->set.gamma, j->set.rate, j->set.steps,
           dyn_objective_samples(j->objective));
    fflush(stdout);
    trained = train(j, checkpoint);
    return trained >= 0 ? report(j, checkpoint, trained) : trained;
}

static void free_job(job *j)
{
    dyn_run_free(j->run);
    dyn_sharpness_tracker_free(j->tracker);
    free(j->theta);
    dyn_objective_unref(j->objective);
    dyn_model_unref(j->model);
    dyn_array_unref(j->probes);
    dyn_array_unref(j->targets);
    dyn_array_unref(j->images);
    dyn_ctx_free(j->ctx);
}

/* A folder with those above it, and without the stages of an earlier run if this is a new one. */
static int prepare_folder(const settings *set)
{
    char path[PATH_SIZE];

    if (strlen(set->out) + 32 > sizeof path || strlen(set->data) + 32 > sizeof path)
        return ENAMETOOLONG;
    for (size_t i = 1; i <= strlen(set->out); i++)
        if (set->out[i] == '/' || !set->out[i]) {
            snprintf(path, sizeof path, "%.*s", (int)i, set->out);
            if (mkdir(path, 0777) != 0 && errno != EEXIST)
                return errno;
        }
    for (int i = 0; i < STAGES && !set->resume; i++) {
        snprintf(path, sizeof path, "%s/%s.npz", set->out, STAGE[i]);
        unlink(path);
    }
    return 0;
}

static const char HELP[] =
    "usage: digits [option ...]\n"
    "Train a tanh network on handwritten digits and measure condensation, sharpness and rank.\n\n"
    "  --steps N      steps of Adam (2000)\n"
    "  --rate X       its learning rate (0.001)\n"
    "  --gamma X      weights start with std inputs^-X (2)\n"
    "  --seed N       of the start (1)\n"
    "  --threads N    threads (one for every core)\n"
    "  --data FOLDER  where digits-images.npy and digits-labels.npy are (examples/data)\n"
    "  --out FOLDER   where results go (results/digits)\n"
    "  --resume       go on from the checkpoint in --out\n";

/* Returns 0, or the option that was not understood. */
static int read_options(int argc, char **argv, settings *set)
{
    static const struct option known[] = {
        { "steps", 1, NULL, 's' },   { "rate", 1, NULL, 'r' }, { "gamma", 1, NULL, 'g' }, { "seed", 1, NULL, 'i' },
        { "threads", 1, NULL, 't' }, { "data", 1, NULL, 'd' }, { "out", 1, NULL, 'o' },
        { "resume", 0, NULL, 'R' },  { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };

    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 's': set->steps = atoll(optarg); break;
        case 'r': set->rate = atof(optarg); break;
        case 'g': set->gamma = atof(optarg); break;
        case 'i': set->seed = (uint64_t)atoll(optarg); break;
        case 't': set->threads = atoi(optarg); break;
        case 'd': set->data = optarg; break;
        case 'o': set->out = optarg; break;
        case 'R': set->resume = 1; break;
        default: return c;
        }
    return optind < argc ? '?' : 0;
}

int main(int argc, char **argv)
{
    job j = { .set = { .steps = 2000, .rate = 1e-3, .gamma = 2.0, .seed = 1, .data = "examples/data",
                       .out = "results/digits" } };
    const int wrong = read_options(argc, argv, &j.set), refused = wrong ? 0 : prepare_folder(&j.set);
    dyn_status s;

    if (wrong || j.set.steps < 10) {
        fputs(HELP, wrong == 'h' ? stdout : stderr);
        return wrong == 'h' ? 0 : 2;
    }
    if (refused) {
        fprintf(stderr, "digits: %s: %s\n", j.set.out, strerror(refused));
        return 1;
    }
    catch_interrupts();
    s = do_job(&j);
    if (s < 0)
        fprintf(stderr, "digits: %s\n", j.ctx && *dyn_ctx_message(j.ctx) ? dyn_ctx_message(j.ctx) : dyn_status_text(s));
    free_job(&j);
    return s < 0;
}
