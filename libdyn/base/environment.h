/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The floating-point environment: rounding, flushing of denormals, traps. Public calls hold the default one while they
 * last, so that results do not depend on the host's and its traps do not fire in the library, and give back the host's
 * with its flags. */
#ifndef DYN__ENVIRONMENT_H
#define DYN__ENVIRONMENT_H

#if defined(__x86_64__)

/* All of it that SSE and AVX know; a full fenv_t takes a hundred times as long. */
typedef unsigned dyn__environment;

static inline dyn__environment dyn__environment_hold(void)
{
    const dyn__environment host = __builtin_ia32_stmxcsr();

    __builtin_ia32_ldmxcsr(0x1f80);
    return host;
}

static inline void dyn__environment_restore(const dyn__environment *host)
{
    __builtin_ia32_ldmxcsr(*host);
}

#else
#include <fenv.h>

typedef fenv_t dyn__environment;

static inline dyn__environment dyn__environment_hold(void)
{
    dyn__environment host;

    fegetenv(&host);
    fesetenv(FE_DFL_ENV);
    return host;
}

static inline void dyn__environment_restore(const dyn__environment *host)
{
    fesetenv(host);
}

#endif
#endif
