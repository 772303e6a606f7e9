/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the builders and transforms refuse: the status, a message that begins with the function's name and gives the
 * sizes, and nothing kept or lost. A NULL graph, a node of no graph, and a negative node are tried on all of them. */
#include "graph_refused.h"

static dyn_ctx *ctx;
static dyn_graph *g;
static dyn_node a, b, scalar, line, index_, wide;  /* [2, 3], [4, 5], [], [7], indices [6], rank 8 */

#define AXES(...) (const int32_t[]){ __VA_ARGS__ }

static void set_up(void)
{
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    a = dyn_graph_parameter(g, "a", 2, SHAPE(2, 3));
    b = dyn_graph_input(g, "b", 2, SHAPE(4, 5));
    scalar = dyn_graph_input(g, "scalar", 0, NULL);
    line = dyn_graph_input(g, "line", 1, SHAPE(7));
    index_ = dyn_graph_indices(g, "index", 1, SHAPE(6));
    wide = dyn_graph_input(g, "wide", 8, SHAPE(1, 2, 1, 2, 1, 2, 1, 2));
    CHECK(wide > 0);
}

/* Refused, and the graph does not grow. */
#define UNCHANGED(call, status, function, part)         \
    do {                                                \
        const int32_t size_ = dyn_graph_size(g);        \
        REFUSED(call, status, function, part);          \
        CHECK(dyn_graph_size(g) == size_);              \
    } while (0)

TEST(creation)
{
    dyn_graph *out = (dyn_graph *)&ctx;

    CHECK(dyn_graph_create(ctx, DYN_I64, &out) == DYN_EINVAL && !out);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_graph_create: dtype 2");
    CHECK(dyn_graph_create(NULL, DYN_F64, &out) == DYN_EINVAL && dyn_graph_create(ctx, DYN_F64, NULL) == DYN_EINVAL);
    CHECK(dyn_graph_size(NULL) == 0 && dyn_graph_dtype(NULL) == DYN_EINVAL && dyn_graph_shape(NULL, 0, NULL) < 0);
    CHECK(dyn_graph_shape(g, DYN_ESHAPE, NULL) == DYN_ESHAPE);      /* as the builder said */
    UNCHANGED(dyn_graph_shape(g, 99999, NULL), DYN_EINVAL, "dyn_graph_shape", "node 99999");
}

TEST(leaves)
{
    UNCHANGED(dyn_graph_parameter(g, NULL, 0, NULL), DYN_EINVAL, "dyn_graph_parameter", "name");
    UNCHANGED(dyn_graph_input(g, "", 0, NULL), DYN_EINVAL, "dyn_graph_input", "name");
    UNCHANGED(dyn_graph_input(g, "a", 0, NULL), DYN_EINVAL, "dyn_graph_input", "\"a\" is taken");
    UNCHANGED(dyn_graph_indices(g, "n", 1, NULL), DYN_EINVAL, "dyn_graph_indices", "shape");
    UNCHANGED(dyn_graph_input(g, "n", -1, NULL), DYN_ESHAPE, "dyn_graph_input", "rank -1");
    UNCHANGED(dyn_graph_input(g, "n", 9, SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1)), DYN_ESHAPE, "dyn_graph_input", "rank 9");
    UNCHANGED(dyn_graph_parameter(g, "n", 2, SHAPE(3, 0)), DYN_ESHAPE, "dyn_graph_parameter", "[3, 0]");
    UNCHANGED(dyn_graph_constant(g, 1, 2, SHAPE(3, -4)), DYN_ESHAPE, "dyn_graph_constant", "[3, -4]");
    UNCHANGED(dyn_graph_constant(g, 1, 1, NULL), DYN_ESHAPE, "dyn_graph_constant", "shape");
    UNCHANGED(dyn_graph_find(g, "nobody"), DYN_EINVAL, "dyn_graph_find", "\"nobody\"");
    UNCHANGED(dyn_graph_find(g, NULL), DYN_EINVAL, "dyn_graph_find", "NULL");
}

