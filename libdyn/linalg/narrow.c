/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A basis kept in float32, worked on in doubles: panels of its columns are widened into scratch that stays in the
 * cache, and the kernels for doubles run there. Of float32 operators, whose products are known no better, it halves the
 * memory. Threads take chunks of columns; their shares are added in order. */
#include <string.h>
#include "linalg/narrow.h"

enum { PANEL = 512, CHUNK = 4096 };

size_t dyn__narrow_scratch(const dyn_ctx *ctx, int64_t rows)
{
    return (size_t)dyn__workers(ctx) * (size_t)rows * PANEL;
}

void dyn__narrow_widen(int64_t count, const float *x, double *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (double)x[i];
}

void dyn__narrow_store(int64_t count, const double *x, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)x[i];
}

/* Columns c .. c + cols of all rows, as doubles [rows][PANEL]. */
static void widen_panel(const float *V, int64_t rows, int64_t n, int64_t c, int64_t cols, double *panel)
{
    for (int64_t r = 0; r < rows; r++)
        dyn__narrow_widen(cols, V + r * n + c, panel + r * PANEL);
}

/* ---- Gram-Schmidt, done twice ---- */

typedef struct projection {
    dyn_ctx *ctx;
    int64_t rows, n, width;     /* width: columns of a chunk */
    const float *V;
    double *w, *step, *share;   /* step [rows]; share [chunks][rows]: V w of a chunk's columns */
    double *scratch;            /* [workers][rows][PANEL] */
    int first, again;           /* nothing to subtract yet; V w to be collected (anew) */
} projection;

static void take_panel(const projection *p, int64_t c, int64_t cols, double *panel, double *share)
{
    const dyn__arg w = { p->w + c, 0, 1 }, V = { panel, PANEL, 1 };

    widen_panel(p->V, p->rows, p->n, c, cols, panel);
    if (!p->first)
        dyn__basis_tile(p->ctx, DYN__K_COL_DOT, p->rows, cols, (const dyn__arg[]){ w, V, { p->step, 1, 0 } }, 1);
    if (p->again)
        dyn__basis_tile(p->ctx, DYN__K_ROW_DOT, p->rows, cols, (const dyn__arg[]){ { share, 1, 0 }, V, w }, 1);
}

static void take_chunk(void *arg, int64_t chunk, int worker)
{
    const projection *p = arg;
    const int64_t first = chunk * p->width, end = first + p->width < p->n ? first + p->width : p->n;
    double *share = p->share + chunk * p->rows, *panel = p->scratch + (int64_t)worker * p->rows * PANEL;

    memset(share, 0, (size_t)p->rows * sizeof *share);
    for (int64_t c = first; c < end; c += PANEL)
        take_panel(p, c, end - c < PANEL ? end - c : PANEL, panel, share);
}

void dyn__narrow_project_out(dyn_ctx *ctx, int64_t rows, int64_t n, const float *V, double *w, double *h,
                             double *scratch)
{
    const int64_t least = (n + DYN__BASIS_CHUNKS - 1) / DYN__BASIS_CHUNKS, width = least > CHUNK ? least : CHUNK;
    const int64_t chunks = (n + width - 1) / width;
    projection p = { ctx, rows, n, width, V, w, h + rows, h + 2 * rows, scratch, 1, 1 };

    if (rows == 0)
        return;
    memset(h, 0, (size_t)rows * sizeof *h);
    for (int pass = 0; pass < 3; pass++) {
        p.first = pass == 0;
        p.again = pass < 2;
        dyn__parallel(ctx, chunks, take_chunk, &p);
        dyn__basis_gather(rows, p.again ? chunks : 0, p.share, p.step, h);
    }
}

/* ---- rotation ---- */

static dyn_status plan(dyn_ctx *ctx, int64_t to, int64_t cols, int64_t rows, dyn__gemm *g)
{
    *g = (dyn__gemm){ .dtype = DYN_F64, .m = to, .n = cols, .k = rows, .lda = rows, .ldb = PANEL, .ldc = PANEL };
    return dyn__gemm_plan(dyn__kernels_of(ctx), g);
}

dyn_status dyn__narrow_rotate(dyn_ctx *ctx, int64_t rows, int64_t n, float *V, int64_t to, const double *S)
{
    double *panel = dyn__alloc(ctx, (size_t)((rows + to) * PANEL), sizeof *panel);
    dyn__gemm g = { .n = 0 };
    dyn_status s = panel ? DYN_OK : DYN_ENOMEM;

    for (int64_t c = 0; s == DYN_OK && c < n; c += PANEL) {
        const int64_t cols = n - c < PANEL ? n - c : PANEL;

        if (cols != g.n)
            s = plan(ctx, to, cols, rows, &g);
        if (s != DYN_OK)
            break;
        widen_panel(V, rows, n, c, cols, panel);
        dyn__gemm_run(&g, S, panel, panel + rows * PANEL);
        for (int64_t r = 0; r < to; r++)
            dyn__narrow_store(cols, panel + (rows + r) * PANEL, V + r * n + c);
    }
    dyn__free(ctx, panel);
    return s;
}
