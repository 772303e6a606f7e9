/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A flow on its way: the state, the stages of a step, and what has been counted. */
#ifndef DYN__FLOW_H
#define DYN__FLOW_H

#include "minimise/minimise.h"
#include "minimise/slide.h"

enum { DYN__STAGES = 7 };

typedef struct dyn__flow {
    dyn_ctx *ctx;
    dyn_objective *objective;
    dyn_flow_options opt;
    int64_t n, count;           /* parameters; times that are wanted */
    const double *times;
    double *states;
    double time, value, norm;   /* of theta */
    double *theta, *next;       /* before and after the step */
    double *k[DYN__STAGES];     /* k[0] at theta, k[6] at next */
    double next_value, next_norm;
    double *signs, *new_signs;  /* of the kinks, before and after; room for what is looked at in between */
    double *probe;              /* [n] */
    int met;                    /* kinks in the step */
    double error;               /* of the step, 1 = just tolerated */
    dyn__slide slide;
    double inside;              /* how far within [0, 1] all shares are, at theta */
    double moved;               /* time at which it last moved on after an event */
    int events;                 /* since then */
    int strained, calm;         /* steps that stability has bounded; others since the last of them */
    dyn_flow_result done;
} dyn__flow;

/* The length of theta, as a scale. */
static inline double dyn__flow_size(const dyn__flow *f, const double *theta)
{
    return fmax(dyn__length(f->n, theta), 1e-3);
}

/* runge.c. The gradient, turned round; counted. A value of NaN: not finite. */
dyn_status dyn__flow_descent(dyn__flow *f, const double *theta, double *slope, double *value);
/* theta' there, on the surfaces that are slid on; *value, and *norm of what the gradient is there. */
dyn_status dyn__flow_slope(dyn__flow *f, const double *theta, double *slope, double *value, double *norm);
/* A step of length h from theta to next, with its error; next_value NaN: try a shorter one. f->met: a stage lies behind a
 * kink, and the step was not finished. */
dyn_status dyn__flow_step(dyn__flow *f, double h);
/* The state at share p of the step of length h, to fourth order. */
void dyn__flow_between(const dyn__flow *f, double h, double p, double *state);

/* events.c. Shorten the step of length *h that was just taken to the first event in it, unless that is a kink; sets the
 * reason for that of the value. The step is taken anew. */
dyn_status dyn__flow_events(dyn__flow *f, double *h);
/* A step met a kink: *most, the length of one that does not; or *across, that of one across it, which is then taken. */
dyn_status dyn__flow_approach(dyn__flow *f, double step, double *most, double *across);
/* How many kinks lie between signs and new_signs. */
int64_t dyn__flow_crossed(const dyn__flow *f);
/* The signs of the kinks at theta; 0 of those that are slid on. */
dyn_status dyn__flow_signs(dyn__flow *f, const double *theta, double *signs);

#endif
