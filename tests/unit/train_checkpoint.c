/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checkpoints: a run that is saved, freed, loaded in a context with other threads and trained on gives the bits of one
 * that never stopped, wherever it stops; files that lie are refused; the CSV table. */
#include "objective/objective.h"
#include "train_problem.h"

static dyn_ctx *ctx;

/* Batches of an epoch hold every sample once, in the order of dyn_data_order: the gradient of a step says so. */
TEST(order_of_the_batches)
{
    dyn_objective *o = make_network(ctx, DYN_F64);
    const dyn_run_options options = RUN_OPTIONS(.batch = 5, .seed = 9);
    double theta[NETWORK_SIZE], rows[SAMPLES * NETWORK_SIZE], g;
    const double *norm;
    int64_t order[SAMPLES], n;
    dyn_run *r;

    network_start(theta);
    CHECK_OK(ctx, dyn_objective_sample_gradients(o, theta, rows));
    CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.rate = 1e-300), &options, theta, &r));
    CHECK_OK(ctx, dyn_run_train(r, 11));
    norm = dyn_run_history(r, "gradient_norm", &n);
    CHECK(n == 12);
    for (int t = 0; t < 11; t++) {
        const int first = t % 5 * 5, size = t % 5 == 4 ? 3 : 5;
        double squares = 0;

        CHECK_OK(ctx, dyn_data_order(ctx, 9, t / 5, SAMPLES, order));
        for (int j = 0; j < NETWORK_SIZE; j++) {
            g = 0;
            for (int i = 0; i < size; i++)
                g += rows[order[first + i] * NETWORK_SIZE + j] / size;
            squares += g * g;
        }
        CHECK_NEAR(norm[t], sqrt(squares), 1e-13);
    }
    dyn_run_free(r);
    dyn_objective_unref(o);
}

TEST(csv)
{
    dyn_objective *o = make_quadratic(ctx);
    char path[64], text[4000] = "";
    const double rows[3][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    dyn_run *r;
    FILE *f;

    CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.rate = .5), &RUN_OPTIONS(.steps = 5, .record_every = 2),
                                 (const double[3]){ 2, 0, 0 }, &r));
    CHECK_OK(ctx, dyn_run_record(r, "pair", 2, rows[0]));
    CHECK_OK(ctx, dyn_run_train(r, 3));
    CHECK_OK(ctx, dyn_run_record(r, "single", 1, rows[1]));
    CHECK_OK(ctx, dyn_run_record(r, "pair", 2, rows[1]));
    CHECK_OK(ctx, dyn_run_record(r, "pair", 2, rows[2]));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK_OK(ctx, dyn_run_write_csv(r, temporary(path)));
    f = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    CHECK(!strcmp(text, "step,loss,gradient_norm,rate,pair.0,pair.1,single\n"
                        "0,1,1,0.5,1,2,nan\n"
                        "2,0.31640625,0.5625,0.5,nan,nan,nan\n"
                        "3,nan,nan,nan,5,6,3\n"
                        "4,0.1001129150390625,0.31640625,0.5,nan,nan,nan\n"
                        "5,0.056313514709472656,0.2373046875,0.5,nan,nan,nan\n"));
    CHECK(dyn_run_write_csv(r, "/nowhere/at/all") == DYN_EIO && dyn_run_write_csv(NULL, path) == DYN_EINVAL);
    unlink(path);
    dyn_run_free(r);
    CHECK_OK(ctx, dyn_run_create(o, NULL, NULL, quadratic_start, &r));
    CHECK_OK(ctx, dyn_run_write_csv(r, path));
    unlink(path);
    dyn_run_free(r);
    dyn_objective_unref(o);
}

#if DYN__HAVE_ZIP

enum { STEPS = 60 };

static int32_t measure(void *user, const dyn_run_view *at)
{
    const double pair[2] = { at->theta[0], at->gradient[1] };

    (void)user;
    CHECK(dyn_run_record(at->run, "pair", 2, pair) == DYN_OK);
    return at->step % 8 == 0 ? dyn_run_record(at->run, "every eighth", 1, &at->loss) : 0;
}

static void observe(dyn_run *r)
{
    CHECK(dyn_run_observe(r, measure, NULL, &SCHEDULE(.every = 4, .at_end = 1)) == DYN_OK);
}

typedef struct setting { dyn_optimizer_options optimizer; dyn_run_options options; int32_t dtype; } setting;

