/* SPDX-License-Identifier: Apache-2.0
 *
 * One sweep over time: when each stage was busy, how many of its spans were open at once, when two stages were busy
 * together, and how much memory was resident meanwhile.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trace/reader.h"

#include <stdint.h>

struct stage_activity {
    uint64_t busy_ns;    /* at least one span open: nested and overlapping ones count once */
    uint64_t open_most;  /* spans open at once */
    uint64_t peak_bytes; /* largest memory sample while a span was open */
};

struct activity {
    struct stage_activity *stages; /* as trace->stages */
    uint64_t overlap_ns;           /* two or more stages busy */
};

CHECKED enum err activity_sweep(struct activity *out, const struct trace *trace, struct arena *arena,
                                struct diag *diag);
