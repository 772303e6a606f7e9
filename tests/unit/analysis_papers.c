/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frequencies, inertia, recovery, completion, branches, Adam on a flat minimum, Jordan types: closed forms, numbers
 * of the papers and of 60-digit arithmetic, bad input, and every allocation failing in turn. */
#include "oom/oom.h"

static const double PI = 3.14159265358979323846;

static dyn_ctx *make(void)
{
    dyn_ctx *ctx = NULL;

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    return ctx;
}

TEST(a_sine_has_one_frequency)
{
    enum { N = 64 };
    const double k[3] = { 1.0, 6.0, 7.0 };
    double x[N], y[N], f[6], error[3], zero[6] = { 0 };
    dyn_ctx *ctx = make();

    for (int i = 0; i < N; i++) {
        x[i] = 2.0 * PI * i / N;
        y[i] = sin(6.0 * x[i]);
    }
    CHECK_OK(ctx, dyn_frequency_transform(ctx, N, 1, x, y, 3, k, f));
    CHECK_NEAR(f[3], -0.5, 1e-14);
    CHECK(fabs(f[0]) < 1e-14 && fabs(f[1]) < 1e-14 && fabs(f[4]) < 1e-14);
    CHECK_OK(ctx, dyn_frequency_error(ctx, 3, zero, f, 0.0, 0, error));
    CHECK_NEAR(error[1], 1.0, 1e-14);
    CHECK(dyn_frequency_transform(ctx, 0, 1, x, y, 3, k, f) == DYN_EINVAL);
    CHECK(dyn_frequency_error(ctx, 3, f, f, -1.0, 0, error) == DYN_EINVAL);
    dyn_ctx_free(ctx);
}

TEST(a_wide_filter_takes_the_mean)
{
    const double x[6] = { 0, 0, 1, 0, 0, 1 }, y[3] = { 1, 2, 6 }, direction[2] = { 2, -1 };
    double low[3], t[3];
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_frequency_filter(ctx, 3, 2, 1, x, y, 1e12, low));
    CHECK_NEAR(low[0], 3.0, 1e-10);
    CHECK_OK(ctx, dyn_frequency_filter(ctx, 3, 2, 1, x, y, 1e-6, low));
    CHECK_NEAR(low[2], 6.0, 1e-15);
    CHECK(dyn_frequency_filter(ctx, 3, 2, 1, x, y, 0.0, low) == DYN_EINVAL);
    CHECK_OK(ctx, dyn_frequency_project(ctx, 3, 2, x, direction, t));
    CHECK(t[0] == 0.0 && t[1] == 2.0 && t[2] == -1.0);
    dyn_ctx_free(ctx);
}

TEST(inertia_of_two_by_two)
{
    const double a[4] = { 1, 0, 1, 1 }, values[4] = { 1e-16, -3, 0, 1 };
    double threshold, gap, found[2];
    int64_t counts[3];
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_inertia_matrix(ctx, 2, a, 1e-12, counts, &threshold, &gap, found));    /* [1 1; 1 1] */
    CHECK(counts[0] == 0 && counts[1] == 1 && counts[2] == 1);
    CHECK_NEAR(found[1], 2.0, 1e-15);
    CHECK_OK(ctx, dyn_inertia_values(ctx, 4, values, 1e-12, counts, &threshold, &gap));
    CHECK(counts[0] == 1 && counts[1] == 2 && counts[2] == 1);
    CHECK_NEAR(threshold, 3e-12, 1e-15);
    CHECK_NEAR(gap, 1e16, 1e-14);
    CHECK(dyn_inertia_values(ctx, 4, values, 1.0, counts, NULL, NULL) == DYN_EINVAL);
    dyn_ctx_free(ctx);
}

TEST(samples_that_span)
{
    const double samples[12] = { 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1 }, whole[9] = { 1, 1, 0, 0, 1, 1, 1, 0, 1 };
    const double probe[3] = { 3, 4, 12 };
    int64_t least, rank;
    double slack;
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_recovery_samples(ctx, 4, 3, samples, 1, 3, whole, NULL, &least, &rank));
    CHECK(least == 4 && rank == 3);
    CHECK_OK(ctx, dyn_recovery_samples(ctx, 3, 3, samples, 1, 3, whole, NULL, &least, NULL));
    CHECK(least == 4);
    CHECK_OK(ctx, dyn_recovery_slack(ctx, 3, 3, samples, 1, probe, 1e-10, &slack));
    CHECK_NEAR(slack, 12.0 / 13.0, 1e-15);
    CHECK_OK(ctx, dyn_recovery_slack(ctx, 4, 3, samples, 1, probe, 1e-10, &slack));
    CHECK(slack < 1e-15);
    CHECK(dyn_recovery_samples(ctx, 4, 3, samples, 3, 3, whole, NULL, &least, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "4 rows");
    dyn_ctx_free(ctx);
}

