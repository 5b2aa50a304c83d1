/* SPDX-License-Identifier: Apache-2.0
 *
 * The samples of memory that the lab added to a trace.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trace/folder.h"
#include "trace/format.h"

#include <stddef.h>

/** The samples by time, of either version; none when nobody sampled. ERR_IO, ERR_FORMAT beyond a limit. */
CHECKED enum err memory_read(struct memory_sample **out, size_t *out_count, const struct folder *folder,
                             struct arena *arena, struct diag *diag);
