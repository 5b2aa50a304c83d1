/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a trace folder, whatever state its writer left it in: every file is hostile, an interrupted stream gives the
 * spans that ended, and what cannot be right is counted and left out.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trace/format.h"

#include <stddef.h>
#include <stdint.h>

struct span {
    uint64_t start_ns, end_ns; /* end_ns >= start_ns */
    uint64_t cpu_ns;           /* TRACE_CPU_UNKNOWN when not measured */
    uint64_t item, rows, bytes;
    uint32_t stage;  /* index into trace.stages */
    uint32_t worker; /* index of the stream: one a thread */
    enum span_outcome outcome;
};

struct trace {
    const char **stages; /* distinct names over all processes, in order of first appearance by start time */
    size_t stage_count;
    struct span *spans; /* ordered by start_ns, then end_ns */
    size_t span_count;
    size_t worker_count;
    struct memory_sample *memory; /* ordered by at_ns; empty when nobody sampled */
    size_t memory_count;
    struct span_losses losses; /* summed over streams */
    uint64_t rejected;         /* records that cannot be right: bad check, unknown stage, negative duration */
};

/** Reads the trace in `folder`; everything is owned by `arena`. An empty folder gives an empty trace.
 *  ERR_IO: not readable. ERR_FORMAT: a file that claims to be a stream and is not one we know. */
CHECKED enum err trace_read(struct trace **out, const char *folder, struct arena *arena, struct diag *diag);
