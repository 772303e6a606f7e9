/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Embedding in width (arXiv 2105.14573, 2111.15527): a wide perceptron whose neurons stand for those of a narrow one, or
 * for none, that computes the same and is critical where the narrow one is.
 *
 * Each neuron j that stands for another has a share; those of one narrow neuron sum to 1, and the error at j is its share
 * of the narrow one's. A weight from j to i is alpha_ji times the narrow weight. The sum of alpha over the j of one narrow
 * neuron must be 1, so that the outputs are kept; its sum over the i of one narrow neuron, weighed by their shares, must be
 * the share of j, so that the errors are. alpha_ji = share_j solves both; the rest is what R leaves after projection. */
#include <math.h>
#include <string.h>
#include <dyn/embed.h>
#include <dyn/plan.h>
#include "family/embed.h"
#include "random/random.h"

enum { DYN__STEP_EMBED = 1 };       /* of the keys of random numbers; 0 draws the parameters of models */

/* The neurons of one layer, or the inputs or outputs, which stand for themselves. */
typedef struct side {
    int64_t narrow, wide;
    const int64_t *map;         /* [wide], NULL: themselves */
    double *share;              /* [wide] */
    double *value;              /* [wide] what a neuron that stands for none gives */
} side;

static int64_t stands_for(const side *s, int64_t i) { return s->map ? s->map[i] : i; }

/* ---- shared with depth ---- */

dyn__affine dyn__layer_at(const dyn__perceptron *p, int32_t l, const double *theta)
{
    const double *at = theta;
    for (int32_t k = 0; k < l; k++)
        at += p->layer[k].in * p->layer[k].out + (p->layer[k].bias ? p->layer[k].out : 0);
    const dyn__dense *d = &p->layer[l];
    return (dyn__affine){(double *)at, d->bias ? (double *)at + d->in * d->out : NULL};
}

dyn_status dyn__plain_perceptron(const dyn_model *m, const char *name, const dyn__perceptron **out)
{
    const dyn__perceptron *p = dyn__perceptron_of(m);

    if (!p || p->copies != 1)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "the %s model is %s", name, p ? "antisymmetric" : "no perceptron");
    for (int32_t l = 0; l < p->layers; l++)
        if (p->layer[l].skip)
            return DYN__FAIL(m->ctx, DYN_EINVAL, "layer %d of the %s model has a skip connection", (int)l + 1, name);
    *out = p;
    return DYN_OK;
}

static dyn_status run_activation(dyn_graph *g, int32_t activation, int64_t n, double *x)
{
    dyn_plan *plan = NULL;
    dyn_exec *exec = NULL;
    dyn_node in = dyn_graph_input(g, "x", 1, &n), y = dyn_graph_activation(g, activation, in);

    if (y == in)
        return in < 0 ? in : DYN_OK;        /* an error passes through; the identity is no node of its own */
    dyn_status s = y < 0 ? y : dyn_plan_compile(g, 1, &y, NULL, &plan);
    if (s == DYN_OK)
        s = dyn_exec_create(plan, &exec);
    if (s == DYN_OK)
        s = dyn_exec_bind(exec, "x", DYN_F64, n, x);
    double *values = s == DYN_OK ? dyn__alloc(g->ctx, (size_t)n, sizeof *values) : NULL;
    if (s == DYN_OK)
        s = values ? dyn_exec_bind_output(exec, 0, DYN_F64, n, values) : DYN_ENOMEM;
    if (s == DYN_OK)
        s = dyn_exec_run(exec);
    if (s == DYN_OK)
        memcpy(x, values, (size_t)n * sizeof *x);
    dyn__free(g->ctx, values);
    dyn_exec_free(exec);
    dyn_plan_unref(plan);
    return s;
}

dyn_status dyn__activate(dyn_ctx *ctx, int32_t activation, int64_t n, double *x)
{
    dyn_graph *g = NULL;

    if (n == 0)
        return DYN_OK;
    DYN__TRY(dyn_graph_create(ctx, DYN_F64, &g));
    dyn_status s = run_activation(g, activation, n, x);
    dyn_graph_free(g);
    return s;
}

/* ---- what is given ---- */

static dyn_status check_pair(dyn_ctx *ctx, const dyn__perceptron *a, const dyn__perceptron *b)
{
    if (a->layers != b->layers || a->scale != b->scale)
        return DYN__FAIL(ctx, DYN_ESHAPE, "%d layers and output scale %g in %d layers of output scale %g", (int)a->layers,
                         a->scale, (int)b->layers, b->scale);
    for (int32_t l = 0; l < a->layers; l++) {
        const dyn__dense *n = &a->layer[l], *w = &b->layer[l];
        if (n->activation != w->activation || n->bias != w->bias)
            return DYN__FAIL(ctx, DYN_EINVAL, "layer %d has another activation, or a bias in one network only", (int)l + 1);
        if (n->out > w->out || (l == 0 && n->in != w->in) || (l == a->layers - 1 && n->out != w->out))
            return DYN__FAIL(ctx, DYN_ESHAPE, "layer %d is %lld x %lld, in the wide network %lld x %lld", (int)l + 1,
                             (long long)n->in, (long long)n->out, (long long)w->in, (long long)w->out);
    }
    return DYN_OK;
}

