/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Update rules of the optimisers: against PyTorch 2.13 in float64 (50 steps on f below), against formulas written out
 * here, and what must not change bits: element type conversions, chunks and threads. */
#include <stdlib.h>
#include <dyn/dyn.h>
#include "optimizers.h"
#include "test.h"

enum { N = 5 };
static dyn_ctx *ctx;

/* f(x) = sum_i (x_{i+1} - x_i^2)^2 + sum_i (1 - x_i)^2 / 10. */
static void gradient(const double *x, double *g)
{
    for (int i = 0; i < N; i++)
        g[i] = -(1 - x[i]) / 5;
    for (int i = 0; i + 1 < N; i++) {
        const double r = x[i + 1] - x[i] * x[i];
        g[i + 1] += 2 * r;
        g[i] -= 4 * x[i] * r;
    }
}

static const double start[N] = { -1.2, 0.7, 0.4, -0.3, 0.9 };

static void train(const dyn_optimizer_options *opt, int steps, double *x)
{
    dyn_optimizer *o = NULL;
    double g[N];

    memcpy(x, start, sizeof start);
    CHECK_OK(ctx, dyn_optimizer_create(ctx, N, DYN_F64, opt, &o));
    for (int t = 0; o && t < steps; t++) {
        gradient(x, g);
        CHECK_OK(ctx, dyn_optimizer_step(o, x, g));
    }
    CHECK(dyn_optimizer_steps(o) == steps);
    dyn_optimizer_free(o);
}

typedef struct trace { dyn_optimizer_options opt; double x[N]; } trace;
#define OPT OPTIMIZER_OPTIONS

static const trace torch[] = {
    { OPT(.kind = DYN_OPTIMIZER_GD, .rate = .01),
      { -0.7781354801475812, 0.6472059474909597, 0.34787695767355037, -0.08640571791501665, 0.38086858948353 } },
    { OPT(.kind = DYN_OPTIMIZER_GD, .rate = .01, .weight_decay = .1),
      { -0.7533199096439323, 0.6223351577284002, 0.3326406977027179, -0.07886719955596701, 0.3629474944324168 } },
    { OPT(.kind = DYN_OPTIMIZER_HEAVY_BALL, .rate = .01),
      { -0.0712562762707014, 0.15647546044739016, 0.1479040662773628, 0.10943808066195092, 0.14945508168895755 } },
    { OPT(.kind = DYN_OPTIMIZER_HEAVY_BALL, .rate = .1, .ema = 1, .init_from_gradient = 1),   /* dampening 0.9 */
      { 0.8080667731132641, 0.688730899064192, 0.4747833316942799, 0.35434095154837736, 0.2764395970037068 } },
    { OPT(.kind = DYN_OPTIMIZER_NESTEROV, .rate = .01, .beta1 = .8),
      { -0.6186381190708498, 0.5269334697018163, 0.3882502428748109, 0.24114909421483105, 0.13298121303886823 } },
    { OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .02),
      { -0.7373882394265778, 0.7419571458658357, 0.6964158785670854, 0.5281455972011992, 0.23640204444104407 } },
    { OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .02, .beta1 = .8, .beta2 = .95, .eps = 1e-3, .weight_decay = .05),
      { -0.7716625386494772, 0.7541529992860825, 0.670848206134495, 0.5134029338739393, 0.28201237499651205 } },
    { OPT(.kind = DYN_OPTIMIZER_ADAMW, .rate = .02, .weight_decay = .1),
      { -0.6879734720993453, 0.6893342256826709, 0.641367824748674, 0.47509993345564844, 0.2073473010543268 } },
    { OPT(.kind = DYN_OPTIMIZER_RMSPROP, .rate = .02, .beta2 = .99),
      { -0.8856597834285318, 0.8953558188048325, 0.8615571199006596, 0.7732442932970219, 0.6075027264419911 } },
    { OPT(.kind = DYN_OPTIMIZER_RMSPROP, .rate = .01, .beta2 = .95, .eps = 1e-2, .weight_decay = .02),
      { -0.8250089651059702, 0.7676290052808755, 0.639904716835569, 0.4355725535614357, 0.3626243204788559 } },
};

TEST(traces_of_pytorch)
{
    for (size_t i = 0; i < sizeof torch / sizeof *torch; i++) {
        double x[N];

        train(&torch[i].opt, 50, x);
        for (int j = 0; j < N; j++)
            CHECK_NEAR(x[j], torch[i].x[j], 1e-13);
    }
}

