/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descent with steps that never raise the value: the rate grows while they succeed and shrinks where one does not. */
#include "minimise/minimise.h"

dyn_status dyn__monotone(dyn__search *s)
{
    s->rate = s->opt.rate;
    while (!dyn__search_done(s)) {
        for (int64_t i = 0; i < s->on.n; i++)
            s->on.trial.theta[i] = s->on.at.theta[i] - s->rate * s->on.at.gradient[i];
        if (memcmp(s->on.trial.theta, s->on.at.theta, (size_t)s->on.n * sizeof(double)) == 0) {
            s->reason = DYN_MINIMISE_STALLED;       /* the step is below rounding */
            break;
        }
        DYN__TRY(dyn__search_evaluate(s, &s->on.trial));
        if (s->on.spent)
            break;
        if (s->on.trial.value <= s->on.at.value) {
            dyn__search_take(s);
            s->rate *= s->opt.growth;
        } else {
            s->rate *= s->opt.shrink;
        }
    }
    return DYN_OK;
}
