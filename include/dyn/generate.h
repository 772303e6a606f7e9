/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Data sets from a seed: the token sequences, regression targets, matrices and tables of the papers on training
 * dynamics.
 * Row i of a generated set is a function of (seed, i) and the options alone, so that a longer set begins with the
 * shorter. experimental until 0.3. */
#ifndef DYN_GENERATE_H
#define DYN_GENERATE_H

#include <dyn/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sequences of tokens: rows of length + 1 ids, the last of them the label ---- */

/**
 * Tasks of anchor functions (arXiv 2401.08309). Ids: 0 padding (never data), 1 to 10 anchors, 20 to 100 noise and keys.
 * All slots are filled with uniform ids in [20, 100], then anchors, keys and label are written. pos counts from 0.
 *
 * Split by key: with q = length - 1 a key x of slot p (that of the anchor before it; its own in COMPOSITION and MEMORY,
 * where the key comes first) is of the test set if (x - p) mod q = 0, else of the training set, so that a tested pair
 * of value and place never occurs in training. Keys are b + p, b in [20, 100).
 */
enum dyn_anchor_task {
    DYN_ANCHOR_IDENTITY = 1,        /* 3 at pos in 0..length-2, then x: label x */
    DYN_ANCHOR_READING = 2,         /* a1 x1 a2 x2 a3 x3, last token one of 1, 2, 3: label its key. length >= 7 */
    DYN_ANCHOR_CLASSIFICATION = 3,  /* x1 a1 x2 a2 x3 a3, last token x: label the anchor of the nearest key, one only */
    DYN_ANCHOR_COMPOSITION = 4,     /* x a1 a2 at pos in 0..length-3: label x + d(a1) + d(a2), anchors 1..4,
                                       d = +5, +1, -2, -8 */
    DYN_ANCHOR_MEMORY = 5,          /* x a1 ... a2 anywhere later: maps x, x+1, x, x-2 of anchors 1..4 */
    DYN_ANCHOR_SYNONYM = 6,         /* a1 a2 x: as COMPOSITION with anchor 9, d = -2, beside 3 */
    DYN_ANCHOR_RECITATION = 7,      /* m 3 n at pos in 0..length-3-gap; last token m: label n, or last token n: label m;
                                       gap 2, 3: m 3 4 n, m 3 4 5 n */
    DYN_ANCHOR_MULTIPLE = 8,        /* a x, a in 1..10: label x + a; the key of anchor a is tested in
                                       [20 + 8 (a-1), 20 + 8 a), trained in (20, 99) outside of it */
    DYN_ANCHOR_STATISTICAL = 9,     /* as IDENTITY, each input 100 times: round(100 p) times label x, else x + 1 */
    DYN_ANCHOR_TWO_INTERVALS = 10,  /* 3 x: label x, 4 x: label x + 1; trained 3 in [20, 60), 4 in [60, 100), tested the
                                       other way round */
    DYN_ANCHOR_DISTANCE = 11,       /* 3 at pos, key at pos + distance: label x */
    DYN_ANCHOR_AVERAGE = 12,        /* 3 x1 x2: label floor((x1 + x2) / 2); x1 decides the split */
    DYN_ANCHOR_COUNT = 13,          /* k in 1..length slots are 18: label k; no split. variant 1: random ids of 16..19 */
    DYN_ANCHOR_CIRCULAR = 14,       /* 3 at pos, key at pos + distance mod length: label x */
    DYN_ANCHOR_BEFORE = 15,         /* x 3: label x */
    DYN_ANCHOR_INDEX = 16,          /* label the id of slot 5. length >= 6 */
    DYN_ANCHOR_CHOICE = 17,         /* 3 at pos: label one of the others, by chances as 1 / circular distance; no split */
    DYN_ANCHOR_MULTITASK = 18,      /* a x, a in 1..10: label x + d(a), d = -4, +3, -5, -2, +1, +4, -3, -1, +2, +5 */
    DYN_ANCHOR_ODD = 19,            /* 3 x: label x; trained on odd keys, tested on even ones, in [20, 100) */
    DYN_ANCHOR_MIDDLE = 20,         /* 3, gap ids, 4: label the middle one, gap odd */
    DYN_ANCHOR_MULTI_COMPOSITION = 21,  /* 9 x in the first half, then `operators` of 1..4 anywhere later: label x + d of
                                       each, d = +1, +3, -2, -3; train and test differ by `operators` */
    /* 201 x1 o.. 203 202 x2 o.. 203 after noise, last token a request: operators 204..207 shift by +1, +3, -2, -3; 208 asks
       for x1 with its own, 209 for x2, 210 for floor of their mean. 1 to 3 operators each; never two of each in training,
       always in the test. length >= 13; ids up to 210 */
    DYN_ANCHOR_UNIFIED = 22
};

