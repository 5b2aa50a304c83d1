/* SPDX-License-Identifier: Apache-2.0
 *
 * What traces say of themselves: `venturi trace stats` and `venturi trace info`.
 */
#include "report/report.h"

#include "base/json.h"
#include "report/figure.h"

#include <math.h>
#include <stdbool.h>

static const char *figure_count(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? arena_printf(arena, "%lld", (long long)json_integer_value(value)) : "not measured";
}

static const char *figure_time(struct arena *arena, const json_t *object, const char *key)
{
    return figure_seconds(arena, json_number_or(object, key, NAN));
}

static const char *figure_part(struct arena *arena, double part, double whole)
{
    return whole > 0 && isfinite(part) ? arena_printf(arena, "%.1f %%", 100 * part / whole) : "not computed";
}

static void add_times(struct document *document, const json_t *run, struct arena *arena)
{
    static const char *const columns[] = {"stage", "spans", "all of them", "busy", "on the critical path",
                                          "p50",   "p99",   "slowest",     NULL};
    size_t i;
    const json_t *stage;
    double wall_s = json_number_or(run, "wall_s", NAN);
    document_table(document, columns);
    json_array_foreach(json_object_get(run, "stages"), i, stage)
    {
        const char *cells[] = {
            json_string_or(stage, "name", "?"),
            figure_count(arena, stage, "spans"),
            figure_time(arena, stage, "sum_s"),
            figure_time(arena, stage, "busy_s"),
            figure_part(arena, json_number_or(stage, "critical_s", NAN), wall_s),
            figure_time(arena, stage, "p50_s"),
            figure_time(arena, stage, "p99_s"),
            figure_time(arena, stage, "max_s"),
        };
        document_row(document, cells);
    }
}

static const char *figure_queue(struct arena *arena, const json_t *stage)
{
    const json_t *queue = json_object_get(stage, "queue");
    if (!json_is_object(queue))
        return "not known";
    return arena_printf(arena, "%.3g %s, %s each", json_number_or(queue, "mean", NAN),
                        json_string_or(queue, "unit", "?"), figure_time(arena, queue, "wait_s"));
}

static const char *figure_capacity(struct arena *arena, const json_t *stage)
{
    double capacity = json_number_or(stage, "capacity_rows_s", NAN);
    return isfinite(capacity) ? figure_rate(arena, capacity, "rows/s") : "no rows";
}

static void add_flow(struct document *document, const json_t *run, struct arena *arena)
{
    static const char *const columns[] = {"stage",   "rows/s alone", "at once",     "waits before it", "running",
                                          "waiting", "failed",       "allocations", "peak memory",     NULL};
    size_t i;
    const json_t *stage;
    document_table(document, columns);
    json_array_foreach(json_object_get(run, "stages"), i, stage)
    {
        const char *cells[] = {
            json_string_or(stage, "name", "?"),
            figure_capacity(arena, stage),
            figure_count(arena, stage, "workers"),
            figure_queue(arena, stage),
            figure_time(arena, stage, "running_s"),
            figure_time(arena, stage, "waiting_s"),
            figure_count(arena, stage, "failed"),
            figure_count(arena, stage, "allocations"),
            figure_bytes(arena, json_number_or(stage, "peak_bytes", NAN)),
        };
        document_row(document, cells);
    }
}

static void add_slowest(struct document *document, const json_t *run, struct arena *arena)
{
    enum { SHOWN = 3 };
    static const char *const columns[] = {"slowest of", "item", "took", "ended at", NULL};
    size_t i, j;
    const json_t *stage, *slow;
    document_table(document, columns);
    json_array_foreach(json_object_get(run, "stages"), i, stage)
    {
        json_array_foreach(json_object_get(stage, "slowest"), j, slow)
        {
            if (j == SHOWN)
                break;
            const char *cells[] = {
                json_string_or(stage, "name", "?"),
                figure_count(arena, slow, "item"),
                figure_time(arena, slow, "duration_s"),
                figure_time(arena, slow, "end_s"),
            };
            document_row(document, cells);
        }
    }
}