/* Sizes whose product no memory holds are refused before anything is allocated. */
TEST(huge_shapes)
{
    const int64_t huge = (int64_t)1 << 62, before = dyn_ctx_bytes(ctx);
    const int64_t million = 1000000;
    const dyn_node six = dyn_graph_slice(g, line, SHAPE(0), SHAPE(6));

    UNCHANGED(dyn_graph_constant(g, 1, 1, SHAPE(huge)), DYN_ESHAPE, "dyn_graph_constant", "4611686018427387904");
    UNCHANGED(dyn_graph_input(g, "huge", 4, SHAPE(million, million, million, million)), DYN_ESHAPE, "dyn_graph_input",
            "[1000000, 1000000, 1000000, 1000000]");
    UNCHANGED(dyn_graph_broadcast_to(g, line, 5, SHAPE(million, million, million, million, 7)), DYN_ESHAPE,
            "dyn_graph_broadcast_to", "1000000");
    UNCHANGED(dyn_graph_scatter_add(g, six, index_, INT64_MAX), DYN_ESHAPE, "dyn_graph_scatter_add",
              "9223372036854775807");
    CHECK(dyn_ctx_bytes(ctx) - before < 4096);      /* one slice, perhaps a larger node array */
}

TEST(elementwise)
{
    UNCHANGED(dyn_graph_add(g, a, b), DYN_ESHAPE, "dyn_graph_add", "shapes [2, 3] and [4, 5]");
    UNCHANGED(dyn_graph_sub(g, a, b), DYN_ESHAPE, "dyn_graph_sub", "[2, 3]");
    UNCHANGED(dyn_graph_mul(g, a, b), DYN_ESHAPE, "dyn_graph_mul", "[4, 5]");
    UNCHANGED(dyn_graph_div(g, b, a), DYN_ESHAPE, "dyn_graph_div", "[2, 3]");
    UNCHANGED(dyn_graph_max(g, a, line), DYN_ESHAPE, "dyn_graph_max", "[7]");
    UNCHANGED(dyn_graph_greater(g, a, b), DYN_ESHAPE, "dyn_graph_greater", "[2, 3]");
    UNCHANGED(dyn_graph_greater_equal(g, a, b), DYN_ESHAPE, "dyn_graph_greater_equal", "[2, 3]");
    UNCHANGED(dyn_graph_equal(g, a, b), DYN_ESHAPE, "dyn_graph_equal", "[2, 3]");
    UNCHANGED(dyn_graph_select(g, a, a, b), DYN_ESHAPE, "dyn_graph_select", "[4, 5]");
    UNCHANGED(dyn_graph_powi(g, a, 65), DYN_EINVAL, "dyn_graph_powi", "65");
    UNCHANGED(dyn_graph_pow(g, a, (double)NAN), DYN_EINVAL, "dyn_graph_pow", "nan");
}

/* Indices are not numbers: no arithmetic, and no view of them that would be read as numbers. */
TEST(indices_are_not_numbers)
{
    const dyn_node six = dyn_graph_slice(g, line, SHAPE(0), SHAPE(6)), one = dyn_graph_input(g, "one", 2, SHAPE(2, 6));

    UNCHANGED(dyn_graph_tanh(g, index_), DYN_EDTYPE, "dyn_graph_tanh", "indices");
    UNCHANGED(dyn_graph_neg(g, index_), DYN_EDTYPE, "dyn_graph_neg", "indices");
    UNCHANGED(dyn_graph_add(g, six, index_), DYN_EDTYPE, "dyn_graph_add", "indices");
    UNCHANGED(dyn_graph_mul(g, one, index_), DYN_EDTYPE, "dyn_graph_mul", "indices");
    UNCHANGED(dyn_graph_broadcast_to(g, index_, 2, SHAPE(2, 6)), DYN_EDTYPE, "dyn_graph_broadcast_to", "indices");
    UNCHANGED(dyn_graph_sum(g, index_, 1, AXES(0)), DYN_EDTYPE, "dyn_graph_sum", "indices");
    UNCHANGED(dyn_graph_amax(g, index_, 1, AXES(0)), DYN_EDTYPE, "dyn_graph_amax", "indices");
    UNCHANGED(dyn_graph_slice(g, index_, SHAPE(0), SHAPE(2)), DYN_EDTYPE, "dyn_graph_slice", "indices");
    UNCHANGED(dyn_graph_pad(g, index_, SHAPE(0), SHAPE(8)), DYN_EDTYPE, "dyn_graph_pad", "indices");
    UNCHANGED(dyn_graph_permute(g, index_, AXES(0)), DYN_EDTYPE, "dyn_graph_permute", "indices");
    UNCHANGED(dyn_graph_concat(g, index_, index_, 0), DYN_EDTYPE, "dyn_graph_concat", "indices");
    UNCHANGED(dyn_graph_stop(g, index_), DYN_EDTYPE, "dyn_graph_stop", "indices");
    UNCHANGED(dyn_graph_gather(g, index_, index_), DYN_EDTYPE, "dyn_graph_gather", "indices");
    UNCHANGED(dyn_graph_gather(g, line, line), DYN_EDTYPE, "dyn_graph_gather", "indices");
    UNCHANGED(dyn_graph_scatter_add(g, six, six, 3), DYN_EDTYPE, "dyn_graph_scatter_add", "indices");
    UNCHANGED(dyn_graph_unfold(g, index_, 0, 1, 1, 1, 0, 0), DYN_EDTYPE, "dyn_graph_unfold", "indices");
    UNCHANGED(dyn_graph_uniform(g, six, 0, 0, NULL), DYN_EDTYPE, "dyn_graph_uniform", "indices");
}

