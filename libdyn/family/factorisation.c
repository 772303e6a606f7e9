/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrices and tensors as products of factors, of which entries are observed: the whole is made, the entries are taken
 * from it. */
#include <dyn/factorisation.h>
#include "family/family.h"

enum { ORDER = 6 };         /* most axes of a tensor: an axis for the terms and one of directions beside them */

typedef struct product {
    int32_t count;          /* factors; axes of the tensor */
    int64_t rank;
    int64_t sizes[];
} product;

/* The observed entries of x, whatever its shape is: [n, 1]. */
static dyn_node observed(dyn_build *b, dyn_node x, dyn_node entry)
{
    dyn_graph *g = dyn_build_graph(b);
    int64_t shape[DYN_MAX_RANK], size = 1;

    const int32_t rank = dyn_graph_shape(g, x, shape);
    DYN__TRY(rank);
    for (int32_t i = 0; i < rank; i++)
        size *= shape[i];
    return dyn_graph_gather(g, dyn_graph_reshape(g, x, 2, (int64_t[]){size, 1}), entry);
}

static dyn_node factor(dyn_build *b, const char *letter, int32_t number, int64_t rows, int64_t columns)
{
    const dyn__piece piece = {b, "", number};

    return dyn__piece_parameter(&piece, letter, 2, (int64_t[]){rows, columns}, NULL);
}

static dyn_node build_matrix(void *user, dyn_build *b)
{
    const product *p = user;
    dyn_node entry = dyn_build_indices(b, "entry", 0, NULL), x = factor(b, "W", 1, p->sizes[0], p->sizes[1]);

    for (int32_t i = 1; i < p->count; i++)
        x = dyn_graph_matmul(dyn_build_graph(b), x, factor(b, "W", i + 1, p->sizes[i], p->sizes[i + 1]), 0, 0);
    return observed(b, x, entry);
}

/* x [entries of the axes so far, rank] times the next factor: [those times its rows, rank]. */
static dyn_node widened(dyn_build *b, dyn_node x, dyn_node a, int64_t entries, int64_t rows, int64_t rank)
{
    dyn_graph *g = dyn_build_graph(b);

    x = dyn_graph_mul(g, dyn_graph_reshape(g, x, 3, (int64_t[]){entries, 1, rank}), a);
    return dyn_graph_reshape(g, x, 2, (int64_t[]){entries * rows, rank});
}

static dyn_node build_tensor(void *user, dyn_build *b)
{
    const product *p = user;
    const int32_t last = p->count - 1;
    dyn_node entry = dyn_build_indices(b, "entry", 0, NULL), x = factor(b, "A", 1, p->sizes[0], p->rank);
    int64_t entries = p->sizes[0];

    for (int32_t i = 1; i < last; i++) {
        x = widened(b, x, factor(b, "A", i + 1, p->sizes[i], p->rank), entries, p->sizes[i], p->rank);
        entries *= p->sizes[i];
    }
    return observed(b, dyn_graph_matmul(dyn_build_graph(b), x, factor(b, "A", last + 1, p->sizes[last], p->rank), 0, 1),
                    entry);
}

/* ---- names ---- */

/* nn.Sequential of nn.Embedding, which gives the row, and nn.Linear without biases. */
static dyn_status theirs_of_matrix(const void *user, dyn_exchange_part *p)
{
    const char *rest;
    const int32_t number = dyn__numbered(p->name, "W", &rest);

    (void)user;
    dyn__part_name(p, "%d.weight", (int)number - 1);
    if (number > 1)
        dyn__part_turned(p);
    return DYN_OK;
}

/* nn.ModuleList of nn.Embedding, whose rows are multiplied. */
static dyn_status theirs_of_tensor(const void *user, dyn_exchange_part *p)
{
    const char *rest;

    (void)user;
    dyn__part_name(p, "%d.weight", (int)dyn__numbered(p->name, "A", &rest) - 1);
    return DYN_OK;
}

/* ---- options ---- */

static dyn_status create(dyn_ctx *ctx, dyn_build_fn build, dyn__theirs_fn theirs, const char *name, int32_t count, int64_t rank, int32_t sizes,
                         const int64_t *size, dyn_model **out)
{
    DYN__NEED(ctx, size);
    for (int32_t i = 0; i < sizes; i++)
        if (size[i] < 1)
            return DYN__FAIL(ctx, DYN_EINVAL, "%s[%d] is %lld, expected at least 1", name, (int)i, (long long)size[i]);
    product *p = dyn__alloc(ctx, 1, sizeof *p + (size_t)sizes * sizeof p->sizes[0]);
    if (!p)
        return DYN_ENOMEM;
    p->count = count;
    p->rank = rank;
    for (int32_t i = 0; i < sizes; i++)
        p->sizes[i] = size[i];
    return dyn__model_called(dyn__model_create(ctx, build, p, 1, 1, out), out, theirs);
}

dyn_status dyn_model_factorisation(dyn_ctx *ctx, const dyn_factorisation_options *opt, dyn_model **out)
{
    dyn_factorisation_options o = DYN_FACTORISATION_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_factorisation_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(dyn__check_size(ctx, "factors", o.factors));
    return create(ctx, build_matrix, theirs_of_matrix, "widths", o.factors, 0, o.factors + 1, o.widths, out);
}

dyn_status dyn_model_tensor_factorisation(dyn_ctx *ctx, const dyn_tensor_options *opt, dyn_model **out)
{
    dyn_tensor_options o = DYN_TENSOR_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_tensor_options", opt, &o, sizeof o, sizeof o));
    if (o.order < 2 || o.order > ORDER)
        return DYN__FAIL(ctx, DYN_EINVAL, "order is %d, expected 2 to %d", (int)o.order, ORDER);
    DYN__TRY(dyn__check_size(ctx, "rank", o.rank));
    return create(ctx, build_tensor, theirs_of_tensor, "sizes", o.order, o.rank, o.order, o.sizes, out);
}