TEST(nuclear_norm_of_blocks)
{
    const int64_t place[5] = { 0, 4, 5, 7, 8 };
    const double values[5] = { 1, 4, 6, 6, 9 }, a[2] = { 2, 0 }, b[2] = { 0, 3 };
    double norm, product[2], of_a[1], augmented[1];
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_completion_nuclear_norm(ctx, 3, 3, 5, place, values, &norm));
    CHECK_NEAR(norm, 14.0, 1e-14);
    CHECK(dyn_completion_nuclear_norm(ctx, 3, 3, 4, place, values, &norm) == DYN_ENOTSUP);
    CHECK_OK(ctx, dyn_completion_spectra(ctx, 2, 1, 2, a, b, product, of_a, NULL, augmented));
    CHECK_NEAR(product[0], 6.0, 1e-15);
    CHECK_NEAR(of_a[0], 2.0, 1e-15);
    CHECK_NEAR(augmented[0], sqrt(13.0), 1e-15);
    dyn_ctx_free(ctx);
}

TEST(branches_of_two_neurons)
{
    dyn_branch b[2];
    int64_t sizes[4], count;
    const double w[2] = { 0, 2 }, a[1] = { 1 }, x[2] = { 3, 4 }, y[1] = { 1 };
    double c[1], ratio[1];
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_branch_list(ctx, 2, 1, 2, 2, b, sizes, &count));
    CHECK(count == 2 && b[0].groups == 1 && b[0].codimension == 5 && !b[0].morse_bott && b[0].dimension == 1);
    CHECK(b[1].codimension == 4 && b[1].morse_bott && b[1].spread_until == 4 && b[1].deficient == 1);
    CHECK(sizes[0] == 2 && sizes[1] == 0 && sizes[2] == 1 && sizes[3] == 1);
    CHECK(dyn_branch_list(ctx, 2, 3, 2, 0, NULL, NULL, &count) == DYN_EINVAL);
    CHECK_OK(ctx, dyn_branch_imbalance(ctx, 1, 2, a, w, 1, x, y, c, ratio));
    CHECK_NEAR(c[0], 13.0, 1e-15);
    CHECK(ratio[0] == 1.0);
    dyn_ctx_free(ctx);
}

static dyn_status two_neurons(dyn_ctx *ctx, dyn_model **m)
{
    static const int64_t widths[3] = { 1, 2, 1 };
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;

    opt.widths_count = 3;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    opt.no_output_bias = 1;
    return dyn_model_perceptron(ctx, &opt, m);
}

static dyn_status probe(dyn_ctx *ctx, void *arg)
{
    const double theta[6] = { 1.0, -0.6, 1.0, 0.9, 1.0, 0.0 }, x[4] = { -2, -0.7, 0.7, 2 };
    double y[4], end[6], *loss = arg;
    dyn_model *m = NULL;
    dyn_status s = two_neurons(ctx, &m);

    for (int i = 0; i < 4; i++)
        y[i] = tanh(x[i] + 1.0);
    if (s >= 0)
        s = dyn_branch_probe(m, theta, 4, x, y, 0.05, 1, 1e-24, 200, end, loss);
    dyn_model_unref(m);
    return s;
}

TEST(a_probe_ends_at_zero)
{
    double loss = 1.0;
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, probe(ctx, &loss));
    CHECK(loss <= 1e-24);
    dyn_ctx_free(ctx);
}

TEST(adam_on_a_flat_minimum)
{
    enum { STEPS = 4000 };
    static double log_x[STEPS + 1];
    const double beta1[2] = { 0.9, 0.9 }, beta2[2] = { 0.93, 0.8 };
    double least[2], last[2], coupling[2];
    dyn_degenerate_theory t;
    dyn_ctx *ctx = make();
    int first = 0;

    CHECK_OK(ctx, dyn_degenerate_run(ctx, 4, 0.9, 0.93, 1e-3, 1.0, STEPS, log_x, NULL, NULL));
    while (first < STEPS && log_x[first] > log(1e-20))
        first++;
    CHECK(first == 3384);                   /* in 60 digits */
    CHECK_OK(ctx, dyn_degenerate_theory_of(ctx, 4, 0.9, 0.93, 1e-3, &t));
    CHECK_NEAR(log_x[STEPS] - log_x[STEPS - 1], log(t.ratio), 1e-9);
    CHECK(t.regime == DYN_ADAM_STABLE);
    CHECK_OK(ctx, dyn_degenerate_map(ctx, 4, 1e-3, 1.0, STEPS, 2, beta1, beta2, least, last, coupling));
    CHECK(last[0] == 4.0 * log_x[STEPS] - log(4.0) && last[1] > -78.0 && coupling[1] < 5.0 && coupling[0] > 30.0);
    CHECK(dyn_degenerate_theory_of(ctx, 4, 0.9, 1.0, 1e-3, &t) == DYN_EINVAL);
    dyn_ctx_free(ctx);
}

