/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random permutations by Fisher and Yates. Draws below a bound are exact (D. Lemire, Fast random integer generation in
 * an interval, 2019): the high half of bits * bound, rejecting the low halves that would favour some results. */
#include "random/random.h"

/* The 64-bit numbers of a key, one after the other. */
typedef struct sequence {
    dyn__key key;
    uint64_t next;
    uint32_t word[4];
} sequence;

static uint64_t next_bits(sequence *s)
{
    uint64_t i = s->next++;

    if (i % 2 == 0)
        dyn__random_block(s->key, i / 2, s->word);
    return (uint64_t)s->word[2 * (i % 2) + 1] << 32 | s->word[2 * (i % 2)];
}

/* Uniform in 0 .. bound - 1. */
static uint64_t below(sequence *s, uint64_t bound)
{
    uint64_t reject = -bound % bound;       /* 2^64 mod bound */
    unsigned __int128 product;

    do
        product = (unsigned __int128)next_bits(s) * bound;
    while ((uint64_t)product < reject);
    return (uint64_t)(product >> 64);
}

void dyn__permutation(dyn__key k, int64_t n, int64_t *out)
{
    sequence s = { .key = k };

    for (int64_t i = 0; i < n; i++) {
        int64_t j = (int64_t)below(&s, (uint64_t)i + 1);

        out[i] = out[j];
        out[j] = i;
    }
}
