/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Chains of reasoning, and composite anchors. */
#include "generate/generate.h"

/* ---- chains ---- */

enum { MOST = 64, MOST_LENGTH = 2 * MOST };       /* edges of a row, and their ids */

typedef struct weaving {
    dyn_chain_options o;
    int64_t edges, chains, tail;    /* of a chain; chains; ids behind the edges up to the query */
    int64_t low, high;
} weaving;

/* A row as it grows: the ids in use, and the edges. */
typedef struct web {
    int64_t id[MOST_LENGTH], from[MOST], to[MOST];
    int64_t ids, edges;
} web;

/* Steps mod 5 of each split: their number, then they. */
static const int64_t steps_of[3][6] = { { 3, 0, 1, 4 }, { 2, 2, 3 }, { 5, 0, 1, 2, 3, 4 } };

static int holds(const web *w, int64_t id)
{
    for (int64_t i = 0; i < w->ids; i++)
        if (w->id[i] == id)
            return 1;
    return 0;
}

static int64_t draw_id(dyn__dice *d, const weaving *job, web *w)
{
    int64_t id;

    do
        id = dyn__roll(d, job->low, job->high);
    while (holds(w, id));
    return w->id[w->ids++] = id;
}

/* An unused id a step of the split behind c, or with way -1 before it. */
static int64_t draw_next(dyn__dice *d, const weaving *job, web *w, int64_t c, int way)
{
    const int64_t *g = steps_of[job->o.split];
    int64_t id;

    do {
        const int64_t t = g[1 + dyn__roll(d, 0, g[0])];
        id = 5 * (dyn__roll(d, job->low, job->high) / 5) + (c + 5 + way * t) % 5;
    } while (id < job->low || id >= job->high || holds(w, id));
    return w->id[w->ids++] = id;
}

static void add_edge(web *w, int64_t from, int64_t to)
{
    w->from[w->edges] = from;
    w->to[w->edges++] = to;
}

static void draw_chain(dyn__dice *d, const weaving *job, web *w, int64_t *chain)
{
    chain[0] = draw_id(d, job, w);
    for (int64_t i = 1; i <= job->edges; i++) {
        chain[i] = draw_next(d, job, w, chain[i - 1], 1);
        add_edge(w, chain[i - 1], chain[i]);
    }
    if (job->o.kind == DYN_CHAIN_NOISED) {
        const int64_t inner = chain[dyn__roll(d, 1, job->edges)];
        add_edge(w, draw_next(d, job, w, inner, -1), inner);
    }
}

static void write_edges(dyn__dice *d, const web *w, int64_t *s)
{
    int64_t order[MOST];

    for (int64_t e = 0; e < w->edges; e++)
        order[e] = e;
    dyn__roll_order(d, w->edges, order);
    for (int64_t e = 0; e < w->edges; e++) {
        s[2 * e] = w->from[order[e]];
        s[2 * e + 1] = w->to[order[e]];
    }
}

static void lower(int64_t *s, int64_t n, int64_t id)
{
    for (int64_t i = 0; i < n; i++)
        if (s[i] == id)
            s[i] -= 100;
}

static void write_row(const weaving *job, dyn__dice *d, int64_t width, int64_t *s)
{
    int64_t chain[2][MOST + 1], steps = job->o.steps;
    web w = { .ids = 0 };

    for (int64_t k = 0; k < job->chains; k++)
        draw_chain(d, job, &w, chain[k]);
    write_edges(d, &w, s);
    const int64_t *asked = chain[job->chains == 1 ? 0 : dyn__roll(d, 0, 2)];
    if (job->o.kind == DYN_CHAIN_ORDER)
        steps = s[job->o.length - 1] = dyn__roll(d, 1, steps + 1);
    asked += dyn__roll(d, 0, job->edges + 1 - steps);
    s[job->o.length - job->tail] = asked[0];
    if (job->o.kind == DYN_CHAIN_THOUGHT)
        for (int64_t i = 1; i <= steps; i++)
            s[job->o.length - 1 + i] = asked[i];
    s[width - 1] = asked[steps];
    if (job->o.split == DYN_SPLIT_OOD) {
        lower(s, width, asked[steps]);
        lower(s, width, asked[steps - 1]);
    }
}

static dyn_status check_chain(dyn_ctx *ctx, const dyn_chain_options *given, weaving *job)
{
    dyn_chain_options *o = &job->o;

    *o = (dyn_chain_options)DYN_CHAIN_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_chain_options", given, o, sizeof *o, sizeof *o));
    DYN__RANGE(ctx, "kind", o->kind, DYN_CHAIN_SINGLE, DYN_CHAIN_THOUGHT);
    DYN__RANGE(ctx, "split", o->split, DYN_SPLIT_TRAIN, DYN_SPLIT_OOD);
    DYN__RANGE(ctx, "count", o->count, 1, DYN__MOST_ROWS);
    DYN__RANGE(ctx, "length", o->length, 3, 61);
    job->chains = o->kind == DYN_CHAIN_DOUBLE || o->kind == DYN_CHAIN_NOISED ? 2 : 1;
    job->tail = o->kind == DYN_CHAIN_ORDER ? 2 : 1;
    const int64_t taken = job->tail + (o->kind == DYN_CHAIN_NOISED ? 4 : 0);
    job->edges = (o->length - taken) / (2 * job->chains);
    if (job->edges < 1 + (o->kind == DYN_CHAIN_NOISED) || (o->length - taken) % (2 * job->chains))
        return DYN__FAIL(ctx, DYN_EINVAL, "length is %lld, expected %lld and a multiple of %lld from %lld on",
                         (long long)o->length, (long long)taken, (long long)(2 * job->chains),
                         (long long)(taken + 2 * job->chains * (1 + (o->kind == DYN_CHAIN_NOISED))));
    DYN__RANGE(ctx, "steps", o->steps, 1, job->edges);
    job->low = o->split == DYN_SPLIT_OOD ? 101 : o->kind == DYN_CHAIN_ORDER ? 20 : 1;
    job->high = o->split == DYN_SPLIT_OOD ? 200 : 100;
    return DYN_OK;
}

dyn_status dyn_generate_chain(dyn_ctx *ctx, const dyn_chain_options *opt, dyn_array **out)
{
    weaving job;
    int64_t *s;

    DYN__GENERATE(ctx, out);
    DYN__TRY(check_chain(ctx, opt, &job));
    const int64_t width = job.o.length + (job.o.kind == DYN_CHAIN_THOUGHT ? job.o.steps : 1);
    DYN__TRY(dyn__new_tokens(ctx, job.o.count, width, out, &s));
    for (int64_t i = 0; i < job.o.count; i++) {
        dyn__dice d = dyn__dice_of(job.o.seed, DYN__KIND_CHAIN, i);
        write_row(&job, &d, width, s + i * width);
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
