/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objects of different contexts never mix: every function that takes several objects refuses one of another context by
 * name, in a message of its first argument's context, and leaves both contexts as they were. */
#include "graph_refused.h"
#include "train_problem.h"

static dyn_ctx *ctx, *other;

/* What a caller may hold of one context. */
typedef struct family {
    dyn_array *x, *y, *one;
    dyn_objective *network;
    dyn_model *model;           /* borrowed */
    dyn_operator *H;
    dyn_graph *g;
    dyn_node samples;
    dyn_run *run;
    dyn_sharpness_tracker *tracker;
    dyn_episodes *episodes;
} family;

static family make_family(dyn_ctx *c)
{
    double theta[NETWORK_SIZE], threshold[4] = { 0 };
    family f = { .x = NULL };

    network_start(theta);
    CHECK_OK(c, make_data(c, DYN_F64, &f.x, &f.y));
    CHECK_OK(c, dyn_array_linspace(c, DYN_F64, 1, 1, 1, &f.one));
    f.network = make_network(c, DYN_F64);
    f.model = dyn_objective_model(f.network);
    CHECK_OK(c, dyn_objective_hessian(f.network, theta, &f.H));
    CHECK_OK(c, dyn_graph_create(c, DYN_F64, &f.g));
    f.samples = dyn_graph_input(f.g, "x", 2, SHAPE(4, 2));
    CHECK_OK(c, dyn_run_create(f.network, &OPTIMIZER(.rate = 0.1), NULL, theta, &f.run));
    CHECK_OK(c, dyn_sharpness_tracker_create(c, NETWORK_SIZE, NULL, &f.tracker));
    CHECK_OK(c, dyn_episodes_above(c, 4, NULL, theta, threshold, &f.episodes));
    return f;
}

static void free_family(family *f)
{
    dyn_episodes_free(f->episodes);
    dyn_sharpness_tracker_free(f->tracker);
    dyn_run_free(f->run);
    dyn_graph_free(f->g);
    dyn_operator_unref(f->H);
    dyn_objective_unref(f->network);
    dyn_array_unref(f->one);
    dyn_array_unref(f->x);
    dyn_array_unref(f->y);
}

static void refuse_objectives(const family *a, const family *b)
{
    const char *const f = "dyn_objective_create";
    dyn_objective *o = a->network;

    REFUSED(dyn_objective_create(ctx, b->model, a->x, a->y, NULL, &o), DYN_EINVAL, f, "model belongs to another");
    CHECK(!o);
    REFUSED(dyn_objective_create(ctx, a->model, b->x, a->y, NULL, &o), DYN_EINVAL, f, "x belongs to another context");
    REFUSED(dyn_objective_create(ctx, a->model, a->x, b->y, NULL, &o), DYN_EINVAL, f, "y belongs to another context");
    REFUSED(dyn_objective_create(ctx, b->model, b->x, b->y, NULL, &o), DYN_EINVAL, f, "another context");
    REFUSED(dyn_model_build(a->model, b->g, b->samples), DYN_EINVAL, "dyn_model_build", "g belongs to another");
}

static void refuse_arrays(const family *a, const family *b)
{
    dyn_array *out = a->x;

    REFUSED(dyn_array_rescale(a->x, b->one, a->one, &out), DYN_EINVAL, "dyn_array_rescale", "mean belongs to another");
    CHECK(!out);
    REFUSED(dyn_array_rescale(a->x, a->one, b->one, &out), DYN_EINVAL, "dyn_array_rescale", "std belongs to another");
}

static void refuse_measurements(const family *a, const family *b)
{
    dyn_operator *sum = a->H;
    int64_t hits = -1;

    REFUSED(dyn_operator_sum(a->H, b->H, &sum), DYN_EINVAL, "dyn_operator_sum", "B belongs to another");
    CHECK(!sum);
    REFUSED(dyn_sharpness_tracker_measure(a->tracker, b->H, NULL, 1, NULL, NULL), DYN_EINVAL,
            "dyn_sharpness_tracker_measure", "H belongs to another");
    REFUSED(dyn_sharpness_observe(a->tracker, b->run, NULL), DYN_EINVAL, "dyn_sharpness_observe",
            "run belongs to another");
    REFUSED(dyn_episodes_confusion(a->episodes, b->episodes, 0, &hits, NULL, NULL), DYN_EINVAL,
            "dyn_episodes_confusion", "spikes belongs to another");
    CHECK(hits == -1);
}

TEST(contexts_do_not_mix)
{
    family a = make_family(ctx), b = make_family(other);
    const int64_t here = dyn_ctx_bytes(ctx), there = dyn_ctx_bytes(other);

    refuse_objectives(&a, &b);
    refuse_arrays(&a, &b);
    refuse_measurements(&a, &b);
    CHECK(dyn_ctx_bytes(ctx) == here && dyn_ctx_bytes(other) == there);
    CHECK(strcmp(dyn_ctx_message(other), "") == 0);
    free_family(&a);
    free_family(&b);
}

/* The same calls within one context are accepted. */
TEST(one_context_does)
{
    family a = make_family(ctx), b = make_family(ctx);
    dyn_objective *o = NULL;
    dyn_operator *sum = NULL;
    dyn_array *scaled = NULL;

    CHECK_OK(ctx, dyn_objective_create(ctx, b.model, a.x, b.y, NULL, &o));
    CHECK(dyn_model_build(a.model, b.g, b.samples) >= 0);
    CHECK_OK(ctx, dyn_array_rescale(a.x, b.one, b.one, &scaled));
    CHECK_OK(ctx, dyn_operator_sum(a.H, b.H, &sum));
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(a.tracker, b.H, NULL, 1, NULL, NULL));
    CHECK_OK(ctx, dyn_sharpness_observe(a.tracker, b.run, NULL));
    CHECK_OK(ctx, dyn_episodes_confusion(a.episodes, b.episodes, 0, NULL, NULL, NULL));
    dyn_objective_unref(o);
    dyn_operator_unref(sum);
    dyn_array_unref(scaled);
    free_family(&b);
    free_family(&a);
}

int main(void)
{
    ctx = make_ctx(1);
    other = make_ctx(1);
    RUN(contexts_do_not_mix);
    RUN(one_context_does);
    dyn_ctx_free(ctx);
    dyn_ctx_free(other);
    return test_end();
}