static dyn_run *whole_run(dyn_objective *o, const setting *s)
{
    double theta[NETWORK_SIZE];
    dyn_run *r = NULL;

    network_start(theta);
    CHECK_OK(ctx, dyn_run_create(o, &s->optimizer, &s->options, theta, &r));
    observe(r);
    return r;
}

/* Save r, free it, and load it in a context of its own, which is handed over with *other. */
static dyn_run *move_elsewhere(dyn_run *r, const setting *s, int threads, dyn_objective **other)
{
    dyn_ctx *c = make_ctx(threads);
    char path[64];

    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    dyn_run_free(r);
    *other = make_network(c, s->dtype);
    CHECK_OK(c, dyn_run_load(*other, &s->optimizer, &s->options, path, &r));
    dyn_ctx_free(c);
    unlink(path);
    if (r)
        observe(r);
    return r;
}

static void check_setting(const setting *s, const int64_t *stops, int count)
{
    dyn_objective *o = make_network(ctx, s->dtype), *other;
    dyn_run *whole = whole_run(o, s);

    CHECK_OK(ctx, dyn_run_train(whole, DYN_TO_END));
    for (int i = 0; i < count; i++) {
        dyn_run *r = whole_run(o, s);

        if (stops[i])
            CHECK_OK(ctx, dyn_run_train(r, stops[i]));
        r = move_elsewhere(r, s, 1 + i % 3, &other);
        CHECK(dyn_run_step(r) == stops[i]);
        CHECK(dyn_run_train(r, DYN_TO_END) == DYN_OK);
        check_same_theta(whole, r, NETWORK_SIZE);
        check_same_records(whole, r);
        dyn_run_free(r);
        dyn_objective_unref(other);
    }
    dyn_run_free(whole);
    dyn_objective_unref(o);
}

TEST(resume_equals_never_stopped)
{
    const int64_t stops[] = { 0, 1, 7, 24, 37, 59, 60 };
    const setting settings[] = {
        { OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .02), RUN_OPTIONS(.steps = STEPS, .batch = 5, .seed = 11),
          DYN_F64 },
        { OPTIMIZER(.kind = DYN_OPTIMIZER_ADAMW, .rate = .02, .weight_decay = .1, .clip_norm = .3, .warmup = 10,
                    .schedule = DYN_RATE_COSINE, .period = 40),
          RUN_OPTIONS(.steps = STEPS, .batch = 4, .drop_last = 1, .record_every = 3), DYN_F32 },
        { OPTIMIZER(.kind = DYN_OPTIMIZER_NESTEROV, .rate = .1), RUN_OPTIONS(.steps = STEPS), DYN_F64 },
        { OPTIMIZER(.kind = DYN_OPTIMIZER_RMSPROP, .init_from_gradient = 1), RUN_OPTIONS(.steps = STEPS, .batch = 23),
          DYN_F32 },
        { OPTIMIZER(.rate = .3), RUN_OPTIONS(.steps = STEPS, .stop_loss = .05), DYN_F64 },
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        check_setting(&settings[i], stops, 7);
}

static const setting adam = { OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .02),
                              RUN_OPTIONS(.steps = STEPS, .batch = 5, .seed = 11), DYN_F64 };

static const char *saved(dyn_objective *o, char *path)
{
    dyn_run *r = whole_run(o, &adam);

    CHECK_OK(ctx, dyn_run_train(r, 21));
    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    dyn_run_free(r);
    return path;
}

