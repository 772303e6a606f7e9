/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rank of a map that is known by its products: the adaptive randomised range finder of Halko, Martinsson and Tropp (arXiv
 * 0909.4061, algorithm 4.2). Images of random vectors are made orthonormal one after the other, A ~ Q Q^T A, until images of
 * `probes` further vectors w, which Q does not depend on, leave little: |A - Q Q^T A| <= 10 sqrt(2 / pi) max |(1 - Q Q^T) A w|
 * but for a chance of 10^-probes at each size of Q. The rows Q^T A, by the adjoint, then give the singular values. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "analysis/rank.h"
#include "linalg/basis.h"
#include "linalg/dense.h"
#include "linalg/operator.h"
#include "random/random.h"

enum { SITE_RANGE = 6, PROBES = 10, FIRST_ROOM = 16 };
#define TOLERANCE 1e-10         /* chosen for 0 */
#define ALPHA 10.0              /* the bound is so many times what is seen, but for a chance of 1 / ALPHA for each probe */

typedef struct range {
    dyn_operator *A;
    int64_t rows, columns, most, probes;    /* most: directions that there can be, or that fit */
    uint64_t seed;
    int64_t k, room, drawn;
    double *Q, *B;              /* [room][rows], [room][columns] = Q^T A */
    double *y, *w, *h;          /* [probes][rows] images; [columns]; scratch of projections */
    double largest, remainder;  /* lower bound of the norm of A; bound of what is left */
} range;

static dyn_status grow(dyn_ctx *ctx, double **held, int64_t from, int64_t to, int64_t width)
{
    double *room = dyn__alloc(ctx, (size_t)to, (size_t)width * sizeof *room);

    if (!room)
        return DYN_ENOMEM;
    if (*held)
        memcpy(room, *held, (size_t)(from * width) * sizeof *room);
    dyn__free(ctx, *held);
    *held = room;
    return DYN_OK;
}

static dyn_status make_room(range *r)
{
    const int64_t doubled = r->room ? 2 * r->room : FIRST_ROOM, to = doubled < r->most ? doubled : r->most;
    dyn_ctx *ctx = r->A->ctx;

    if (r->k < r->room)
        return DYN_OK;
    DYN__TRY(grow(ctx, &r->Q, r->k, to, r->rows));
    DYN__TRY(grow(ctx, &r->B, r->k, to, r->columns));
    DYN__TRY(grow(ctx, &r->h, 0, DYN__BASIS_ROOM * to, 1));
    r->room = to;
    return DYN_OK;
}

/* The image of a new random vector, less its part in Q, in the place of probe i. */
static dyn_status draw(range *r, int64_t i)
{
    const dyn__key key = { .seed = r->seed, .stream = DYN__STREAM_PROBE, .step = (uint32_t)r->drawn++, .site = SITE_RANGE };
    double *y = r->y + i * r->rows;

    dyn__normal_f64(key, 0, r->columns, r->w);
    DYN__TRY(dyn__operator_apply(r->A, 1, r->w, y));
    if (r->k)
        dyn__basis_project_out(r->A->ctx, r->k, r->rows, r->Q, y, r->h);
    return DYN_OK;
}

static void bound_remainder(range *r)
{
    double seen = 0.0;

    for (int64_t i = 0; i < r->probes; i++)
        seen = fmax(seen, dyn__norm(r->A->ctx, r->rows, r->y + i * r->rows));
    r->remainder = ALPHA * sqrt(2.0 / acos(-1.0)) * seen;
}

/* Probe i becomes a direction, whose row of Q^T A and part in the other probes are taken. Nothing but rounding is none. */
static dyn_status take(range *r, int64_t i)
{
    double *q, *y = r->y + i * r->rows, norm;
    dyn_ctx *ctx = r->A->ctx;

    DYN__TRY(make_room(r));
    q = r->Q + r->k * r->rows;
    memcpy(q, y, (size_t)r->rows * sizeof *q);
    if (r->k)
        dyn__basis_project_out(ctx, r->k, r->rows, r->Q, q, r->h);
    norm = dyn__norm(ctx, r->rows, q);
    if (norm > 4.0 * DBL_EPSILON * r->largest) {
        dyn__basis_divide(r->rows, norm, q);
        DYN__TRY(dyn__operator_apply_adjoint(r->A, 1, q, r->B + r->k * r->columns));
        r->largest = fmax(r->largest, dyn__norm(ctx, r->columns, r->B + r->k * r->columns));
        r->k++;
        for (int64_t j = 0; j < r->probes; j++)
            dyn__basis_project_out(ctx, 1, r->rows, q, r->y + j * r->rows, r->h);
    }
    return draw(r, i);
}

