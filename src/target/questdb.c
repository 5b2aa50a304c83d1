/* SPDX-License-Identifier: Apache-2.0
 *
 * QuestDB over its REST interface: `select build` and SHOW PARAMETERS, nothing else. Columns are read by name, since
 * their order differs between versions; rows marked sensitive are dropped before anything is stored.
 */
#include "target/target.h"

#include "base/json.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_LIMIT_BYTES = 4 * 1024 * 1024, URL_BYTES = 1024 };
#define CONFIGURATION_PAGE "https://questdb.com/docs/configuration/overview/"

/* What matters to ingest over ILP/HTTP, and what production use wants of it. */
static const struct {
    const char *path, *production;
} wanted[] = {
    {"cairo.wal.enabled.default", "true: commits are sequenced, applied in the background, and survive a crash"},
    {"cairo.commit.mode", "nosync for speed; sync when a power loss may not cost the last rows"},
    {"cairo.max.uncommitted.rows", "at least the rows of a batch"},
    {"cairo.o3.max.lag", "the lateness of the data; large values delay visibility"},
    {"cairo.wal.apply.enabled", "true: otherwise rows are acknowledged and never visible"},
    {"cairo.wal.segment.rollover.row.count", "large enough that a batch does not roll segments"},
    {"shared.worker.count", "the cores that are free for the server"},
    {"wal.apply.worker.count", "at least one that has a core of its own"},
    {"http.receive.buffer.size", "above the bytes of a send"},
    {"line.http.enabled", "true for ILP over HTTP"},
    {"line.default.partition.by", "DAY or coarser: hourly partitions slow the visible rate"},
    {"line.auto.create.new.tables", "true in development; false where the schema is managed"},
    {"cairo.default.symbol.capacity", "above the number of distinct symbols"},
    {"telemetry.enabled", "false where the network is closed"},
};

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    struct text *answer = context;
    text_add_bytes(answer, data, size * count);
    return answer->failed ? 0 : size * count;
}

static void curl_release(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static enum err get(struct text *answer, const char *address, struct diag *diag)
{
    char problem[CURL_ERROR_SIZE] = "";
    AUTO(curl_release) CURL *curl = curl_easy_init();
    if (!curl)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "libcurl does not start");
    (void)curl_easy_setopt(curl, CURLOPT_URL, address);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TARGET_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return diag_fail(diag, ERR_PIPELINE, "QuestDB", "is the server running, and is [database] url right?", "%s",
                         problem[0] ? problem : curl_easy_strerror(code));
    return ERR_OK;
}

/* `query` is one of our constants, already encoded for a URL. */
static enum err ask(json_t **out, const char *url, const char *query, struct diag *diag)
{
    char address[URL_BYTES];
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    if (snprintf(address, sizeof address, "%.*s/exec?query=%s", (int)length, url, query) >= (int)sizeof address)
        return diag_fail(diag, ERR_CONFIG, "[database] url", NULL, "the address is too long");
    AUTO(text_fini) struct text answer;
    text_init(&answer, ANSWER_LIMIT_BYTES);
    TRY(get(&answer, address, diag));
    return json_parse(out, text_string(&answer), answer.length_bytes, "QuestDB", diag);
}

/* The index of the column called `name`, or -1. */
static int column_named(const json_t *answer, const char *name)
{
    size_t i;
    const json_t *column;
    json_array_foreach(json_object_get(answer, "columns"), i, column)
    {
        if (strcmp(json_string_or(column, "name", ""), name) == 0)
            return (int)i;
    }
    return -1;
}

static const json_t *cell(const json_t *row, int column)
{
    return column < 0 ? NULL : json_array_get(row, (size_t)column);
}

static const json_t *row_of(const json_t *answer, const char *path)
{
    size_t i;
    const json_t *row;
    int column = column_named(answer, "property_path"), sensitive = column_named(answer, "sensitive");
    json_array_foreach(json_object_get(answer, "dataset"), i, row)
    {
        const char *value = json_string_value(cell(row, column));
        if (value && strcmp(value, path) == 0 && !json_is_true(cell(row, sensitive)))
            return row;
    }
    return NULL;
}

static enum err add_settings(struct target_report *out, const json_t *answer, struct arena *arena, struct diag *diag)
{
    enum { COUNT = sizeof wanted / sizeof wanted[0] };
    int value = column_named(answer, "value"), source = column_named(answer, "value_source");
    out->settings = ARENA_ARRAY(arena, struct target_setting, COUNT);
    if (!out->settings)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < COUNT; i++) {
        const json_t *row = row_of(answer, wanted[i].path);
        const char *origin = json_string_value(cell(row, source));
        if (!row)
            continue; /* this version does not have it */
        out->settings[out->setting_count++] = (struct target_setting){
            .name = wanted[i].path,
            .value = arena_strdup(arena, json_string_value(cell(row, value))),
            .origin = origin ? arena_strdup(arena, origin) : "unknown",
            .production = wanted[i].production,
            .source = CONFIGURATION_PAGE,
        };
    }
    return ERR_OK;
}

static enum err read_version(const char **out, const char *url, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *answer = NULL;
    TRY(ask(&answer, url, "select%20build", diag));
    const char *build = json_string_value(json_array_get(json_array_get(json_object_get(answer, "dataset"), 0), 0));
    if (!build)
        return diag_fail(diag, ERR_PIPELINE, "QuestDB", "is [database] url really a QuestDB?",
                         "does not say its build");
    *out = arena_strdup(arena, build);
    return *out ? ERR_OK : arena_exhausted(arena, diag);
}

static enum err look(struct target_report *out, const char *url, const char *folder, struct arena *arena,
                     struct diag *diag)
{
    static const char *notes[] = {"SHOW PARAMETERS tells a setting's value, not whether it lies on the path in use"};
    (void)folder;
    *out = (struct target_report){.notes = notes, .note_count = 1};
    TRY(read_version(&out->version, url, arena, diag));
    AUTO(json_release) json_t *answer = NULL;
    TRY(ask(&answer, url, "SHOW%20PARAMETERS", diag));
    return add_settings(out, answer, arena, diag);
}

const struct target target_questdb = {.kind = "questdb", .look = look};