TEST(other_options_are_refused)
{
    dyn_objective *o = make_network(ctx, DYN_F64), *single = make_network(ctx, DYN_F32);
    setting s = adam;
    char path[64];
    dyn_run *r;

    saved(o, path);
    s.optimizer.rate = .03;
    CHECK(dyn_run_load(o, &s.optimizer, &s.options, path, &r) == DYN_EINVAL && r == NULL);
    CHECK_STR(dyn_ctx_message(ctx),
              "dyn_run_load: optimizer.rate is 0.029999999999999999, in the checkpoint it is 0.02");
    s = adam, s.options.seed = 12;
    CHECK(dyn_run_load(o, &s.optimizer, &s.options, path, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "seed is 12, in the checkpoint it is 11");
    s = adam, s.options.batch = INT64_MAX;
    CHECK(dyn_run_load(o, &s.optimizer, &s.options, path, &r) == DYN_EINVAL);
    CHECK(dyn_run_load(single, &adam.optimizer, &adam.options, path, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dtype is 1, in the checkpoint it is 0");
    s = adam, s.options.steps = 100, s.options.record_every = 5, s.options.stop_loss = 1e-9;
    CHECK_OK(ctx, dyn_run_load(o, &s.optimizer, &s.options, path, &r));
    CHECK_OK(ctx, dyn_run_train(r, DYN_TO_END));
    CHECK(dyn_run_step(r) == 100);
    dyn_run_free(r);
    CHECK(dyn_run_load(o, NULL, NULL, "/nowhere/at/all", &r) == DYN_EIO && r == NULL);
    CHECK(dyn_run_load(NULL, NULL, NULL, path, &r) == DYN_EINVAL);
    CHECK(dyn_run_save(NULL, path) == DYN_EINVAL);
    unlink(path);
    dyn_objective_unref(single);
    dyn_objective_unref(o);
}

/* The loss and the data of the file are compared with those given; a note comes back. */
TEST(other_objectives_are_refused)
{
    dyn_objective *o = make_network(ctx, DYN_F64), *other;
    dyn_objective_options with_l2 = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_array *x = NULL, *y = NULL;
    double numbers[2 * SAMPLES];
    char path[64];
    dyn_run *r = whole_run(o, &adam);

    CHECK(dyn_run_note(r) == NULL && dyn_run_set_note(NULL, "") == DYN_EINVAL);
    CHECK_OK(ctx, dyn_run_set_note(r, "how to make it again"));
    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    dyn_run_free(r);
    CHECK_OK(ctx, dyn_run_load(o, &adam.optimizer, &adam.options, path, &r));
    CHECK(!strcmp(dyn_run_note(r), "how to make it again"));
    dyn_run_free(r);
    for (int i = 0; i < 2 * SAMPLES; i++)
        numbers[i] = i;
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, (const int64_t[]){ SAMPLES, 2 }, numbers, &x));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, (const int64_t[]){ SAMPLES, 1 }, numbers, &y));
    with_l2.l2 = 0.25;
    CHECK_OK(ctx, dyn_objective_create(ctx, dyn_objective_model(o), x, y, NULL, &other));
    CHECK(dyn_run_load(other, &adam.optimizer, &adam.options, path, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "the objective is another one: it has \"data x");
    dyn_objective_unref(other);
    CHECK_OK(ctx, dyn_objective_create(ctx, dyn_objective_model(o), x, y, &with_l2, &other));
    CHECK(dyn_run_load(other, &adam.optimizer, &adam.options, path, &r) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "the objective is another one: it has \"%");
    dyn_objective_unref(other);
    dyn_array_unref(x);
    dyn_array_unref(y);
    unlink(path);
    dyn_objective_unref(o);
}

/* The checkpoint with one member replaced, or left out where a is NULL; its status when loaded. */
static dyn_status load_changed(dyn_objective *o, const char *path, const char *member, dyn_array *a)
{
    const char *names[64];
    dyn_array *arrays[64];
    char changed[64];
    int64_t n = 0;
    dyn_npz *npz;
    dyn_status s;
    dyn_run *r;

    CHECK_OK(ctx, dyn_npz_open(ctx, path, &npz));
    for (int64_t i = 0; i < dyn_npz_count(npz); i++) {
        const int same = !strcmp(dyn_npz_name(npz, i), member);

        if (same && !a)
            continue;
        names[n] = dyn_npz_name(npz, i);
        arrays[n] = dyn_array_ref(a);
        if (!same) {
            dyn_array_unref(arrays[n]);
            CHECK_OK(ctx, dyn_npz_read(npz, names[n], &arrays[n]));
        }
        n++;
    }
    CHECK_OK(ctx, dyn_npz_write(ctx, temporary(changed), n, names, arrays));
    s = dyn_run_load(o, &adam.optimizer, &adam.options, changed, &r);
    CHECK((s == DYN_OK) == (r != NULL));
    dyn_run_free(r);
    for (int64_t i = 0; i < n; i++)
        dyn_array_unref(arrays[i]);
    dyn_npz_free(npz);
    unlink(changed);
    return s;
}

static dyn_status load_with(dyn_objective *o, const char *path, const char *member, int32_t dtype, int32_t rank,
                            int64_t rows, const void *data)
{
    const int64_t shape[2] = { rows, rank == 2 ? 2 : 0 };
    dyn_array *a;
    dyn_status s;

    CHECK_OK(ctx, dyn_array_create(ctx, dtype, rank, shape, data, &a));
    s = load_changed(o, path, member, a);
    dyn_array_unref(a);
    return s;
}

