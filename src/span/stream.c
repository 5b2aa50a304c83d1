/* SPDX-License-Identifier: Apache-2.0
 *
 * Every store here may be the last one before kill -9: what has been published is whole, and each step is published by
 * one store.
 */
#include "span/stream.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written as they stand in memory");

static struct span_record *ring(const struct venturi_stream *stream)
{
    return (struct span_record *)(void *)((char *)stream->file.map + TRACE_HEAD_BYTES);
}

void venturi_stream_begin(struct venturi_stream *stream, uint64_t start_ns)
{
    struct stream_head *head = stream->file.map;
    head->version = TRACE_VERSION;
    head->pid = (uint32_t)getpid();
    head->tid = (uint32_t)syscall(SYS_gettid);
    head->start_ns = start_ns;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(head->magic, TRACE_STREAM_MAGIC, sizeof head->magic);
    stream->start_ns = start_ns;
    stream->head = head;
}

bool venturi_stream_append(struct venturi_stream *stream, const struct venturi_path *path)
{
    uint64_t offset = TRACE_STREAM_BYTES + stream->blocks * TRACE_BLOCK_BYTES;
    stream->stopped =
        stream->stopped || !venturi_file_append(&stream->file, path, offset, ring(stream), TRACE_BLOCK_BYTES);
    if (stream->stopped)
        return false;
    stream->blocks++;
    __atomic_store_n(&stream->head->blocks, stream->blocks, __ATOMIC_RELEASE);
    return true;
}

void venturi_stream_put(struct venturi_stream *stream, const struct span_record *record)
{
    struct span_record *slot = ring(stream) + (stream->records - stream->blocks * TRACE_RING_RECORDS);
    *slot = *record;
    slot->check = span_record_check(record, stream->start_ns, stream->records);
    stream->records++;
    __atomic_store_n(&stream->head->records, stream->records, __ATOMIC_RELEASE);
}