static void add_losses(struct document *document, const json_t *run, struct arena *arena)
{
    const char *key, *causes = "";
    json_t *count;
    if (json_number_or(run, "lost_spans", 0) == 0)
        return;
    json_object_foreach(json_object_get(run, "losses"), key, count)
    {
        if (causes && json_number_value(count) > 0)
            causes = arena_printf(arena, "%s%s%s %.0f", causes, *causes ? ", " : "", key, json_number_value(count));
    }
    document_callout(document, "%.0f spans were lost (%s): the figures are too low",
                     json_number_or(run, "lost_spans", 0), causes ? causes : "?");
}

static void add_run(struct document *document, const json_t *run, struct arena *arena)
{
    double wall_s = json_number_or(run, "wall_s", NAN);
    add_times(document, run, arena);
    add_flow(document, run, arena);
    add_slowest(document, run, arena);
    double outside_s = json_number_or(run, "outside_s", NAN);
    document_paragraph(document,
                       "wall %s; two or more stages were busy for %s of it; the recorder's own writing took %s",
                       figure_seconds(arena, wall_s), figure_part(arena, json_number_or(run, "overlap_s", NAN), wall_s),
                       figure_time(arena, json_object_get(run, "flush"), "sum_s"));
    if (isfinite(outside_s))
        document_paragraph(document, "%s of the run the critical path is in no span",
                           figure_part(arena, outside_s, wall_s));
    else
        document_paragraph(document, "the critical path is not computed of that many spans");
    add_losses(document, run, arena);
}

enum err report_trace_stats(struct document **out, const json_t *stats, struct arena *arena, struct diag *diag)
{
    const json_t *profile = json_object_get(stats, "profile");
    if (json_is_object(profile))
        return report_profile(out, profile, arena, diag);
    *out = document_new(arena);
    if (!*out)
        return arena_exhausted(arena, diag);
    add_run(*out, json_array_get(json_object_get(stats, "runs"), 0), arena);
    return ERR_OK;
}

static void add_processes(struct document *document, const json_t *info, struct arena *arena)
{
    static const char *const columns[] = {"process", "threads", "stages", "clock", "drift", NULL};
    const json_t *processes = json_object_get(info, "processes"), *process;
    size_t i;
    if (!json_is_array(processes))
        return;
    document_table(document, columns);
    json_array_foreach(processes, i, process)
    {
        const char *cells[] = {
            figure_count(arena, process, "pid"),    figure_count(arena, process, "threads"),
            figure_count(arena, process, "stages"), json_string_or(process, "clock", "?"),
            figure_time(arena, process, "drift_s"),
        };
        document_row(document, cells);
    }
}

enum err report_trace_info(struct document **out, const json_t *info, struct arena *arena, struct diag *diag)
{
    struct document *document = *out = document_new(arena);
    double wall_s = json_number_or(info, "wall_s", NAN), bytes = json_number_or(info, "bytes_per_span", NAN);
    const json_t *flush = json_object_get(info, "flush");
    if (!document)
        return arena_exhausted(arena, diag);
    document_paragraph(document, "version %s; %s spans of %s stages in %s threads; %s, from %s of CLOCK_MONOTONIC on",
                       figure_count(arena, info, "version"), figure_count(arena, info, "spans"),
                       figure_count(arena, info, "stages"), figure_count(arena, info, "threads"),
                       figure_seconds(arena, wall_s), figure_time(arena, info, "start_s"));
    if (isfinite(bytes))
        document_paragraph(document, "%.2f bytes a span", bytes);
    document_paragraph(document, "the recorder wrote %s times, which took its threads %s, %s of the run",
                       figure_count(arena, flush, "count"), figure_time(arena, flush, "sum_s"),
                       figure_part(arena, json_number_or(flush, "sum_s", NAN), wall_s));
    document_paragraph(document, "memory was sampled %s times", figure_count(arena, info, "memory_samples"));
    add_processes(document, info, arena);
    add_losses(document, info, arena);
    return ERR_OK;
}
