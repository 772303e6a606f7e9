/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names and layouts of PyTorch's: the entry of a tensor, as its family says, else its own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model/theirs.h"

dyn_status dyn__model_called(dyn_status s, dyn_model **out, dyn__theirs_fn theirs)
{
    if (s == DYN_OK)
        (*out)->theirs = theirs;
    return s;
}

/* ---- what families say ---- */

int dyn__numbered(const char *name, const char *before, const char **after)
{
    const size_t length = strlen(before);
    char *end;

    if (strncmp(name, before, length) != 0)
        return 0;
    const long number = strtol(name + length, &end, 10);
    *after = end;
    return end > name + length && number > 0 && number < INT32_MAX ? (int)number : 0;
}

void dyn__part_turned(dyn_exchange_part *p)
{
    const int32_t last = p->order[p->axes - 1];

    if (p->axes < 2)
        return;
    p->order[p->axes - 1] = p->order[p->axes - 2];
    p->order[p->axes - 2] = last;
}

void dyn__part_kernel(dyn_exchange_part *p)
{
    for (int32_t i = 0; i < p->axes; i++)
        p->order[i] = i < 2 ? p->axes - 1 - i : i - 2;
}

void dyn__part_name(dyn_exchange_part *p, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(p->name, sizeof p->name, format, arguments);
    va_end(arguments);
}

/* ---- an entry ---- */

static dyn_status own_entry(const dyn_model *m, int32_t i, dyn_exchange_part *p)
{
    const int32_t state = i >= m->tensors, source = i - (state ? m->tensors : 0);
    const char *name = state ? m->state[source].name : m->tensor[source].name;
    const dyn__shape *s = state ? &m->state[source].shape : &m->tensor[source].shape;

    if (strlen(name) >= sizeof p->name)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "the name \"%.60s..\" has %zu bytes, at most %zu can be exchanged", name,
                         strlen(name), sizeof p->name - 1);
    *p = (dyn_exchange_part){.state = state, .source = source, .joined = -1, .flat = 1, .axes = s->rank};
    memcpy(p->name, name, strlen(name));
    for (int32_t k = 0; k < s->rank; k++) {
        p->order[k] = k;
        p->split[k] = s->dim[k];
    }
    return DYN_OK;
}

static void set_shape(dyn_exchange_part *p)
{
    p->rank = p->axes + 1 - p->flat;
    for (int32_t k = 0; k < p->axes; k++) {
        const int64_t size = p->split[p->order[k]];

        if (k < p->rank)
            p->shape[k] = size;
        else
            p->shape[p->rank - 1] *= size;
    }
}

dyn_status dyn_exchange_entry(const dyn_model *m, int32_t i, dyn_exchange_part *out)
{
    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, out);
    if (i < 0 || i >= m->tensors + m->states)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "entry %d: the model has %d", (int)i, (int)(m->tensors + m->states));
    DYN__TRY(own_entry(m, i, out));
    if (m->theirs)
        DYN__TRY(m->theirs(m->user, out));
    set_shape(out);
    return DYN_OK;
}
