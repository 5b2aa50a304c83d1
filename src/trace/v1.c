/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/v1.h"

#include "trace/count.h"
#include "trace/v1_stages.h"
#include "trace/v1_stream.h"

#include <stdlib.h>
#include <string.h>

enum err v1_is_there(bool *out, const struct folder *folder, struct arena *arena, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    const char **names;
    size_t count;
    char magic[sizeof V1_STREAM_MAGIC - 1];
    TRY(folder_list(&names, &count, folder, V1_PROCESS_SUFFIX, arena, diag));
    *out = count > 0;
    if (*out)
        return ERR_OK;
    TRY(folder_list(&names, &count, folder, V1_STREAM_SUFFIX, arena, diag)); /* nothing but streams is damage */
    if (count == 0)
        return ERR_OK;
    TRY(folder_file_open(&file, folder, names[0], diag));
    TRY(folder_file_read(magic, sizeof magic, 0, &file, diag));
    *out = memcmp(magic, V1_STREAM_MAGIC, sizeof magic) == 0;
    return ERR_OK;
}

static int by_opening(const void *left, const void *right)
{
    const struct v1_stream *a = left, *b = right;
    int order = (a->head.start_ns > b->head.start_ns) - (a->head.start_ns < b->head.start_ns);
    return order ? order : strcmp(a->file, b->file);
}

static enum err open_streams(struct v1_stream **out, struct trace *trace, const struct folder *folder,
                             struct arena *arena, struct diag *diag)
{
    const char **files;
    TRY(folder_list(&files, &trace->worker_count, folder, V1_STREAM_SUFFIX, arena, diag));
    struct v1_stream *streams = ARENA_ARRAY(arena, struct v1_stream, trace->worker_count);
    if (!streams)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->worker_count; i++) {
        streams[i].file = files[i];
        TRY(v1_stream_open(&streams[i], &trace->rejected, folder, diag));
        v1_losses_add(&trace->losses, &streams[i].head.losses);
    }
    if (trace->worker_count > 0)
        qsort(streams, trace->worker_count, sizeof *streams, by_opening);
    *out = streams;
    return ERR_OK;
}

enum err v1_read(struct trace *trace, struct names *names, const struct folder *folder, struct arena *arena,
                 struct diag *diag)
{
    struct v1_processes processes = {.count = 0};
    struct v1_stream *streams;
    uint64_t capacity = 0;
    TRY(v1_processes_read(&processes, names, &trace->losses, folder, arena, diag));
    TRY(open_streams(&streams, trace, folder, arena, diag));
    for (size_t i = 0; i < trace->worker_count; i++)
        capacity = count_add(capacity, v1_stream_capacity(&streams[i]));
    trace->spans = ARENA_ARRAY(arena, struct span, capacity);
    if (!trace->spans)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->worker_count; i++) {
        const struct v1_stages *stages = v1_process_of(&processes, streams[i].file);
        TRY(v1_stream_read(trace, &streams[i], stages, (uint32_t)i, folder, diag));
    }
    return ERR_OK;
}
