/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The store, a file of SQLite; the only file that knows it. One connection, used by one thread at a time under the
 * sweep's lock. Members go by transactions into the write-ahead log, so that kill -9 leaves one there whole or not at
 * all. */
#include "base/numerics.h"
#include "sweep/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEMA "1"

enum { UPDATE, CLEAR_RESULTS, CLEAR_ARRAYS, RESULT, ARRAY, STATEMENTS };
static const char *const texts[STATEMENTS] = {
    [UPDATE] = ("UPDATE members SET status = ?, reason = ?, message = ?, step = ?, loss = ?, seconds = ?, host = ?, "
                "version = ?, numerics = ?, finished = ?, fingerprint = ? WHERE member = ?"),
    [CLEAR_RESULTS] = "DELETE FROM results WHERE member = ?",
    [CLEAR_ARRAYS] = "DELETE FROM arrays WHERE member = ?",
    [RESULT] = "INSERT INTO results VALUES (?, ?, ?)",
    [ARRAY] = "INSERT INTO arrays VALUES (?, ?, ?, ?, ?)",
};

/* Histories are large, and large pages, which a file that is new has, take half the time; the log is of 4 MiB. */
static const char settings[] = ("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                                "PRAGMA wal_autocheckpoint = 256");

struct dyn__store {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
};

/* ---- calling SQLite ---- */

static dyn_status fail(dyn_sweep *w)
{
    const int code = sqlite3_errcode(w->store->db);

    return DYN__FAIL(w->ctx, code == SQLITE_NOMEM ? DYN_ENOMEM : DYN_EIO, "%s: %s", w->path,
                     sqlite3_errmsg(w->store->db));
}

static dyn_status check(dyn_sweep *w, int code)
{
    return code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW ? DYN_OK : fail(w);
}

static dyn_status run(dyn_sweep *w, const char *sql)
{
    return check(w, sqlite3_exec(w->store->db, sql, NULL, NULL, NULL));
}

static dyn_status prepare(dyn_sweep *w, const char *sql, sqlite3_stmt **out)
{
    return check(w, sqlite3_prepare_v2(w->store->db, sql, -1, out, NULL));
}

/* Run a statement that gives no rows, and make it ready for the next time. */
static dyn_status step(dyn_sweep *w, sqlite3_stmt *statement)
{
    const dyn_status s = check(w, sqlite3_step(statement));

    sqlite3_reset(statement);
    return s;
}

static int text(sqlite3_stmt *statement, int place, const char *value)
{
    return sqlite3_bind_text(statement, place, value, -1, SQLITE_TRANSIENT);
}

/* All or nothing. */
static dyn_status undone(dyn_sweep *w, dyn_status s)
{
    if (s != DYN_OK)
        sqlite3_exec(w->store->db, "ROLLBACK", NULL, NULL, NULL);
    return s;
}

/* A transaction, with the right to write from the start. */
static dyn_status in_transaction(dyn_sweep *w, dyn_status (*work)(dyn_sweep *w))
{
    dyn_status s = run(w, "BEGIN IMMEDIATE");

    if (s != DYN_OK)
        return s;
    s = work(w);
    if (s == DYN_OK)
        s = run(w, "COMMIT");
    return undone(w, s);
}

static void now(char room[32])
{
    const time_t t = time(NULL);
    struct tm broken;

    if (!localtime_r(&t, &broken) || !strftime(room, 32, "%Y-%m-%d %H:%M:%S %z", &broken))
        room[0] = '\0';
}

/* ---- what the store says of itself ---- */

static dyn_status note(dyn_sweep *w, const char *name, const char *value)
{
    sqlite3_stmt *statement = NULL;
    dyn_status s = prepare(w, "INSERT OR REPLACE INTO about VALUES (?, ?)", &statement);

    if (s == DYN_OK && (text(statement, 1, name) || text(statement, 2, value)))
        s = fail(w);
    if (s == DYN_OK)
        s = step(w, statement);
    sqlite3_finalize(statement);
    return s;
}

/* The value of a fact, "" where there is none. */
static dyn_status fact(dyn_sweep *w, const char *name, char *room, size_t size)
{
    sqlite3_stmt *statement = NULL;
    dyn_status s = prepare(w, "SELECT value FROM about WHERE name = ?", &statement);

    room[0] = '\0';
    if (s == DYN_OK && text(statement, 1, name))
        s = fail(w);
    if (s == DYN_OK && sqlite3_step(statement) == SQLITE_ROW)
        snprintf(room, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return s;
}

static dyn_status count(dyn_sweep *w, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    dyn_status s = prepare(w, sql, &statement);

    if (s == DYN_OK)
        s = check(w, sqlite3_step(statement));
    if (s == DYN_OK)
        *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return s;
}

static dyn_status make_tables(dyn_sweep *w)
{
    char time[32];

    now(time);
    DYN__TRY(run(w, dyn_store_schema()));
    DYN__TRY(note(w, "schema", SCHEMA));
    DYN__TRY(note(w, "version", dyn_version()));
    return note(w, "created", time);
}

static dyn_status open_tables(dyn_sweep *w)
{
    int64_t tables, ours;
    char version[16];

    DYN__TRY(count(w, "SELECT count(*) FROM sqlite_master WHERE type = 'table'", &tables));
    if (tables == 0)
        return make_tables(w);
    DYN__TRY(count(w, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN "
                   "('about', 'members', 'parameters', 'results', 'arrays')", &ours));
    if (ours != 5)
        return DYN__FAIL(w->ctx, DYN_EINVAL, "%s is no store of a sweep", w->path);
    DYN__TRY(fact(w, "schema", version, sizeof version));
    if (strcmp(version, SCHEMA) != 0)
        return DYN__FAIL(w->ctx, DYN_EVERSION, "%s: version %s of the tables, known is %s", w->path, version, SCHEMA);
    return DYN_OK;
}

static dyn_status check_numerics(dyn_sweep *w)
{
    const char *ours = dyn_ctx_numerics(w->ctx);
    char theirs[DYN__NUMERICS];

    DYN__TRY(fact(w, "numerics", theirs, sizeof theirs));
    if (*theirs && !w->opt.any_numerics && strcmp(theirs, ours) != 0)
        return DYN__FAIL(w->ctx, DYN_ESTATE, "%s was begun with %s; here there is %s, which gives other bits", w->path,
                         theirs, ours);
    return note(w, "numerics", ours);
}

/* ---- members ---- */

static dyn_status add_parameters(dyn_sweep *w, int64_t i)
{
    sqlite3_stmt *statement = NULL;
    dyn_status s = prepare(w, "INSERT INTO parameters VALUES (?, ?, ?)", &statement);

    for (int64_t p = 0; s == DYN_OK && p < w->opt.parameters; p++) {
        const double value = w->values[i * w->opt.parameters + p];

        if (sqlite3_bind_int64(statement, 1, w->members[i].number) || text(statement, 2, dyn__sweep_name(w, p)))
            s = fail(w);
        else if (value == floor(value) && fabs(value) < 9007199254740992.0)
            sqlite3_bind_int64(statement, 3, (int64_t)value);
        else
            sqlite3_bind_double(statement, 3, value);
        if (s == DYN_OK)
            s = step(w, statement);
    }
    sqlite3_finalize(statement);
    return s;
}

/* A copy of the text, NULL where there is none. */
static dyn_status column_text(dyn_sweep *w, sqlite3_stmt *statement, int column, char **out)
{
    const char *found = (const char *)sqlite3_column_text(statement, column);

    *out = found && *found ? dyn__strdup(w->ctx, found) : NULL;
    return found && *found && !*out ? DYN_ENOMEM : DYN_OK;
}

static dyn_status take_member(dyn_sweep *w, dyn__member *m, sqlite3_stmt *row)
{
    const char *fingerprint = (const char *)sqlite3_column_text(row, 7);

    m->number = sqlite3_column_int64(row, 0);
    m->status = dyn__member_status_of((const char *)sqlite3_column_text(row, 1));
    m->reason = dyn__reason_of((const char *)sqlite3_column_text(row, 2));
    m->step = sqlite3_column_int64(row, 4);
    m->loss = sqlite3_column_type(row, 5) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(row, 5);
    m->seconds = sqlite3_column_double(row, 6);
    m->fingerprint = 0;
    if (fingerprint)
        sscanf(fingerprint, "%16" SCNx64, &m->fingerprint);
    return column_text(w, row, 3, &m->message);
}

/* Find member i, or add it. */
static dyn_status enter(dyn_sweep *w, int64_t i, sqlite3_stmt *find, sqlite3_stmt *add)
{
    char *point = dyn__point_text(w, i);
    dyn_status s = DYN_OK;

    if (!point)
        return DYN_ENOMEM;
    if (text(find, 1, point) || text(add, 1, point))
        s = fail(w);
    dyn__free(w->ctx, point);
    if (s != DYN_OK)
        return s;
    if (sqlite3_step(find) == SQLITE_ROW) {
        s = take_member(w, &w->members[i], find);
        sqlite3_reset(find);
        return s;
    }
    sqlite3_reset(find);
    DYN__TRY(step(w, add));
    w->members[i].number = sqlite3_last_insert_rowid(w->store->db);
    return add_parameters(w, i);
}

/* Two members at one point would be one row, and one checkpoint. */
static int by_number(const void *a, const void *b)
{
    const dyn__member *const *x = a, *const *y = b;

    return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

static dyn_status check_distinct(dyn_sweep *w)
{
    const dyn__member **sorted = dyn__alloc(w->ctx, (size_t)w->opt.count, sizeof *sorted);
    dyn_status s = sorted ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; sorted && i < w->opt.count; i++)
        sorted[i] = &w->members[i];
    if (sorted)
        qsort(sorted, (size_t)w->opt.count, sizeof *sorted, by_number);
    for (int64_t i = 1; s == DYN_OK && i < w->opt.count; i++)
        if (sorted[i]->number == sorted[i - 1]->number)
            s = DYN__FAIL(w->ctx, DYN_EINVAL, "members %lld and %lld are at the same point",
                          (long long)(sorted[i - 1] - w->members), (long long)(sorted[i] - w->members));
    dyn__free(w->ctx, sorted);
    return s;
}

static dyn_status enter_all(dyn_sweep *w)
{
    sqlite3_stmt *find = NULL, *add = NULL;
    dyn_status s = prepare(w, "SELECT member, status, reason, message, step, loss, seconds, fingerprint FROM members "
                           "WHERE point = ?", &find);

    if (s == DYN_OK)
        s = prepare(w, "INSERT INTO members (point) VALUES (?)", &add);
    for (int64_t i = 0; s == DYN_OK && i < w->opt.count; i++)
        s = enter(w, i, find, add);
    sqlite3_finalize(find);
    sqlite3_finalize(add);
    if (s == DYN_OK)
        s = check_distinct(w);
    return s == DYN_OK ? check_numerics(w) : s;
}

static dyn_status take_results(dyn_sweep *w, int64_t i, sqlite3_stmt *statement)
{
    sqlite3_bind_int64(statement, 1, w->members[i].number);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const int nothing = sqlite3_column_type(statement, 1) == SQLITE_NULL;

        if (name && strlen(name) < DYN__NAME)
            DYN__TRY(dyn__columns_keep(w, i, name, nothing ? (double)NAN : sqlite3_column_double(statement, 1)));
    }
    sqlite3_reset(statement);
    return DYN_OK;
}

static dyn_status take_all_results(dyn_sweep *w)
{
    sqlite3_stmt *statement = NULL;
    dyn_status s = prepare(w, "SELECT name, value FROM results WHERE member = ?", &statement);

    for (int64_t i = 0; s == DYN_OK && i < w->opt.count; i++)
        if (w->members[i].status != DYN_MEMBER_WAITING)
            s = take_results(w, i, statement);
    sqlite3_finalize(statement);
    return s;
}

/* A store whose finished members are all at other points is another sweep's. */
static dyn_status check_points(dyn_sweep *w, int64_t before)
{
    for (int64_t i = 0; i < w->opt.count; i++)
        if (w->members[i].status != DYN_MEMBER_WAITING)
            return DYN_OK;
    if (!before)
        return DYN_OK;
    return DYN__FAIL(w->ctx, DYN_EINVAL, "%s is the store of another sweep: none of its %lld finished members is at a "
                     "point of this one", w->path, (long long)before);
}

static dyn_status open_store(dyn_sweep *w)
{
    int64_t before;

    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;

    if (sqlite3_open_v2(w->path, &w->store->db, flags, NULL))
        return w->store->db ? fail(w) : DYN__FAIL(w->ctx, DYN_ENOMEM, "out of memory: no connection");
    sqlite3_busy_timeout(w->store->db, 10000);
    DYN__TRY(run(w, settings));
    DYN__TRY(in_transaction(w, open_tables));
    DYN__TRY(count(w, "SELECT count(*) FROM members WHERE status != 'waiting'", &before));
    DYN__TRY(in_transaction(w, enter_all));
    DYN__TRY(check_points(w, before));
    for (int i = 0; i < STATEMENTS; i++)
        DYN__TRY(prepare(w, texts[i], &w->store->statement[i]));
    return take_all_results(w);
}

dyn_status dyn__store_open(dyn_sweep *w)
{
    w->store = dyn__alloc(w->ctx, 1, sizeof *w->store);
    return w->store ? open_store(w) : DYN_ENOMEM;
}

void dyn__store_close(dyn_sweep *w)
{
    if (!w->store)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(w->store->statement[i]);
    sqlite3_close(w->store->db);
    dyn__free(w->ctx, w->store);
    w->store = NULL;
}

/* ---- keeping ---- */

static dyn_status put_member(dyn_sweep *w, const dyn__outcome *o)
{
    const dyn__member *m = &o->member;
    sqlite3_stmt *s = w->store->statement[UPDATE];
    char fingerprint[20], time[32];
    int bad;

    now(time);
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, m->fingerprint);
    bad = text(s, 1, dyn__member_status_text(m->status)) | text(s, 2, dyn__reason_text(m->reason)) |
          text(s, 3, m->message ? m->message : "") | sqlite3_bind_int64(s, 4, m->step) |
          (isnan(m->loss) ? sqlite3_bind_null(s, 5) : sqlite3_bind_double(s, 5, m->loss)) |
          sqlite3_bind_double(s, 6, m->seconds) | text(s, 7, o->host) | text(s, 8, dyn_version()) |
          text(s, 9, dyn_ctx_numerics(w->ctx)) | text(s, 10, time) | text(s, 11, fingerprint) |
          sqlite3_bind_int64(s, 12, w->members[o->index].number);
    return bad ? fail(w) : step(w, s);
}