TEST(jordan_types)
{
    const int64_t p[2] = { 3, 1 }, q[1] = { 2 }, singular[4] = { 1000000000, 1, 1000000000000000000, 1000000000 };
    int64_t a[16], parts[8], count, rank;
    dyn_ctx *ctx = make();

    CHECK_OK(ctx, dyn_nilpotent_rank(ctx, 2, 2, singular, &rank));
    CHECK(rank == 1);
    CHECK_OK(ctx, dyn_nilpotent_matrix(ctx, 2, p, a));
    CHECK_OK(ctx, dyn_nilpotent_type(ctx, 4, a, parts, &count));
    CHECK(count == 2 && parts[0] == 3 && parts[1] == 1 && parts[2] == 0);
    CHECK_OK(ctx, dyn_nilpotent_functor(ctx, 0, 2, p, 1, q, 8, parts, &count));
    CHECK(count == 2 && parts[0] == 2 && parts[1] == 1);
    CHECK_OK(ctx, dyn_nilpotent_functor(ctx, 2, 1, p, 1, q, 8, parts, &count));     /* J3 (x) J2: 2 2 1 1 */
    CHECK(count == 4 && parts[1] == 2 && parts[3] == 1);
    a[0] = 1;
    CHECK(dyn_nilpotent_type(ctx, 4, a, parts, &count) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "not nilpotent");
    dyn_ctx_free(ctx);
}

static dyn_status everything(dyn_ctx *ctx, void *arg)
{
    const double m[4] = { 2, 1, 1, 2 }, beta[1] = { 0.5 };
    const int64_t parts[2] = { 2, 1 }, place[4] = { 0, 1, 2, 3 };
    int64_t counts[3], least, a[9], found[3], count;
    double number, rest[2], single[1];
    dyn_status s = dyn_inertia_matrix(ctx, 2, m, 0.0, counts, NULL, NULL, NULL);

    (void)arg;
    if (s >= 0)
        s = dyn_recovery_samples(ctx, 2, 2, m, 1, 2, m, NULL, &least, NULL);
    if (s >= 0)
        s = dyn_recovery_slack(ctx, 2, 2, m, 2, m, 1e-10, &number);
    if (s >= 0)
        s = dyn_completion_nuclear_norm(ctx, 2, 2, 4, place, m, &number);
    if (s >= 0)
        s = dyn_completion_spectra(ctx, 2, 2, 2, m, m, rest, NULL, NULL, rest);
    if (s >= 0)
        s = dyn_branch_imbalance(ctx, 2, 1, m, m, 2, m, m, rest, NULL);
    if (s >= 0)
        s = dyn_degenerate_map(ctx, 4, 1e-3, 1.0, 10, 1, beta, beta, single, single, single);
    if (s >= 0)
        s = dyn_nilpotent_matrix(ctx, 2, parts, a);
    if (s >= 0)
        s = dyn_nilpotent_type(ctx, 3, a, found, NULL);
    if (s >= 0)
        s = dyn_nilpotent_functor(ctx, 1, 2, parts, 2, parts, 0, NULL, &count);
    return s;
}

TEST(out_of_memory) { oom_try("analyses of papers", everything, NULL); }

TEST(probe_out_of_memory)
{
    double loss;

    oom_try("separation probe", probe, &loss);
}

int main(void)
{
    RUN(a_sine_has_one_frequency);
    RUN(a_wide_filter_takes_the_mean);
    RUN(inertia_of_two_by_two);
    RUN(samples_that_span);
    RUN(nuclear_norm_of_blocks);
    RUN(branches_of_two_neurons);
    RUN(a_probe_ends_at_zero);
    RUN(adam_on_a_flat_minimum);
    RUN(jordan_types);
    RUN(out_of_memory);
    RUN(probe_out_of_memory);
    return test_end();
}
