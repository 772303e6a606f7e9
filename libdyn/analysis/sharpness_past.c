/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where eigenvectors are expected. At the edge of stability theta jumps to and fro along the sharp direction, so the vector of
 * the step before is a poor start; but theta lies close to the affine hull of the last few, theta ~ sum_i c_i theta_i with
 * sum_i c_i = 1, and to first order in their distances the vectors then are sum_i c_i v_i: an interpolation, which costs no
 * product. The c_i minimise |theta - sum_i c_i theta_i|^2 + mu |c|^2; mu keeps them from growing where the hull is flat. */
#include <math.h>
#include <string.h>
#include "analysis/sharpness_past.h"
#include "linalg/basis.h"
#include "linalg/eliminate.h"

#define MOST 16             /* entries, as the options allow */

void dyn__past_free(dyn_ctx *ctx, dyn__past *p)
{
    dyn__free(ctx, p->rows);
    p->rows = NULL;
    p->count = 0;
}

static dyn_status make_room(dyn_ctx *ctx, dyn__past *p)
{
    if (!p->rows)
        p->rows = dyn__alloc(ctx, (size_t)p->most, (size_t)dyn__past_entry(p) * sizeof *p->rows);
    return p->rows ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__past_load(dyn_ctx *ctx, dyn__past *p, int64_t numbers, const double *rows)
{
    const int64_t held = numbers / dyn__past_entry(p);

    p->count = held < p->most ? held : p->most;
    if (p->count == 0)
        return DYN_OK;
    DYN__TRY(make_room(ctx, p));
    memcpy(p->rows, rows, (size_t)(p->count * dyn__past_entry(p)) * sizeof *rows);
    return DYN_OK;
}

dyn_status dyn__past_push(dyn_ctx *ctx, dyn__past *p, const double *theta, const dyn_eigen *e)
{
    const int64_t entry = dyn__past_entry(p), kept = p->count < p->most ? p->count : p->most - 1;

    if (dyn_eigen_count(e) != p->pairs)
        return DYN_OK;
    DYN__TRY(make_room(ctx, p));
    memmove(p->rows + entry, p->rows, (size_t)(kept * entry) * sizeof *p->rows);
    p->count = kept + 1;
    for (int64_t i = 0; i < p->size; i++)
        p->rows[i] = theta ? theta[i] : (double)NAN;
    memcpy(p->rows + p->size, dyn_eigen_vectors(e), (size_t)(p->pairs * p->size) * sizeof *p->rows);
    return DYN_OK;
}

/* Entries, the newest first, whose theta is known: those that can be joined; one, where there is no theta. */
static int64_t usable(const dyn__past *p, const double *theta)
{
    int64_t n = 0;

    while (theta && n < p->count && !isnan(p->rows[n * dyn__past_entry(p)]))
        n++;
    return n > 1 ? n : 1;
}

/* Solve (G + mu) c = 1, G [n][n] positive semidefinite, in place, and scale c to the sum 1. */
static void solve_weights(int64_t n, double *G, double mu, double *c)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++) {
        c[i] = 1.0;
        G[i * n + i] += mu;
    }
    dyn__eliminate(n, G, c, -(double)INFINITY);
    for (int64_t i = n - 1; i >= 0; i--)
        sum += c[i];
    for (int64_t i = 0; i < n; i++)
        c[i] /= sum;
}

/* D [n][size]: theta_i - theta, in units of the longest; 0: all are at theta. */
static double differences(dyn_ctx *ctx, const dyn__past *p, int64_t n, const double *theta, double *D)
{
    double longest = 0.0;

    for (int64_t i = 0; i < n; i++) {
        const double *old = p->rows + i * dyn__past_entry(p);

        for (int64_t k = 0; k < p->size; k++)
            D[i * p->size + k] = old[k] - theta[k];
        longest = fmax(longest, dyn__norm(ctx, p->size, D + i * p->size));
    }
    for (int64_t i = 0; i < n && longest > 0.0; i++)
        dyn__basis_divide(p->size, longest, D + i * p->size);
    return longest;
}

/* mu against the mean square of the distances: the vectors are wrong by about the tolerance. */
static double ridge(const dyn__past *p)
{
    return fmax(1e-8, p->tolerance * p->tolerance);
}

static dyn_status find_weights(dyn_ctx *ctx, const dyn__past *p, int64_t n, const double *theta, double *c)
{
    double G[MOST * MOST], trace = 0.0, longest, *D = dyn__alloc(ctx, (size_t)n, (size_t)p->size * sizeof *D);

    if (!D)
        return DYN_ENOMEM;
    longest = differences(ctx, p, n, theta, D);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++)
            G[i * n + j] = G[j * n + i] = dyn__basis_dot(ctx, p->size, D + i * p->size, D + j * p->size);
        trace += G[i * n + i];
    }
    dyn__free(ctx, D);
    if (longest > 0.0 && isfinite(longest))
        solve_weights(n, G, ridge(p) * trace / (double)n, c);
    return DYN_OK;
}

/* start += c times the part of the newest vectors in the space of entry i, each of length 1: so signs and rotations among
 * near eigenvalues are those of the newest. */
static void add_entry(dyn_ctx *ctx, const dyn__past *p, int64_t i, double c, double *part, double *h, double *start)
{
    const double *newest = p->rows + p->size, *V = newest + i * dyn__past_entry(p);

    for (int64_t j = 0; j < p->pairs; j++) {
        double norm;

        memset(part, 0, (size_t)p->size * sizeof *part);
        dyn__basis_coefficients(ctx, p->pairs, p->size, V, newest + j * p->size, h);
        dyn__basis_combine(ctx, p->pairs, p->size, V, h, part);
        norm = dyn__norm(ctx, p->size, part);
        for (int64_t k = 0; k < p->size && norm > 0.0; k++)
            start[j * p->size + k] += c * (part[k] / norm);
    }
}

dyn_status dyn__past_expect(dyn_ctx *ctx, const dyn__past *p, const double *theta, double **start)
{
    const int64_t n = usable(p, theta), vectors = p->pairs * p->size;
    double c[MOST] = { 1.0 }, *room;

    *start = NULL;
    if (p->count == 0)
        return DYN_OK;
    if (n > 1)
        DYN__TRY(find_weights(ctx, p, n, theta, c));
    room = dyn__alloc(ctx, (size_t)(vectors + p->size + p->pairs), sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        add_entry(ctx, p, i, c[i], room + vectors, room + vectors + p->size, room);
    *start = room;
    return DYN_OK;
}
