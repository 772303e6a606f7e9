/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a point of a branch, with some noise, to a zero of the loss near it: Levenberg-Marquardt, whose steps stay short
 * and, on a flat manifold of zeros, lead to a point close by. The step solves (J^T J + damping) z = J^T r by the
 * eigenvectors of J J^T, so that the damping may be as small as it likes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/branch.h>
#include <dyn/dense.h>
#include <dyn/objective.h>
#include "linalg/operator.h"
#include "model/model.h"
#include "random/random.h"

typedef struct probe {
    dyn_ctx *ctx;
    dyn_objective *o;
    int64_t p, n;               /* parameters, residuals */
    const double *y;
    double *jacobian;           /* [n][p] */
    double *gram, *vectors;     /* [n][n] J J^T, its eigenvectors as rows */
    double *values, *residual, *trial_residual, *coefficient;   /* [n] */
    double *theta, *trial;      /* [p] */
    double loss, trial_loss, damping;
} probe;

static dyn_status residuals(probe *q, const double *theta, double *r, double *loss)
{
    DYN__TRY(dyn_objective_predict(q->o, theta, r));
    *loss = 0.0;
    for (int64_t i = 0; i < q->n; i++) {
        r[i] -= q->y[i];
        *loss += r[i] * r[i];
    }
    return DYN_OK;
}

static dyn_status linearise(probe *q)
{
    DYN__TRY(dyn_objective_jacobian(q->o, q->theta, q->jacobian));
    for (int64_t i = 0; i < q->n && !dyn__interrupted(q->ctx); i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;

            for (int64_t k = 0; k < q->p; k++)
                sum += q->jacobian[i * q->p + k] * q->jacobian[j * q->p + k];
            q->gram[i * q->n + j] = q->gram[j * q->n + i] = sum;
        }
    DYN__TRY(dyn__check_interrupt(q->ctx));
    return dyn_dense_eigh(q->ctx, q->n, q->gram, q->values, q->vectors);
}

/* trial = theta - J^T (J J^T + damping)^-1 r. */
static void propose(probe *q)
{
    memset(q->coefficient, 0, (size_t)q->n * sizeof *q->coefficient);
    for (int64_t e = 0; e < q->n; e++) {
        const double *u = q->vectors + e * q->n;
        double along = 0.0;

        for (int64_t i = 0; i < q->n; i++)
            along += u[i] * q->residual[i];
        along /= fmax(q->values[e], 0.0) + q->damping;
        for (int64_t i = 0; i < q->n; i++)
            q->coefficient[i] += along * u[i];
    }
    memcpy(q->trial, q->theta, (size_t)q->p * sizeof *q->trial);
    for (int64_t i = 0; i < q->n; i++)
        for (int64_t k = 0; k < q->p; k++)
            q->trial[k] -= q->coefficient[i] * q->jacobian[i * q->p + k];
}

static void take(probe *q)
{
    memcpy(q->theta, q->trial, (size_t)q->p * sizeof *q->theta);
    memcpy(q->residual, q->trial_residual, (size_t)q->n * sizeof *q->residual);
    q->loss = q->trial_loss;
    q->damping /= 10.0;
}

/* One step down; *stalled if none of any length is. */
static dyn_status step(probe *q, int *stalled)
{
    DYN__TRY(linearise(q));
    q->damping = fmax(q->damping, 1e-14 * fmax(q->values[q->n - 1], 1e-290));
    for (int attempt = 0; attempt < 60; attempt++) {
        propose(q);
        DYN__TRY(residuals(q, q->trial, q->trial_residual, &q->trial_loss));
        if (q->trial_loss < q->loss) {
            take(q);
            return DYN_OK;
        }
        q->damping *= 10.0;
    }
    *stalled = 1;
    return DYN_OK;
}

static dyn_status descend(probe *q, double tolerance, int64_t max_steps)
{
    int stalled = 0;

    q->damping = 1e-3;
    DYN__TRY(residuals(q, q->theta, q->residual, &q->loss));
    for (int64_t i = 0; i < max_steps && !stalled && q->loss > tolerance; i++) {
        DYN__TRY(step(q, &stalled));
        DYN__TRY(dyn__check_interrupt(q->ctx));
    }
    return q->loss <= tolerance ? DYN_OK : DYN_NOT_CONVERGED;
}

