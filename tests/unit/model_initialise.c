/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Initialisation: mean, spread and range of every kind against its formula, orthonormality, independence of tensors,
 * copies, options and what is refused; every allocation that can fail. */
#include "tests/test.h"

#include <stdlib.h>
#include <dyn/convolutional.h>
#include <dyn/model.h>

/* widths 300-400-100-2: fans of layer 2 are 400 and 100. */
enum { IN = 300, WIDE = 400, NARROW = 100, OUT = 2, LAYERS = 3 };
enum { W2 = IN * WIDE + WIDE, B2 = W2 + WIDE * NARROW, W3 = B2 + NARROW, SIZE = W3 + NARROW * OUT + OUT };

static dyn_ctx *ctx;
static dyn_model *model;
static double theta[SIZE];

static void draw(const dyn_init_options *opt)
{
    CHECK_OK(ctx, dyn_model_initialise(model, opt, theta));
}

static double deviation(int64_t n, const double *v)
{
    double sum = 0, square = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
        square += v[i] * v[i];
    }
    CHECK(fabs(sum / (double)n) < 5 * sqrt(square / (double)n) / sqrt((double)n));
    return sqrt(square / (double)n);
}

static double largest(int64_t n, const double *v)
{
    double m = 0;

    for (int64_t i = 0; i < n; i++)
        m = fmax(m, fabs(v[i]));
    return m;
}

/* ---- sizes ---- */

TEST(normal_kinds)
{
    static const struct { int32_t kind; double scale, std; } c[] = {
        {DYN_INIT_NORMAL, 0.3, 0.3},
        {DYN_INIT_POWER, 0.5, 0.05},                  /* 400^-1/2 */
        {DYN_INIT_WIDTH_POWER, 1, 0.0025},            /* 400^-1 */
        {DYN_INIT_LECUN, 1, 0.05},
        {DYN_INIT_LECUN, 2, 0.1},
        {DYN_INIT_XAVIER, 1, 0.063245553203367587},    /* sqrt(2/500) */
        {DYN_INIT_HE, 1, 0.070710678118654752},        /* sqrt(2/400) */
    };

    for (size_t k = 0; k < sizeof c / sizeof c[0]; k++) {
        dyn_init_options opt = DYN_INIT_OPTIONS_INIT;
        opt.kind = c[k].kind;
        opt.scale = c[k].scale;
        draw(&opt);
        /* five standard errors of 40000 and of 100 draws */
        CHECK(fabs(deviation(WIDE * NARROW, theta + W2) / c[k].std - 1) < 0.018);
        CHECK(fabs(deviation(NARROW, theta + B2) / c[k].std - 1) < 0.36);
        CHECK(largest(WIDE * NARROW, theta + W2) > 3.5 * c[k].std);
    }
}

TEST(uniform_kinds)
{
    static const struct { int32_t kind; double scale, half; } c[] = {
        {DYN_INIT_DEFAULT, 1, 0.05},
        {DYN_INIT_DEFAULT, 3, 0.15},
        {DYN_INIT_UNIFORM, 0.7, 0.7},
        {DYN_INIT_XAVIER_UNIFORM, 1, 0.10954451150103323},      /* sqrt(6/500) */
        {DYN_INIT_UNIFORM_POWER, 0.5, 0.12247448713915890},     /* sqrt(6/400) */
        {DYN_INIT_UNIFORM_POWER, 1, 0.015},                     /* 6/400 */
    };

    for (size_t k = 0; k < sizeof c / sizeof c[0]; k++) {
        dyn_init_options opt = DYN_INIT_OPTIONS_INIT;
        opt.kind = c[k].kind;
        opt.scale = c[k].scale;
        draw(&opt);
        const double most = largest(WIDE * NARROW, theta + W2);
        CHECK(most <= c[k].half && most > 0.999 * c[k].half);
        CHECK(fabs(deviation(WIDE * NARROW, theta + W2) / (c[k].half / sqrt(3)) - 1) < 0.012);
        CHECK(largest(NARROW, theta + B2) <= c[k].half);
    }
}

