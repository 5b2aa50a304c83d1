/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader.h"

#include "base/file.h"
#include "trace/folder.h"
#include "trace/stages.h"
#include "trace/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_SAMPLES_MAX = 4 * 1024 * 1024 };

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_opening(const void *left, const void *right)
{
    const struct stream *a = left, *b = right;
    int order = compare(a->head.start_ns, b->head.start_ns);
    return order ? order : strcmp(a->file, b->file);
}

static int by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    int order = compare(a->start_ns, b->start_ns);
    if (order == 0)
        order = compare(a->end_ns, b->end_ns);
    if (order == 0)
        order = compare(a->worker, b->worker);
    return order ? order : compare(a->item, b->item);
}

static int by_time(const void *left, const void *right)
{
    const struct memory_sample *a = left, *b = right;
    return compare(a->at_ns, b->at_ns);
}

static enum err open_streams(struct stream **out, size_t *out_count, struct trace *trace, const struct folder *folder,
                             struct arena *arena, struct diag *diag)
{
    const char **files;
    TRY(folder_list(&files, out_count, folder, TRACE_STREAM_SUFFIX, arena, diag));
    struct stream *streams = ARENA_ARRAY(arena, struct stream, *out_count);
    if (!streams)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < *out_count; i++) {
        streams[i].file = files[i];
        TRY(stream_open(&streams[i], &trace->rejected, folder, diag));
        span_losses_add(&trace->losses, &streams[i].head.losses);
    }
    if (*out_count > 0)
        qsort(streams, *out_count, sizeof *streams, by_opening);
    *out = streams;
    return ERR_OK;
}

static enum err read_spans(struct trace *trace, const struct stage_table *stages, const struct folder *folder,
                           struct arena *arena, struct diag *diag)
{
    struct stream *streams;
    uint64_t capacity = 0;
    TRY(open_streams(&streams, &trace->worker_count, trace, folder, arena, diag));
    for (size_t i = 0; i < trace->worker_count; i++)
        capacity = count_add(capacity, stream_capacity(&streams[i]));
    trace->spans = ARENA_ARRAY(arena, struct span, capacity);
    if (!trace->spans)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->worker_count; i++)
        TRY(stream_read(trace, &streams[i], stages, (uint32_t)i, folder, diag));
    if (trace->span_count > 0)
        qsort(trace->spans, trace->span_count, sizeof *trace->spans, by_start);
    return ERR_OK;
}

/* Stages get their final numbers: by first start, and only those that have spans. */
static enum err order_stages(struct trace *trace, const struct stage_table *stages, struct arena *arena,
                             struct diag *diag)
{
    uint32_t places[TRACE_STAGES_MAX];
    memset(places, 0xff, sizeof places);
    trace->stages = ARENA_ARRAY(arena, const char *, stages->count);
    if (!trace->stages)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->span_count; i++) {
        uint32_t stage = trace->spans[i].stage;
        if (places[stage] == STAGE_UNKNOWN) {
            trace->stages[trace->stage_count] = stages->names[stage];
            places[stage] = (uint32_t)trace->stage_count++;
        }
        trace->spans[i].stage = places[stage];
    }
    return ERR_OK;
}

static enum err read_memory(struct trace *trace, const struct folder *folder, struct arena *arena, struct diag *diag)
{
    AUTO(fd_close) int fd = -1;
    uint64_t bytes;
    TRY(folder_open(&fd, &bytes, folder, TRACE_MEMORY_FILE, diag));
    uint64_t count = bytes / sizeof *trace->memory; /* a sample that was cut off is ignored */
    if (count == 0)
        return ERR_OK;
    if (count > MEMORY_SAMPLES_MAX)
        return diag_fail(diag, ERR_FORMAT, TRACE_MEMORY_FILE, NULL, "holds more than %d samples", MEMORY_SAMPLES_MAX);
    trace->memory = ARENA_ARRAY(arena, struct memory_sample, count);
    if (!trace->memory)
        return arena_exhausted(arena, diag);
    TRY(folder_read(trace->memory, count * sizeof *trace->memory, 0, fd, TRACE_MEMORY_FILE, diag));
    trace->memory_count = count;
    qsort(trace->memory, count, sizeof *trace->memory, by_time);
    return ERR_OK;
}

static enum err read_folder(struct trace *trace, const struct folder *folder, struct arena *arena, struct diag *diag)
{
    struct stage_table stages = {.count = 0};
    TRY(stage_table_read(&stages, &trace->losses, folder, arena, diag));
    TRY(read_spans(trace, &stages, folder, arena, diag));
    TRY(order_stages(trace, &stages, arena, diag));
    return read_memory(trace, folder, arena, diag);
}

enum err trace_read(struct trace **out, const char *folder, struct arena *arena, struct diag *diag)
{
    AUTO(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(diag, ERR_IO, errno, folder, "cannot open the trace");
    struct trace *trace = ARENA_NEW(arena, struct trace);
    if (!trace)
        return arena_exhausted(arena, diag);
    TRY(read_folder(trace, &(struct folder){.path = folder, .fd = fd}, arena, diag));
    *out = trace;
    return ERR_OK;
}
