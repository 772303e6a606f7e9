/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The momentum of NAdam, which rises from half of beta1 to beta1, and the product that corrects its bias. The product is
 * kept for the step it was asked for last, and made anew from the first step where that does not serve (a loaded run). */
#include "optim/optim.h"

#include <math.h>

double dyn__nadam_mu(const dyn_optimizer_options *opt, int64_t k)
{
    return opt->beta1 * (1 - 0.5 * pow(0.96, (double)k * opt->momentum_decay));
}

double dyn__nadam_product(const dyn_optimizer *o, int64_t k)
{
    int64_t at = o->product_step;
    double product = o->product;

    if (at > k || at == 0) {
        at = 0;
        product = 1;
    }
    while (at < k && product > 0)
        product *= dyn__nadam_mu(&o->opt, ++at);
    return product;
}
