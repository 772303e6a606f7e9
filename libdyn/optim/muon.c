/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MUON: the step of a matrix is its momentum with singular values brought near 1 by Newton and Schulz's iteration; what
 * lies between the matrices goes by ADAM with decoupled decay. */
#include "optim/optim.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The polynomial a x + b x^3 + c x^5. */
static const double ns_a = 3.4445, ns_b = -4.775, ns_c = 2.0315;

typedef struct block {
    dyn_optimizer_matrix at;
    dyn__gemm square, fourth, product;      /* A = X X^T or X^T X, the smaller; A A; A X or X A */
} block;

typedef struct dyn__muon {
    int64_t count;
    block *blocks;
    void *x, *y, *a, *b;    /* room for the largest matrix, twice, and for A, twice */
} dyn__muon;

static int64_t smaller(const dyn_optimizer_matrix *at) { return at->rows < at->columns ? at->rows : at->columns; }

static dyn_status plan_block(const dyn_optimizer *o, const dyn_optimizer_matrix *at, block *b)
{
    const dyn__kernels *k = dyn__kernels_of(o->ctx);
    const int64_t s = smaller(at), columns = at->columns;
    const int wide = at->rows <= at->columns;

    b->at = *at;
    b->square = (dyn__gemm){ .dtype = o->dtype, .trans_a = !wide, .trans_b = wide, .m = s, .n = s,
                             .k = wide ? columns : at->rows, .lda = columns, .ldb = columns, .ldc = s };
    b->fourth = (dyn__gemm){ .dtype = o->dtype, .m = s, .n = s, .k = s, .lda = s, .ldb = s, .ldc = s };
    b->product = (dyn__gemm){ .dtype = o->dtype, .m = at->rows, .n = columns, .k = s, .lda = wide ? s : columns,
                              .ldb = wide ? columns : s, .ldc = columns };
    DYN__TRY(dyn__gemm_plan(k, &b->square));
    DYN__TRY(dyn__gemm_plan(k, &b->fourth));
    return dyn__gemm_plan(k, &b->product);
}

static dyn_status check_matrices(const dyn_optimizer *o)
{
    int64_t end = 0;

    for (int64_t i = 0; i < o->opt.matrices_count; i++) {
        const dyn_optimizer_matrix *m = &o->opt.matrices[i];

        if (m->rows < 1 || m->columns < 1 || m->offset < end || m->offset > o->size ||
            m->rows > (o->size - m->offset) / m->columns)
            return DYN__FAIL(o->ctx, DYN_EINVAL, "matrix %" PRId64 " of %" PRId64 " x %" PRId64 " at %" PRId64
                             " does not follow %" PRId64 " in %" PRId64 " parameters", i, m->rows, m->columns,
                             m->offset, end, o->size);
        end = m->offset + m->rows * m->columns;
    }
    return DYN_OK;
}

static dyn_status allocate(dyn_optimizer *o, dyn__muon *u)
{
    int64_t largest = 0, square = 0;

    u->count = o->opt.matrices_count;
    u->blocks = dyn__alloc(o->ctx, (size_t)u->count, sizeof *u->blocks);
    if (!u->blocks)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < u->count; i++) {
        const dyn_optimizer_matrix *at = &o->opt.matrices[i];
        const int64_t size = at->rows * at->columns, s = smaller(at) * smaller(at);

        DYN__TRY(plan_block(o, at, &u->blocks[i]));
        largest = size > largest ? size : largest;
        square = s > square ? s : square;
    }
    u->x = dyn__alloc(o->ctx, (size_t)largest, o->width);
    u->y = dyn__alloc(o->ctx, (size_t)largest, o->width);
    u->a = dyn__alloc(o->ctx, (size_t)square, o->width);
    u->b = dyn__alloc(o->ctx, (size_t)square, o->width);
    return u->x && u->y && u->a && u->b ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__muon_create(dyn_optimizer *o)
{
    DYN__TRY(check_matrices(o));
    o->muon = dyn__alloc(o->ctx, 1, sizeof *o->muon);
    if (!o->muon)
        return DYN_ENOMEM;
    DYN__TRY(allocate(o, o->muon));
    o->opt.matrices = NULL;     /* the caller's; ours are in the blocks */
    return DYN_OK;
}

void dyn__muon_free(dyn_optimizer *o)
{
    if (!o->muon)
        return;
    dyn__free(o->ctx, o->muon->blocks);
    dyn__free(o->ctx, o->muon->x);
    dyn__free(o->ctx, o->muon->y);
    dyn__free(o->ctx, o->muon->a);
    dyn__free(o->ctx, o->muon->b);
    dyn__free(o->ctx, o->muon);
}

