/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs by thick-restart Lanczos, in rounds: iterate until the wanted pairs have converged, then search their
 * complement from a random vector; what the search finds beyond them is iterated on. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/eigen_lanczos.h"

#define FEW 512             /* products */
#define STIR 1e-4           /* share of the tolerance that the first products are stirred by */

int dyn__solver_full(const dyn__solver *s)
{
    return s->l.j + s->l.width > s->l.capacity;
}

int64_t dyn__solver_allowance(const dyn__solver *s)
{
    int64_t left = s->p->opt.max_products - s->l.products - s->p->want - 1, usual = 2 * s->l.products;

    usual = usual > s->p->opt.subspace ? usual : s->p->opt.subspace;
    return s->p->limited || left < usual ? left : usual;
}

dyn_status dyn__solver_advance(dyn__solver *s)
{
    const dyn_eigen_options *o = &s->p->opt;

    if (s->l.products + s->l.width + s->p->want + 1 > o->max_products)
        return DYN_NOT_CONVERGED;
    DYN__TRY(dyn__lanczos_expand(&s->l));
    if (o->progress
        && o->progress(o->progress_user, (double)s->l.products / (double)o->max_products, "eigenpairs") != 0)
        return DYN_STOPPED;
    return DYN_OK;
}

static dyn_status look(dyn__solver *s)
{
    DYN__TRY(dyn__lanczos_ritz(&s->l));
    dyn__eigen_rank(s->p->opt.which, s->l.j, s->l.theta, s->pick);
    return DYN_OK;
}

static int converged(const dyn__solver *s)
{
    int64_t want = s->p->want;
    const double share = s->p->opt.unchecked ? DYN__PLAIN_MARGIN : DYN__EIGEN_MARGIN;

    if (s->l.width == 0)
        return 1;
    if (s->l.j < want)
        return 0;
    for (int64_t i = 0; i < want; i++)
        if (!(dyn__lanczos_residual(&s->l, s->pick[i]) <= share * dyn__solver_limit(s, s->l.theta[s->pick[i]])))
            return 0;
    return 1;
}

/* Restart with the wanted pairs and half of the room beyond them. */
static dyn_status make_room(dyn__solver *s)
{
    int64_t want = s->p->want, keep = want + (s->l.capacity - want) / 2, most = s->l.capacity - s->l.width;

    DYN__TRY(look(s));
    s->next_check = 0;
    return dyn__lanczos_restart(&s->l, keep < most ? keep : most, s->pick);
}

/* Products until the pairs have converged; the Ritz pairs are ranked at the end, whatever ended it. */
static dyn_status iterate(dyn__solver *s)
{
    s->next_check = 0;
    for (;;) {
        dyn_status status;

        if (dyn__solver_full(s))
            DYN__TRY(make_room(s));
        status = dyn__solver_advance(s);
        if (status < 0)
            return status;
        if (status == DYN_OK && s->l.j < s->next_check && s->l.width > 0 && !dyn__solver_full(s))
            continue;
        DYN__TRY(look(s));
        if (status != DYN_OK || converged(s))
            return status;
        s->next_check = s->l.j + 1 + s->l.j / 32;
    }
}

/* Rounds of iteration and search. The pairs are settled at the end, whatever ended it. */
static dyn_status run(dyn__solver *s)
{
    dyn_status status = iterate(s);
    enum dyn__outcome outcome = DYN__FOUND;

    while (status == DYN_OK && !s->p->opt.unchecked) {
        status = dyn__solver_search(s, &outcome);
        if (status != DYN_OK || outcome != DYN__FOUND)
            return status;
        s->dropped = 1;
        status = iterate(s);
    }
    if (status >= 0 && s->l.j >= s->p->want)
        dyn__solver_set_edges(s);
    if (status >= 0)
        DYN__TRY(dyn__solver_settle(s, s->l.j < s->p->want ? s->l.j : s->p->want));
    return status;
}

static int undecided(const dyn__solver *s)
{
    return !s->p->opt.unchecked && s->miss > DYN__MISS_TARGET;
}

static dyn_status finish(dyn__solver *s, dyn_status ended)
{
    dyn_eigen *e = s->e;
    dyn_status verdict;

    if (ended != DYN_STOPPED)
        DYN__TRY(dyn__solver_confirm(s));
    e->products = s->l.products;
    dyn__eigen_allow(e, &s->p->opt, s->l.scale);
    e->miss_bound = s->miss;
    e->last_cluster = s->last_cluster;
    e->wanted = s->p->want;
    verdict = dyn__eigen_judge(e);
    if (ended != DYN_OK || verdict != DYN_OK || !undecided(s))
        return ended == DYN_OK ? verdict : ended;
    dyn__log(s->l.A->ctx, DYN_LOG_WARNING, "the pairs are within tolerance, but the chance that others were missed is "
             "bounded by %g only: allow more products", s->miss);
    return DYN_NOT_CONVERGED;
}

