/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The CPU as a backend: the passes of this room make steps, which run one after the other on the context's threads. It
 * works where the host's tensors lie. */
#include <stdio.h>
#include "compile/backend.h"
#include "compile/form.h"

/* ---- compile ---- */

/* More than any address space; below it no sum of sizes overflows. */
static dyn_status check_sizes(const dyn__compiler *k)
{
    double bytes = 0;

    for (dyn_node x = 0; x < k->count; x++)
        if (k->node[x].step >= 0)
            bytes += (double)dyn__shape_size(&dyn__at(k->g, x)->shape) * k->plan->esize;
    return bytes < 0x1p47 ? DYN_OK : DYN__FAIL(k->ctx, DYN_EFULL, "the values have %.4g bytes in all", bytes);
}

static dyn_status compile(dyn__compiler *k)
{
    DYN__TRY(dyn__assign_roles(k));
    DYN__TRY(check_sizes(k));
    for (int32_t s = 0; s < k->plan->steps; s++)
        if (k->plan->step[s].kind == &dyn__step_tiles) {
            DYN__TRY(dyn__select(k, s));
            DYN__TRY(dyn__strip(k, s));
            DYN__TRY(dyn__defer(k, s));
            DYN__TRY(dyn__shape_tiles(k, s));
        } else {
            const dyn_node y = k->plan->step[s].node;
            DYN__TRY(dyn__form_of(dyn__at(k->g, y))->move(k, &k->plan->step[s], y));
        }
    DYN__TRY(dyn__final_copies(k));
    return dyn__place_values(k);
}

static void forget(dyn_plan *p)
{
    for (int32_t s = 0; s < p->steps; s++) {
        if (p->step[s].own && p->step[s].kind->free)
            p->step[s].kind->free(p->ctx, p->step[s].own);
        dyn__free(p->ctx, p->step[s].own);
        dyn__free(p->ctx, p->step[s].instr);
        dyn__free(p->ctx, p->step[s].gemm);
        dyn__free(p->ctx, p->step[s].sum);
    }
    dyn__free(p->ctx, p->step);
}

/* ---- run ---- */

enum { SLACK = 64 };            /* bytes behind arena and tiles */

static int64_t bytes(const dyn_plan *p, int64_t workers)
{
    return dyn__exec_bytes(p) + p->arena + workers * p->scratch + 2 * SLACK;
}

static dyn_status prepare(dyn_exec *e)
{
    const dyn_plan *p = e->plan;

    e->arena = dyn__alloc(e->ctx, (size_t)p->arena + SLACK, 1);
    e->scratch = dyn__alloc(e->ctx, (size_t)(p->workers * p->scratch) + SLACK, 1);
    if (!e->arena || !e->scratch)
        return DYN_ENOMEM;
    e->base[DYN__BASE_ARENA] = e->arena;
    e->base[DYN__BASE_CONSTANT] = p->constant;
    return DYN_OK;
}

static void release(dyn_exec *e)
{
    dyn__free(e->ctx, e->scratch);
    dyn__free(e->ctx, e->arena);
}

/* Nothing is allocated in a run. */
static void run(const dyn_exec *e)
{
    for (int32_t s = 0; s < e->plan->steps && !dyn__interrupted(e->ctx); s++)
        e->plan->step[s].kind->run(e, &e->plan->step[s]);
}

/* ---- printing ---- */

static int64_t print_step(const dyn_plan *p, int32_t s, char *text, size_t room)
{
    const dyn__step *step = &p->step[s];
    const int n = snprintf(text, room, "step %d: %s", (int)s, step->kind->name);

    return step->kind->print ? n + step->kind->print(step, text + n, room - (size_t)n) : n;
}

static int64_t print_instr(const dyn__instr *q, char *text, size_t room)
{
    if (q->kernel >= 0)
        return snprintf(text, room, "\n  %%%d = %s x%lld, %d dims", (int)q->node,
                        q->own ? q->own->name : dyn__kernel_name(q->kernel), (long long)q->multiple, (int)q->ndim);
    const dyn__gemm *g = &q->gemm[0];
    return snprintf(text, room, "\n  %%%d %s product %lld x %lld x %lld%s%s by provider %d", (int)q->node,
                    g->accumulate ? "+=" : "=", (long long)g->m, (long long)g->n, (long long)g->k,
                    g->trans_a ? " A^T" : "", g->trans_b ? " B^T" : "", (int)g->provider);
}

static int64_t print(const dyn_plan *p, char *buffer, int64_t size)
{
    char line[256];
    int64_t total = 0;

    for (int32_t s = 0; s < p->steps; s++)
        for (int32_t i = -1; i <= p->step[s].instrs; i++) {
            int64_t n = i < 0 ? print_step(p, s, line, sizeof line)
                      : i < p->step[s].instrs ? print_instr(&p->step[s].instr[i], line, sizeof line)
                      : snprintf(line, sizeof line, "\n");
            if (n > (int64_t)sizeof line - 1)
                n = (int64_t)sizeof line - 1;
            if (total < size)
                snprintf(buffer + total, (size_t)(size - total), "%s", line);
            total += n;
        }
    return total;
}

const dyn__backend dyn__cpu_backend = {
    .name = "cpu", .compile = compile, .forget = forget, .bytes = bytes, .prepare = prepare, .release = release,
    .run = run, .print = print,
};
