/* SPDX-License-Identifier: Apache-2.0
 *
 * One record of a page, to bytes and back. A record is published by the store of its first byte, which is never 0 and
 * is stored last; what follows the last record of a page is a zero byte or the page's end.
 *
 *     short lap    2, 3 or 4 bytes, one little-endian number:
 *                  bits 0-1  1, 2 or 3: one less than its bytes
 *                  bits 2-7  stage, 0 to 63; 0 = the time between two laps
 *                  the rest  delta
 *     short span   RECORD_TAG_SPAN, stage, 20 bits of delta, 20 bits of duration
 *     full record  tag, stage, then
 *                  delta: 3 bytes; duration of a span: 3 bytes   or, when WIDE, both as LEB128
 *                  item as LEB128                                when ITEM (spans only)
 *                  rows, bytes as LEB128                         when COUNTS
 *                  a byte of RECORD_FAILED.., then the CPU nanoseconds, or the allocations and their bytes, as LEB128
 *                                                                when MORE
 *     item         RECORD_TAG_ITEM, LEB128: the laps that begin from here on work on it
 *     clock        RECORD_TAG_CLOCK, delta as LEB128, 8 bytes: CLOCK_MONOTONIC ns at that moment
 *
 * `delta` counts ticks from the end of the record before, or from the page's base. A lap began where the lap before it
 * ended, a span its duration before its end.
 */
#pragma once

#include "trace/format.h"

#include <string.h>

enum {
    RECORD_BYTES_MAX = 96, /* 2 + 9 x 10 + 1, and room for a store of 8 bytes */
    RECORD_SHORT_STAGES = 63,
    RECORD_TAG_ITEM = 0x04,
    RECORD_TAG_CLOCK = 0x08,
    RECORD_TAG_SPAN = 0x10,
    RECORD_TAG_FULL = 0x80,
    RECORD_SPAN = 0x04, /* with a duration; else a lap */
    RECORD_WIDE = 0x08,
    RECORD_ITEM = 0x10,
    RECORD_COUNTS = 0x20,
    RECORD_MORE = 0x40,
    RECORD_FAILED = 0x01, /* in the byte of MORE */
    RECORD_CPU = 0x02,
    RECORD_ALLOCATIONS = 0x04,
};
#define RECORD_SHORT_TICKS ((uint64_t)1 << 24) /* deltas and durations below this need no WIDE */
enum { RECORD_SPAN_BITS = 20 };                /* of the delta and of the duration of a short span */

enum record_kind { RECORD_IS_LAP, RECORD_IS_SPAN, RECORD_IS_ITEM, RECORD_IS_CLOCK };

struct record {
    enum record_kind kind;
    uint32_t stage;
    uint64_t delta, duration; /* ticks; duration of a span */
    uint64_t item;            /* of a span, or RECORD_IS_ITEM */
    uint64_t rows, bytes;
    uint64_t ns;                                   /* RECORD_IS_CLOCK */
    unsigned more;                                 /* RECORD_FAILED, RECORD_CPU, RECORD_ALLOCATIONS */
    uint64_t cpu_ns, allocations, allocated_bytes; /* as `more` says */
};

/** A short lap as one number of *bytes bytes; stage <= RECORD_SHORT_STAGES, delta < RECORD_SHORT_TICKS. */
static inline uint64_t record_short_lap(uint32_t stage, uint64_t delta, size_t *bytes)
{
    unsigned size = 1u + (delta >= 1u << 8) + (delta >= 1u << 16);
    *bytes = size + 1;
    return size | stage << 2 | delta << 8;
}

/** A span without item, counts and more as one number of *bytes bytes, 7 or 8; both below RECORD_SHORT_TICKS. */
static inline uint64_t record_short_span(uint32_t stage, uint64_t delta, uint64_t duration, size_t *bytes)
{
    bool is_short = (delta | duration) >> RECORD_SPAN_BITS == 0;
    *bytes = is_short ? 7 : 8;
    if (is_short)
        return RECORD_TAG_SPAN | (uint64_t)stage << 8 | delta << 16 | duration << (16 + RECORD_SPAN_BITS);
    return RECORD_TAG_FULL | RECORD_SPAN | (uint64_t)stage << 8 | delta << 16 | duration << 40;
}

static inline unsigned char *record_put_number(unsigned char *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (unsigned char)(value | 0x80);
    *out++ = (unsigned char)value;
    return out;
}

static inline unsigned char *record_put_times(unsigned char *out, const struct record *record, unsigned tag)
{
    if (tag & RECORD_WIDE) {
        out = record_put_number(out, record->delta);
        return tag & RECORD_SPAN ? record_put_number(out, record->duration) : out;
    }
    uint64_t word = record->delta | record->duration << 24;
    memcpy(out, &word, 8);
    return out + (tag & RECORD_SPAN ? 6 : 3);
}

static inline unsigned char *record_put_more(unsigned char *out, const struct record *record)
{
    *out++ = (unsigned char)record->more;
    if (record->more & RECORD_CPU)
        out = record_put_number(out, record->cpu_ns);
    if (record->more & RECORD_ALLOCATIONS) {
        out = record_put_number(out, record->allocations);
        out = record_put_number(out, record->allocated_bytes);
    }
    return out;
}

static inline unsigned record_full_tag(const struct record *record)
{
    bool wide = record->delta >= RECORD_SHORT_TICKS || record->duration >= RECORD_SHORT_TICKS;
    bool span = record->kind == RECORD_IS_SPAN;
    return (unsigned)RECORD_TAG_FULL | (span ? RECORD_SPAN : 0u) | (wide ? RECORD_WIDE : 0u) |
           (span && record->item ? RECORD_ITEM : 0u) | (record->rows | record->bytes ? RECORD_COUNTS : 0u) |
           (record->more ? RECORD_MORE : 0u);
}

