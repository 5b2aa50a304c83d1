/* SPDX-License-Identifier: Apache-2.0
 *
 * When each stage was busy, how many of its spans were open at once, when two stages were busy together, and how much
 * memory was resident meanwhile: one sweep over time, backwards, because a span is known once it has ended. The spans
 * of a trace come by decreasing end; of those whose end was passed and whose start was not, the starts wait in a heap.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SWEEP_OPEN_MAX = 1 << 22 }; /* spans whose starts wait */

/** At `at` a span of stage `began` began and one of stage `ended` ended; either may be sweep_none. */
struct moment {
    uint64_t at;
    uint32_t began, ended;
};

/** Resident memory at one moment. */
struct sweep_sample {
    uint64_t at;
    uint64_t resident_bytes;
};

/** Time spent in `stage`. */
struct stage_time {
    uint64_t ticks;
    uint32_t stage;
};

struct sweep_stage {
    uint64_t open;       /* spans at the present */
    uint64_t open_most;  /* at once, for longer than no time */
    uint64_t busy;       /* at least one span open: nested and overlapping ones count once */
    uint64_t peak_bytes; /* largest sample while a span was open */
};

struct waiting_start {
    uint64_t at;
    uint32_t stage;
};

/** Times are in any one unit. */
struct sweep {
    struct sweep_stage *stages; /* and the one of sweep_none */
    size_t stage_count;
    uint64_t present; /* nothing later is to come */
    uint64_t busy_stages;
    uint64_t overlap;             /* two or more stages busy */
    uint64_t stop;                /* before the present goes there, there is more to do than usual */
    struct waiting_start *starts; /* a heap, the latest on top */
    size_t start_count, start_room;
    const struct sweep_sample *samples; /* by time */
    size_t sample_count;                /* of them: before the present */
    bool open_more;                     /* a stage has more spans open than ever, at the present */
    struct arena *arena;
};

/** `samples` are borrowed; one at t belongs to the spans with start <= t < end. */
CHECKED enum err sweep_begin(struct sweep *out, size_t stage_count, const struct sweep_sample *samples,
                             size_t sample_count, struct arena *arena, struct diag *diag);
/** The stage that stands for none in a moment. */
static inline uint32_t sweep_none(const struct sweep *sweep)
{
    return (uint32_t)sweep->stage_count;
}
/** Takes the start of a span whose end is to come with the moments. ERR_FORMAT beyond SWEEP_OPEN_MAX. */
CHECKED enum err sweep_wait(struct sweep *sweep, uint64_t start, uint32_t stage, struct diag *diag);
/** Goes back over `count` moments, the last one first. One after the present (the trace is damaged) is taken there. */
void sweep_over(struct sweep *sweep, const struct moment *moments, size_t count);
/** Goes back from `end` to `begin`, between which spans were open one after the other: by what they took in each stage.
 *  False, and nothing is done beyond going to `end`, when that does not suffice: another span began in between, or
 *  memory was sampled. */
bool sweep_over_times(struct sweep *sweep, uint64_t begin, uint64_t end, const struct stage_time *times, size_t count);
/** Goes back to the beginning of time. */
void sweep_end(struct sweep *sweep);
