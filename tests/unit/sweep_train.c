/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sweeps: members against runs of their own, for any number of threads and through packed bytes; failures, stopping,
 * and what the store keeps. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/have.h"
#include "sweep/sweep.h"
#include "train_problem.h"

enum { RATES = 3, SHIFTS = 4, COUNT = RATES * SHIFTS };
static const char *const names[] = { "rate", "shift" };
static double points[COUNT * 2];
static dyn_ctx *ctx;

/* The network of train_problem.h from a start that the second parameter moves. A shift of 3 fails. */
static dyn_status make(void *user, dyn_ctx *c, int64_t member, const double *p, dyn_run **out)
{
    const int64_t steps = user ? *(const int64_t *)user : 30;
    dyn_objective *o;
    double theta[NETWORK_SIZE];
    dyn_status s;

    (void)member;
    if (p[1] == 3)
        return dyn_run_create(NULL, NULL, NULL, NULL, out);
    s = try_network(c, DYN_F64, &o);
    network_start(theta);
    theta[0] += p[1];
    if (s == DYN_OK)
        s = dyn_run_create(o, &OPTIMIZER(.rate = p[0]), &RUN_OPTIONS(.steps = steps, .batch = 7, .seed = 5), theta,
                           out);
    dyn_objective_unref(o);
    return s;
}

static int32_t ended(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run)
{
    double theta[NETWORK_SIZE];

    (void)user;
    (void)member;
    if (dyn_run_theta(run, theta) < 0)
        return 1;
    return dyn_sweep_result(sweep, "first", theta[0]);
}

static dyn_sweep_options options_of(void)
{
    dyn_sweep_options o = DYN_SWEEP_OPTIONS_INIT;

    o.count = COUNT, o.parameters = 2, o.names = names, o.values = points, o.make = make, o.ended = ended;
    return o;
}

static dyn_sweep *create(dyn_ctx *c, const dyn_sweep_options *o)
{
    dyn_sweep *w = NULL;

    CHECK_OK(c, dyn_sweep_create(c, o, &w));
    return w;
}

/* Loss and theta[0] of a run alone. */
static void alone(int64_t i, double found[2])
{
    double theta[NETWORK_SIZE];
    const double *loss;
    int64_t rows;
    dyn_run *run = NULL;

    CHECK_OK(ctx, make(NULL, ctx, i, points + 2 * i, &run));
    CHECK_OK(ctx, dyn_run_train(run, DYN_TO_END));
    loss = dyn_run_history(run, "loss", &rows);
    CHECK_OK(ctx, dyn_run_theta(run, theta));
    found[0] = loss[rows - 1];
    found[1] = theta[0];
    dyn_run_free(run);
}

static void check_members(const dyn_sweep *w)
{
    double loss[COUNT], first[COUNT], expected[2];

    CHECK_OK(ctx, dyn_sweep_column(w, "loss", loss));
    CHECK_OK(ctx, dyn_sweep_column(w, "first", first));
    for (int64_t i = 0; i < COUNT; i++) {
        const int fails = points[2 * i + 1] == 3;

        CHECK(dyn_sweep_status(w, i) == (fails ? DYN_MEMBER_FAILED : DYN_MEMBER_DONE));
        if (fails) {
            CHECK(isnan(loss[i]) && isnan(first[i]));
            continue;
        }
        alone(i, expected);
        CHECK(loss[i] == expected[0] && first[i] == expected[1]);
    }
}

TEST(grid)
{
    const double rates[] = { .01, .02, .05 }, shifts[] = { 0, .5, 1, 3 };
    const double *const lists[] = { rates, shifts };
    int64_t count = 0;

    CHECK(dyn_sweep_grid(2, (const int64_t[]){ RATES, SHIFTS }, lists, NULL, &count) == DYN_OK && count == COUNT);
    CHECK(dyn_sweep_grid(2, (const int64_t[]){ RATES, SHIFTS }, lists, points, &count) == DYN_OK);
    for (int i = 0; i < COUNT; i++)
        CHECK(points[2 * i] == rates[i / SHIFTS] && points[2 * i + 1] == shifts[i % SHIFTS]);
    CHECK(dyn_sweep_grid(2, (const int64_t[]){ 0, 4 }, lists, NULL, &count) == DYN_EINVAL);
}

