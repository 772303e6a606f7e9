/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linked to a test program with --wrap=dyn_ctx_create: every context that it makes evaluates by the reference backend. */
#include <dyn/dyn.h>

dyn_status __real_dyn_ctx_create(const dyn_ctx_options *opt, dyn_ctx **out);
dyn_status __wrap_dyn_ctx_create(const dyn_ctx_options *opt, dyn_ctx **out);

dyn_status __wrap_dyn_ctx_create(const dyn_ctx_options *opt, dyn_ctx **out)
{
    dyn_ctx_options reference = DYN_CTX_OPTIONS_INIT;

    if (opt)
        reference = *opt;
    reference.backend = DYN_BACKEND_REFERENCE;
    return __real_dyn_ctx_create(&reference, out);
}
