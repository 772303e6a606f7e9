/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Condensation of planted layers, whose answers are known by construction, and of a layer without structure against an
 * independent computation in NumPy (formulas of the features below, clusters and cover by another program). */
#include <stdlib.h>
#include "test.h"
#include <dyn/condensation.h>

static const double PI = 3.14159265358979323846;
static dyn_ctx *ctx;

static dyn_condensation *measure(int64_t m, int64_t k, const double *w, int64_t outputs, const double *a,
                                 const dyn_condensation_options *opt)
{
    dyn_condensation *c = NULL;

    CHECK_OK(ctx, dyn_condensation_measure(ctx, m, k, w, outputs, a, opt, &c));
    return c;
}

/* Three directions of 40, 20 and 10 neurons within 3 degrees, ten dead neurons and two zero rows. */
enum { PLANTED = 82 };

static void planted(double w[PLANTED][3], int *group)
{
    static const double axis[3][3] = { { 1, 0, 0 }, { -1, 0, 0 }, { 0, 0.6, 0.8 } };
    static const int first[4] = { 0, 40, 60, 70 };

    memset(w, 0, sizeof(double[PLANTED][3]));
    for (int i = 0; i < 80; i++) {
        int g = i < first[1] ? 0 : i < first[2] ? 1 : 2;
        double scale = i < first[3] ? 1.0 + 0.3 * sin(i) : 1e-6;

        for (int j = 0; j < 3; j++)
            w[i][j] = scale * (axis[g][j] + 0.04 * sin(3.0 * i + 1.7 * j));
        group[i] = i < first[3] ? g : -1;
    }
    group[80] = group[81] = -1;
}

TEST(planted_directions_are_found)
{
    double w[PLANTED][3], total = 0.0, mass[3] = { 0 };
    int group[PLANTED];
    dyn_condensation *c;

    planted(w, group);
    c = measure(PLANTED, 3, w[0], 0, NULL, NULL);
    CHECK(dyn_condensation_clusters(c) == 3);
    CHECK(dyn_condensation_effective(c) == 3);
    CHECK(dyn_condensation_dead(c) == 12);
    CHECK(dyn_condensation_zeros(c) == 2);
    for (int g = 0; g < 3; g++)
        CHECK(dyn_condensation_sizes(c)[g] == 40 >> g);
    for (int i = 0; i < PLANTED; i++)
        CHECK(dyn_condensation_assignment(c)[i] == group[i]);
    for (int i = 0; i < 70; i++) {
        mass[group[i]] += dyn_condensation_amplitudes(c)[i];
        total += dyn_condensation_amplitudes(c)[i];
    }
    for (int g = 0; g < 3; g++)
        CHECK_NEAR(dyn_condensation_shares(c)[g], mass[g] / total, 1e-14);
    CHECK(dyn_condensation_directions(c)[0] > 0.998 && dyn_condensation_directions(c)[3] < -0.998);
    CHECK(dyn_condensation_tightness(c)[0] > 0.99);
    dyn_condensation_free(c);
}

TEST(opposite_directions_join)
{
    dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
    double w[PLANTED][3];
    int group[PLANTED];
    dyn_condensation *c;

    opt.join_opposite = 1;
    opt.min_share = 0.2;
    planted(w, group);
    c = measure(PLANTED, 3, w[0], 0, NULL, &opt);
    CHECK(dyn_condensation_clusters(c) == 2);
    CHECK(dyn_condensation_effective(c) == 1);
    CHECK(dyn_condensation_sizes(c)[0] == 60);
    CHECK(fabs(dyn_condensation_directions(c)[0]) > 0.998);
    dyn_condensation_free(c);
}

/* Ordered by the leading eigenvector, neurons of one direction stand together and zero rows are last. */
TEST(order_makes_blocks)
{
    double w[PLANTED][3], *d = malloc(sizeof(double[PLANTED][PLANTED]));
    int group[PLANTED], changes = 0;
    dyn_condensation *c;

    planted(w, group);
    c = measure(70, 3, w[0], 0, NULL, NULL);
    CHECK_OK(ctx, dyn_condensation_cosines(c, 1, d));
    for (int i = 1; i < 70; i++)
        changes += group[dyn_condensation_order(c)[i]] != group[dyn_condensation_order(c)[i - 1]];
    CHECK(changes == 2);
    for (int i = 0; i < 70; i++)
        for (int j = 0; j < 70; j++) {
            const double *x = w[dyn_condensation_order(c)[i]], *y = w[dyn_condensation_order(c)[j]];
            double dot = x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
            double norms = sqrt((x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) * (y[0] * y[0] + y[1] * y[1] + y[2] * y[2]));

            CHECK_NEAR(d[i * 70 + j], dot / norms, 1e-14);
            CHECK(d[i * 70 + j] == d[j * 70 + i]);
        }
    dyn_condensation_free(c);
    free(d);
}

