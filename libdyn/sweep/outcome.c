/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What became of a member, in one piece: read from its run, packed into bytes for another process, and back. Packed
 * bytes come from the same library on a machine of the same kind; they are checked for their length all the same. */
#include "sweep/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- words ---- */

static const char *const reasons[] = { "ready", "steps", "loss", "accuracy", "stopped", "nonfinite", "failed",
                                       "patience", "gradient", "stalled" };
static const char *const statuses[] = { "waiting", "done", "nonfinite", "failed" };
enum { REASONS = sizeof reasons / sizeof *reasons, STATUSES = sizeof statuses / sizeof *statuses };

static int32_t place(const char *const *words, int32_t count, const char *text)
{
    for (int32_t i = 0; text && i < count; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return 0;
}

const char *dyn__reason_text(int32_t reason) { return reason >= 0 && reason < REASONS ? reasons[reason] : ""; }
int32_t dyn__reason_of(const char *text) { return place(reasons, REASONS, text); }
const char *dyn__member_status_text(int32_t s) { return s >= 0 && s < STATUSES ? statuses[s] : ""; }
int32_t dyn__member_status_of(const char *text) { return place(statuses, STATUSES, text); }

/* ---- from a run ---- */

dyn_status dyn__outcome_number(dyn__outcome *o, const char *name, double value)
{
    dyn__number *n = NULL;

    for (int64_t i = 0; i < o->number_count; i++)
        if (strcmp(o->numbers[i].name, name) == 0)
            n = &o->numbers[i];
    if (!n) {
        DYN__TRY(dyn__grow(o->ctx, (void **)&o->numbers, &o->number_room, o->number_count + 1, sizeof *n));
        n = &o->numbers[o->number_count++];
        snprintf(n->name, sizeof n->name, "%s", name);
    }
    n->value = value;
    return DYN_OK;
}

static dyn_status add_piece(dyn__outcome *o, const char *const name[3], int32_t dtype, int64_t rows, int64_t columns,
                            const void *data)
{
    dyn__piece *p;

    DYN__TRY(dyn__grow(o->ctx, (void **)&o->pieces, &o->piece_room, o->piece_count + 1, sizeof *p));
    p = &o->pieces[o->piece_count++];
    snprintf(p->name, sizeof p->name, "%s%s%s", name[0], name[1], name[2]);
    p->dtype = dtype;
    p->rank = columns > 1 ? 2 : 1;
    p->shape[0] = rows;
    p->shape[1] = columns > 1 ? columns : 1;
    p->data = data;
    return DYN_OK;
}
#define NAME(...) ((const char *const[3]){ __VA_ARGS__ })

/* Columns; the last value of those that not every run has is a number. */
static dyn_status add_history(dyn__outcome *o, const dyn_run *run)
{
    for (int32_t c = 0; c < dyn_run_columns(run); c++) {
        const char *name = dyn_run_column_name(run, c);
        int64_t rows;
        const double *values = dyn_run_history(run, name, &rows);

        DYN__TRY(add_piece(o, NAME("history.", name, ""), DYN_F64, rows, 1, values));
        if (rows && strcmp(name, "loss") == 0)
            o->member.loss = values[rows - 1];
        else if (rows && c > 3)
            DYN__TRY(dyn__outcome_number(o, name, values[rows - 1]));
    }
    return DYN_OK;
}

static dyn_status add_series(dyn__outcome *o, const dyn_run *run)
{
    for (int64_t i = 0; i < dyn_run_series_count(run); i++) {
        const char *name = dyn_run_series_name(run, i);
        const int64_t *steps;
        const double *values;
        int64_t rows, columns;

        DYN__TRY(dyn_run_series(run, name, &rows, &columns, &steps, &values));
        DYN__TRY(add_piece(o, NAME("series.", name, ".steps"), DYN_I64, rows, 1, steps));
        DYN__TRY(add_piece(o, NAME("series.", name, ".values"), DYN_F64, rows, columns, values));
        if (rows && columns == 1)
            DYN__TRY(dyn__outcome_number(o, name, values[rows - 1]));
    }
    return DYN_OK;
}

dyn_status dyn__outcome_of(dyn__outcome *o, const dyn_run *run)
{
    int32_t dtype;
    const void *theta = dyn_run_parameters(run, &dtype);

    o->member.step = dyn_run_step(run);
    o->member.reason = dyn_run_reason(run);
    DYN__TRY(add_history(o, run));
    DYN__TRY(add_series(o, run));
    return add_piece(o, NAME("theta", "", ""), dtype, dyn_objective_size(dyn_run_objective(run)), 1, theta);
}

void dyn__outcome_clear(dyn__outcome *o)
{
    dyn__free(o->ctx, o->member.message);
    dyn__free(o->ctx, o->numbers);
    dyn__free(o->ctx, o->pieces);
    memset(o, 0, sizeof *o);
}

/* ---- packed ---- */

static int64_t piece_bytes(const dyn__piece *p)
{
    static const int64_t sizes[] = { [DYN_F64] = 8, [DYN_F32] = 4, [DYN_I64] = 8, [DYN_U8] = 1 };

    return p->shape[0] * p->shape[1] * sizes[p->dtype];
}

typedef struct header {
    int64_t size, index, number_count, piece_count, message;
    dyn__member member;
    char host[DYN__HOST];
} header;

static char *put(char *at, const void *data, int64_t size)
{
    if (size)
        memcpy(at, data, (size_t)size);
    return at + size;
}

dyn_status dyn__outcome_pack(const dyn__outcome *o, char **bytes, int64_t *size)
{
    header h = { .index = o->index, .number_count = o->number_count, .piece_count = o->piece_count,
                 .member = o->member };
    char *at;

    h.member.message = NULL;
    h.message = o->member.message ? (int64_t)strlen(o->member.message) : -1;
    memcpy(h.host, o->host, sizeof h.host);
    h.size = (int64_t)sizeof h + o->number_count * (int64_t)sizeof *o->numbers +
             o->piece_count * (int64_t)sizeof *o->pieces + (h.message > 0 ? h.message : 0);
    for (int64_t i = 0; i < o->piece_count; i++)
        h.size += piece_bytes(&o->pieces[i]);
    at = *bytes = dyn__alloc(o->ctx, (size_t)h.size, 1);
    if (!at)
        return DYN_ENOMEM;
    *size = h.size;
    at = put(at, &h, sizeof h);
    at = put(at, o->numbers, o->number_count * (int64_t)sizeof *o->numbers);
    at = put(at, o->pieces, o->piece_count * (int64_t)sizeof *o->pieces);
    at = put(at, o->member.message, h.message > 0 ? h.message : 0);
    for (int64_t i = 0; i < o->piece_count; i++)
        at = put(at, o->pieces[i].data, piece_bytes(&o->pieces[i]));
    return DYN_OK;
}

/* Copies `count` entries of a list; what is left of the bytes shrinks. */
static int take(const char **at, int64_t *left, int64_t count, int64_t each, void *to)
{
    if (count < 0 || count > *left / each)
        return 0;
    if (count)
        memcpy(to, *at, (size_t)(count * each));
    *at += count * each;
    *left -= count * each;
    return 1;
}

static int plausible(dyn__piece *p, int64_t left)
{
    p->name[sizeof p->name - 1] = '\0';
    return p->dtype >= DYN_F64 && p->dtype <= DYN_U8 && (p->rank == 1 || p->rank == 2) && p->shape[0] >= 0 &&
           p->shape[1] >= 1 && p->shape[0] <= left / 8 + 1 && p->shape[1] <= left / 8 + 1 && piece_bytes(p) <= left;
}

static dyn_status damaged(dyn_ctx *ctx, int64_t size)
{
    return DYN__FAIL(ctx, DYN_EFORMAT, "%lld bytes are no outcome of a member", (long long)size);
}

static dyn_status take_lists(dyn__outcome *o, const header *h, const char **at, int64_t *left)
{
    if (h->number_count > *left || h->piece_count > *left || h->message > *left)
        return damaged(o->ctx, h->size);
    DYN__TRY(dyn__grow(o->ctx, (void **)&o->numbers, &o->number_room, h->number_count + 1, sizeof *o->numbers));
    DYN__TRY(dyn__grow(o->ctx, (void **)&o->pieces, &o->piece_room, h->piece_count + 1, sizeof *o->pieces));
    o->member.message = h->message >= 0 ? dyn__alloc(o->ctx, (size_t)h->message + 1, 1) : NULL;
    if (h->message >= 0 && !o->member.message)
        return DYN_ENOMEM;
    if (!take(at, left, h->number_count, sizeof *o->numbers, o->numbers) ||
        !take(at, left, h->piece_count, sizeof *o->pieces, o->pieces) ||
        (h->message > 0 && !take(at, left, h->message, 1, o->member.message)))
        return damaged(o->ctx, h->size);
    o->number_count = h->number_count;
    o->piece_count = h->piece_count;
    for (int64_t i = 0; i < o->number_count; i++)
        o->numbers[i].name[DYN__NAME - 1] = '\0';
    return DYN_OK;
}

dyn_status dyn__outcome_unpack(dyn_ctx *ctx, const char *bytes, int64_t size, dyn__outcome *o)
{
    int64_t left = size;
    header h;

    memset(o, 0, sizeof *o);
    o->ctx = ctx;
    if (!take(&bytes, &left, 1, sizeof h, &h) || h.size != size)
        return damaged(ctx, size);
    o->index = h.index;
    o->member = h.member;
    o->member.message = NULL;
    memcpy(o->host, h.host, sizeof o->host);
    o->host[DYN__HOST - 1] = '\0';
    DYN__TRY(take_lists(o, &h, &bytes, &left));
    for (int64_t i = 0; i < o->piece_count; i++) {
        dyn__piece *p = &o->pieces[i];

        if (!plausible(p, left))
            return damaged(ctx, size);
        p->data = bytes;
        bytes += piece_bytes(p);
        left -= piece_bytes(p);
    }
    return left == 0 ? DYN_OK : damaged(ctx, size);
}
