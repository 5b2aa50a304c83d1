/* SPDX-License-Identifier: Apache-2.0
 *
 * QuestDB over HTTP: rows as line protocol to /write, SQL to /exec and /exp. A month is a partition, so half a month is
 * removed by dropping its partition; which months are half stands in a second table. Rows are deduplicated by their
 * time, so a request whose answer was lost may be sent again.
 */
#include "pipeline/bytes.h"
#include "pipeline/http.h"
#include "pipeline/ilp.h"
#include "pipeline/sink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000ULL

enum {
    TRIES = 4,
    REQUEST_TIMEOUT_MS = 30000, /* with all its tries */
    APPLY_TIMEOUT_MS = 60000,   /* from accepted to queryable */
    APPLY_POLL_MS = 2,
    ANSWER_BYTES_MAX = MONTH_ROWS_MAX * 512,
    LINES_BYTES_MAX = MONTH_ROWS_MAX * ILP_LINE_BYTES_MAX,
    SQL_BYTES = 1024,
    WHY_BYTES = 200, /* of an answer that explains a refusal */
};

struct questdb {
    struct http http;
    struct curl_slist *headers;
    struct stop never; /* a month that was begun is finished or removed, whatever stops */
    const char *address;
    char table[40];
    struct bytes lines, answer;
    struct month month; /* being loaded */
};

static size_t take_answer(char *data, size_t one, size_t bytes, void *context)
{
    (void)one;
    return bytes_add(context, data, bytes) ? bytes : CURL_WRITEFUNC_ERROR;
}

/* The reason inside an answer such as {"query":"...","error":"table does not exist","position":20}; else all of it. */
static const char *answer_reason(int *length, const struct bytes *answer)
{
    static const char *const keys[] = {"\"error\":\"", "\"message\":\""};
    const char *text = answer->count > 0 ? answer->data : "no reason given";
    *length = (int)strcspn(text, "\r\n");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *at = strstr(text, keys[i]);
        if (at != NULL) {
            text = at + strlen(keys[i]);
            *length = (int)strcspn(text, "\"");
            break;
        }
    }
    *length = *length < WHY_BYTES ? *length : WHY_BYTES;
    return text;
}

static enum status fail_request(struct failure *failure, const struct questdb *q, const char *doing,
                                const struct http_reply *reply)
{
    int length;
    const char *address = http_shown(q->address);
    if (reply->status == 0)
        return fail_with(failure, STATUS_SINK, "questdb: cannot %s: %s: %s", doing, address, reply->what);
    const char *reason = answer_reason(&length, &q->answer);
    return fail_with(failure, STATUS_SINK, "questdb: cannot %s: %s: %s: %.*s", doing, address, reply->what, length,
                     reason);
}

/* Performs the request that was set up; its answer is in q->answer. */
static enum status perform(struct questdb *q, const char *doing, struct failure *failure)
{
    struct http_reply reply;
    uint64_t deadline_ns = stop_clock_ns() + REQUEST_TIMEOUT_MS * NS_PER_MS;
    for (unsigned attempt = 1;; attempt++) {
        q->answer.count = 0;
        enum http_outcome outcome = http_perform(&reply, &q->http, deadline_ns);
        if (outcome == HTTP_DONE)
            return STATUS_OK;
        if (outcome == HTTP_REFUSED || attempt == TRIES || !http_pause(&q->http, attempt, &reply, deadline_ns))
            return fail_request(failure, q, doing, &reply);
    }
}