enum { WIDE = 60, LONG = 4 };

static void unstructured(double w[WIDE][LONG], double a[WIDE][2])
{
    for (int i = 0; i < WIDE; i++) {
        double scale = (1 + 0.5 * cos(2.3 * i)) * (i == 7 ? 0 : i == 20 ? 1e-4 : 1);

        for (int j = 0; j < LONG; j++)
            w[i][j] = scale * sin(1.7 * i + 0.9 * j * j + 0.31 * i * j);
        a[i][0] = cos(0.7 * i);
        a[i][1] = 0.5 * sin(1.1 * i);
    }
}

typedef struct expected {
    int join;
    double threshold;
    int64_t clusters, size0, effective, cover;
    double share[2], entropy, direction[LONG], tightness;
} expected;

static const expected NUMPY[] = {
    { 0, 0.8, 21, 5, 10, 18, { 0.14926559722376814, 0.14703151383201463 }, 14.194223186062354,
      { 0.5357367204034521, -0.6239256816653417, -0.3323771860559242, -0.46176651714837175 }, 0.9482560308744561 },
    { 1, 0.8, 15, 9, 6, 10, { 0.19004052497813392, 0.18946571496992468 }, 8.581608843796465,
      { 0.39454595252995384, 0.5980397375625991, -0.6211655500198654, 0.3175457811195214 }, 0.757725460947344 },
    { 0, 0.95, 46, 4, 8, 46, { 0.11496491215695098, 0.07152198381278438 }, 32.440281260560816,
      { -0.5235880749251699, -0.48033795932725765, -0.5081563327992515, 0.486732076261157 }, 0.978879198355314 },
};

TEST(clusters_agree_with_numpy)
{
    double w[WIDE][LONG], a[WIDE][2];

    unstructured(w, a);
    for (size_t e = 0; e < sizeof NUMPY / sizeof NUMPY[0]; e++) {
        dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
        const expected *x = &NUMPY[e];
        dyn_condensation *c;
        int64_t cover = 0;
        double ratio = 0.0;

        opt.join_opposite = x->join;
        opt.threshold = x->threshold;
        opt.min_share = 0.03;
        c = measure(WIDE, LONG, w[0], 2, a[0], &opt);
        CHECK(dyn_condensation_clusters(c) == x->clusters);
        CHECK(dyn_condensation_dead(c) == 2);
        CHECK(dyn_condensation_sizes(c)[0] == x->size0);
        CHECK(dyn_condensation_effective(c) == x->effective);
        CHECK_NEAR(dyn_condensation_shares(c)[0], x->share[0], 1e-13);
        CHECK_NEAR(dyn_condensation_shares(c)[1], x->share[1], 1e-13);
        CHECK_NEAR(dyn_condensation_entropy_count(c), x->entropy, 1e-13);
        for (int j = 0; j < LONG; j++)
            CHECK_NEAR(dyn_condensation_directions(c)[j], x->direction[j], 1e-12);
        CHECK_NEAR(dyn_condensation_tightness(c)[0], x->tightness, 1e-12);
        CHECK_OK(ctx, dyn_condensation_cover(c, dyn_condensation_settings(c)->threshold, &cover, &ratio));
        CHECK(cover == x->cover);
        CHECK_NEAR(ratio, (double)x->cover / (WIDE - 1), 1e-14);
        dyn_condensation_free(c);
    }
}

TEST(order_and_alignment_agree_with_numpy)
{
    static const int64_t first[6] = { 17, 14, 3, 36, 28, 33 }, last[6] = { 42, 15, 56, 23, 34, 7 };
    static const double z[LONG] = { 1, -2, 0.5, 3 };
    double w[WIDE][LONG], a[WIDE][2], ratio = 0.0, cosines[WIDE], residual = 1.0;
    int32_t converged = 0;
    dyn_condensation *c;

    unstructured(w, a);
    c = measure(WIDE, LONG, w[0], 2, a[0], NULL);
    CHECK_NEAR(dyn_condensation_leading(c, &residual, &converged), 0.2685393890036336, 1e-9);
    CHECK(converged && residual < 1e-6);
    for (int i = 0; i < 6; i++) {
        CHECK(dyn_condensation_order(c)[i] == first[i]);
        CHECK(dyn_condensation_order(c)[WIDE - 6 + i] == last[i]);
    }
    CHECK_OK(ctx, dyn_condensation_alignment(c, z, &ratio, cosines));
    CHECK_NEAR(ratio, 0.5042794780240792, 1e-13);
    CHECK_NEAR(cosines[5], 0.879410178582691, 1e-13);
    CHECK(cosines[7] == 0.0);
    dyn_condensation_free(c);
}

