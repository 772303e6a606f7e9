/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Convolution and pooling on small numbers whose results are plain, and the traps in which other libraries were caught:
 * the odd zero of "same", groups in both derivatives, cropping and direction of the transposed kernel, divisors of
 * average pooling, ties of max pooling. */
#include "layer_fixture.h"

static const int64_t same[3] = {DYN_SAME, DYN_SAME, DYN_SAME}, one[3] = {1, 1, 1}, two[3] = {2, 2, 2},
                     three[3] = {3, 3, 3};

static dyn_node conv(dyn_node x, dyn_node w, const int64_t *stride, const int64_t *padding, const int64_t *dilation)
{
    return dyn_layer_conv(g, x, w, DYN_NO_NODE, stride, padding, dilation, 1);
}

/* ---- convolution ---- */

TEST(same_padding_has_the_odd_zero_right)
{
    static const double x[] = {1, 2, 3, 4}, w[] = {1, 1, 1}, v[] = {1, 10};

    begin(DYN_F64);
    IS(conv(NUMBERS(x, 1, 3, 1), NUMBERS(w, 2, 1, 1), NULL, same, NULL), 0, 3, 5, 3);
    IS(conv(NUMBERS(x, 1, 4, 1), NUMBERS(v, 2, 1, 1), NULL, same, three), 0, 30, 41, 2, 3);
    IS(conv(NUMBERS(x, 1, 4, 1), NUMBERS(w, 3, 1, 1), two, same, NULL), 0, 6, 7);
    IS(conv(NUMBERS(x, 1, 4, 1), NUMBERS(w, 3, 1, 1), two, one, NULL), 0, 3, 9);
    finish();
}

/* y_p = sum_k x_{p+k} . w_k over two channels, one axis at a time */
TEST(channels_are_summed_and_fed)
{
    static const double x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 10, 2, 20, 3, 30, 4, 40}, b[] = {.5, 0};

    begin(DYN_F64);     /* x [1, 3, 2], w [2, 2 in, 2 out] */
    IS(dyn_layer_conv(g, NUMBERS(x, 1, 3, 2), NUMBERS(w, 2, 2, 2), NUMBERS(b, 2), NULL, NULL, NULL, 1), 0,
       1 + 4 + 9 + 16 + .5, 300, 3 + 8 + 15 + 24 + .5, 500);
    finish();
}

/* ones of 2 x 2 x 2 on 3 x 3 x 3 numbers 0 .. 26: eight times the mean of the corner numbers */
TEST(two_and_three_axes)
{
    static double x[27];
    static const double w[8] = {1, 1, 1, 1, 1, 1, 1, 1};

    for (int i = 0; i < 27; i++)
        x[i] = i;
    begin(DYN_F64);
    IS(conv(NUMBERS(x, 1, 3, 3, 1), NUMBERS(w, 2, 2, 1, 1), NULL, NULL, NULL), 0, 8, 12, 20, 24);
    IS(conv(NUMBERS(x, 1, 3, 3, 1), NUMBERS(w, 2, 2, 1, 1), two, one, NULL), 0, 0, 3, 9, 24);
    dyn_node y = conv(NUMBERS(x, 1, 3, 3, 3, 1), NUMBERS(w, 2, 2, 2, 1, 1), NULL, NULL, NULL);
    IS(y, 0, 52, 60, 76, 84, 124, 132, 148, 156);
    finish();
}

/* Two groups: the first and the second derivative by w, the second over the blocks of 1/2 |y|^2. */
TEST(groups_and_their_derivatives)
{
    static const double x[] = {1, 4, 2, 5, 3, 6}, w[] = {1, 1, 1, 1}, v[][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}};
    dyn_node h;

    begin(DYN_F64);     /* channels [1,2,3] and [4,5,6]; w [2, 1, 2 out] */
    dyn_node a = NUMBERS(x, 1, 3, 2), k = NUMBERS(w, 2, 1, 2);
    dyn_node y = dyn_layer_conv(g, a, k, DYN_NO_NODE, NULL, NULL, NULL, 2);
    IS(y, 0, 3, 9, 5, 11);
    IS(slope(total(y), k), 0, 3, 9, 5, 11);
    dyn_node f = dyn_graph_scale(g, total(dyn_graph_mul(g, y, y)), .5), d = NUMBERS(v[0], 2, 1, 2);
    CHECK_OK(ctx, dyn_graph_hvp(g, f, 1, &k, &d, &h));
    IS(h, 0, 5, 0, 8, 0);
    d = NUMBERS(v[1], 2, 1, 2);
    CHECK_OK(ctx, dyn_graph_hvp(g, f, 1, &k, &d, &h));
    IS(h, 0, 0, 41, 0, 50);
    finish();
}