/* Sends one statement made of our own words to /exec (JSON answers, any statement) or /exp (CSV answers, queries). */
__attribute__((format(printf, 5, 0))) static enum status send_sql(struct questdb *q, const char *path,
                                                                  const char *doing, struct failure *failure,
                                                                  const char *format, va_list args)
{
    char sql[SQL_BYTES], url[4 * SQL_BYTES];
    int sql_bytes = vsnprintf(sql, sizeof sql, format, args);
    if ((size_t)sql_bytes >= sizeof sql)
        return fail_with(failure, STATUS_INTERNAL, "questdb: too long a statement");
    char *escaped = curl_easy_escape(q->http.curl, sql, sql_bytes);
    if (escaped == NULL)
        return fail_no_memory(failure);
    int url_bytes = snprintf(url, sizeof url, "%s/%s?query=%s", q->address, path, escaped);
    curl_free(escaped);
    if ((size_t)url_bytes >= sizeof url)
        return fail_with(failure, STATUS_USAGE, "--db: the address is too long");
    curl_easy_setopt(q->http.curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(q->http.curl, CURLOPT_URL, url);
    return perform(q, doing, failure);
}

__attribute__((format(printf, 4, 5))) static enum status command(struct questdb *q, const char *doing,
                                                                 struct failure *failure, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum status status = send_sql(q, "exec", doing, failure, format, args);
    va_end(args);
    return status;
}

__attribute__((format(printf, 4, 5))) static enum status query(struct questdb *q, const char *doing,
                                                               struct failure *failure, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum status status = send_sql(q, "exp", doing, failure, format, args);
    va_end(args);
    return status;
}

/* The next line of the answer in q->answer, without its end; NULL behind the last. *at is NULL at first. */
static char *next_line(struct questdb *q, char **at)
{
    char *line = *at != NULL ? *at : q->answer.data;
    if (line == NULL || line >= q->answer.data + q->answer.count)
        return NULL;
    size_t length = strcspn(line, "\r\n");
    *at = line + length + strspn(line + length, "\r\n");
    line[length] = '\0';
    return line;
}

/* The first line behind the names of the columns. */
static char *first_row(struct questdb *q, char **at)
{
    *at = NULL;
    return q->answer.count > 0 && next_line(q, at) != NULL ? next_line(q, at) : NULL;
}

/* Accepted transactions are applied later; a table that gave up on one is suspended. */
static enum status wait_applied(struct questdb *q, const char *suffix, struct failure *failure)
{
    uint64_t deadline_ns = stop_clock_ns() + APPLY_TIMEOUT_MS * NS_PER_MS, written, accepted;
    char *at, suspended[8];
    do {
        TRY(query(q, "look at the backlog", failure,
                  "select suspended, writerTxn, sequencerTxn from wal_tables() where name = '%s%s'", q->table, suffix));
        const char *row = first_row(q, &at);
        if (row == NULL || sscanf(row, "%7[a-z],%" SCNu64 ",%" SCNu64, suspended, &written, &accepted) != 3)
            return fail_with(failure, STATUS_SINK, "questdb: cannot tell what is applied to %s%s", q->table, suffix);
        if (strcmp(suspended, "false") != 0)
            return fail_with(failure, STATUS_SINK, "questdb: table %s%s is suspended", q->table, suffix);
        if (written >= accepted)
            return STATUS_OK;
    } while (stop_clock_ns() < deadline_ns && stop_sleep_until(&q->never, stop_clock_ns() + APPLY_POLL_MS * NS_PER_MS));
    return fail_with(failure, STATUS_SINK, "questdb: rows accepted %d s ago cannot be queried yet",
                     APPLY_TIMEOUT_MS / 1000);
}

static enum status mark_month(struct questdb *q, struct month month, bool loading, size_t rows, struct failure *failure)
{
    return command(q, "mark a month", failure, "INSERT INTO %s_months VALUES (%" PRId64 ", %s, %zu)", q->table,
                   month_start_us(month), loading ? "true" : "false", rows);
}

static enum status drop_month(struct questdb *q, struct month month, struct failure *failure)
{
    char name[MONTH_NAME_BYTES];
    return command(q, "remove a month", failure, "ALTER TABLE %s DROP PARTITION LIST '%s'", q->table,
                   month_name(name, month));
}

static enum status make_tables(struct questdb *q, struct failure *failure)
{
    char decimals[SQL_BYTES / 2] = "";
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        strcat(decimals, kline_decimal_names[i]);
        strcat(decimals, " DOUBLE, ");
    }
    TRY(command(q, "make its table", failure,
                "CREATE TABLE IF NOT EXISTS %s (open_time TIMESTAMP, %sclose_time TIMESTAMP, count LONG) "
                "TIMESTAMP(open_time) PARTITION BY MONTH WAL DEDUP UPSERT KEYS(open_time)",
                q->table, decimals));
    return command(q, "make its table", failure,
                   "CREATE TABLE IF NOT EXISTS %s_months (month TIMESTAMP, loading BOOLEAN, rows LONG) "
                   "TIMESTAMP(month) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(month)",
                   q->table);
}

