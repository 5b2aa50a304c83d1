/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what recorders of version 1 left, as distrustfully as the rest.
 */
#pragma once

#include "trace/folder.h"
#include "trace/names.h"
#include "trace/reader.h"

/** Whether the folder holds a trace of version 1. */
CHECKED enum err v1_is_there(bool *out, const struct folder *folder, struct arena *arena, struct diag *diag);
/** Fills the spans, the workers, the losses and what was rejected; the stages of the spans are numbers in `names`. */
CHECKED enum err v1_read(struct trace *trace, struct names *names, const struct folder *folder, struct arena *arena,
                         struct diag *diag);