TEST(zero)
{
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    opt.kind = DYN_INIT_ZERO;
    draw(&opt);
    CHECK(largest(SIZE, theta) == 0);
}

/* ---- identity ---- */

TEST(identity)
{
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    opt.kind = DYN_INIT_IDENTITY;
    opt.scale = -2;
    draw(&opt);
    for (int64_t i = 0; i < WIDE; i++)
        for (int64_t j = 0; j < NARROW; j++)
            CHECK(theta[W2 + i * NARROW + j] == (i == j ? -2 : 0));
    CHECK(largest(NARROW, theta + B2) == 0);
}

/* A 3 x 3 kernel from 2 channels to 3: both go through at its middle. */
TEST(identity_of_a_convolution)
{
    dyn_cnn_options cnn = DYN_CNN_OPTIONS_INIT;
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;
    dyn_model *m = NULL;
    double t[1000];

    cnn.input = (int64_t[]){4, 4, 2};
    cnn.convolutions = 1;
    cnn.channels = (int64_t[]){3};
    opt.kind = DYN_INIT_IDENTITY;
    CHECK_OK(ctx, dyn_model_cnn(ctx, &cnn, &m));
    CHECK(dyn_model_size(m) <= 1000);
    CHECK_OK(ctx, dyn_model_initialise(m, &opt, t));
    for (int k = 0; k < 9 * 2 * 3; k++)
        CHECK(t[k] == (k == 4 * 6 || k == 4 * 6 + 4));
    dyn_model_unref(m);
}

/* ---- orthogonal ---- */

/* |Q^T Q - scale^2 I| where the vectors are columns (or rows) of the matrix [rows, cols]. */
static double gram_error(const double *a, int64_t rows, int64_t cols, double scale)
{
    const int64_t count = rows < cols ? rows : cols, length = rows < cols ? cols : rows;
    const int64_t step = rows < cols ? 1 : cols, next = rows < cols ? cols : 1;
    double worst = 0;

    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j <= i; j++) {
            double s = 0;
            for (int64_t k = 0; k < length; k++)
                s += a[i * next + k * step] * a[j * next + k * step];
            worst = fmax(worst, fabs(s - (i == j ? scale * scale : 0)));
        }
    return worst;
}

TEST(orthogonal)
{
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    opt.kind = DYN_INIT_ORTHOGONAL;
    draw(&opt);
    CHECK(gram_error(theta, IN, WIDE, 1) < 1e-13);              /* rows */
    CHECK(gram_error(theta + W2, WIDE, NARROW, 1) < 1e-13);     /* columns */
    CHECK(largest(NARROW, theta + B2) == 0);
    deviation(WIDE * NARROW, theta + W2);                       /* no preferred sign */
    opt.scale = 1.5;
    draw(&opt);
    CHECK(gram_error(theta + W3, NARROW, OUT, 1.5) < 1e-13);
}

/* ---- what depends on what ---- */

TEST(seeds_and_tensors)
{
    static double first[SIZE];
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;
    double scales[LAYERS] = {0.1, 0.2, 0.3};

    opt.kind = DYN_INIT_NORMAL;
    opt.scale = 0.1;
    opt.seed = 5;
    draw(&opt);
    memcpy(first, theta, sizeof first);
    draw(&opt);
    CHECK(!memcmp(first, theta, sizeof first));
    CHECK(theta[0] != theta[W2] && theta[W2] != theta[B2]);
    opt.layers = LAYERS;
    opt.layer_scale = scales;
    draw(&opt);
    CHECK(!memcmp(first, theta, W2 * sizeof *theta));
    for (int i = W2; i < W3; i++)       /* weights and biases of layer 2 */
        CHECK_NEAR(theta[i], 2 * first[i], 1e-15);
    CHECK_NEAR(theta[W3], 3 * first[W3], 1e-15);
    opt.seed = 6;
    draw(&opt);
    CHECK(theta[0] != first[0]);
}

