/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix completion: targets, orders of observation, and the graph that the observed places make. */
#include "generate/generate.h"

#include <inttypes.h>
#include <string.h>

static const struct { const char *name; double m[16]; } matrices[] = {
    { "M1", { 1, .3, .7, -.4, 2, .6, 1.4, -.8, 4, 1.2, 2.8, -1.6, 7, 2.1, 4.9, -2.8 } },
    { "M2", { 4, .6, 1.8, .8, 6, .9, 2.7, 1.2, 8, 1.2, 3.6, 1.6, 18, 2.7, 8.1, 3.6 } },
    { "M3", { -1.8, 2.4, 7.7, -5.3, .4, 1.8, 5.4, -3.6, 3.2, 1.8, 4.8, -3, 6.6, 2.4, 5.9, -3.5 } },
    { "M4", { 7.6, 3.3, 19.8, -7.3, 7.6, 2.1, 10.7, -2.4, 8.8, 1.8, 7.6, -.2, 19.2, 3.6, 14.1, .9 } },
    { "M5", { -1.8, 2.4, 7.7, -5.3, .4, 1.8, 5.4, -3.6, 3.2, 1.8, 4.8, -3, 6.6, 2.4, 5.9, -3.5 } },
    { "M6", { 8.5, 9.3, 22.5, -6.1, 8.2, 6.1, 12.5, -1.6, 11.5, 19.8, 15.7, 3.4, 20.4, 11.6, 17.7, 2.5 } },
    { "M7", { 3.6, -1.2, 8.1, -3.5, 8.1, -3.5, 3.6, -1.2, 9.1, -1.7, 11.4, -.6, 11.4, -.6, 9.1, -1.7 } },
    { "M8", { 12.1, 17.3, 24.1, -4.9, 16.3, 24.1, 16.1, 1.1, 14.2, 25.8, 16.9, 4.3, 22.2, 15.6, 18.5, 3.1 } },
    { "N1", { 4, .6, 1.8, .8, 8, 1.2, 3.6, 1.6, 8, 1.2, 3.6, 1.6, 6, .9, 2.7, 1.2 } },
    { "N2", { 4, .6, 1.8, .8, 10, 2.7, 5.1, 3.6, 8, 1.2, 3.6, 1.6, 6, .9, 2.7, 1.2 } },
};
enum { LARGEST = 10000 };

dyn_status dyn_generate_matrix(dyn_ctx *ctx, const char *name, dyn_array **out)
{
    double *data;

    DYN__GENERATE(ctx, out);
    DYN__NEED(ctx, name);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
        if (strcmp(name, matrices[i].name) == 0) {
            DYN__TRY(dyn__new_reals(ctx, 4, 4, out, &data));
            memcpy(data, matrices[i].m, sizeof matrices[i].m);
            return DYN_OK;
        }
    return DYN__FAIL(ctx, DYN_EINVAL, "no matrix is called \"%.20s\": there are M1 to M8, N1 and N2", name);
}

dyn_status dyn_generate_low_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t rank, uint64_t seed,
                                 dyn_array **out)
{
    double *m;

    DYN__GENERATE(ctx, out);
    DYN__RANGE(ctx, "rows", rows, 1, LARGEST);
    DYN__RANGE(ctx, "columns", columns, 1, LARGEST);
    DYN__RANGE(ctx, "rank", rank, 0, rows < columns ? rows : columns);
    DYN__TRY(dyn__new_reals(ctx, rows, columns, out, &m));
    for (int64_t r = 0; r < rank; r++)
        for (int64_t i = 0; i < rows; i++) {
            double a, b;

            dyn__normal_f64(dyn__dice_of(seed, DYN__KIND_MATRIX, 2 * r).key, i, 1, &a);
            for (int64_t j = 0; j < columns; j++) {
                dyn__normal_f64(dyn__dice_of(seed, DYN__KIND_MATRIX, 2 * r + 1).key, j, 1, &b);
                m[i * columns + j] += a * b;
            }
        }
    return DYN_OK;
}

/* ---- observations ---- */

static void connected_order(int64_t rows, int64_t columns, int64_t *place)
{
    int64_t n = 0;

    for (int64_t k = 0; k < rows || k < columns; k++) {
        for (int64_t j = k; k < rows && j < columns; j++)
            place[n++] = k * columns + j;
        for (int64_t i = k + 1; k < columns && i < rows; i++)
            place[n++] = i * columns + k;
    }
}

