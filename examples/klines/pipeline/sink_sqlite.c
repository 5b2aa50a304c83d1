/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite, the embedded default. A second table says which months are whole: a month is entered there in its first
 * transaction and completed in its last, so that what a killed run leaves behind is known and removed.
 */
#include "pipeline/sink.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3 + KLINE_DECIMALS, MULTI_ROWS = 32, BUSY_TIMEOUT_MS = 5000, SQL_BYTES = 2048 };

struct sqlite {
    sqlite3 *db;
    char table[40];
    enum sqlite_insert insert;
    sqlite3_stmt *one, *multi; /* insert 1 row, MULTI_ROWS rows */
    char insert_one[SQL_BYTES];
    struct month month; /* being loaded */
    size_t month_rows;
};

static enum status fail_sqlite(struct failure *failure, const struct sqlite *s, const char *doing)
{
    return fail_with(failure, STATUS_SINK, "sqlite: cannot %s: %s", doing, sqlite3_errmsg(s->db));
}

/* Runs statements made of our own words, sqlite3_mprintf's way. */
static enum status run_sql(const struct sqlite *s, const char *doing, struct failure *failure, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (sql == NULL)
        return fail_no_memory(failure);
    int result = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return result == SQLITE_OK ? STATUS_OK : fail_sqlite(failure, s, doing);
}

static enum status prepare(sqlite3_stmt **out, const struct sqlite *s, const char *sql, struct failure *failure)
{
    if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
        return fail_sqlite(failure, s, "prepare a statement");
    return STATUS_OK;
}

/* SQLite answers with the journal mode it is in, which need not be the one it was told. */
static enum status set_journal(const struct sqlite *s, const char *mode, struct failure *failure)
{
    char sql[64];
    sqlite3_stmt *pragma;
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", mode);
    TRY(prepare(&pragma, s, sql, failure));
    bool set = sqlite3_step(pragma) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(pragma, 0), mode) == 0;
    sqlite3_finalize(pragma);
    return set ? STATUS_OK : fail_sqlite(failure, s, "set the journal mode");
}

static enum status make_tables(const struct sqlite *s, struct failure *failure)
{
    char decimals[SQL_BYTES] = "";
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        strcat(decimals, kline_decimal_names[i]);
        strcat(decimals, " REAL NOT NULL, ");
    }
    return run_sql(s, "make its tables", failure,
                   "CREATE TABLE IF NOT EXISTS %s (open_time INTEGER PRIMARY KEY, %sclose_time INTEGER NOT NULL, "
                   "count INTEGER NOT NULL);"
                   "CREATE TABLE IF NOT EXISTS %s_months (month TEXT PRIMARY KEY, first_us INTEGER NOT NULL, "
                   "end_us INTEGER NOT NULL, rows INTEGER NOT NULL, whole INTEGER NOT NULL)",
                   s->table, decimals, s->table);
}

static enum status remove_half_months(const struct sqlite *s, struct failure *failure)
{
    return run_sql(s, "remove a half month", failure,
                   "BEGIN IMMEDIATE;"
                   "DELETE FROM %s WHERE open_time IN (SELECT k.open_time FROM %s_months m JOIN %s k "
                   "ON k.open_time >= m.first_us AND k.open_time < m.end_us WHERE NOT m.whole);"
                   "DELETE FROM %s_months WHERE NOT whole;"
                   "COMMIT",
                   s->table, s->table, s->table, s->table);
}

/* "INSERT INTO t VALUES (?,...,?),(?,...,?)" with `rows` groups. */
static enum status insert_sql(char *sql, size_t sql_bytes, const struct sqlite *s, int rows, struct failure *failure)
{
    int length = snprintf(sql, sql_bytes, "INSERT INTO %s VALUES ", s->table);
    for (int i = 0; i < rows * COLUMNS && (size_t)length < sql_bytes; i++)
        length += snprintf(sql + length, sql_bytes - (size_t)length, "%s?%s",
                           i % COLUMNS > 0 ? ","
                           : i > 0         ? ",("
                                           : "(",
                           i % COLUMNS == COLUMNS - 1 ? ")" : "");
    return (size_t)length < sql_bytes ? STATUS_OK : fail_with(failure, STATUS_INTERNAL, "sqlite: too long a statement");
}

