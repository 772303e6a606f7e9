/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who belongs to which cluster. The strongest neuron without a cluster leads the next one and takes all those within the
 * angle. Leaders are found a batch at a time, among the strongest neurons that are left: one of them leads unless an
 * earlier leader of the batch takes it. One matrix product per chunk of the others then tells which of the leaders, the
 * first within the angle, takes each. Chunks go to the threads; what is left is moved together. */
#include <math.h>
#include <string.h>
#include "analysis/condensation.h"
#include "kernel/kernel.h"

enum { BATCH = 64, CHUNK = 256 };

typedef struct gathering {
    dyn_condensation *c;
    int64_t left, k;            /* neurons without a cluster; components */
    int64_t *who;               /* [left], strongest first */
    double *unit;               /* [left][k] their unit rows */
    double *lead;               /* [k][BATCH] the leaders' as columns */
    int64_t leader[BATCH];      /* places of the leaders in who */
    int64_t leaders;
    double *cosine;             /* [workers][CHUNK][BATCH] */
} gathering;

static int is_near(const dyn_condensation *c, double cosine)
{
    return (c->opt.join_opposite ? fabs(cosine) : cosine) > c->opt.threshold;
}

static void products(const gathering *g, int64_t first, int64_t count, double *cosine)
{
    dyn__gemm plan = { .dtype = DYN_F64, .m = count, .n = BATCH, .k = g->k, .lda = g->k, .ldb = BATCH, .ldc = BATCH,
                       .provider = DYN__GEMM_PLAIN };

    if (dyn__gemm_plan(dyn__kernels_of(g->c->ctx), &plan) == DYN_OK)
        dyn__gemm_run(&plan, g->unit + first * g->k, g->lead, cosine);
}

static void add_leader(gathering *g, int64_t place)
{
    for (int64_t j = 0; j < g->k; j++)
        g->lead[j * BATCH + g->leaders] = g->unit[place * g->k + j];
    g->leader[g->leaders++] = place;
}

/* The leaders among the strongest neurons left. */
static void choose(gathering *g)
{
    int64_t count = g->left < BATCH ? g->left : BATCH;

    memset(g->lead, 0, (size_t)(g->k * BATCH) * sizeof *g->lead);
    g->leaders = 0;
    for (int64_t i = 0; i < count; i++) {
        int taken = 0;

        for (int64_t l = 0; l < g->leaders && !taken; l++)
            taken = is_near(g->c, dyn__inner(g->k, g->unit + i * g->k, g->unit + g->leader[l] * g->k));
        if (!taken)
            add_leader(g, i);
    }
}

static void assign_chunk(void *arg, int64_t chunk, int worker)
{
    const gathering *g = arg;
    dyn_condensation *c = g->c;
    int64_t first = chunk * CHUNK, count = g->left - first < CHUNK ? g->left - first : CHUNK;
    double *cosine = g->cosine + worker * CHUNK * BATCH;

    products(g, first, count, cosine);
    for (int64_t r = 0; r < count; r++)
        for (int64_t l = 0; l < g->leaders; l++)
            if (is_near(c, cosine[r * BATCH + l])) {
                c->assignment[g->who[first + r]] = c->clusters + l;
                break;
            }
}

/* A leader belongs to itself, whatever rounding says of another one at the edge. */
static void assign_batch(gathering *g)
{
    dyn__parallel(g->c->ctx, (g->left + CHUNK - 1) / CHUNK, assign_chunk, g);
    for (int64_t l = 0; l < g->leaders; l++)
        g->c->assignment[g->who[g->leader[l]]] = g->c->clusters + l;
    g->c->clusters += g->leaders;
}

static void compact(gathering *g)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < g->left; i++) {
        if (g->c->assignment[g->who[i]] >= 0)
            continue;
        g->who[kept] = g->who[i];
        if (kept < i)
            memcpy(g->unit + kept * g->k, g->unit + i * g->k, (size_t)g->k * sizeof *g->unit);
        kept++;
    }
    g->left = kept;
}

dyn_status dyn__condensation_gather(dyn_condensation *c, const int64_t *by_amplitude, int64_t living, int64_t *who)
{
    gathering g = { .c = c, .left = living, .k = c->components, .who = who };
    size_t workers = (size_t)dyn__workers(c->ctx), rows = (size_t)(living + BATCH);
    dyn_status s = DYN_OK;

    g.unit = dyn__alloc(c->ctx, rows, (size_t)g.k * sizeof *g.unit);
    g.cosine = g.unit ? dyn__alloc(c->ctx, workers, CHUNK * BATCH * sizeof *g.cosine) : NULL;
    if (g.cosine) {
        g.lead = g.unit + living * g.k;
        for (int64_t i = 0; i < living; i++) {
            who[i] = by_amplitude[i];
            memcpy(g.unit + i * g.k, c->unit + who[i] * g.k, (size_t)g.k * sizeof *g.unit);
        }
        while (s == DYN_OK && g.left > 0) {
            choose(&g);
            assign_batch(&g);
            compact(&g);
            s = dyn__check_interrupt(c->ctx);
        }
    }
    dyn__free(c->ctx, g.cosine);
    dyn__free(c->ctx, g.unit);
    return g.cosine ? s : DYN_ENOMEM;
}