/* Four channels in, two groups: no group sees the other's channels. */
TEST(groups_of_several_channels)
{
    static const double x[] = {1, 2, 3, 4}, w[] = {1, 3, 2, 4};     /* w [1, 2, 2]: out 0 = x0 + 2 x1, out 1 = 3 x2 + 4 x3 */

    begin(DYN_F64);
    IS(dyn_layer_conv(g, NUMBERS(x, 1, 1, 4), NUMBERS(w, 1, 2, 2), DYN_NO_NODE, NULL, NULL, NULL, 2), 0, 5, 25);
    IS(dyn_layer_conv_transpose(g, NUMBERS(x, 1, 1, 4), NUMBERS(w, 1, 2, 2), DYN_NO_NODE, NULL, NULL, NULL, 2, NULL),
       0, 5, 25);
    finish();
}

TEST(refused_convolutions)
{
    static const double x[6] = {0}, w[8] = {0};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 1, 3, 2);
    REFUSED(conv(a, NUMBERS(w, 2, 1, 2), NULL, NULL, NULL), DYN_ESHAPE, "expected x [n, .., channels] and w [k.., 2, out]");
    REFUSED(conv(a, NUMBERS(w, 4, 2, 1), NULL, NULL, NULL), DYN_ESHAPE, "3 elements and 0 zeros, a window reaches over 4");
    REFUSED(conv(a, NUMBERS(w, 2, 2, 2, 1), NULL, NULL, NULL), DYN_ESHAPE, "x has shape [1, 3, 2]");
    REFUSED(dyn_layer_conv(g, a, NUMBERS(w, 2, 2, 2), DYN_NO_NODE, NULL, NULL, NULL, 3), DYN_EINVAL,
            "3 groups of 2 channels in, 2 out");
    REFUSED(conv(a, NUMBERS(w, 2, 2, 2), (int64_t[]){0}, NULL, NULL), DYN_EINVAL, "stride 0");
    finish();
}

/* ---- transposed ---- */

TEST(transposed_convolution)
{
    static const double x[] = {1, 2}, w[] = {1, 1, 1}, v[] = {1, 2, 3};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 1, 2, 1), ones = NUMBERS(w, 3, 1, 1);
    IS(dyn_layer_conv_transpose(g, a, ones, DYN_NO_NODE, two, one, one, 1, NULL), 0, 1, 3, 2, 2);
    IS(dyn_layer_conv_transpose(g, a, NUMBERS(v, 3, 1, 1), DYN_NO_NODE, NULL, NULL, NULL, 1, NULL), 0, 1, 4, 7, 6);
    REFUSED(dyn_layer_conv_transpose(g, a, ones, DYN_NO_NODE, two, one, two, 1, NULL), DYN_EINVAL,
            "output_padding 2 must be below 2");
    finish();
}

/* <conv(x), y> = <x, transposed(y)> in two axes, several channels, stride, dilation and padding. */
TEST(transposed_is_the_adjoint)
{
    static double x[2 * 7 * 8 * 2], y[2 * 4 * 3 * 3], w[2 * 3 * 2 * 3], back[2 * 3 * 3 * 2];
    const int64_t stride[] = {2, 2}, padding[] = {1, 0}, dilation[] = {2, 1}, more[] = {0, 1};

    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = sin((double)i);
    for (size_t i = 0; i < sizeof y / sizeof *y; i++)
        y[i] = cos(3 * (double)i);
    for (int i = 0; i < 36; i++) {
        w[i] = sin(2 * i + 1);
        back[i / 6 * 6 + i % 3 * 2 + i / 3 % 2] = w[i];
    }
    begin(DYN_F64);     /* the adjoint's kernel has in and out exchanged */
    dyn_node a = NUMBERS(x, 2, 7, 8, 2), b = NUMBERS(y, 2, 4, 3, 3);
    dyn_node f = dyn_layer_conv(g, a, NUMBERS(w, 2, 3, 2, 3), DYN_NO_NODE, stride, padding, dilation, 1);
    dyn_node t = dyn_layer_conv_transpose(g, b, NUMBERS(back, 2, 3, 3, 2), DYN_NO_NODE, stride, padding, more, 1,
                                          dilation);
    IS(dyn_graph_sub(g, total(dyn_graph_mul(g, f, b)), total(dyn_graph_mul(g, a, t))), 1e-13, 0);
    finish();
}

