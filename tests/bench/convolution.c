/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The problem of a convolutional network, key model=cnn (keys side, channels, samples): images of normal numbers with
 * one channel, two convolutions of 3 x 3, each with tanh and a pooling, a dense layer to ten classes drawn at random. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES = 10 };

static void make_network(problem *p, const spec *s)
{
    const int64_t side = spec_int(s, "side", 28), first = spec_int(s, "channels", 32);
    const int64_t input[3] = { side, side, 1 }, channels[4] = { first, 0, 2 * first, 0 };
    dyn_cnn_options opt = DYN_CNN_OPTIONS_INIT;

    opt.input = input;
    opt.convolutions = 4;
    opt.channels = channels;
    opt.outputs = CLASSES;
    opt.activation = DYN_TANH;
    must(p->ctx, dyn_model_cnn(p->ctx, &opt, &p->model));
}

static void make_images(problem *p, const spec *s)
{
    const int64_t side = spec_int(s, "side", 28), shape[4] = { p->samples, side, side, 1 };
    const int64_t size = p->samples * side * side;
    double *x = must_alloc((size_t)size, sizeof *x);

    must(p->ctx, dyn_random_normal(p->ctx, 7, 1, 0, size, x));
    must(p->ctx, dyn_array_create(p->ctx, DYN_F64, 4, shape, x, &p->x));
    free(x);
}

static void make_classes(problem *p)
{
    double *y = must_alloc((size_t)p->samples, sizeof *y);
    dyn_array *classes;

    must(p->ctx, dyn_random_normal(p->ctx, 7, 2, 0, p->samples, y));
    for (int64_t i = 0; i < p->samples; i++)
        y[i] = fmod(floor(fabs(y[i]) * 1e4), CLASSES);
    must(p->ctx, dyn_array_create(p->ctx, DYN_F64, 1, &p->samples, y, &classes));
    must(p->ctx, dyn_array_one_hot(classes, CLASSES, DYN_F64, &p->y));
    dyn_array_unref(classes);
    free(y);
}

void convolution_create(problem *p, const spec *s)
{
    p->samples = spec_int(s, "samples", 64);
    make_network(p, s);
    make_images(p, s);
    make_classes(p);
}
