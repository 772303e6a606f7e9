/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives of functions in C: the caller's, or the library's own test functions. */
#ifndef DYN__OBJECTIVE_CALLED_H
#define DYN__OBJECTIVE_CALLED_H

#include "objective/impl.h"

typedef struct dyn__functions {
    int32_t (*value)(void *user, const double *theta, double *value);
    int32_t (*gradient)(void *user, const double *theta, double *value, double *gradient);     /* value may be NULL */
    int32_t (*product)(void *user, const double *theta, int64_t count, const double *v, double *hv);
    void *user;
    void (*release)(void *user);        /* NULL = nothing to release; before the bytes of `user` go */
    /* value and gradient of these samples; NULL = it has none */
    int32_t (*batch)(void *user, const double *theta, int64_t samples, const int64_t *sample, double *value,
                     double *gradient);
    int32_t ours;                       /* the functions are the library's: what they return is a status with its message */
} dyn__functions;

/* The status that a call of f stands for; `what` names the function of a caller. */
dyn_status dyn__called_status(const dyn_objective *o, const dyn__functions *f, const char *what, int32_t result);

/* An objective of p unknowns. size > 0: user is so many bytes that go with the objective, given back in *own to be filled
 * in, zeroes until then. */
dyn_status dyn__called_create(dyn_ctx *ctx, int64_t p, const dyn__functions *f, size_t size, void **own,
                              dyn_objective **out);

/* differences.c. The Hessian at theta by central differences of the gradient function. */
dyn_status dyn__hessian_by_differences(dyn_objective *o, const double *theta, dyn_operator **out);

#endif
