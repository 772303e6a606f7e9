/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One step of the pair of Dormand and Prince (orders 5 and 4), and the state within it (Hairer, Norsett and Wanner,
 * Solving Ordinary Differential Equations I, II.5 and II.6). The last stage is the first of the next step. */
#include "minimise/flow.h"

static const double A[DYN__STAGES][DYN__STAGES - 1] = {
    { 0 },
    { 1. / 5 },
    { 3. / 40, 9. / 40 },
    { 44. / 45, -56. / 15, 32. / 9 },
    { 19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729 },
    { 9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656 },
    { 35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84 },
};
/* Fifth order minus fourth. */
static const double E[DYN__STAGES] = {
    71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40 };
/* Of the term of highest degree within a step. */
static const double D[DYN__STAGES] = {
    -12715105075. / 11282082432, 0, 87487479700. / 32700410799, -10690763975. / 1880347072,
    701980252875. / 199316789632, -1453857185. / 822651844, 69997945. / 29380423 };

dyn_status dyn__flow_descent(dyn__flow *f, const double *theta, double *slope, double *value)
{
    double length;

    f->done.evaluations++;
    DYN__TRY(dyn__finite_gradient(f->objective, f->n, theta, value, slope, &length));
    for (int64_t i = 0; i < f->n; i++)
        slope[i] = -slope[i];
    return DYN_OK;
}

dyn_status dyn__flow_slope(dyn__flow *f, const double *theta, double *slope, double *value, double *norm)
{
    if (f->slide.count)
        DYN__TRY(dyn__slide_slope(f, theta, slope, value));
    else
        DYN__TRY(dyn__flow_descent(f, theta, slope, value));
    *norm = dyn__length(f->n, slope);
    if (f->opt.normalised && *norm > 0)
        for (int64_t i = 0; i < f->n; i++)
            slope[i] /= *norm;
    return DYN_OK;
}

static double combined(const dyn__flow *f, const double *weight, int stages, int64_t i)
{
    double sum = 0;

    for (int j = 0; j < stages; j++)
        sum += weight[j] * f->k[j][i];
    return sum;
}

static double error_of(const dyn__flow *f, double h)
{
    double sum = 0;

    for (int64_t i = 0; i < f->n; i++) {
        const double size = fmax(fabs(f->theta[i]), fabs(f->next[i]));
        const double tolerated = f->opt.absolute + f->opt.relative * size;
        const double e = h * combined(f, E, DYN__STAGES, i);

        sum += e == 0 ? 0 : e / tolerated * (e / tolerated);
    }
    return sqrt(sum / (double)f->n);
}

/* h |lambda| along the last stage, near 3.3 where stability bounds the step; f->probe holds the sixth state. */
static double strain(const dyn__flow *f, double h)
{
    double slopes = 0, states = 0;

    for (int64_t i = 0; i < f->n; i++) {
        const double dk = f->k[6][i] - f->k[5][i], dy = f->next[i] - f->probe[i];

        slopes += dk * dk;
        states += dy * dy;
    }
    return states > 0 ? h * sqrt(slopes / states) : 0;
}

/* Six calm steps in a row are needed to forget the strained ones; fifteen of these are stiffness. */
static void note_strain(dyn__flow *f, int strained)
{
    f->strained += strained;
    f->calm = strained ? 0 : f->calm + 1;
    if (f->calm >= 6)
        f->strained = 0;
    f->done.stiff |= f->strained >= 15;
}

static dyn_status look_for_kinks(dyn__flow *f, const double *state)
{
    if (!f->opt.kinks)
        return DYN_OK;
    DYN__TRY(dyn__flow_signs(f, state, f->new_signs));
    f->met = dyn__flow_crossed(f) > 0;
    return DYN_OK;
}

dyn_status dyn__flow_step(dyn__flow *f, double h)
{
    f->met = 0;
    for (int s = 1; s < DYN__STAGES; s++) {
        double *state = s == 5 ? f->probe : f->next;

        for (int64_t i = 0; i < f->n; i++)
            state[i] = f->theta[i] + h * combined(f, A[s], s, i);
        DYN__TRY(look_for_kinks(f, state));
        if (f->met)
            return DYN_OK;
        DYN__TRY(dyn__flow_slope(f, state, f->k[s], &f->next_value, &f->next_norm));
        if (isnan(f->next_value))
            return DYN_OK;
    }
    f->error = error_of(f, h);
    note_strain(f, strain(f, h) > 3.25);
    return DYN_OK;
}

void dyn__flow_between(const dyn__flow *f, double h, double p, double *state)
{
    for (int64_t i = 0; i < f->n; i++) {
        const double difference = f->next[i] - f->theta[i], bend = h * f->k[0][i] - difference;
        const double last = difference - h * f->k[6][i] - bend, top = h * combined(f, D, DYN__STAGES, i);

        state[i] = f->theta[i] + p * (difference + (1 - p) * (bend + p * (last + (1 - p) * top)));
    }
}