/* The orientations of a plane: known angles, and NumPy's weighted histogram. */
/* Features without structure, more clusters than a batch and more neurons than a tile: greedy clusters, greedy cover and
 * the cosine maps, each spelt out. */
enum { MANY = 700, PARTS = 4 };
static double many[MANY][PARTS], cosine_of[MANY][MANY];

static void make_many(void)
{
    for (int i = 0; i < MANY; i++) {
        double norm = 0.0;

        for (int j = 0; j < PARTS; j++) {
            many[i][j] = sin(1.7 * i * (j + 1) + 0.3 * i * i + j);
            norm += many[i][j] * many[i][j];
        }
        for (int j = 0; j < PARTS; j++)
            many[i][j] *= (2.0 + cos(3.1 * i)) / sqrt(norm);
    }
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < MANY; k++) {
            double dot = 0.0, a = 0.0, b = 0.0;

            for (int j = 0; j < PARTS; j++) {
                dot += many[i][j] * many[k][j];
                a += many[i][j] * many[i][j];
                b += many[k][j] * many[k][j];
            }
            cosine_of[i][k] = dot / sqrt(a) / sqrt(b);
        }
}

static int64_t greedy_clusters(const dyn_condensation *c, double threshold, int *leader)
{
    int64_t count = 0;

    for (int i = 0; i < MANY; i++)
        leader[i] = -1;
    for (;; count++) {
        int best = -1;

        for (int i = 0; i < MANY; i++)
            if (leader[i] < 0 && (best < 0 || dyn_condensation_amplitudes(c)[i] > dyn_condensation_amplitudes(c)[best]))
                best = i;
        if (best < 0)
            return count;
        for (int i = 0; i < MANY; i++)
            if (leader[i] < 0 && (i == best || cosine_of[best][i] > threshold))
                leader[i] = best;
    }
}

static int64_t greedy_cover(double threshold)
{
    static int covered[MANY];
    int64_t count = 0;

    memset(covered, 0, sizeof covered);
    for (;; count++) {
        int best = -1, most = 0;

        for (int i = 0; i < MANY; i++) {
            int gain = 0;

            for (int k = 0; k < MANY; k++)
                gain += !covered[k] && cosine_of[i][k] > threshold;
            if (gain > most) {
                most = gain;
                best = i;
            }
        }
        if (best < 0)
            return count;
        for (int k = 0; k < MANY; k++)
            covered[k] |= cosine_of[best][k] > threshold;
    }
}

TEST(no_structure_at_all)
{
    static double map[MANY][MANY];
    static int leader[MANY];
    dyn_condensation *c;
    int64_t directions = 0;
    const int64_t *order;

    make_many();
    c = measure(MANY, PARTS, many[0], 0, NULL, NULL);
    CHECK(dyn_condensation_clusters(c) == greedy_clusters(c, 0.95, leader));
    CHECK(dyn_condensation_clusters(c) > 64);
    for (int i = 0; i < MANY; i++)
        CHECK(dyn_condensation_assignment(c)[i] == dyn_condensation_assignment(c)[leader[i]]);
    CHECK_OK(ctx, dyn_condensation_cover(c, 0.9, &directions, NULL));
    CHECK(directions == greedy_cover(0.9));
    order = dyn_condensation_order(c);
    for (int ordered = 0; ordered < 2; ordered++) {
        CHECK_OK(ctx, dyn_condensation_cosines(c, ordered, map[0]));
        for (int i = 0; i < MANY; i++)
            for (int k = 0; k < MANY; k++) {
                double right = ordered ? cosine_of[order[i]][order[k]] : cosine_of[i][k];

                CHECK_NEAR(map[i][k], right, 1e-14);
                CHECK(map[i][k] == map[k][i]);
            }
    }
    dyn_condensation_free(c);
}