/* DYN_NOT_CONVERGED: no more directions fit, and more is left than the tolerance allows. */
static dyn_status find(range *r, double tolerance)
{
    const int64_t all = r->rows < r->columns ? r->rows : r->columns;

    for (int64_t i = 0; i < r->probes; i++)
        DYN__TRY(draw(r, i));
    for (int64_t i = 0;; i = (i + 1) % r->probes) {
        bound_remainder(r);
        if (r->k == all)
            r->remainder = 0.0;
        if (r->remainder <= tolerance * r->largest)
            return DYN_OK;
        if (r->k == r->most)
            return DYN_NOT_CONVERGED;
        DYN__TRY(dyn__check_interrupt(r->A->ctx));
        DYN__TRY(take(r, i));
    }
}

static dyn_status begin(range *r, const dyn_rank_options *o)
{
    const int64_t all = r->rows < r->columns ? r->rows : r->columns, probes = o->probes ? o->probes : PROBES;
    const int64_t one = (r->rows + r->columns + DYN__BASIS_ROOM) * (int64_t)sizeof(double);
    const int64_t fixed = (probes * r->rows + r->columns) * (int64_t)sizeof(double);
    dyn_ctx *ctx = r->A->ctx;

    r->probes = probes < 300 ? probes : 300;    /* the chance is a number */
    r->most = o->memory_limit && (o->memory_limit - fixed) / (2 * one) < all ? (o->memory_limit - fixed) / (2 * one) : all;
    if (r->most < 1)
        return DYN__FAIL(ctx, DYN_EFULL, "memory_limit is %" PRId64 ", must be at least %" PRId64, o->memory_limit,
                         fixed + 2 * one);
    r->y = dyn__alloc(ctx, (size_t)r->probes, (size_t)r->rows * sizeof *r->y);
    r->w = dyn__alloc(ctx, (size_t)r->columns, sizeof *r->w);
    return r->y && r->w ? make_room(r) : DYN_ENOMEM;
}

static void end(range *r)
{
    dyn_ctx *ctx = r->A->ctx;

    dyn__free(ctx, r->w);
    dyn__free(ctx, r->y);
    dyn__free(ctx, r->h);
    dyn__free(ctx, r->B);
    dyn__free(ctx, r->Q);
}

static dyn_status evaluate(const range *r, const dyn_rank_options *o, dyn_rank **out)
{
    const int64_t all = r->rows < r->columns ? r->rows : r->columns;
    double *values = NULL;
    dyn_status s = DYN_OK;

    if (r->k) {
        values = dyn__alloc(r->A->ctx, (size_t)r->k, sizeof *values);
        s = values ? dyn_dense_svd_values(r->A->ctx, r->k, r->columns, r->B, values) : DYN_ENOMEM;
    }
    if (s >= 0)
        s = dyn__rank_of_values(r->A->ctx, r->rows, r->columns, r->k, values, o, out);
    if (s < 0) {
        dyn__free(r->A->ctx, values);
        return s;
    }
    if (r->remainder > 0.0 && r->k && (*out)->by_tolerance == r->k)
        (*out)->gap_at_tolerance = values[r->k - 1] / r->remainder;     /* at least: the next value was not computed */
    (*out)->remainder = r->remainder;
    (*out)->chance = r->remainder > 0.0 ? fmin(1.0, (double)all * pow(ALPHA, -(double)r->probes)) : 0.0;
    return DYN_OK;
}

dyn_status dyn_rank_operator(dyn_operator *A, const dyn_rank_options *opt, dyn_rank **out)
{
    dyn_rank_options o;
    dyn_status s, found;

    if (out)
        *out = NULL;
    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, out);
    DYN__TRY(dyn__rank_options(A->ctx, opt, &o));
    o.tolerance = o.tolerance > 0.0 ? o.tolerance : TOLERANCE;
    range r = { .A = A, .rows = dyn_operator_rows(A), .columns = A->size, .seed = o.seed };
    s = begin(&r, &o);
    if (s >= 0)
        s = find(&r, o.tolerance);
    found = s >= 0 ? evaluate(&r, &o, out) : s;
    end(&r);
    return found < 0 ? found : s;
}