TEST(members_are_runs_of_their_own)
{
    for (int threads = 1; threads <= 5; threads += 2) {
        const dyn_sweep_options o = options_of();
        dyn_ctx *c = make_ctx(threads);
        dyn_sweep *w = create(c, &o);

        CHECK(dyn_sweep_status(w, 0) == DYN_MEMBER_WAITING && dyn_sweep_count(w) == COUNT);
        CHECK_OK(c, dyn_sweep_train(w));
        check_members(w);
        CHECK_OK(c, dyn_sweep_train(w));
        dyn_sweep_free(w);
        dyn_ctx_free(c);
    }
}

TEST(points_as_text)
{
    const struct { double x; const char *text; } cases[] = {
        { 10, "10" }, { -0.5, "-0.5" }, { 1e-5, "1e-05" }, { 0.1, "0.1" }, { 1.0 / 3, "0.3333333333333333" },
        { 1e300, "1e+300" }, { (double)NAN, "\"nan\"" }, { -HUGE_VAL, "\"-inf\"" }, { 2.5e-310, "2.5e-310" },
    };
    char text[DYN__POINT_NUMBER];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dyn__json_number(cases[i].x, text);
        CHECK(strcmp(text, cases[i].text) == 0);
    }
}

/* One sweep trains, another of the same definition keeps. */
TEST(packed_members)
{
    const dyn_sweep_options o = options_of();
    dyn_sweep *there = create(ctx, &o), *here = create(ctx, &o);

    for (int64_t i = COUNT; i-- > 0;) {
        const void *packed;
        int64_t size;
        char *cut;

        CHECK_OK(ctx, dyn_sweep_member(there, i, &packed, &size));
        cut = malloc((size_t)size);
        CHECK(cut != NULL);
        memcpy(cut, packed, (size_t)size);
        for (int64_t less = 0; less < size; less += 1 + size / 97)
            CHECK(dyn_sweep_keep(here, cut, less) == DYN_EFORMAT);
        CHECK(dyn_sweep_status(here, i) == DYN_MEMBER_WAITING);
        CHECK_OK(ctx, dyn_sweep_keep(here, cut, size));
        free(cut);
    }
    check_members(here);
    CHECK(dyn_sweep_member(there, COUNT, (const void *[1]){ NULL }, (int64_t[1]){ 0 }) == DYN_EINVAL);
    dyn_sweep_free(there);
    dyn_sweep_free(here);
}

static dyn_status diverging(void *user, dyn_ctx *c, int64_t member, const double *p, dyn_run **out)
{
    double theta[NETWORK_SIZE];
    dyn_objective *o;
    dyn_status s = try_network(c, DYN_F64, &o);

    (void)user;
    (void)p;
    network_start(theta);
    if (s == DYN_OK)
        s = dyn_run_create(o, &OPTIMIZER(.rate = member == 1 ? 1e300 : .1), &RUN_OPTIONS(.steps = 50), theta, out);
    dyn_objective_unref(o);
    return s;
}

TEST(one_that_diverges_touches_no_other)
{
    dyn_sweep_options o = options_of();
    double step[COUNT], loss[COUNT];
    dyn_sweep *w;

    o.make = diverging, o.count = 3, o.ended = NULL;
    w = create(ctx, &o);
    CHECK_OK(ctx, dyn_sweep_train(w));
    CHECK(dyn_sweep_status(w, 1) == DYN_MEMBER_NONFINITE && dyn_sweep_status(w, 0) == DYN_MEMBER_DONE);
    CHECK_STR(dyn_sweep_message(w, 1), "dyn_run_train: ");
    CHECK_OK(ctx, dyn_sweep_column(w, "step", step));
    CHECK_OK(ctx, dyn_sweep_column(w, "loss", loss));
    CHECK(step[0] == 50 && step[1] < 50 && loss[0] == loss[2]);
    dyn_sweep_free(w);
}

/* ---- stopping ---- */

static int32_t stop_at_once(void *user, double fraction, const char *text)
{
    (void)fraction;
    (void)text;
    return ++*(int *)user == 3;
}

TEST(stopped_by_progress)
{
    static const int64_t forever = INT64_C(1) << 40;
    dyn_sweep_options o = options_of();
    int calls = 0;
    dyn_sweep *w;

    o.make_user = (void *)(uintptr_t)&forever, o.progress = stop_at_once, o.progress_user = &calls;
    w = create(ctx, &o);
    CHECK(dyn_sweep_train(w) == DYN_STOPPED);
    for (int64_t i = 0; i < COUNT; i++)
        CHECK(dyn_sweep_status(w, i) != DYN_MEMBER_DONE);
    dyn_sweep_free(w);
}

