/* SPDX-License-Identifier: Apache-2.0
 *
 * The profile of one run: sums over its spans, a sweep back over time and the walk along the critical path, put
 * together. Spans come from pages, however many there are, or from memory.
 */
#include "profile/critical.h"
#include "profile/profile.h"
#include "profile/unwind.h"

#include "base/clock.h"
#include "trace/count.h"
#include "trace/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PROFILE_SLOWEST == (int)TALLY_SLOWEST, "a tally keeps them");

/* What went over the spans of a run. */
struct measured {
    const char *const *names; /* of the stages */
    size_t stage_count;
    const struct tally *tallies;
    struct sweep sweep;
    bool in_flow_order; /* else some may be without spans */
    double s_per_tick;
    uint64_t first_start, last_end;
};

static int by_first_start(const void *left, const void *right)
{
    const struct tally *a = *(const struct tally *const *)left, *b = *(const struct tally *const *)right;
    int order = (a->first_start > b->first_start) - (a->first_start < b->first_start);
    return order ? order : (a > b) - (a < b);
}

/* The stages in flow order. */
static enum err order_stages(const struct tally ***out, size_t *out_count, const struct measured *measured,
                             struct arena *arena, struct diag *diag)
{
    const struct tally **flow = ARENA_ARRAY(arena, const struct tally *, measured->stage_count);
    *out_count = 0;
    if (!flow)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < measured->stage_count; i++)
        if (measured->in_flow_order || measured->tallies[i].first_start != UINT64_MAX)
            flow[(*out_count)++] = &measured->tallies[i];
    if (!measured->in_flow_order && *out_count > 0)
        qsort(flow, *out_count, sizeof *flow, by_first_start);
    *out = flow;
    return ERR_OK;
}

static void fill_slowest(struct stage_profile *stage, const struct tally *tally, const struct measured *measured)
{
    while (stage->slowest_count < PROFILE_SLOWEST && tally->slowest[stage->slowest_count].ticks > 0) {
        const struct slow_span *span = &tally->slowest[stage->slowest_count];
        stage->slowest[stage->slowest_count++] =
            (struct slow_item){.item = span->item,
                               .duration_s = (double)span->ticks * measured->s_per_tick,
                               .end_s = (double)(span->end - measured->first_start) * measured->s_per_tick};
    }
    if (stage->slowest_count > 0) {
        stage->max_s = stage->slowest[0].duration_s;
        stage->slowest_item = stage->slowest[0].item;
    }
}

static void fill_stage(struct stage_profile *stage, const struct tally *tally, const struct measured *measured)
{
    size_t number = (size_t)(tally - measured->tallies);
    const struct sweep_stage *swept = &measured->sweep.stages[number];
    uint64_t spans = histogram_count(tally->histogram);
    bool cpu_known = tally->cpu_spans == spans, counted = tally->counted == spans;
    *stage = (struct stage_profile){
        .name = measured->names[number],
        .spans = spans,
        .failed = tally->failed,
        .rows = tally->rows,
        .bytes = tally->bytes,
        .sum_s = (double)tally->ticks * measured->s_per_tick,
        .busy_s = (double)swept->busy * measured->s_per_tick,
        .critical_s = NAN,
        .running_s = cpu_known ? (double)tally->cpu_ns / (double)NS_PER_S : (double)NAN,
        .workers = swept->open_most > 0 ? swept->open_most : 1,
        .peak_bytes = swept->peak_bytes,
        .allocations = counted ? tally->allocations : TRACE_ALLOCATIONS_UNKNOWN,
        .allocated_bytes = counted ? tally->allocated_bytes : TRACE_ALLOCATIONS_UNKNOWN,
        .queue = {.mean = NAN, .wait_s = NAN},
    };
    stage->waiting_s = fmax(stage->sum_s - stage->running_s, 0);
    if (!cpu_known)
        stage->waiting_s = NAN;
    fill_slowest(stage, tally, measured);
    if (spans == 0)
        return;
    stage->p50_s = fmin(histogram_quantile(tally->histogram, spans, 0.50) * measured->s_per_tick, stage->max_s);
    stage->p99_s = fmin(histogram_quantile(tally->histogram, spans, 0.99) * measured->s_per_tick, stage->max_s);
}

/* Little (1961): the mean number waiting is what all of them waited, over the time. And what all of them waited is the
 * sum of the moments at which they entered less that at which they left, whichever is which. */
static void fill_queue(struct stage_profile *stages, size_t at, const struct tally *before, const struct tally *tally,
                       const struct measured *measured, double wall_s)
{
    struct stage_profile *stage = &stages[at];
    bool rows = stage->rows > 0 && stages[at - 1].rows == stage->rows;
    if (!rows && stages[at - 1].spans != stage->spans)
        return;
    __int128 ticks =
        rows ? tally->row_start_sum - before->row_end_sum : tally->end_sum - (__int128)tally->ticks - before->end_sum;
    double waited_s = (double)ticks * measured->s_per_tick;
    if (!(waited_s >= 0) || !(wall_s > 0))
        return;
    stage->queue = (struct stage_queue){
        .rows = rows, .mean = waited_s / wall_s, .wait_s = waited_s / (double)(rows ? stage->rows : stage->spans)};
}

