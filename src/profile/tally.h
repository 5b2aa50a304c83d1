/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the spans of a stage, in any order. Times are ticks of one clock.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "profile/histogram.h"
#include "trace/page.h"

#include <stddef.h>
#include <stdint.h>

enum { TALLY_SLOWEST = 5 };

struct slow_span {
    uint64_t ticks, end, item;
};

struct tally {
    uint64_t ticks;       /* durations added up; how many there are says the histogram */
    uint64_t first_start; /* UINT64_MAX when there are no spans */
    uint64_t failed, rows, bytes;
    uint64_t cpu_spans, cpu_ns;                     /* those whose CPU time was measured */
    uint64_t counted, allocations, allocated_bytes; /* likewise */
    uint64_t origin;                                /* from which these count: */
    __int128 end_sum;                               /* ends added up */
    __int128 row_start_sum, row_end_sum;            /* starts and ends, times rows */
    uint64_t slow_ticks;                            /* a span above this is one of the slowest: */
    struct slow_span slowest[TALLY_SLOWEST];        /* the slowest first; those without a length are none */
    struct histogram *histogram;
};

CHECKED enum err tally_begin(struct tally *out, uint64_t origin, struct arena *arena, struct diag *diag);
/** Puts a span above slow_ticks among the slowest. */
void tally_add_slow(struct tally *tally, struct slow_span span);
/** Adds what a record says beyond times and counts. `longest_ns` is how long the span was: its CPU time is no longer.
 */
void tally_add_more(struct tally *tally, const struct record *record, uint64_t longest_ns);

/** Adds times and counts of a span. */
static inline void tally_add(struct tally *tally, const struct page_span *span)
{
    uint64_t ticks = span->end - span->start, rows = span->record.rows;
    int64_t end = (int64_t)(span->end - tally->origin);
    tally->ticks += ticks;
    tally->end_sum += end;
    if (span->start < tally->first_start)
        tally->first_start = span->start;
    tally->rows += rows;
    tally->bytes += span->record.bytes;
    tally->row_end_sum += (__int128)rows * end;
    tally->row_start_sum += (__int128)rows * (end - (int64_t)ticks);
    tally->histogram->counts[histogram_bucket(ticks)]++;
    if (ticks > tally->slow_ticks)
        tally_add_slow(tally, (struct slow_span){.ticks = ticks, .end = span->end, .item = span->item});
}
