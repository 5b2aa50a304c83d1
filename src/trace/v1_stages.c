/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/v1_stages.h"

#include "trace/count.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void v1_losses_add(struct span_losses *sum, const struct v1_losses *more)
{
    const struct span_losses same = {.write_failed = more->write_failed,
                                     .no_stage = more->no_stage,
                                     .misuse = more->misuse,
                                     .no_stream = more->no_stream,
                                     .interrupted = more->interrupted};
    span_losses_add(sum, &same);
}

/* Without its magic the process was killed before it could give a stage or a stream away. */
static bool never_began(const struct v1_process *file)
{
    static const char unborn[sizeof file->magic];
    return memcmp(file->magic, unborn, sizeof unborn) == 0;
}

static enum err check_head(const struct v1_process *file, const char *name, struct diag *diag)
{
    if (memcmp(file->magic, V1_PROCESS_MAGIC, sizeof file->magic) != 0 || file->stages > V1_STAGES_MAX)
        return diag_fail(diag, ERR_FORMAT, name, NULL, "is not a process file of a trace");
    if (file->version != V1_VERSION)
        return diag_fail(diag, ERR_FORMAT, name, "use the venturi that recorded it, or a newer one",
                         "has version %u, this venturi reads %d", file->version, V1_VERSION);
    return ERR_OK;
}

static enum err read_process(struct v1_stages *out, struct names *names, struct span_losses *losses,
                             const struct folder *folder, struct arena *arena, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file from = {.fd = -1};
    struct v1_process *file = ARENA_NEW(arena, struct v1_process);
    out->names = ARENA_ARRAY(arena, uint16_t, V1_STAGES_MAX);
    if (!file || !out->names)
        return arena_exhausted(arena, diag);
    TRY(folder_file_open(&from, folder, out->file, diag));
    TRY(folder_file_read(file, sizeof *file, 0, &from, diag));
    if (never_began(file))
        return ERR_OK;
    TRY(check_head(file, out->file, diag));
    out->count = (size_t)file->stages;
    v1_losses_add(losses, &file->losses);
    for (size_t i = 0; i < out->count; i++) {
        file->names[i][V1_STAGE_NAME_BYTES] = '\0';
        out->names[i] = V1_STAGE_NONE;
        if (stage_name_bytes(file->names[i]) > 0)
            TRY(names_intern(&out->names[i], names, file->names[i], arena, diag));
    }
    return ERR_OK;
}

enum err v1_processes_read(struct v1_processes *out, struct names *names, struct span_losses *losses,
                           const struct folder *folder, struct arena *arena, struct diag *diag)
{
    const char **files;
    TRY(folder_list(&files, &out->count, folder, V1_PROCESS_SUFFIX, arena, diag));
    out->at = ARENA_ARRAY(arena, struct v1_stages, out->count);
    if (!out->at)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < out->count; i++) {
        out->at[i].file = files[i];
        TRY(read_process(&out->at[i], names, losses, folder, arena, diag));
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
    const char *file = ((const struct v1_stages *)element)->file;
    int order = strncmp(prefix->text, file, prefix->bytes);
    return order ? order : strcmp(V1_PROCESS_SUFFIX, file + prefix->bytes);
}

const struct v1_stages *v1_process_of(const struct v1_processes *processes, const char *stream)
{
    const char *number = strrchr(stream, '-');
    if (!number || processes->count == 0)
        return NULL;
    struct prefix prefix = {.text = stream, .bytes = (size_t)(number - stream)};
    return bsearch(&prefix, processes->at, processes->count, sizeof *processes->at, compare_prefix);
}
