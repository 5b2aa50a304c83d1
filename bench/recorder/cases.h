/* SPDX-License-Identifier: Apache-2.0
 *
 * What is timed: the calls of the recorder in loops, through the shared library, as a user's program has them.
 */
#pragma once

#include "common/bench.h"

#include <stdbool.h>
#include <stddef.h>

typedef void operations(size_t count);

/** How a loop is timed; the context of a case. */
struct loop {
    operations *run;
    size_t count;        /* operations a round and thread */
    unsigned threads;    /* each on a core of its own; 0 = 1 */
    size_t record_bytes; /* of an operation, for time_in_ring */
    const char *setting; /* variable that is set to 1, or NULL */
};

/** Traces are kept below `folder` (borrowed) while they are measured. */
void keep_traces_in(const char *folder);
/** How many cores the process may use. */
unsigned cores_allowed(void);

/* Bodies of loops. */
operations two_readings, spans, full_spans, laps, full_laps, waiting_spans, waiting_laps;

/** Times the loop in a process that does not record. */
bench_run time_idle;
/** Times the loop and the writing of its bytes: wall, CPU and bytes. */
bench_run time_in_file;
/** Times only stretches in which no block is written out: wall. */
bench_run time_in_ring;
/** Counts the operations that fill a block: bytes. */
bench_run count_bytes;
