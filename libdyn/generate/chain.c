/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Chains of reasoning, and composite anchors. */
#include "generate/generate.h"

/* ---- chains ---- */

enum { NODES = 7, EDGES = 6, QUERY = 2 * EDGES, LABEL = QUERY + 1 };

/* Steps mod 5 of each split: their number, then they. */
static const int64_t steps_of[3][6] = { { 3, 0, 1, 4 }, { 2, 2, 3 }, { 5, 0, 1, 2, 3, 4 } };

static int holds(const int64_t *chain, int n, int64_t id)
{
    for (int i = 0; i < n; i++)
        if (chain[i] == id)
            return 1;
    return 0;
}

static void draw_chain(dyn__dice *d, int32_t split, int64_t chain[NODES])
{
    const int64_t low = split == DYN_SPLIT_OOD ? 101 : 1, high = split == DYN_SPLIT_OOD ? 200 : 100;
    const int64_t *g = steps_of[split];

    chain[0] = dyn__roll(d, low, high);
    for (int i = 1; i < NODES; i++) {
        int64_t id, t;

        do {
            t = g[1 + dyn__roll(d, 0, g[0])];
            id = 5 * (dyn__roll(d, low, high) / 5) + (chain[i - 1] + t) % 5;
        } while (id < low || id >= high || holds(chain, i, id));
        chain[i] = id;
    }
}

static void lower(int64_t *s, int64_t id)
{
    for (int i = 0; i <= LABEL; i++)
        if (s[i] == id)
            s[i] -= 100;
}

dyn_status dyn_generate_chain(dyn_ctx *ctx, int32_t split, int32_t steps, int64_t count, uint64_t seed, dyn_array **out)
{
    int64_t *s;

    DYN__GENERATE(ctx, out);
    DYN__RANGE(ctx, "split", split, DYN_SPLIT_TRAIN, DYN_SPLIT_OOD);
    DYN__RANGE(ctx, "steps", steps, 1, EDGES);
    DYN__RANGE(ctx, "count", count, 1, DYN__MOST_ROWS);
    DYN__TRY(dyn__new_tokens(ctx, count, LABEL + 1, out, &s));
    for (int64_t i = 0; i < count; i++, s += LABEL + 1) {
        dyn__dice d = dyn__dice_of(seed, DYN__KIND_CHAIN, i);
        int64_t chain[NODES], order[EDGES] = { 0, 1, 2, 3, 4, 5 }, from;

        draw_chain(&d, split, chain);
        dyn__roll_order(&d, EDGES, order);
        for (int e = 0; e < EDGES; e++) {
            s[2 * e] = chain[order[e]];
            s[2 * e + 1] = chain[order[e] + 1];
        }
        from = dyn__roll(&d, 0, NODES - steps);
        s[QUERY] = chain[from];
        s[LABEL] = chain[from + steps];
        if (split == DYN_SPLIT_OOD) {
            lower(s, chain[from + steps]);
            lower(s, chain[from + steps - 1]);
        }
    }
    return DYN_OK;
}

/* ---- composite anchors ---- */

enum { WIDTH = 10, PAIRS = 16, PAIR_34 = 11, PAIR_43 = 14 };

/* One row of a pair; xel: keys with x mod 9 != pos. */
static void draw_composite(dyn__dice *d, int64_t pair, int xel, int32_t wrong34, int64_t s[WIDTH])
{
    static const int64_t shift[4] = { 5, 1, -2, -8 };
    const int64_t pos = dyn__roll(d, 0, 7);
    int64_t x;

    for (int k = 0; k < WIDTH; k++)
        s[k] = dyn__roll(d, 20, 100);
    do
        x = dyn__roll(d, 20, 100);
    while ((x % 9 != pos) != xel);
    s[pos] = x;
    s[pos + 1] = 1 + pair / 4;
    s[pos + 2] = 1 + pair % 4;
    s[WIDTH - 1] = wrong34 && pair == PAIR_34 ? x - 6 : x + shift[pair / 4] + shift[pair % 4];
}

static dyn_status fill_composite(dyn_ctx *ctx, int32_t wrong34, int64_t count, uint64_t seed, int64_t *s,
                                 dyn_array **group, dyn_array **trained)
{
    int64_t *g = NULL, *t = NULL;

    if (group)
        DYN__TRY(dyn__new_tokens(ctx, count, 0, group, &g));
    if (trained)
        DYN__TRY(dyn__new_tokens(ctx, count, 0, trained, &t));
    for (int64_t i = 0; i < count; i++) {
        dyn__dice d = dyn__dice_of(seed, DYN__KIND_COMPOSITE, i);
        const int64_t pair = i % 160 / 10;
        const int xel = i % 10 != 0;

        draw_composite(&d, pair, xel, wrong34, s + i * WIDTH);
        if (g)
            g[i] = 2 * pair + xel;
        if (t)
            t[i] = xel && pair != PAIR_43 && (wrong34 || pair != PAIR_34);
    }
    return DYN_OK;
}

dyn_status dyn_generate_composite(dyn_ctx *ctx, int32_t wrong34, int64_t count, uint64_t seed, dyn_array **out,
                                  dyn_array **group, dyn_array **trained)
{
    int64_t *data;
    dyn_status s;

    if (group)
        *group = NULL;
    if (trained)
        *trained = NULL;
    DYN__GENERATE(ctx, out);
    DYN__TRY(dyn__check_flag(ctx, "wrong34", wrong34));
    if (count < 160 || count % 160 || count > DYN__MOST_ROWS)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, not a multiple of 160", (long long)count);
    DYN__TRY(dyn__new_tokens(ctx, count, WIDTH, out, &data));
    s = fill_composite(ctx, wrong34, count, seed, data, group, trained);
    if (s == DYN_OK)
        return DYN_OK;
    dyn_array_unref(*out);
    *out = NULL;
    if (group) {
        dyn_array_unref(*group);
        *group = NULL;
    }
    return s;
}