/* ---- cost ---- */

TEST(cost_before_the_run)
{
    static const int64_t few = 1000, many = 4000, forever = INT64_MAX;
    dyn_sweep_options o = options_of();
    double seconds[2], total;
    int64_t members, bytes[2];
    dyn_sweep *w;

    for (int longer = 0; longer < 2; longer++) {
        o.make_user = (void *)(uintptr_t)(longer ? &many : &few);
        w = create(ctx, &o);
        CHECK_OK(ctx, dyn_sweep_cost(w, &members, &bytes[longer], &seconds[longer], &total));
        CHECK(members == COUNT && total == seconds[longer] * COUNT / 2);
        CHECK(dyn_sweep_status(w, 0) == DYN_MEMBER_WAITING);
        dyn_sweep_free(w);
    }
    CHECK(seconds[0] > 0 && seconds[1] > seconds[0]);
    CHECK(bytes[1] - bytes[0] == 8 * 4 * 3000);     /* their histories of four columns */
    w = create(ctx, &o);
    CHECK_OK(ctx, dyn_sweep_train(w));
    CHECK_OK(ctx, dyn_sweep_cost(w, &members, &bytes[0], NULL, &total));
    CHECK(members == 0 && bytes[0] == 0 && total == 0);
    dyn_sweep_free(w);
    o.make_user = (void *)(uintptr_t)&forever;
    w = create(ctx, &o);
    CHECK(dyn_sweep_cost(w, NULL, NULL, NULL, NULL) < 0);
    dyn_sweep_free(w);
    CHECK(dyn_sweep_cost(NULL, NULL, NULL, NULL, NULL) == DYN_EINVAL);
}

TEST(refused)
{
    static const char *const bad[] = { "rate", "a\"b" }, *const column_names[] = { "rate", "loss" };
    static const char *const twice[] = { "rate", "rate" };
    dyn_sweep_options o = options_of();
    dyn_sweep *w;
    double column[COUNT];

    o.count = 0;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL && !w);
    o = options_of(), o.names = bad;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "a parameter \"a\"b\"");
    o.names = column_names;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "loss is a column that every table of a sweep has");
    o.names = twice;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "parameters 0 and 1 are both called rate");
    o = options_of();
    w = create(ctx, &o);
    CHECK(dyn_sweep_column(w, "nothing", column) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "no column \"nothing\"");
    CHECK_OK(ctx, dyn_sweep_column(w, "rate", column));
    CHECK(column[0] == .01 && column[COUNT - 1] == .05);
    CHECK(dyn_sweep_result(w, "x", 1) == DYN_ESTATE);
    dyn_sweep_free(w);
}

static int32_t ended_badly(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run)
{
    (void)member;
    (void)run;
    CHECK(dyn_sweep_result(sweep, user, 1) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "is the name of a parameter or of a column, and of a result");
    return 0;
}

TEST(results_with_a_name_that_is_taken)
{
    dyn_sweep_options o = options_of();
    char taken[][8] = { "shift", "loss" };
    dyn_sweep *w;

    o.count = 1, o.ended = ended_badly;
    for (int i = 0; i < 2; i++) {
        o.ended_user = taken[i];
        w = create(ctx, &o);
        CHECK_OK(ctx, dyn_sweep_train(w));
        dyn_sweep_free(w);
    }
}

/* ---- the store ---- */

#if DYN__HAVE_SQLITE
#include <sqlite3.h>

static void remove_store(const char *path)
{
    char other[192];

    unlink(path);
    snprintf(other, sizeof other, "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof other, "%s-shm", path);
    unlink(other);
}

TEST(a_store_goes_on)
{
    dyn_sweep_options o = options_of();
    static const int64_t other_steps = 31;
    double seconds[2][COUNT];
    char path[64];
    dyn_sweep *w;

    o.store = temporary(path), o.count = 5;
    w = create(ctx, &o);
    CHECK_OK(ctx, dyn_sweep_train(w));
    CHECK_OK(ctx, dyn_sweep_column(w, "seconds", seconds[0]));
    dyn_sweep_free(w);
    o.count = COUNT;
    w = create(ctx, &o);
    CHECK(dyn_sweep_status(w, 0) == DYN_MEMBER_DONE && dyn_sweep_status(w, 3) == DYN_MEMBER_FAILED &&
          dyn_sweep_status(w, 5) == DYN_MEMBER_WAITING);
    CHECK_OK(ctx, dyn_sweep_train(w));
    CHECK_OK(ctx, dyn_sweep_column(w, "seconds", seconds[1]));
    CHECK(memcmp(seconds[0], seconds[1], 5 * sizeof(double)) == 0);     /* they were not trained again */
    check_members(w);
    dyn_sweep_free(w);
    w = create(ctx, &o);
    check_members(w);
    dyn_sweep_free(w);
    o.make_user = (void *)(uintptr_t)&other_steps;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL && !w);
    CHECK_STR(dyn_ctx_message(ctx), "is the store of another sweep: its member 0 has the fingerprint");
    remove_store(path);
}

