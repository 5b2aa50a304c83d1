/* SPDX-License-Identifier: Apache-2.0
 *
 * What a trace is: who wrote it, how much, by which clock, and what is missing.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>

/** Of the trace at `path`, as venturi.trace-info/1 (docs/contracts.md). The caller owns *out. ERR_IO, ERR_FORMAT: as
 *  trace_read. */
CHECKED enum err trace_info(json_t **out, const char *path, struct arena *arena, struct diag *diag);
