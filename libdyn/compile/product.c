/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matrix products in a cluster. Where a size is 1 they are no products but elementwise multiplications, dot products
 * of rows or weighted column sums, and these kernels are faster. Else: x W takes the rows of a tile at once, x^T y
 * adds a tile's contribution, and products with more axes run once per row. */
#include <string.h>
#include "compile/select.h"

/* Strides of the operands along m, k, n; sizes. */
typedef struct product {
    int outer, batch;       /* axes in front of the matrix, without the outer one */
    int64_t m, n, k, am, ak, bk, bn, ym;
    dyn__operand_ref a, b, y;
} product;

/* Operand x of a product whose rows are so many leading axes, none if it is tall; one that has none serves all. */
static dyn__operand_ref matrix_ref(const dyn__compiler *k, dyn_node x, int outer, int rows, int64_t *first,
                                   int64_t *second)
{
    const dyn__view *v = &k->node[x].view;
    const dyn__shape *s = &dyn__at(k->g, x)->shape;
    dyn__operand_ref r = {.node = v->base, .offset = v->offset};

    *first = v->stride[s->rank - 2];
    *second = v->stride[s->rank - 1];
    if (s->rank == 2)
        return r;
    r.view_set = outer ? v->stride[0] : 0;
    if (rows == 0)
        return r;
    dyn__row_stride(v, s, outer, rows, &r.view_row);
    r.stride[0] = r.view_row;
    for (int i = outer + rows; i < s->rank - 2; i++)
        r.stride[i - outer - rows + 1] = v->stride[i];
    return r;
}

/* The rows of a tall product are all axes of x but the last. */
static void rows_of_tall(const dyn__compiler *k, dyn_node x, int outer, int64_t *stride)
{
    const dyn__shape *s = &dyn__at(k->g, x)->shape;

    dyn__row_stride(&k->node[x].view, s, outer, s->rank - 1 - outer, stride);
}

static product product_of(const dyn__compiler *k, dyn_node y, dyn_node into)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *sa = &dyn__at(k->g, n->in[0])->shape;
    int ta = n->attr.i[0] != 0, tb = n->attr.i[1] != 0;
    int64_t last;
    const int is_matrix = n->shape.rank == 2 + k->node[y].outer, tall = k->node[y].tall && !is_matrix;
    const int rows = is_matrix || tall ? 0 : k->node[y].row_axes;
    product p = {.outer = k->node[y].outer};

    p.batch = rows ? n->shape.rank - 2 - p.outer - rows + 1 : 0;
    p.m = n->shape.dim[n->shape.rank - 2];
    p.n = n->shape.dim[n->shape.rank - 1];
    p.k = sa->dim[sa->rank - 1 - ta];
    p.a = matrix_ref(k, n->in[0], p.outer, rows, ta ? &p.ak : &p.am, ta ? &p.am : &p.ak);
    p.b = matrix_ref(k, n->in[1], p.outer, rows, tb ? &p.bn : &p.bk, tb ? &p.bk : &p.bn);
    p.y = matrix_ref(k, into, p.outer, rows, &p.ym, &last);
    if (tall) {
        p.m = k->node[y].R;
        rows_of_tall(k, n->in[0], p.outer, &p.am);
        rows_of_tall(k, into, p.outer, &p.ym);
    }
    return p;
}

static void add_dim(dyn__instr *q, int64_t size, int64_t y, int64_t a, int64_t b)
{
    int d = q->ndim++;
    q->dim[d] = size;
    q->arg[0].stride[d] = y;
    q->arg[1].stride[d] = a;
    q->arg[2].stride[d] = b;
}

/* y_mn = a_m b_n */
static void outer_product(dyn__instr *q, const product *p)
{
    q->kernel = DYN__K_MUL;
    add_dim(q, p->m, p->ym, p->am, 0);
    add_dim(q, p->n, 1, 0, p->bn);
}

/* y_m = sum_k a_mk b_k */
static void row_dots(dyn__instr *q, const product *p)
{
    q->kernel = DYN__K_ROW_DOT;
    add_dim(q, p->m, 1, p->am, 0);
    add_dim(q, p->k, 0, p->ak, p->bk);
}

/* y_n = sum_k b_kn a_k: columns of b weighted by a, arguments exchanged. */
static void weighted_columns(dyn__instr *q, const product *p)
{
    dyn__operand_ref t = q->arg[1];

    q->arg[1] = q->arg[2];
    q->arg[2] = t;
    q->kernel = DYN__K_COL_DOT;
    add_dim(q, p->k, 0, p->bk, p->ak);
    add_dim(q, p->n, 1, p->bn, 0);
}

static int readable(const dyn__instr *q)
{
    int last = q->ndim - 1;
    return dyn__columns_readable(q) && q->arg[0].stride[last] == (q->kernel != DYN__K_ROW_DOT)
        && (q->kernel != DYN__K_COL_DOT || q->arg[1].stride[last] == 1)
        && q->ndim >= (q->kernel == DYN__K_MUL ? 1 : 2);
}

