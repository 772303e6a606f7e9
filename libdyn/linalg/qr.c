/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The triangle R of a tall matrix A = Q R, by Householder reflections. A is kept as blocks of `wide` columns, each in
 * one piece. The reflections of a block are
 *
 *     I - V T^T V^T,    V [rows][wide] not normalised,
 *
 * and are applied to the later blocks by one task per block. The task of the next block also factorises it, while the
 * others go on with theirs: NARROW columns at a time, whose reflections are applied to the block's others in the same way. */
#include <math.h>
#include <string.h>
#include "base/unset.h"
#include "linalg/basis.h"
#include "linalg/dense.h"

#define WIDE 24             /* columns of a block, if there are as many */
#define NARROW 8

typedef struct factorisation {
    dyn_ctx *ctx;
    int64_t rows, cols, wide, blocks;
    const double *a;        /* [rows][cols], or [cols][rows] if transposed */
    int transposed;
    double *block;          /* [blocks][rows][wide] */
    double *t;              /* [blocks][wide][wide] -T */
    double *r;              /* [cols][ldr] */
    int64_t ldr;
    int64_t done;           /* blocks factorised before the tasks that run now */
    dyn__gemm *inner, *outer, small;    /* [blocks] V^T A and V W; W = -T^T V^T A */
} factorisation;

/* Columns of A in block k. */
static int64_t columns_of(const factorisation *f, int64_t k)
{
    int64_t left = f->cols - k * f->wide;

    return left < f->wide ? left : f->wide;
}

/* Block k from the first row of block s on. */
static double *block_at(const factorisation *f, int64_t k, int64_t s)
{
    return f->block + (k * f->rows + s * f->wide) * f->wide;
}

/* A block of A; missing columns of the last one stay zero. */
static void copy_block(void *arg, int64_t k, int worker)
{
    const factorisation *f = arg;
    const dyn__kernel_table *kernels = &dyn__kernels_of(f->ctx)->f64;
    int64_t columns = columns_of(f, k), first = k * f->wide;
    double *to = block_at(f, k, 0);

    (void)worker;
    if (columns < f->wide)
        memset(to, 0, (size_t)(f->rows * f->wide) * sizeof *to);
    if (f->transposed)
        kernels->transpose(columns, f->rows, to, f->wide, f->a + first * f->rows, f->rows);
    else
        kernels->tile[DYN__K_COPY](f->rows, columns,
                                   (const dyn__arg[]){ { to, f->wide, 1 }, { (void *)(f->a + first), f->cols, 1 } }, 0);
}

/* Reflect the first of n columns at v, of `rows` rows, and apply this to the others. v takes the column's place, *beta
 * is its first element in R. Returns k of I - k v v^T. */
static double reflect(const factorisation *f, int64_t rows, int64_t n, double *v, double *beta)
{
    double dot[WIDE], k;

    dyn__basis_tile(f->ctx, DYN__K_COL_DOT, rows, n,
                    (const dyn__arg[]){ { dot, 0, 1 }, { v, f->wide, 1 }, { v, f->wide, 0 } }, 0);
    *beta = *v;
    if (dot[0] < DYN__NEGLIGIBLE * DYN__NEGLIGIBLE)
        return 0.0;
    *beta = -copysign(sqrt(dot[0]), *v);
    *v -= *beta;
    k = -1.0 / (*beta * *v);
    for (int64_t c = 1; c < n; c++)
        dot[c] = k * (dot[c] - *beta * v[c]);
    if (n > 1)
        dyn__basis_tile(f->ctx, DYN__K_FNMA, rows, n - 1,
                        (const dyn__arg[]){ { v + 1, f->wide, 1 }, { v, f->wide, 0 }, { dot + 1, 0, 1 },
                                            { v + 1, f->wide, 1 } }, 0);
    return k;
}