TEST(sign_descent)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_SIGN, .rate = .125);
    dyn_optimizer *o;
    double x[4] = { 1, 1, 1, 1 };
    const double g[4] = { 3, -1e-300, 0, -0.0 };

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 4, DYN_F64, &opt, &o));
    CHECK_OK(ctx, dyn_optimizer_step(o, x, g));
    CHECK(x[0] == 0.875 && x[1] == 1.125 && x[2] == 1 && x[3] == 1);
    dyn_optimizer_free(o);
}

/* eps under the root, no bias correction, moments from the gradient: written out for one parameter. */
TEST(variants_of_adam)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .1, .beta1 = .7, .beta2 = .8, .eps = .01,
                                          .eps_inside = 1, .no_bias_correction = 1);
    dyn_optimizer_options from_gradient = opt;
    dyn_optimizer *o, *q;
    double x = 2, y = 2, m = 0, v = 0, z = 2, mz = 2, vz = 4, moment;

    from_gradient.init_from_gradient = 1;
    CHECK_OK(ctx, dyn_optimizer_create(ctx, 1, DYN_F64, &opt, &o));
    CHECK_OK(ctx, dyn_optimizer_create(ctx, 1, DYN_F64, &from_gradient, &q));
    for (int t = 0; t < 20; t++) {
        const double gx = x, gy = y;

        m = .7 * m + (1 - .7) * x, v = .8 * v + (1 - .8) * x * x;
        mz = .7 * mz + (1 - .7) * z, vz = .8 * vz + (1 - .8) * z * z;
        CHECK_OK(ctx, dyn_optimizer_step(o, &x, &gx));
        CHECK_NEAR(x, gx - .1 * m / sqrt(v + .01), 1e-15);
        CHECK_OK(ctx, dyn_optimizer_step(q, &y, &gy));
        z -= .1 * mz / sqrt(vz + .01);
        CHECK_NEAR(y, z, 1e-14);
    }
    CHECK_OK(ctx, dyn_optimizer_moment(o, 1, &moment));
    CHECK_NEAR(moment, m, 1e-14);
    CHECK_OK(ctx, dyn_optimizer_moment(o, 2, &moment));
    CHECK_NEAR(moment, v, 1e-14);
    dyn_optimizer_free(o);
    dyn_optimizer_free(q);
}

/* The clipped gradient has the norm clip_norm; a small one is left alone. Norms that overflow their squares too. */
TEST(clipping)
{
    const dyn_optimizer_options opt = OPT(.rate = 1, .clip_norm = 2);
    const double cases[][2] = { { 30, 40 }, { 0.3, 0.4 }, { 3e200, 4e200 }, { 3e-200, 4e-200 } };
    dyn_optimizer *o;
    double x[2], nan[2] = { NAN, 0 };

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 2, DYN_F64, &opt, &o));
    for (int i = 0; i < 4; i++) {
        const double norm = hypot(cases[i][0], cases[i][1]), factor = norm > 2 ? 2 / norm : 1;

        x[0] = x[1] = 0;
        CHECK_OK(ctx, dyn_optimizer_step(o, x, cases[i]));
        CHECK_NEAR(x[0] / (-factor * cases[i][0]), 1, 1e-15);
        CHECK_NEAR(x[1] / (-factor * cases[i][1]), 1, 1e-15);
    }
    x[0] = x[1] = 5;
    CHECK(dyn_optimizer_step(o, x, nan) == DYN_ENONFINITE);
    CHECK(x[0] == 5 && x[1] == 5 && dyn_optimizer_steps(o) == 4);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_optimizer_step: norm of the gradient is nan at step 4");
    dyn_optimizer_free(o);
}

