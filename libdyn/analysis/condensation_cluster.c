/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clusters of neurons by angle: what each weighs, its direction and its tightness. They are numbered by their share of
 * the amplitude; a direction is the amplitude-weighted mean of the unit features, turned to the leader's side when
 * opposite ones are joined. */
#include <math.h>
#include <string.h>
#include "analysis/condensation.h"
#include "kernel/kernel.h"

typedef struct work {
    int64_t *by_amplitude;  /* neurons, strongest first */
    double *mass;           /* amplitude of every cluster */
    int64_t *leader;        /* of every cluster */
    int64_t *place;         /* clusters by mass, then the inverse */
} work;

static double similarity(const dyn_condensation *c, double cosine)
{
    return c->opt.join_opposite ? fabs(cosine) : cosine;
}

static dyn_status make_work(dyn_ctx *ctx, int64_t n, work *w)
{
    size_t room = (size_t)n;

    w->by_amplitude = dyn__alloc(ctx, room, sizeof *w->by_amplitude);
    w->mass = dyn__alloc(ctx, room, sizeof *w->mass);
    w->leader = dyn__alloc(ctx, room, sizeof *w->leader);
    w->place = dyn__alloc(ctx, room, 2 * sizeof *w->place);
    return w->by_amplitude && w->mass && w->leader && w->place ? DYN_OK : DYN_ENOMEM;
}

static void free_work(dyn_ctx *ctx, work *w)
{
    dyn__free(ctx, w->by_amplitude);
    dyn__free(ctx, w->mass);
    dyn__free(ctx, w->leader);
    dyn__free(ctx, w->place);
}

/* Amplitudes of the clusters, each in the order of its neurons. */
static void weigh(const dyn_condensation *c, work *w)
{
    for (int64_t i = 0; i < c->neurons; i++)
        if (c->assignment[i] >= 0)
            w->mass[c->assignment[i]] += c->amplitudes[i] / c->largest;
}

/* The strongest neuron of every cluster is its leader: places are still those of by_amplitude. */
static void find_leaders(const dyn_condensation *c, int64_t living, work *w)
{
    for (int64_t i = living - 1; i >= 0; i--)
        w->leader[c->assignment[w->by_amplitude[i]]] = w->by_amplitude[i];
}

/* Number the clusters by mass: place[old] is turned into the new number. */
static dyn_status renumber(dyn_condensation *c, work *w)
{
    int64_t *old = w->place, *fresh = w->place + c->neurons;

    DYN__TRY(dyn__sort_by(c->ctx, c->clusters, w->mass, 1, old));
    for (int64_t k = 0; k < c->clusters; k++)
        fresh[old[k]] = k;
    for (int64_t i = 0; i < c->neurons; i++)
        if (c->assignment[i] >= 0)
            c->assignment[i] = fresh[c->assignment[i]];
    return DYN_OK;
}

static dyn_status allocate_clusters(dyn_condensation *c)
{
    size_t n = (size_t)(c->clusters > 0 ? c->clusters : 1);

    c->sizes = dyn__alloc(c->ctx, n, sizeof *c->sizes);
    c->shares = c->sizes ? dyn__alloc(c->ctx, n, sizeof *c->shares) : NULL;
    c->tightness = c->shares ? dyn__alloc(c->ctx, n, sizeof *c->tightness) : NULL;
    c->directions = c->tightness ? dyn__alloc(c->ctx, n, (size_t)c->components * sizeof *c->directions) : NULL;
    return c->directions ? DYN_OK : DYN_ENOMEM;
}

static void fill_shares(dyn_condensation *c, const work *w)
{
    double total = 0.0, entropy = 0.0;

    for (int64_t k = 0; k < c->clusters; k++)
        total += w->mass[k];
    for (int64_t k = 0; k < c->clusters; k++) {
        double share = w->mass[w->place[k]] / total;

        c->shares[k] = share;
        c->effective += share >= c->opt.min_share;
        entropy -= share > 0.0 ? share * log(share) : 0.0;
    }
    c->entropy_count = c->clusters > 0 ? exp(entropy) : 0.0;
}

static void fill_directions(dyn_condensation *c, const work *w)
{
    int64_t n = c->components;

    for (int64_t i = 0; i < c->neurons; i++) {
        int64_t k = c->assignment[i];
        const double *u = c->unit + i * n;
        double weight;

        if (k < 0)
            continue;
        weight = c->amplitudes[i] / c->largest;
        if (c->opt.join_opposite && dyn__inner(n, u, c->unit + w->leader[w->place[k]] * n) < 0.0)
            weight = -weight;
        for (int64_t j = 0; j < n; j++)
            c->directions[k * n + j] += weight * u[j];
        c->sizes[k]++;
    }
    for (int64_t k = 0; k < c->clusters; k++) {
        double norm = dyn__norm(c->ctx, n, c->directions + k * n);

        c->tightness[k] = 1.0;
        for (int64_t j = 0; j < n; j++)
            c->directions[k * n + j] /= norm;
    }
    for (int64_t i = 0; i < c->neurons; i++) {
        int64_t k = c->assignment[i];

        if (k >= 0)
            c->tightness[k] = fmin(c->tightness[k], similarity(c, dyn__inner(n, c->unit + i * n, c->directions + k * n)));
    }
}

static dyn_status cluster(dyn_condensation *c, work *w)
{
    int64_t living = 0;

    DYN__TRY(dyn__sort_by(c->ctx, c->neurons, c->amplitudes, 1, w->by_amplitude));
    memset(c->assignment, 0xff, (size_t)c->neurons * sizeof *c->assignment);
    while (living < c->neurons && c->amplitudes[w->by_amplitude[living]] > c->dead_below)
        living++;
    DYN__TRY(dyn__condensation_gather(c, w->by_amplitude, living, w->place));
    weigh(c, w);
    find_leaders(c, living, w);
    DYN__TRY(dyn__check_interrupt(c->ctx));
    DYN__TRY(renumber(c, w));
    DYN__TRY(allocate_clusters(c));
    fill_shares(c, w);
    fill_directions(c, w);
    return DYN_OK;
}

dyn_status dyn__condensation_cluster(dyn_condensation *c)
{
    work w = { 0 };
    dyn_status s = make_work(c->ctx, c->neurons, &w);

    if (s >= 0)
        s = cluster(c, &w);
    free_work(c->ctx, &w);
    return s;
}