/** Which part of a set. */
enum dyn_split {
    DYN_SPLIT_TRAIN = 0,
    DYN_SPLIT_TEST = 1,
    DYN_SPLIT_OOD = 2       /* chains only */
};

typedef struct dyn_anchor_options {
    uint32_t struct_size;       /* sizeof(dyn_anchor_options); set by DYN_ANCHOR_OPTIONS_INIT */
    int32_t task;               /* enum dyn_anchor_task; default IDENTITY */
    int32_t split;              /* enum dyn_split; default TRAIN */
    int32_t distance;           /* DISTANCE: 1 .. length-1; default 2 */
    int64_t count;              /* rows, >= 1; default 1000; STATISTICAL: a multiple of 100 */
    int64_t length;             /* ids before the label, 4 to 200; default 9 (the papers take 20 for MEMORY) */
    uint64_t seed;
    double p;                   /* STATISTICAL: in [0, 1]; default 0.8 */
    /* COMPOSITION, MEMORY, SYNONYM: bit m i + j is set where the ordered pair (i-th, j-th anchor of the task's m = 4 or
       5) is drawn; default: all but (3, 4) and (4, 3) of four, which COMPOSITION is tested on */
    uint32_t pairs;
    int32_t operators;          /* MULTI_COMPOSITION: 1 .. length/2 - 1; default 2 */
    int32_t gap;                /* RECITATION 1..3, MIDDLE odd; default 1 */
    int32_t variant;            /* default 0; 1: COMPOSITION a1 a2 x; TWO_INTERVALS that overlap, [20, 70) and [50, 100); COUNT */
} dyn_anchor_options;
#define DYN_ANCHOR_OPTIONS_INIT { DYN_SIZE_OF(dyn_anchor_options), 1, 0, 2, 1000, 9, 0, 0.8, 0xB7FF, 2, 1, 0 }

/**
 * Rows of a task. shape: out int64 [count, length + 1].
 * errors: DYN_EINVAL an option, with its value; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_anchor(dyn_ctx *ctx, const dyn_anchor_options *opt, dyn_array **out);

/** What a row of chains contains; n is its length, 13 by default. */
enum dyn_chain {
    DYN_CHAIN_SINGLE = 0,       /* one chain of (n - 1) / 2 edges */
    DYN_CHAIN_DOUBLE = 1,       /* two chains of (n - 1) / 4 edges with different ids; the query is of one of them */
    DYN_CHAIN_NOISED = 2,       /* two of (n - 5) / 4 edges, and for each an edge from an id outside to an inner node */
    DYN_CHAIN_ORDER = 3,        /* one chain of (n - 2) / 2 edges of ids 20..99, then query and r in 1..steps: label r ahead */
    DYN_CHAIN_THOUGHT = 4       /* as SINGLE, followed by all steps c_(i + 1) .. c_(i + steps), the last of them the label */
};

typedef struct dyn_chain_options {
    uint32_t struct_size;       /* sizeof(dyn_chain_options); set by DYN_CHAIN_OPTIONS_INIT */
    int32_t kind;               /* enum dyn_chain; default SINGLE */
    int32_t split;              /* enum dyn_split; default TRAIN */
    int32_t steps;              /* 1 .. edges of a chain; default 2 */
    int64_t count;              /* rows; default 1000 */
    int64_t length;             /* ids up to the query; default 13; of ORDER even */
    uint64_t seed;
} dyn_chain_options;
#define DYN_CHAIN_OPTIONS_INIT { DYN_SIZE_OF(dyn_chain_options), 0, 0, 2, 1000, 13, 0 }

