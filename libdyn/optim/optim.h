/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of an optimiser. The options are complete (struct of today, defaults filled in) from creation on. */
#ifndef DYN__OPTIM_H
#define DYN__OPTIM_H

#include <dyn/optim.h>
#include "base/base.h"
#include "kernel/kernel.h"

enum { DYN__MOMENTS = 3 };      /* m, v, w */

/* What the kinds differ in, apart from the formula of the kernel. */
typedef struct dyn__rule {
    const char *name;
    enum dyn__update_id update;
    int moments;                /* bit i: moment i is kept */
    int decoupled;              /* weight decay apart from the gradient */
    int edge;                   /* whether it has a preconditioner */
} dyn__rule;

/* Parameters in a row whose steps have these factors on rate and decay. */
typedef struct dyn__span {
    int64_t from, count;
    double rate, decay;
    int frozen;
} dyn__span;

struct dyn__muon;
struct dyn__own_rule;

struct dyn_optimizer {
    dyn_ctx *ctx;
    dyn_optimizer_options opt;
    dyn__rule rule;
    const dyn__kernel_table *kernels;
    int32_t dtype;
    size_t width;               /* bytes of an element */
    int64_t size, steps;
    void *moment[DYN__MOMENTS]; /* NULL where the rule has none */
    double *partial;            /* sums of squares, one per chunk */
    int *finite;                /* whether a chunk's moments are, one per chunk */
    dyn__span *span;            /* [spans] all of the parameters in their order; NULL = no groups */
    int64_t spans;
    struct dyn__muon *muon;     /* NULL for other kinds */
    struct dyn__own_rule *own;  /* likewise */
    double product;             /* NADAM: mu_1 ... mu_k of k = product_step */
    int64_t product_step;
    int perturbed;              /* SAM: the gradient of the step is of another point */
    double slope;               /* SAM: norm of the gradient (|theta| times it) at theta */
};

/* options.c. Check the caller's options and copy them over the defaults. */
dyn_status dyn__optimizer_options(dyn_ctx *ctx, const dyn_optimizer_options *given, dyn_optimizer_options *full);
/* The rule that complete options mean. */
dyn__rule dyn__optimizer_rule(const dyn_optimizer_options *full);
/* "m", "v", "w" */
const char *dyn__moment_name(int i);

/* groups.c. dyn_optimizer_create with groups: copies spans, of which there is at least one; NULL = no groups. */
dyn_status dyn__optimizer_create(dyn_ctx *ctx, int64_t size, int32_t dtype, const dyn_optimizer_options *opt,
                                 int64_t spans, const dyn__span *span, dyn_optimizer **out);
/* The numbers of a step for a span. */
dyn__update dyn__span_update(const dyn__span *s, const dyn__update *h);
/* The span of a parameter. */
const dyn__span *dyn__span_of(const dyn_optimizer *o, int64_t i);
/* The gradient is 0 where nothing moves. */
void dyn__optimizer_mask(const dyn_optimizer *o, void *gradient);
/* A factor for every parameter as a node, or 1 of shape [] where all have it. */
double dyn__span_rate(const dyn__span *s);
double dyn__span_decay(const dyn__span *s);
double dyn__span_moves(const dyn__span *s);
dyn_node dyn__span_node(const dyn_optimizer *o, dyn_graph *g, double (*factor)(const dyn__span *));
/* Those of a preconditioner. */
void dyn__span_precondition(const dyn_optimizer *o, double *d);

/* rate.c */
double dyn__rate(const dyn_optimizer_options *opt, int64_t step);

/* norm.c. Euclidean norm of a gradient; not finite if and only if an element is not, or the norm overflows a double.
 * The same bits for any number of threads. */
double dyn__optimizer_norm(const dyn_optimizer *o, const void *gradient);
/* Of n numbers, at most as many as there are parameters. */
double dyn__optimizer_norm_of(const dyn_optimizer *o, int64_t n, const void *x);

/* step.c. The step for a caller that has the norm already; the norm is used only where clip_norm asks for it. */
dyn_status dyn__optimizer_advance(dyn_optimizer *o, void *theta, const void *gradient, double norm);
/* The first parameter with a moment that is not finite, and a text about it. */
int64_t dyn__optimizer_lost(const dyn_optimizer *o, const void *gradient, char *text, size_t size);
/* The numbers of step number `step` for the kernel, without clipping. */
dyn__update dyn__optimizer_update(const dyn_optimizer *o, int64_t step);
/* The kernel over a range of the parameters, by this thread; 1 where its moments are finite. */
int dyn__optimizer_move(const dyn_optimizer *o, enum dyn__update_id update, const dyn__update *h, int64_t from,
                        int64_t count, void *theta, const void *gradient);

/* nadam.c. mu of step number k = 1, 2, ..., and the product of the first k. */
double dyn__nadam_mu(const dyn_optimizer_options *opt, int64_t k);
double dyn__nadam_product(const dyn_optimizer *o, int64_t k);

/* precondition.c. c of the preconditioner after k steps of the rule; product: of NADAM's mu up to k. */
double dyn__optimizer_factor(const dyn_optimizer_options *opt, double rate, int64_t k, double product);

/* muon.c. The plans and places of all matrices. */
dyn_status dyn__muon_create(dyn_optimizer *o);
void dyn__muon_free(dyn_optimizer *o);
/* One step; 0 where a moment is not finite. */
int dyn__muon_move(dyn_optimizer *o, const dyn__update *h, void *theta, const void *gradient);

/* own_rule.c. The graphs and plans of a rule of the caller's. */
dyn_status dyn__own_create(dyn_optimizer *o);
void dyn__own_free(dyn_optimizer *o);
/* One step; 0 where a moment is not finite. */
int dyn__own_move(dyn_optimizer *o, const dyn__update *h, void *theta, const void *gradient);
/* The declared preconditioner d [size] of the step taken last. */
dyn_status dyn__own_preconditioner(const dyn_optimizer *o, double *d);
/* The graph of a step, with its outputs, borrowed; NULL for other kinds. */
const dyn_graph *dyn__own_graph(const dyn_optimizer *o, int32_t *count, const dyn_node **outputs);

#endif