TEST(biases_of_another_kind)
{
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    opt.kind = DYN_INIT_HE;
    opt.bias_kind = DYN_INIT_ZERO;
    draw(&opt);
    CHECK(largest(NARROW, theta + B2) == 0 && theta[W2] != 0 && theta[SIZE - 1] == 0);
    opt.bias_kind = DYN_INIT_UNIFORM;
    opt.bias_scale = 1e-3;
    draw(&opt);
    CHECK(largest(NARROW, theta + B2) <= 1e-3 && largest(NARROW, theta + B2) > 9e-4);
    opt = (dyn_init_options)DYN_INIT_OPTIONS_INIT;
    opt.kind = DYN_INIT_CONSTANT;
    opt.scale = 2;
    opt.bias_kind = DYN_INIT_AS_WEIGHTS;        /* nothing of bias_scale */
    draw(&opt);
    CHECK(theta[W2] == 2 && theta[B2] == 2);
    opt.bias_kind = DYN_INIT_DEFAULT;           /* 0 is that kind, not that of the weights */
    draw(&opt);
    CHECK(theta[W2] == 2 && theta[B2] != 2 && fabs(theta[B2]) <= 1 / sqrt((double)WIDE));
}

TEST(no_options_are_the_defaults)
{
    static double first[SIZE];
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    draw(NULL);
    memcpy(first, theta, sizeof first);
    draw(&opt);
    CHECK(!memcmp(first, theta, sizeof first));
}

/* ---- groups ---- */

/* The last group that takes a tensor counts; the others are as without. */
TEST(groups)
{
    static double plain[SIZE];
    const dyn_init_group group[2] = {{"*2", DYN_INIT_NORMAL, 0, 0.3}, {"b?", DYN_INIT_CONSTANT, 0, 7}};
    dyn_init_options opt = DYN_INIT_OPTIONS_INIT;

    draw(&opt);
    memcpy(plain, theta, sizeof plain);
    opt.groups_count = 2;
    opt.groups = group;
    draw(&opt);
    CHECK(!memcmp(plain, theta, sizeof *theta * IN * WIDE));
    CHECK(theta[IN * WIDE] == 7 && theta[B2] == 7 && theta[B2 + NARROW - 1] == 7);
    CHECK(fabs(deviation(WIDE * NARROW, theta + W2) / .3 - 1) < 0.018);
    CHECK(!memcmp(plain + W3, theta + W3, sizeof *theta * NARROW * OUT));
}

/* ---- refusals ---- */

#define REFUSED(change, code, message)                                                       \
    do {                                                                                     \
        dyn_init_options o = DYN_INIT_OPTIONS_INIT;                                          \
        change;                                                                              \
        CHECK(dyn_model_initialise(model, &o, theta) == (code));                             \
        CHECK_STR(dyn_ctx_message(ctx), "dyn_model_initialise: ");                           \
        CHECK_STR(dyn_ctx_message(ctx), (message));                                          \
    } while (0)

TEST(bad_options)
{
    const double two[2] = {1, 1}, bad[LAYERS] = {1, (double)NAN, 1};
    const dyn_init_group nobody = {"V*", DYN_INIT_ZERO, 0, 1}, unknown = {"W1", 99, 0, 1};

    CHECK(dyn_model_initialise(NULL, NULL, theta) == DYN_EINVAL);
    CHECK(dyn_model_initialise(model, NULL, NULL) == DYN_EINVAL);
    REFUSED(o.kind = 14, DYN_EINVAL, "kind 14 is outside [0, 13]");
    REFUSED(o.bias_kind = -1, DYN_EINVAL, "bias_kind -1");
    REFUSED(o.kind = DYN_INIT_AS_WEIGHTS, DYN_EINVAL, "kind 14");
    REFUSED(o.bias_kind = DYN_INIT_ORTHOGONAL, DYN_EINVAL, "DYN_INIT_ORTHOGONAL");
    REFUSED(o.bias_kind = DYN_INIT_IDENTITY, DYN_EINVAL, "DYN_INIT_IDENTITY");
    REFUSED(o.groups_count = 1, DYN_EINVAL, "groups_count is 1 and groups is NULL");
    REFUSED((o.groups_count = 1, o.groups = &nobody), DYN_EINVAL, "group \"V*\": none of 6 tensors has such a name; they are W1 to b3");
    REFUSED((o.groups_count = 1, o.groups = &unknown), DYN_EINVAL, "kind 99 is outside");
    REFUSED(o.scale = (double)NAN, DYN_EINVAL, "scale nan");
    REFUSED((o.kind = DYN_INIT_NORMAL, o.scale = -1), DYN_EINVAL, "scale -1");
    REFUSED((o.kind = DYN_INIT_POWER, o.scale = -1e4), DYN_ENONFINITE, "\"W1\"");
    REFUSED((o.layers = 2, o.layer_scale = two), DYN_ESHAPE, "layers is 2; the model has 3");
    REFUSED(o.layers = 3, DYN_EINVAL, "layer_scale is NULL");
    REFUSED(o.layer_scale = two, DYN_EINVAL, "layers is 0 and layer_scale is given");
    REFUSED((o.layers = 3, o.layer_scale = bad), DYN_EINVAL, "scale nan");
    REFUSED(o.struct_size = 12, DYN_EABI_OLD, "struct_size is 12");
}

