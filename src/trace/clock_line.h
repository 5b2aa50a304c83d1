/* SPDX-License-Identifier: Apache-2.0
 *
 * Ticks of a clock to nanoseconds of CLOCK_MONOTONIC: one straight line for all processes of a boot, through the first
 * and the last of the moments at which a recorder read both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** One moment on both clocks. */
struct clock_pair {
    uint64_t ticks, ns;
};

struct clock_line {
    struct clock_pair first, last;
    /* 1 tick is `factor` / 2^shift ns; factor has its highest bit set, so that nothing is lost over years */
    uint64_t factor;
    unsigned shift;
    bool known;        /* fitted, to a rate that can be; else a tick counts as 1 ns */
    uint64_t drift_ns; /* largest distance of a pair that was noted from the line */
};

/** The line of a clock whose ticks are nanoseconds of CLOCK_MONOTONIC. */
void clock_line_identity(struct clock_line *line);
/** A line of which one moment is known; a tick counts as 1 ns. */
void clock_line_begin(struct clock_line *line, struct clock_pair pair);
/** Takes the pair for the first or the last if it is. */
void clock_line_widen(struct clock_line *line, struct clock_pair pair);
/** The line through the first and the last. */
void clock_line_fit(struct clock_line *line);
/** Takes notice of another pair of a line that was fitted: only the drift may change. */
void clock_line_note(struct clock_line *line, struct clock_pair pair);

/** `ticks` as CLOCK_MONOTONIC ns, off by less than 1 ns from the line; what is beyond 64 bits becomes 0 or their end.
 */
static inline uint64_t clock_line_ns(const struct clock_line *line, uint64_t ticks)
{
    bool after = ticks >= line->first.ticks;
    uint64_t distance = after ? ticks - line->first.ticks : line->first.ticks - ticks;
    unsigned __int128 ns = (unsigned __int128)distance * line->factor >> line->shift;
    if (after)
        return ns > UINT64_MAX - line->first.ns ? UINT64_MAX : line->first.ns + (uint64_t)ns;
    return ns > line->first.ns ? 0 : line->first.ns - (uint64_t)ns;
}

/** The last tick that is not after `ns` on the line; 0 when there is none. */
uint64_t clock_line_ticks(const struct clock_line *line, uint64_t ns);
