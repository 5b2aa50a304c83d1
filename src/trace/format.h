/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a trace: the one truth for the recorder (src/span) and the reader. docs/trace-format.md explains them.
 *
 * A trace is a folder. Each thread of each process writes one stream, `<pid>-<tid>-<n>.spans`:
 *
 *     +--------------------+ 0
 *     | struct stream_head |            fixed, 4096 bytes; preallocated and mapped by the writer
 *     +--------------------+ 4096
 *     | ring: 1023 records |            the block being filled, mapped too: survives kill -9 of the process
 *     +--------------------+ 69568
 *     | whole blocks ...   |            full rings, appended with write()
 *     +--------------------+
 *
 * The stages of a process stand in `<pid>.stages`: one name a line, the n-th line is stage n. The lab adds
 * `memory.samples`, an array of struct memory_sample. All integers are little endian; times are CLOCK_MONOTONIC.
 */
#pragma once

#include <stdint.h>

#define TRACE_MAGIC "VENTURI1"

enum {
    TRACE_VERSION = 1,
    TRACE_HEAD_BYTES = 4096,
    TRACE_RING_RECORDS = 1023,
    TRACE_STAGES_MAX = 255,
    TRACE_STAGE_NAME_BYTES = 63,
};
#define TRACE_CPU_UNKNOWN UINT64_MAX

enum span_outcome { SPAN_OK = 0, SPAN_FAILED = 1 };

/** One ended span, 64 bytes: a cache line. */
struct span_record {
    uint64_t start_ns, end_ns;
    uint64_t cpu_ns; /* thread CPU time inside the span, TRACE_CPU_UNKNOWN unless VENTURI_CPU=1 */
    uint64_t item;
    uint64_t rows, bytes;
    uint32_t stage;   /* 1-based line of the .stages file */
    uint32_t outcome; /* enum span_outcome */
    uint64_t check;   /* mixes all fields above: a torn or foreign record does not pass */
};
_Static_assert(sizeof(struct span_record) == 64, "a record is a cache line");

/** Why spans were lost, each counted. */
struct span_losses {
    uint64_t write_failed; /* disk full, file gone */
    uint64_t no_stage;     /* stage 0 or unknown */
    uint64_t misuse;       /* ended twice, counted outside a lap */
    uint64_t no_stream;    /* the thread could not open its file */
};

struct stream_head {
    char magic[8];
    uint32_t version;
    uint32_t pid, tid;
    uint32_t reserved;
    uint64_t start_ns;     /* when the stream was opened */
    uint64_t blocks;       /* whole blocks appended so far (release store after the write) */
    uint64_t ring_records; /* records complete in the ring (release store after each record) */
    struct span_losses losses;
};
_Static_assert(sizeof(struct stream_head) <= TRACE_HEAD_BYTES, "the head fits its page");

/** Resident memory of the whole run at one moment. */
struct memory_sample {
    uint64_t at_ns;
    uint64_t resident_bytes;
};
_Static_assert(sizeof(struct memory_sample) == 16, "packed by order");
