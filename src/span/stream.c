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

static unsigned char *block_of(const struct venturi_stream *stream)
{
    return (unsigned char *)stream->slot + TRACE_PAGE_BYTES;
}

void venturi_stream_begin(struct venturi_stream *stream, void *map, uint32_t pid, uint64_t process_start,
                          uint32_t number)
{
    struct stream_slot *slot = map;
    *stream = (struct venturi_stream){.slot = slot, .number = number};
    slot->version = TRACE_VERSION;
    slot->pid = pid;
    slot->process_start = process_start;
    slot->number = number;
    slot->tid = (uint32_t)syscall(SYS_gettid);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(slot->magic, TRACE_STREAM_MAGIC, sizeof slot->magic);
}

static bool append_block(struct venturi_stream *stream, const struct venturi_path *path)
{
    unsigned char *block = block_of(stream);
    for (size_t i = 0; i < TRACE_BLOCK_PAGES; i++) {
        struct page_head *head = (struct page_head *)(void *)(block + i * TRACE_PAGE_BYTES);
        head->check = page_check(head);
    }
    uint64_t offset = (uint64_t)(stream->sequence - TRACE_BLOCK_PAGES) * TRACE_PAGE_BYTES;
    return venturi_file_append(&stream->file, path, offset, block, TRACE_BLOCK_BYTES);
}

/* The sequence is taken away first and stored last: a half made page is none. */
static void open_page(struct venturi_stream *stream)
{
    struct stream_slot *slot = stream->slot;
    unsigned char *page = block_of(stream) + (size_t)(stream->sequence % TRACE_BLOCK_PAGES) * TRACE_PAGE_BYTES;
    struct page_head *head = (struct page_head *)(void *)page;
    struct venturi_moment now = venturi_moment();
    __atomic_store_n(&head->sequence, 0, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memset(page, 0, TRACE_PAGE_BYTES);
    *head = (struct page_head){.stream = trace_stream_id(slot->pid, slot->process_start, slot->number),
                               .base = stream->time,
                               .ticks = now.ticks,
                               .ns = now.ns,
                               .lap_start = stream->lap_start,
                               .lap_item = stream->lap_item,
                               .records = stream->records};
    __atomic_store_n(&head->sequence, ++stream->sequence, __ATOMIC_RELEASE);
    stream->clock_due = venturi_clock_due(&stream->clock_interval, now);
    stream->at = page + sizeof *head;
    stream->end = page + TRACE_PAGE_BYTES;
}

bool venturi_stream_turn(struct venturi_stream *stream, const struct venturi_path *path, struct venturi_flush *flush)
{
    if (stream->stopped)
        return false;
    if (venturi_stream_block_full(stream)) {
        flush->start = venturi_ticks();
        stream->stopped = !append_block(stream, path);
        flush->end = venturi_ticks();
    }
    if (!stream->stopped)
        open_page(stream);
    return !stream->stopped;
}

void venturi_stream_put_clock(struct venturi_stream *stream)
{
    struct venturi_moment now = venturi_moment();
    stream->clock_due = venturi_clock_due(&stream->clock_interval, now);
    if (now.ticks < stream->time)
        return;
    venturi_stream_passed(stream, record_put_clock(stream->at, now.ticks - stream->time, now.ns), now.ticks);
}
