/* SPDX-License-Identifier: Apache-2.0
 *
 * The profile of one run: sums over its spans, a sweep over time and the walk along the critical path, put together.
 */
#include "profile/critical.h"
#include "profile/profile.h"
#include "profile/sweep.h"

#include "base/clock.h"
#include "stats/summary.h"

#include <math.h>

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static uint64_t lost_spans(const struct trace *trace)
{
    const struct span_losses *losses = &trace->losses;
    const uint64_t counts[] = {losses->write_failed, losses->no_stage, losses->misuse, losses->no_stream,
                               losses->interrupted,  losses->clock,    trace->rejected};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        sum = counts[i] > UINT64_MAX - sum ? UINT64_MAX : sum + counts[i];
    return sum;
}

static void add_span(struct stage_profile *stage, const struct span *span)
{
    double duration_s = seconds(span->end_ns - span->start_ns);
    double running_s = span->cpu_ns == TRACE_CPU_UNKNOWN ? (double)NAN : fmin(seconds(span->cpu_ns), duration_s);
    if (stage->spans == 0 || duration_s > stage->max_s) {
        stage->max_s = duration_s;
        stage->slowest_item = span->item;
    }
    stage->spans++;
    stage->failed += span->outcome == SPAN_FAILED;
    stage->rows += span->rows;
    stage->bytes += span->bytes;
    stage->sum_s += duration_s;
    stage->running_s += running_s; /* one span without it makes it unknown */
    stage->waiting_s += duration_s - running_s;
}

static enum err add_quantiles(struct stage_profile *stage, const struct trace *trace, uint32_t number,
                              double *durations, struct arena *arena, struct diag *diag)
{
    size_t count = 0;
    for (size_t i = 0; i < trace->span_count; i++)
        if (trace->spans[i].stage == number)
            durations[count++] = seconds(trace->spans[i].end_ns - trace->spans[i].start_ns);
    TRY(quantile(&stage->p50_s, durations, count, 0.50, arena, diag));
    return quantile(&stage->p99_s, durations, count, 0.99, arena, diag);
}

static enum err fill_stages(struct run_profile *run, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    struct activity activity;
    struct critical_path path;
    double *durations = ARENA_ARRAY(arena, double, trace->span_count);
    if (!durations)
        return arena_exhausted(arena, diag);
    TRY(activity_sweep(&activity, trace, arena, diag));
    TRY(critical_path_walk(&path, trace, arena, diag));
    for (size_t i = 0; i < trace->span_count; i++)
        add_span(&run->stages[trace->spans[i].stage], &trace->spans[i]);
    for (uint32_t i = 0; i < run->stage_count; i++) {
        struct stage_profile *stage = &run->stages[i];
        stage->name = trace->stages[i];
        stage->busy_s = seconds(activity.stages[i].busy_ns);
        stage->critical_s = seconds(path.stage_ns[i]);
        stage->workers = activity.stages[i].open_most > 0 ? activity.stages[i].open_most : 1;
        stage->peak_bytes = activity.stages[i].peak_bytes;
        run->rows = stage->rows > 0 ? stage->rows : run->rows;
        TRY(add_quantiles(stage, trace, i, durations, arena, diag));
    }
    run->overlap_s = seconds(activity.overlap_ns);
    run->outside_s = seconds(path.outside_ns);
    return ERR_OK;
}

static uint64_t wall_ns(const struct trace *trace)
{
    uint64_t last_ns = 0;
    for (size_t i = 0; i < trace->span_count; i++)
        last_ns = trace->spans[i].end_ns > last_ns ? trace->spans[i].end_ns : last_ns;
    return last_ns - trace->spans[0].start_ns;
}

enum err profile_run(struct run_profile **out, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    struct run_profile *run = ARENA_NEW(arena, struct run_profile);
    struct stage_profile *stages = ARENA_ARRAY(arena, struct stage_profile, trace->stage_count);
    if (!run || !stages)
        return arena_exhausted(arena, diag);
    *run = (struct run_profile){.stages = stages, .stage_count = trace->stage_count, .lost_spans = lost_spans(trace)};
    if (trace->span_count > 0) {
        run->wall_s = seconds(wall_ns(trace));
        TRY(fill_stages(run, trace, arena, diag));
    }
    *out = run;
    return ERR_OK;
}