static enum status prepare_inserts(struct sqlite *s, struct failure *failure)
{
    char many[SQL_BYTES];
    TRY(insert_sql(s->insert_one, sizeof s->insert_one, s, 1, failure));
    TRY(insert_sql(many, sizeof many, s, MULTI_ROWS, failure));
    TRY(prepare(&s->one, s, s->insert_one, failure));
    return prepare(&s->multi, s, many, failure);
}

static enum status set_up(struct sqlite *s, const struct sink_options *options, struct failure *failure)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    if (sqlite3_open_v2(options->db, &s->db, flags, NULL) != SQLITE_OK)
        return fail_with(failure, STATUS_SINK, "sqlite: %s: %s", options->db, sqlite3_errmsg(s->db));
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    if (options->sqlite_journal != NULL)
        TRY(set_journal(s, options->sqlite_journal, failure));
    TRY(run_sql(s, "set synchronous", failure, "PRAGMA synchronous=%s", options->sqlite_synchronous));
    TRY(make_tables(s, failure));
    TRY(remove_half_months(s, failure));
    return prepare_inserts(s, failure);
}

static void sqlite_close(void *sink)
{
    struct sqlite *s = sink;
    sqlite3_finalize(s->one);
    sqlite3_finalize(s->multi);
    sqlite3_close(s->db);
    free(s);
}

static enum status sqlite_open(void **sink, const struct sink_options *options, struct failure *failure)
{
    struct sqlite *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail_no_memory(failure);
    s->insert = options->sqlite_insert;
    sink_table_name(s->table, sizeof s->table, options->symbol);
    enum status status = set_up(s, options, failure);
    if (status == STATUS_OK)
        *sink = s;
    else
        sqlite_close(s);
    return status;
}

static enum status sqlite_begin(void *sink, struct month month, struct failure *failure)
{
    struct sqlite *s = sink;
    char name[MONTH_NAME_BYTES];
    long long first_us = month_start_us(month), end_us = month_start_us(month_after(month, 1));
    s->month = month;
    s->month_rows = 0;
    return run_sql(s, "begin a month", failure,
                   "BEGIN IMMEDIATE;"
                   "DELETE FROM %s WHERE open_time >= %lld AND open_time < %lld;"
                   "INSERT OR REPLACE INTO %s_months VALUES ('%s', %lld, %lld, 0, 0)",
                   s->table, first_us, end_us, s->table, month_name(name, month), first_us, end_us);
}

static void bind_row(sqlite3_stmt *statement, int group, const struct kline *row)
{
    int column = group * COLUMNS + 1;
    sqlite3_bind_int64(statement, column++, row->open_time_us);
    for (int i = 0; i < KLINE_DECIMALS; i++)
        sqlite3_bind_double(statement, column++, row->decimals[i]);
    sqlite3_bind_int64(statement, column++, row->close_time_us);
    sqlite3_bind_int64(statement, column, row->count);
}

static enum status insert_rows(const struct sqlite *s, sqlite3_stmt *statement, const struct kline *rows, int count,
                               struct failure *failure)
{
    for (int i = 0; i < count; i++)
        bind_row(statement, i, &rows[i]);
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? STATUS_OK : fail_sqlite(failure, s, "insert");
}

/* What many programs do: the SQL is compiled again for each row. */
static enum status insert_unprepared(const struct sqlite *s, const struct kline *row, struct failure *failure)
{
    sqlite3_stmt *statement;
    TRY(prepare(&statement, s, s->insert_one, failure));
    enum status status = insert_rows(s, statement, row, 1, failure);
    sqlite3_finalize(statement);
    return status;
}

