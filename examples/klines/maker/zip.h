/* SPDX-License-Identifier: Apache-2.0
 *
 * A ZIP archive of one file, the same bytes each time.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

/** Writes the archive `path` holding `name` with the `bytes` of `data`; `path` is whole or untouched. */
CHECKED enum err zip_write(const char *path, const char *name, const void *data, size_t bytes, struct diag *diag);