TEST(orientation_and_histogram)
{
    static const double w[4][2] = { { 1, 1 }, { -2, 0 }, { 0, -3 }, { -1, -0.0 } };
    double wide[WIDE][LONG], flat[WIDE][2], a[WIDE][2], angle[4], mass[64], top = 0.0, sum = 0.0;
    dyn_condensation *c = measure(4, 2, w[0], 0, NULL, NULL);

    CHECK_OK(ctx, dyn_condensation_orientation(c, angle));
    CHECK_NEAR(angle[0], PI / 4, 1e-15);
    CHECK_NEAR(angle[1], -PI, 1e-15);
    CHECK_NEAR(angle[2], -PI / 2, 1e-15);
    CHECK_NEAR(angle[3], -PI, 1e-15);
    CHECK_OK(ctx, dyn_condensation_histogram(c, 0, 1, mass, &top));
    CHECK_NEAR(top, 3.0 / (sqrt(2.0) + 6.0), 1e-15);
    dyn_condensation_free(c);

    unstructured(wide, a);
    for (int i = 0; i < WIDE; i++)
        memcpy(flat[i], wide[i], sizeof flat[i]);
    c = measure(WIDE, 2, flat[0], 2, a[0], NULL);
    CHECK_OK(ctx, dyn_condensation_histogram(c, 16, 4, mass, &top));
    for (int b = 0; b < 16; b++)
        sum += mass[b];
    CHECK_NEAR(sum, 1.0, 1e-14);
    CHECK(mass[0] == 0.0);
    CHECK_NEAR(mass[1], 0.13312345713401108, 1e-13);
    CHECK_NEAR(mass[2], 0.09301992895514108, 1e-13);
    CHECK_NEAR(top, 0.5429837991338904, 1e-13);
    dyn_condensation_free(c);
}

/* Scaling every weight changes nothing that is relative, also where squares underflow or overflow. */
TEST(extreme_scales)
{
    static const double scale[2] = { 1e-200, 1e200 };
    static const double z[3] = { 1, 0, 0 };

    for (int s = 0; s < 2; s++) {
        double w[PLANTED][3], ratio = 0.0, distance = 0.0;
        int group[PLANTED];
        dyn_condensation *c;

        planted(w, group);
        for (int i = 0; i < PLANTED; i++)
            for (int j = 0; j < 3; j++)
                w[i][j] *= scale[s];
        c = measure(PLANTED, 3, w[0], 0, NULL, NULL);
        CHECK(dyn_condensation_effective(c) == 3 && dyn_condensation_dead(c) == 12 && dyn_condensation_zeros(c) == 2);
        CHECK_OK(ctx, dyn_condensation_alignment(c, z, &ratio, NULL));
        CHECK(ratio > 0.9 && ratio < 0.95);
        CHECK_OK(ctx, dyn_condensation_distance(ctx, 4, w[2], w[1], &distance));
        CHECK(distance > 0.0 && distance < 10.0);
        dyn_condensation_free(c);
    }
}

TEST(no_direction_at_all)
{
    static const double w[3][2] = { { 0 } };
    double cosines[9], ratio = 1.0, z[2] = { 1, 1 }, top;
    dyn_condensation *c = measure(3, 2, w[0], 0, NULL, NULL);

    CHECK(dyn_condensation_clusters(c) == 0 && dyn_condensation_effective(c) == 0 && dyn_condensation_zeros(c) == 3);
    CHECK_OK(ctx, dyn_condensation_cosines(c, 1, cosines));
    CHECK(cosines[0] == 0.0 && cosines[5] == 0.0);
    CHECK_OK(ctx, dyn_condensation_alignment(c, z, &ratio, NULL));
    CHECK(ratio == 0.0);
    CHECK_OK(ctx, dyn_condensation_cover(c, dyn_condensation_settings(c)->threshold, NULL, &ratio));
    CHECK(ratio == 0.0);
    CHECK(dyn_condensation_histogram(c, 8, 1, cosines, &top) == DYN_EINVAL);
    dyn_condensation_free(c);
}

TEST(distance_slope_and_data_direction)
{
    static const double w0[3] = { 3, 0, 4 }, w[3] = { 3, 12, 9 };
    static const double m[4] = { 100, 400, 1600, 6400 }, rd[4] = { 0.12, 0.22, 0.39, 0.85 };
    static const double x[2][2] = { { 1, 2 }, { 3, -4 } }, y[2] = { 2, -1 };
    double distance = 0, slope = 0, error = 0, z[3];

    CHECK_OK(ctx, dyn_condensation_distance(ctx, 3, w, w0, &distance));
    CHECK_NEAR(distance, 13.0 / 5.0, 1e-15);
    CHECK_OK(ctx, dyn_condensation_slope(ctx, 4, m, rd, &slope, &error));
    CHECK_NEAR(slope, 0.46496279532372947, 1e-13);
    CHECK_NEAR(error, 0.02322105538285425, 1e-13);
    CHECK_OK(ctx, dyn_condensation_data_direction(ctx, 2, 2, x[0], y, 1, z));
    CHECK_NEAR(z[0], -0.5, 1e-15);
    CHECK_NEAR(z[1], 4.0, 1e-15);
    CHECK_NEAR(z[2], 0.5, 1e-15);
}