TEST(windows)
{
    UNCHANGED(dyn_graph_unfold(g, a, 2, 1, 1, 1, 0, 0), DYN_EINVAL, "dyn_graph_unfold", "axis 2");
    UNCHANGED(dyn_graph_unfold(g, a, 1, 4, 1, 1, 0, 0), DYN_ESHAPE, "dyn_graph_unfold", "4 elements");
    UNCHANGED(dyn_graph_unfold(g, a, 1, 2, 1, 3, 0, 0), DYN_ESHAPE, "dyn_graph_unfold", "dilation 3, on an axis of 3");
    UNCHANGED(dyn_graph_unfold(g, a, 1, 2, 0, 1, 0, 0), DYN_ESHAPE, "dyn_graph_unfold", "stride 0");
    UNCHANGED(dyn_graph_unfold(g, a, 1, 2, 1, 1, -1, 0), DYN_EINVAL, "dyn_graph_unfold", "-1 zeros");
    UNCHANGED(dyn_graph_unfold(g, a, 1, 2, 1, 1, 1, INT64_MAX), DYN_EINVAL, "dyn_graph_unfold", "zeros");
    UNCHANGED(dyn_graph_fold(g, a, 1, 3, 1, 1, 0), DYN_EINVAL, "dyn_graph_fold", "rank 2");
    UNCHANGED(dyn_graph_fold(g, a, 0, 0, 1, 1, 0), DYN_ESHAPE, "dyn_graph_fold", "axis of 0");
    UNCHANGED(dyn_graph_fold(g, a, 0, 4, 1, 0, 0), DYN_ESHAPE, "dyn_graph_fold", "dilation 0");
    UNCHANGED(dyn_graph_fold(g, a, 0, 4, INT64_MAX, INT64_MAX, 0), DYN_EINVAL, "dyn_graph_fold", "stride");
    UNCHANGED(dyn_graph_slice_step(g, a, SHAPE(0, 0), SHAPE(2, 2), SHAPE(1, 3)), DYN_ESHAPE, "dyn_graph_slice_step",
              "steps of 3 along axis 1 of 3");
    UNCHANGED(dyn_graph_slice_step(g, a, SHAPE(0, 1), SHAPE(2, 3), SHAPE(1, -1)), DYN_ESHAPE, "dyn_graph_slice_step",
              "steps of -1");
    UNCHANGED(dyn_graph_slice_step(g, a, SHAPE(0, 0), SHAPE(1, 1), SHAPE(0, 1)), DYN_ESHAPE, "dyn_graph_slice_step",
              "steps of 0");
    UNCHANGED(dyn_graph_batched_gather(g, a, index_, 1), DYN_ESHAPE, "dyn_graph_batched_gather", "1 leading axes");
    UNCHANGED(dyn_graph_batched_gather(g, a, index_, -1), DYN_ESHAPE, "dyn_graph_batched_gather", "-1 leading");
    UNCHANGED(dyn_graph_batched_scatter_add(g, a, index_, 2, 3), DYN_ESHAPE, "dyn_graph_batched_scatter_add", "[2, 3]");
    UNCHANGED(dyn_graph_uniform(g, index_, 0, 1, SHAPE(4)), DYN_ESHAPE, "dyn_graph_uniform", "[.., 3]");
    UNCHANGED(dyn_graph_uniform(g, index_, 0, 9, SHAPE(4)), DYN_ESHAPE, "dyn_graph_uniform", "rank 9");
    UNCHANGED(dyn_graph_bernoulli(g, index_, 0, 1.5, 1, SHAPE(4)), DYN_EINVAL, "dyn_graph_bernoulli", "1.5");
}

