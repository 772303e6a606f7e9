/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Open addressing; at least half of the slots are free. */
#include "base/names.h"

#include <string.h>

static uint64_t hash(const char *text)
{
    uint64_t h = 1469598103934665603u;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot that has the name, or the free one where it belongs. */
static dyn__name_slot *slot_of(const dyn__names *t, const char *text)
{
    uint64_t i = hash(text);

    while (t->slot[i & (uint64_t)(t->size - 1)].text && strcmp(t->slot[i & (uint64_t)(t->size - 1)].text, text))
        i++;
    return &t->slot[i & (uint64_t)(t->size - 1)];
}

int32_t dyn__names_find(const dyn__names *t, const char *text)
{
    const dyn__name_slot *s = t->size ? slot_of(t, text) : NULL;

    return s && s->text ? s->number : -1;
}

static dyn_status make_room(dyn_ctx *ctx, dyn__names *t)
{
    dyn__names old = *t;

    if (2 * (t->count + 1) <= t->size)
        return DYN_OK;
    t->size = old.size ? 2 * old.size : 16;
    t->slot = dyn__alloc(ctx, (size_t)t->size, sizeof *t->slot);
    if (!t->slot) {
        *t = old;
        return DYN_ENOMEM;
    }
    for (int64_t i = 0; i < old.size; i++)
        if (old.slot[i].text)
            *slot_of(t, old.slot[i].text) = old.slot[i];
    dyn__free(ctx, old.slot);
    return DYN_OK;
}

dyn_status dyn__names_add(dyn_ctx *ctx, dyn__names *t, const char *text, int32_t number)
{
    DYN__TRY(make_room(ctx, t));
    dyn__name_slot *s = slot_of(t, text);
    if (!s->text) {
        *s = (dyn__name_slot){text, number};
        t->count++;
    }
    return DYN_OK;
}

void dyn__names_free(dyn_ctx *ctx, dyn__names *t)
{
    dyn__free(ctx, t->slot);
    *t = (dyn__names){0};
}