TEST(single_precision)
{
    dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .02, .clip_norm = 1);
    dyn_optimizer *o;
    double x[N], wide[N], g[N], m[N];
    float single[N], gs[N];

    train(&opt, 50, wide);
    CHECK_OK(ctx, dyn_optimizer_create(ctx, N, DYN_F32, &opt, &o));
    for (int i = 0; i < N; i++)
        single[i] = (float)start[i];
    for (int t = 0; t < 50; t++) {
        for (int i = 0; i < N; i++)
            x[i] = (double)single[i];
        gradient(x, g);
        for (int i = 0; i < N; i++)
            gs[i] = (float)g[i];
        CHECK_OK(ctx, dyn_optimizer_step(o, single, gs));
    }
    for (int i = 0; i < N; i++)
        CHECK_NEAR((double)single[i], wide[i], 1e-5);
    CHECK_OK(ctx, dyn_optimizer_moment(o, 1, m));
    CHECK((double)(float)m[0] == m[0] && m[0] != 0);
    dyn_optimizer_free(o);
}

/* More than one chunk, so that threads share the work: the same bits as with one thread, and as elements alone. */
static void large(int threads, int64_t n, double *x)
{
    dyn_ctx_options c = DYN_CTX_OPTIONS_INIT;
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .1, .clip_norm = 3, .weight_decay = .1);
    dyn_ctx *own;
    dyn_optimizer *o;
    double *g = malloc((size_t)n * sizeof *g);

    c.threads = threads;
    dyn_ctx_create(&c, &own);
    CHECK_OK(own, dyn_optimizer_create(own, n, DYN_F64, &opt, &o));
    for (int64_t i = 0; i < n; i++)
        x[i] = sin((double)i);
    for (int t = 0; t < 5; t++) {
        for (int64_t i = 0; i < n; i++)
            g[i] = cos((double)i + x[i]);
        CHECK_OK(own, dyn_optimizer_step(o, x, g));
    }
    dyn_optimizer_free(o);
    dyn_ctx_free(own);
    free(g);
}

TEST(same_bits_for_any_threads)
{
    const int64_t n = 100003;
    double *one = malloc((size_t)n * sizeof *one), *more = malloc((size_t)n * sizeof *more);

    large(1, n, one);
    for (int threads = 2; threads < 8; threads += 5) {
        large(threads, n, more);
        CHECK(memcmp(one, more, (size_t)n * sizeof *one) == 0);
    }
    free(one);
    free(more);
}

