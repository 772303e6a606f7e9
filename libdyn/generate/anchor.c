/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tasks of anchor functions. A task writes anchors and keys over the noise of a row and gives its label. */
#include "generate/generate.h"

#include <math.h>
#include <stdlib.h>

typedef struct row {
    const dyn_anchor_options *o;
    dyn__dice *dice;
    int64_t n, *s;      /* ids before the label, which is s[n] */
} row;

/* An id of this split for a key of slot p: of the anchor before it, or its own where it comes first. */
static int64_t draw_key(const row *r, int64_t p)
{
    int64_t b;

    do
        b = dyn__roll(r->dice, 20, 100);
    while ((b % (r->n - 1) == 0) != (r->o->split == DYN_SPLIT_TEST));
    return b + p;
}

static int64_t shift(int64_t anchor)
{
    static const int64_t of[10] = { [1] = 5, [2] = 1, [3] = -2, [4] = -8, [9] = -2 };

    return of[anchor];
}

/* One of the ordered pairs of the options; anchors [m]. */
static void draw_pair(const row *r, int m, const int64_t *anchors, int64_t pair[2])
{
    int64_t k;

    do
        k = dyn__roll(r->dice, 0, m * m);
    while (!(r->o->pairs >> k & 1));
    pair[0] = anchors[k / m];
    pair[1] = anchors[k % m];
}

static void identity(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1);

    r->s[pos] = 3;
    r->s[r->n] = r->s[pos + 1] = draw_key(r, pos);
}

static void reading(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 6), asked = dyn__roll(r->dice, 0, 3);
    int64_t anchors[3] = { 1, 2, 3 };

    dyn__roll_order(r->dice, 3, anchors);
    for (int i = 0; i < 3; i++) {
        r->s[pos + 2 * i] = anchors[i];
        r->s[pos + 2 * i + 1] = draw_key(r, pos + 2 * i);
    }
    r->s[r->n - 1] = anchors[asked];
    r->s[r->n] = r->s[pos + 2 * asked + 1];
}

/* The last token is the key that is classified; two keys as near are drawn anew. */
static void classification(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 6);
    int64_t anchors[3] = { 1, 2, 3 }, x, near[3], best = 0, twice;

    dyn__roll_order(r->dice, 3, anchors);
    r->s[r->n - 1] = x = draw_key(r, r->n - 2);
    do {
        for (int i = 0; i < 3; i++) {
            r->s[pos + 2 * i] = dyn__roll(r->dice, 20, 101);
            r->s[pos + 2 * i + 1] = anchors[i];
            near[i] = llabs(r->s[pos + 2 * i] - x);
            best = near[i] < near[best] || i == 0 ? i : best;
        }
        twice = (near[0] == near[best]) + (near[1] == near[best]) + (near[2] == near[best]);
    } while (twice > 1);
    r->s[r->n] = anchors[best];
}

static void composition(row *r)
{
    static const int64_t anchors[4] = { 1, 2, 3, 4 };
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 2);

    const int64_t pair = pos + (r->o->variant == 0), key = r->o->variant ? pos + 2 : pos;

    draw_pair(r, 4, anchors, &r->s[pair]);
    r->s[key] = draw_key(r, key);
    r->s[r->n] = r->s[key] + shift(r->s[pair]) + shift(r->s[pair + 1]);
}

static void memory(row *r)
{
    static const int64_t anchors[4] = { 1, 2, 3, 4 }, shifts[5] = { 0, 0, 1, 0, -2 };
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 2), later = dyn__roll(r->dice, pos + 2, r->n);
    int64_t pair[2];

    draw_pair(r, 4, anchors, pair);
    r->s[pos] = draw_key(r, pos);
    r->s[pos + 1] = pair[0];
    r->s[later] = pair[1];
    r->s[r->n] = r->s[pos] + shifts[pair[0]] + shifts[pair[1]];
}

