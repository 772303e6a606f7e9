/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Embedding in depth (arXiv 2205.13283): a perceptron with one more hidden layer, whose activation is affine on the given
 * samples, so that it computes the same there and is critical where the shallow one is.
 *
 * The extra layer computes lambda c (f V + v) + mu of the features f before it. V has orthonormal rows, or is the weight
 * behind it times such; W' follows from V lambda c W' = W. */
#include <math.h>
#include <string.h>
#include <dyn/embed.h>
#include "family/embed.h"
#include "random/random.h"

/* sigma(z) = lambda z + mu: for z > 0, everywhere, or near 0 only. */
typedef struct zone { double lambda, mu; enum { NOWHERE, ABOVE, EVERYWHERE, NEAR } where; } zone;

static zone zone_of(int32_t activation)
{
    switch (activation) {
    case DYN_IDENTITY: return (zone){1, 0, EVERYWHERE};
    case DYN_RELU: case DYN_LEAKY_RELU: case DYN_ELU: return (zone){1, 0, ABOVE};
    case DYN_TANH: case DYN_SIN: return (zone){1, 0, NEAR};
    case DYN_ERF: return (zone){1.1283791670955126, 0, NEAR};
    case DYN_SIGMOID: return (zone){.25, .5, NEAR};
    case DYN_SOFTPLUS: return (zone){.5, .69314718055994531, NEAR};
    case DYN_GELU: case DYN_GELU_TANH: case DYN_SILU: return (zone){.5, 0, NEAR};
    default: return (zone){0, 0, NOWHERE};
    }
}

typedef struct deepening {
    dyn_ctx *ctx;
    const dyn__perceptron *shallow, *deep;
    const double *theta;
    double *out;
    int32_t at;                 /* the extra layer, from 0 */
    int64_t n;
    const double *x;
    double epsilon;
    uint64_t seed;
} deepening;

/* ---- checks ---- */

static int same_layer(const dyn__dense *a, const dyn__dense *b)
{
    return a->in == b->in && a->out == b->out && a->activation == b->activation && a->bias == b->bias &&
           a->multiplier == b->multiplier;
}

static dyn_status check_layers(const deepening *job)
{
    const dyn__dense *extra = &job->deep->layer[job->at], *next = extra + 1, *was = &job->shallow->layer[job->at];

    for (int32_t l = 0; l < job->shallow->layers; l++)
        if (l != job->at && !same_layer(&job->shallow->layer[l], &job->deep->layer[l + (l > job->at)]))
            return DYN__FAIL(job->ctx, DYN_ESHAPE, "layer %d of the shallow network has no equal in the deep one", (int)l + 1);
    if (extra->in != was->in || next->out != was->out || next->activation != was->activation)
        return DYN__FAIL(job->ctx, DYN_ESHAPE, "layer %d maps %lld to %lld, layers %d and %d of the deep network %lld to "
                         "%lld", (int)job->at + 1, (long long)was->in, (long long)was->out, (int)job->at + 1,
                         (int)job->at + 2, (long long)extra->in, (long long)next->out);
    if (extra->out < was->in && extra->out < was->out)
        return DYN__FAIL(job->ctx, DYN_ESHAPE, "the extra layer has %lld neurons, fewer than %lld and %lld beside it",
                         (long long)extra->out, (long long)was->in, (long long)was->out);
    if (!extra->bias || !next->bias)
        return DYN__FAIL(job->ctx, DYN_EINVAL, "layers %d and %d need biases", (int)job->at + 1, (int)job->at + 2);
    if (zone_of(extra->activation).where == NOWHERE)
        return DYN__FAIL(job->ctx, DYN_EINVAL, "the activation of layer %d is affine nowhere", (int)job->at + 1);
    return DYN_OK;
}

static dyn_status check(const deepening *job)
{
    if (job->deep->layers != job->shallow->layers + 1 || job->deep->scale != job->shallow->scale)
        return DYN__FAIL(job->ctx, DYN_ESHAPE, "%d layers of output scale %g in %d of %g", (int)job->shallow->layers,
                         job->shallow->scale, (int)job->deep->layers, job->deep->scale);
    if (job->at < 0 || job->at >= job->shallow->layers)
        return DYN__FAIL(job->ctx, DYN_EINVAL, "layer is %d, expected 1 to %d", (int)job->at + 1, (int)job->shallow->layers);
    if (job->n < 1 || !isfinite(job->epsilon) || job->epsilon <= 0)
        return DYN__FAIL(job->ctx, DYN_EINVAL, "%lld samples, epsilon %g; expected 1 or more, and above 0",
                         (long long)job->n, job->epsilon);
    return check_layers(job);
}

/* ---- products of small matrices ---- */

/* c [m, n] = factor * a [m, k] b [k, n] */
static void multiply(int64_t m, int64_t k, int64_t n, double factor, const double *a, const double *b, double *c)
{
    memset(c, 0, (size_t)(m * n) * sizeof *c);
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            for (int64_t j = 0; j < n; j++)
                c[i * n + j] += factor * a[i * k + l] * b[l * n + j];
}

static void transpose(int64_t m, int64_t n, const double *a, double *t)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            t[j * m + i] = a[i * n + j];
}

/* ---- features before the extra layer ---- */

static dyn_status forward(const deepening *job, int32_t l, const double *f, double **out)
{
    const dyn__dense *d = &job->shallow->layer[l];
    const dyn__affine a = dyn__layer_at(job->shallow, l, job->theta);
    double *z = dyn__alloc(job->ctx, (size_t)(job->n * d->out), sizeof *z);

    *out = z;
    if (!z)
        return DYN_ENOMEM;
    multiply(job->n, d->in, d->out, d->multiplier, f, a.w, z);
    for (int64_t i = 0; i < job->n * d->out; i++)
        z[i] += a.b ? d->multiplier * a.b[i % d->out] : 0;
    return dyn__activate(job->ctx, d->activation, job->n * d->out, z);
}

