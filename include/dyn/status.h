/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Status codes. Zero is success, a negative code is an error and nothing was changed, a positive code is
 * information: the results are there. A code keeps its value for ever and is never used again. */
#ifndef DYN_STATUS_H
#define DYN_STATUS_H

#include <stdint.h>

#if defined(__GNUC__)
#define DYN_API __attribute__((visibility("default")))
#else
#define DYN_API
#endif

/* Size of an option struct as its first field holds it: what the INIT macros write. C++ has a cast of its own. */
#ifdef __cplusplus
#define DYN_SIZE_OF(type) static_cast<uint32_t>(sizeof(type))
#else
#define DYN_SIZE_OF(type) ((uint32_t)sizeof(type))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result of every function that can fail. */
typedef int32_t dyn_status;

/* X(name, value, text) */
#define DYN_STATUS_LIST(X)                                                     \
    X(DYN_OK, 0, "success")                                                    \
    X(DYN_NOT_CONVERGED, 1, "not converged")                                   \
    X(DYN_STOPPED, 2, "stopped by the caller")                                 \
    X(DYN_EINVAL, -1, "invalid argument")                                      \
    X(DYN_ENOMEM, -2, "out of memory")                                         \
    X(DYN_ESHAPE, -3, "shapes do not agree")                                   \
    X(DYN_EDTYPE, -4, "element types do not agree")                            \
    X(DYN_ESTATE, -5, "call not allowed in this state")                        \
    X(DYN_EFULL, -6, "a limit is reached")                                     \
    X(DYN_EIO, -7, "input or output failed")                                   \
    X(DYN_EFORMAT, -8, "malformed file")                                       \
    X(DYN_EVERSION, -9, "unknown version")                                     \
    X(DYN_EABI_SIZE, -10, "option struct is malformed")                        \
    X(DYN_EABI_OLD, -11, "option struct is older than this library supports")  \
    X(DYN_EABI_NEW, -12, "option struct uses fields this library does not know") \
    X(DYN_ENONFINITE, -13, "a number is not finite")                           \
    X(DYN_ENOTSUP, -14, "not supported")                                       \
    X(DYN_EUSER, -15, "a callback of the caller failed")                       \
    X(DYN_EINTERNAL, -16, "internal error")                                   \
    X(DYN_EINTERRUPTED, -17, "interrupted by the caller")

enum {
#define DYN_STATUS_ENUMERATOR(name, value, text) name = value,
    DYN_STATUS_LIST(DYN_STATUS_ENUMERATOR)
#undef DYN_STATUS_ENUMERATOR
    DYN_STATUS_END = 127
};

/** Name of a status code, for example "DYN_ESHAPE"; "unknown status" for others. Any thread. since: 0.1 */
DYN_API const char *dyn_status_name(dyn_status s);

/** One-line text of a status code. Any thread. since: 0.1 */
DYN_API const char *dyn_status_text(dyn_status s);

#ifdef __cplusplus
}
#endif
#endif