static void synonym(row *r)
{
    static const int64_t anchors[5] = { 1, 2, 3, 4, 9 };
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 2);

    draw_pair(r, 5, anchors, &r->s[pos]);
    r->s[pos + 2] = draw_key(r, pos + 1);
    r->s[r->n] = r->s[pos + 2] + shift(r->s[pos]) + shift(r->s[pos + 1]);
}

static void recitation(row *r)
{
    const int64_t gap = r->o->gap, pos = dyn__roll(r->dice, 0, r->n - 2 - gap), reverse = dyn__roll(r->dice, 0, 2);
    const int64_t first = draw_key(r, pos);
    int64_t second;

    do
        second = draw_key(r, pos + 1 + gap);
    while (second == first);
    r->s[pos] = first;
    for (int64_t i = 1; i <= gap; i++)
        r->s[pos + i] = 2 + i;
    r->s[pos + 1 + gap] = second;
    r->s[r->n - 1] = reverse ? second : first;
    r->s[r->n] = reverse ? first : second;
}

static void multiple(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1), a = dyn__roll(r->dice, 1, 11), low = 20 + 8 * (a - 1);
    int64_t x;

    do
        x = r->o->split == DYN_SPLIT_TEST ? dyn__roll(r->dice, low, low + 8) : dyn__roll(r->dice, 21, 99);
    while (r->o->split == DYN_SPLIT_TRAIN && x >= low && x < low + 8);
    r->s[pos] = a;
    r->s[pos + 1] = x;
    r->s[r->n] = x + a;
}

static void two_intervals(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1), a = dyn__roll(r->dice, 3, 5);
    const int64_t wide = r->o->variant ? 50 : 40, low = (a == 3) == (r->o->split == DYN_SPLIT_TRAIN) ? 20 : 100 - wide;

    r->s[pos] = a;
    r->s[pos + 1] = dyn__roll(r->dice, low, low + wide);
    r->s[r->n] = r->s[pos + 1] + (a == 4);
}

static void distance(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - r->o->distance), at = pos + r->o->distance;

    r->s[pos] = 3;
    r->s[r->n] = r->s[at] = draw_key(r, at - 1);
}

static void average(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 2);

    r->s[pos] = 3;
    r->s[pos + 1] = draw_key(r, pos);
    r->s[pos + 2] = dyn__roll(r->dice, 20, 101);
    r->s[r->n] = (r->s[pos + 1] + r->s[pos + 2]) / 2;
}

static void count(row *r)
{
    const int64_t k = dyn__roll(r->dice, 1, r->n + 1);
    int64_t place[200];

    for (int64_t i = 0; i < r->n; i++)
        place[i] = i;
    dyn__roll_order(r->dice, r->n, place);
    for (int64_t i = 0; i < k; i++)
        r->s[place[i]] = r->o->variant ? dyn__roll(r->dice, 16, 20) : 18;
    r->s[r->n] = k;
}

static void circular(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n), at = (pos + r->o->distance) % r->n;

    r->s[pos] = 3;
    r->s[r->n] = r->s[at] = draw_key(r, at);
}

static void before(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1);

    r->s[r->n] = r->s[pos] = draw_key(r, pos);
    r->s[pos + 1] = 3;
}

static void at_index(row *r) { r->s[r->n] = r->s[5] = draw_key(r, 5); }

static void choice(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n), n = r->n;
    double total = 0, u;
    int64_t d, i = 0;

    for (d = 1; d < n; d++)
        total += 1 / (double)(d < n - d ? d : n - d);
    u = dyn__roll_real(r->dice) * total;
    for (d = 1; d < n && u >= 0; d++) {
        u -= 1 / (double)(d < n - d ? d : n - d);
        i = (pos + d) % n;
    }
    r->s[pos] = 3;
    r->s[n] = r->s[i];
}

static void multitask(row *r)
{
    static const int64_t shifts[10] = { -4, 3, -5, -2, 1, 4, -3, -1, 2, 5 };
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1), a = dyn__roll(r->dice, 1, 11);

    r->s[pos] = a;
    r->s[pos + 1] = draw_key(r, pos);
    r->s[r->n] = r->s[pos + 1] + shifts[a - 1];
}

