/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/v1_stream.h"

#include "trace/count.h"

#include <string.h>

/* A file of zeros is that of a thread killed before it had recorded anything. */
static bool never_began(const struct v1_stream_head *head)
{
    static const char unborn[sizeof head->magic];
    return memcmp(head->magic, unborn, sizeof unborn) == 0 && head->blocks == 0 && head->records == 0;
}

static enum err check_head(const struct v1_stream *stream, struct diag *diag)
{
    if (memcmp(stream->head.magic, V1_STREAM_MAGIC, sizeof stream->head.magic) != 0)
        return diag_fail(diag, ERR_FORMAT, stream->file, NULL, "is not a stream of a trace");
    if (stream->head.version != V1_VERSION)
        return diag_fail(diag, ERR_FORMAT, stream->file, "use the venturi that recorded it, or a newer one",
                         "has version %u, this venturi reads %d", stream->head.version, V1_VERSION);
    return ERR_OK;
}

/* Records of `blocks` blocks, up to the largest number. */
static uint64_t records_in(uint64_t blocks)
{
    return blocks > UINT64_MAX / V1_RING_RECORDS ? UINT64_MAX : blocks * V1_RING_RECORDS;
}

enum err v1_stream_open(struct v1_stream *stream, uint64_t *rejected, const struct folder *folder, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    struct v1_stream_head *head = &stream->head;
    TRY(folder_file_open(&file, folder, stream->file, diag));
    TRY(folder_file_read(head, sizeof *head, 0, &file, diag));
    if (never_began(head))
        return ERR_OK;
    TRY(check_head(stream, diag));
    uint64_t present = file.bytes < V1_STREAM_BYTES ? 0 : (file.bytes - V1_STREAM_BYTES) / V1_BLOCK_BYTES;
    stream->blocks = head->blocks < present ? head->blocks : present;
    *rejected = count_add(*rejected, records_in(head->blocks - stream->blocks));
    uint64_t in_blocks = records_in(head->blocks);
    uint64_t in_ring = head->records < in_blocks ? 0 : head->records - in_blocks;
    stream->ring_records = in_ring < V1_RING_RECORDS ? in_ring : V1_RING_RECORDS;
    if (head->records < in_blocks || in_ring > V1_RING_RECORDS)
        *rejected = count_add(*rejected, 1); /* a damaged head: how many are missing nobody knows */
    return ERR_OK;
}

uint64_t v1_stream_capacity(const struct v1_stream *stream)
{
    return stream->blocks * V1_RING_RECORDS + stream->ring_records; /* no overflow: the file holds that many */
}

static bool span_of(struct span *span, const struct v1_record *record, const struct v1_stages *stages)
{
    bool known = stages && record->stage >= 1 && record->stage <= stages->count;
    uint16_t stage = known ? stages->names[record->stage - 1] : V1_STAGE_NONE;
    if (stage == V1_STAGE_NONE || record->end_ns < record->start_ns || record->outcome > SPAN_FAILED)
        return false;
    *span = (struct span){.start_ns = record->start_ns,
                          .end_ns = record->end_ns,
                          .cpu_ns = record->cpu_ns,
                          .item = record->item,
                          .rows = record->rows,
                          .bytes = record->bytes,
                          .allocations = TRACE_ALLOCATIONS_UNKNOWN,
                          .allocated_bytes = TRACE_ALLOCATIONS_UNKNOWN,
                          .stage = stage,
                          .outcome = (enum span_outcome)record->outcome};
    return true;
}

struct place {
    const struct v1_stream *stream;
    const struct v1_stages *stages;
    uint32_t worker;
};

static void add_records(struct trace *trace, const struct v1_record *records, size_t count, uint64_t sequence,
                        struct place place)
{
    for (size_t i = 0; i < count; i++) {
        struct span *span = &trace->spans[trace->span_count];
        uint64_t check = v1_record_check(&records[i], place.stream->head.start_ns, sequence + i);
        if (records[i].check != check || !span_of(span, &records[i], place.stages)) {
            trace->rejected = count_add(trace->rejected, 1);
            continue;
        }
        span->worker = place.worker;
        trace->span_count++;
    }
}

enum err v1_stream_read(struct trace *trace, const struct v1_stream *stream, const struct v1_stages *stages,
                        uint32_t worker, const struct folder *folder, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    struct v1_record records[V1_RING_RECORDS];
    struct place place = {stream, stages, worker};
    TRY(folder_file_open(&file, folder, stream->file, diag));
    for (uint64_t block = 0; block < stream->blocks; block++) {
        TRY(folder_file_read(records, V1_BLOCK_BYTES, V1_STREAM_BYTES + block * V1_BLOCK_BYTES, &file, diag));
        add_records(trace, records, V1_RING_RECORDS, block * V1_RING_RECORDS, place);
    }
    TRY(folder_file_read(records, V1_BLOCK_BYTES, V1_HEAD_BYTES, &file, diag));
    add_records(trace, records, stream->ring_records, stream->head.blocks * V1_RING_RECORDS, place);
    return ERR_OK;
}
