/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shelf. Values hold the contexts they were made with, and these the keeper: what breaks the circle is that the
 * keeper's owner frees it, which empties and closes the shelf. */
#include "base/context.h"
#include "base/shelf.h"

#include <pthread.h>
#include <string.h>

enum { PLACES = 64 };

typedef struct place {
    char *bytes;                /* NULL = free */
    int64_t length, used;
    void *value;
    const dyn__counted *how;
} place;

struct dyn__shelf {
    pthread_mutex_t lock;
    int closed;
    int64_t clock;
    place at[PLACES];
};

/* ---- life ---- */

/* Contexts may be made with one keeper on several threads at once. */
dyn_status dyn__shelf_open(dyn_ctx *keeper)
{
    dyn__shelf *none = NULL, *made;

    if (atomic_load(&keeper->shelf))
        return DYN_OK;
    made = dyn__alloc(keeper, 1, sizeof *made);
    if (!made)
        return DYN_ENOMEM;
    if (pthread_mutex_init(&made->lock, NULL) != 0) {
        dyn__free(keeper, made);
        return DYN_ENOMEM;
    }
    if (!atomic_compare_exchange_strong(&keeper->shelf, &none, made)) {
        pthread_mutex_destroy(&made->lock);
        dyn__free(keeper, made);
    }
    return DYN_OK;
}

/* Values are dropped outside of the lock, as contexts may go with them. */
static void empty(dyn_ctx *keeper, int close)
{
    dyn__shelf *s = atomic_load(&keeper->shelf);

    for (int i = 0; s && i < PLACES; i++) {
        pthread_mutex_lock(&s->lock);
        const place taken = s->at[i];
        s->at[i] = (place){ 0 };
        s->closed |= close;
        pthread_mutex_unlock(&s->lock);
        dyn__free(keeper, taken.bytes);
        if (taken.bytes)
            taken.how->drop(taken.value);
    }
}

void dyn__shelf_empty(dyn_ctx *keeper) { empty(keeper, 0); }

void dyn__shelf_close(dyn_ctx *keeper) { empty(keeper, 1); }

void dyn__shelf_free(dyn_ctx *keeper)
{
    dyn__shelf *s = atomic_load(&keeper->shelf);

    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    dyn__free(keeper, s);
}

/* ---- values ---- */

int dyn__shares(const dyn_ctx *ctx) { return ctx->keeper != NULL; }

static place *find(dyn__shelf *s, const dyn__buffer *k)
{
    for (int i = 0; i < PLACES; i++)
        if (s->at[i].bytes && s->at[i].length == k->length && !memcmp(s->at[i].bytes, k->at, (size_t)k->length)) {
            s->at[i].used = ++s->clock;
            return &s->at[i];
        }
    return NULL;
}

void *dyn__shelf_find(dyn_ctx *ctx, const dyn__buffer *k)
{
    dyn__shelf *s = atomic_load(&ctx->keeper->shelf);
    void *value = NULL;

    pthread_mutex_lock(&s->lock);
    const place *p = find(s, k);
    if (p) {
        value = p->value;
        p->how->take(value);
    }
    pthread_mutex_unlock(&s->lock);
    return value;
}

static place *least_used(dyn__shelf *s)
{
    place *least = &s->at[0];

    for (int i = 1; i < PLACES; i++)
        if (s->at[i].used < least->used)
            least = &s->at[i];
    return least;
}

dyn_status dyn__shelf_put(dyn_ctx *ctx, const dyn__buffer *k, void *value, const dyn__counted *how)
{
    dyn_ctx *keeper = ctx->keeper;
    dyn__shelf *s = atomic_load(&keeper->shelf);
    char *bytes = dyn__alloc(keeper, (size_t)k->length, 1);
    place out;

    if (!bytes)
        return DYN__FAIL(ctx, DYN_ENOMEM, "out of memory: %lld bytes of a shared plan's key", (long long)k->length);
    memcpy(bytes, k->at, (size_t)k->length);
    out = (place){ bytes, k->length, 0, value, how };
    how->take(value);
    pthread_mutex_lock(&s->lock);
    if (!s->closed && !find(s, k)) {
        place *p = least_used(s);
        const place before = *p;
        *p = out;
        p->used = ++s->clock;
        out = before;
    }
    pthread_mutex_unlock(&s->lock);
    dyn__free(keeper, out.bytes);
    if (out.bytes)
        out.how->drop(out.value);
    return DYN_OK;
}
