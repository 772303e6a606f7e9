/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs by thick-restart Lanczos, in rounds: iterate until the wanted pairs have converged, then search their
 * complement from a random vector; what the search finds beyond them is iterated on.
 *
 * The search is Lanczos on P A P, P the projector away from the pairs. After k steps from the unit vector q its next
 * vector is p(PAP) q with p(t) = prod (t - ritz_i) / prod beta_i, of norm 1. An eigenvalue beyond t, outside
 * the Ritz values, whose eigenvector has overlap c with q gives |c| <= 1 / |p(t)|, and a random unit vector in n
 * dimensions has such an overlap with probability at most sqrt(2 n / pi) / |p(t)|: the bound reported. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"
#include "linalg/eigen.h"
#include "linalg/lanczos.h"

#define MISS_TARGET 1e-4    /* the search ends at this bound */
#define NEXT_RESIDUAL 1e-3  /* relative residual of the next pair that ends an undecided search */
#define MARGIN 0.25         /* share of the tolerance used while iterating; the rest is for what restarts drop */

typedef struct solver {
    dyn__lanczos l;
    const dyn__eigen_plan *p;
    int64_t *pick;          /* [capacity] places of Ritz values, the most wanted first */
    int64_t next_check;     /* rows at which convergence is looked at again */
    double dropped;         /* residual that a restart from the pairs alone may have dropped */
    double low, high;       /* a value of the complement outside [low, high] is a missed one */
    double miss;
} solver;

enum outcome { CLEAN, FOUND, UNDECIDED };

static double limit(const solver *s)
{
    return s->p->opt.tolerance * s->l.scale;
}

static dyn_status look(solver *s)
{
    DYN__TRY(dyn__lanczos_ritz(&s->l));
    dyn__eigen_rank(s->p->opt.which, s->l.j, s->l.theta, s->pick);
    return DYN_OK;
}

static int full(const solver *s)
{
    return s->l.j + s->l.width > s->l.capacity;
}

/* One block of products, within the limit that leaves room for the final residuals. */
static dyn_status advance(solver *s)
{
    const dyn_eigen_options *o = &s->p->opt;

    if (s->l.products + s->l.width + s->p->want > o->max_products)
        return DYN_NOT_CONVERGED;
    DYN__TRY(dyn__lanczos_expand(&s->l));
    if (o->progress
        && o->progress(o->progress_user, (double)s->l.products / (double)o->max_products, "eigenpairs") != 0)
        return DYN_STOPPED;
    return DYN_OK;
}

/* The wanted pairs are within tolerance, and the `extra` ones after them are known roughly. */
static int converged(const solver *s, int64_t extra)
{
    int64_t want = s->p->want;

    if (s->l.width == 0)
        return 1;
    if (s->l.j < want + extra)
        return 0;
    for (int64_t i = 0; i < want + extra; i++)
        if (!(dyn__lanczos_residual(&s->l, s->pick[i]) <= (i < want ? MARGIN * limit(s) : NEXT_RESIDUAL * s->l.scale)))
            return 0;
    return 1;
}

/* Restart with the wanted pairs and half of the room beyond them. */
static dyn_status make_room(solver *s)
{
    int64_t want = s->p->want, keep = want + (s->l.capacity - want) / 2, most = s->l.capacity - s->l.width;

    DYN__TRY(look(s));
    s->next_check = 0;
    return dyn__lanczos_restart(&s->l, keep < most ? keep : most, s->pick);
}

static dyn_status iterate(solver *s, int64_t extra)
{
    s->next_check = 0;
    for (;;) {
        dyn_status status;

        if (full(s))
            DYN__TRY(make_room(s));
        status = advance(s);
        if (status != DYN_OK)
            return status;
        if (s->l.j < s->next_check && s->l.width > 0 && !full(s))
            continue;
        DYN__TRY(look(s));
        if (converged(s, extra))
            return DYN_OK;
        s->next_check = s->l.j + 1 + s->l.j / 16;
    }
}

static void set_edges(solver *s)
{
    int32_t which = s->p->opt.which;
    const double *theta = s->l.theta;
    double last = theta[s->pick[s->p->want - 1]];

    s->low = -INFINITY;
    s->high = INFINITY;
    if (which == DYN_LARGEST_ALGEBRAIC)
        s->high = last + limit(s);
    else if (which == DYN_SMALLEST_ALGEBRAIC)
        s->low = last - limit(s);
    else if (which == DYN_LARGEST_MAGNITUDE)
        s->low = -(s->high = fabs(last) + limit(s));
    else {
        s->low = last - limit(s);
        s->high = theta[s->pick[s->p->want - 2]] + limit(s);
    }
}

/* The bound for one edge, from the k Ritz values and the sum of log beta. */
static double miss_at(const solver *s, double edge, int64_t k, const double *ritz, double log_beta)
{
    double log_p = -log_beta;

    if (!isfinite(edge) || !isfinite(log_beta))
        return 0.0;
    for (int64_t i = 0; i < k; i++)
        log_p += log(fabs(edge - ritz[i]));
    return fmin(1.0, sqrt(2.0 * (double)s->l.n / acos(-1.0)) * exp(-log_p));
}

/* Judge the search after k steps; the Ritz values of the complement are those of the last k rows. */
static dyn_status judge(solver *s, int64_t k, double log_beta, enum outcome *outcome)
{
    int64_t first = s->l.j - k;
    double *block = s->l.Y, *ritz = s->l.theta;

    for (int64_t r = 0; r < k; r++)
        memcpy(block + r * k, s->l.T + (first + r) * s->l.capacity + first, (size_t)k * sizeof(double));
    DYN__TRY(dyn__eigh(s->l.A->ctx, k, block, ritz, 0));
    s->l.scale = fmax(s->l.scale, fmax(fabs(ritz[0]), fabs(ritz[k - 1])));
    if (ritz[k - 1] > s->high || ritz[0] < s->low) {
        *outcome = FOUND;
        return DYN_OK;
    }
    s->miss = fmin(1.0, miss_at(s, s->low, k, ritz, log_beta) + miss_at(s, s->high, k, ritz, log_beta));
    *outcome = s->miss <= MISS_TARGET ? CLEAN : UNDECIDED;
    return DYN_OK;
}

