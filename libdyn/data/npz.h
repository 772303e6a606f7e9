/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What reading and writing of .npz share. Only these files see libzip. */
#ifndef DYN__NPZ_H
#define DYN__NPZ_H

#include <zip.h>
#include "data/data.h"

/* The message of libzip; DYN_ENOMEM if that was the reason, else `otherwise`. */
dyn_status dyn__zip_fail(dyn_ctx *ctx, const char *path, const char *what, zip_error_t *e, dyn_status otherwise);

#endif