static int64_t count_done(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    int64_t n = -1;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "SELECT count(*) FROM members WHERE status = 'done'", -1, &rows, NULL) == SQLITE_OK);
    if (sqlite3_step(rows) == SQLITE_ROW)
        n = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return n;
}

static int64_t done_meanwhile;

/* The last member takes long, and looks into the store after a second. */
static dyn_status make_slow(void *user, dyn_ctx *c, int64_t member, const double *p, dyn_run **out)
{
    const dyn_status s = make(NULL, c, member, p, out);

    if (member == 2) {
        sleep(1);
        done_meanwhile = count_done(user);
    }
    return s;
}

/* Those that ended are in the file while another trains, on one thread as on three. */
TEST(kept_while_others_train)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        dyn_sweep_options o = options_of();
        dyn_ctx *c = make_ctx(threads);
        char path[64];
        dyn_sweep *w;

        o.store = temporary(path), o.count = 3, o.make = make_slow, o.make_user = path;
        w = create(c, &o);
        CHECK_OK(c, dyn_sweep_train(w));
        CHECK(done_meanwhile == 2 && count_done(path) == 3);
        dyn_sweep_free(w);
        dyn_ctx_free(c);
        remove_store(path);
    }
}

static void ask(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

/* Members whose transaction fails are waiting again, in memory as in the file, and the next training has them. */
TEST(a_transaction_that_fails)
{
    dyn_sweep_options o = options_of();
    dyn_ctx *c = make_ctx(1);
    char path[64];
    dyn_sweep *w;
    int64_t done = 0;

    o.store = temporary(path), o.count = 3;
    w = create(c, &o);
    ask(path, "CREATE TRIGGER full BEFORE UPDATE ON members WHEN NEW.member = 3 BEGIN SELECT RAISE(FAIL, 'full'); END");
    CHECK(dyn_sweep_train(w) == DYN_EIO);
    CHECK_STR(dyn_ctx_message(c), "full");
    for (int64_t i = 0; i < 3; i++)
        done += dyn_sweep_status(w, i) == DYN_MEMBER_DONE;
    CHECK(done < 3 && done == count_done(path));
    ask(path, "DROP TRIGGER full");
    CHECK_OK(c, dyn_sweep_train(w));
    CHECK(count_done(path) == 3 && dyn_sweep_status(w, 0) == DYN_MEMBER_DONE);
    dyn_sweep_free(w);
    dyn_ctx_free(c);
    remove_store(path);
}

/* Another process that has a lock on the store's: its id; -1 where it has ended. */
static pid_t hold(const char *path, int pipe_end)
{
    const pid_t child = fork();

    if (child == 0) {
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        const int file = open(path, O_RDWR | O_CREAT, 0666);
        char owner[24];
        const int length = snprintf(owner, sizeof owner, "%lld\n", (long long)getpid());

        if (fcntl(file, F_SETLK, &all) != 0 || write(file, owner, (size_t)length) < 0 || write(pipe_end, "x", 1) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    return child;
}

/* One process trains a store; a lock that a killed one left is none. */
TEST(one_trains_at_a_time)
{
    dyn_sweep_options o = options_of();
    char path[64], lock[96], one, message[64];
    int ends[2];
    dyn_sweep *w;
    pid_t other;

    o.store = temporary(path), o.count = 3;
    snprintf(lock, sizeof lock, "%s.lock", path);
    CHECK(pipe(ends) == 0);
    other = hold(lock, ends[1]);
    CHECK(other > 0 && read(ends[0], &one, 1) == 1);
    w = create(ctx, &o);
    CHECK(dyn_sweep_train(w) == DYN_ESTATE);
    snprintf(message, sizeof message, "is being trained by process %lld", (long long)other);
    CHECK_STR(dyn_ctx_message(ctx), message);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    CHECK_OK(ctx, dyn_sweep_train(w));
    CHECK(count_done(path) == 3 && access(lock, F_OK) != 0);
    dyn_sweep_free(w);
    close(ends[0]), close(ends[1]);
    remove_store(path);
}

/* The file alone, without the log beside it, holds all that was trained. */
TEST(whole_in_one_file)
{
    dyn_sweep_options o = options_of();
    char path[64], copy[64], bytes[1 << 12];
    FILE *from, *to;
    dyn_sweep *w;

    o.store = temporary(path), o.count = 3;
    w = create(ctx, &o);
    CHECK_OK(ctx, dyn_sweep_train(w));
    from = fopen(path, "rb"), to = fopen(temporary(copy), "wb");
    for (size_t got; from && to && (got = fread(bytes, 1, sizeof bytes, from)) > 0;)
        CHECK(fwrite(bytes, 1, got, to) == got);
    fclose(from), fclose(to);
    CHECK(count_done(copy) == 3);
    dyn_sweep_free(w);
    remove_store(path);
    remove_store(copy);
}

/* A full disk is told as one, and lived through. */
TEST(a_full_disk)
{
    dyn_sweep_options o = options_of();
    struct rlimit before, small;
    dyn_ctx *c = make_ctx(1);
    char path[64];
    void (*handler)(int);
    dyn_sweep *w;

    o.store = temporary(path), o.count = 3;
    w = create(c, &o);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    handler = signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &small);
    CHECK(dyn_sweep_train(w) == DYN_EIO);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    CHECK(strstr(dyn_ctx_message(c), "disk") != NULL);
    CHECK_OK(c, dyn_sweep_train(w));
    CHECK(count_done(path) == 3);
    dyn_sweep_free(w);
    dyn_ctx_free(c);
    remove_store(path);
}

TEST(a_point_twice_in_a_store)
{
    static const double twice[] = { .1, 0, .2, 0, .1, 0 };
    dyn_sweep_options o = options_of();
    char path[64];
    dyn_sweep *w;

    o.store = temporary(path), o.count = 3, o.values = twice;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL && !w);
    CHECK_STR(dyn_ctx_message(ctx), "members 0 and 2 are at the same point");
    remove_store(path);
}

#if DYN__HAVE_ZIP
/* ---- checkpoints ---- */

enum { LONG = 60000, ROOM = 64 << 20 };

/* The network with an observer that adds up what it sees, for LONG steps. */
static int32_t watch(void *user, const dyn_run_view *at)
{
    (void)user;
    return dyn_run_record(at->run, "seen", 2, (const double[]){ at->loss, at->theta[0] });
}

static dyn_status make_long(void *user, dyn_ctx *c, int64_t member, const double *p, dyn_run **out)
{
    static const int64_t steps = LONG;
    dyn_schedule often = { .struct_size = sizeof often, .every = 7, .at_end = 1 };
    dyn_status s = make((void *)(uintptr_t)(user ? user : &steps), c, member, p, out);

    return s == DYN_OK ? dyn_run_observe(*out, watch, NULL, &often) : s;
}

/* Stops once a member is done. */
static int32_t stop_halfway(void *user, double fraction, const char *text)
{
    (void)user, (void)text;
    return fraction > 0;
}

static int count_checkpoints(const char *path, const dyn_sweep *w, int64_t *furthest)
{
    char file[96];
    int found = 0;

    *furthest = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        dyn_npz *npz = NULL;
        dyn_array *state = NULL;
        snprintf(file, sizeof file, "%s.checkpoints/%lld.npz", path, (long long)w->members[i].number);
        if (access(file, F_OK) != 0)
            continue;
        found++;
        CHECK_OK(ctx, dyn_npz_open(ctx, file, &npz));
        CHECK_OK(ctx, dyn_npz_read(npz, "state", &state));
        const int64_t step = ((const int64_t *)dyn_array_data(state))[1];
        *furthest = step > *furthest ? step : *furthest;
        dyn_array_unref(state);
        dyn_npz_free(npz);
    }
    return found;
}

