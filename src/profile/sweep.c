/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/sweep.h"

#include <stdlib.h>

struct closing {
    uint64_t at_ns;
    uint32_t stage;
};

struct open_stage {
    uint64_t spans;
    uint64_t since_ns; /* busy since then, while spans > 0 */
};

struct sweep {
    const struct trace *trace;
    struct activity *activity;
    struct open_stage *open;
    struct closing *closings; /* by time */
    size_t closing_count;
    size_t busy_stages;
    uint64_t overlap_since_ns;
    size_t next_sample;
};

static int by_time(const void *left, const void *right)
{
    const struct closing *a = left, *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static void open_span(struct sweep *sweep, const struct span *span)
{
    struct open_stage *stage = &sweep->open[span->stage];
    struct stage_activity *activity = &sweep->activity->stages[span->stage];
    if (stage->spans++ == 0) {
        stage->since_ns = span->start_ns;
        if (++sweep->busy_stages == 2)
            sweep->overlap_since_ns = span->start_ns;
    }
    if (stage->spans > activity->open_most)
        activity->open_most = stage->spans;
}

static void close_span(struct sweep *sweep, const struct closing *closing)
{
    struct open_stage *stage = &sweep->open[closing->stage];
    if (--stage->spans > 0)
        return;
    sweep->activity->stages[closing->stage].busy_ns += closing->at_ns - stage->since_ns;
    if (sweep->busy_stages-- == 2)
        sweep->activity->overlap_ns += closing->at_ns - sweep->overlap_since_ns;
}

/* The samples taken before `until_ns` fell into what is open now. */
static void take_samples(struct sweep *sweep, uint64_t until_ns)
{
    const struct trace *trace = sweep->trace;
    for (; sweep->next_sample < trace->memory_count && trace->memory[sweep->next_sample].at_ns < until_ns;
         sweep->next_sample++) {
        uint64_t bytes = trace->memory[sweep->next_sample].resident_bytes;
        for (size_t i = 0; i < trace->stage_count; i++)
            if (sweep->open[i].spans > 0 && bytes > sweep->activity->stages[i].peak_bytes)
                sweep->activity->stages[i].peak_bytes = bytes;
    }
}

/* Ends before starts at the same moment: laps follow each other, they do not overlap. A span without length is never
 * open. */
static void run(struct sweep *sweep)
{
    const struct trace *trace = sweep->trace;
    size_t start = 0;
    for (size_t end = 0; end < sweep->closing_count; end++) {
        const struct closing *closing = &sweep->closings[end];
        for (; start < trace->span_count && trace->spans[start].start_ns < closing->at_ns; start++) {
            const struct span *span = &trace->spans[start];
            if (span->start_ns == span->end_ns)
                continue;
            take_samples(sweep, span->start_ns);
            open_span(sweep, span);
        }
        take_samples(sweep, closing->at_ns);
        close_span(sweep, closing);
    }
}

enum err activity_sweep(struct activity *out, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    struct sweep sweep = {.trace = trace, .activity = out};
    *out = (struct activity){.stages = ARENA_ARRAY(arena, struct stage_activity, trace->stage_count)};
    sweep.open = ARENA_ARRAY(arena, struct open_stage, trace->stage_count);
    sweep.closings = ARENA_ARRAY(arena, struct closing, trace->span_count);
    if (!out->stages || !sweep.open || !sweep.closings)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->span_count; i++)
        if (trace->spans[i].start_ns < trace->spans[i].end_ns)
            sweep.closings[sweep.closing_count++] =
                (struct closing){.at_ns = trace->spans[i].end_ns, .stage = trace->spans[i].stage};
    if (sweep.closing_count > 0)
        qsort(sweep.closings, sweep.closing_count, sizeof *sweep.closings, by_time);
    run(&sweep);
    return ERR_OK;
}
