/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products of any size by the plain kernel of the instruction set: blocks of A that stay in the second-level
 * cache, each copied without gaps and untransposed, pass over B, of which the plain kernel copies slices for the first
 * level. Blocks follow from the sizes alone. Without memory for the copy the kernel reads A where it lies: as every
 * block has more than a few rows, its sums have the same order and bits. */
#include <stdlib.h>
#include <string.h>
#include "kernel/tables.h"

enum { ROWS = 192, DEPTH = 256, UNIT = 8 };

/* The first row of block i of `count`. All but the last have a multiple of UNIT rows, and none has fewer. */
static int64_t first_row(const dyn__gemm *g, int64_t i, int64_t count)
{
    return i == count ? g->m : g->m / UNIT * i / count * UNIT;
}

/* Row i of block is row i of A without gaps between rows. */
static void copy_block(const dyn__gemm *block, const dyn__gemm *g, const char *a, char *to, size_t size)
{
    if (g->trans_a) {
        g->table->transpose(block->k, block->m, to, DEPTH, a, g->lda);
        return;
    }
    for (int64_t i = 0; i < block->m; i++)
        memcpy(to + (size_t)(i * DEPTH) * size, a + (size_t)(i * g->lda) * size, (size_t)block->k * size);
}

static void run_block(const dyn__gemm *g, dyn__gemm *block, const char *a, const char *b, char *c, char *copy)
{
    const size_t size = g->dtype == DYN_F64 ? sizeof(double) : sizeof(float);

    if (copy) {
        copy_block(block, g, a, copy, size);
        block->trans_a = 0;
        block->lda = DEPTH;
    }
    g->table->gemm(block, copy ? copy : a, b, c);
    block->trans_a = g->trans_a;
    block->lda = g->lda;
}

static void run(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    const size_t size = g->dtype == DYN_F64 ? sizeof(double) : sizeof(float);
    const int64_t count = (g->m + ROWS - 1) / ROWS;
    const int64_t a_row = g->trans_a ? 1 : g->lda, a_col = g->trans_a ? g->lda : 1, b_row = g->trans_b ? 1 : g->ldb;
    char *copy = malloc((ROWS + 2 * UNIT) * DEPTH * size);
    dyn__gemm block = *g;

    for (int64_t p = 0; p < g->k; p += DEPTH) {
        block.k = g->k - p < DEPTH ? g->k - p : DEPTH;
        block.accumulate = g->accumulate || p > 0;
        for (int64_t i = 0; i < count; i++) {
            const int64_t row = first_row(g, i, count);

            block.m = first_row(g, i + 1, count) - row;
            run_block(g, &block, (const char *)a + (size_t)(row * a_row + p * a_col) * size,
                      (const char *)b + (size_t)(p * b_row) * size, (char *)c + (size_t)(row * g->ldc) * size, copy);
        }
    }
    free(copy);
}

int dyn__blocked_plan(const dyn__kernels *k, dyn__gemm *g)
{
    (void)k;
    g->run = run;
    return g->m >= UNIT && g->n > 1;
}
