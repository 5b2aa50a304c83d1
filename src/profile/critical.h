/* SPDX-License-Identifier: Apache-2.0
 *
 * The critical path: the chain of spans that the run really waited for. Walked backwards from the last end; a span
 * waits for what its worker did before, and for what was done to the same item before.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trace/reader.h"

#include <stdint.h>

struct critical_path {
    uint64_t *stage_ns;  /* as trace->stages: time of the path inside spans of the stage */
    uint64_t outside_ns; /* time of the path in no span; all of these add up to last end - first start */
};

/** `trace` has at least one span. */
CHECKED enum err critical_path_walk(struct critical_path *out, const struct trace *trace, struct arena *arena,
                                    struct diag *diag);
