/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Softmax, attention, positions and look-up against closed forms, and the traps in which other libraries were caught:
 * rows that see nothing, masks of unequal lengths, one key, grouped heads, both conventions of rotary pairs. */
#include "layer_fixture.h"

/* ---- softmax ---- */

TEST(softmax_does_not_overflow)
{
    static const double x[] = {1000, 0, 89, 0};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 2, 2);
    IS(dyn_layer_softmax(g, a, DYN_NO_NODE), 1e-15, 1, 0, 1, 2.2273635617957438e-39);
    IS(dyn_layer_log_softmax(g, a), 1e-15, 0, -1000, 0, -89);
    finish();
}

TEST(softmax_in_single_precision)
{
    static const float x[] = {89, 0};

    begin(DYN_F32);
    const float *p = values(dyn_layer_softmax(g, NUMBERS(x, 2), DYN_NO_NODE));
    CHECK(p[0] == 1 && p[1] < 1e-37f);
    finish();
}

/* ---- attention ---- */

TEST(a_row_that_sees_nothing)
{
    static const double q[] = {.3, -.2}, k[] = {1, 2}, v[] = {1, 3}, mask[] = {0, 0, 1, 1};

    begin(DYN_F64);
    dyn_node a = NUMBERS(q, 2, 1), b = NUMBERS(k, 2, 1), c = NUMBERS(v, 2, 1), m = NUMBERS(mask, 2, 2);
    /* scale 0: equal weights for the row that sees */
    dyn_node out = dyn_layer_scaled_dot_product_attention(g, a, b, c, m, 0, 0, NULL);
    IS(out, 1e-15, 0, 2);
    IS(slope(total(out), c), 1e-15, .5, .5);
    out = dyn_layer_scaled_dot_product_attention(g, a, b, c, m, 0, 1, NULL);
    /* row 1: weights 1 / (1 + e^-s), s = k q differences -.2 */
    const double p = 1 / (1 + exp(-.2));
    IS(out, 1e-15, 0, 3 - 2 * p);
    IS(slope(total(out), a), 1e-15, 0, 2 * p * (1 - p));
    IS(slope(total(out), c), 1e-15, p, 1 - p);
    finish();
}

TEST(causal_mask_begins_at_the_first_key)
{
    static const double q[] = {0, 0, 0}, k[] = {0, 0, 0}, v[] = {1, 2, 3};

    begin(DYN_F64);
    dyn_node three = NUMBERS(q, 3, 1), one = NUMBERS(q, 1, 1), key = NUMBERS(k, 3, 1), value = NUMBERS(v, 3, 1);
    dyn_node key2 = NUMBERS(k, 2, 1), value2 = NUMBERS(v, 2, 1);
    IS(dyn_layer_scaled_dot_product_attention(g, one, key, value, DYN_NO_NODE, 1, NAN, NULL), 0, 1);
    IS(dyn_layer_scaled_dot_product_attention(g, three, key, value, DYN_NO_NODE, 1, NAN, NULL), 1e-15, 1, 1.5, 2);
    IS(dyn_layer_scaled_dot_product_attention(g, three, key2, value2, DYN_NO_NODE, 1, NAN, NULL), 1e-15, 1, 1.5, 1.5);
    IS(dyn_layer_causal_mask(g, 2, 3), 0, 1, 0, 0, 1, 1, 0);
    finish();
}

TEST(causal_and_own_mask)
{
    static const double q[] = {0, 0}, v[] = {1, 2}, mask[] = {0, 1};

    begin(DYN_F64);
    dyn_node a = NUMBERS(q, 2, 1), b = NUMBERS(q, 2, 1), c = NUMBERS(v, 2, 1), m = NUMBERS(mask, 1, 2), weights;
    IS(dyn_layer_scaled_dot_product_attention(g, a, b, c, m, 1, NAN, &weights), 0, 0, 2);
    IS(weights, 0, 0, 0, 0, 1);
    finish();
}

/* f = out^2 with one key: out = v, whatever q and k are. */
TEST(one_key)
{
    static const double q[] = {.3}, k[] = {.7}, v[] = {2}, unit[] = {1};

    begin(DYN_F64);
    dyn_node in[3] = {NUMBERS(q, 1, 1), NUMBERS(k, 1, 1), NUMBERS(v, 1, 1)}, e = NUMBERS(unit, 1, 1), zero, hv[3];
    dyn_node out = dyn_layer_scaled_dot_product_attention(g, in[0], in[1], in[2], DYN_NO_NODE, 0, NAN, NULL);
    dyn_node f = total(dyn_graph_mul(g, out, out));
    zero = dyn_graph_constant(g, 0, 2, (int64_t[]){1, 1});
    IS(out, 0, 2);
    for (int i = 0; i < 3; i++)
        IS(slope(f, in[i]), 0, i == 2 ? 4 : 0);
    for (int i = 0; i < 3; i++) {
        dyn_node v3[3] = {zero, zero, zero};
        v3[i] = e;
        CHECK_OK(ctx, dyn_graph_hvp(g, f, 3, in, v3, hv));
        for (int j = 0; j < 3; j++)
            IS(hv[j], 0, i == 2 && j == 2 ? 2 : 0);
    }
    finish();
}

