/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays in memory and what is done to them, against closed forms. */
#include "data_util.h"

static dyn_ctx *ctx;

static dyn_array *make(int32_t dtype, int64_t rows, int64_t columns, const void *data)
{
    dyn_array *a = NULL;

    CHECK_OK(ctx, dyn_array_create(ctx, dtype, 2, (int64_t[]){ rows, columns }, data, &a));
    return a;
}

#define CHECK_FAILS(call, code, part)                                       \
    do {                                                                    \
        dyn_array *out_ = (dyn_array *)&ctx, **out = &out_;                 \
        CHECK((call) == (code));                                            \
        CHECK(out_ == NULL);                                                \
        CHECK_STR(dyn_ctx_message(ctx), part);                              \
    } while (0)

TEST(create_copies_wrap_does_not)
{
    double data[6] = { 1, 2, 3, 4, 5, 6 };
    int64_t shape[2] = { 2, 3 };
    dyn_array *a, *b;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, shape, data, &a));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, shape, data, &b));
    data[4] = 50;
    shape[0] = 50;
    CHECK(element(a, 4) == 5 && element(b, 4) == 50);
    CHECK(dyn_array_data(b) == data && dyn_array_size(a) == 6 && dyn_array_dtype(a) == DYN_F64);
    CHECK_SHAPE(a, 2, 3);
    CHECK(dyn_array_ref(a) == a);
    dyn_array_unref(a);
    CHECK(element(a, 0) == 1);
    dyn_array_unref(a);
    dyn_array_unref(b);
}

TEST(arrays_without_elements_and_without_axes)
{
    int64_t empty[3] = { 4, 0, 5 };
    double one = 7;
    dyn_array *a, *b;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F32, 3, empty, NULL, &a));
    CHECK(dyn_array_size(a) == 0);
    CHECK_OK(ctx, dyn_array_slice(a, 0, 1, 2, &b));
    CHECK_SHAPE(b, 2, 0, 5);
    dyn_array_unref(b);
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 0, NULL, &one, &a));
    CHECK(dyn_array_size(a) == 1 && dyn_array_rank(a) == 0 && element(a, 0) == 7);
    CHECK_FAILS(dyn_array_slice(a, 0, 0, 1, out), DYN_EINVAL, "dyn_array_slice: axis 0 of an array of rank 0");
    CHECK_FAILS(dyn_array_take(a, 0, NULL, out), DYN_ESHAPE, "rank 0");
    dyn_array_unref(a);
}

TEST(create_rejects)
{
    int64_t shape[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, negative[2] = { 3, -2 }, large[2] = { INT64_C(1) << 40, 1 << 22 };
    int64_t hollow[3] = { 0, INT64_C(1) << 62, INT64_C(1) << 62 };
    double x = 0;

    CHECK_FAILS(dyn_array_create(ctx, 4, 1, shape, &x, out), DYN_EDTYPE, "dyn_array_create: element type 4");
    CHECK_FAILS(dyn_array_create(ctx, -1, 1, shape, &x, out), DYN_EDTYPE, "-1");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 9, shape, &x, out), DYN_ESHAPE, "rank 9");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, -1, shape, &x, out), DYN_ESHAPE, "rank -1");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 2, negative, &x, out), DYN_ESHAPE, "axis 1 has the negative length -2");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 2, large, &x, out), DYN_ESHAPE, "too large");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 3, hollow, &x, out), DYN_ESHAPE, "too large");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 1, NULL, &x, out), DYN_EINVAL, "shape is NULL");
    CHECK_FAILS(dyn_array_create(ctx, DYN_F64, 1, shape, NULL, out), DYN_EINVAL, "data is NULL");
    CHECK_FAILS(dyn_array_wrap(ctx, DYN_F64, 1, shape, NULL, out), DYN_EINVAL, "dyn_array_wrap: data is NULL");
    CHECK(dyn_array_create(NULL, DYN_F64, 1, shape, &x, NULL) == DYN_EINVAL);
    CHECK(dyn_array_dtype(NULL) == DYN_EINVAL && dyn_array_size(NULL) == 0 && !dyn_array_data(NULL));
    dyn_array_unref(NULL);
}