/* Histories and series of all members as the store has them, one after the other; 0 bytes on failure. */
static size_t stored(const char *path, char *out, size_t room)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    size_t size = 0;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "SELECT data FROM arrays ORDER BY member, name", -1, &rows, NULL) == SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        const size_t n = (size_t)sqlite3_column_bytes(rows, 0);
        CHECK(size + n <= room);
        memcpy(out + size, sqlite3_column_blob(rows, 0), n);
        size += n;
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return size;
}

TEST(half_trained_members_go_on)
{
    dyn_sweep_options o = options_of();
    double loss[2][COUNT], first[2][COUNT];
    char path[2][64], *bytes[2];
    size_t size[2];
    int64_t furthest;
    dyn_sweep *w;

    o.make = make_long;
    for (int cut = 0; cut < 2; cut++) {
        o.store = temporary(path[cut]);
        o.checkpoint_every = cut ? 1e-3 : 0;
        o.progress = cut ? stop_halfway : NULL;
        w = create(ctx, &o);
        if (cut) {
            int found = 0;
            for (int i = 0; i < 20 && !found; i++) {        /* a stop may come when no member is in its midst */
                if (i > 0) {
                    dyn_sweep_free(w);
                    o.store = temporary(path[cut]);
                    w = create(ctx, &o);
                }
                CHECK(dyn_sweep_train(w) == DYN_STOPPED);
                found = count_checkpoints(path[cut], w, &furthest) > 0 && furthest > 0 && furthest < LONG;
            }
            CHECK(found);
            dyn_sweep_free(w);
            o.progress = NULL;
            w = create(ctx, &o);
        }
        CHECK_OK(ctx, dyn_sweep_train(w));
        CHECK(count_checkpoints(path[cut], w, &furthest) == 0);
        CHECK_OK(ctx, dyn_sweep_column(w, "loss", loss[cut]));
        CHECK_OK(ctx, dyn_sweep_column(w, "first", first[cut]));
        dyn_sweep_free(w);
        bytes[cut] = malloc(ROOM);
        CHECK(bytes[cut] != NULL);
        size[cut] = stored(path[cut], bytes[cut], ROOM);
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(isnan(loss[0][i]) ? isnan(loss[1][i]) : loss[0][i] == loss[1][i] && first[0][i] == first[1][i]);
    CHECK(size[0] > COUNT * LONG && size[0] == size[1] && memcmp(bytes[0], bytes[1], size[0]) == 0);
    for (int cut = 0; cut < 2; cut++) {
        free(bytes[cut]);
        char folder[192];
        snprintf(folder, sizeof folder, "%s.checkpoints", path[cut]);
        rmdir(folder);
        remove_store(path[cut]);
    }
    o.store = NULL;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EINVAL && !w);
    CHECK_STR(dyn_ctx_message(ctx), "checkpoint_every is 0.001, the store, beside which they lie, NULL");
}

