/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stream.h"

#include "base/file.h"

#include <string.h>

/* A file of zeros is that of a thread killed before it had recorded anything. */
static bool never_began(const struct stream_head *head)
{
    static const char unborn[sizeof head->magic];
    return memcmp(head->magic, unborn, sizeof unborn) == 0 && head->blocks == 0 && head->records == 0;
}

static enum err check_head(const struct stream *stream, struct diag *diag)
{
    if (memcmp(stream->head.magic, TRACE_STREAM_MAGIC, sizeof stream->head.magic) != 0)
        return diag_fail(diag, ERR_FORMAT, stream->file, NULL, "is not a stream of a trace");
    if (stream->head.version != TRACE_VERSION)
        return diag_fail(diag, ERR_FORMAT, stream->file, "use the venturi that recorded it, or a newer one",
                         "has version %u, this venturi reads %d", stream->head.version, TRACE_VERSION);
    return ERR_OK;
}

/* Records of `blocks` blocks, up to the largest number. */
static uint64_t records_in(uint64_t blocks)
{
    return blocks > UINT64_MAX / TRACE_RING_RECORDS ? UINT64_MAX : blocks * TRACE_RING_RECORDS;
}

enum err stream_open(struct stream *stream, uint64_t *rejected, const struct folder *folder, struct diag *diag)
{
    AUTO(fd_close) int fd = -1;
    uint64_t bytes;
    struct stream_head *head = &stream->head;
    TRY(folder_open(&fd, &bytes, folder, stream->file, diag));
    if (fd < 0)
        return ERR_OK;
    TRY(folder_read(head, sizeof *head, 0, fd, stream->file, diag));
    if (never_began(head))
        return ERR_OK;
    TRY(check_head(stream, diag));
    uint64_t present = bytes < TRACE_STREAM_BYTES ? 0 : (bytes - TRACE_STREAM_BYTES) / TRACE_BLOCK_BYTES;
    stream->blocks = head->blocks < present ? head->blocks : present;
    *rejected = count_add(*rejected, records_in(head->blocks - stream->blocks));
    uint64_t in_blocks = records_in(head->blocks);
    uint64_t in_ring = head->records < in_blocks ? 0 : head->records - in_blocks;
    stream->ring_records = in_ring < TRACE_RING_RECORDS ? in_ring : TRACE_RING_RECORDS;
    if (head->records < in_blocks || in_ring > TRACE_RING_RECORDS)
        *rejected = count_add(*rejected, 1); /* a damaged head: how many are missing nobody knows */
    return ERR_OK;
}

uint64_t stream_capacity(const struct stream *stream)
{
    return stream->blocks * TRACE_RING_RECORDS + stream->ring_records; /* no overflow: the file holds that many */
}

static bool span_of(struct span *span, const struct span_record *record, const struct process_stages *process)
{
    bool known = process && record->stage >= 1 && record->stage <= process->count;
    uint32_t stage = known ? process->indices[record->stage - 1] : STAGE_UNKNOWN;
    if (stage == STAGE_UNKNOWN || record->end_ns < record->start_ns || record->outcome > SPAN_FAILED)
        return false;
    *span = (struct span){.start_ns = record->start_ns,
                          .end_ns = record->end_ns,
                          .cpu_ns = record->cpu_ns,
                          .item = record->item,
                          .rows = record->rows,
                          .bytes = record->bytes,
                          .stage = stage,
                          .outcome = (enum span_outcome)record->outcome};
    return true;
}

struct place {
    const struct stream *stream;
    const struct process_stages *process;
    uint32_t worker;
};

static void add_records(struct trace *trace, const struct span_record *records, size_t count, uint64_t sequence,
                        struct place place)
{
    for (size_t i = 0; i < count; i++) {
        struct span *span = &trace->spans[trace->span_count];
        uint64_t check = span_record_check(&records[i], place.stream->head.start_ns, sequence + i);
        if (records[i].check != check || !span_of(span, &records[i], place.process)) {
            trace->rejected = count_add(trace->rejected, 1);
            continue;
        }
        span->worker = place.worker;
        trace->span_count++;
    }
}

enum err stream_read(struct trace *trace, const struct stream *stream, const struct stage_table *stages,
                     uint32_t worker, const struct folder *folder, struct diag *diag)
{
    AUTO(fd_close) int fd = -1;
    uint64_t bytes;
    struct span_record records[TRACE_RING_RECORDS];
    struct place place = {stream, stage_table_process(stages, stream->file), worker};
    TRY(folder_open(&fd, &bytes, folder, stream->file, diag));
    if (fd < 0)
        return ERR_OK;
    for (uint64_t block = 0; block < stream->blocks; block++) {
        uint64_t offset = TRACE_STREAM_BYTES + block * TRACE_BLOCK_BYTES;
        TRY(folder_read(records, TRACE_BLOCK_BYTES, offset, fd, stream->file, diag));
        add_records(trace, records, TRACE_RING_RECORDS, block * TRACE_RING_RECORDS, place);
    }
    TRY(folder_read(records, TRACE_BLOCK_BYTES, TRACE_HEAD_BYTES, fd, stream->file, diag));
    add_records(trace, records, stream->ring_records, stream->head.blocks * TRACE_RING_RECORDS, place);
    return ERR_OK;
}