TEST(convert_keeps_numbers)
{
    int64_t big = (INT64_C(1) << 53) + 1, halfway = (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1;
    double values[4] = { 3, -4, 0.5, NAN };
    dyn_array *a = make(DYN_F64, 1, 4, values), *b, *c;

    CHECK_OK(ctx, dyn_array_convert(a, DYN_F64, &b));
    CHECK(b == a);
    dyn_array_unref(b);
    CHECK_OK(ctx, dyn_array_convert(a, DYN_F32, &b));
    CHECK(element(b, 2) == 0.5 && isnan(element(b, 3)));
    dyn_array_unref(b);
    CHECK_FAILS(dyn_array_convert(a, DYN_I64, out), DYN_EINVAL, "dyn_array_convert: element 2 is 0.5");
    CHECK_FAILS(dyn_array_convert(a, 7, out), DYN_EDTYPE, "element type 7");
    CHECK_OK(ctx, dyn_array_slice(a, 1, 0, 2, &b));
    CHECK_OK(ctx, dyn_array_convert(b, DYN_I64, &c));
    CHECK(element(c, 1) == -4);
    dyn_array_unref(c);
    dyn_array_unref(b);
    dyn_array_unref(a);
    values[0] = 0x1p63;
    a = make(DYN_F64, 1, 1, values);
    CHECK_FAILS(dyn_array_convert(a, DYN_I64, out), DYN_EINVAL, "9.22337e+18");
    dyn_array_unref(a);
    a = make(DYN_I64, 1, 1, &big);
    CHECK_OK(ctx, dyn_array_convert(a, DYN_F64, &b));
    CHECK(element(b, 0) == 0x1p53);     /* halfway, to even */
    dyn_array_unref(a);
    dyn_array_unref(b);
    a = make(DYN_I64, 1, 1, &halfway);
    CHECK_OK(ctx, dyn_array_convert(a, DYN_F32, &b));
    /* Through double it would be rounded twice, to 2^60. So do the instructions that valgrind emulates. */
    CHECK(element(b, 0) == 0x1p60 + 0x1p37 || (double)(float)*(const volatile int64_t *)&halfway == 0x1p60);
    dyn_array_unref(a);
    dyn_array_unref(b);
}

TEST(reshape_shares)
{
    int64_t data[6] = { 0, 1, 2, 3, 4, 5 }, flat[1] = { 6 }, wrong[2] = { 4, 2 };
    dyn_array *a = make(DYN_I64, 2, 3, data), *b;
    const void *elements = dyn_array_data(a);

    CHECK_FAILS(dyn_array_reshape(a, 2, wrong, out), DYN_ESHAPE, "8 elements, the array 6");
    CHECK_OK(ctx, dyn_array_reshape(a, 1, flat, &b));
    dyn_array_unref(a);
    CHECK(dyn_array_data(b) == elements && element(b, 5) == 5);
    dyn_array_unref(b);
}

TEST(linspace_hits_both_ends)
{
    dyn_array *a;

    CHECK_OK(ctx, dyn_array_linspace(ctx, DYN_F64, -1, 0.3, 14, &a));
    CHECK(element(a, 0) == -1 && element(a, 13) == 0.3);
    for (int i = 0; i < 14; i++)
        CHECK_NEAR(element(a, i), -1 + i * 0.1, 1e-15);
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_linspace(ctx, DYN_F32, 2, 5, 1, &a));
    CHECK_SHAPE(a, 1);
    CHECK(element(a, 0) == 2);
    dyn_array_unref(a);
    CHECK_FAILS(dyn_array_linspace(ctx, DYN_I64, 0, 1, 2, out), DYN_EDTYPE, "int64");
    CHECK_FAILS(dyn_array_linspace(ctx, DYN_F64, 0, 1, 0, out), DYN_EINVAL, "n is 0");
    CHECK_FAILS(dyn_array_linspace(ctx, DYN_F64, 0, NAN, 2, out), DYN_ENONFINITE, "last is nan");
}