static void odd(row *r)
{
    const int64_t pos = dyn__roll(r->dice, 0, r->n - 1);

    r->s[pos] = 3;
    r->s[r->n] = r->s[pos + 1] = 20 + 2 * dyn__roll(r->dice, 0, 40) + (r->o->split == DYN_SPLIT_TRAIN);
}

static void middle(row *r)
{
    const int64_t gap = r->o->gap, pos = dyn__roll(r->dice, 0, r->n - 1 - gap), at = pos + 1 + gap / 2;

    r->s[pos] = 3;
    r->s[pos + gap + 1] = 4;
    r->s[r->n] = r->s[at] = draw_key(r, at);
}

static void multi_composition(row *r)
{
    static const int64_t shifts[5] = { 0, 1, 3, -2, -3 };
    const int64_t pos = dyn__roll(r->dice, 0, r->n / 2), left = r->n - pos - 2;
    int64_t place[200];

    for (int64_t i = 0; i < left; i++)
        place[i] = pos + 2 + i;
    dyn__roll_order(r->dice, left, place);
    r->s[pos] = 9;
    r->s[r->n] = r->s[pos + 1] = draw_key(r, pos);
    for (int32_t i = 0; i < r->o->operators; i++) {
        const int64_t a = r->s[place[i]] = dyn__roll(r->dice, 1, 5);
        r->s[r->n] += shifts[a];
    }
}

/* One half of a unified row, from slot pos: its mark, its key, operators and their end; gives the key shifted. */
static int64_t half(row *r, int64_t mark, int64_t operators, int64_t *pos)
{
    static const int64_t shifts[4] = { 1, 3, -2, -3 };
    const int64_t key = draw_key(r, *pos);
    int64_t value = key;

    r->s[(*pos)++] = mark;
    r->s[(*pos)++] = key;
    for (int64_t i = 0; i < operators; i++) {
        const int64_t o = dyn__roll(r->dice, 0, 4);
        r->s[(*pos)++] = 204 + o;
        value += shifts[o];
    }
    r->s[(*pos)++] = 203;
    return value;
}

static void unified(row *r)
{
    int64_t many[2] = { 2, 2 }, request = dyn__roll(r->dice, 0, 3);

    while (r->o->split == DYN_SPLIT_TRAIN && many[0] == 2 && many[1] == 2)
        for (int i = 0; i < 2; i++)
            many[i] = dyn__roll(r->dice, 1, 4);
    int64_t pos = r->n - 1 - (6 + many[0] + many[1]);
    const int64_t first = half(r, 201, many[0], &pos), second = half(r, 202, many[1], &pos);
    r->s[pos] = 208 + request;
    r->s[r->n] = request == 0 ? first : request == 1 ? second : (first + second) / 2;
}

typedef struct task { void (*write)(row *r); int32_t least; } task;    /* ids before the label */

static const task tasks[] = {
    [DYN_ANCHOR_IDENTITY] = { identity, 4 }, [DYN_ANCHOR_READING] = { reading, 7 },
    [DYN_ANCHOR_CLASSIFICATION] = { classification, 7 }, [DYN_ANCHOR_COMPOSITION] = { composition, 4 },
    [DYN_ANCHOR_MEMORY] = { memory, 4 }, [DYN_ANCHOR_SYNONYM] = { synonym, 4 },
    [DYN_ANCHOR_RECITATION] = { recitation, 5 }, [DYN_ANCHOR_MULTIPLE] = { multiple, 4 },
    [DYN_ANCHOR_STATISTICAL] = { identity, 4 }, [DYN_ANCHOR_TWO_INTERVALS] = { two_intervals, 4 },
    [DYN_ANCHOR_DISTANCE] = { distance, 4 }, [DYN_ANCHOR_AVERAGE] = { average, 4 }, [DYN_ANCHOR_COUNT] = { count, 4 },
    [DYN_ANCHOR_CIRCULAR] = { circular, 4 }, [DYN_ANCHOR_BEFORE] = { before, 4 }, [DYN_ANCHOR_INDEX] = { at_index, 6 },
    [DYN_ANCHOR_CHOICE] = { choice, 4 }, [DYN_ANCHOR_MULTITASK] = { multitask, 4 }, [DYN_ANCHOR_ODD] = { odd, 4 },
    [DYN_ANCHOR_MIDDLE] = { middle, 4 }, [DYN_ANCHOR_MULTI_COMPOSITION] = { multi_composition, 6 },
    [DYN_ANCHOR_UNIFIED] = { unified, 13 },
};
enum { COPIES = 100 };

