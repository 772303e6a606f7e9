/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libdyn: train neural networks on the CPU and measure them while they train. This header includes all others. */
#ifndef DYN_DYN_H
#define DYN_DYN_H

#define DYN_VERSION_MAJOR 0
#define DYN_VERSION_MINOR 1
#define DYN_VERSION_PATCH 0

#include <dyn/status.h>
#include <dyn/context.h>
#include <dyn/branch.h>
#include <dyn/build.h>
#include <dyn/central.h>
#include <dyn/check.h>
#include <dyn/completion.h>
#include <dyn/condensation.h>
#include <dyn/convolutional.h>
#include <dyn/data.h>
#include <dyn/defaults.h>
#include <dyn/degenerate.h>
#include <dyn/dense.h>
#include <dyn/eigen.h>
#include <dyn/embed.h>
#include <dyn/estimate.h>
#include <dyn/exchange.h>
#include <dyn/factorisation.h>
#include <dyn/flow.h>
#include <dyn/frequency.h>
#include <dyn/generate.h>
#include <dyn/graph.h>
#include <dyn/inertia.h>
#include <dyn/inspect.h>
#include <dyn/layer.h>
#include <dyn/minimise.h>
#include <dyn/kfac.h>
#include <dyn/landscape.h>
#include <dyn/model.h>
#include <dyn/nilpotent.h>
#include <dyn/objective.h>
#include <dyn/operator.h>
#include <dyn/optim.h>
#include <dyn/phase.h>
#include <dyn/plan.h>
#include <dyn/plateaus.h>
#include <dyn/random.h>
#include <dyn/rank.h>
#include <dyn/recovery.h>
#include <dyn/recurrent.h>
#include <dyn/replicas.h>
#include <dyn/safetensors.h>
#include <dyn/sharpness.h>
#include <dyn/solve.h>
#include <dyn/sweep.h>
#include <dyn/tangent.h>
#include <dyn/train.h>
#include <dyn/transformer.h>

#endif