TEST(files_that_lie)
{
    dyn_objective *o = make_network(ctx, DYN_F64);
    const double zeros[64] = { 0 };
    const int64_t whole[64] = { 0 }, states[][4] = {
        { 3, 21, 21, 0 }, { 2, -1, 0, 0 }, { 2, 21, 20, 0 }, { 2, 21, 23, 0 }, { 2, 21, 21, 10 }, { 2, 3, 3, 0 },
        { 2, INT64_MAX, INT64_MAX, 0 },
    };
    const char *const members[] = { "state", "theta", "m", "v", "history.step", "history.loss",
                                    "series.pair.values" };
    int64_t steps[6] = { 0, 4, 8, 12, 16, 20 };
    char path[64];

    saved(o, path);
    CHECK(load_changed(o, path, "none", NULL) == DYN_OK);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        CHECK(load_changed(o, path, members[i], NULL) == DYN_EFORMAT);
        CHECK(load_with(o, path, members[i], DYN_F64, 2, 9, zeros) == DYN_EFORMAT);
        CHECK(load_with(o, path, members[i], DYN_I64, 1, 3, whole) == DYN_EFORMAT);
        CHECK(load_with(o, path, members[i], DYN_F32, 1, 25, zeros) == DYN_EFORMAT);
    }
    CHECK(load_with(o, path, "state", DYN_I64, 1, 4, states[0]) == DYN_EVERSION);
    CHECK_STR(dyn_ctx_message(ctx), "version of the checkpoint is 3, known is 2");
    for (size_t i = 1; i < sizeof states / sizeof *states; i++)
        CHECK(load_with(o, path, "state", DYN_I64, 1, 4, states[i]) == DYN_EFORMAT);
    CHECK(load_with(o, path, "history.step", DYN_F64, 1, 21, zeros) == DYN_EFORMAT);
    CHECK(load_with(o, path, "series.pair.steps", DYN_I64, 1, 6, steps) == DYN_OK);
    steps[3] = 2;
    CHECK(load_with(o, path, "series.pair.steps", DYN_I64, 1, 6, steps) == DYN_EFORMAT);
    steps[3] = 12, steps[5] = 23;
    CHECK(load_with(o, path, "series.pair.steps", DYN_I64, 1, 6, steps) == DYN_EFORMAT);
    CHECK(load_with(o, path, "series.pair.steps", DYN_I64, 1, 5, steps) == DYN_EFORMAT);
    unlink(path);
    dyn_objective_unref(o);
}

/* Cut anywhere, or with bytes changed: an error or a run that trains, never anything worse. */
TEST(damaged_files)
{
    dyn_objective *o = make_network(ctx, DYN_F64);
    static unsigned char bytes[1 << 16], copy[1 << 16];
    char path[64];
    size_t size;
    FILE *f;
    int refused = 0;

    saved(o, path);
    f = fopen(path, "rb");
    size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    CHECK(size > 1000 && size < sizeof bytes);
    for (unsigned i = 0; i < 300; i++) {
        dyn_run *r;
        size_t n = size;

        memcpy(copy, bytes, size);
        if (i % 3 == 0)
            n = size * i / 300;
        else
            copy[(i * 2654435761u) % size] ^= (unsigned char)(1u << i % 8);
        f = fopen(path, "wb");
        fwrite(copy, 1, n, f);
        fclose(f);
        if (dyn_run_load(o, &adam.optimizer, &adam.options, path, &r) != DYN_OK)
            refused++;
        else
            dyn_run_train(r, 3);
        dyn_run_free(r);
    }
    CHECK(refused > 200);
    unlink(path);
    dyn_objective_unref(o);
}

