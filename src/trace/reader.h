/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a whole trace into memory, whatever state its writer left it in: every file is hostile, an interrupted stream
 * gives the spans that ended, and what cannot be right is counted and left out. For what does not fit into memory see
 * pages.h.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "trace/format.h"

#include <stddef.h>
#include <stdint.h>

#define TRACE_CPU_UNKNOWN UINT64_MAX
#define TRACE_ALLOCATIONS_UNKNOWN UINT64_MAX

enum span_outcome { SPAN_OK = 0, SPAN_FAILED = 1 };

struct span {
    uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC; end_ns >= start_ns */
    uint64_t cpu_ns;           /* TRACE_CPU_UNKNOWN when not measured */
    uint64_t item, rows, bytes;
    uint64_t allocations, allocated_bytes; /* TRACE_ALLOCATIONS_UNKNOWN when not measured */
    uint32_t stage;                        /* index into trace.stages */
    uint32_t worker;                       /* index of the stream: one a thread */
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
    uint64_t rejected;         /* records and slots that cannot be right, or that are not there any more */
    uint64_t flush_ns;         /* what the recorder itself took to write blocks out, over all threads */
    uint64_t flush_count;
    uint64_t drift_ns; /* how far a clock of the recorder strayed from CLOCK_MONOTONIC, at most */
};

struct page_span;
struct clock_line;
/** A span of a page, without its stage and worker. */
struct span span_of_page(const struct page_span *from, const struct clock_line *line);

/** Reads the trace at `path`, a folder or a packed file; everything is owned by `arena`. An empty folder gives an empty
 *  trace. ERR_IO: not readable. ERR_FORMAT: not a trace, or not one of a version we know. */
CHECKED enum err trace_read(struct trace **out, const char *path, struct arena *arena, struct diag *diag);
