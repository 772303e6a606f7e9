/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of an optimiser. The options are complete (struct of today, defaults filled in) from creation on. */
#ifndef DYN__OPTIM_H
#define DYN__OPTIM_H

#include <dyn/optim.h>
#include "base/base.h"
#include "kernel/kernel.h"

/* What the kinds differ in, apart from the formula of the kernel. */
typedef struct dyn__rule {
    const char *name;
    enum dyn__update_id update;
    int has_m, has_v;
} dyn__rule;

struct dyn_optimizer {
    dyn_ctx *ctx;
    dyn_optimizer_options opt;
    const dyn__rule *rule;
    const dyn__kernel_table *kernels;
    int32_t dtype;
    size_t width;           /* bytes of an element */
    int64_t size, steps;
    void *m, *v;            /* NULL where the rule has none */
    double *partial;        /* sums of squares, one per chunk */
};

/* Check the caller's options and copy them over the defaults. */
dyn_status dyn__optimizer_options(dyn_ctx *ctx, const dyn_optimizer_options *given, dyn_optimizer_options *full);
/* NULL for a kind that does not exist. */
const dyn__rule *dyn__optimizer_rule(int32_t kind);
double dyn__rate(const dyn_optimizer_options *opt, int64_t step);

/* Euclidean norm of a gradient; not finite if and only if an element is not, or the norm overflows a double. The same
 * bits for any number of threads. */
double dyn__optimizer_norm(const dyn_optimizer *o, const void *gradient);
/* The step for a caller that has the norm already; the norm is used only where clip_norm asks for it. */
void dyn__optimizer_advance(dyn_optimizer *o, void *theta, const void *gradient, double norm);
/* The numbers of step number `step` for the kernel, without clipping. */
dyn__update dyn__optimizer_update(const dyn_optimizer *o, int64_t step);

#endif