/** Writes a lap or span in full at `out`, which has room for RECORD_BYTES_MAX bytes; the first byte last. `duration` of
 * a lap is 0. Returns how many bytes it takes. */
static inline size_t record_put_full(unsigned char *out, const struct record *record)
{
    unsigned tag = record_full_tag(record);
    unsigned char *end = out + 2;
    out[1] = (unsigned char)record->stage;
    end = record_put_times(end, record, tag);
    if (tag & RECORD_ITEM)
        end = record_put_number(end, record->item);
    if (tag & RECORD_COUNTS)
        end = record_put_number(record_put_number(end, record->rows), record->bytes);
    if (tag & RECORD_MORE)
        end = record_put_more(end, record);
    __atomic_store_n(out, (unsigned char)tag, __ATOMIC_RELEASE);
    return (size_t)(end - out);
}

static inline size_t record_put_item(unsigned char *out, uint64_t item)
{
    unsigned char *end = record_put_number(out + 1, item);
    __atomic_store_n(out, RECORD_TAG_ITEM, __ATOMIC_RELEASE);
    return (size_t)(end - out);
}

static inline size_t record_put_clock(unsigned char *out, uint64_t delta, uint64_t ns)
{
    unsigned char *end = record_put_number(out + 1, delta);
    memcpy(end, &ns, 8);
    __atomic_store_n(out, RECORD_TAG_CLOCK, __ATOMIC_RELEASE);
    return (size_t)(end + 8 - out);
}

/** What is left of a page. */
struct record_bytes {
    const unsigned char *at, *end;
};

static inline bool record_get_number(uint64_t *out, struct record_bytes *bytes)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        uint64_t byte = *bytes->at++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

static inline bool record_get_word(uint64_t *out, struct record_bytes *bytes, size_t count)
{
    if ((size_t)(bytes->end - bytes->at) < count)
        return false;
    *out = 0;
    memcpy(out, bytes->at, count);
    bytes->at += count;
    return true;
}

static inline bool record_get_times(struct record *out, struct record_bytes *bytes, unsigned tag)
{
    bool span = tag & RECORD_SPAN;
    if (tag & RECORD_WIDE)
        return record_get_number(&out->delta, bytes) && (!span || record_get_number(&out->duration, bytes));
    return record_get_word(&out->delta, bytes, 3) && (!span || record_get_word(&out->duration, bytes, 3));
}

static inline bool record_get_more(struct record *out, struct record_bytes *bytes)
{
    enum { KNOWN = RECORD_FAILED | RECORD_CPU | RECORD_ALLOCATIONS };
    uint64_t more;
    if (!record_get_word(&more, bytes, 1) || more == 0 || (more & ~(uint64_t)KNOWN))
        return false;
    out->more = (unsigned)more;
    if ((more & RECORD_CPU) && !record_get_number(&out->cpu_ns, bytes))
        return false;
    return !(more & RECORD_ALLOCATIONS) ||
           (record_get_number(&out->allocations, bytes) && record_get_number(&out->allocated_bytes, bytes));
}

static inline bool record_get_full(struct record *out, struct record_bytes *bytes, unsigned tag)
{
    uint64_t stage;
    if (!record_get_word(&stage, bytes, 1))
        return false;
    out->kind = tag & RECORD_SPAN ? RECORD_IS_SPAN : RECORD_IS_LAP;
    out->stage = (uint32_t)stage;
    if (!record_get_times(out, bytes, tag))
        return false;
    if ((tag & RECORD_ITEM) && (!(tag & RECORD_SPAN) || !record_get_number(&out->item, bytes)))
        return false;
    if ((tag & RECORD_COUNTS) && !(record_get_number(&out->rows, bytes) && record_get_number(&out->bytes, bytes)))
        return false;
    return !(tag & RECORD_MORE) || record_get_more(out, bytes);
}

static inline bool record_get_short_span(struct record *out, struct record_bytes *bytes)
{
    uint64_t word;
    if (!record_get_word(&word, bytes, 6))
        return false;
    out->kind = RECORD_IS_SPAN;
    out->stage = word & 0xff;
    out->delta = word >> 8 & ((1u << RECORD_SPAN_BITS) - 1);
    out->duration = word >> (8 + RECORD_SPAN_BITS);
    return true;
}

/** Whether a record stands at bytes->at; false at the end of what was written. */
static inline bool record_stands(const struct record_bytes *bytes)
{
    return bytes->at < bytes->end && __atomic_load_n(bytes->at, __ATOMIC_ACQUIRE) != 0;
}

/** Reads the record that stands at bytes->at and moves on; false when it cannot be right. */
static inline bool record_get(struct record *out, struct record_bytes *bytes)
{
    unsigned tag = *bytes->at;
    *out = (struct record){.kind = RECORD_IS_LAP};
    if (tag & 3) {
        uint64_t word;
        if (!record_get_word(&word, bytes, (tag & 3) + 1u))
            return false;
        out->stage = tag >> 2;
        out->delta = word >> 8;
        return true;
    }
    bytes->at++;
    if (tag & RECORD_TAG_FULL)
        return record_get_full(out, bytes, tag);
    if (tag == RECORD_TAG_SPAN)
        return record_get_short_span(out, bytes);
    out->kind = tag == RECORD_TAG_ITEM ? RECORD_IS_ITEM : RECORD_IS_CLOCK;
    if (tag == RECORD_TAG_ITEM)
        return record_get_number(&out->item, bytes);
    return tag == RECORD_TAG_CLOCK && record_get_number(&out->delta, bytes) && record_get_word(&out->ns, bytes, 8);
}
