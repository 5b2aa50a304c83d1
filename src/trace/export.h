/* SPDX-License-Identifier: Apache-2.0
 *
 * The spans of a trace as text for other programs, one after the other, however many there are.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

/** CSV with a head line; one JSON object a line; the Chrome trace event format, which Perfetto reads too. */
enum trace_text { TRACE_CSV, TRACE_JSONL, TRACE_CHROME };

/** False when there is no format of that name: "csv", "jsonl", "chrome". */
bool trace_text_named(enum trace_text *out, const char *name);
/** Writes the spans of the trace at `from` to `fd`, thread by thread, by their ends; `to` names it in the diag. The
 *  recorder's own time is the stage "(recorder)". Times are CLOCK_MONOTONIC. ERR_IO, ERR_FORMAT: as trace_read. */
CHECKED enum err trace_export(int fd, const char *to, const char *from, enum trace_text text, struct arena *arena,
                              struct diag *diag);