/* Shares as given, or equal; those of one narrow neuron must sum to 1. */
static dyn_status fill_shares(dyn_ctx *ctx, const side *s, int32_t layer, const double *given)
{
    for (int64_t k = 0; k < s->narrow; k++) {
        double count = 0, sum = 0;
        for (int64_t i = 0; i < s->wide; i++)
            count += s->map[i] == k;
        for (int64_t i = 0; i < s->wide; i++)
            if (s->map[i] == k)
                sum += s->share[i] = given ? given[i] : 1 / count;
        if (count == 0)
            return DYN__FAIL(ctx, DYN_EINVAL, "layer %d: nobody stands for neuron %lld", (int)layer, (long long)k);
        if (!(fabs(sum - 1) <= 1e-12 * (1 + count)))
            return DYN__FAIL(ctx, DYN_EINVAL, "layer %d: the shares of neuron %lld sum to %.17g, expected 1", (int)layer,
                             (long long)k, sum);
    }
    return DYN_OK;
}

static dyn_status fill_side(dyn_ctx *ctx, side *s, int32_t layer, const double *given)
{
    for (int64_t i = 0; i < s->wide; i++) {
        if (s->map && (s->map[i] < -1 || s->map[i] >= s->narrow))
            return DYN__FAIL(ctx, DYN_EINVAL, "layer %d: neuron %lld stands for %lld, expected -1 to %lld", (int)layer,
                             (long long)i, (long long)s->map[i], (long long)s->narrow - 1);
        s->share[i] = s->map ? 0 : 1;
    }
    return s->map ? fill_shares(ctx, s, layer, given) : DYN_OK;
}

/* ---- alpha ---- */

/* Over the j of each narrow neuron the sum of alpha_ji becomes 0. */
static void balance_sources(const side *in, const side *out, double *alpha, double *sum)
{
    for (int64_t i = 0; i < out->wide; i++) {
        memset(sum, 0, (size_t)in->narrow * sizeof *sum);
        for (int64_t j = 0; j < in->wide; j++)
            if (stands_for(in, j) >= 0)
                sum[stands_for(in, j)] += alpha[j * out->wide + i];
        for (int64_t j = 0; j < in->wide; j++)
            if (stands_for(in, j) >= 0)
                alpha[j * out->wide + i] -= in->share[j] * sum[stands_for(in, j)];
    }
}

/* Over the i of each narrow neuron the sum of share_i alpha_ji becomes 0. */
static void balance_targets(const side *in, const side *out, double *alpha, double *sum)
{
    for (int64_t j = 0; j < in->wide; j++) {
        double *row = alpha + j * out->wide;
        memset(sum, 0, (size_t)out->narrow * sizeof *sum);
        for (int64_t i = 0; i < out->wide; i++)
            if (stands_for(out, i) >= 0)
                sum[stands_for(out, i)] += out->share[i] * row[i];
        for (int64_t i = 0; i < out->wide; i++)
            if (stands_for(out, i) >= 0)
                row[i] -= sum[stands_for(out, i)];
    }
}

/* alpha [in->wide, out->wide] begins as random numbers, or 0; sum is room for the narrow neurons of a layer. */
static void make_compatible(const side *in, const side *out, double *alpha, double *sum)
{
    balance_sources(in, out, alpha, sum);
    balance_targets(in, out, alpha, sum);
    for (int64_t j = 0; j < in->wide; j++)
        for (int64_t i = 0; i < out->wide; i++)
            if (stands_for(in, j) >= 0 && stands_for(out, i) >= 0)
                alpha[j * out->wide + i] += in->share[j];
}

/* ---- one layer ---- */

typedef struct widening {
    dyn_ctx *ctx;
    const dyn__perceptron *narrow, *wide;
    const double *theta;
    double *out, *sum;
    double spread;
    uint64_t seed;
} widening;

static void draw(const widening *job, int32_t l, int64_t first, int64_t n, double *x)
{
    const dyn__key key = {job->seed, DYN__STREAM_INIT, DYN__STEP_EMBED, (uint32_t)l};

    memset(x, 0, (size_t)n * sizeof *x);
    if (job->spread == 0)
        return;
    dyn__normal_f64(key, first, n, x);
    for (int64_t i = 0; i < n; i++)
        x[i] *= job->spread;
}

