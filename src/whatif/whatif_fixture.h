/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces and profiles made by hand for the tests of this room.
 */
#pragma once

#include "profile/profile.h"
#include "stats/stats_fixture.h"
#include "trace/reader.h"

#include <math.h>
#include <string.h>

enum { FIXTURE_STAGES_MAX = 8, FIXTURE_SPANS_MAX = 4096 };

static const char *fixture_names[FIXTURE_STAGES_MAX] = {"download", "extract", "parse", "ingest", "a", "b", "c", "d"};

static inline struct trace *fixture_trace(struct arena *arena, size_t stage_count)
{
    struct trace *trace = ARENA_NEW(arena, struct trace);
    *trace = (struct trace){.stages = fixture_names,
                            .stage_count = stage_count,
                            .spans = ARENA_ARRAY(arena, struct span, FIXTURE_SPANS_MAX)};
    return trace;
}

static inline struct profile *fixture_profile(struct arena *arena, size_t stage_count)
{
    struct profile *profile = ARENA_NEW(arena, struct profile);
    *profile =
        (struct profile){.stages = ARENA_ARRAY(arena, struct stage_summary, stage_count), .stage_count = stage_count};
    for (size_t i = 0; i < stage_count; i++)
        profile->stages[i].name = fixture_names[i];
    return profile;
}

static inline uint64_t fixture_ns(double seconds)
{
    return 1000000000000 + (uint64_t)llround(seconds * 1e9);
}

/** Keeps the spans in the reader's order. A `cpu_s` below 0 was not measured. */
static inline void fixture_span(struct trace *trace, size_t stage, uint64_t item, uint32_t worker, double start_s,
                                double end_s, double cpu_s)
{
    struct span span = {.start_ns = fixture_ns(start_s),
                        .end_ns = fixture_ns(end_s),
                        .cpu_ns = cpu_s < 0 ? TRACE_CPU_UNKNOWN : (uint64_t)llround(cpu_s * 1e9),
                        .item = item,
                        .stage = (uint32_t)stage,
                        .worker = worker};
    size_t at = trace->span_count++;
    assert_true(at < FIXTURE_SPANS_MAX);
    for (; at > 0 && (trace->spans[at - 1].start_ns > span.start_ns ||
                      (trace->spans[at - 1].start_ns == span.start_ns && trace->spans[at - 1].end_ns > span.end_ns));
         at--)
        trace->spans[at] = trace->spans[at - 1];
    trace->spans[at] = span;
    if (worker >= trace->worker_count)
        trace->worker_count = worker + 1;
}