/* An exact breakdown (beta = 0) makes the bound zero: a random vector overlaps with every eigenvector. */
static dyn_status search(solver *s, enum outcome *outcome)
{
    double log_beta = 0.0;

    set_edges(s);
    s->miss = 1.0;
    s->dropped = limit(s) * MARGIN;
    DYN__TRY(dyn__lanczos_restart(&s->l, s->p->want, s->pick));
    s->l.width = 0;
    dyn__lanczos_draw(&s->l, 1);
    *outcome = UNDECIDED;
    for (int64_t k = 1; *outcome == UNDECIDED && !full(s); k++) {
        dyn_status status = advance(s);

        if (status != DYN_OK)
            return status;
        log_beta += log(s->l.R[0]);
        DYN__TRY(judge(s, k, log_beta, outcome));
    }
    return DYN_OK;
}

static dyn_status run(solver *s)
{
    dyn_status status = iterate(s, 0);

    while (status == DYN_OK && !s->p->opt.unchecked) {
        enum outcome outcome;
        double low, high;

        status = search(s, &outcome);
        if (status != DYN_OK || outcome == CLEAN)
            break;
        low = s->low;
        high = s->high;
        status = iterate(s, outcome == UNDECIDED ? s->p->ends : 0);
        if (status != DYN_OK || outcome == FOUND)
            continue;
        set_edges(s);
        if (s->low >= low - limit(s) && s->high <= high + limit(s))
            break;
    }
    return status;
}

/* Pairs with true residuals: the product of each vector, in blocks, goes to the rows behind the vectors. */
static dyn_status residuals(solver *s, dyn_eigen *e)
{
    int64_t n = s->l.n, room = s->l.max_width;
    double *product = s->l.V + e->count * n;

    for (int64_t i = 0; i < e->count; i++) {
        double *r = product + i % room * n;
        const double *v = s->l.V + i * n;

        if (i % room == 0)
            DYN__TRY(dyn__operator_apply(s->l.A, e->count - i < room ? e->count - i : room, v, product));
        for (int64_t k = 0; k < n; k++)
            r[k] -= e->values[i] * v[k];
        e->residuals[i] = dyn__basis_norm(s->l.A->ctx, n, r);
    }
    s->l.products += e->count;
    return DYN_OK;
}

static dyn_status fill(solver *s, dyn_eigen *e, int stopped)
{
    for (int64_t i = 0; i < e->count; i++) {
        e->values[i] = s->l.theta[s->pick[i]];
        e->residuals[i] = hypot(dyn__lanczos_residual(&s->l, s->pick[i]), s->dropped);
    }
    DYN__TRY(dyn__lanczos_restart(&s->l, e->count, s->pick));
    if (!stopped)
        DYN__TRY(residuals(s, e));
    memcpy(e->vectors, s->l.V, (size_t)(e->count * e->size) * sizeof(double));
    e->products = s->l.products;
    e->tolerance = limit(s);
    e->miss_bound = s->miss;
    e->wanted = s->p->want;
    return DYN_OK;
}

/* Bring the pairs home, whatever ended the iteration. */
static dyn_status finish(solver *s, dyn_status ended, dyn_eigen **out)
{
    int64_t count = s->l.j < s->p->want ? s->l.j : s->p->want;
    dyn_status status, verdict;

    DYN__TRY(look(s));
    dyn__eigen_present(s->p->opt.which, count, s->pick);
    DYN__TRY(dyn__eigen_create(s->l.A->ctx, count, s->l.n, out));
    status = fill(s, *out, ended == DYN_STOPPED);
    if (status < 0) {
        dyn_eigen_free(*out);
        *out = NULL;
        return status;
    }
    verdict = dyn__eigen_judge(*out);
    return ended == DYN_OK ? verdict : ended;
}

/* The first block: the caller's vectors, and always a random one, without which a warm start could stay blind. */
static dyn_status begin(solver *s)
{
    const dyn_eigen_options *o = &s->p->opt;
    dyn__lanczos *l = &s->l;

    if (o->start_count > 0) {
        memcpy(l->V, o->start, (size_t)(o->start_count * l->n) * sizeof(double));
        DYN__TRY(dyn__basis_orthonormalise(l->A->ctx, o->start_count, l->n, l->V, &l->width));
    }
    dyn__lanczos_draw(l, o->block > l->width ? o->block - l->width : 1);
    return DYN_OK;
}

dyn_status dyn__eigen_lanczos(dyn_operator *A, const dyn__eigen_plan *p, dyn_eigen **out)
{
    solver s = { .p = p, .miss = 1.0 };
    dyn_status status = dyn__lanczos_init(&s.l, A, p->opt.subspace, p->max_width, p->opt.seed);

    if (status == DYN_OK)
        s.pick = dyn__alloc(A->ctx, (size_t)p->opt.subspace, sizeof *s.pick);
    if (!s.pick)
        status = DYN_ENOMEM;
    if (status == DYN_OK)
        status = begin(&s);
    if (status == DYN_OK)
        status = run(&s);
    if (status >= 0)
        status = finish(&s, status, out);
    dyn__free(A->ctx, s.pick);
    dyn__lanczos_free(&s.l);
    return status;
}