static dyn_status clear(dyn_sweep *w, int which, int64_t member)
{
    sqlite3_bind_int64(w->store->statement[which], 1, member);
    return step(w, w->store->statement[which]);
}

static dyn_status put_numbers(dyn_sweep *w, const dyn__outcome *o, int64_t member)
{
    sqlite3_stmt *s = w->store->statement[RESULT];

    for (int64_t i = 0; i < o->number_count; i++) {
        if (sqlite3_bind_int64(s, 1, member) || text(s, 2, o->numbers[i].name) ||
            sqlite3_bind_double(s, 3, o->numbers[i].value))     /* which makes NULL of NaN */
            return fail(w);
        DYN__TRY(step(w, s));
    }
    return DYN_OK;
}

static const char *dtype_text(int32_t dtype)
{
    return dtype == DYN_F64 ? "<f8" : dtype == DYN_F32 ? "<f4" : dtype == DYN_I64 ? "<i8" : "|u1";
}

static dyn_status put_arrays(dyn_sweep *w, const dyn__outcome *o, int64_t member)
{
    static const int64_t sizes[] = { [DYN_F64] = 8, [DYN_F32] = 4, [DYN_I64] = 8, [DYN_U8] = 1 };
    sqlite3_stmt *s = w->store->statement[ARRAY];
    char shape[48];

    for (int64_t i = 0; i < o->piece_count; i++) {
        const dyn__piece *p = &o->pieces[i];
        const int64_t bytes = p->shape[0] * p->shape[1] * sizes[p->dtype];

        snprintf(shape, sizeof shape, p->rank == 2 ? "[%lld, %lld]" : "[%lld]", (long long)p->shape[0],
                 (long long)p->shape[1]);
        if (sqlite3_bind_int64(s, 1, member) || text(s, 2, p->name) || text(s, 3, dtype_text(p->dtype)) ||
            text(s, 4, shape) || sqlite3_bind_blob64(s, 5, bytes ? p->data : "", (sqlite3_uint64)bytes, SQLITE_STATIC))
            return fail(w);
        DYN__TRY(step(w, s));
    }
    return DYN_OK;
}

static dyn_status put_all(dyn_sweep *w, const dyn__outcome *o)
{
    const int64_t member = w->members[o->index].number;

    DYN__TRY(put_member(w, o));
    DYN__TRY(clear(w, CLEAR_RESULTS, member));
    DYN__TRY(clear(w, CLEAR_ARRAYS, member));
    DYN__TRY(put_numbers(w, o, member));
    return put_arrays(w, o, member);
}

dyn_status dyn__store_put(dyn_sweep *w, const dyn__outcome *o)
{
    if (sqlite3_get_autocommit(w->store->db))       /* no transaction is in progress */
        DYN__TRY(run(w, "BEGIN IMMEDIATE"));
    return undone(w, put_all(w, o));
}

dyn_status dyn__store_commit(dyn_sweep *w) { return undone(w, run(w, "COMMIT")); }

void dyn__store_settle(dyn_sweep *w)
{
    if (w->store)
        sqlite3_wal_checkpoint_v2(w->store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
