/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/journal.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "lab/conditions.h"
#include "lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run is about 1 KiB, so this is a quarter of a million runs. */
#define JOURNAL_LIMIT_BYTES ((size_t)256 * 1024 * 1024)

struct journal {
    int fd;
    char path[PATH_MAX];
};

static enum err path_of(char out[PATH_MAX], const char *folder, struct diag *diag)
{
    if (snprintf(out, PATH_MAX, "%s/journal.jsonl", folder) >= PATH_MAX)
        return diag_fail(diag, ERR_CONFIG, folder, "choose a folder with a shorter name", "the name is too long");
    return ERR_OK;
}

/* The bytes of `text` that are whole records: a crash may have cut the last line, or its blocks on the way to disk. */
static enum err parse_lines(json_t *records, size_t *out_whole_bytes, const char *text, size_t bytes, const char *path,
                            struct diag *diag)
{
    const char *end;
    *out_whole_bytes = 0;
    for (const char *line = text; (end = memchr(line, '\n', bytes - (size_t)(line - text))); line = end + 1) {
        json_t *record;
        bool last = !memchr(end + 1, '\n', bytes - (size_t)(end + 1 - text));
        enum err error = json_parse(&record, line, (size_t)(end - line), path, diag);
        if (error == ERR_FORMAT && last)
            return ERR_OK;
        TRY(error);
        if (json_array_append_new(records, record) < 0)
            return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
        *out_whole_bytes = (size_t)(end + 1 - text);
    }
    return ERR_OK;
}

/* All whole records of the file, *out is a new array; none when there is no file. */
static enum err read_records(json_t **out, size_t *out_whole_bytes, const char *path, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(json_release) json_t *records = json_array();
    char *text = "";
    size_t bytes = 0;
    arena_init(&arena, JOURNAL_LIMIT_BYTES + 1);
    if (!records)
        return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
    if (access(path, F_OK) == 0)
        TRY(file_read(&text, &bytes, path, JOURNAL_LIMIT_BYTES, &arena, diag));
    TRY(parse_lines(records, out_whole_bytes, text, bytes, path, diag));
    *out = json_incref(records);
    return ERR_OK;
}

static enum err open_file(struct journal *journal, size_t whole_bytes, struct diag *diag)
{
    journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (journal->fd < 0)
        return diag_errno(diag, ERR_IO, errno, journal->path, "cannot open the journal");
    if (ftruncate(journal->fd, (off_t)whole_bytes) < 0)
        return diag_errno(diag, ERR_IO, errno, journal->path, "cannot drop the journal's cut last line");
    return ERR_OK;
}

enum err journal_open(struct journal **out, json_t **out_past, const char *folder, bool resume, struct diag *diag)
{
    AUTO(json_release) json_t *past = NULL;
    size_t whole_bytes;
    AUTO(journal_close) struct journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return diag_fail(diag, ERR_MEMORY, folder, NULL, "out of memory for the journal");
    journal->fd = -1;
    TRY(path_of(journal->path, folder, diag));
    TRY(read_records(&past, &whole_bytes, journal->path, diag));
    if (json_array_size(past) > 0 && !resume)
        return diag_fail(diag, ERR_CONFIG, journal->path, "continue it with 'venturi resume', or choose another folder",
                         "holds the journal of an earlier investigation");
    TRY(open_file(journal, whole_bytes, diag));
    *out_past = json_incref(past);
    *out = journal;
    journal = NULL;
    return ERR_OK;
}

void journal_close(struct journal **journal)
{
    if (!*journal)
        return;
    fd_close(&(*journal)->fd);
    free(*journal);
    *journal = NULL;
}

static void free_text(char **text)
{
    free(*text);
}

enum err journal_append(struct journal *journal, const json_t *record, struct diag *diag)
{
    AUTO(free_text) char *line = json_line(record);
    size_t bytes = line ? strlen(line) : 0;
    if (!line)
        return diag_fail(diag, ERR_MEMORY, journal->path, NULL, "out of memory for a record");
    line[bytes] = '\n'; /* takes the place of the NUL */
    TRY(fd_write_all(journal->fd, line, bytes + 1, journal->path, diag));
    if (fsync(journal->fd) < 0)
        return diag_errno(diag, ERR_IO, errno, journal->path, "cannot sync the journal");
    return ERR_OK;
}

/* Sorts one record into the summary; what this version does not know is left out. */
static int file_record(json_t *summary, json_t *record)
{
    const char *kind = json_string_or(record, "record", ""), *id = json_string_or(record, "id", "");
    if (strcmp(kind, "lab") == 0)
        return json_object_get(summary, "lab") ? 0 : json_object_set(summary, "lab", record);
    if (strcmp(kind, "run") == 0)
        return json_object_set(json_object_get(summary, "runs"), id, record);
    if (strcmp(kind, "verdict") != 0)
        return 0;
    (void)json_object_del(record, "record"); /* what is left is the experiment as agents get it */
    return json_object_set(json_object_get(summary, "experiments"), id, record);
}

enum err journal_read(json_t **out, const char *lab_folder, struct diag *diag)
{
    char path[PATH_MAX];
    size_t whole_bytes, i;
    AUTO(json_release) json_t *records = NULL;
    json_t *record = NULL;
    TRY(path_of(path, lab_folder, diag));
    if (access(path, F_OK) < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot open the journal");
    TRY(read_records(&records, &whole_bytes, path, diag));
    AUTO(json_release) json_t *summary = json_pack("{s:{}, s:{}}", "runs", "experiments");
    json_array_foreach(records, i, record)
    {
        if (!summary || file_record(summary, record) < 0)
            return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
    }
    bool ended = strcmp(json_string_or(record, "record", ""), "end") == 0;
    if (!summary || json_object_set_new(summary, "ended", json_boolean(ended)) < 0 ||
        json_object_set_new(summary, "conditions", conditions_json(records)) < 0)
        return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
    *out = json_incref(summary);
    return ERR_OK;
}
