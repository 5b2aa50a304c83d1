/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/clock_line.h"

enum {
    STEEPEST = 4096, /* ns a tick, or ticks a ns: no counter is slower than 250 kHz or faster than 4 THz */
    SHIFT_LEAST = 51 /* at which the factor of the steepest line has its highest bit set */
};

static void make_rate_one(struct clock_line *line)
{
    line->factor = (uint64_t)1 << 63;
    line->shift = 63;
}

void clock_line_begin(struct clock_line *line, struct clock_pair pair)
{
    *line = (struct clock_line){.first = pair, .last = pair};
    make_rate_one(line);
}

void clock_line_identity(struct clock_line *line)
{
    clock_line_begin(line, (struct clock_pair){.ticks = 0, .ns = 0});
    line->known = true;
}

void clock_line_widen(struct clock_line *line, struct clock_pair pair)
{
    if (pair.ticks < line->first.ticks)
        line->first = pair;
    if (pair.ticks > line->last.ticks)
        line->last = pair;
}

void clock_line_fit(struct clock_line *line)
{
    uint64_t ticks = line->last.ticks - line->first.ticks, ns = line->last.ns - line->first.ns;
    bool forward = line->last.ticks > line->first.ticks && line->last.ns > line->first.ns;
    line->known = forward && ns / STEEPEST <= ticks && ticks / STEEPEST <= ns;
    make_rate_one(line);
    if (!line->known)
        return;
    /* Rounded up, so that a whole number of ns comes out whole. It stays below 2^64: it was below 2^63 before. */
    unsigned __int128 factor = 0;
    for (line->shift = SHIFT_LEAST - 1; factor >> 63 == 0;)
        factor = (((unsigned __int128)ns << ++line->shift) + ticks - 1) / ticks;
    line->factor = (uint64_t)factor;
}

void clock_line_note(struct clock_line *line, struct clock_pair pair)
{
    uint64_t ns = clock_line_ns(line, pair.ticks);
    uint64_t drift = ns > pair.ns ? ns - pair.ns : pair.ns - ns;
    line->drift_ns = drift > line->drift_ns ? drift : line->drift_ns;
}

uint64_t clock_line_ticks(const struct clock_line *line, uint64_t ns)
{
    uint64_t ticks = 0;
    for (uint64_t step = (uint64_t)1 << 63; step > 0; step >>= 1)
        if (clock_line_ns(line, ticks | step) <= ns)
            ticks |= step;
    return ticks;
}