/* y = scale x, and y = scale x + z. */
static void scale(const dyn_optimizer *o, int64_t n, double by, const void *x, void *y)
{
    float single = (float)by;
    void *factor = o->dtype == DYN_F32 ? (void *)&single : &by;
    const dyn__arg args[3] = { { y, 0, 1 }, { (void *)(uintptr_t)x, 0, 1 }, { factor, 0, 0 } };

    o->kernels->tile[DYN__K_MUL](1, n, args, 0);
}

static void add_scaled(const dyn_optimizer *o, int64_t n, double by, const void *x, const void *z, void *y)
{
    float single = (float)by;
    void *factor = o->dtype == DYN_F32 ? (void *)&single : &by;
    const dyn__arg args[4] = { { y, 0, 1 }, { (void *)(uintptr_t)x, 0, 1 }, { factor, 0, 0 },
                               { (void *)(uintptr_t)z, 0, 1 } };

    o->kernels->tile[DYN__K_FMA](1, n, args, 0);
}

/* x [rows, columns] of norm 1 becomes nearly orthogonal. */
static void orthogonalise(const dyn_optimizer *o, const block *b)
{
    const dyn__muon *u = o->muon;
    const int64_t n = b->at.rows * b->at.columns, s = smaller(&b->at), wide = b->at.rows <= b->at.columns;

    for (int i = 0; i < o->opt.iterations; i++) {
        dyn__gemm_run(&b->square, u->x, u->x, u->a);
        dyn__gemm_run(&b->fourth, u->a, u->a, u->b);
        scale(o, s * s, ns_b, u->a, u->a);
        add_scaled(o, s * s, ns_c, u->b, u->a, u->a);
        dyn__gemm_run(&b->product, wide ? u->a : u->x, wide ? u->x : u->a, u->y);
        add_scaled(o, n, ns_a, u->x, u->y, u->x);
    }
}

static double step_size(const dyn_optimizer *o, const dyn_optimizer_matrix *at)
{
    const double in = (double)at->rows, out = (double)at->columns;

    return o->opt.match_rms ? 0.2 * sqrt(fmax(in, out)) : sqrt(fmax(1, out / in));
}

/* The kernel's heavy ball at rate 0 decays theta and takes the gradient into m. */
static int move_block(const dyn_optimizer *o, const block *b, const dyn__update *h, void *theta, const void *gradient)
{
    const double beta = o->opt.momentum;
    const int64_t n = b->at.rows * b->at.columns;
    const size_t at = (size_t)b->at.offset * o->width;
    const char *m = (const char *)o->moment[0] + at;
    char *t = (char *)theta + at;
    void *x = o->muon->x;
    dyn__update average = *h;
    const dyn__span *span = o->spans ? dyn__span_of(o, b->at.offset) : NULL;
    double norm;

    if (span && span->frozen)
        return 1;
    average.rate = 0;
    average.beta1 = beta;
    average.ema = 1;
    if (!dyn__optimizer_move(o, DYN__U_HEAVY_BALL, &average, b->at.offset, n, theta, gradient))
        return 0;
    scale(o, n, o->opt.nesterov ? beta : 1, m, x);
    if (o->opt.nesterov)
        add_scaled(o, n, (1 - beta) * h->clip, (const char *)gradient + at, x, x);
    norm = dyn__optimizer_norm_of(o, n, x);
    if (norm == 0)
        return 1;
    scale(o, n, 1 / norm, x, x);
    orthogonalise(o, b);
    add_scaled(o, n, -h->rate * (span ? span->rate : 1) * step_size(o, &b->at), x, t, t);
    return 1;
}

/* The numbers of ADAM for the rest, at adam_rate under the same schedule. */
static dyn__update rest_update(const dyn_optimizer *o, const dyn__update *h)
{
    const dyn_optimizer_options *opt = &o->opt;
    const double k = (double)(o->steps + 1);
    dyn__update rest = *h;

    rest.rate = opt->adam_rate * (opt->rate > 0 ? h->rate / opt->rate : 1);
    rest.decay = rest.rate * opt->weight_decay;
    rest.rate /= 1 - pow(opt->beta1, k);
    rest.scale2 = 1 / (1 - pow(opt->beta2, k));
    return rest;
}

int dyn__muon_move(dyn_optimizer *o, const dyn__update *h, void *theta, const void *gradient)
{
    const dyn__update rest = rest_update(o, h);
    int64_t from = 0;
    int finite = 1;

    for (int64_t i = 0; i <= o->muon->count; i++) {
        const block *b = i < o->muon->count ? &o->muon->blocks[i] : NULL;
        const int64_t to = b ? b->at.offset : o->size;

        finite &= dyn__optimizer_move(o, DYN__U_ADAM, &rest, from, to - from, theta, gradient);
        if (b) {
            finite &= move_block(o, b, h, theta, gradient);
            from = to + b->at.rows * b->at.columns;
        }
    }
    return finite;
}