static enum status insert_batch(const struct sqlite *s, const struct kline *rows, size_t count, struct failure *failure)
{
    size_t done = 0;
    for (; s->insert == INSERT_MULTI && count - done >= MULTI_ROWS; done += MULTI_ROWS)
        TRY(insert_rows(s, s->multi, rows + done, MULTI_ROWS, failure));
    for (; s->insert != INSERT_UNPREPARED && done < count; done++)
        TRY(insert_rows(s, s->one, rows + done, 1, failure));
    for (; done < count; done++)
        TRY(insert_unprepared(s, rows + done, failure));
    return STATUS_OK;
}

static enum status sqlite_write(uint64_t *bytes, void *sink, const struct kline *rows, size_t count, bool last,
                                struct failure *failure)
{
    struct sqlite *s = sink;
    char name[MONTH_NAME_BYTES];
    *bytes = count * sizeof *rows;
    if (sqlite3_get_autocommit(s->db)) /* a batch is a transaction; the first is open since the month began */
        TRY(run_sql(s, "begin", failure, "BEGIN IMMEDIATE"));
    TRY(insert_batch(s, rows, count, failure));
    s->month_rows += count;
    if (last)
        TRY(run_sql(s, "complete a month", failure, "UPDATE %s_months SET rows = %lld, whole = 1 WHERE month = '%s'",
                    s->table, (long long)s->month_rows, month_name(name, s->month)));
    return run_sql(s, "commit", failure, "COMMIT");
}

/* What is committed can be queried. */
static enum status sqlite_settle(void *sink, size_t rows, struct failure *failure)
{
    const struct sqlite *s = sink;
    if (s->month_rows != rows)
        return fail_with(failure, STATUS_SINK, "sqlite: %zu of %zu rows written", s->month_rows, rows);
    return STATUS_OK;
}

static bool sqlite_abandon(void *sink)
{
    struct sqlite *s = sink;
    struct failure ignored;
    if (!sqlite3_get_autocommit(s->db) && run_sql(s, "roll back", &ignored, "ROLLBACK") != STATUS_OK)
        return false;
    return remove_half_months(s, &ignored) == STATUS_OK;
}

/* As if the file were new, the journal mode included: no run shall profit from the settings of the one before. */
static enum status sqlite_reset(void *sink, struct failure *failure)
{
    struct sqlite *s = sink;
    TRY(run_sql(s, "reset", failure, "DROP TABLE %s; DROP TABLE %s_months; VACUUM", s->table, s->table));
    return set_journal(s, "delete", failure);
}

static enum status sqlite_read(struct content *content, void *sink, struct failure *failure)
{
    const struct sqlite *s = sink;
    char sql[80];
    sqlite3_stmt *rows;
    int result;
    *content = (struct content){0};
    snprintf(sql, sizeof sql, "SELECT * FROM %s", s->table);
    TRY(prepare(&rows, s, sql, failure));
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct kline kline = {.open_time_us = sqlite3_column_int64(rows, 0),
                              .close_time_us = sqlite3_column_int64(rows, 1 + KLINE_DECIMALS),
                              .count = sqlite3_column_int64(rows, 2 + KLINE_DECIMALS)};
        for (int i = 0; i < KLINE_DECIMALS; i++)
            kline.decimals[i] = sqlite3_column_double(rows, 1 + i);
        content_add(content, &kline);
    }
    sqlite3_finalize(rows);
    return result == SQLITE_DONE ? STATUS_OK : fail_sqlite(failure, s, "read");
}

const struct sink_kind sink_sqlite = {"sqlite",       sqlite_open,  sqlite_begin, sqlite_write, sqlite_settle,
                                      sqlite_abandon, sqlite_reset, sqlite_read,  sqlite_close};
