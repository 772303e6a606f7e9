/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Symmetric matrix to tridiagonal form by Householder reflections, from the last row up, where the rows of the lower
 * triangle are contiguous. Reflections are collected PANEL at a time,
 *
 *     A - sum over p of (v_p w_p^T + w_p v_p^T),
 *
 * and then applied by one matrix product. The other half of the work, the products A v, reads strips of rows of the
 * lower triangle once, for the entries of their own rows and for what their transpose adds to the rows above. Strips
 * are spread over the threads in chunks that only the size decides, so that threads do not move bits. The squares of
 * a strip's rows on the diagonal are kept in full. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"

#define PANEL 32
#define STRIP 16            /* rows, and ... */
#define WIDTH 128           /* ... columns that are read twice, the second time from the first-level cache */
#define SQUARE 96           /* rows updated by one task; a multiple of STRIP */
#define CHUNK_AREA 65536    /* elements of the triangle that make another chunk worth while */
#define MAX_CHUNKS 16

typedef struct reduction {
    dyn_ctx *ctx;
    int64_t n;
    double *a;              /* [n][n] */
    double *left, *right;   /* [2 PANEL][n] rows v_0, w_0, v_1 ... and -w_0, -v_0, -w_1 ... */
    double *h;              /* [2 PANEL] */
    double *tau;            /* [n] kept for the caller, or NULL */
    double *part;           /* [MAX_CHUNKS][n] shares of A v */
    int64_t m, chunks;      /* size of the leading block being multiplied by v */
    const double *v;
    dyn__gemm *plan;        /* [n / SQUARE + 1] of the update, one per task */
} reduction;

/* First row of a chunk: chunks have equal areas. */
static int64_t chunk_begin(const reduction *t, int64_t chunk)
{
    int64_t strips = (t->m + STRIP - 1) / STRIP;

    return STRIP * (int64_t)((double)strips * sqrt((double)chunk / (double)t->chunks));
}

/* y += what rows r, r + 1, ... of the triangle contribute to A v */
static void multiply_strip(const reduction *t, int64_t r, int64_t rows, double *y)
{
    for (int64_t c = 0; c < r + rows; c += WIDTH) {
        int64_t all = r + rows - c < WIDTH ? r + rows - c : WIDTH, above = r - c < WIDTH ? r - c : WIDTH;
        double *a = t->a + r * t->n + c;

        dyn__basis_tile(t->ctx, DYN__K_ROW_DOT, rows, all,
                        (const dyn__arg[]){ { y + r, 1, 0 }, { a, t->n, 1 }, { (void *)(t->v + c), 0, 1 } }, 1);
        if (above > 0)
            dyn__basis_tile(t->ctx, DYN__K_COL_DOT, rows, above,
                            (const dyn__arg[]){ { y + c, 0, 1 }, { a, t->n, 1 }, { (void *)(t->v + r), 1, 0 } }, 1);
    }
}

static void multiply_chunk(void *arg, int64_t chunk, int worker)
{
    const reduction *t = arg;
    double *y = t->part + chunk * t->n;
    int64_t first = chunk_begin(t, chunk), end = chunk + 1 < t->chunks ? chunk_begin(t, chunk + 1) : t->m;

    (void)worker;
    memset(y, 0, (size_t)t->m * sizeof *y);
    for (int64_t r = first; r < end; r += STRIP) {
        int64_t rows = t->m - r < STRIP ? t->m - r : STRIP;

        multiply_strip(t, r, rows, y);
    }
}

/* y = A v for the leading m rows and columns */
static void multiply(reduction *t, int64_t m, const double *v, double *y)
{
    int64_t chunks = m * m / 2 / CHUNK_AREA + 1;

    t->m = m;
    t->v = v;
    t->chunks = chunks < MAX_CHUNKS ? chunks : MAX_CHUNKS;
    dyn__parallel(t->ctx, t->chunks, multiply_chunk, t);
    memset(y, 0, (size_t)m * sizeof *y);
    for (int64_t c = 0; c < t->chunks; c++)
        for (int64_t i = 0; i < m; i++)
            y[i] += t->part[c * t->n + i];
}

/* v = x - beta e_last, scaled to 1 at its end. Returns tau; 0 if there is nothing to reflect. */
static double reflector(const reduction *t, int64_t m, const double *x, double *v, double *beta)
{
    double alpha = x[m - 1], rest = m > 1 ? sqrt(dyn__basis_dot(t->ctx, m - 1, x, x)) : 0.0, scale;

    *beta = alpha;
    memset(v, 0, (size_t)m * sizeof *v);
    if (rest == 0.0)
        return 0.0;
    *beta = -copysign(hypot(alpha, rest), alpha);
    scale = 1.0 / (alpha - *beta);
    for (int64_t i = 0; i < m - 1; i++)
        v[i] = scale * x[i];
    v[m - 1] = 1.0;
    return (*beta - alpha) / *beta;
}