/* Refused options name the field and the value. */
TEST(bad_options)
{
    static const dyn_optimizer_matrix outside[] = { { 0, 2, 3 } };
    const struct { dyn_optimizer_options opt; dyn_status status; const char *message; } bad[] = {
        { OPT(.kind = 16), DYN_EINVAL, "dyn_optimizer_create: kind 16 is unknown" },
        { OPT(.kind = -1), DYN_EINVAL, "kind -1" },
        { OPT(.rate = -1), DYN_EINVAL, "rate is -1" },
        { OPT(.rate = NAN), DYN_EINVAL, "rate is nan" },
        { OPT(.rate = INFINITY), DYN_EINVAL, "rate is inf" },
        { OPT(.beta1 = 1), DYN_EINVAL, "beta1 is 1" },
        { OPT(.beta2 = -0.5), DYN_EINVAL, "beta2 is -0.5" },
        { OPT(.eps = -2), DYN_EINVAL, "eps is -2" },
        { OPT(.weight_decay = -1), DYN_EINVAL, "weight_decay is -1" },
        { OPT(.clip_norm = NAN), DYN_EINVAL, "clip_norm is nan" },
        { OPT(.schedule = 8), DYN_EINVAL, "schedule 8" },
        { OPT(.schedule = DYN_RATE_COSINE), DYN_EINVAL, "needs a period" },
        { OPT(.warmup = -4), DYN_EINVAL, "warmup is -4" },
        { OPT(.tick_steps = 0), DYN_EINVAL, "tick_steps is 0" },
        { OPT(.warmup_start = 1.5), DYN_EINVAL, "warmup_start is 1.5" },
        { OPT(.factor = 2), DYN_EINVAL, "factor is 2" },
        { OPT(.rate = .5, .floor = .6), DYN_EINVAL, "floor is 0.6" },
        { OPT(.eps_inside = 2), DYN_EINVAL, "eps_inside is 2" },
        { OPT(.reserved = 1), DYN_EINVAL, "reserved is 1" },
        { OPT(.init_from_gradient = 1), DYN_EINVAL, "init_from_gradient is not for GD" },
        { OPT(.schedule = DYN_RATE_CALLBACK), DYN_EINVAL, "CALLBACK needs rate_at" },
        { OPT(.schedule = DYN_RATE_ONE_CYCLE, .period = 9, .warmup = 2), DYN_EINVAL, "warmup is 2" },
        { OPT(.kind = DYN_OPTIMIZER_MUON), DYN_EINVAL, "MUON needs matrices" },
        { OPT(.kind = DYN_OPTIMIZER_MUON, .matrices = outside, .matrices_count = 1), DYN_EINVAL,
          "matrix 0 of 2 x 3 at 0 does not follow 0 in 5 parameters" },
        { OPT(.kind = DYN_OPTIMIZER_SOPHIA, .gamma = 0), DYN_EINVAL, "gamma is 0" },
        { OPT(.kind = DYN_OPTIMIZER_RMSPROP, .momentum = 1), DYN_EINVAL, "momentum is 1" },
        { { .struct_size = 4 }, DYN_EABI_OLD, "struct_size is 4" },
        { { .struct_size = 3 }, DYN_EABI_SIZE, "struct_size is 3" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dyn_optimizer *o = (dyn_optimizer *)1;

        CHECK(dyn_optimizer_create(ctx, N, DYN_F64, &bad[i].opt, &o) == bad[i].status);
        CHECK(o == NULL);
        CHECK_STR(dyn_ctx_message(ctx), bad[i].message);
    }
}

/* Zero is zero: theta stands still. The macro, the function and NULL are one set of defaults. */
TEST(defaults)
{
    const dyn_optimizer_options still = OPT(.rate = 0), macro = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_optimizer_options o = OPT(.kind = 1);
    double x[N];

    train(&still, 3, x);
    CHECK(memcmp(x, start, sizeof start) == 0);
    CHECK_OK(ctx, dyn_optimizer_defaults(DYN_OPTIMIZER_GD, &o));
    CHECK(memcmp(&o, &macro, sizeof o) == 0);
    CHECK_OK(ctx, dyn_optimizer_defaults(DYN_OPTIMIZER_RMSPROP, &o));
    CHECK(o.kind == DYN_OPTIMIZER_RMSPROP && o.beta2 == .99);
    CHECK(dyn_optimizer_defaults(99, &o) == DYN_EINVAL && o.beta2 == .99);
    CHECK(dyn_optimizer_defaults(DYN_OPTIMIZER_GD, NULL) == DYN_EINVAL);
}

TEST(bad_calls)
{
    dyn_optimizer *o = NULL;
    double x[N], c;

    CHECK(dyn_optimizer_create(NULL, N, DYN_F64, NULL, &o) == DYN_EINVAL);
    CHECK(dyn_optimizer_create(ctx, N, DYN_F64, NULL, NULL) == DYN_EINVAL);
    CHECK(dyn_optimizer_create(ctx, 0, DYN_F64, NULL, &o) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "size is 0");
    CHECK(dyn_optimizer_create(ctx, N, DYN_I64, NULL, &o) == DYN_EDTYPE);
    CHECK_STR(dyn_ctx_message(ctx), "int64");
    CHECK_OK(ctx, dyn_optimizer_create(ctx, N, DYN_F64, NULL, &o));
    CHECK(dyn_optimizer_rate(o, 0) == 1e-3);
    CHECK(dyn_optimizer_step(NULL, x, x) == DYN_EINVAL && dyn_optimizer_step(o, NULL, x) == DYN_EINVAL);
    CHECK(dyn_optimizer_moment(o, 4, x) == DYN_EINVAL);
    CHECK(dyn_optimizer_moment(o, 1, x) == DYN_ENOTSUP);
    CHECK_STR(dyn_ctx_message(ctx), "GD keeps no moment 1");
    CHECK(dyn_optimizer_preconditioner(o, NULL, &c) == DYN_EINVAL);
    CHECK(dyn_optimizer_steps(NULL) == 0 && dyn_optimizer_rate(NULL, 0) == 0 && dyn_optimizer_threshold(NULL) == 0);
    dyn_optimizer_free(o);
    dyn_optimizer_free(NULL);
}

/* ---- a rule of one's own ---- */

/* m = .9 m + g (1 - .5^k), theta -= rate m: the step's number, a moment, the rate. */
static dyn_status ramped(void *user, dyn_graph *g, const dyn_rule_view *in, dyn_node *out)
{
    const dyn_node half = dyn_graph_exp(g, dyn_graph_scale(g, in->step, log(.5)));
    const dyn_node taken = dyn_graph_mul(g, in->gradient, dyn_graph_sub(g, dyn_graph_constant(g, 1, 0, NULL), half));

    *(int *)user += in->struct_size == sizeof *in && in->moments == 1;
    out[1] = dyn_graph_add(g, dyn_graph_scale(g, in->moment[0], .9), taken);
    out[0] = dyn_graph_sub(g, in->theta, dyn_graph_mul(g, in->rate, out[1]));
    return DYN_OK;
}

static dyn_status slope(void *user, dyn_graph *g, const dyn_rule_view *in, dyn_node *out)
{
    (void)user;
    CHECK(in->theta == -1 && in->gradient == -1);
    out[0] = dyn_graph_div(g, dyn_graph_constant(g, 2, 0, NULL), dyn_graph_abs(g, in->moment[0]));
    return DYN_OK;
}

TEST(own_rule)
{
    int calls = 0;
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_RULE, .rate = .02, .rule = ramped, .preconditioner = slope,
                                          .rule_user = &calls, .moments = 1, .clip_norm = 2, .weight_decay = .1);
    dyn_optimizer *o = NULL;
    double x[N], y[N], g[N], m[N] = { 0 }, own[N], d[N], c;

    memcpy(x, start, sizeof start);
    memcpy(y, start, sizeof start);
    CHECK_OK(ctx, dyn_optimizer_create(ctx, N, DYN_F64, &opt, &o));
    CHECK(dyn_optimizer_preconditioner(o, d, &c) == DYN_ESTATE);
    for (int t = 0; t < 30; t++) {
        double norm = 0;
        gradient(x, g);
        CHECK_OK(ctx, dyn_optimizer_step(o, x, g));
        gradient(y, g);
        for (int i = 0; i < N; i++)
            norm += g[i] * g[i];
        for (int i = 0; i < N; i++) {
            const double taken = g[i] * (norm > 4 ? 2 / sqrt(norm) : 1) + .1 * y[i];
            m[i] = .9 * m[i] + taken * (1 - pow(.5, t + 1));
            y[i] -= .02 * m[i];
        }
    }
    CHECK_OK(ctx, dyn_optimizer_moment(o, 1, own));
    CHECK_OK(ctx, dyn_optimizer_preconditioner(o, d, &c));
    CHECK(calls == 1 && c == 1);
    for (int i = 0; i < N; i++) {
        CHECK_NEAR(x[i], y[i], 1e-12);
        CHECK_NEAR(own[i], m[i], 1e-12);
        CHECK_NEAR(d[i] * fabs(m[i]), 2, 1e-10);
    }
    dyn_optimizer_free(o);
}