#endif

TEST(what_is_no_store)
{
    dyn_sweep_options o = options_of();
    char path[64];
    dyn_sweep *w;
    FILE *f = fopen(temporary(path), "w");

    CHECK(f != NULL);
    for (int i = 0; i < 200; i++)
        fputs("this is no database ", f);
    fclose(f);
    o.store = path;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EIO && !w);
    CHECK_STR(dyn_ctx_message(ctx), "file is not a database");
    o.store = "/nowhere/at/all.sqlite";
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_EIO);
    remove_store(path);
}

#else

TEST(stores_need_sqlite)
{
    dyn_sweep_options o = options_of();
    dyn_sweep *w;

    o.store = "/tmp/never-made.sqlite";
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_ENOTSUP && !w);
    CHECK_STR(dyn_ctx_message(ctx), "SQLite");
}

#endif

int main(void)
{
    ctx = make_ctx(2);
    RUN(grid);
    RUN(members_are_runs_of_their_own);
    RUN(points_as_text);
    RUN(packed_members);
    RUN(one_that_diverges_touches_no_other);
    RUN(stopped_by_progress);
    RUN(cost_before_the_run);
    RUN(refused);
    RUN(results_with_a_name_that_is_taken);
#if DYN__HAVE_SQLITE
    RUN(a_store_goes_on);
    RUN(kept_while_others_train);
    RUN(a_transaction_that_fails);
    RUN(one_trains_at_a_time);
    RUN(whole_in_one_file);
    RUN(a_full_disk);
    RUN(a_point_twice_in_a_store);
#if DYN__HAVE_ZIP
    RUN(half_trained_members_go_on);
#endif
    RUN(what_is_no_store);
#else
    RUN(stores_need_sqlite);
#endif
    dyn_ctx_free(ctx);
    return test_end();
}