/* One after the other, as each answer replaces the one before. */
static enum status remove_half_months(struct questdb *q, struct failure *failure)
{
    for (;;) {
        char *at;
        struct month month;
        TRY(wait_applied(q, "_months", failure));
        TRY(query(q, "read its months", failure, "select to_str(month, 'yyyy-MM') from %s_months where loading limit 1",
                  q->table));
        const char *row = first_row(q, &at);
        if (row == NULL)
            return STATUS_OK;
        char name[MONTH_NAME_BYTES] = "";
        if (sscanf(row, "\"%7[0-9-]\"", name) != 1 || !month_parse(&month, name))
            return fail_with(failure, STATUS_SINK, "questdb: '%.40s' is no month", row);
        TRY(drop_month(q, month, failure));
        TRY(mark_month(q, month, false, 0, failure));
    }
}

static enum status set_up(struct questdb *q, struct failure *failure)
{
    TRY(http_init(&q->http, &q->never, failure));
    q->headers = curl_slist_append(NULL, "Expect:"); /* else libcurl waits a second for leave to send a large body */
    if (q->headers == NULL)
        return fail_no_memory(failure);
    curl_easy_setopt(q->http.curl, CURLOPT_HTTPHEADER, q->headers);
    curl_easy_setopt(q->http.curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(q->http.curl, CURLOPT_WRITEDATA, &q->answer);
    TRY(make_tables(q, failure));
    return remove_half_months(q, failure);
}

static void questdb_close(void *sink)
{
    struct questdb *q = sink;
    http_fini(&q->http);
    curl_slist_free_all(q->headers);
    stop_fini(&q->never);
    bytes_fini(&q->lines);
    bytes_fini(&q->answer);
    free(q);
}

static enum status questdb_open(void **sink, const struct sink_options *options, struct failure *failure)
{
    struct questdb *q = calloc(1, sizeof *q);
    if (q == NULL)
        return fail_no_memory(failure);
    stop_init(&q->never);
    bytes_init(&q->lines, LINES_BYTES_MAX);
    bytes_init(&q->answer, ANSWER_BYTES_MAX);
    q->address = options->db;
    sink_table_name(q->table, sizeof q->table, options->symbol);
    enum status status = set_up(q, failure);
    if (status == STATUS_OK)
        *sink = q;
    else
        questdb_close(q);
    return status;
}

static enum status questdb_begin(void *sink, struct month month, struct failure *failure)
{
    struct questdb *q = sink;
    q->month = month;
    TRY(mark_month(q, month, true, 0, failure));
    return drop_month(q, month, failure);
}

static enum status questdb_write(uint64_t *bytes, void *sink, const struct kline *rows, size_t count, bool last,
                                 struct failure *failure)
{
    struct questdb *q = sink;
    char url[1024];
    (void)last;
    q->lines.count = 0;
    for (size_t i = 0; i < count; i++) {
        char *line = bytes_room(&q->lines, ILP_LINE_BYTES_MAX);
        if (line == NULL)
            return fail_no_memory(failure);
        q->lines.count += (size_t)(ilp_write(line, q->table, &rows[i]) - line);
    }
    if ((size_t)snprintf(url, sizeof url, "%s/write?precision=u", q->address) >= sizeof url)
        return fail_with(failure, STATUS_USAGE, "--db: the address is too long");
    curl_easy_setopt(q->http.curl, CURLOPT_URL, url);
    curl_easy_setopt(q->http.curl, CURLOPT_POST, 1L);
    curl_easy_setopt(q->http.curl, CURLOPT_POSTFIELDS, q->lines.data);
    curl_easy_setopt(q->http.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->lines.count);
    *bytes = q->lines.count;
    return perform(q, "write rows", failure);
}

/* An acknowledged row that never appears is no row: count them where they will be read. */
static enum status questdb_settle(void *sink, size_t rows, struct failure *failure)
{
    struct questdb *q = sink;
    char name[MONTH_NAME_BYTES], *at;
    size_t found = 0;
    TRY(wait_applied(q, "", failure));
    TRY(query(q, "count the rows", failure, "select count() from %s where open_time in '%s'", q->table,
              month_name(name, q->month)));
    const char *row = first_row(q, &at);
    if (row == NULL || sscanf(row, "%zu", &found) != 1 || found != rows)
        return fail_with(failure, STATUS_SINK, "questdb: %zu of %zu rows of %s arrived", found, rows, name);
    return mark_month(q, q->month, false, rows, failure);
}

static bool questdb_abandon(void *sink)
{
    struct questdb *q = sink;
    struct failure ignored;
    return drop_month(q, q->month, &ignored) == STATUS_OK && wait_applied(q, "", &ignored) == STATUS_OK &&
           mark_month(q, q->month, false, 0, &ignored) == STATUS_OK;
}

/* TRUNCATE, because rows that are sent to a table of the name of a dropped one can vanish. */
static enum status questdb_reset(void *sink, struct failure *failure)
{
    struct questdb *q = sink;
    TRY(command(q, "reset", failure, "TRUNCATE TABLE %s", q->table));
    TRY(command(q, "reset", failure, "TRUNCATE TABLE %s_months", q->table));
    TRY(wait_applied(q, "", failure));
    return wait_applied(q, "_months", failure);
}

static bool read_row(struct kline *kline, const char *row)
{
    char *at;
    kline->open_time_us = strtoll(row, &at, 10);
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        if (*at++ != ',')
            return false;
        kline->decimals[i] = strtod(at, &at);
    }
    if (*at++ != ',')
        return false;
    kline->close_time_us = strtoll(at, &at, 10);
    if (*at++ != ',')
        return false;
    kline->count = strtoll(at, &at, 10);
    return *at == '\0';
}