static enum err fill_run(struct run_profile *run, struct measured *measured, struct arena *arena, struct diag *diag)
{
    const struct tally **flow;
    TRY(order_stages(&flow, &run->stage_count, measured, arena, diag));
    run->stages = ARENA_ARRAY(arena, struct stage_profile, run->stage_count);
    if (!run->stages)
        return arena_exhausted(arena, diag);
    measured->first_start = UINT64_MAX;
    for (size_t i = 0; i < run->stage_count; i++)
        if (flow[i]->first_start < measured->first_start)
            measured->first_start = flow[i]->first_start;
    if (measured->first_start < measured->last_end)
        run->wall_s = (double)(measured->last_end - measured->first_start) * measured->s_per_tick;
    for (size_t i = 0; i < run->stage_count; i++) {
        struct stage_profile *stage = &run->stages[i];
        fill_stage(stage, flow[i], measured);
        if (i > 0)
            fill_queue(run->stages, i, flow[i - 1], flow[i], measured, run->wall_s);
        run->spans += stage->spans;
        run->rows = stage->rows > 0 ? stage->rows : run->rows;
    }
    run->overlap_s = (double)measured->sweep.overlap * measured->s_per_tick;
    run->outside_s = run->spans > 0 ? (double)NAN : 0;
    return ERR_OK;
}

static void add_up_losses(struct run_profile *run)
{
    const struct span_losses *losses = &run->losses;
    const uint64_t counts[] = {losses->write_failed, losses->no_stage, losses->misuse, losses->no_stream,
                               losses->interrupted,  losses->clock,    run->rejected};
    run->lost_spans = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        run->lost_spans = count_add(run->lost_spans, counts[i]);
}

static enum err add_critical_path(struct run_profile *run, const struct trace *trace, struct arena *arena,
                                  struct diag *diag)
{
    struct critical_path path;
    if (trace->span_count == 0)
        return ERR_OK;
    TRY(critical_path_walk(&path, trace, arena, diag));
    for (size_t i = 0; i < run->stage_count; i++)
        for (size_t j = 0; j < trace->stage_count; j++)
            if (strcmp(run->stages[i].name, trace->stages[j]) == 0)
                run->stages[i].critical_s = (double)path.stage_ns[j] / (double)NS_PER_S;
    run->outside_s = (double)path.outside_ns / (double)NS_PER_S;
    return ERR_OK;
}

static struct page_span span_of(const struct span *span)
{
    bool cpu_known = span->cpu_ns != TRACE_CPU_UNKNOWN, counted = span->allocations != TRACE_ALLOCATIONS_UNKNOWN;
    unsigned more = (span->outcome == SPAN_FAILED ? RECORD_FAILED : 0u) | (cpu_known ? RECORD_CPU : 0u) |
                    (counted ? RECORD_ALLOCATIONS : 0u);
    return (struct page_span){.start = span->start_ns,
                              .end = span->end_ns,
                              .item = span->item,
                              .record = {.rows = span->rows,
                                         .bytes = span->bytes,
                                         .more = more,
                                         .cpu_ns = span->cpu_ns,
                                         .allocations = span->allocations,
                                         .allocated_bytes = span->allocated_bytes}};
}

static enum err tally_spans(struct measured *out, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    struct tally *tallies = ARENA_ARRAY(arena, struct tally, trace->stage_count);
    if (!tallies)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->stage_count; i++)
        TRY(tally_begin(&tallies[i], trace->span_count > 0 ? trace->spans[0].start_ns : 0, arena, diag));
    for (size_t i = 0; i < trace->span_count; i++) {
        struct page_span span = span_of(&trace->spans[i]);
        tally_add(&tallies[trace->spans[i].stage], &span);
        tally_add_more(&tallies[trace->spans[i].stage], &span.record, span.end - span.start);
        out->last_end = span.end > out->last_end ? span.end : out->last_end;
    }
    out->tallies = tallies;
    return ERR_OK;
}

static int by_end(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left, *b = *(const struct span *const *)right;
    return (a->end_ns > b->end_ns) - (a->end_ns < b->end_ns);
}