/* The upper triangle of block k, with the given diagonal, goes to R and becomes zero: what remains is V. */
static void take_triangle(const factorisation *f, int64_t k, const double *diagonal)
{
    int64_t columns = columns_of(f, k), first = k * f->wide;
    double *x = block_at(f, k, k);

    for (int64_t i = 0; i < columns; i++, x += f->wide) {
        double *r = f->r + (first + i) * f->ldr;

        r[first + i] = diagonal[i];
        memcpy(r + first + i + 1, x + i + 1, (size_t)(columns - i - 1) * sizeof *r);
        memset(x + i + 1, 0, (size_t)(f->wide - i - 1) * sizeof *x);
    }
}

/* -T of size n from the k of its reflections and the products of the columns of V, in rows of length ld. */
static void combine(int64_t n, const double *k, const double *product, int64_t ld, double *t)
{
    memset(t, 0, (size_t)(n * n) * sizeof *t);
    for (int64_t j = 0; j < n; j++) {
        t[j * n + j] = -k[j];
        for (int64_t i = 0; i < j; i++) {
            double sum = 0.0;

            for (int64_t l = i; l < j; l++)
                sum += t[i * n + l] * product[l * ld + j];
            t[i * n + j] = -k[j] * sum;
        }
    }
}

/* What stands above the diagonal of n columns, which is R's, goes to `kept` and becomes zero; and comes back. */
static void set_aside(const factorisation *f, int64_t n, double *v, double *kept)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) {
            kept[i * NARROW + j] = v[i * f->wide + j];
            v[i * f->wide + j] = 0.0;
        }
}

static void put_back(const factorisation *f, int64_t n, double *v, const double *kept)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(v + i * f->wide + i + 1, kept + i * NARROW + i + 1, (size_t)(n - i - 1) * sizeof *v);
}

/* The reflections of n columns, with these k, on the `rest` columns behind them. The kernels of every table can do these
 * products. */
static void apply_narrow(const factorisation *f, int64_t rows, int64_t n, int64_t rest, double *v, const double *k)
{
    dyn__gemm inner = { .dtype = DYN_F64, .trans_a = 1, .m = n, .n = n + rest, .k = rows, .lda = f->wide, .ldb = f->wide,
                        .ldc = WIDE };
    dyn__gemm small = { .dtype = DYN_F64, .trans_a = 1, .m = n, .n = rest, .k = n, .lda = n, .ldb = WIDE, .ldc = WIDE };
    dyn__gemm outer = { .dtype = DYN_F64, .accumulate = 1, .m = rows, .n = rest, .k = n, .lda = f->wide, .ldb = WIDE,
                        .ldc = f->wide };
    double kept[NARROW * NARROW], product[NARROW * WIDE], t[NARROW * NARROW], w[NARROW * WIDE];

    if (dyn__plan_panel(f->ctx, &inner) < 0 || dyn__plan_panel(f->ctx, &small) < 0 || dyn__plan_panel(f->ctx, &outer) < 0)
        return;
    set_aside(f, n, v, kept);
    dyn__gemm_run(&inner, v, v, product);
    combine(n, k, product, WIDE, t);
    dyn__gemm_run(&small, t, product + n, w);
    dyn__gemm_run(&outer, v, w, v + n);
    put_back(f, n, v, kept);
}

/* Columns `first` to `end` of a block by reflections of their own. */
static void factorise_narrow(const factorisation *f, int64_t rows, int64_t first, int64_t end, double *x, double *diagonal,
                             double *k)
{
    for (int64_t j = first; j < end; j++)
        k[j] = reflect(f, rows - j, end - j, x + j * f->wide + j, &diagonal[j]);
}