static enum status read_month(struct content *content, struct questdb *q, const char *month, struct failure *failure)
{
    char decimals[SQL_BYTES / 2] = "", *at;
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        strcat(decimals, kline_decimal_names[i]);
        strcat(decimals, ", ");
    }
    TRY(query(q, "read", failure,
              "select cast(open_time as long), %scast(close_time as long), count from %s where open_time in '%s'",
              decimals, q->table, month));
    for (const char *row = first_row(q, &at); row != NULL; row = next_line(q, &at)) {
        struct kline kline;
        if (!read_row(&kline, row))
            return fail_with(failure, STATUS_SINK, "questdb: '%.80s' is no row of ours", row);
        content_add(content, &kline);
    }
    return STATUS_OK;
}

static enum status questdb_read(struct content *content, void *sink, struct failure *failure)
{
    struct questdb *q = sink;
    struct bytes months;
    *content = (struct content){0};
    TRY(wait_applied(q, "", failure));
    TRY(query(q, "list the months", failure, "select name from table_partitions('%s')", q->table));
    months = q->answer; /* kept while each month's answer comes in */
    bytes_init(&q->answer, ANSWER_BYTES_MAX);
    enum status status = STATUS_OK;
    char *at = months.data, name[MONTH_NAME_BYTES];
    for (; at != NULL && status == STATUS_OK && (at = strchr(at, '\n')) != NULL; at++) {
        if (sscanf(at, "\n\"%7[0-9-]\"", name) == 1)
            status = read_month(content, q, name, failure);
    }
    bytes_fini(&months);
    return status;
}

const struct sink_kind sink_questdb = {"questdb",       questdb_open,  questdb_begin, questdb_write, questdb_settle,
                                       questdb_abandon, questdb_reset, questdb_read,  questdb_close};