static enum err sweep_spans(struct sweep *sweep, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    const struct span **ordered = ARENA_ARRAY(arena, const struct span *, trace->span_count);
    size_t count = 0;
    if (!ordered)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->span_count; i++)
        if (trace->spans[i].start_ns < trace->spans[i].end_ns)
            ordered[count++] = &trace->spans[i];
    if (count > 0)
        qsort(ordered, count, sizeof *ordered, by_end);
    for (; count > 0; count--) {
        const struct span *span = ordered[count - 1];
        TRY(sweep_wait(sweep, span->start_ns, span->stage, diag));
        sweep_over(sweep, &(struct moment){.at = span->end_ns, .began = sweep_none(sweep), .ended = span->stage}, 1);
    }
    sweep_end(sweep);
    return ERR_OK;
}

/* The samples of memory on the clock of the spans. */
static enum err take_samples(const struct sweep_sample **out, const struct memory_sample *memory, size_t count,
                             const struct clock_line *line, struct arena *arena, struct diag *diag)
{
    struct sweep_sample *samples = ARENA_ARRAY(arena, struct sweep_sample, count);
    if (!samples)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct sweep_sample){.at = line ? clock_line_ticks(line, memory[i].at_ns) : memory[i].at_ns,
                                           .resident_bytes = memory[i].resident_bytes};
    *out = samples;
    return ERR_OK;
}

enum err profile_run(struct run_profile **out, const struct trace *trace, struct arena *arena, struct diag *diag)
{
    struct measured measured = {.names = trace->stages,
                                .stage_count = trace->stage_count,
                                .in_flow_order = true,
                                .s_per_tick = 1 / (double)NS_PER_S};
    const struct sweep_sample *samples;
    struct run_profile *run = *out = ARENA_NEW(arena, struct run_profile);
    if (!run)
        return arena_exhausted(arena, diag);
    TRY(take_samples(&samples, trace->memory, trace->memory_count, NULL, arena, diag));
    TRY(sweep_begin(&measured.sweep, trace->stage_count, samples, trace->memory_count, arena, diag));
    TRY(tally_spans(&measured, trace, arena, diag));
    TRY(sweep_spans(&measured.sweep, trace, arena, diag));
    TRY(fill_run(run, &measured, arena, diag));
    run->start_ns = run->spans > 0 ? measured.first_start : 0;
    run->losses = trace->losses;
    run->rejected = trace->rejected;
    run->flushes = trace->flush_count;
    run->flush_s = (double)trace->flush_ns / (double)NS_PER_S;
    add_up_losses(run);
    return add_critical_path(run, trace, arena, diag);
}

static enum err profile_pages(struct run_profile *run, struct pages *pages, struct arena *arena, struct diag *diag)
{
    struct measured measured = {.names = pages->stages, .stage_count = pages->stage_count};
    const struct sweep_sample *samples;
    struct memory_sample *memory;
    struct walk walk;
    struct unwound unwound;
    size_t count;
    TRY(memory_read(&memory, &count, &pages->folder, arena, diag));
    TRY(walk_begin(&walk, pages, arena, diag));
    TRY(take_samples(&samples, memory, count, walk.in_ns || count == 0 ? NULL : &pages->clocks[0].line, arena, diag));
    TRY(sweep_begin(&measured.sweep, pages->stage_count, samples, count, arena, diag));
    TRY(unwind(&unwound, pages, &walk, &measured.sweep, arena, diag));
    measured.tallies = walk.tallies;
    measured.last_end = walk.last_end;
    measured.s_per_tick = walk.ns_per_tick / (double)NS_PER_S;
    TRY(fill_run(run, &measured, arena, diag));
    const struct tally *flush = &walk.tallies[pages->stage_count + WALK_FLUSH];
    const struct tally *nameless = &walk.tallies[pages->stage_count + WALK_NAMELESS];
    if (run->spans > 0)
        run->start_ns = walk.in_ns ? measured.first_start : clock_line_ns(&pages->clocks[0].line, measured.first_start);
    run->pages = unwound.pages;
    run->lost_pages = unwound.pages_lost;
    run->losses = pages->losses;
    run->rejected = count_add(unwound.rejected, histogram_count(nameless->histogram));
    run->flushes = histogram_count(flush->histogram);
    run->flush_s = (double)flush->ticks * measured.s_per_tick;
    add_up_losses(run);
    return ERR_OK;
}

enum err profile_trace(struct run_profile **out, const char *path, struct arena *arena, struct diag *diag)
{
    AUTO(pages_close) struct pages pages;
    struct trace *trace;
    TRY(pages_open(&pages, path, arena, diag));
    struct run_profile *run = *out = ARENA_NEW(arena, struct run_profile);
    if (!run)
        return arena_exhausted(arena, diag);
    if (pages.version > 1)
        TRY(profile_pages(run, &pages, arena, diag));
    if (pages.version > 1 && run->spans > PROFILE_CRITICAL_SPANS_MAX)
        return ERR_OK;
    TRY(trace_read(&trace, path, arena, diag));
    return pages.version > 1 ? add_critical_path(run, trace, arena, diag) : profile_run(out, trace, arena, diag);
}