/* What the neurons that stand for none add to i. */
static double from_nobody(const side *in, const side *out, const double *w, int64_t i)
{
    double sum = 0;

    for (int64_t j = 0; j < in->wide; j++)
        if (stands_for(in, j) < 0)
            sum += w[j * out->wide + i] * in->value[j];
    return sum;
}

/* Biases; of who stands for none, what it gives before its activation, in out->value. */
static dyn_status set_biases(const widening *job, int32_t l, double ratio, const side *in, side *out, dyn__affine to)
{
    const dyn__affine from = dyn__layer_at(job->narrow, l, job->theta);
    const double factor = job->wide->layer[l].multiplier;

    draw(job, l, in->wide * out->wide, out->wide, out->value);
    for (int64_t i = 0; i < out->wide; i++) {
        const int64_t k = stands_for(out, i);
        const double more = from_nobody(in, out, to.w, i);
        if (k >= 0 && !to.b && more != 0)
            return DYN__FAIL(job->ctx, DYN_EINVAL, "layer %d has no bias to take away what neurons that stand for none "
                             "give: spread must be 0", (int)l + 1);
        if (!to.b)
            out->value[i] = more;
        else
            to.b[i] = (k >= 0 ? ratio * from.b[k] : out->value[i]) - more;
        out->value[i] *= factor;
    }
    return DYN_OK;
}

static dyn_status embed_layer(const widening *job, int32_t l, const side *in, side *out)
{
    const dyn__dense *narrow = &job->narrow->layer[l];
    const double ratio = narrow->multiplier / job->wide->layer[l].multiplier;
    const dyn__affine from = dyn__layer_at(job->narrow, l, job->theta), to = dyn__layer_at(job->wide, l, job->out);

    draw(job, l, 0, in->wide * out->wide, to.w);
    make_compatible(in, out, to.w, job->sum);
    for (int64_t j = 0; j < in->wide; j++)
        for (int64_t i = 0; i < out->wide; i++) {
            const int64_t s = stands_for(in, j), k = stands_for(out, i);
            if (s >= 0 && k >= 0)
                to.w[j * out->wide + i] *= ratio * from.w[s * narrow->out + k];
        }
    DYN__TRY(set_biases(job, l, ratio, in, out, to));
    return dyn__activate(job->ctx, narrow->activation, out->wide, out->value);
}

/* ---- all layers ---- */

/* Room for two sides at a time: shares, values, and sums over narrow neurons. */
static dyn_status embed(widening *job, const int64_t *map, const double *share)
{
    int64_t most = job->wide->layer[0].in;
    for (int32_t l = 0; l < job->wide->layers; l++)
        most = most < job->wide->layer[l].out ? job->wide->layer[l].out : most;
    double *room = dyn__alloc(job->ctx, (size_t)most * 5, sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    job->sum = room + 4 * most;
    side in = {job->narrow->layer[0].in, job->narrow->layer[0].in, NULL, room, room + most};
    dyn_status s = fill_side(job->ctx, &in, 0, NULL);
    for (int32_t l = 0; l < job->wide->layers && s == DYN_OK; l++) {
        const int last = l == job->wide->layers - 1, odd = l % 2 == 0;
        side out = {job->narrow->layer[l].out, job->wide->layer[l].out, last ? NULL : map,
                    room + (odd ? 2 : 0) * most, room + (odd ? 3 : 1) * most};
        s = fill_side(job->ctx, &out, l + 1, share);
        if (s == DYN_OK)
            s = embed_layer(job, l, &in, &out);
        map += last ? 0 : out.wide;
        share += last || !share ? 0 : out.wide;
        in = out;
    }
    dyn__free(job->ctx, room);
    return s;
}

dyn_status dyn_embed_width(const dyn_model *narrow, const double *theta, const dyn_model *wide, const int64_t *map,
                           const double *share, double spread, uint64_t seed, double *out)
{
    widening job = {.theta = theta, .out = out, .spread = spread, .seed = seed};

    if (!narrow)
        return DYN_EINVAL;
    job.ctx = narrow->ctx;
    DYN__ENTER(job.ctx);
    DYN__NEED(job.ctx, wide);
    DYN__NEED(job.ctx, theta);
    DYN__NEED(job.ctx, map);
    DYN__NEED(job.ctx, out);
    if (!isfinite(spread) || spread < 0)
        return DYN__FAIL(job.ctx, DYN_EINVAL, "spread is %g, expected 0 or more", spread);
    DYN__TRY(dyn__plain_perceptron(narrow, "narrow", &job.narrow));
    DYN__TRY(dyn__plain_perceptron(wide, "wide", &job.wide));
    DYN__TRY(check_pair(job.ctx, job.narrow, job.wide));
    return embed(&job, map, share);
}
