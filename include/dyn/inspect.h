/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A graph looked at from outside, node by node, to write it in another form: ONNX, a picture, a count of its work. */
#ifndef DYN_INSPECT_H
#define DYN_INSPECT_H

#include <dyn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A node: which primitive, of what, and what the primitive needs besides (libdyn/graph/ops says what each means). */
typedef struct dyn_node_info {
    const char *operation;      /* name of the primitive; borrowed */
    const char *name;           /* of an input; borrowed, NULL of others */
    const double *values;       /* of a constant array, row-major, borrowed; NULL of others */
    double number;              /* a constant's value, an exponent */
    int64_t count;              /* an integer exponent, an axis, or how many attributes are used */
    int64_t attribute[DYN_MAX_RANK];    /* axes, permutation, starts, windows; of a product which operand is transposed */
    int64_t shape[DYN_MAX_RANK];
    int32_t rank;
    int32_t dtype;              /* enum dyn_dtype */
    int32_t operands;
    dyn_node operand[3];
} dyn_node_info;

/** Node x of the graph. errors: DYN_EINVAL no such node. since: 0.1 */
DYN_API dyn_status dyn_graph_inspect(const dyn_graph *g, dyn_node x, dyn_node_info *out);

#ifdef __cplusplus
}
#endif
#endif
