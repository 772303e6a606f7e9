/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The samples of a step, which follow from seed and step: batches of an epoch in the order of the epoch. */
#include "data/data.h"
#include "objective/impl.h"

void dyn__turns_set(const dyn_objective *o, const dyn__feeding *f, dyn__turns *t)
{
    t->batch = f->batch > 0 && f->batch < o->n ? f->batch : o->n;
    t->per_epoch = dyn_data_batches(o->n, t->batch, f->drop_last);
    t->ragged = f->drop_last ? 0 : o->n % t->batch;
    t->epoch = -1;
}

dyn_status dyn__turns_open(const dyn_objective *o, dyn__turns *t)
{
    t->order = dyn__alloc(o->ctx, (size_t)o->n, sizeof *t->order);
    return t->order ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__turns_go(const dyn_objective *o, dyn__turns *t, uint64_t seed, int64_t step, int64_t *count)
{
    const int64_t epoch = step / t->per_epoch;

    if (epoch != t->epoch || seed != t->seed) {
        t->epoch = -1;
        DYN__TRY(dyn_data_order(o->ctx, seed, epoch, o->n, t->order));
        t->epoch = epoch;
        t->seed = seed;
    }
    t->at = t->order + (step - epoch * t->per_epoch) * t->batch;
    *count = t->ragged && step + 1 == (epoch + 1) * t->per_epoch ? t->ragged : t->batch;
    return DYN_OK;
}
