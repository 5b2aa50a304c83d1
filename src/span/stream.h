/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream file of one thread: a head, a ring that is filled in place, and the full rings appended behind it.
 */
#pragma once

#include "span/file.h"
#include "trace/format.h"

#include <stdbool.h>
#include <stdint.h>

struct venturi_stream {
    struct stream_head *head; /* NULL = no stream */
    struct venturi_file file;
    uint64_t start_ns, blocks, records; /* as in the head, out of everybody else's reach */
    uint64_t number;                    /* <n> of its name */
    bool stopped;                       /* a block could not be appended: the full ring stays as it is */
};

/** Writes the head of a freshly made file. */
void venturi_stream_begin(struct venturi_stream *stream, uint64_t start_ns);
/** Whether the ring holds no further record. */
static inline bool venturi_stream_full(const struct venturi_stream *stream)
{
    return stream->records - stream->blocks * TRACE_RING_RECORDS == TRACE_RING_RECORDS;
}
/** Appends the full ring to the stream's file, named `path`, and empties it; false when that failed, now or before. */
bool venturi_stream_append(struct venturi_stream *stream, const struct venturi_path *path);
/** Adds a record, whose check is set here; the ring is not full. */
void venturi_stream_put(struct venturi_stream *stream, const struct span_record *record);