/* ---- pooling ---- */

TEST(average_divides_by_what_is_there)
{
    static const double x[] = {1, 2, 3, 4, 5};
    dyn_node ones;

    begin(DYN_F64);
    IS(dyn_layer_avg_pool(g, NUMBERS(x, 1, 5, 1), two, NULL, NULL, 1, 1), 0, 1.5, 3.5, 5);
    IS(dyn_layer_avg_pool(g, NUMBERS(x, 1, 5, 1), two, NULL, NULL, 0, 1), 0, 1.5, 3.5);
    ones = dyn_graph_constant(g, 1, 4, (int64_t[]){1, 6, 6, 1});
    const double third = 1 / 3.;
    IS(dyn_layer_avg_pool(g, ones, three, two, one, 1, 1), 1e-15, 4 / 9., 2 * third, 2 * third, third,
       2 * third, 1, 1, .5, 2 * third, 1, 1, .5, third, .5, .5, .25);
    IS(dyn_layer_avg_pool(g, ones, three, two, one, 1, 0), 1e-15, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    finish();
}

TEST(the_first_maximum_has_the_derivative)
{
    static const double tie[] = {2, 2, 2, 2}, x[] = {1, 3, 2}, v[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    dyn_node h;

    begin(DYN_F64);
    dyn_node t = NUMBERS(tie, 1, 2, 2, 1), a = NUMBERS(x, 1, 3, 1);
    IS(slope(total(dyn_layer_max_pool(g, t, two, NULL, NULL, NULL, 0)), t), 0, 1, 0, 0, 0);
    dyn_node y = dyn_layer_max_pool(g, a, two, one, NULL, NULL, 0), f = total(dyn_graph_mul(g, y, y));
    IS(y, 0, 3, 3);
    for (int i = 0; i < 3; i++) {
        dyn_node d = NUMBERS(v[i], 1, 3, 1);
        CHECK_OK(ctx, dyn_graph_hvp(g, f, 1, &a, &d, &h));
        IS(h, 0, 0, i == 1 ? 4 : 0, 0);
    }
    finish();
}

TEST(padding_is_no_maximum)
{
    static const double x[] = {-1, -2, -3, -4};

    begin(DYN_F64);
    dyn_node a = NUMBERS(x, 1, 4, 1);
    IS(dyn_layer_max_pool(g, a, three, two, one, NULL, 0), 0, -1, -2);
    IS(dyn_layer_max_pool(g, a, two, NULL, NULL, two, 1), 0, -1, -3);
    REFUSED(dyn_layer_max_pool(g, a, two, NULL, two, NULL, 0), DYN_EINVAL, "padding 2, expected 0 to half the size 2");
    finish();
}

TEST(adaptive)
{
    static const double x[] = {1, 5, 2, 4, 3};

    begin(DYN_F64);     /* windows of 5 in 3: 0-1, 1-3, 3-4 */
    dyn_node a = NUMBERS(x, 1, 5, 1);
    IS(dyn_layer_adaptive_avg_pool(g, a, three), 1e-15, 3, 11 / 3., 3.5);
    IS(dyn_layer_adaptive_max_pool(g, a, three), 0, 5, 5, 4);
    IS(dyn_layer_adaptive_avg_pool(g, a, one), 1e-15, 3);
    IS(dyn_layer_adaptive_max_pool(g, NUMBERS(x, 1, 2, 2, 1), one), 0, 5);
    REFUSED(dyn_layer_adaptive_avg_pool(g, a, (int64_t[]){0}), DYN_EINVAL, "axis 0: 0 outputs");
    finish();
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(same_padding_has_the_odd_zero_right);
    RUN(channels_are_summed_and_fed);
    RUN(two_and_three_axes);
    RUN(groups_and_their_derivatives);
    RUN(groups_of_several_channels);
    RUN(refused_convolutions);
    RUN(transposed_convolution);
    RUN(transposed_is_the_adjoint);
    RUN(average_divides_by_what_is_there);
    RUN(the_first_maximum_has_the_derivative);
    RUN(padding_is_no_maximum);
    RUN(adaptive);
    dyn_ctx_free(ctx);
    return test_end();
}
