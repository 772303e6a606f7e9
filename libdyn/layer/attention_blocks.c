/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Attention without the matrix of weights: queries and keys go in blocks. Of queries b and the keys p that they see,
 *
 *     s_p = q_b k_p^T,   m = max s,   e_p = exp(s_p - m),   out_b = (sum_p e_p v_p) / (sum_p sum e_p)
 *
 * so that what causality discards is not computed, a pair of blocks stays in the cache, what the pairs send back to
 * keys and values is added up where it arises, and each row has one division instead of one per weight. */
#include <math.h>
#include "layer/attention.h"

/* Rows of a block: enough for products, so few that what causality hides of a pair on the diagonal is little. */
enum { BLOCK = 128 };

/* A pair of blocks: scores or what was made of them, values, and what of them is seen; mask DYN_NO_NODE: all. */
typedef struct pair { dyn_node score, value, mask; } pair;

typedef struct attention {
    dyn_graph *g;
    dyn_node q, k, v, mask, triangle;       /* triangle: causality within a block; DYN_NO_NODE: none */
    pair *pairs;                            /* room for those of a block of queries */
} attention;

int dyn__attention_has_blocks(const dyn_graph *g, dyn_node q)
{
    const dyn__shape *s = dyn__shape_of(g, q);

    return s->dim[s->rank - 2] > BLOCK;
}

/* Along the last axis but `back`. */
static dyn_node piece(dyn_graph *g, dyn_node x, int32_t back, int64_t start, int64_t size)
{
    return dyn__part(g, x, dyn__shape_of(g, x)->rank - 1 - back, start, size);
}

/* The part of the mask for these rows and keys; an axis along which it is the same for all may have one element. */
static dyn_node part_of_mask(const attention *a, int64_t row, int64_t rows, int64_t first, int64_t keys)
{
    dyn_node m = a->mask;

    if (m == DYN_NO_NODE)
        return m;
    const dyn__shape s = *dyn__shape_of(a->g, m);
    if (s.rank > 1 && s.dim[s.rank - 2] > 1)
        m = piece(a->g, m, 1, row, rows);
    return s.rank > 0 && dyn__last(&s) > 1 ? piece(a->g, m, 0, first, keys) : m;
}

/* Of rows and keys that begin at the same place. */
static dyn_node masked_by_triangle(const attention *a, dyn_node mask, int64_t rows, int64_t keys)
{
    const dyn_node before = piece(a->g, piece(a->g, a->triangle, 1, 0, rows), 0, 0, keys);

    return mask == DYN_NO_NODE ? before : dyn_graph_select(a->g, mask, before, dyn__scalar(a->g, 0));
}

static pair make_pair(const attention *a, dyn_node q, int64_t row, int64_t rows, int64_t first, int64_t keys)
{
    pair p = {.value = piece(a->g, a->v, 1, first, keys), .mask = part_of_mask(a, row, rows, first, keys)};

    p.score = dyn_graph_matmul(a->g, q, piece(a->g, a->k, 1, first, keys), 0, 1);
    if (a->triangle != DYN_NO_NODE && first == row)
        p.mask = masked_by_triangle(a, p.mask, rows, keys);
    return p;
}

static dyn_node largest(dyn_graph *g, const pair *p)
{
    return dyn__largest(g, p->mask == DYN_NO_NODE ? p->score : dyn_graph_select(g, p->mask, p->score, dyn__lowest(g)));
}

static dyn_node exponential(dyn_graph *g, const pair *p, dyn_node m)
{
    dyn_node x = dyn_graph_sub(g, p->score, m);

    return dyn_graph_exp(g, p->mask == DYN_NO_NODE ? x : dyn_graph_select(g, p->mask, x, dyn__scalar(g, DYN__GONE)));
}

/* A sum of exponentials; of a row that sees nothing 1, and its result is 0. */
static dyn_node divisor(dyn_graph *g, dyn_node sum)
{
    return dyn_graph_select(g, dyn_graph_equal(g, sum, dyn__scalar(g, 0)), dyn__scalar(g, 1), sum);
}

