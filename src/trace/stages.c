/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stages.h"

#include "base/file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

uint64_t count_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void span_losses_add(struct span_losses *sum, const struct span_losses *more)
{
    sum->write_failed = count_add(sum->write_failed, more->write_failed);
    sum->no_stage = count_add(sum->no_stage, more->no_stage);
    sum->misuse = count_add(sum->misuse, more->misuse);
    sum->no_stream = count_add(sum->no_stream, more->no_stream);
    sum->interrupted = count_add(sum->interrupted, more->interrupted);
}

/* The place of `name` in the table, added if new. */
static enum err intern(uint32_t *out, struct stage_table *table, const char *name, struct arena *arena,
                       struct diag *diag)
{
    size_t place = 0;
    while (place < table->count && strcmp(table->names[place], name) != 0)
        place++;
    if (place == table->count) {
        if (place == TRACE_STAGES_MAX)
            return diag_fail(diag, ERR_FORMAT, name, NULL, "more than %d different stages", TRACE_STAGES_MAX);
        table->names[place] = arena_strdup(arena, name);
        if (!table->names[place])
            return arena_exhausted(arena, diag);
        table->count++;
    }
    *out = (uint32_t)place;
    return ERR_OK;
}

/* Without its magic the process was killed before it could give a stage or a stream away. */
static bool never_began(const struct process_file *file)
{
    static const char unborn[sizeof file->magic];
    return memcmp(file->magic, unborn, sizeof unborn) == 0;
}

static enum err check_head(const struct process_file *file, const char *name, struct diag *diag)
{
    if (memcmp(file->magic, TRACE_PROCESS_MAGIC, sizeof file->magic) != 0 || file->stages > TRACE_STAGES_MAX)
        return diag_fail(diag, ERR_FORMAT, name, NULL, "is not a process file of a trace");
    if (file->version != TRACE_VERSION)
        return diag_fail(diag, ERR_FORMAT, name, "use the venturi that recorded it, or a newer one",
                         "has version %u, this venturi reads %d", file->version, TRACE_VERSION);
    return ERR_OK;
}

static enum err read_process(struct process_stages *out, struct stage_table *table, struct span_losses *losses,
                             const struct folder *folder, struct arena *arena, struct diag *diag)
{
    AUTO(fd_close) int fd = -1;
    uint64_t bytes;
    struct process_file *file = ARENA_NEW(arena, struct process_file);
    out->indices = ARENA_ARRAY(arena, uint32_t, TRACE_STAGES_MAX);
    if (!file || !out->indices)
        return arena_exhausted(arena, diag);
    TRY(folder_open(&fd, &bytes, folder, out->file, diag));
    if (fd < 0)
        return ERR_OK;
    TRY(folder_read(file, sizeof *file, 0, fd, out->file, diag));
    if (never_began(file))
        return ERR_OK;
    TRY(check_head(file, out->file, diag));
    out->count = (size_t)file->stages;
    span_losses_add(losses, &file->losses);
    for (size_t i = 0; i < out->count; i++) {
        file->names[i][TRACE_STAGE_NAME_BYTES] = '\0';
        out->indices[i] = STAGE_UNKNOWN;
        if (stage_name_bytes(file->names[i]) > 0)
            TRY(intern(&out->indices[i], table, file->names[i], arena, diag));
    }
    return ERR_OK;
}

enum err stage_table_read(struct stage_table *out, struct span_losses *losses, const struct folder *folder,
                          struct arena *arena, struct diag *diag)
{
    const char **files;
    TRY(folder_list(&files, &out->process_count, folder, TRACE_PROCESS_SUFFIX, arena, diag));
    out->processes = ARENA_ARRAY(arena, struct process_stages, out->process_count);
    if (!out->processes)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < out->process_count; i++) {
        out->processes[i].file = files[i];
        TRY(read_process(&out->processes[i], out, losses, folder, arena, diag));
    }
    return ERR_OK;
}

struct prefix {
    const char *text;
    size_t bytes;
};

static int compare_prefix(const void *key, const void *element)
{
    const struct prefix *prefix = key;
    const char *file = ((const struct process_stages *)element)->file;
    int order = strncmp(prefix->text, file, prefix->bytes);
    return order ? order : strcmp(TRACE_PROCESS_SUFFIX, file + prefix->bytes);
}

const struct process_stages *stage_table_process(const struct stage_table *table, const char *stream)
{
    const char *number = strrchr(stream, '-');
    if (!number || table->process_count == 0)
        return NULL;
    struct prefix prefix = {.text = stream, .bytes = (size_t)(number - stream)};
    return bsearch(&prefix, table->processes, table->process_count, sizeof *table->processes, compare_prefix);
}
