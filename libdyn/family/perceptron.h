/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A perceptron from inside, for what works on its parameters layer by layer. */
#ifndef DYN__PERCEPTRON_H
#define DYN__PERCEPTRON_H

#include "family/family.h"

typedef struct dyn__dense {
    int64_t in, out;
    int32_t activation, bias, skip;
    double multiplier, std;     /* std 0: drawn as the model's options say */
    double dropout;
} dyn__dense;

typedef struct dyn__perceptron {
    int32_t layers, copies;
    double scale;
    dyn__dense layer[];
} dyn__perceptron;

/* NULL: a model of another family. */
const dyn__perceptron *dyn__perceptron_of(const dyn_model *m);

#endif
