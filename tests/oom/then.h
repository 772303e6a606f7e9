/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Works of the out-of-memory tests as lists of calls: s is the status so far, and a call is made while nothing has
 * failed; positive ones, as DYN_NOT_CONVERGED, are no failures. */
#ifndef THEN_H
#define THEN_H

#define THEN(call)                      \
    do {                                \
        if (s >= 0)                     \
            s = (call);                 \
        s = s > 0 ? DYN_OK : s;         \
    } while (0)

#endif
