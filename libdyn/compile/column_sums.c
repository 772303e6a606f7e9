/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Column sums, the gradients of biases and of layers of one input or one output, taken together: two sums of the same
 * values in one pass, and in the pass that makes the values where a kernel can do that. No instruction of a cluster
 * reads a sum, so it may be taken anywhere behind what it sums. */
#include <string.h>
#include "compile/select.h"

static void drop(dyn__step *step, int32_t i)
{
    memmove(&step->instr[i], &step->instr[i + 1], (size_t)(step->instrs - i - 1) * sizeof *step->instr);
    step->instrs--;
}

static int same_elements(const dyn__operand_ref *a, const dyn__operand_ref *b, int ndim)
{
    return a->node == b->node && a->offset == b->offset && a->view_set == b->view_set && a->view_row == b->view_row
        && !memcmp(a->stride, b->stride, (size_t)ndim * sizeof a->stride[0]);
}

/* Column sums of what is also summed with a weight per row, as for a bias and the only input: one pass, two results. */
static int pair_with(dyn__instr *dot, const dyn__instr *sum)
{
    if (sum->kernel != DYN__K_COL_SUM || dot->kernel != DYN__K_COL_DOT || sum->zero || dot->zero || sum->ndim != 2
        || dot->ndim != 2
        || dot->arg[2].stride[1] != 0 || sum->dim[0] != dot->dim[0] || sum->dim[1] != dot->dim[1]
        || !same_elements(&sum->arg[1], &dot->arg[1], 2))
        return 0;
    dot->kernel = DYN__K_COL_SUM_DOT;
    dot->nargs = 4;
    dot->arg[3] = dot->arg[0];
    dot->arg[0] = sum->arg[0];
    return 1;
}

/* The pair takes the place of the later one, where both inputs are ready; sums are read by no instruction of the
 * cluster. */
static void pair_column_sums(dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        for (int32_t j = 0; j < step->instrs && step->instr[i].kernel == DYN__K_COL_SUM; j++) {
            dyn__instr *dot = &step->instr[j];
            if (!pair_with(dot, &step->instr[i]))
                continue;
            if (i > j)
                step->instr[i] = *dot;
            drop(step, i > j ? j : i);
            i = -1;     /* positions have moved: from the start */
            break;
        }
}

/* Kernels that can sum their result along the columns as they go. */
static int summed_kernel(int kernel)
{
    return kernel == DYN__K_MUL_1MSQ ? DYN__K_MUL_1MSQ_SUMS : kernel == DYN__K_MUL2_1MSQ ? DYN__K_MUL2_1MSQ_SUMS
         : kernel == DYN__K_FMS ? DYN__K_FMS_SUMS : -1;
}

/* One long row as the rows of so many columns that it was merged from. */
static void split_rows(dyn__instr *q, int64_t columns)
{
    if (q->ndim != 1 || q->multiple != columns)
        return;
    q->ndim = 2;
    q->multiple = 1;
    q->dim[0] /= columns;
    q->dim[1] = columns;
    for (int a = 0; a < q->nargs; a++) {
        q->arg[a].stride[1] = q->arg[a].stride[0];
        q->arg[a].stride[0] *= columns;
    }
}

static int reads(const dyn__instr *q, dyn_node x)
{
    for (int a = 1; a < q->nargs; a++)
        if (q->arg[a].node == x && !dyn__is_result(q, a))
            return 1;
    return 0;
}

/* Has nobody but the instructions `but` and `sum` to do with the result of `but`? */
static int only_summed(const dyn__compiler *k, const dyn__step *step, int32_t but, int32_t sum)
{
    const dyn_node x = step->instr[but].node;

    for (int32_t i = 0; i < step->instrs; i++)
        if (i != but && i != sum && reads(&step->instr[i], x))
            return 0;
    return !k->node[x].stored;
}

/* The column sums at i of the result of instruction j < i, made by it. Weights must be there before j. */
static int sum_as_it_goes(const dyn__compiler *k, dyn__step *step, int32_t j, int32_t i)
{
    dyn__instr *q = &step->instr[j], *sum = &step->instr[i];
    const int weighted = sum->kernel == DYN__K_COL_SUM_DOT;

    for (int32_t between = j; weighted && between < i; between++)
        if (step->instr[between].node == sum->arg[2].node)
            return 0;
    if (summed_kernel(q->kernel) < 0 || sum->zero || sum->ndim != 2 || (weighted && sum->arg[2].stride[1] != 0))
        return 0;
    split_rows(q, sum->dim[1]);
    if (q->ndim != 2 || q->dim[0] != sum->dim[0] || q->dim[1] != sum->dim[1]
        || !same_elements(&q->arg[0], &sum->arg[1], 2))
        return 0;
    if (q->nargs == 3)
        q->arg[3] = q->arg[2];
    q->flags = (only_summed(k, step, j, i) ? DYN__SUMS_ONLY : 0) | (weighted ? DYN__SUMS_WEIGHTED : 0);
    q->kernel = summed_kernel(q->kernel);
    q->arg[4] = sum->arg[0];
    q->arg[5] = weighted ? sum->arg[2] : q->arg[1];     /* what is not used is a copy of what is */
    q->arg[6] = weighted ? sum->arg[3] : sum->arg[0];
    q->nargs = weighted ? 7 : 5;
    return 1;
}

/* As in the last layer of one output: d a (1 - h^2) with its sums, and the column sums of h d. */
static int sums_input(const dyn__instr *q, const dyn__instr *dot)
{
    return q->kernel == DYN__K_MUL2_1MSQ_SUMS && q->nargs < 8 && dot->kernel == DYN__K_COL_DOT && !dot->zero
        && dot->ndim == 2 && q->dim[0] == dot->dim[0] && q->dim[1] == dot->dim[1]
        && same_elements(&q->arg[3], &dot->arg[1], 2) && same_elements(&q->arg[1], &dot->arg[2], 2);
}

static void sum_inputs(dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        for (int32_t j = 0; j < step->instrs && step->instr[i].kernel == DYN__K_COL_DOT; j++) {
            dyn__instr *q = &step->instr[j];
            if (!sums_input(q, &step->instr[i]))
                continue;
            q->arg[7] = step->instr[i].arg[0];
            q->nargs = 8;
            q->flags |= DYN__SUMS_INPUT;
            drop(step, i--);
            break;
        }
}

static void sum_results(const dyn__compiler *k, dyn__step *step)
{
    for (int32_t i = step->instrs - 1; i > 0; i--) {
        const dyn__instr *sum = &step->instr[i];
        if (sum->kernel != DYN__K_COL_SUM && sum->kernel != DYN__K_COL_SUM_DOT)
            continue;
        int32_t j = i - 1;
        while (j >= 0 && step->instr[j].node != sum->arg[1].node)
            j--;
        if (j >= 0 && sum_as_it_goes(k, step, j, i))
            drop(step, i);
    }
}

void dyn__fuse_column_sums(const dyn__compiler *k, dyn__step *step)
{
    pair_column_sums(step);
    sum_results(k, step);
    sum_inputs(step);
}