TEST(fewer_heads_of_keys)
{
    static const double q[4] = {0}, k[2] = {0}, v[] = {10, 20};

    begin(DYN_F64);
    dyn_node a = NUMBERS(q, 1, 4, 1, 1), b = NUMBERS(k, 1, 2, 1, 1), c = NUMBERS(v, 1, 2, 1, 1);
    IS(dyn_layer_scaled_dot_product_attention(g, a, b, c, DYN_NO_NODE, 0, NAN, NULL), 0, 10, 10, 20, 20);
    REFUSED(dyn_layer_scaled_dot_product_attention(g, NUMBERS(q, 1, 3, 1, 1), b, c, DYN_NO_NODE, 0, NAN, NULL),
            DYN_ESHAPE, "dyn_layer_scaled_dot_product_attention");
    finish();
}

TEST(heads_are_runs_of_features)
{
    static const double x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};       /* [1, 3, 4], two heads */

    begin(DYN_F64);
    dyn_node heads = dyn_layer_split_heads(g, NUMBERS(x, 1, 3, 4), 2);
    IS(heads, 0, 0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11);
    IS(dyn_layer_merge_heads(g, heads), 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    REFUSED(dyn_layer_split_heads(g, NUMBERS(x, 1, 3, 4), 3), DYN_EINVAL, "3 heads of 4 features");
    finish();
}

/* ---- positions ---- */

TEST(rotary_pairs)
{
    static const double x[] = {9, 9, 9, 9, 1, 2, 3, 4};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 2, 4);
    IS(dyn_layer_rotary(g, a, 1e4, 0), 1e-5, 9, 9, 9, 9, -1.98411, 1.95990, 2.46238, 4.01980);
    IS(dyn_layer_rotary(g, a, 1e4, 1), 1e-5, 9, 9, 9, 9, -1.14264, 1.92208, 2.95985, 4.02980);
    REFUSED(dyn_layer_rotary(g, NUMBERS(x, 2, 3), 1e4, 0), DYN_ESHAPE, "expected an even number");
    finish();
}

TEST(sinusoidal_positions)
{
    begin(DYN_F64);
    IS(dyn_layer_arange(g, 5), 0, 0, 1, 2, 3, 4);
    IS(dyn_layer_arange(g, 1), 0, 0);
    IS(dyn_layer_sinusoidal(g, 2, 4, 1e4), 1e-15, 0, 1, 0, 1, sin(1), cos(1), sin(.01), cos(.01));
    REFUSED(dyn_layer_arange(g, 0), DYN_EINVAL, "dyn_layer_arange: count is 0");
    finish();
}

/* ---- products and look-up ---- */

TEST(embedding_of_sequences)
{
    static const double table[] = {1, 2, 3, 4, 5, 6};
    static const int64_t ids[] = {2, 0, 1, 1, 0, 0};

    begin(DYN_F64);
    dyn_node t = NUMBERS(table, 3, 2), x = dyn_layer_embedding(g, index_input(ids, 2, (int64_t[]){2, 3}), t);
    IS(x, 0, 5, 6, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2);
    IS(slope(total(x), t), 0, 3, 3, 2, 2, 1, 1);
    finish();
}

TEST(feed_forward_with_a_gate)
{
    static const double x[] = {2}, w[] = {3}, b[] = {1};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 1, 1), m = NUMBERS(w, 1, 1), shift = NUMBERS(b, 1);
    IS(dyn_layer_feed_forward(g, a, m, shift, DYN_NO_NODE, m, shift, DYN_RELU), 0, 22);
    IS(dyn_layer_feed_forward(g, a, m, shift, m, m, DYN_NO_NODE, DYN_SILU), 1e-14, 3 * 7 * 6 / (1 + exp(-6)));
    REFUSED(dyn_layer_linear(g, a, NUMBERS(x, 1), DYN_NO_NODE), DYN_ESHAPE, "w has shape [1], expected 2 axes or more");
    REFUSED(dyn_layer_linear(g, NUMBERS(x, 1), dyn_graph_constant(g, 1, 2, (int64_t[]){2, 1}), DYN_NO_NODE),
            DYN_ESHAPE, "expected w [1, out]");
    IS(dyn_layer_linear(g, NUMBERS(x, 1), m, shift), 0, 7);
    finish();
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(softmax_does_not_overflow);
    RUN(softmax_in_single_precision);
    RUN(a_row_that_sees_nothing);
    RUN(causal_mask_begins_at_the_first_key);
    RUN(causal_and_own_mask);
    RUN(one_key);
    RUN(fewer_heads_of_keys);
    RUN(heads_are_runs_of_features);
    RUN(rotary_pairs);
    RUN(sinusoidal_positions);
    RUN(embedding_of_sequences);
    RUN(feed_forward_with_a_gate);
    dyn_ctx_free(ctx);
    return test_end();
}
