/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite, looked at through a read-only connection. Most of what decides its ingest speed belongs to the connection
 * that writes, which nobody else can see: those settings are named with their default and a value of NULL.
 */
#include "target/target.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PRAGMA_PAGE "https://www.sqlite.org/pragma.html#pragma_"

/* The statements we may send: nothing out of data ever becomes SQL. */
static const struct {
    const char *name, *query, *production, *source;
} file_settings[] = {
    {"journal_mode", "PRAGMA journal_mode", "wal: readers and one writer work side by side",
     PRAGMA_PAGE "journal_mode"},
    {"page_size", "PRAGMA page_size", "4096 or the file system's block", PRAGMA_PAGE "page_size"},
    {"auto_vacuum", "PRAGMA auto_vacuum", "none (0): vacuum when it suits, not in every commit",
     PRAGMA_PAGE "auto_vacuum"},
    {"indexes", "SELECT count(*) FROM sqlite_master WHERE type = 'index'",
     "as few as the queries need: each is written on every insert", "https://www.sqlite.org/queryplanner.html"},
    {"triggers", "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'", "none on a bulk-loaded table",
     "https://www.sqlite.org/lang_createtrigger.html"},
};

static const struct target_setting connection_settings[] = {
    {"synchronous", NULL, "connection", "normal with wal: safe against a crash of the program, one sync a checkpoint",
     PRAGMA_PAGE "synchronous"},
    {"cache_size", NULL, "connection", "large enough for the pages one transaction touches", PRAGMA_PAGE "cache_size"},
    {"rows a transaction", NULL, "connection", "thousands: a commit costs the same for one row as for many",
     "https://www.sqlite.org/faq.html#q19"},
};

static void close_database(sqlite3 **database)
{
    (void)sqlite3_close(*database);
}

static void finish_statement(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

static enum err open_read_only(sqlite3 **out, const char *url, const char *folder, struct diag *diag)
{
    char path[PATH_MAX];
    if (strncmp(url, "sqlite:", 7) == 0)
        url += 7;
    bool absolute = url[0] == '/';
    if (snprintf(path, sizeof path, "%s%s%s", absolute ? "" : folder, absolute ? "" : "/", url) >= (int)sizeof path)
        return diag_fail(diag, ERR_CONFIG, "[database] url", NULL, "the path is too long");
    if (sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return diag_fail(diag, ERR_PIPELINE, path, "run the pipeline once, or correct [database] url", "SQLite: %s",
                         *out ? sqlite3_errmsg(*out) : "out of memory");
    (void)sqlite3_busy_timeout(*out, TARGET_TIMEOUT_MS);
    return ERR_OK;
}

static enum err read_setting(const char **out, sqlite3 *database, const char *query, struct arena *arena,
                             struct diag *diag)
{
    AUTO(finish_statement) sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        return diag_fail(diag, ERR_PIPELINE, "SQLite", NULL, "'%s' failed: %s", query, sqlite3_errmsg(database));
    *out = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
    return *out ? ERR_OK : arena_exhausted(arena, diag);
}

static enum err look(struct target_report *out, const char *url, const char *folder, struct arena *arena,
                     struct diag *diag)
{
    enum {
        FILE_COUNT = sizeof file_settings / sizeof file_settings[0],
        CONNECTION_COUNT = sizeof connection_settings / sizeof connection_settings[0]
    };
    static const char *notes[] = {"synchronous, cache_size and the size of a transaction belong to the pipeline's own "
                                  "connection: they cannot be seen "
                                  "from outside, only tried through a knob"};
    AUTO(close_database) sqlite3 *database = NULL;
    TRY(open_read_only(&database, url, folder, diag));
    struct target_setting *settings = ARENA_ARRAY(arena, struct target_setting, FILE_COUNT + CONNECTION_COUNT);
    if (!settings)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        settings[i] = (struct target_setting){.name = file_settings[i].name,
                                              .origin = "file",
                                              .production = file_settings[i].production,
                                              .source = file_settings[i].source};
        TRY(read_setting(&settings[i].value, database, file_settings[i].query, arena, diag));
    }
    memcpy(settings + FILE_COUNT, connection_settings, sizeof connection_settings);
    *out = (struct target_report){.version = "SQLite " SQLITE_VERSION,
                                  .settings = settings,
                                  .setting_count = FILE_COUNT + CONNECTION_COUNT,
                                  .notes = notes,
                                  .note_count = 1};
    return ERR_OK;
}

const struct target target_sqlite = {.kind = "sqlite", .look = look};