TEST(slice_and_take)
{
    int64_t data[24], index[3] = { 1, 0, 1 }, outside[2] = { 0, 2 };
    dyn_array *a, *b;

    for (int i = 0; i < 24; i++)
        data[i] = i;
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_I64, 3, (int64_t[]){ 2, 3, 4 }, data, &a));
    CHECK_OK(ctx, dyn_array_slice(a, 1, 1, 2, &b));
    CHECK_SHAPE(b, 2, 2, 4);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 8; j++)
            CHECK(element(b, i * 8 + j) == i * 12 + 4 + j);
    dyn_array_unref(b);
    CHECK_OK(ctx, dyn_array_slice(a, 2, 3, 1, &b));
    CHECK(element(b, 0) == 3 && element(b, 5) == 23);
    dyn_array_unref(b);
    CHECK_OK(ctx, dyn_array_take(a, 3, index, &b));
    CHECK_SHAPE(b, 3, 3, 4);
    for (int i = 0; i < 36; i++)
        CHECK(element(b, i) == (i / 12 == 1 ? i % 12 : 12 + i % 12));
    dyn_array_unref(b);
    CHECK_FAILS(dyn_array_slice(a, 1, 2, 2, out), DYN_ESHAPE, "2 places from 2 on leave axis 1 of length 3");
    CHECK_FAILS(dyn_array_slice(a, 1, -1, 2, out), DYN_ESHAPE, "from -1");
    CHECK_FAILS(dyn_array_slice(a, 1, 1, INT64_MAX, out), DYN_ESHAPE, "leave");
    CHECK_FAILS(dyn_array_slice(a, 3, 0, 1, out), DYN_EINVAL, "axis 3");
    CHECK_FAILS(dyn_array_take(a, 2, outside, out), DYN_EINVAL, "index 1 is 2, but there are 2 rows");
    CHECK_FAILS(dyn_array_take(a, 2, NULL, out), DYN_EINVAL, "NULL");
    dyn_array_unref(a);
}

TEST(split_divides_alike)
{
    int64_t rows[20], labels[10], seen[10] = { 0 };
    dyn_array *x, *y, *x1, *x2, *y1, *y2;
    int moved = 0;

    for (int i = 0; i < 10; i++)
        rows[2 * i] = rows[2 * i + 1] = labels[i] = i;
    x = make(DYN_I64, 10, 2, rows);
    y = make(DYN_I64, 10, 1, labels);
    CHECK_OK(ctx, dyn_array_split(x, 5, 7, &x1, &x2));
    CHECK_OK(ctx, dyn_array_split(y, 5, 7, &y1, &y2));
    CHECK_SHAPE(x1, 7, 2);
    CHECK_SHAPE(x2, 3, 2);
    for (int i = 0; i < 10; i++) {
        double label = i < 7 ? element(y1, i) : element(y2, i - 7);
        CHECK(label == (i < 7 ? element(x1, 2 * i + 1) : element(x2, 2 * (i - 7))));
        seen[(int)label]++;
        moved += label != i;
    }
    for (int i = 0; i < 10; i++)
        CHECK(seen[i] == 1);
    CHECK(moved > 0);
    dyn_array_unref(x1);
    dyn_array_unref(y1);
    CHECK(dyn_array_split(x, 5, 11, &x1, &y1) == DYN_EINVAL && !x1 && !y1);
    CHECK_STR(dyn_ctx_message(ctx), "count is 11, but there are 10 rows");
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_array_unref(x2);
    dyn_array_unref(y2);
}