static dyn_status too_short(void *user, dyn_graph *g, const dyn_rule_view *in, dyn_node *out)
{
    (void)user;
    out[0] = dyn_graph_sum(g, in->theta, 1, (const int32_t[]){ 0 });
    return DYN_OK;
}

static dyn_status unwilling(void *user, dyn_graph *g, const dyn_rule_view *in, dyn_node *out)
{
    (void)user, (void)g, (void)in, (void)out;
    return DYN_EUSER;
}

TEST(own_rule_refused)
{
    dyn_optimizer *o = NULL;
    dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_RULE);

    CHECK(dyn_optimizer_create(ctx, N, DYN_F64, &opt, &o) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "rule, which is NULL");
    opt.rule = too_short;
    CHECK(dyn_optimizer_create(ctx, N, DYN_F64, &opt, &o) == DYN_ESHAPE && !o);
    CHECK_STR(dyn_ctx_message(ctx), "result 0 of the rule has shape");
    opt.rule = unwilling;
    CHECK(dyn_optimizer_create(ctx, N, DYN_F64, &opt, &o) == DYN_EUSER && !o);
    opt.moments = 4;
    CHECK(dyn_optimizer_create(ctx, N, DYN_F64, &opt, &o) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "moments is 4");
}

int main(void)
{
    dyn_ctx_create(NULL, &ctx);
    RUN(traces_of_pytorch);
    RUN(sign_descent);
    RUN(variants_of_adam);
    RUN(clipping);
    RUN(single_precision);
    RUN(same_bits_for_any_threads);
    RUN(own_rule);
    RUN(own_rule_refused);
    RUN(bad_options);
    RUN(defaults);
    RUN(bad_calls);
    dyn_ctx_free(ctx);
    return test_end();
}