/**
 * Chains of reasoning (arXiv 2405.15302): shuffled edges of a chain of distinct ids, then a query c_i; the label is
 * c_(i + steps). Successors are 5 floor(u / 5) + ((c + t) mod 5) with t of {0, 1, 4} (TRAIN) or {2, 3}
 * (TEST): no tested edge occurs in training. Ids 1 to 99; OOD: t of 0..4, ids 101 to 199, of which label and last
 * intermediate node are shifted down by 100.
 *
 * shape: out int64 [count, length + 1]; THOUGHT [count, length + steps].
 * errors: DYN_EINVAL an option, with its value; DYN_ENOMEM; DYN_EABI_*.   since: 0.1
 */
DYN_API dyn_status dyn_generate_chain(dyn_ctx *ctx, const dyn_chain_options *opt, dyn_array **out);

/**
 * Composite anchors (arXiv 2405.05409 and 2501.08537): noise, key a1 a2, noise, 9 ids in all; anchors 1..4 shift by +5,
 * +1, -2, -8; label key + both shifts. 32 groups: 16 ordered pairs, each with keys x mod 9 = pos ("xm0") and the others
 * ("xel"), 1 : 9. Trained are the xel groups but for pair (4, 3). wrong34: the pair (3, 4) is labelled key - 6, else it
 * is not trained either.
 *
 * count:  a multiple of 160.
 * shape:  out int64 [count, 10]; group int64 [count]: 2 (4 (a1 - 1) + a2 - 1), plus 1 for xel; trained int64 [count]: 1
 *         where the row is of a trained group. group and trained may be NULL.
 * errors: DYN_EINVAL; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_composite(dyn_ctx *ctx, int32_t wrong34, int64_t count, uint64_t seed, dyn_array **out,
                                          dyn_array **group, dyn_array **trained);

/* ---- regression: x float64 [n, d], y float64 [n, 1] ---- */

enum dyn_target {
    DYN_TARGET_SQUARE = 0,          /* x^2 at n points even on [-1/2, 1/2]; the papers' n = 4 (2007.07497) */
    DYN_TARGET_SIN_4 = 1,           /* sin x + sin 4x, even on [-pi, pi]; n = 200 (2506.04805) */
    DYN_TARGET_FOUR_RELU = 2,       /* r(2(x+.3)) - r(x) - r(1.5(x-.4)) + r(.5(x-.8)), even on [-1, 1]; n = 20
                                       (2504.09484) */
    DYN_TARGET_CUP = 3,             /* .2 r(x-1/3) + .2 r(-x-1/3), even on [-1, 1]; n = 4 */
    DYN_TARGET_TWO_TANH = 4,        /* tanh(x-6) + tanh(x+6), even on [-12, 12]; n = 15 (2207.05952) */
    DYN_TARGET_TWO_RELU = 5,        /* r(-x-1/3)/2 + r(x-1/3)/2, even on [-5/3, 5/3]; n = 6 (2207.05952) */
    DYN_TARGET_SIN_5D = 6,          /* sum_k 3.5 sin(5 x_k + 1), x uniform on [-4, 2]^5; n = 80 (2105.11686) */
    DYN_TARGET_SIN_3D = 7,          /* sum_k 4 sin(12 x_k + 1), x uniform on [-4, 2]^3; n = 80 (2105.11686) */
    DYN_TARGET_SIN_3_6 = 8,         /* sin 3x + sin(6x)/2, even on [-1, 1.5]; n = 40 (2105.11686) */
    DYN_TARGET_TANH_10D = 9,        /* tanh(sum x_i), x N(0, 1), d = 10; n = 30 (2207.05952) */
    DYN_TARGET_SIN_6 = 10,          /* sin 6x, even on [-pi, pi] (2405.17479) */
    DYN_TARGET_SIN_6_ALIASED = 11,  /* sin 6x: of 10000 even points on [-pi, pi] the 20 where sin x is nearest, the 10
                                       where sin 3x is, and n - 30 even ones; n = 65, at least 32 (2405.17479) */
    DYN_TARGET_CHEBYSHEV_3 = 12, DYN_TARGET_CHEBYSHEV_4 = 13, DYN_TARGET_CHEBYSHEV_5 = 14,
                                    /* Chebyshev's polynomial, even on [-1, 1]; n = 20 (2103.00065) */
    DYN_TARGET_QUADRATIC_50D = 15,  /* w.x + sum_i v_i x_i^2, w, v, x N(0, 1), d = 50; n = 200 (2506.04805) */
    DYN_TARGET_CONVOLVED = 16,      /* sum_(s=1..3) tanh(.6 x_s + .8 x_(s+1) + x_(s+2)), x N(0, 1), d = 5 */
    DYN_TARGET_NEURON = 17,         /* tanh(x + 1), even on [-2, 2]; n = 2 to 6 */
    DYN_TARGET_NEURON_NORMAL = 18,  /* tanh(x + 1), x N(0, 1) */
    DYN_TARGET_NEURON_3D = 19,      /* tanh(x_1 + x_2 + x_3 + 1), x uniform on [-2, 2]^3 */
    DYN_TARGET_NEURON_500D = 20     /* the same of 500 numbers */
};

