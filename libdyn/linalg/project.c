/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gram-Schmidt against a basis, done twice: once loses orthogonality when most of the vector is removed. The second
 * coefficients are taken panel by panel while the first step is still in the cache, so that the basis is read three
 * times, not four. Threads take chunks of columns; their shares are added in order. */
#include <string.h>
#include "linalg/basis.h"

#define PANEL 512   /* columns done at a time */
#define CHUNK 4096  /* fewest columns worth a task of their own */

typedef struct projection {
    dyn_ctx *ctx;
    int64_t rows, n, width;     /* width: columns of a chunk */
    const double *V;
    double *w, *step, *share;   /* step [rows]; share [chunks][rows]: V w of a chunk's columns */
    int again;                  /* 1: collect V w anew after the step */
} projection;

static int64_t chunk_cols(const projection *p, int64_t first)
{
    return p->n - first < p->width ? p->n - first : p->width;
}

static void collect_chunk(void *arg, int64_t chunk, int worker)
{
    const projection *p = arg;
    int64_t c = chunk * p->width;
    const dyn__arg part[3] = { { p->share + chunk * p->rows, 1, 0 }, { (void *)(p->V + c), p->n, 1 },
                               { p->w + c, 0, 1 } };

    (void)worker;
    dyn__basis_tile(p->ctx, DYN__K_ROW_DOT, p->rows, chunk_cols(p, c), part, 0);
}

/* w += V^T step and, while the panel is in the cache, its share of V w. */
static void step_panel(const projection *p, int64_t c, int64_t cols, double *share)
{
    dyn__basis_tile(p->ctx, DYN__K_COL_DOT, p->rows, cols,
         (const dyn__arg[]){ { p->w + c, 0, 1 }, { (void *)(p->V + c), p->n, 1 }, { p->step, 1, 0 } }, 1);
    if (p->again)
        dyn__basis_tile(p->ctx, DYN__K_ROW_DOT, p->rows, cols,
             (const dyn__arg[]){ { share, 1, 0 }, { (void *)(p->V + c), p->n, 1 }, { p->w + c, 0, 1 } }, 1);
}

static void step_chunk(void *arg, int64_t chunk, int worker)
{
    const projection *p = arg;
    int64_t first = chunk * p->width, cols = chunk_cols(p, first);
    double *share = p->share + chunk * p->rows;

    (void)worker;
    memset(share, 0, (size_t)p->rows * sizeof *share);
    for (int64_t c = 0; c < cols; c += PANEL)
        step_panel(p, first + c, cols - c < PANEL ? cols - c : PANEL, share);
}

void dyn__basis_gather(int64_t rows, int64_t chunks, const double *share, double *step, double *h)
{
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0.0;

        for (int64_t c = 0; c < chunks; c++)
            sum += share[c * rows + r];
        step[r] = -sum;
        h[r] += sum;
    }
}

void dyn__basis_project_out(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, double *w, double *h)
{
    int64_t least = (n + DYN__BASIS_CHUNKS - 1) / DYN__BASIS_CHUNKS, width = least > CHUNK ? least : CHUNK;
    int64_t chunks = (n + width - 1) / width;
    projection p = { ctx, rows, n, width, V, w, h + rows, h + 2 * rows, 1 };

    if (rows == 0)
        return;
    memset(h, 0, (size_t)rows * sizeof *h);
    dyn__parallel(ctx, chunks, collect_chunk, &p);
    dyn__basis_gather(rows, chunks, p.share, p.step, h);
    dyn__parallel(ctx, chunks, step_chunk, &p);
    dyn__basis_gather(rows, chunks, p.share, p.step, h);
    p.again = 0;
    dyn__parallel(ctx, chunks, step_chunk, &p);
}