static dyn_node mix(const attention *a, int64_t count)
{
    dyn_graph *g = a->g;
    dyn_node m = largest(g, &a->pairs[0]), sum = DYN_NO_NODE, out = DYN_NO_NODE;

    for (int64_t i = 1; i < count; i++)
        m = dyn_graph_max(g, m, largest(g, &a->pairs[i]));
    for (int64_t i = 0; i < count; i++) {
        const dyn_node e = exponential(g, &a->pairs[i], m);
        sum = dyn__plus(g, dyn__sum_last(g, e), sum);
        out = dyn__plus(g, dyn_graph_matmul(g, e, a->pairs[i].value, 0, 0), out);
    }
    return dyn_graph_div(g, out, a->mask == DYN_NO_NODE ? sum : divisor(g, sum));
}

static int64_t length(const attention *a, dyn_node x)
{
    const dyn__shape *s = dyn__shape_of(a->g, x);

    return s->dim[s->rank - 2];
}

static int64_t size_of_block(int64_t length, int64_t start) { return length - start < BLOCK ? length - start : BLOCK; }

/* The block of the result that begins at `row`. */
static dyn_node one_block(const attention *a, int64_t row)
{
    const int64_t rows = size_of_block(length(a, a->q), row), keys = length(a, a->k);
    const int64_t end = a->triangle == DYN_NO_NODE || keys < row + 1 ? keys : row + 1;
    const dyn_node q = piece(a->g, a->q, 1, row, rows);
    int64_t count = 0;

    DYN__TRY(q);
    for (int64_t first = 0; first < end; first += BLOCK)
        a->pairs[count++] = make_pair(a, q, row, rows, first, size_of_block(keys, first));
    return mix(a, count);
}

/* Blocks first .. first + count, joined by halves. */
static dyn_node blocks(const attention *a, int64_t first, int64_t count)
{
    if (count == 1)
        return one_block(a, first * BLOCK);
    const dyn_node upper = blocks(a, first, count / 2);
    DYN__TRY(upper);
    const dyn_node lower = blocks(a, first + count / 2, count - count / 2);
    return dyn_graph_concat(a->g, upper, lower, dyn__shape_of(a->g, upper)->rank - 2);
}

/* A constant: made of nodes it would have to be ready, and the scores stored, before anything is masked. */
static dyn_node triangle(dyn_graph *g)
{
    static const int64_t shape[2] = {BLOCK, BLOCK};
    double *value = dyn__alloc(g->ctx, (size_t)BLOCK * BLOCK, sizeof *value);

    if (!value)
        return DYN_ENOMEM;
    for (int i = 0; i < BLOCK; i++)
        for (int j = 0; j <= i; j++)
            value[i * BLOCK + j] = 1;
    const dyn_node t = dyn_graph_constant_array(g, 2, shape, value);
    dyn__free(g->ctx, value);
    return t;
}

dyn_node dyn__attention_in_blocks(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v, dyn_node mask, int32_t causal,
                                  double scale)
{
    attention a = {.g = g, .mask = mask, .triangle = causal ? triangle(g) : DYN_NO_NODE};

    DYN__TRY(a.q = dyn_graph_scale(g, q, dyn__attention_scale(g, q, scale)));
    DYN__TRY(a.k = dyn__attention_heads(g, k, q));
    DYN__TRY(a.v = dyn__attention_heads(g, v, q));
    if (causal)
        DYN__TRY(a.triangle);
    a.pairs = dyn__alloc(g->ctx, (size_t)(length(&a, a.k) / BLOCK) + 1, sizeof *a.pairs);
    if (!a.pairs)
        return DYN_ENOMEM;
    const dyn_node out = blocks(&a, 0, (length(&a, a.q) + BLOCK - 1) / BLOCK);
    dyn__free(g->ctx, a.pairs);
    return out;
}