/* Another instruction set is another numeric class: refused with both, unless asked for. */
TEST(another_numeric_class)
{
    dyn_ctx_options plain = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *other = NULL;
    double theta[NETWORK_SIZE], first[NETWORK_SIZE], second[NETWORK_SIZE];
    char path[64];
    dyn_run *r, *again = NULL;

    plain.isa = DYN_ISA_REFERENCE;
    CHECK(dyn_ctx_create(&plain, &other) == DYN_OK);
    dyn_objective *o = make_network(ctx, DYN_F64), *elsewhere = make_network(other, DYN_F64);
    network_start(theta);
    CHECK_OK(ctx, dyn_run_create(o, &OPTIMIZER(.rate = .1), NULL, theta, &r));
    CHECK_OK(ctx, dyn_run_train(r, 3));
    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    CHECK(dyn_run_load(elsewhere, &OPTIMIZER(.rate = .1), NULL, path, &again) == DYN_ESTATE && !again);
    CHECK_STR(dyn_ctx_message(other), "isa: ");
    CHECK_STR(dyn_ctx_message(other), "isa: reference");
    CHECK_OK(other, dyn_run_load(elsewhere, &OPTIMIZER(.rate = .1), &RUN_OPTIONS(.any_numerics = 1), path, &again));
    CHECK_OK(ctx, dyn_run_train(r, 20));
    CHECK_OK(other, dyn_run_train(again, 20));
    CHECK_OK(ctx, dyn_run_theta(r, first));
    CHECK_OK(other, dyn_run_theta(again, second));
    for (int i = 0; i < NETWORK_SIZE; i++)
        CHECK_NEAR(first[i], second[i], 1e-12);
    dyn_run_free(again);
    dyn_run_free(r);
    dyn_objective_unref(elsewhere);
    dyn_objective_unref(o);
    dyn_ctx_free(other);
    remove(path);
}

/* A context of the class that a checkpoint names goes on with its bits, whatever the machine's own class is. */
TEST(in_the_class_of_the_checkpoint)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *small = NULL, *other = NULL;
    double theta[NETWORK_SIZE], first[NETWORK_SIZE], second[NETWORK_SIZE];
    const char *own = dyn_ctx_numerics(ctx), *at = strstr(own, "caches: ") + strlen("caches: ");
    char path[64], text[512];
    dyn_run *r, *again = NULL;

    snprintf(text, sizeof text, "%.*s16 KiB, 256 KiB%s", (int)(at - own), own, at + strcspn(at, ";"));
    CHECK(strcmp(text, own) != 0);      /* no x86-64 or ARM core has so little */
    opt.numerics = text;
    CHECK(dyn_ctx_create(&opt, &small) == DYN_OK);
    dyn_objective *o = make_network(small, DYN_F64);
    network_start(theta);
    CHECK_OK(small, dyn_run_create(o, &OPTIMIZER(.rate = .1), NULL, theta, &r));
    CHECK_OK(small, dyn_run_train(r, 3));
    CHECK_OK(small, dyn_run_save(r, temporary(path)));
    CHECK_OK(small, dyn_run_train(r, 20));
    CHECK_OK(small, dyn_run_theta(r, first));

    dyn_objective *here = make_network(ctx, DYN_F64);
    CHECK(dyn_run_load(here, &OPTIMIZER(.rate = .1), NULL, path, &again) == DYN_ESTATE && !again);
    CHECK_STR(dyn_ctx_message(ctx), "caches: 16 KiB, 256 KiB");
    memset(text, 0, sizeof text);
    CHECK(dyn_checkpoint_numerics(ctx, path, 16, text) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "there is room for 15 and their end");
    CHECK_OK(ctx, dyn_checkpoint_numerics(ctx, path, sizeof text, text));
    CHECK(!strcmp(text, dyn_ctx_numerics(small)));
    CHECK(dyn_ctx_create(&opt, &other) == DYN_OK);      /* opt.numerics is text */
    dyn_objective *there = make_network(other, DYN_F64);
    CHECK_OK(other, dyn_run_load(there, &OPTIMIZER(.rate = .1), NULL, path, &again));
    CHECK_OK(other, dyn_run_train(again, 20));
    CHECK_OK(other, dyn_run_theta(again, second));
    CHECK(!memcmp(first, second, sizeof first));
    dyn_run_free(again);
    dyn_run_free(r);
    dyn_objective_unref(there);
    dyn_objective_unref(here);
    dyn_objective_unref(o);
    dyn_ctx_free(other);
    dyn_ctx_free(small);
    remove(path);
}