/* What only some tasks read. */
static dyn_status check_own(dyn_ctx *ctx, const dyn_anchor_options *o)
{
    const int middle_word = o->task == DYN_ANCHOR_MIDDLE;

    DYN__RANGE(ctx, "variant", o->variant, 0, 1);
    DYN__RANGE(ctx, "operators", o->operators, 1, o->length);
    DYN__RANGE(ctx, "gap", o->gap, 1, o->length);
    if (o->task == DYN_ANCHOR_RECITATION)
        DYN__RANGE(ctx, "gap", o->gap, 1, o->length > 6 ? 3 : o->length - 4);
    if (middle_word)
        DYN__RANGE(ctx, "gap", o->gap, 1, o->length - 2);
    if (middle_word && o->gap % 2 == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "gap is %d, between 3 and 4 stands an odd number of ids", (int)o->gap);
    if (o->task == DYN_ANCHOR_MULTI_COMPOSITION)
        DYN__RANGE(ctx, "operators", o->operators, 1, o->length / 2 - 1);
    return DYN_OK;
}

static dyn_status check(dyn_ctx *ctx, const dyn_anchor_options *given, dyn_anchor_options *o)
{
    const int32_t last = (int32_t)(sizeof tasks / sizeof *tasks) - 1;

    *o = (dyn_anchor_options)DYN_ANCHOR_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_anchor_options", given, o, sizeof *o, sizeof *o));
    DYN__RANGE(ctx, "task", o->task, 1, last);
    DYN__RANGE(ctx, "split", o->split, DYN_SPLIT_TRAIN, DYN_SPLIT_TEST);
    DYN__RANGE(ctx, "count", o->count, 1, DYN__MOST_ROWS);
    DYN__RANGE(ctx, "length", o->length, tasks[o->task].least, 200);
    DYN__RANGE(ctx, "distance", o->distance, 1, o->length - 1);
    DYN__TRY(check_own(ctx, o));
    if (!(o->p >= 0 && o->p <= 1))
        return DYN__FAIL(ctx, DYN_EINVAL, "p is %g, allowed is 0 to 1", o->p);
    if (o->task == DYN_ANCHOR_STATISTICAL && o->count % COPIES)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, not a multiple of %d", (long long)o->count, COPIES);
    if ((o->pairs & (o->task == DYN_ANCHOR_SYNONYM ? 0x1FFFFFF : 0xFFFF)) == 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "pairs is %#x: no pair is drawn", (unsigned)o->pairs);
    return DYN_OK;
}

dyn_status dyn_generate_anchor(dyn_ctx *ctx, const dyn_anchor_options *opt, dyn_array **out)
{
    dyn_anchor_options o;
    int64_t *data, likely;

    DYN__GENERATE(ctx, out);
    DYN__TRY(check(ctx, opt, &o));
    DYN__TRY(dyn__new_tokens(ctx, o.count, o.length + 1, out, &data));
    likely = llround(COPIES * o.p);
    for (int64_t i = 0; i < o.count; i++) {
        const int statistical = o.task == DYN_ANCHOR_STATISTICAL;
        dyn__dice dice = dyn__dice_of(o.seed, DYN__KIND_ANCHOR, statistical ? i / COPIES : i);
        row r = { &o, &dice, o.length, data + i * (o.length + 1) };

        for (int64_t k = 0; k <= o.length; k++)
            r.s[k] = dyn__roll(&dice, 20, 101);
        tasks[o.task].write(&r);
        if (statistical)
            r.s[o.length] += i % COPIES >= likely;
    }
    return DYN_OK;
}
