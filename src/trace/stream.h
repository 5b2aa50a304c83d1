/* SPDX-License-Identifier: Apache-2.0
 *
 * One stream file: what its head claims, bounded by what the file holds, and its records, each checked.
 */
#pragma once

#include "trace/folder.h"
#include "trace/reader.h"
#include "trace/stages.h"

#include <stddef.h>
#include <stdint.h>

struct stream {
    const char *file;
    struct stream_head head;
    uint64_t blocks;       /* claimed and there */
    uint64_t ring_records; /* likewise, at most TRACE_RING_RECORDS */
};

/** Reads the head of `stream->file`; a stream that never began has no records. Counts into *rejected what the head
 * claims and the file does not hold. */
CHECKED enum err stream_open(struct stream *stream, uint64_t *rejected, const struct folder *folder, struct diag *diag);
/** How many spans the stream may hold. */
uint64_t stream_capacity(const struct stream *stream);
/** Adds the spans of the stream to `trace`, whose array has room for them. */
CHECKED enum err stream_read(struct trace *trace, const struct stream *stream, const struct stage_table *stages,
                             uint32_t worker, const struct folder *folder, struct diag *diag);
