/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix to bidiagonal form by Householder reflections of its rows and columns in turn, PANEL of each at a time:
 *
 *     A + L R,    L [rows][2 PANEL] = -y_0, -u_0, -y_1 ...    R [2 PANEL][cols] = v_0, x_0, v_1 ...
 *
 * with v_p and u_p the reflections (I - k v v^T), not normalised, and y_p = k A v_p, x_p = k A^T u_p of the matrix
 * as it is then. L R is added to the rows below by one matrix product at the end of a panel. The other half of the
 * work, the products A v and A^T u, is one pass over A: an element of y and of the column to reflect, w, is known as
 * soon as a row has met v, and then the row, still near, is added to A^T w. That u is w but for its first element is
 * put right afterwards. Rows are spread over the threads in chunks that only the size decides, so that threads do
 * not move bits. Columns are taken from the cache line of the first one on, with zeros in v. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"

#define PANEL 24
#define WIDTH (2 * PANEL)   /* row length of L */
#define STRIP 8             /* rows read twice, the second time from a near cache */
#define BLOCK 48            /* rows updated by one task */
#define CHUNK_AREA 65536    /* elements that make another chunk worth while */
#define MAX_CHUNKS 16
#define ALIGNED 8           /* numbers of a cache line: columns are taken from a multiple of it on */

typedef struct reduction {
    dyn_ctx *ctx;
    int64_t rows, cols;
    double *a;              /* [rows][lda] */
    int64_t lda;
    double *left, *right;   /* L and R */
    double *y, *w;          /* [rows] */
    double *h, *c;          /* [WIDTH] R v; column i of R */
    double *z, *g;          /* [MAX_CHUNKS][lda] shares of -A^T w, [MAX_CHUNKS][WIDTH] of -L^T w */
    int64_t i, p, chunks;   /* row being reduced; its place in the panel */
    int64_t from;           /* column i, or before it where a cache line begins: there v is 0 */
    double k;               /* of v_p */
    dyn__gemm *plan;        /* [rows / BLOCK + 1] of the update, one per task */
} reduction;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* x becomes a reflection I - k x x^T that takes x to beta e_first. Returns k; 0 if there is nothing to reflect. */
static double reflector(const reduction *t, int64_t n, double *x, double *beta)
{
    double alpha = x[0], rest = n > 1 ? dyn__norm(t->ctx, n - 1, x + 1) : 0.0;

    *beta = alpha;
    if (rest < DYN__NEGLIGIBLE)
        return 0.0;
    *beta = -copysign(hypot(alpha, rest), alpha);
    x[0] = alpha - *beta;
    return -1.0 / (*beta * x[0]);
}

/* out += the first n rows of R, from a column on, times coefficients */
static void add_right(const reduction *t, int64_t n, int64_t column, const double *coefficient, double *out)
{
    if (n > 0)
        dyn__basis_tile(t->ctx, DYN__K_COL_DOT, n, t->cols - column,
                        (const dyn__arg[]){ { out, 0, 1 }, { t->right + column, t->lda, 1 },
                                            { (void *)coefficient, 1, 0 } }, 1);
}

/* out += L h for rows from j on */
static void add_left(const reduction *t, int64_t j, int64_t rows, const double *h, double *out)
{
    if (t->p > 0)
        dyn__basis_tile(t->ctx, DYN__K_ROW_DOT, rows, 2 * t->p,
                        (const dyn__arg[]){ { out, 1, 0 }, { t->left + j * WIDTH, WIDTH, 1 }, { (void *)h, 0, 1 } }, 1);
}

/* y, w and the share of A^T w of a strip of rows. */
static void pass_strip(const reduction *t, int64_t j, int64_t rows, double *z)
{
    const double *v = t->right + 2 * t->p * t->lda + t->from;
    double *a = t->a + j * t->lda + t->from, *left = t->left + j * WIDTH + 2 * t->p;

    dyn__basis_tile(t->ctx, DYN__K_ROW_DOT, rows, t->cols - t->from,
                    (const dyn__arg[]){ { t->y + j, 1, 0 }, { a, t->lda, 1 }, { (void *)v, 0, 1 } }, 1);
    for (int64_t r = 0; r < rows; r++) {
        double y = t->k * t->y[j + r];

        t->w[j + r] -= y * v[t->i - t->from];
        left[r * WIDTH] = -y;
        left[r * WIDTH + 1] = -t->w[j + r];
    }
    dyn__basis_tile(t->ctx, DYN__K_COL_DOT, rows, t->cols - t->from,
                    (const dyn__arg[]){ { z + t->from, 0, 1 }, { a, t->lda, 1 }, { left + 1, WIDTH, 0 } }, 1);
}

static int64_t chunk_begin(const reduction *t, int64_t chunk)
{
    return t->i + 1 + (t->rows - t->i - 1) * chunk / t->chunks;
}

static void pass_chunk(void *arg, int64_t chunk, int worker)
{
    const reduction *t = arg;
    int64_t first = chunk_begin(t, chunk), end = chunk_begin(t, chunk + 1), slot = 2 * t->p + 1;
    double *z = t->z + chunk * t->lda, *left = t->left + first * WIDTH;

    (void)worker;
    memset(z + t->from, 0, (size_t)(t->cols - t->from) * sizeof *z);
    memset(t->y + first, 0, (size_t)(end - first) * sizeof *t->y);
    for (int64_t j = first; j < end; j++)
        t->w[j] = t->a[j * t->lda + t->i];
    add_left(t, first, end - first, t->h, t->y + first);
    add_left(t, first, end - first, t->c, t->w + first);
    for (int64_t j = first; j < end; j += STRIP)
        pass_strip(t, j, least(end - j, STRIP), z);
    dyn__basis_tile(t->ctx, DYN__K_COL_DOT, end - first, slot,
                    (const dyn__arg[]){ { t->g + chunk * WIDTH, 0, 1 }, { left, WIDTH, 1 }, { left + slot, WIDTH, 0 } },
                    0);
}

