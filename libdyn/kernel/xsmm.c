/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products by code that LIBXSMM generates for their sizes. LIBXSMM is column-major: a row-major C = A B is its
 * C' = B' A', so our B is its first operand. It can transpose its second operand (our A) but not its first. A
 * transposed B and one whose rows collide in the cache are copied, slice by slice. The last columns of C may be left
 * to a kernel of our own. The code belongs to LIBXSMM's registry, lives as long as the process and is found again for
 * equal sizes. */
#include "kernel/tables.h"

#if DYN__HAVE_XSMM
#include <libxsmm.h>
#include <stdatomic.h>
#include <string.h>

enum { SLICE_BYTES = 1 << 16 };

static size_t element(const dyn__gemm *g) { return g->dtype == DYN_F64 ? sizeof(double) : sizeof(float); }

static void call(const dyn__gemm *g, void *code, const void *a, const void *b, void *c)
{
    if (g->dtype == DYN_F64)
        ((libxsmm_dmmfunction)(uintptr_t)code)(b, a, c);
    else
        ((libxsmm_smmfunction)(uintptr_t)code)(b, a, c);
}

static void run_whole(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    call(g, g->code, a, b, c);
    if (g->tail)
        g->table->gemm_tail(g, a, b, c);
}

/* Rows p .. p + rows of B without gaps; if B is transposed, turned. */
static void copy_rows(const dyn__gemm *g, char *to, const char *b, int64_t p, int64_t rows)
{
    const size_t size = element(g), bytes = (size_t)(g->n - g->tail) * size, from = (size_t)g->ldb * size;

    if (g->trans_b) {
        g->table->transpose(g->n - g->tail, rows, to, g->n - g->tail, b + (size_t)p * size, g->ldb);
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + (size_t)i * bytes, b + (size_t)(p + i) * from, bytes);
}

static void clear_rows(char *at, int64_t rows, size_t bytes, size_t row_bytes)
{
    for (int64_t i = 0; i < rows; i++)
        memset(at + (size_t)i * row_bytes, 0, bytes);
}

/* Slice by slice of `depth` rows of B, each copied first. With several the generated code adds to C. */
static void run_slices(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    _Alignas(64) char slice[SLICE_BYTES];
    const size_t size = element(g), bytes = (size_t)(g->n - g->tail) * size;
    const int64_t a_col = g->trans_a ? g->lda : 1;

    if (!g->accumulate && g->k > g->depth)
        clear_rows(c, g->m, bytes, (size_t)g->ldc * size);
    for (int64_t p = 0; p < g->k; p += g->depth) {
        const int64_t rows = g->k - p < g->depth ? g->k - p : g->depth;

        copy_rows(g, slice, b, p, rows);
        call(g, rows == g->depth ? g->code : g->last_code, (const char *)a + (size_t)(p * a_col) * size, slice, c);
    }
    if (g->tail)
        g->table->gemm_tail(g, a, b, c);
}

/* A transposed B must be turned. Rows of B at 4096 bytes share a few sets of the first-level cache and push each other
 * out, while many rows of A pass over them. Returns how many rows without gaps make a slice, or 0: B stays where it
 * is. */
static int32_t slice_depth(const dyn__gemm *g)
{
    const int64_t bytes = (g->n - g->tail) * (int64_t)element(g);
    const int collide = (size_t)g->ldb * element(g) % 4096 == 0;

    return g->m >= 32 && (g->trans_b || collide) && bytes <= SLICE_BYTES / 64 ? (int32_t)(SLICE_BYTES / bytes) : 0;
}

/* Code for a product with `inner` rows of B, `row` elements apart. */
static void *generate(const dyn__gemm *g, int64_t inner, int64_t row, int accumulate)
{
    const libxsmm_blasint m = (libxsmm_blasint)(g->n - g->tail), n = (libxsmm_blasint)g->m, k = (libxsmm_blasint)inner;
    const libxsmm_blasint lda = (libxsmm_blasint)row, ldb = (libxsmm_blasint)g->lda, ldc = (libxsmm_blasint)g->ldc;
    const int flags = g->trans_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    const double one = 1, beta = accumulate;
    const float one_f32 = 1, beta_f32 = (float)accumulate;

    if (g->dtype == DYN_F64)
        return (void *)(uintptr_t)libxsmm_dmmdispatch(m, n, k, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
    return (void *)(uintptr_t)libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &one_f32, &beta_f32, &flags, NULL);
}

static int plan_slices(dyn__gemm *g)
{
    const int64_t row = g->n - g->tail, last = g->k % g->depth;
    const int adds = g->accumulate || g->k > g->depth;

    if (g->k >= g->depth)
        g->code = generate(g, g->depth, row, adds);
    if (last)
        g->last_code = generate(g, last, row, adds);
    g->run = run_slices;
    return (g->k < g->depth || g->code) && (!last || g->last_code);
}

/* Sizes that LIBXSMM's code generator was seen to take, with room in its 32-bit offsets. */
static int fits(int64_t size) { return size < 65536; }

/* Where LIBXSMM finds no memory for its registry (a few MB, at its first use) it says nothing, and crashes when asked
 * for code. */
static int has_registry(void)
{
    static _Atomic int found;
    libxsmm_registry_info info;

    if (!atomic_load_explicit(&found, memory_order_relaxed) && libxsmm_get_registry_info(&info) == 0)
        atomic_store_explicit(&found, 1, memory_order_relaxed);
    return atomic_load_explicit(&found, memory_order_relaxed);
}

int dyn__xsmm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    if (!k->have_xsmm || !has_registry() || !fits(g->m) || !fits(g->n) || !fits(g->k) || !fits(g->lda) || !fits(g->ldb)
        || !fits(g->ldc))
        return 0;
    g->depth = slice_depth(g);
    if (g->depth)
        return plan_slices(g);
    if (g->trans_b)
        return 0;
    g->code = generate(g, g->k, g->ldb, g->accumulate);
    g->run = run_whole;
    return g->code != NULL;
}
#else
int dyn__xsmm_plan(const dyn__kernels *k, dyn__gemm *g)
{
    (void)k, (void)g;
    return 0;
}
#endif