/* The sum of the caller's vectors, each of length 1, and a short random one: without that a warm start could stay blind for
 * what is not in it, and where no search follows it is longer. One vector of all costs fewer products than a block. */
static dyn_status begin_near(dyn__solver *s)
{
    const dyn_eigen_options *o = &s->p->opt;
    dyn__lanczos *l = &s->l;
    int64_t n = l->n;
    double *sum = l->V, *one = l->V + n;

    dyn__lanczos_draw(l, 1);
    l->width = 0;
    dyn__basis_scale(n, fmin(o->unchecked ? 1e-3 : 1e-4, 0.25 * o->tolerance), sum);
    for (int64_t i = 0; i < o->start_count; i++) {
        const double norm = dyn__norm(l->A->ctx, n, o->start + i * n);

        if (!isfinite(norm))
            return DYN__FAIL(l->A->ctx, DYN_EINVAL, "the norm of start vector %" PRId64 " is not finite", i);
        memcpy(one, o->start + i * n, (size_t)n * sizeof *one);
        if (norm > 0.0)
            dyn__basis_divide(n, norm, one);
        for (int64_t k = 0; k < n; k++)
            sum[k] += one[k];
    }
    DYN__TRY(dyn__basis_orthonormalise(l->A->ctx, 1, n, sum, &l->width));
    if (l->width)
        dyn__lanczos_put(l, 0, sum);
    return DYN_OK;
}

/* The first block: random but for what the caller's vectors give. */
static dyn_status begin(dyn__solver *s)
{
    dyn__lanczos *l = &s->l;

    if (s->p->opt.start_count > 0)
        DYN__TRY(begin_near(s));
    dyn__lanczos_draw(l, s->p->opt.block - l->width);
    return DYN_OK;
}

static dyn_status create(dyn__solver *s, dyn_operator *A)
{
    int64_t width = s->p->max_width;

    DYN__TRY(dyn__lanczos_init(&s->l, A, s->p->opt.subspace, width, s->p->opt.seed, 1));
    s->l.stir = s->p->opt.unchecked && s->p->want > 1 ? STIR * s->p->opt.tolerance : 0.0;
    s->pick = dyn__alloc(A->ctx, (size_t)s->p->opt.subspace, sizeof *s->pick);
    s->held = s->pick ? dyn__alloc(A->ctx, (size_t)width, (size_t)A->size * sizeof(double)) : NULL;
    s->coupling = s->held ? dyn__alloc(A->ctx, (size_t)width, sizeof(double)) : NULL;
    return s->coupling ? dyn__eigen_create(A->ctx, s->p->want, A->size, &s->e) : DYN_ENOMEM;
}

static void destroy(dyn__solver *s)
{
    dyn_ctx *ctx = s->l.A->ctx;

    dyn_eigen_free(s->e);
    dyn__free(ctx, s->coupling);
    dyn__free(ctx, s->held);
    dyn__free(ctx, s->pick);
    dyn__lanczos_free(&s->l);
}

/* The products of the whole matrix are within what a search may take, or few. */
static int affords_all(const dyn__solver *s)
{
    int64_t n = s->l.n, left = s->p->opt.max_products - s->l.products;

    return n <= dyn__solver_allowance(s) || (n <= FEW && n <= left);
}

/* What no search decides the whole matrix does, where it costs no more products. */
static dyn_status all_of(dyn_operator *A, const dyn__eigen_plan *p, int64_t products, dyn_eigen **out)
{
    dyn_status status = dyn__eigen_dense(A, p, out);

    if (status >= 0)
        (*out)->products += products;
    return status;
}

dyn_status dyn__eigen_lanczos(dyn_operator *A, const dyn__eigen_plan *p, dyn_eigen **out)
{
    dyn__solver s = { .p = p, .miss = 1.0 };
    dyn_status status = create(&s, A);
    int64_t products;

    if (status == DYN_OK)
        status = begin(&s);
    if (status == DYN_OK)
        status = run(&s);
    products = s.l.products;
    if (status == DYN_OK && undecided(&s) && affords_all(&s)) {
        destroy(&s);
        return all_of(A, p, products, out);
    }
    if (status >= 0)
        status = finish(&s, status);
    if (status >= 0) {
        *out = s.e;
        s.e = NULL;
    }
    destroy(&s);
    return status;
}
