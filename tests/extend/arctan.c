/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An elementwise primitive and its kernel in one file: y = arctan x. jvp: dy = dx / (1 + x^2). */
#include "extend/extend.h"
#include "graph/ops/op.h"

/* ---- the kernel, in either element type ---- */

#define KERNEL(name, T, function)                                                            \
    static void name(int64_t rows, int64_t cols, const dyn__arg *arg, double c)              \
    {                                                                                        \
        (void)c;                                                                             \
        for (int64_t r = 0; r < rows; r++) {                                                 \
            T *y = (T *)arg[0].p + r * arg[0].row;                                           \
            const T *x = (const T *)arg[1].p + r * arg[1].row;                               \
            for (int64_t i = 0; i < cols; i++)                                               \
                y[i] = function(x[i * arg[1].col]);                                          \
        }                                                                                    \
    }
KERNEL(kernel_f64, double, atan)
KERNEL(kernel_f32, float, atanf)

static const dyn__own_kernel kernel = {.name = "ARCTAN", .f64 = kernel_f64, .f32 = kernel_f32, .cost = 5};

/* ---- what it is ---- */

dyn_node arctan(dyn_graph *g, dyn_node x) { return dyn__insert_kind(g, &op_arctan, &x, NULL, NULL); }

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    const dyn_node x = dyn__operand(g, y, i);

    return dyn_graph_div(g, t, dyn_graph_add(g, dyn__like(g, 1, y), dyn_graph_mul(g, x, x)));
}

static dyn_node sample(dyn_graph *g, int k)
{
    return k < 2 ? arctan(g, dyn_graph_input(g, "a", 2, (int64_t[]){3, k ? 17 : 1})) : DYN_ENOTSUP;
}

DYN__EVALUATE(atan(a))

/* ---- how it is compiled: row by row, with its kernel ---- */

static const dyn__form form = {.role = DYN__ROW, .own = &kernel};

const dyn__op op_arctan = {
    .name = "arctan", .nin = 1, .kernel = DYN__K_OWN,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate, .form = &form,
};