static dyn_status wrap(dyn_ctx *ctx, int64_t samples, int64_t width, const double *data, dyn_array **out)
{
    int64_t shape[2] = { samples, width };

    return dyn_array_wrap(ctx, DYN_F64, 2, shape, data, out);
}

static dyn_status objective(dyn_model *m, int64_t samples, const double *x, const double *y, dyn_objective **out)
{
    dyn_array *inputs = NULL, *outputs = NULL;
    dyn_status s = wrap(m->ctx, samples, dyn_model_input_size(m), x, &inputs);

    if (s >= 0)
        s = wrap(m->ctx, samples, dyn_model_output_size(m), y, &outputs);
    if (s >= 0)
        s = dyn_objective_create(m->ctx, m, inputs, outputs, NULL, out);
    dyn_array_unref(outputs);
    dyn_array_unref(inputs);
    return s;
}

static dyn_status room(probe *q)
{
    int64_t n = q->n, p = q->p;
    double *a = dyn__alloc(q->ctx, (size_t)(n + 2), (size_t)(p + 2 * n + 4) * sizeof *a);

    if (!a)
        return DYN_ENOMEM;
    q->jacobian = a;
    q->gram = q->jacobian + n * p;
    q->vectors = q->gram + n * n;
    q->values = q->vectors + n * n;
    q->residual = q->values + n;
    q->trial_residual = q->residual + n;
    q->coefficient = q->trial_residual + n;
    q->theta = q->coefficient + n;
    q->trial = q->theta + p;
    return DYN_OK;
}

static dyn_status run(probe *q, const double *theta, double radius, uint64_t seed, double tolerance, int64_t max_steps,
                      double *end, double *loss)
{
    dyn_status s;

    dyn__normal_f64((dyn__key){ .seed = seed, .stream = DYN__STREAM_PROBE }, 0, q->p, q->theta);
    for (int64_t k = 0; k < q->p; k++)
        q->theta[k] = theta[k] + radius * q->theta[k];
    s = descend(q, tolerance, max_steps);
    if (s >= 0) {
        memcpy(end, q->theta, (size_t)q->p * sizeof *end);
        *loss = q->loss;
    }
    return s;
}

static dyn_status check(dyn_model *m, const double *theta, int64_t samples, double radius, double tolerance,
                        int64_t max_steps)
{
    if (samples < 1 || samples * dyn_model_output_size(m) > 10000)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "%" PRId64 " samples of %" PRId64 " outputs: 1 to 10000 numbers", samples,
                         dyn_model_output_size(m));
    if (!(radius >= 0.0 && isfinite(radius)) || !(tolerance >= 0.0 && isfinite(tolerance)) || max_steps < 0)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "radius is %g, tolerance %g, max_steps %" PRId64 ", none may be negative",
                         radius, tolerance, max_steps);
    return dyn__check_finite(m->ctx, "theta", m->size, theta);
}

dyn_status dyn_branch_probe(dyn_model *model, const double *theta, int64_t samples, const double *x, const double *y,
                            double radius, uint64_t seed, double tolerance, int64_t max_steps, double *end,
                            double *loss)
{
    probe q = { 0 };
    dyn_status s;

    if (!model)
        return DYN_EINVAL;
    DYN__ENTER(model->ctx);
    DYN__NEED(model->ctx, theta);
    DYN__NEED(model->ctx, x);
    DYN__NEED(model->ctx, y);
    DYN__NEED(model->ctx, end);
    DYN__NEED(model->ctx, loss);
    DYN__TRY(check(model, theta, samples, radius, tolerance, max_steps));
    DYN__TRY(dyn__check_finite(model->ctx, "x", samples * dyn_model_input_size(model), x));
    DYN__TRY(dyn__check_finite(model->ctx, "y", samples * dyn_model_output_size(model), y));
    q.ctx = model->ctx;
    q.p = model->size;
    q.n = samples * dyn_model_output_size(model);
    q.y = y;
    s = objective(model, samples, x, y, &q.o);
    if (s >= 0)
        s = room(&q);
    if (s >= 0)
        s = run(&q, theta, radius, seed, tolerance, max_steps, end, loss);
    dyn__free(q.ctx, q.jacobian);
    dyn_objective_unref(q.o);
    return s;
}