/* *out [n, width before the extra layer], to be freed. */
static dyn_status features(const deepening *job, double **out)
{
    dyn_status s = DYN_OK;

    *out = dyn__copied(job->ctx, job->x, job->n * job->shallow->layer[0].in);
    if (!*out)
        return DYN_ENOMEM;
    for (int32_t l = 0; l < job->at && s == DYN_OK; l++) {
        double *before = *out;
        s = forward(job, l, before, out);
        dyn__free(job->ctx, before);
    }
    return s;
}

/* ---- the two layers ---- */

/* V and W' with V lambda c W' = ratio W; q has room for h * max(in, out) orthonormal numbers and their transpose. */
static void set_weights(const deepening *job, double slope, double scale, double *q, dyn__affine extra, dyn__affine next)
{
    const dyn__dense *was = &job->shallow->layer[job->at];
    const int64_t h = job->deep->layer[job->at].out, rows = h >= was->in ? was->in : was->out;
    const double ratio = was->multiplier / job->deep->layer[job->at + 1].multiplier;
    const double *w = dyn__layer_at(job->shallow, job->at, job->theta).w;
    double *turned = q + rows * h;

    dyn__normal_f64((dyn__key){job->seed, DYN__STREAM_INIT, 2, 0}, 0, rows * h, q);
    dyn__orthonormalise(rows, h, q);
    transpose(rows, h, q, turned);
    if (h >= was->in) {
        memcpy(extra.w, q, (size_t)(rows * h) * sizeof *q);
        multiply(h, was->in, was->out, ratio / (slope * scale), turned, w, next.w);
    } else {
        multiply(was->in, was->out, h, 1, w, q, extra.w);
        for (int64_t i = 0; i < h * was->out; i++)
            next.w[i] = ratio / (slope * scale) * turned[i];
    }
    for (int64_t i = 0; i < was->in * h; i++)
        extra.w[i] *= scale;
}

/* Biases v that take every sample above 0, by more than epsilon of the largest. */
static void lift(const deepening *job, const double *f, dyn__affine extra)
{
    const dyn__dense *d = &job->deep->layer[job->at];

    for (int64_t j = 0; j < d->out; j++) {
        double most = 0;
        for (int64_t i = 0; i < job->n; i++) {
            double z = 0;
            for (int64_t k = 0; k < d->in; k++)
                z += f[i * d->in + k] * extra.w[k * d->out + j];
            most = fmax(most, fabs(z));
        }
        extra.b[j] = (1 + job->epsilon) * most + job->epsilon;
    }
}

static dyn_status insert(const deepening *job, const double *f)
{
    const dyn__dense *d = &job->deep->layer[job->at], *was = &job->shallow->layer[job->at];
    const zone z = zone_of(d->activation);
    const dyn__affine extra = dyn__layer_at(job->deep, job->at, job->out), from = dyn__layer_at(job->shallow, job->at, job->theta);
    const dyn__affine next = dyn__layer_at(job->deep, job->at + 1, job->out);
    const double ratio = was->multiplier / job->deep->layer[job->at + 1].multiplier;
    const int64_t wide = was->in > was->out ? was->in : was->out;
    double *q = dyn__alloc(job->ctx, (size_t)(2 * wide * d->out), sizeof *q);

    if (!q)
        return DYN_ENOMEM;
    set_weights(job, z.lambda * d->multiplier, z.where == NEAR ? job->epsilon : 1, q, extra, next);
    dyn__free(job->ctx, q);
    memset(extra.b, 0, (size_t)d->out * sizeof *extra.b);
    if (z.where == ABOVE)
        lift(job, f, extra);
    for (int64_t k = 0; k < was->out; k++) {
        next.b[k] = from.b ? ratio * from.b[k] : 0;
        for (int64_t j = 0; j < d->out; j++)
            next.b[k] -= (z.lambda * d->multiplier * extra.b[j] + z.mu) * next.w[j * was->out + k];
    }
    return DYN_OK;
}

static void copy_others(const deepening *job)
{
    for (int32_t l = 0; l < job->shallow->layers; l++) {
        const dyn__dense *d = &job->shallow->layer[l];
        const double *from = dyn__layer_at(job->shallow, l, job->theta).w;
        const int64_t size = d->in * d->out + (d->bias ? d->out : 0);
        if (l != job->at)
            memcpy(dyn__layer_at(job->deep, l + (l > job->at), job->out).w, from, (size_t)size * sizeof *from);
    }
}

dyn_status dyn_embed_depth(const dyn_model *shallow, const double *theta, const dyn_model *deep, int32_t layer, int64_t n,
                           const double *x, double epsilon, uint64_t seed, double *out)
{
    deepening job = {.theta = theta, .out = out, .at = layer - 1, .n = n, .x = x, .epsilon = epsilon, .seed = seed};
    double *f = NULL;

    if (!shallow)
        return DYN_EINVAL;
    job.ctx = shallow->ctx;
    DYN__ENTER(job.ctx);
    DYN__NEED(job.ctx, deep);
    DYN__NEED(job.ctx, theta);
    DYN__NEED(job.ctx, x);
    DYN__NEED(job.ctx, out);
    DYN__TRY(dyn__plain_perceptron(shallow, "shallow", &job.shallow));
    DYN__TRY(dyn__plain_perceptron(deep, "deep", &job.deep));
    DYN__TRY(check(&job));
    dyn_status s = features(&job, &f);
    if (s == DYN_OK)
        s = insert(&job, f);
    dyn__free(job.ctx, f);
    if (s == DYN_OK)
        copy_others(&job);
    return s;
}