dyn_status dyn_generate_observed(dyn_ctx *ctx, int32_t order, int64_t rows, int64_t columns, uint64_t seed,
                                 dyn_array **out)
{
    const dyn__dice dice = dyn__dice_of(seed, DYN__KIND_ORDER, 0);
    int64_t *place;

    DYN__GENERATE(ctx, out);
    DYN__RANGE(ctx, "order", order, DYN_OBSERVED_CONNECTED, DYN_OBSERVED_RANDOM);
    DYN__RANGE(ctx, "rows", rows, 1, LARGEST);
    DYN__RANGE(ctx, "columns", columns, 1, LARGEST);
    DYN__TRY(dyn__new_tokens(ctx, rows * columns, 0, out, &place));
    if (order == DYN_OBSERVED_RANDOM)
        dyn__permutation(dice.key, rows * columns, place);
    else
        connected_order(rows, columns, place);
    return DYN_OK;
}

/* ---- the graph ---- */

typedef struct graph {
    int64_t rows, columns, n, *root, *number, components;   /* of each vertex; number of the component of a root */
} graph;

static int64_t find(const graph *g, int64_t v)
{
    while (g->root[v] != v)
        v = g->root[v] = g->root[g->root[v]];
    return v;
}

static dyn_status join(dyn_ctx *ctx, graph *g, const int64_t *place, char *seen)
{
    for (int64_t k = 0; k < g->n; k++) {
        const int64_t p = place[k];
        int64_t a, b;

        if (p < 0 || p >= g->rows * g->columns || seen[p])
            return DYN__FAIL(ctx, DYN_EINVAL, "place[%" PRId64 "] is %" PRId64 "%s of %" PRId64 " x %" PRId64, k, p,
                             p >= 0 && p < g->rows * g->columns ? ", a second time," : "", g->rows, g->columns);
        seen[p] = 1;
        a = find(g, p / g->columns);
        b = find(g, g->rows + p % g->columns);
        g->root[a > b ? a : b] = a > b ? b : a;
    }
    return DYN_OK;
}

/* degree [vertices]: edges at a vertex. Roots are the smallest vertices, so that numbers rise with first vertices. */
static void number_components(graph *g, const int64_t *degree, int isolated, int64_t *component)
{
    for (int64_t v = 0; v < g->rows + g->columns; v++) {
        const int64_t root = find(g, v);
        const int counts = isolated || degree[v] > 0;

        if (root == v)
            g->number[v] = counts ? g->components++ : -1;
        if (component)
            component[v] = g->number[root];
    }
}

/* Whether the components have as many edges as their rows times their columns. */
static int32_t is_complete(const graph *g, const int64_t *degree)
{
    int64_t wanted = 0;

    for (int64_t r = 0; r < g->rows; r++)
        for (int64_t c = 0; c < g->columns; c++)
            wanted += degree[r] > 0 && find(g, r) == find(g, g->rows + c);
    return wanted == g->n;
}

dyn_status dyn_observation_graph(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t n, const int64_t *place,
                                 int32_t isolated, int64_t *component, int64_t *components, int32_t *complete)
{
    graph g = { .rows = rows, .columns = columns, .n = n };
    int64_t *room;
    char *seen;
    dyn_status s = DYN_ENOMEM;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__RANGE(ctx, "rows", rows, 1, LARGEST);
    DYN__RANGE(ctx, "columns", columns, 1, LARGEST);
    DYN__RANGE(ctx, "n", n, 0, rows * columns);
    DYN__TRY(dyn__check_flag(ctx, "isolated", isolated));
    if (n > 0)
        DYN__NEED(ctx, place);
    room = dyn__alloc(ctx, (size_t)(rows + columns), 3 * sizeof *room);
    seen = dyn__alloc(ctx, (size_t)(rows * columns), 1);
    if (room && seen) {
        int64_t *degree = room + 2 * (rows + columns);

        g.root = room;
        g.number = room + rows + columns;
        for (int64_t v = 0; v < rows + columns; v++)
            g.root[v] = v;
        s = join(ctx, &g, place, seen);
        for (int64_t k = 0; s == DYN_OK && k < n; k++) {
            degree[place[k] / columns]++;
            degree[rows + place[k] % columns]++;
        }
        if (s == DYN_OK) {
            number_components(&g, degree, isolated, component);
            if (components)
                *components = g.components;
            if (complete)
                *complete = is_complete(&g, degree);
        }
    }
    dyn__free(ctx, room);
    dyn__free(ctx, seen);
    return s;
}
