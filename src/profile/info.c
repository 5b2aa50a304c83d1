/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/info.h"

#include "base/clock.h"
#include "base/json.h"
#include "profile/profile.h"
#include "trace/memory.h"
#include "trace/pages.h"

#include <math.h>

static json_t *process_json(const struct pages_process *process, const struct pages *pages)
{
    size_t threads = 0;
    for (size_t i = 0; i < pages->stream_count; i++)
        threads += pages->streams[i].process == process;
    return json_pack("{s:I, s:o, s:I, s:I, s:s, s:o}", "pid", (json_int_t)process->pid, "start_s",
                     json_real_tidy((double)process->start_ns / (double)NS_PER_S), "threads", (json_int_t)threads,
                     "stages", (json_int_t)process->stage_count, "clock",
                     process->clock->kind == CLOCK_IS_TSC ? "tsc" : "clock_gettime", "drift_s",
                     json_real_tidy((double)process->clock->line.drift_ns / (double)NS_PER_S));
}

/* null of version 1, which does not say. */
static json_t *processes_json(const struct pages *pages)
{
    json_t *processes = pages->version > 1 ? json_array() : json_null();
    for (size_t i = 0; processes && i < pages->process_count; i++) {
        if (json_array_append_new(processes, process_json(&pages->processes[i], pages)) != 0) {
            json_decref(processes);
            return NULL;
        }
    }
    return processes;
}

static json_t *info_json(const struct pages *pages, const struct run_profile *run, size_t samples)
{
    AUTO(json_release) json_t *whole = run_profile_json(run);
    json_t *losses = json_incref(json_object_get(whole, "losses")),
           *flush = json_incref(json_object_get(whole, "flush"));
    json_t *threads = pages->version > 1 ? json_integer((json_int_t)pages->stream_count) : json_null();
    bool sized = run->pages > 0 && run->spans > 0;
    double bytes = sized ? (double)run->pages * TRACE_PAGE_BYTES / (double)run->spans : (double)NAN;
    return json_pack(
        "{s:s, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:I}", "schema", "venturi.trace-info/1",
        "version", (json_int_t)pages->version, "spans", (json_int_t)run->spans, "bytes_per_span", json_real_tidy(bytes),
        "threads", threads, "stages", (json_int_t)run->stage_count, "start_s",
        run->spans > 0 ? json_real_tidy((double)run->start_ns / (double)NS_PER_S) : json_null(), "wall_s",
        json_real_tidy(run->wall_s), "processes", processes_json(pages), "lost_spans",
        (json_int_t)(run->lost_spans < INT64_MAX ? run->lost_spans : INT64_MAX), "lost_pages",
        (json_int_t)run->lost_pages, "losses", losses, "flush", flush, "memory_samples", (json_int_t)samples);
}

enum err trace_info(json_t **out, const char *path, struct arena *arena, struct diag *diag)
{
    AUTO(pages_close) struct pages pages;
    struct memory_sample *samples;
    struct run_profile *run;
    size_t count;
    TRY(pages_open(&pages, path, arena, diag));
    TRY(profile_trace(&run, path, arena, diag));
    TRY(memory_read(&samples, &count, &pages.folder, arena, diag));
    *out = info_json(&pages, run, count);
    return *out ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
}