/* Features read off the parameters of a network: column k of W, then element k of b; output weights are rows. */
TEST(features_of_a_model)
{
    static const int64_t widths[4] = { 2, 3, 2, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *model = NULL;
    double theta[20], features[9], output[6];
    int64_t m = 0, k = 0, outputs = 0;

    opt.widths_count = 4;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    opt.no_output_bias = 1;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &opt, &model));
    CHECK(dyn_model_size(model) == 6 + 3 + 6 + 2 + 2);
    for (int i = 0; i < 19; i++)
        theta[i] = i;
    CHECK_OK(ctx, dyn_condensation_shape(model, 1, &m, &k, &outputs));
    CHECK(m == 3 && k == 3 && outputs == 2);
    CHECK_OK(ctx, dyn_condensation_features(model, theta, 1, features, output));
    for (int i = 0; i < 3; i++) {
        CHECK(features[3 * i] == i && features[3 * i + 1] == 3 + i && features[3 * i + 2] == 6 + i);
        CHECK(output[2 * i] == 9 + 2 * i && output[2 * i + 1] == 10 + 2 * i);
    }
    CHECK_OK(ctx, dyn_condensation_shape(model, 3, &m, &k, &outputs));
    CHECK(m == 1 && k == 2 && outputs == 0);
    CHECK_OK(ctx, dyn_condensation_features(model, theta, 3, features, NULL));
    CHECK(features[0] == 17 && features[1] == 18);
    CHECK(dyn_condensation_shape(model, 4, &m, &k, &outputs) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "no matrix \"W4\"");
    dyn_model_unref(model);
}

TEST(bad_arguments_are_named)
{
    dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
    double w[6] = { 1, 2, 3, 4, 5, 6 }, out;
    dyn_condensation *c = (dyn_condensation *)w;

    CHECK(dyn_condensation_measure(NULL, 3, 2, w, 0, NULL, NULL, &c) == DYN_EINVAL && !c);
    CHECK(dyn_condensation_measure(ctx, 0, 2, w, 0, NULL, NULL, &c) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_condensation_measure: features is 0 x 2");
    CHECK(dyn_condensation_measure(ctx, 3, 2, w, 1, NULL, NULL, &c) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "output_weights is NULL");
    opt.threshold = 1.5;
    CHECK(dyn_condensation_measure(ctx, 3, 2, w, 0, NULL, &opt, &c) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "threshold is 1.5");
    opt.threshold = NAN;
    CHECK(dyn_condensation_measure(ctx, 3, 2, w, 0, NULL, &opt, &c) == DYN_EINVAL);
    opt.threshold = 0.0;
    opt.amplitude = DYN_AMPLITUDE_PRODUCT;
    CHECK(dyn_condensation_measure(ctx, 3, 2, w, 0, NULL, &opt, &c) == DYN_EINVAL);
    w[3] = NAN;
    CHECK(dyn_condensation_measure(ctx, 3, 2, w, 0, NULL, NULL, &c) == DYN_EINVAL && !c);
    CHECK_STR(dyn_ctx_message(ctx), "features[3]");
    w[3] = 4;
    c = measure(2, 3, w, 0, NULL, NULL);
    CHECK(dyn_condensation_orientation(c, w) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "3 components");
    CHECK(dyn_condensation_slope(ctx, 2, w, w, &out, NULL) == DYN_OK && fabs(out - 1.0) < 1e-15);
    w[1] = -1;
    CHECK(dyn_condensation_slope(ctx, 2, w, w, &out, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "m[1] is -1");
    CHECK(dyn_condensation_neurons(NULL) == 0 && !dyn_condensation_order(NULL));
    dyn_condensation_free(NULL);
    dyn_condensation_free(c);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 2;
    RUN(planted_directions_are_found);
    RUN(opposite_directions_join);
    RUN(order_makes_blocks);
    RUN(clusters_agree_with_numpy);
    RUN(order_and_alignment_agree_with_numpy);
    RUN(no_structure_at_all);
    RUN(orientation_and_histogram);
    RUN(extreme_scales);
    RUN(no_direction_at_all);
    RUN(distance_slope_and_data_direction);
    RUN(features_of_a_model);
    RUN(bad_arguments_are_named);
    dyn_ctx_free(ctx);
    return test_end();
}