/* w = tau A v - (tau^2 / 2) (v^T A v) v, A with the p reflections of the panel so far */
static void second_vector(reduction *t, int64_t m, int64_t p, double tau, const double *v, double *w)
{
    double s;

    multiply(t, m, v, w);
    if (p > 0) {
        dyn__basis_tile(t->ctx, DYN__K_ROW_DOT, 2 * p, m,
                        (const dyn__arg[]){ { t->h, 1, 0 }, { t->left, t->n, 1 }, { (void *)v, 0, 1 } }, 0);
        dyn__basis_tile(t->ctx, DYN__K_COL_DOT, 2 * p, m,
                        (const dyn__arg[]){ { w, 0, 1 }, { t->right, t->n, 1 }, { t->h, 1, 0 } }, 1);
    }
    s = 0.5 * tau * tau * dyn__basis_dot(t->ctx, m, w, v);
    for (int64_t i = 0; i < m; i++)
        w[i] = tau * w[i] - s * v[i];
}

/* Reduce row i > 0 as reflection p of the panel. */
static void reduce_row(reduction *t, int64_t i, int64_t p, double *d, double *e)
{
    double *x = t->a + i * t->n, *left = t->left + 2 * p * t->n, *right = t->right + 2 * p * t->n, tau;

    if (p > 0)
        dyn__basis_tile(t->ctx, DYN__K_COL_DOT, 2 * p, i + 1,
                        (const dyn__arg[]){ { x, 0, 1 }, { t->right, t->n, 1 }, { t->left + i, t->n, 0 } }, 1);
    d[i] = x[i];
    tau = reflector(t, i, x, left, &e[i - 1]);
    second_vector(t, i, p, tau, left, left + t->n);
    for (int64_t k = 0; k < i; k++) {
        right[k] = -left[t->n + k];
        right[t->n + k] = -left[k];
    }
    if (t->tau) {
        t->tau[i] = tau;
        memcpy(x, left, (size_t)i * sizeof *x);
    }
}

static void update_rows(void *arg, int64_t task, int worker)
{
    const reduction *t = arg;
    int64_t r = task * SQUARE;

    (void)worker;
    dyn__gemm_run(&t->plan[task], t->left + r, t->right, t->a + r * t->n);
}

/* Apply the p reflections of a panel to the leading m rows and columns. */
static dyn_status update(reduction *t, int64_t m, int64_t p)
{
    int64_t tasks = (m + SQUARE - 1) / SQUARE;

    for (int64_t k = 0; k < tasks; k++) {
        int64_t end = (k + 1) * SQUARE < m ? (k + 1) * SQUARE : m;

        t->plan[k] = (dyn__gemm){ .dtype = DYN_F64, .trans_a = 1, .accumulate = 1, .m = end - k * SQUARE, .n = end,
                                  .k = 2 * p, .lda = t->n, .ldb = t->n, .ldc = t->n };
        DYN__TRY(dyn__gemm_plan(dyn__kernels_of(t->ctx), &t->plan[k]));
    }
    dyn__parallel(t->ctx, tasks, update_rows, t);
    return DYN_OK;
}

static void complete_squares(int64_t n, double *a)
{
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = r + 1; c < n && c < r / STRIP * STRIP + STRIP; c++)
            a[r * n + c] = a[c * n + r];
}

static dyn_status reduce(reduction *t, double *d, double *e)
{
    complete_squares(t->n, t->a);
    for (int64_t i = t->n - 1; i > 0;) {
        int64_t p = 0;

        for (; p < PANEL && i > 0; p++, i--) {
            DYN__TRY(dyn__check_interrupt(t->ctx));
            reduce_row(t, i, p, d, e);
        }
        DYN__TRY(update(t, i + 1, p));
    }
    d[0] = t->a[0];
    return DYN_OK;
}

dyn_status dyn__tridiagonal(dyn_ctx *ctx, int64_t n, double *a, double *d, double *e, double *tau)
{
    reduction t = { .ctx = ctx, .n = n, .a = a, .tau = tau };
    dyn_status s = DYN_ENOMEM;

    t.left = dyn__alloc(ctx, (size_t)(4 * PANEL + MAX_CHUNKS), (size_t)(n + 1) * sizeof *t.left);
    t.plan = dyn__alloc(ctx, (size_t)(n / SQUARE + 1), sizeof *t.plan);
    if (t.left && t.plan) {
        t.right = t.left + 2 * PANEL * n;
        t.part = t.right + 2 * PANEL * n;
        t.h = t.part + MAX_CHUNKS * n;
        s = reduce(&t, d, e);
    }
    dyn__free(ctx, t.plan);
    dyn__free(ctx, t.left);
    return s;
}
