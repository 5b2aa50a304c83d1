/* SPDX-License-Identifier: Apache-2.0
 *
 * The stream of one thread: a block of pages in shared memory that is filled in place, appended to the stream's file
 * when it is full, and used again.
 */
#pragma once

#include "span/clock.h"
#include "span/file.h"
#include "trace/record.h"

#include <stdbool.h>
#include <stdint.h>

struct venturi_stream {
    struct stream_slot *slot;     /* NULL = no stream */
    unsigned char *at, *end;      /* of the open page: where the next record goes, and where the page ends */
    uint64_t clock_due;           /* ticks: then both clocks are read again, if something is recorded */
    uint64_t clock_interval;      /* ticks: how long after the time before */
    uint64_t time;                /* ticks: where the last record ended */
    uint64_t lap_start, lap_item; /* as a reader knows them by now */
    uint64_t records;             /* of all kinds, on all pages */
    uint32_t sequence;            /* of the open page; 0 before the first */
    uint32_t number;
    struct venturi_file file;
    bool behind;  /* the clock went back: where the lap began is not known */
    bool stopped; /* a block could not be appended: it stays as it is, and all that comes is lost */
};

/** The time the recorder itself took. */
struct venturi_flush {
    uint64_t start, end; /* ticks; end 0 = none */
};

/** Begins stream `number` of the process (pid, process_start) in the fresh slot at `map`. Its `time` and `lap_start`
 * are for the caller to set. */
void venturi_stream_begin(struct venturi_stream *stream, void *map, uint32_t pid, uint64_t process_start,
                          uint32_t number);
/** Opens the next page. When the block is full it is first appended to the file named `path`, with the signals held,
 * and *flush says how long that took; false when that failed, now or before. */
bool venturi_stream_turn(struct venturi_stream *stream, const struct venturi_path *path, struct venturi_flush *flush);

/** Whether the next page lies in a block that has to be appended first. */
static inline bool venturi_stream_block_full(const struct venturi_stream *stream)
{
    return stream->sequence > 0 && stream->sequence % TRACE_BLOCK_PAGES == 0;
}

/** Whether the open page has room for any record. */
static inline bool venturi_stream_has_room(const struct venturi_stream *stream)
{
    return (size_t)(stream->end - stream->at) >= RECORD_BYTES_MAX;
}

/** Moves on behind a record of `bytes` bytes that ended at `time`. */
static inline void venturi_stream_passed(struct venturi_stream *stream, size_t bytes, uint64_t time)
{
    stream->at += bytes;
    stream->time = time;
    stream->records++;
}

/** Publishes a record of at most 8 bytes, which fit on the page, by one store. */
static inline void venturi_stream_put_short(struct venturi_stream *stream, uint64_t word, size_t bytes, uint64_t time)
{
    __builtin_memcpy(stream->at, &word, 8);
    __atomic_signal_fence(__ATOMIC_RELEASE);
    venturi_stream_passed(stream, bytes, time);
}

/** Puts the present moment on both clocks; the page has room. */
void venturi_stream_put_clock(struct venturi_stream *stream);