TEST(products_and_reductions)
{
    UNCHANGED(dyn_graph_matmul(g, a, b, 0, 0), DYN_ESHAPE, "dyn_graph_matmul", "[2, 3] and [4, 5]: inner sizes");
    UNCHANGED(dyn_graph_matmul(g, a, line, 0, 0), DYN_ESHAPE, "dyn_graph_matmul", "two axes");
    UNCHANGED(dyn_graph_sum(g, a, 1, AXES(2)), DYN_EINVAL, "dyn_graph_sum", "axis 2");
    UNCHANGED(dyn_graph_sum(g, a, 2, AXES(1, -1)), DYN_EINVAL, "dyn_graph_sum", "axis -1");
    UNCHANGED(dyn_graph_sum(g, a, -1, AXES(0)), DYN_EINVAL, "dyn_graph_sum", "-1 axes");
    UNCHANGED(dyn_graph_sum(g, a, 1, NULL), DYN_EINVAL, "dyn_graph_sum", "axes");
    UNCHANGED(dyn_graph_amax(g, a, 1, AXES(INT32_MIN)), DYN_EINVAL, "dyn_graph_amax", "rank 2");
    UNCHANGED(dyn_graph_logsumexp(g, scalar), DYN_ESHAPE, "dyn_graph_logsumexp", "no axis");
}

TEST(shapes_and_places)
{
    UNCHANGED(dyn_graph_broadcast_to(g, a, 2, SHAPE(2, 4)), DYN_ESHAPE, "dyn_graph_broadcast_to", "[2, 4]");
    UNCHANGED(dyn_graph_broadcast_to(g, a, 1, SHAPE(3)), DYN_ESHAPE, "dyn_graph_broadcast_to", "[2, 3]");
    UNCHANGED(dyn_graph_broadcast_to(g, a, 9, SHAPE(1)), DYN_ESHAPE, "dyn_graph_broadcast_to", "rank 9");
    UNCHANGED(dyn_graph_broadcast_to(g, a, 2, NULL), DYN_ESHAPE, "dyn_graph_broadcast_to", "shape");
    UNCHANGED(dyn_graph_reshape(g, a, 1, SHAPE(7)), DYN_ESHAPE, "dyn_graph_reshape", "[2, 3] to [7]");
    UNCHANGED(dyn_graph_reshape(g, a, 9, SHAPE(7)), DYN_ESHAPE, "dyn_graph_reshape", "rank 9");
    UNCHANGED(dyn_graph_permute(g, a, NULL), DYN_EINVAL, "dyn_graph_permute", "NULL");
    UNCHANGED(dyn_graph_permute(g, a, AXES(1, 1)), DYN_EINVAL, "dyn_graph_permute", "axis 1");
    UNCHANGED(dyn_graph_permute(g, a, AXES(0, 2)), DYN_EINVAL, "dyn_graph_permute", "axis 2");
    UNCHANGED(dyn_graph_slice(g, a, SHAPE(1, 0), SHAPE(2, 3)), DYN_ESHAPE, "dyn_graph_slice",
              "[2, 3] from 1 along axis 0");
    UNCHANGED(dyn_graph_slice(g, a, SHAPE(-1, 0), SHAPE(1, 1)), DYN_ESHAPE, "dyn_graph_slice", "from -1");
    UNCHANGED(dyn_graph_slice(g, a, SHAPE(INT64_MAX, 0), SHAPE(1, 1)), DYN_ESHAPE, "dyn_graph_slice",
              "9223372036854775807");
    UNCHANGED(dyn_graph_slice(g, a, NULL, SHAPE(1, 1)), DYN_EINVAL, "dyn_graph_slice", "NULL");
    UNCHANGED(dyn_graph_pad(g, a, SHAPE(1, 0), SHAPE(2, 3)), DYN_ESHAPE, "dyn_graph_pad", "from 1 along axis 0");
    UNCHANGED(dyn_graph_pad(g, a, SHAPE(0, 0), NULL), DYN_EINVAL, "dyn_graph_pad", "NULL");
    UNCHANGED(dyn_graph_concat(g, a, b, 0), DYN_ESHAPE, "dyn_graph_concat", "[2, 3] and [4, 5] along axis 0");
    UNCHANGED(dyn_graph_concat(g, a, a, 2), DYN_ESHAPE, "dyn_graph_concat", "axis 2");
    UNCHANGED(dyn_graph_concat(g, a, a, INT32_MIN), DYN_ESHAPE, "dyn_graph_concat", "axis -2147483646");
    UNCHANGED(dyn_graph_gather(g, scalar, index_), DYN_ESHAPE, "dyn_graph_gather", "[]");
    UNCHANGED(dyn_graph_scatter_add(g, line, index_, 3), DYN_ESHAPE, "dyn_graph_scatter_add", "[7] by indices [6]");
    UNCHANGED(dyn_graph_scatter_add(g, dyn_graph_slice(g, line, SHAPE(0), SHAPE(6)), index_, 0), DYN_ESHAPE,
            "dyn_graph_scatter_add", "0 rows");
}