static void factorise(const factorisation *f, int64_t block)
{
    int64_t rows = f->rows - block * f->wide, columns = columns_of(f, block);
    double *x = block_at(f, block, block), diagonal[WIDE], k[WIDE] = { 0 }, product[WIDE * WIDE];

    for (int64_t j = 0; j < columns; j += NARROW) {
        const int64_t end = columns - j < NARROW ? columns : j + NARROW;

        factorise_narrow(f, rows, j, end, x, diagonal, k);
        if (end < columns)
            apply_narrow(f, rows - j, end - j, columns - end, x + j * f->wide + j, k + j);
    }
    take_triangle(f, block, diagonal);
    if (block + 1 == f->blocks)
        return;
    dyn__gemm_run(&f->inner[block], x, x, product);
    combine(f->wide, k, product, f->wide, f->t + block * f->wide * f->wide);
}

/* The reflections of block s on block k; rows of R are then complete. */
static void apply(const factorisation *f, int64_t s, int64_t k)
{
    const double *v = block_at(f, s, s);
    double *x = block_at(f, k, s), *r = f->r + s * f->wide * f->ldr + k * f->wide;
    double product[WIDE * WIDE], w[WIDE * WIDE];

    dyn__gemm_run(&f->inner[s], v, x, product);
    dyn__gemm_run(&f->small, f->t + s * f->wide * f->wide, product, w);
    dyn__gemm_run(&f->outer[s], v, w, x);
    for (int64_t i = 0; i < f->wide; i++)
        memcpy(r + i * f->ldr, x + i * f->wide, (size_t)columns_of(f, k) * sizeof *x);
}

static void step(void *arg, int64_t task, int worker)
{
    const factorisation *f = arg;

    (void)worker;
    if (dyn__interrupted(f->ctx))
        return;
    apply(f, f->done - 1, f->done + task);
    if (task == 0)
        factorise(f, f->done);
}

dyn_status dyn__plan_panel(dyn_ctx *ctx, dyn__gemm *g)
{
    g->provider = DYN__GEMM_PLAIN;
    return dyn__gemm_plan(dyn__kernels_of(ctx), g);
}

static dyn_status plan(factorisation *f)
{
    const dyn__gemm square = { .dtype = DYN_F64, .m = f->wide, .n = f->wide, .k = f->wide, .lda = f->wide,
                               .ldb = f->wide, .ldc = f->wide };

    f->small = square;
    f->small.trans_a = 1;
    DYN__TRY(dyn__plan_panel(f->ctx, &f->small));
    for (int64_t k = 0; k < f->blocks; k++) {
        f->inner[k] = f->outer[k] = square;
        f->inner[k].trans_a = f->outer[k].accumulate = 1;
        f->inner[k].k = f->outer[k].m = f->rows - k * f->wide;
        DYN__TRY(dyn__plan_panel(f->ctx, &f->inner[k]));
        DYN__TRY(dyn__plan_panel(f->ctx, &f->outer[k]));
    }
    return DYN_OK;
}

static void run(factorisation *f)
{
    dyn__parallel(f->ctx, f->blocks, copy_block, f);
    factorise(f, 0);
    for (f->done = 1; f->done < f->blocks && !dyn__interrupted(f->ctx); f->done++)
        dyn__parallel(f->ctx, f->blocks - f->done, step, f);
}

dyn_status dyn__qr(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int transposed, double *r, int64_t ldr)
{
    int64_t wide = cols < WIDE ? cols : WIDE, blocks = (cols + wide - 1) / wide;
    factorisation f = { .ctx = ctx, .rows = rows, .cols = cols, .wide = wide, .blocks = blocks, .a = a,
                        .transposed = transposed, .r = r, .ldr = ldr };
    dyn_status s = DYN_ENOMEM;

    f.block = dyn__alloc_unset(ctx, (size_t)(blocks * wide), (size_t)(rows + wide) * sizeof *f.block);
    f.inner = dyn__alloc(ctx, (size_t)blocks, 2 * sizeof *f.inner);
    if (f.block && f.inner) {
        f.t = f.block + blocks * wide * rows;
        f.outer = f.inner + blocks;
        s = plan(&f);
    }
    if (s == DYN_OK) {
        run(&f);
        s = dyn__check_interrupt(ctx);
    }
    dyn__free(ctx, f.inner);
    dyn__free(ctx, f.block);
    return s;
}
