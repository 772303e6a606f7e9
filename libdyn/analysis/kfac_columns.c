/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Columns u of which sum u u^T is the Hessian of a sample's loss in its outputs f, exactly or in expectation:
 *
 *   a (f - y)^2              sqrt(2a) e_j                            sqrt(2a) xi, xi ~ N(0, 1)
 *   -a log softmax(f)_y      sqrt(a p_j) (e_j - p)                   sqrt(a) (p - e_y), y ~ p
 *   binary                   sqrt(a s_j (1 - s_j)) e_j               sqrt(a) (s - y), y ~ s
 *
 * the second for every position, s = sigmoid(f). The normal numbers are the gradients at y ~ N(f, 1/2), of which the
 * squared error is the log likelihood. */
#include <math.h>
#include <string.h>
#include "analysis/kfac.h"
#include "objective/losses.h"
#include "random/random.h"

int64_t dyn__kfac_columns(const dyn_objective *o, const dyn_kfac_options *opt)
{
    return opt->columns == DYN_KFAC_EXACT ? o->c : opt->columns == DYN_KFAC_SAMPLED ? opt->draws : 1;
}

static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

/* p [n] from f; returns nothing that overflows. */
static void softmax(int64_t n, const double *f, double *p)
{
    double top = f[0], sum = 0.0;

    for (int64_t j = 1; j < n; j++)
        top = fmax(top, f[j]);
    for (int64_t j = 0; j < n; j++)
        sum += p[j] = exp(f[j] - top);
    for (int64_t j = 0; j < n; j++)
        p[j] /= sum;
}

/* One position: u from p in place. pick: the class; draw 0: the root's column of it, 1: the gradient at it. */
static void softmax_column(int64_t n, double *u, int64_t pick, int draw, double a)
{
    const double factor = draw ? sqrt(a) : -sqrt(a * u[pick]);

    u[pick] -= 1.0;
    for (int64_t j = 0; j < n; j++)
        u[j] *= factor;
}

/* The class at which the sum of p passes x in [0, 1). */
static int64_t class_at(int64_t n, const double *p, double x)
{
    int64_t j = 0;

    for (double sum = p[0]; sum < x && j + 1 < n; sum += p[j])
        j++;
    return j;
}

static void exact(const dyn_objective *o, int64_t column, double a, const double *f, double *u)
{
    const int64_t classes = dyn__loss_classes(o), at = column / classes * classes;

    memset(u, 0, (size_t)o->c * sizeof *u);
    if (dyn__loss_is_softmax(o)) {
        softmax(classes, f + at, u + at);
        softmax_column(classes, u + at, column - at, 0, a);
    } else if (o->opt.loss == DYN_LOSS_MSE) {
        u[column] = sqrt(2.0 * a);
    } else {
        const double s = sigmoid(f[column]);
        u[column] = sqrt(a * s * (1.0 - s));
    }
}

/* u holds a random number for each output: normal, or uniform. */
static void drawn(const dyn_objective *o, double a, const double *f, double *u)
{
    const int64_t classes = dyn__loss_classes(o);

    for (int64_t j = 0; j < o->c; j += dyn__loss_is_softmax(o) ? classes : 1) {
        const double x = u[j], s = sigmoid(f[j]);
        if (dyn__loss_is_softmax(o)) {
            softmax(classes, f + j, u + j);
            softmax_column(classes, u + j, class_at(classes, u + j, x), 1, a);
        } else {
            u[j] = o->opt.loss == DYN_LOSS_MSE ? sqrt(2.0 * a) * x : sqrt(a) * (s - (x < s));
        }
    }
}

void dyn__kfac_column(const dyn_objective *o, const dyn_kfac_options *opt, int64_t column, int64_t first, int64_t count,
                      const double *f, double *u)
{
    const dyn__key key = {.seed = opt->seed, .stream = DYN__STREAM_PROBE, .step = (uint32_t)column};
    const double a = dyn__loss_factor(o);

    if (opt->columns == DYN_KFAC_SAMPLED) {
        if (o->opt.loss == DYN_LOSS_MSE)
            dyn__normal_f64(key, (uint64_t)(first * o->c), count * o->c, u);
        else
            dyn__uniform_f64(key, (uint64_t)(first * o->c), count * o->c, u);
    }
    f += first * o->c;
    for (int64_t i = 0; i < count; i++, f += o->c, u += o->c) {
        if (opt->columns == DYN_KFAC_EXACT)
            exact(o, column, a, f, u);
        else
            drawn(o, a / opt->draws, f, u);
    }
}
