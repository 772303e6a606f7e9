/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keeping what became of members. A transaction costs more than what is in it: those that end within TOGETHER seconds
 * are in one. They are finished in memory at once, and waiting again where it fails; a checkpoint goes when its member
 * is in the file. */
#include "sweep/sweep.h"

#define TOGETHER 0.2

/* What is in the transaction in progress is in the file, or not at all. */
static void ended(dyn_sweep *w, dyn_status s)
{
    for (int64_t k = 0; k < w->kept_count; k++)
        if (s == DYN_OK)
            dyn__checkpoint_remove(w, w->kept[k]);
        else
            w->members[w->kept[k]].status = DYN_MEMBER_WAITING;
    w->kept_count = 0;
}

static dyn_status put(dyn_sweep *w, const dyn__outcome *o)
{
    const dyn_status s = dyn__store_put(w, o);

    if (s != DYN_OK) {
        ended(w, s);
        return s;
    }
    if (!w->kept_count)
        w->kept_since = dyn__seconds();
    w->kept[w->kept_count++] = o->index;
    return DYN_OK;
}

dyn_status dyn__member_keep(dyn_sweep *w, dyn__outcome *o)
{
    dyn__member *m = &w->members[o->index];
    const int64_t number = m->number;

    if (w->store)
        DYN__TRY(put(w, o));
    for (int64_t n = 0; n < o->number_count; n++)
        DYN__TRY(dyn__columns_keep(w, o->index, o->numbers[n].name, o->numbers[n].value));
    dyn__free(w->ctx, m->message);
    *m = o->member;
    m->number = number;
    o->member.message = NULL;       /* it is the sweep's now */
    return DYN_OK;
}

dyn_status dyn__members_settle(dyn_sweep *w, int at_once)
{
    dyn_status s;

    if (!w->kept_count || (!at_once && dyn__seconds() - w->kept_since < TOGETHER))
        return DYN_OK;
    s = dyn__store_commit(w);
    ended(w, s);
    return s;
}