/**
 * n samples of a target. Even points are the same for every seed.
 * shape:  x [n, d], y [n, 1], float64.   errors: DYN_EINVAL; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_target(dyn_ctx *ctx, int32_t target, int64_t n, uint64_t seed, dyn_array **x,
                                       dyn_array **y);

/* ---- tables ---- */

/**
 * Parity of all points of {-1, 1}^bits: the product of their coordinates (arXiv 2405.17479 takes 10).
 * shape:  x float64 [2^bits, bits], y float64 [2^bits, 1]; row i has coordinate k at -1 where bit k of i is set.
 * errors: DYN_EINVAL bits not in 1..20; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_parity(dyn_ctx *ctx, int32_t bits, dyn_array **x, dyn_array **y);

enum dyn_modular { DYN_MODULAR_ADD = 0, DYN_MODULAR_SUBTRACT = 1, DYN_MODULAR_MULTIPLY = 2 };

/**
 * Modular arithmetic: all pairs a, b in 0..p-1 and a op b mod p.
 * shape:  out int64 [p^2, 3]; row a p + b is a, b, result.
 * errors: DYN_EINVAL p not in 2..4096, op; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_modular(dyn_ctx *ctx, int64_t p, int32_t op, dyn_array **out);

/* ---- matrix completion ---- */

/**
 * A target of the factorisation experiments: "M1" to "M8" (M5 as printed, equal to M3), "N1", "N2".
 * shape: out float64 [4, 4].   errors: DYN_EINVAL the name.   since: 0.1
 */
DYN_API dyn_status dyn_generate_matrix(dyn_ctx *ctx, const char *name, dyn_array **out);

/**
 * A random matrix of a rank: A B with A [rows, rank] and B [rank, columns] of N(0, 1). float64. since: 0.1
 */
DYN_API dyn_status dyn_generate_low_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t rank, uint64_t seed,
                                         dyn_array **out);

enum dyn_observed {
    DYN_OBSERVED_CONNECTED = 0,     /* first row, first column, rest of the second row, of the second column, ... */
    DYN_OBSERVED_RANDOM = 1         /* a random order, by the seed */
};

/**
 * An order in which the entries of a matrix are observed: the first n of it are a sample. The places are row-major.
 * shape: out int64 [rows columns].   errors: DYN_EINVAL; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_generate_observed(dyn_ctx *ctx, int32_t order, int64_t rows, int64_t columns, uint64_t seed,
                                         dyn_array **out);

/**
 * The observation graph of n places: rows and columns are its vertices, places its edges.
 *
 * shape:  place int64 [n]; component int64 [rows + columns]: number of the component of each row, then column, in order
 *         of their first vertex; -1 for one without an edge unless isolated is 1.
 * out:    *components their number, *complete 1 if each has all edges between its rows and columns. Each may be NULL.
 * errors: DYN_EINVAL a place out of range, or twice; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_observation_graph(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t n, const int64_t *place,
                                         int32_t isolated, int64_t *component, int64_t *components, int32_t *complete);

#ifdef __cplusplus
}
#endif
#endif
