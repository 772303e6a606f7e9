/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of optimisers as one initialiser: the defaults, over which a test writes what it sets. */
#ifndef TESTS_OPTIMIZERS_H
#define TESTS_OPTIMIZERS_H

#include <dyn/optim.h>

#if defined __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

#define OPTIMIZER_OPTIONS(...) { .struct_size = sizeof(dyn_optimizer_options), .rate = 1e-3, .beta1 = .9,            \
                                 .beta2 = .999, .eps = 1e-8, .tick_steps = 1, .factor = .1,          \
                                 .power = 1, .peak = .3, .period_factor = 1, .momentum_decay = .004, .gamma = .01,    \
                                 .adam_rate = 1e-3, .nesterov = 1, .iterations = 5, .curvature_every = 10, .memory = 20,    \
                                 __VA_ARGS__ }
#define OPTIMIZER(...) ((dyn_optimizer_options)OPTIMIZER_OPTIONS(__VA_ARGS__))

#endif
