/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Column sums, the gradients of biases and of layers of one input or one output, taken together: two sums of the same
 * values in one pass, and in the pass that makes the values where a kernel can do that. No instruction of a cluster
 * reads a sum, so it may be taken anywhere behind what it sums. */
#include <string.h>
#include "compile/select.h"

enum { DROPPED = DYN__K_COUNT };      /* in place of the kernel of an instruction that is no more */

/* Instructions of a step and what they have to do with the nodes. next: of the lists of instructions, plus 1. */
typedef struct fusion { dyn__compiler *k; dyn__step *step; int32_t *next; } fusion;

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

/* Lists of the instructions with this kernel by the node of argument a, the first of the step first. */
static void list_by_operand(fusion *f, int kernel, int a)
{
    for (int32_t i = 0; i < f->step->instrs; i++)
        f->k->of_node[f->step->instr[i].arg[a].node].first = 0;
    for (int32_t i = f->step->instrs - 1; i >= 0; i--) {
        dyn__of_node *x = &f->k->of_node[f->step->instr[i].arg[a].node];
        if (f->step->instr[i].kernel != kernel)
            continue;
        f->next[i] = x->first;
        x->first = i + 1;
    }
}

/* The pair takes the place of the later one, where both inputs are ready; sums are read by no instruction of the
 * cluster. */
static void pair_column_sums(fusion *f)
{
    dyn__instr *q = f->step->instr;

    list_by_operand(f, DYN__K_COL_DOT, 1);
    for (int32_t i = 0; i < f->step->instrs; i++) {
        if (q[i].kernel != DYN__K_COL_SUM)
            continue;
        for (int32_t j = f->k->of_node[q[i].arg[1].node].first - 1; j >= 0; j = f->next[j] - 1)
            if (pair_with(&q[j], &q[i])) {
                if (i > j)
                    q[i] = q[j];
                q[i > j ? j : i].kernel = DROPPED;
                break;
            }
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

static int reads(const dyn__instr *q, int a)
{
    for (int b = 1; b < a; b++)
        if (q->arg[b].node == q->arg[a].node)
            return 0;       /* counted already */
    return a > 0 && !dyn__is_result(q, a);
}

/* Who makes and who reads what. */
static void find_makers(const fusion *f)
{
    dyn__of_node *of = f->k->of_node;

    for (int32_t i = 0; i < f->step->instrs; i++)
        for (int a = 0; a < f->step->instr[i].nargs; a++)
            of[f->step->instr[i].arg[a].node] = (dyn__of_node){0};
    for (int32_t i = 0; i < f->step->instrs; i++) {
        const dyn__instr *q = &f->step->instr[i];
        if (q->kernel == DROPPED)
            continue;
        of[q->node].maker = i + 1;
        for (int a = 1; a < q->nargs; a++)
            of[q->arg[a].node].readers += reads(q, a);
    }
}

/* The column sums at i of the result of instruction j < i, made by it. Weights must be there before j. */
static int sum_as_it_goes(const fusion *f, int32_t j, int32_t i)
{
    dyn__instr *q = &f->step->instr[j], *sum = &f->step->instr[i];
    const int weighted = sum->kernel == DYN__K_COL_SUM_DOT;

    if (weighted && f->k->of_node[sum->arg[2].node].maker > j)
        return 0;
    if (summed_kernel(q->kernel) < 0 || sum->zero || sum->ndim != 2 || (weighted && sum->arg[2].stride[1] != 0))
        return 0;
    split_rows(q, sum->dim[1]);
    if (q->ndim != 2 || q->dim[0] != sum->dim[0] || q->dim[1] != sum->dim[1]
        || !same_elements(&q->arg[0], &sum->arg[1], 2))
        return 0;
    if (q->nargs == 3)
        q->arg[3] = q->arg[2];
    const int only_reader = f->k->of_node[q->node].readers-- == 1, only = only_reader && !f->k->node[q->node].stored;
    q->flags = (only ? DYN__SUMS_ONLY : 0) | (weighted ? DYN__SUMS_WEIGHTED : 0);
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

static void sum_inputs(fusion *f)
{
    dyn__instr *q = f->step->instr;

    list_by_operand(f, DYN__K_MUL2_1MSQ_SUMS, 3);
    for (int32_t i = 0; i < f->step->instrs; i++) {
        if (q[i].kernel != DYN__K_COL_DOT)
            continue;
        for (int32_t j = f->k->of_node[q[i].arg[1].node].first - 1; j >= 0; j = f->next[j] - 1)
            if (sums_input(&q[j], &q[i])) {
                q[j].arg[7] = q[i].arg[0];
                q[j].nargs = 8;
                q[j].flags |= DYN__SUMS_INPUT;
                q[i].kernel = DROPPED;
                break;
            }
    }
}

static void sum_results(const fusion *f)
{
    find_makers(f);
    for (int32_t i = f->step->instrs - 1; i > 0; i--) {
        dyn__instr *sum = &f->step->instr[i];
        if (sum->kernel != DYN__K_COL_SUM && sum->kernel != DYN__K_COL_SUM_DOT)
            continue;
        const int32_t j = f->k->of_node[sum->arg[1].node].maker - 1;
        if (j >= 0 && sum_as_it_goes(f, j, i))
            sum->kernel = DROPPED;
    }
}

static void close_up(dyn__step *step)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < step->instrs; i++)
        if (step->instr[i].kernel != DROPPED && kept++ < i)
            step->instr[kept - 1] = step->instr[i];
    step->instrs = kept;
}

dyn_status dyn__fuse_column_sums(dyn__compiler *k, dyn__step *step)
{
    fusion f = {k, step, dyn__alloc(k->ctx, (size_t)step->instrs + 1, sizeof *f.next)};

    if (!f.next)
        return DYN_ENOMEM;
    pair_column_sums(&f);
    sum_results(&f);
    sum_inputs(&f);
    close_up(step);
    dyn__free(k->ctx, f.next);
    return DYN_OK;
}
