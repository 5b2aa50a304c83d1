/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/journal.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
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

/* Behind each record stands a sum of it and of all before it: what was changed, lost or moved is noticed. */
#define SUM_KEY ",\"sum\":\""
enum { SUM_BYTES = 16, SUM_TAIL_BYTES = sizeof SUM_KEY - 1 + SUM_BYTES + sizeof "\"}" - 1 };

struct journal {
    int fd;
    char path[PATH_MAX];
    char sum[SHA256_TEXT_BYTES]; /* of the last record, "" before the first */
    size_t cut_bytes;
    bool broken; /* an append failed: what another one wrote would stand behind half a record */
};

/* `record` is its line as far as the sum; `sum` is that of the record before. */
static void add_to_sum(char sum[SHA256_TEXT_BYTES], const char *record, size_t bytes)
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, sum, strlen(sum));
    sha256_add(&hash, record, bytes);
    (void)sha256_text(sum, &hash);
    sum[SUM_BYTES] = '\0';
}

static bool check_sum(char sum[SHA256_TEXT_BYTES], const char *line, size_t bytes)
{
    if (bytes <= SUM_TAIL_BYTES)
        return false;
    const char *tail = line + bytes - SUM_TAIL_BYTES, *found = tail + sizeof SUM_KEY - 1;
    if (memcmp(tail, SUM_KEY, sizeof SUM_KEY - 1) != 0 || memcmp(found + SUM_BYTES, "\"}", 2) != 0)
        return false;
    add_to_sum(sum, line, (size_t)(tail - line));
    return memcmp(found, sum, SUM_BYTES) == 0;
}

static enum err path_of(char out[PATH_MAX], const char *folder, struct diag *diag)
{
    if (snprintf(out, PATH_MAX, "%s/journal.jsonl", folder) >= PATH_MAX)
        return diag_fail(diag, ERR_CONFIG, folder, "choose a folder with a shorter name", "the name is too long");
    return ERR_OK;
}

/* What a journal holds. */
struct content {
    json_t *records;
    size_t whole_bytes, cut_bytes;
    char sum[SHA256_TEXT_BYTES]; /* of the last whole record */
};

static void content_fini(struct content *content)
{
    json_decref(content->records);
}

static enum err take_line(struct content *content, const char *line, size_t bytes, const char *path, struct diag *diag)
{
    AUTO(json_release) json_t *record = NULL;
    TRY(json_parse(&record, line, bytes, path, diag));
    (void)json_object_del(record, "sum"); /* it has done its work */
    if (json_array_append(content->records, record) < 0)
        return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
    content->whole_bytes += bytes + 1;
    return ERR_OK;
}

static enum err refuse_line(const struct content *content, const char *path, struct diag *diag)
{
    return diag_fail(diag, ERR_FORMAT, path,
                     "put back a copy that is whole, or start anew in another folder; nothing was changed here",
                     "line %zu is damaged, or one before it is missing: it does not match its sum",
                     json_array_size(content->records) + 1);
}

/* A crash may have cut the last line, or a power failure some of its blocks, which come as zeros: it was never reported
 * as written. Any other line that does not match its sum was whole once. */
static enum err take_lines(struct content *content, const char *text, size_t bytes, const char *path, struct diag *diag)
{
    const char *end, *line = text, *behind = text + bytes;
    for (; (end = memchr(line, '\n', (size_t)(behind - line))); line = end + 1) {
        char sum[SHA256_TEXT_BYTES];
        memcpy(sum, content->sum, sizeof sum);
        if (!check_sum(sum, line, (size_t)(end - line))) {
            if (end + 1 == behind && memchr(line, '\0', (size_t)(end - line)))
                break;
            return refuse_line(content, path, diag);
        }
        TRY(take_line(content, line, (size_t)(end - line), path, diag));
        memcpy(content->sum, sum, sizeof sum);
    }
    content->cut_bytes = bytes - content->whole_bytes;
    return ERR_OK;
}

/* Nothing when there is no file. Call content_fini, whatever the outcome. */
static enum err read_content(struct content *out, const char *path, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    char *text = "";
    size_t bytes = 0;
    arena_init(&arena, JOURNAL_LIMIT_BYTES + 1);
    *out = (struct content){.records = json_array()};
    if (!out->records)
        return diag_fail(diag, ERR_MEMORY, path, NULL, "out of memory");
    if (access(path, F_OK) == 0)
        TRY(file_read(&text, &bytes, path, JOURNAL_LIMIT_BYTES, &arena, diag));
    return take_lines(out, text, bytes, path, diag);
}