TEST(standardise_columns)
{
    /* columns: 1..4 (mean 2.5, variance 1.25), constant, 0.1 added often enough to round */
    double data[12] = { 1, 0.1, -8, 2, 0.1, 0, 3, 0.1, 8, 4, 0.1, 0 };
    double offset[3] = { 2.5, 0.1, 0 }, scale[3] = { sqrt(1.25), 1, sqrt(32) };
    dyn_array *a = make(DYN_F64, 4, 3, data), *mean, *std, *b, *c;

    CHECK_OK(ctx, dyn_array_standardise(a, DYN_MOMENTS_COLUMNS, &mean, &std, &b));
    CHECK_SHAPE(mean, 3);
    for (int c1 = 0; c1 < 3; c1++) {
        CHECK_NEAR(element(mean, c1), offset[c1], 1e-15);
        CHECK_NEAR(element(std, c1), scale[c1], 1e-15);
        for (int r = 0; r < 4; r++)
            CHECK_NEAR(element(b, 3 * r + c1), (data[3 * r + c1] - offset[c1]) / scale[c1], 1e-15);
    }
    CHECK(element(b, 1) == 0 && element(std, 1) == 1);
    CHECK_OK(ctx, dyn_array_rescale(a, mean, std, &c));
    CHECK(!memcmp(dyn_array_data(b), dyn_array_data(c), sizeof data));
    dyn_array_unref(a);
    dyn_array_unref(b);
    dyn_array_unref(c);
    dyn_array_unref(mean);
    dyn_array_unref(std);
}

TEST(standardise_whole)
{
    int64_t data[4] = { 0, 0, 2, 2 };
    float single[2] = { 1, 3 };
    dyn_array *a = make(DYN_I64, 2, 2, data), *mean, *b;

    CHECK_OK(ctx, dyn_array_standardise(a, DYN_MOMENTS_WHOLE, &mean, NULL, &b));
    CHECK(dyn_array_dtype(b) == DYN_F64 && dyn_array_size(mean) == 1 && element(mean, 0) == 1);
    CHECK(element(b, 0) == -1 && element(b, 3) == 1);
    dyn_array_unref(a);
    dyn_array_unref(b);
    a = make(DYN_F32, 2, 1, single);
    CHECK_OK(ctx, dyn_array_standardise(a, DYN_MOMENTS_COLUMNS, NULL, NULL, &b));
    CHECK(dyn_array_dtype(b) == DYN_F32 && element(b, 1) == 1);
    CHECK_FAILS(dyn_array_standardise(a, 2, NULL, NULL, out), DYN_EINVAL, "over is 2");
    CHECK_FAILS(dyn_array_rescale(a, b, b, out), DYN_EDTYPE, "mean is float32");
    dyn_array_unref(b);
    dyn_array_unref(a);
    dyn_array_unref(mean);
}

TEST(standardise_far_from_one)
{
    static const double sizes[3] = { 1e-300, 1e150, 1e300 };

    for (int k = 0; k < 3; k++) {
        double data[4] = { -sizes[k], sizes[k], 3 * sizes[k], 5 * sizes[k] };
        dyn_array *a = make(DYN_F64, 4, 1, data), *mean, *std, *b;

        CHECK_OK(ctx, dyn_array_standardise(a, DYN_MOMENTS_COLUMNS, &mean, &std, &b));
        CHECK_NEAR(element(mean, 0) / sizes[k], 2, 1e-14);
        CHECK_NEAR(element(std, 0) / sizes[k], sqrt(5), 1e-14);
        CHECK_NEAR(element(b, 3), 3 / sqrt(5), 1e-14);
        dyn_array_unref(a);
        dyn_array_unref(b);
        dyn_array_unref(mean);
        dyn_array_unref(std);
    }
}

TEST(standardise_rejects)
{
    double data[2] = { 1, INFINITY }, zero = 0, pair[2] = { 1, 1 };
    dyn_array *a = make(DYN_F64, 1, 2, data), *z = make(DYN_F64, 1, 1, &zero), *p = make(DYN_F64, 2, 1, pair);
    dyn_array *three = make(DYN_F64, 1, 3, (double[]){ 1, 2, 3 });

    CHECK_FAILS(dyn_array_standardise(a, 0, NULL, NULL, out), DYN_ENONFINITE, "element 1 is inf");
    CHECK_FAILS(dyn_array_rescale(a, z, z, out), DYN_EINVAL, "std 0 is 0");
    CHECK_FAILS(dyn_array_rescale(three, p, p, out), DYN_ESHAPE, "mean has 2 and std 2 elements, the array 3 columns");
    dyn_array_unref(a);
    dyn_array_unref(z);
    dyn_array_unref(p);
    dyn_array_unref(three);
}