/* y_p, w and the shares of A^T w and L^T w */
static void pass(reduction *t)
{
    int64_t m = t->rows - t->i - 1, chunks = m * (t->cols - t->i) / CHUNK_AREA + 1;

    t->chunks = least(least(chunks, m), MAX_CHUNKS);
    dyn__parallel(t->ctx, t->chunks, pass_chunk, t);
}

/* sum = - the shares of the chunks - beta extra */
static void join(const reduction *t, int64_t n, const double *share, int64_t stride, double beta, const double *extra,
                 double *sum)
{
    for (int64_t c = 0; c < n; c++)
        sum[c] = -beta * extra[c];
    for (int64_t k = 0; k < t->chunks; k++)
        for (int64_t c = 0; c < n; c++)
            sum[c] -= share[k * stride + c];
}

/* u_p from w, and x_p = k (A + L R)^T u_p */
static void reflect_column(reduction *t, double *e)
{
    int64_t i = t->i + 1, from = i - i % ALIGNED, n = t->cols - from, slot = 2 * t->p + 1;
    double *x = t->right + slot * t->lda + from, *row = t->left + i * WIDTH, beta, k;

    k = reflector(t, t->rows - i, t->w + i, &beta);
    *e = beta;
    if (k == 0.0) {
        memset(x, 0, (size_t)n * sizeof *x);
        return;
    }
    join(t, n, t->z + from, t->lda, beta, t->a + i * t->lda + from, x);
    join(t, slot, t->g, WIDTH, beta, row, t->h);
    row[slot] += beta;
    add_right(t, slot, from, t->h, x);
    dyn__basis_scale(n, k, x);
}

/* Row i and the column below it as reflections p of the panel. */
static void reduce_row(reduction *t, double *d, double *e)
{
    int64_t i = t->i, p = t->p, n;
    double *v;

    t->from = i - i % ALIGNED;
    n = t->cols - t->from;
    v = t->right + 2 * p * t->lda + t->from;
    memcpy(v, t->a + i * t->lda + t->from, (size_t)n * sizeof *v);
    add_right(t, 2 * p, t->from, t->left + i * WIDTH, v);
    memset(v, 0, (size_t)(i - t->from) * sizeof *v);
    t->k = reflector(t, t->cols - i, v + i - t->from, &d[i]);
    if (i + 1 == t->rows)
        return;
    if (p > 0)
        dyn__basis_tile(t->ctx, DYN__K_ROW_DOT, 2 * p, n,
                        (const dyn__arg[]){ { t->h, 1, 0 }, { t->right + t->from, t->lda, 1 }, { v, 0, 1 } }, 0);
    for (int64_t q = 0; q < 2 * p; q++)
        t->c[q] = t->right[q * t->lda + i];
    pass(t);
    reflect_column(t, &e[i]);
}

static void update_rows(void *arg, int64_t task, int worker)
{
    const reduction *t = arg;
    int64_t j = t->i + task * BLOCK;

    (void)worker;
    dyn__gemm_run(&t->plan[task], t->left + j * WIDTH, t->right + t->from, t->a + j * t->lda + t->from);
}

/* Add L R to the rows and columns from i on. */
static dyn_status update(reduction *t)
{
    int64_t rows = t->rows - t->i, tasks = (rows + BLOCK - 1) / BLOCK;

    for (int64_t k = 0; k < tasks; k++) {
        t->plan[k] = (dyn__gemm){ .dtype = DYN_F64, .accumulate = 1, .k = 2 * t->p, .n = t->cols - t->from,
                                  .m = least(rows - k * BLOCK, BLOCK), .lda = WIDTH, .ldb = t->lda,
                                  .ldc = t->lda };
        DYN__TRY(dyn__plan_panel(t->ctx, &t->plan[k]));
    }
    dyn__parallel(t->ctx, tasks, update_rows, t);
    return DYN_OK;
}

static dyn_status reduce(reduction *t, double *d, double *e)
{
    while (t->i < t->rows) {
        for (t->p = 0; t->p < PANEL && t->i < t->rows; t->p++, t->i++) {
            DYN__TRY(dyn__check_interrupt(t->ctx));
            reduce_row(t, d, e);
        }
        t->from = t->i - t->i % ALIGNED;
        DYN__TRY(update(t));
    }
    return DYN_OK;
}

dyn_status dyn__bidiagonal(dyn_ctx *ctx, int64_t rows, int64_t cols, double *a, int64_t lda, double *d, double *e)
{
    reduction t = { .ctx = ctx, .rows = rows, .cols = cols, .a = a, .lda = lda };
    int64_t width = 2 * least(rows, PANEL), shares = least(rows, MAX_CHUNKS);
    dyn_status s = DYN_ENOMEM;

    t.left = dyn__alloc(ctx, (size_t)(WIDTH * (rows + MAX_CHUNKS + 2) + 2 * rows + (width + shares) * lda),
                        sizeof *t.left);
    t.plan = dyn__alloc(ctx, (size_t)(rows / BLOCK + 1), sizeof *t.plan);
    if (t.left && t.plan) {
        t.right = t.left + WIDTH * rows;
        t.z = t.right + width * lda;
        t.g = t.z + shares * lda;
        t.y = t.g + MAX_CHUNKS * WIDTH;
        t.w = t.y + rows;
        t.h = t.w + rows;
        t.c = t.h + WIDTH;
        s = reduce(&t, d, e);
    }
    dyn__free(ctx, t.plan);
    dyn__free(ctx, t.left);
    return s;
}
