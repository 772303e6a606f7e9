/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the parts of dyn-bench share. A case is a line "key=value key=value ..."; a problem is the network, data and
 * parameters it describes; a verb is a kind of work that can be done again and again on a problem. The program is made
 * for the benchmark only: whatever fails ends it with a message. */
#ifndef BENCH_H
#define BENCH_H

#include <dyn/dyn.h>

#define SPEC_MAX 40

/* A case: text is cut at its spaces, key and value point into it. */
typedef struct spec {
    char text[2048];
    int count;
    const char *key[SPEC_MAX], *value[SPEC_MAX];
} spec;

void spec_parse(spec *s, const char *line);
const char *spec_text(const spec *s, const char *key, const char *fallback);
int64_t spec_int(const spec *s, const char *key, int64_t fallback);
double spec_real(const spec *s, const char *key, double fallback);

typedef struct problem {
    dyn_ctx *ctx;
    dyn_model *model;
    dyn_objective *objective;
    dyn_array *x, *y;           /* float64 [n, inputs..], [n, outputs], or tokens [n, length] */
    int64_t size, samples, outputs;
    double *theta;              /* [size] */
} problem;

/* Make the problem of a case; with the key "export" its arrays are written to that folder as .npy files. */
void problem_create(problem *p, dyn_ctx *ctx, const spec *s);
void problem_free(problem *p);
void problem_export(const problem *p, const spec *s, const char *name, int32_t rank, const int64_t *shape,
                    const double *data);
void decoder_create(problem *p, const spec *s);
void convolution_create(problem *p, const spec *s);
dyn_optimizer_options problem_optimizer(const spec *s);

/* Kinds of work. prepare does it once and shows numbers that the peers must agree with; run does `units` more. */
typedef struct verb {
    const char *name;
    void *(*prepare)(const problem *p, const spec *s);
    void (*run)(void *work, int64_t units);
    void (*free)(void *work);
} verb;
extern const verb verb_train, verb_replicas, verb_gradient, verb_product, verb_eigen, verb_dense, verb_singular,
    verb_call, verb_attention;

void *must_alloc(size_t count, size_t size);
/* End the program with the context's message if s is an error. */
void must(const dyn_ctx *ctx, dyn_status s);
/* One line of an answer: name, value, unit. */
void show(const char *name, double value, const char *unit);
double norm(int64_t n, const double *v);

#endif