TEST(one_hot_rows)
{
    int64_t labels[3] = { 2, 0, 1 }, bad[2] = { 1, 3 };
    float real[2] = { 1, 0.5f };
    dyn_array *a = make(DYN_I64, 3, 1, labels), *b;

    for (int32_t dtype = DYN_F64; dtype <= DYN_I64; dtype++) {
        CHECK_OK(ctx, dyn_array_one_hot(a, 3, dtype, &b));
        CHECK_SHAPE(b, 3, 3);
        for (int i = 0; i < 9; i++)
            CHECK(element(b, i) == (i % 3 == labels[i / 3]));
        dyn_array_unref(b);
    }
    CHECK_FAILS(dyn_array_one_hot(a, 0, DYN_F64, out), DYN_EINVAL, "classes is 0");
    CHECK_FAILS(dyn_array_one_hot(a, 3, 9, out), DYN_EDTYPE, "9");
    dyn_array_unref(a);
    a = make(DYN_I64, 2, 1, bad);
    CHECK_FAILS(dyn_array_one_hot(a, 3, DYN_F64, out), DYN_EINVAL, "label 1 is 3, not an integer in [0, 3)");
    dyn_array_unref(a);
    a = make(DYN_F32, 2, 1, real);
    CHECK_FAILS(dyn_array_one_hot(a, 3, DYN_F64, out), DYN_EINVAL, "label 1 is 0.5");
    dyn_array_unref(a);
}

TEST(order_is_a_permutation_of_seed_and_epoch)
{
    int64_t a[101], b[101], seen[101] = { 0 };

    CHECK_OK(ctx, dyn_data_order(ctx, 3, 7, 101, a));
    for (int i = 0; i < 101; i++)
        CHECK(a[i] >= 0 && a[i] < 101 && !seen[a[i]]++);
    CHECK_OK(ctx, dyn_data_order(ctx, 3, 7, 101, b));
    CHECK(!memcmp(a, b, sizeof a));
    CHECK_OK(ctx, dyn_data_order(ctx, 3, 8, 101, b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_OK(ctx, dyn_data_order(ctx, 4, 7, 101, b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(dyn_data_order(ctx, 3, -1, 101, b) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_data_order: epoch -1");
    CHECK(dyn_data_order(ctx, 3, INT64_C(1) << 32, 101, b) == DYN_EINVAL);
    CHECK(dyn_data_order(ctx, 3, 0, 2, NULL) == DYN_EINVAL);
    CHECK_OK(ctx, dyn_data_order(ctx, 3, 0, 0, NULL));
}

TEST(batches_in_an_epoch)
{
    static const struct { int64_t n, batch; int32_t drop; int64_t count; } rows[] = {
        { 100, 0, 0, 1 }, { 100, 0, 1, 1 }, { 100, 100, 1, 1 }, { 100, 128, 1, 1 }, { 100, 32, 0, 4 },
        { 100, 32, 1, 3 },
        { 96, 32, 0, 3 }, { 96, 32, 1, 3 }, { 0, 32, 0, 0 }, { -4, 32, 0, 0 }, { 5, -1, 0, 0 },
        { INT64_MAX, 1, 0, INT64_MAX },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(dyn_data_batches(rows[i].n, rows[i].batch, rows[i].drop) == rows[i].count);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(create_copies_wrap_does_not);
    RUN(arrays_without_elements_and_without_axes);
    RUN(create_rejects);
    RUN(convert_keeps_numbers);
    RUN(reshape_shares);
    RUN(linspace_hits_both_ends);
    RUN(slice_and_take);
    RUN(split_divides_alike);
    RUN(standardise_columns);
    RUN(standardise_whole);
    RUN(standardise_far_from_one);
    RUN(standardise_rejects);
    RUN(one_hot_rows);
    RUN(order_is_a_permutation_of_seed_and_epoch);
    RUN(batches_in_an_epoch);
    dyn_ctx_free(ctx);
    return test_end();
}
