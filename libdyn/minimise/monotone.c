/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descent with steps that never raise the value: the rate grows while they succeed and shrinks where one does not. */
#include "minimise/minimise.h"

dyn_status dyn__monotone(dyn__search *s)
{
    int spent;

    s->rate = s->opt.rate;
    while (!dyn__search_done(s)) {
        for (int64_t i = 0; i < s->n; i++)
            s->trial.theta[i] = s->at.theta[i] - s->rate * s->at.gradient[i];
        if (memcmp(s->trial.theta, s->at.theta, (size_t)s->n * sizeof(double)) == 0) {
            s->reason = DYN_MINIMISE_STALLED;       /* the step is below rounding */
            break;
        }
        DYN__TRY(dyn__search_evaluate(s, &s->trial, &spent));
        if (spent)
            break;
        if (s->trial.value <= s->at.value) {
            dyn__search_take(s);
            s->rate *= s->opt.growth;
        } else {
            s->rate *= s->opt.shrink;
        }
    }
    return DYN_OK;
}