/* A limit of memory is a part of the class. */
TEST(another_memory_limit)
{
    dyn_objective_options limited = DYN_OBJECTIVE_OPTIONS_INIT;
    double theta[NETWORK_SIZE];
    char path[64];
    dyn_run *r, *again = NULL;

    limited.memory_limit = 1 << 20;
    dyn_objective *o = make_network(ctx, DYN_F64), *narrow = NULL;
    CHECK_OK(ctx, try_network_with(ctx, &limited, &narrow));
    network_start(theta);
    CHECK_OK(ctx, dyn_run_create(narrow, &OPTIMIZER(.rate = .1), NULL, theta, &r));
    CHECK_OK(ctx, dyn_run_save(r, temporary(path)));
    CHECK(dyn_run_load(o, &OPTIMIZER(.rate = .1), NULL, path, &again) == DYN_ESTATE && !again);
    CHECK_STR(dyn_ctx_message(ctx), "written with memory_limit 1048576, here it is none");
    CHECK_OK(ctx, dyn_run_load(o, &OPTIMIZER(.rate = .1), &RUN_OPTIONS(.any_numerics = 1), path, &again));
    dyn_run_free(again);
    CHECK_OK(ctx, dyn_run_load(narrow, &OPTIMIZER(.rate = .1), NULL, path, &again));
    dyn_run_free(again);
    dyn_run_free(r);
    dyn_objective_unref(narrow);
    dyn_objective_unref(o);
    remove(path);
}

#else

TEST(checkpoints_need_libzip)
{
    dyn_objective *o = make_quadratic(ctx);
    char path[64];
    dyn_run *r, *loaded;

    CHECK_OK(ctx, dyn_run_create(o, NULL, NULL, quadratic_start, &r));
    CHECK(dyn_run_save(r, temporary(path)) == DYN_ENOTSUP);
    CHECK_STR(dyn_ctx_message(ctx), "libzip");
    CHECK(dyn_run_load(o, NULL, NULL, path, &loaded) == DYN_ENOTSUP && !loaded);
    CHECK_STR(dyn_ctx_message(ctx), "libzip");
    unlink(path);
    dyn_run_free(r);
    dyn_objective_unref(o);
}

#endif

static uint64_t fingerprint_of(dyn_objective *o, dyn_optimizer_options optimizer, dyn_run_options options, double shift)
{
    double theta[NETWORK_SIZE];
    uint64_t found = 0;
    dyn_run *r;

    network_start(theta);
    theta[3] += shift;
    CHECK_OK(dyn__objective_ctx(o), dyn_run_create(o, &optimizer, &options, theta, &r));
    CHECK_OK(dyn__objective_ctx(o), dyn_run_fingerprint(r, &found));
    dyn_run_free(r);
    return found;
}

/* Equal definitions have equal numbers, in any context; each of these changes gives a number of its own. */
TEST(fingerprints)
{
    const dyn_optimizer_options adam_of = OPTIMIZER(.rate = .1);
    dyn_ctx *other = make_ctx(1);
    dyn_objective *o = make_network(ctx, DYN_F64), *again = make_network(other, DYN_F64), *single = make_network(ctx, DYN_F32);
    const uint64_t first = fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 9), 0);
    const uint64_t others[] = {
        fingerprint_of(single, adam_of, RUN_OPTIONS(.steps = 9), 0),
        fingerprint_of(o, OPTIMIZER(.rate = .2), RUN_OPTIONS(.steps = 9), 0),
        fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 10), 0),
        fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 9, .batch = 5), 0),
        fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 9, .stop_loss = 1e-3), 0),
        fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 9, .validation = o), 0),
        fingerprint_of(o, adam_of, RUN_OPTIONS(.steps = 9), 1e-15),
    };

    CHECK(first == fingerprint_of(again, adam_of, RUN_OPTIONS(.steps = 9), 0));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(others[i] != first);
        for (size_t j = 0; j < i; j++)
            CHECK(others[i] != others[j]);
    }
    CHECK(dyn_run_fingerprint(NULL, NULL) == DYN_EINVAL);
    dyn_objective_unref(single);
    dyn_objective_unref(again);
    dyn_objective_unref(o);
    dyn_ctx_free(other);
}

int main(void)
{
    ctx = make_ctx(2);
    RUN(order_of_the_batches);
    RUN(csv);
    RUN(fingerprints);
#if DYN__HAVE_ZIP
    RUN(resume_equals_never_stopped);
    RUN(other_options_are_refused);
    RUN(other_objectives_are_refused);
    RUN(files_that_lie);
    RUN(damaged_files);
    RUN(another_numeric_class);
    RUN(in_the_class_of_the_checkpoint);
    RUN(another_memory_limit);
#else
    RUN(checkpoints_need_libzip);
#endif
    dyn_ctx_free(ctx);
    return test_end();
}