static enum err sync_to_disk(int fd, const char *path, struct diag *diag)
{
    return fsync(fd) < 0 ? diag_errno(diag, ERR_IO, errno, path, "cannot sync the journal") : ERR_OK;
}

static enum err open_file(struct journal *journal, size_t whole_bytes, const char *folder, struct diag *diag)
{
    journal->fd = open(journal->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (journal->fd < 0)
        return diag_errno(diag, ERR_IO, errno, journal->path, "cannot open the journal");
    if (ftruncate(journal->fd, (off_t)whole_bytes) < 0)
        return diag_errno(diag, ERR_IO, errno, journal->path, "cannot drop the journal's cut last line");
    AUTO(fd_close) int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TRY(sync_to_disk(journal->fd, journal->path, diag));
    return sync_to_disk(folder_fd, folder, diag); /* or the file itself may be gone after a power failure */
}

enum err journal_open(struct journal **out, json_t **out_past, const char *folder, bool resume, struct diag *diag)
{
    AUTO(content_fini) struct content past = {0};
    AUTO(journal_close) struct journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return diag_fail(diag, ERR_MEMORY, folder, NULL, "out of memory for the journal");
    journal->fd = -1;
    TRY(path_of(journal->path, folder, diag));
    TRY(read_content(&past, journal->path, diag));
    if (json_array_size(past.records) > 0 && !resume)
        return diag_fail(diag, ERR_CONFIG, journal->path, "continue it with 'venturi resume', or choose another folder",
                         "holds the journal of an earlier investigation");
    TRY(open_file(journal, past.whole_bytes, folder, diag));
    memcpy(journal->sum, past.sum, sizeof journal->sum);
    journal->cut_bytes = past.cut_bytes;
    *out_past = json_incref(past.records);
    *out = journal;
    journal = NULL;
    return ERR_OK;
}

size_t journal_cut_bytes(const struct journal *journal)
{
    return journal->cut_bytes;
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

/* The record's line with its sum and a newline; *sum moves on. */
static enum err make_line(struct text *out, char sum[SHA256_TEXT_BYTES], const json_t *record, struct diag *diag)
{
    AUTO(free_text) char *json = json_line(record);
    if (!json)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a record");
    size_t bytes = strlen(json) - 1; /* without its last brace */
    add_to_sum(sum, json, bytes);
    text_add_bytes(out, json, bytes);
    text_addf(out, SUM_KEY "%s\"}\n", sum);
    return text_check(out, diag);
}

enum err journal_append(struct journal *journal, const json_t *record, struct diag *diag)
{
    AUTO(text_fini) struct text line;
    text_init(&line, JOURNAL_LIMIT_BYTES);
    if (journal->broken)
        return diag_fail(diag, ERR_IO, journal->path, NULL, "an earlier record could not be written");
    TRY(make_line(&line, journal->sum, record, diag));
    journal->broken = true;
    TRY(fd_write_all(journal->fd, text_string(&line), line.length_bytes, journal->path, diag));
    TRY(sync_to_disk(journal->fd, journal->path, diag));
    journal->broken = false;
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

static enum err summarize(json_t *summary, const struct content *content, struct diag *diag)
{
    size_t i;
    json_t *record = NULL;
    bool ok = summary != NULL;
    json_array_foreach(content->records, i, record)
    {
        ok = ok && file_record(summary, record) == 0;
    }
    bool ended = strcmp(json_string_or(record, "record", ""), "end") == 0;
    ok = ok && json_object_set_new(summary, "ended", json_boolean(ended)) == 0 &&
         json_object_set_new(summary, "conditions", conditions_json(content->records)) == 0;
    return ok ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a journal");
}

enum err journal_read(json_t **out, const char *lab_folder, struct diag *diag)
{
    char path[PATH_MAX];
    AUTO(content_fini) struct content content = {0};
    TRY(path_of(path, lab_folder, diag));
    if (access(path, F_OK) < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot open the journal");
    TRY(read_content(&content, path, diag));
    AUTO(json_release) json_t *summary = json_pack("{s:{}, s:{}}", "runs", "experiments");
    TRY(summarize(summary, &content, diag));
    *out = json_incref(summary);
    return ERR_OK;
}