/* As a simpler kernel, if a size is 1 and the strides fit. */
static int select_thin(dyn__instr *q, const product *p)
{
    const dyn__instr start = *q;
    void (*form[3])(dyn__instr *, const product *) = {p->k == 1 ? outer_product : NULL, p->n == 1 ? row_dots : NULL,
                                                      p->m == 1 && p->batch ? weighted_columns : NULL};
    for (int i = 0; i < 3; i++)
        if (form[i]) {
            *q = start;
            form[i](q, p);
            dyn__canonical(q);
            if (readable(q)) {
                q->zero = q->kernel == DYN__K_COL_DOT;
                return 1;
            }
        }
    *q = start;
    return 0;
}

/* x^T y where x or y has one column: y_c += sum_r wide_rc thin_r. */
static int select_thin_term(dyn__instr *q, const product *p)
{
    int64_t wide = p->m == 1 ? p->n : p->m;
    dyn__operand_ref a = q->arg[1], b = q->arg[2];

    if (p->m != 1 && p->n != 1)
        return 0;
    q->arg[1] = p->m == 1 ? b : a;
    q->arg[2] = p->m == 1 ? a : b;
    add_dim(q, p->k, 0, p->m == 1 ? p->bk : p->ak, p->m == 1 ? p->ak : p->bk);
    add_dim(q, wide, 1, 1, 0);
    q->kernel = wide == 1 ? DYN__K_DOT : DYN__K_COL_DOT;
    q->multiple = 1;
    return 1;
}

int dyn__outer_factors(const dyn__compiler *k, dyn_node x, dyn__operand_ref *a, dyn__operand_ref *b)
{
    product p = product_of(k, x, x);

    if (p.k != 1 || k->node[x].role != DYN__ROW)
        return 0;
    const int columns = dyn__at(k->g, x)->shape.rank - p.outer - k->node[x].row_axes;       /* the dimension */
    if (p.batch == 0) {
        p.a.view_row = p.am;
        p.a.stride[0] = p.am;
    } else {
        p.a.stride[columns - 1] = p.am;
    }
    p.b.stride[columns] = p.bn;
    *a = p.a;
    *b = p.b;
    return 1;
}

static void set_product(const dyn__compiler *k, dyn__instr *q, const product *p, int ta, int tb)
{
    q->kernel = -1;
    q->whole = (dyn__gemm){.dtype = k->g->dtype, .trans_a = ta, .trans_b = tb, .m = p->m, .n = p->n, .k = p->k,
                          .lda = ta ? p->ak : p->am, .ldb = tb ? p->bn : p->bk, .ldc = p->ym};
    if (q->whole.lda < (ta ? p->m : p->k))       /* a single row or column may have any stride */
        q->whole.lda = ta ? p->m : p->k;
    if (q->whole.ldb < (tb ? p->k : p->n))
        q->whole.ldb = tb ? p->k : p->n;
}

int dyn__is_large_product(const dyn__compiler *k, dyn_node y)
{
    product p = product_of(k, y, y);
    return k->node[y].role == DYN__ROW && (p.batch == 0 || p.m > 1) && p.k > 1 && p.n > 1;
}

int dyn__is_by_matrix(const dyn__compiler *k, dyn_node y)
{
    return dyn__at(k->g, y)->op == DYN__OP_matmul && k->node[y].role == DYN__ROW && product_of(k, y, y).batch > 0;
}

dyn_status dyn__select_product(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into)
{
    const dyn__node *n = dyn__at(k->g, y);
    int ta = n->attr.i[0] != 0, tb = n->attr.i[1] != 0;
    product p = product_of(k, y, into);

    q->nargs = 3;
    q->arg[0] = p.y;
    q->arg[1] = p.a;
    q->arg[2] = p.b;
    q->multiple = 1;
    if (k->node[y].role == DYN__TERM) {
        q->arg[1].view_row = p.ak;
        q->arg[2].view_row = p.bk;
        if (select_thin_term(q, &p))
            return DYN_OK;
        set_product(k, q, &p, ta, tb);
        q->whole.accumulate = 1;
        return DYN_OK;
    }
    if (p.batch == 0) {
        q->arg[0].view_row = p.ym;
        q->arg[1].view_row = p.am;
    }
    for (int i = 1; i < p.batch; i++)
        q->dim[i] = n->shape.dim[p.outer + k->node[y].row_axes - 1 + i];
    q->dim[0] = k->node[y].R;
    q->ndim = p.batch;
    if (select_thin(q, &p))
        return DYN_OK;
    q->per_row = p.batch > 0;
    set_product(k, q, &p, ta, tb);
    return DYN_OK;
}
