/* SPDX-License-Identifier: Apache-2.0
 *
 * What a page says: its records one after the other, each with its place in time, up to the first that cannot be right.
 */
#pragma once

#include "trace/clock_line.h"
#include "trace/record.h"

#include <stdbool.h>
#include <stdint.h>

struct page_cursor {
    struct record_bytes bytes;
    uint64_t ticks; /* end of the last record */
    uint64_t lap_start, lap_item;
    struct clock_pair clock; /* of the last clock record; ns 0 = none so far */
    uint32_t stages;         /* of the process: a number above is not one */
    uint64_t records;        /* read so far, of every kind */
    bool broken;             /* the last one could not be right: what follows on this page is lost */
};

/** A lap or span, in ticks. `stage` is 1 to the stages of the process, or TRACE_STAGE_FLUSH. */
struct page_span {
    uint64_t start, end; /* end >= start */
    uint64_t item;
    struct record record; /* stage, rows, bytes, more.. */
};

static inline void page_cursor_begin(struct page_cursor *out, const void *page, uint32_t stages)
{
    struct page_head head;
    memcpy(&head, page, sizeof head);
    const unsigned char *bytes = page;
    *out = (struct page_cursor){.bytes = {bytes + sizeof head, bytes + TRACE_PAGE_BYTES},
                                .ticks = head.base,
                                .lap_start = head.lap_start,
                                .lap_item = head.lap_item,
                                .stages = stages};
}

/** Moves time on by `record`; false when it cannot be right. */
static inline bool page_cursor_step(struct page_cursor *cursor, const struct record *record)
{
    bool known =
        record->stage <= cursor->stages || (record->stage == TRACE_STAGE_FLUSH && record->kind == RECORD_IS_SPAN);
    if (__builtin_add_overflow(cursor->ticks, record->delta, &cursor->ticks) || !known)
        return false;
    if (record->kind == RECORD_IS_SPAN)
        return record->stage != 0 && record->duration <= cursor->ticks;
    return record->kind != RECORD_IS_LAP || cursor->lap_start <= cursor->ticks;
}

/** The next lap or span of the page; false after the last one. The time between two laps (stage 0) is passed over. */
static inline bool page_cursor_next(struct page_span *out, struct page_cursor *cursor)
{
    while (!cursor->broken && record_stands(&cursor->bytes)) {
        struct record *record = &out->record;
        cursor->broken = !record_get(record, &cursor->bytes) || !page_cursor_step(cursor, record);
        if (cursor->broken)
            return false;
        cursor->records++;
        out->end = cursor->ticks;
        if (record->kind == RECORD_IS_SPAN) {
            out->start = out->end - record->duration;
            out->item = record->item;
            return true;
        }
        if (record->kind == RECORD_IS_ITEM)
            cursor->lap_item = record->item;
        if (record->kind == RECORD_IS_CLOCK)
            cursor->clock = (struct clock_pair){.ticks = cursor->ticks, .ns = record->ns};
        if (record->kind != RECORD_IS_LAP)
            continue;
        out->start = cursor->lap_start;
        out->item = cursor->lap_item;
        cursor->lap_start = cursor->ticks;
        if (record->stage != 0)
            return true;
    }
    return false;
}

/** For pages that are read from the newest to the oldest of a stream: no page was read yet. */
#define PAGE_NONE_YET UINT64_MAX

/** How many records are missing behind a page whose records end with the `end`-th of the stream. `*before` is how many
 *  there are before the page that was read before it, and then before this one. What followed a broken record at the
 *  very end is one at least. */
static inline uint64_t page_missing_records(uint64_t *before, uint64_t records, uint64_t end, bool broken)
{
    uint64_t newer = *before;
    *before = records;
    if (newer == PAGE_NONE_YET)
        return broken ? 1 : 0;
    return newer > end ? newer - end : 0;
}

/** How many records are missing before the oldest page. */
static inline uint64_t page_missing_first(uint64_t before)
{
    return before == PAGE_NONE_YET ? 0 : before;
}