TEST(transforms)
{
    dyn_node out[2], one = dyn_graph_constant(g, 1, 2, SHAPE(2, 3)), mean = dyn_graph_mean(g, a), none = 99999;

    UNCHANGED(dyn_graph_jvp(g, 1, &a, 1, &a, &b, out), DYN_ESHAPE, "dyn_graph_jvp",
              "tangent 0 has shape [4, 5], expected [2, 3]");
    UNCHANGED(dyn_graph_jvp(g, 1, &none, 1, &a, &one, out), DYN_EINVAL, "dyn_graph_jvp", "output 0 is node 99999");
    UNCHANGED(dyn_graph_jvp(g, 1, &a, 1, NULL, &one, out), DYN_EINVAL, "dyn_graph_jvp", "NULL");
    UNCHANGED(dyn_graph_jvp(g, -1, &a, 1, &a, &one, out), DYN_EINVAL, "dyn_graph_jvp", "-1 output");
    UNCHANGED(dyn_graph_vjp(g, 1, &a, &b, 1, &a, out), DYN_ESHAPE, "dyn_graph_vjp", "cotangent 0 has shape [4, 5]");
    UNCHANGED(dyn_graph_vjp(g, 1, &a, &one, 1, &none, out), DYN_EINVAL, "dyn_graph_vjp", "input 0 is node 99999");
    UNCHANGED(dyn_graph_gradient(g, a, 1, &a, out), DYN_ESHAPE, "dyn_graph_gradient", "[2, 3], a scalar is needed");
    CHECK(dyn_graph_gradient(g, dyn_graph_mean(g, dyn_graph_add(g, a, b)), 1, &a, out) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_graph_add: ");     /* the first error, not what followed from it */
    UNCHANGED(dyn_graph_gradient(g, mean, 1, &a, NULL), DYN_EINVAL, "dyn_graph_gradient", "NULL");
    UNCHANGED(dyn_graph_hvp(g, mean, 1, &a, &none, out), DYN_EINVAL, "dyn_graph_hvp", "direction 0 is node 99999");
    CHECK(dyn_graph_hvp(g, mean, 1, &a, &b, out) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_graph_hvp: tangent 0 has shape [4, 5], expected [2, 3]");
    UNCHANGED(dyn_graph_ggn(g, mean, none, 1, &a, &one, out), DYN_EINVAL, "dyn_graph_ggn", "function 0 is node 99999");
    UNCHANGED(dyn_graph_ggn(g, mean, a, 1, &a, &b, out), DYN_ESHAPE, "dyn_graph_ggn", "[4, 5]");
    UNCHANGED(dyn_graph_batch(g, 0, 1, &a, 1, &a, &a, out), DYN_EINVAL, "dyn_graph_batch", "size 0");
    UNCHANGED(dyn_graph_batch(g, 5, 1, &a, 1, &a, &b, out), DYN_ESHAPE, "dyn_graph_batch",
              "[4, 5], expected [5, 2, 3]");
    UNCHANGED(dyn_graph_batch(g, 5, 1, &wide, 1, &wide, &wide, out), DYN_ESHAPE, "dyn_graph_batch", "rank 8");
}

TEST(printing)
{
    const dyn_node none = 99999;
    char text[8];

    UNCHANGED(dyn_graph_print(g, 0, 1, &none, NULL, 0), DYN_EINVAL, "dyn_graph_print", "node 99999");
    UNCHANGED(dyn_graph_print(g, 0, 1, NULL, NULL, 0), DYN_EINVAL, "dyn_graph_print", "1 outputs");
    UNCHANGED(dyn_graph_print(g, 0, 1, &a, NULL, 8), DYN_EINVAL, "dyn_graph_print", "8 bytes");
    UNCHANGED(dyn_graph_print(g, 0, 1, &a, text, -1), DYN_EINVAL, "dyn_graph_print", "-1 bytes");
    CHECK(dyn_graph_print(g, 1, 1, &a, text, sizeof text) > 8 && text[7] == 0 && !strncmp(text, "digraph", 7));
}

/* ---- nodes that are none ---- */

typedef dyn_node (*unary)(dyn_graph *, dyn_node);
typedef dyn_node (*binary)(dyn_graph *, dyn_node, dyn_node);
#define ENTRY(name) { "dyn_graph_" #name, dyn_graph_##name }

static const struct { const char *name; unary fn; } unaries[] = {
    ENTRY(neg), ENTRY(exp), ENTRY(expm1), ENTRY(log), ENTRY(log1p), ENTRY(tanh), ENTRY(erf), ENTRY(sin), ENTRY(cos),
    ENTRY(sqrt), ENTRY(stop), ENTRY(identity), ENTRY(relu), ENTRY(abs), ENTRY(sigmoid), ENTRY(softplus),
    ENTRY(logsumexp), ENTRY(mean),
};
static const struct { const char *name; binary fn; } binaries[] = {
    ENTRY(add), ENTRY(sub), ENTRY(mul), ENTRY(div), ENTRY(max), ENTRY(greater), ENTRY(greater_equal), ENTRY(equal),
    ENTRY(gather),
};

static dyn_node scale(dyn_graph *h, dyn_node x) { return dyn_graph_scale(h, x, 2); }
static dyn_node powi(dyn_graph *h, dyn_node x) { return dyn_graph_powi(h, x, 0); }
static dyn_node powi1(dyn_graph *h, dyn_node x) { return dyn_graph_powi(h, x, 1); }
static dyn_node pow_(dyn_graph *h, dyn_node x) { return dyn_graph_pow(h, x, 0.5); }
static dyn_node select_a(dyn_graph *h, dyn_node x) { return dyn_graph_select(h, x, x, x); }
static dyn_node matmul(dyn_graph *h, dyn_node x) { return dyn_graph_matmul(h, x, x, 0, 1); }
static dyn_node sum(dyn_graph *h, dyn_node x) { return dyn_graph_sum(h, x, 0, NULL); }
static dyn_node amax(dyn_graph *h, dyn_node x) { return dyn_graph_amax(h, x, 0, NULL); }
static dyn_node spread(dyn_graph *h, dyn_node x) { return dyn_graph_broadcast_to(h, x, 2, SHAPE(2, 3)); }
static dyn_node reshape(dyn_graph *h, dyn_node x) { return dyn_graph_reshape(h, x, 1, SHAPE(6)); }
static dyn_node permute(dyn_graph *h, dyn_node x) { return dyn_graph_permute(h, x, AXES(1, 0)); }
static dyn_node slice(dyn_graph *h, dyn_node x) { return dyn_graph_slice(h, x, SHAPE(0, 0), SHAPE(1, 1)); }
static dyn_node pad(dyn_graph *h, dyn_node x) { return dyn_graph_pad(h, x, SHAPE(0, 0), SHAPE(3, 3)); }
static dyn_node concat(dyn_graph *h, dyn_node x) { return dyn_graph_concat(h, x, x, 0); }
static dyn_node scatter(dyn_graph *h, dyn_node x) { return dyn_graph_scatter_add(h, x, x, 3); }
static dyn_node unfold(dyn_graph *h, dyn_node x) { return dyn_graph_unfold(h, x, 0, 1, 1, 1, 0, 0); }
static dyn_node fold(dyn_graph *h, dyn_node x) { return dyn_graph_fold(h, x, 0, 2, 1, 1, 0); }
static dyn_node steps(dyn_graph *h, dyn_node x) { return dyn_graph_slice_step(h, x, SHAPE(0), SHAPE(1), SHAPE(2)); }
static dyn_node batched(dyn_graph *h, dyn_node x) { return dyn_graph_batched_gather(h, x, x, 1); }
static dyn_node scattered(dyn_graph *h, dyn_node x) { return dyn_graph_batched_scatter_add(h, x, x, 1, 3); }
static dyn_node uniform(dyn_graph *h, dyn_node x) { return dyn_graph_uniform(h, x, 1, 0, NULL); }
static dyn_node bernoulli(dyn_graph *h, dyn_node x) { return dyn_graph_bernoulli(h, x, 1, 0.5, 0, NULL); }
static dyn_node activation(dyn_graph *h, dyn_node x) { return dyn_graph_activation(h, DYN_GELU, x); }

static const struct { const char *name; unary fn; } wrapped[] = {
    { "dyn_graph_scale", scale }, { "dyn_graph_powi", powi }, { "dyn_graph_powi", powi1 }, { "dyn_graph_pow", pow_ },
    { "dyn_graph_select", select_a }, { "dyn_graph_matmul", matmul }, { "dyn_graph_sum", sum },
    { "dyn_graph_amax", amax },
    { "dyn_graph_broadcast_to", spread }, { "dyn_graph_reshape", reshape }, { "dyn_graph_permute", permute },
    { "dyn_graph_slice", slice }, { "dyn_graph_pad", pad }, { "dyn_graph_concat", concat },
    { "dyn_graph_unfold", unfold }, { "dyn_graph_fold", fold }, { "dyn_graph_slice_step", steps },
    { "dyn_graph_batched_gather", batched }, { "dyn_graph_batched_scatter_add", scattered },
    { "dyn_graph_uniform", uniform }, { "dyn_graph_bernoulli", bernoulli },
    { "dyn_graph_scatter_add", scatter }, { "dyn_graph_activation", activation },
};

/* A node beyond the graph is named; a negative one comes back as it is, and says nothing new; no graph, no crash. */
static void try_nodes(const char *name, unary fn)
{
    const dyn_node beyond = dyn_graph_size(g) + 1000000;
    char number[32];

    snprintf(number, sizeof number, " %d", (int)beyond);
    if (fn(g, beyond) != DYN_EINVAL || strncmp(dyn_ctx_message(ctx), name, strlen(name))
        || !strstr(dyn_ctx_message(ctx), number))
        TEST_FAIL("%s of a node beyond the graph: \"%s\"", name, dyn_ctx_message(ctx));
    dyn_graph_find(g, "nobody");
    if (fn(g, DYN_EFULL) != DYN_EFULL || !strstr(dyn_ctx_message(ctx), "nobody"))
        TEST_FAIL("%s of a negative node: \"%s\"", name, dyn_ctx_message(ctx));
    CHECK(fn(NULL, 0) == DYN_EINVAL && fn(NULL, -3) < 0);
}

static binary now;
static dyn_node first(dyn_graph *h, dyn_node x) { return now(h, x, a); }
static dyn_node second(dyn_graph *h, dyn_node x) { return now(h, a, x); }

TEST(nodes_that_are_none)
{
    for (size_t i = 0; i < sizeof unaries / sizeof unaries[0]; i++)
        try_nodes(unaries[i].name, unaries[i].fn);
    for (size_t i = 0; i < sizeof wrapped / sizeof wrapped[0]; i++)
        try_nodes(wrapped[i].name, wrapped[i].fn);
    for (size_t i = 0; i < sizeof binaries / sizeof binaries[0]; i++) {
        now = binaries[i].fn;
        try_nodes(binaries[i].name, first);
        try_nodes(binaries[i].name, second);
    }
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    const int64_t start = dyn_ctx_bytes(ctx);
    set_up();
    RUN(creation);
    RUN(leaves);
    RUN(huge_shapes);
    RUN(elementwise);
    RUN(indices_are_not_numbers);
    RUN(windows);
    RUN(products_and_reductions);
    RUN(shapes_and_places);
    RUN(transforms);
    RUN(printing);
    RUN(nodes_that_are_none);
    dyn_graph_free(g);
    if (dyn_ctx_bytes(ctx) != start) {
        printf("not ok - %lld bytes are left\n", (long long)(dyn_ctx_bytes(ctx) - start));
        test_failed_++;
    }
    dyn_ctx_free(ctx);
    return test_end();
}
