/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/tally.h"

enum err tally_begin(struct tally *out, uint64_t origin, struct arena *arena, struct diag *diag)
{
    *out = (struct tally){.first_start = UINT64_MAX, .origin = origin, .histogram = ARENA_NEW(arena, struct histogram)};
    return out->histogram ? ERR_OK : arena_exhausted(arena, diag);
}

void tally_add_slow(struct tally *tally, struct slow_span span)
{
    size_t place = TALLY_SLOWEST - 1;
    for (; place > 0 && tally->slowest[place - 1].ticks < span.ticks; place--)
        tally->slowest[place] = tally->slowest[place - 1];
    tally->slowest[place] = span;
    tally->slow_ticks = tally->slowest[TALLY_SLOWEST - 1].ticks;
}

void tally_add_more(struct tally *tally, const struct record *record, uint64_t longest_ns)
{
    tally->failed += (record->more & RECORD_FAILED) != 0;
    if (record->more & RECORD_CPU) {
        tally->cpu_spans++;
        tally->cpu_ns += record->cpu_ns < longest_ns ? record->cpu_ns : longest_ns; /* read a little apart */
    }
    if (record->more & RECORD_ALLOCATIONS) {
        tally->counted++;
        tally->allocations += record->allocations;
        tally->allocated_bytes += record->allocated_bytes;
    }
}
