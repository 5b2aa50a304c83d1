/* SPDX-License-Identifier: Apache-2.0
 *
 * One stream file of version 1: what its head claims, bounded by what the file holds, and its records, each checked.
 */
#pragma once

#include "trace/v1_stages.h"

struct v1_stream {
    const char *file;
    struct v1_stream_head head;
    uint64_t blocks;       /* claimed and there */
    uint64_t ring_records; /* likewise, at most V1_RING_RECORDS */
};

/** Reads the head of `stream->file`; a stream that never began has no records. Counts into *rejected what the head
 * claims and the file does not hold. */
CHECKED enum err v1_stream_open(struct v1_stream *stream, uint64_t *rejected, const struct folder *folder,
                                struct diag *diag);
/** How many spans the stream may hold. */
uint64_t v1_stream_capacity(const struct v1_stream *stream);
/** Adds the spans of the stream to `trace`, whose array has room for them. `stages` are those of its process, NULL when
 *  it left none. */
CHECKED enum err v1_stream_read(struct trace *trace, const struct v1_stream *stream, const struct v1_stages *stages,
                                uint32_t worker, const struct folder *folder, struct diag *diag);
