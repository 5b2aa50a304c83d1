/* SPDX-License-Identifier: Apache-2.0
 *
 * The spans of a run as the model needs them: the time that is a span's own, which item it belongs to, and the moments
 * at which spans open and close.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "profile/profile.h"
#include "trace/reader.h"

#include <stdbool.h>

struct piece {
    uint64_t start_ns, end_ns; /* end_ns > start_ns */
    uint64_t own_ns;           /* without the spans of other stages nested in it */
    uint64_t cpu_ns;           /* of own_ns; TRACE_CPU_UNKNOWN when not measured */
    uint64_t item;             /* as the pipeline numbered it */
    size_t place;              /* of the item in the run: 0 started first */
    size_t stage;              /* index into profile.stages */
    uint32_t worker;
    bool nested; /* inside another stage's span of the same item and worker */
};

/** A moment at which a piece opens or closes. */
struct edge {
    uint64_t at_ns;
    size_t piece;
    bool opens;
};

struct pieces {
    struct piece *at;   /* by start_ns */
    struct edge *edges; /* 2 * count, by time; at one moment the closing ones come first */
    size_t count, items, workers;
};

/** All spans of `trace` that took time and whose stage `profile` knows. ERR_MEMORY only. */
CHECKED enum err pieces_collect(struct pieces *out, const struct trace *trace, const struct profile *profile,
                                struct arena *arena, struct diag *diag);