TEST(width_power_needs_a_hidden_layer)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_model *m = NULL;
    double t[3];

    opt.widths_count = 2;
    opt.widths = (int64_t[]){2, 1};
    init.kind = DYN_INIT_WIDTH_POWER;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &m));
    CHECK(dyn_model_initialise(m, &init, t) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "needs a hidden layer");
    dyn_model_unref(m);
}

/* ---- out of memory ---- */

/* An allocator that fails at request number `fail`. */
typedef struct counter { int64_t requests, fail; } counter;

static void *counted_alloc(void *user, size_t size, size_t align)
{
    counter *c = user;

    return c->requests++ == c->fail ? NULL : aligned_alloc(align, (size + align - 1) / align * align);
}

static void counted_free(void *user, void *p, size_t size, size_t align)
{
    (void)user, (void)size, (void)align;
    free(p);
}

/* Make a small antisymmetric model and initialise it; 1 when all went well. */
static int whole_life(dyn_ctx *c)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_model *m = NULL;
    double t[64];

    opt.widths_count = 3;
    opt.widths = (int64_t[]){2, 3, 1};
    opt.antisymmetric = 1;
    opt.activation = DYN_GELU;
    init.kind = DYN_INIT_ORTHOGONAL;
    dyn_status s = dyn_model_perceptron(c, &opt, &m);
    CHECK((s == DYN_OK) == (m != NULL));
    if (s == DYN_OK)
        s = dyn_model_initialise(m, &init, t);
    CHECK(s == DYN_OK || s == DYN_ENOMEM);
    dyn_model_unref(m);
    return s == DYN_OK;
}

TEST(every_allocation_may_fail)
{
    counter c = {0, -1};
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *own = NULL;
    int64_t n = 0;

    opt.alloc = counted_alloc;
    opt.free = counted_free;
    opt.alloc_user = &c;
    CHECK_OK(ctx, dyn_ctx_create(&opt, &own));
    const int64_t bytes = dyn_ctx_bytes(own);
    for (int done = 0; !done && n < 1000; n++) {
        c = (counter){0, n};
        done = whole_life(own);
        CHECK(dyn_ctx_bytes(own) == bytes);
    }
    CHECK(n > 10 && n < 1000);
    dyn_ctx_free(own);
}

int main(void)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;

    opt.widths_count = 4;
    opt.widths = (int64_t[]){IN, WIDE, NARROW, OUT};
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK || dyn_model_perceptron(ctx, &opt, &model) != DYN_OK)
        return 1;
    RUN(normal_kinds);
    RUN(uniform_kinds);
    RUN(zero);
    RUN(identity);
    RUN(identity_of_a_convolution);
    RUN(orthogonal);
    RUN(seeds_and_tensors);
    RUN(biases_of_another_kind);
    RUN(no_options_are_the_defaults);
    RUN(groups);
    RUN(bad_options);
    RUN(width_power_needs_a_hidden_layer);
    RUN(every_allocation_may_fail);
    dyn_model_unref(model);
    dyn_ctx_free(ctx);
    return test_end();
}
