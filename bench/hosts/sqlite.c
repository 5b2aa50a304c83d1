/* SPDX-License-Identifier: Apache-2.0
 *
 * bench-host-sqlite N RESULT: SQLite in memory under a load modelled on its own test/speedtest1.c (the numbers below
 * are its cases), recorded as somebody would who wants to know where a database program spends its time: a lap a case
 * with its rows, and a span a transaction. A transaction holds what takes about as long as one does: a hundred single
 * rows, ten short ranges, one search of a whole table. RESULT gets a sum over all that SQLite answered.
 */
#include "venturi.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_TRANSACTION = 100, RANGES_A_TRANSACTION = 10, N_MAX = 10000000 };

/* What a case is given: ?1, ?2 and ?3 are made of its turn, and differently by kind. */
enum values { NOTHING, IN_ORDER, SHUFFLED, RANGE, WIDE_RANGE, WORD, KEY };

struct load {
    const char *stage;
    const char *before; /* statements, once */
    const char *sql;    /* runs as often as `turns`, or n / `share` times */
    unsigned turns, share;
    unsigned in_transaction;
    enum values values;
};

#define SHORT .share = 5, .in_transaction = RANGES_A_TRANSACTION
#define SINGLE .share = 1, .in_transaction = ROWS_A_TRANSACTION
#define WHOLE(count) .turns = (count), .in_transaction = 1
#define FIGURES "SELECT count(*), avg(b), sum(length(c)) FROM "

static const struct load loads[] = {
    {"insert", "CREATE TABLE t1(a INTEGER, b INTEGER, c TEXT)", "INSERT INTO t1 VALUES(?1,?2,?3)", SINGLE,
     .values = IN_ORDER}, /* 100 */
    {"insert", "CREATE TABLE t2(a INTEGER PRIMARY KEY, b INTEGER, c TEXT)", "INSERT INTO t2 VALUES(?1,?2,?3)", SINGLE,
     .values = IN_ORDER}, /* 110 */
    {"insert", "CREATE TABLE t3(a INTEGER PRIMARY KEY, b INTEGER, c TEXT)", "INSERT INTO t3 VALUES(?1,?2,?3)", SINGLE,
     .values = SHUFFLED},                                                                                      /* 120 */
    {"select", NULL, FIGURES "t1 WHERE b BETWEEN ?1 AND ?2", WHOLE(25), .values = WIDE_RANGE},                 /* 130 */
    {"select", NULL, FIGURES "t1 WHERE c LIKE ?3", WHOLE(10), .values = WORD},                                 /* 140 */
    {"select", NULL, "SELECT a, b, c FROM t1 WHERE c LIKE ?3 ORDER BY a", WHOLE(10), .values = WORD},          /* 142 */
    {"select", NULL, "SELECT a, b, c FROM t1 WHERE c LIKE ?3 ORDER BY a LIMIT 10", WHOLE(10), .values = WORD}, /* 145 */
    {"index", NULL, "CREATE UNIQUE INDEX t1b ON t1(b)", WHOLE(1)},                                             /* 150 */
    {"index", NULL, "CREATE INDEX t1c ON t1(c)", WHOLE(1)},
    {"index", NULL, "CREATE UNIQUE INDEX t2b ON t2(b)", WHOLE(1)},
    {"index", NULL, "CREATE INDEX t2c ON t2(c DESC)", WHOLE(1)},
    {"index", NULL, "CREATE INDEX t3bc ON t3(b, c)", WHOLE(1)},
    {"select", NULL, FIGURES "t1 WHERE b BETWEEN ?1 AND ?2", SHORT, .values = RANGE},          /* 160 */
    {"select", NULL, FIGURES "t2 WHERE a BETWEEN ?1 AND ?2", SHORT, .values = RANGE},          /* 161 */
    {"select", NULL, FIGURES "t1 WHERE c BETWEEN ?3 AND (?3 || '~')", SHORT, .values = RANGE}, /* 170 */
    {"insert",
     "CREATE TABLE t4(a INTEGER, b INTEGER, c TEXT); CREATE INDEX t4a ON t4(a); CREATE INDEX t4b ON t4(b);"
     "CREATE INDEX t4c ON t4(c)",
     "INSERT INTO t4 VALUES(?1,?2,?3)", SINGLE, .values = SHUFFLED}, /* 180 */
    {"whole", NULL, "DELETE FROM t2", WHOLE(1)},                     /* 190 */
    {"whole", NULL, "INSERT INTO t2 SELECT * FROM t1", WHOLE(1)},
    {"whole", NULL, "ALTER TABLE t2 ADD COLUMN d DEFAULT 123", WHOLE(1)}, /* 210 */
    {"whole", NULL, "SELECT sum(d) FROM t2", WHOLE(1)},
    {"update", NULL, "UPDATE t2 SET d = b * 2 WHERE b BETWEEN ?1 AND ?2", SHORT, .values = RANGE}, /* 230 */
    {"update", NULL, "UPDATE t2 SET d = b * 3 WHERE a = ?1", SINGLE, .values = KEY},               /* 240 */
    {"whole", NULL, "UPDATE t2 SET d = b * 4", WHOLE(1)},                                          /* 250 */
    {"whole", NULL, "SELECT sum(d) FROM t2", WHOLE(1)},                                            /* 260 */
    {"delete", NULL, "DELETE FROM t2 WHERE b BETWEEN ?1 AND ?1 + 2", SHORT, .values = RANGE},      /* 270 */
    {"delete", NULL, "DELETE FROM t3 WHERE a = ?1", SINGLE, .values = KEY},                        /* 280 */
    {"whole", NULL, "REPLACE INTO t2(a, b, c) SELECT a, b, c FROM t1", WHOLE(1)},                  /* 290 */
    {"whole", NULL, "REPLACE INTO t3(a, b, c) SELECT a, b, c FROM t1", WHOLE(1)},
    {"whole", NULL, "SELECT sum(a), max(c), avg((SELECT a FROM t2 WHERE t2.b = t1.b - 5)) FROM t1", WHOLE(1)}, /* 320 */
    {"select", NULL, "SELECT b, c FROM t3 WHERE a = ?1", SINGLE, .values = KEY},                               /* 410 */
    {"whole", NULL, "PRAGMA integrity_check", WHOLE(1)},                                                       /* 980 */
    {"whole", NULL, "ANALYZE", WHOLE(1)},                                                                      /* 990 */
};

struct database {
    sqlite3 *handle;
    unsigned n;
    uint64_t sum; /* FNV-1a over all answers */
    venturi_stage transaction;
};

static void need(const struct database *database, int status, int wanted)
{
    if (status == wanted)
        return;
    (void)fprintf(stderr, "bench-host-sqlite: %s\n", sqlite3_errmsg(database->handle));
    exit(1);
}

static void run_all(const struct database *database, const char *statements)
{
    need(database, sqlite3_exec(database->handle, statements, NULL, NULL, NULL), SQLITE_OK);
}

/* A permutation of 0..n-1: the factor is a prime above every n. */
static unsigned shuffled(unsigned i, unsigned n)
{
    return (unsigned)((uint64_t)i * 2654435761U % n);
}

/* "412" is "four one two": texts to search that share their words. */
static int spell(char out[64], unsigned number)
{
    static const char *const digits[] = {"zero", "one", "two",   "three", "four",
                                         "five", "six", "seven", "eight", "nine"};
    char figures[16];
    size_t used = 0;
    (void)snprintf(figures, sizeof figures, "%u", number);
    for (const char *at = figures; *at; at++) {
        size_t length = strlen(digits[*at - '0']);
        out[used] = ' ';
        memcpy(out + used + (used > 0), digits[*at - '0'], length);
        used += length + (used > 0);
    }
    return (int)used;
}

/* ?1, ?2 and ?3 of a statement; it need not have them all. */
static void bind(const struct database *database, sqlite3_stmt *statement, enum values values, unsigned turn)
{
    unsigned other = shuffled(turn, database->n), width = values == WIDE_RANGE ? database->n / 10 : 10;
    int count = sqlite3_bind_parameter_count(statement);
    const sqlite3_int64 first = values == IN_ORDER ? turn : other;
    const sqlite3_int64 second = values == IN_ORDER ? other : values == SHUFFLED ? turn : other + width;
    char text[64], pattern[68];
    int length = spell(text, values == WORD ? 10 + turn % 90 : other);
    (void)snprintf(pattern, sizeof pattern, "%%%s%%", text);
    if (count >= 1)
        need(database, sqlite3_bind_int64(statement, 1, first), SQLITE_OK);
    if (count >= 2)
        need(database, sqlite3_bind_int64(statement, 2, second), SQLITE_OK);
    if (count >= 3)
        need(database,
             values == WORD ? sqlite3_bind_text(statement, 3, pattern, length + 2, SQLITE_TRANSIENT)
                            : sqlite3_bind_text(statement, 3, text, length, SQLITE_TRANSIENT),
             SQLITE_OK);
}

static void add_answer(struct database *database, sqlite3_stmt *statement)
{
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const unsigned char *text = sqlite3_column_text(statement, column);
        for (; text && *text; text++)
            database->sum = (database->sum ^ *text) * 1099511628211U;
    }
}

/* Rows that it changed or answered with. */
static uint64_t run_once(struct database *database, sqlite3_stmt *statement)
{
    uint64_t answered = 0;
    int status, before = sqlite3_total_changes(database->handle);
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        add_answer(database, statement);
        answered++;
    }
    need(database, status, SQLITE_DONE);
    need(database, sqlite3_reset(statement), SQLITE_OK);
    return answered + (uint64_t)(sqlite3_total_changes(database->handle) - before);
}

static uint64_t run_transaction(struct database *database, sqlite3_stmt *statement, const struct load *load,
                                unsigned first, unsigned end)
{
    uint64_t rows = 0;
    venturi_span span = venturi_begin(database->transaction, first + 1);
    run_all(database, "BEGIN");
    for (unsigned turn = first; turn < end; turn++) {
        bind(database, statement, load->values, turn);
        rows += run_once(database, statement);
    }
    run_all(database, "COMMIT");
    venturi_end(&span, rows, 0);
    return rows;
}

static void run_load(struct database *database, const struct load *load)
{
    unsigned turns = load->share ? database->n / load->share : load->turns;
    sqlite3_stmt *statement;
    uint64_t rows = 0;
    venturi_lap(venturi_stage_named(load->stage));
    if (load->before)
        run_all(database, load->before);
    need(database, sqlite3_prepare_v2(database->handle, load->sql, -1, &statement, NULL), SQLITE_OK);
    for (unsigned first = 0; first < turns; first += load->in_transaction) {
        unsigned end = first + load->in_transaction;
        rows += run_transaction(database, statement, load, first, end < turns ? end : turns);
    }
    need(database, sqlite3_finalize(statement), SQLITE_OK);
    venturi_lap_count(rows, 0);
}

int main(int argc, char **argv)
{
    struct database database = {.sum = 14695981039346656037U, .transaction = venturi_stage_named("transaction")};
    unsigned long n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (n < 100 || n > N_MAX) {
        (void)fprintf(stderr, "usage: bench-host-sqlite N RESULT, N from 100 to %d\n", N_MAX);
        return 2;
    }
    database.n = (unsigned)n;
    need(&database, sqlite3_open(":memory:", &database.handle), SQLITE_OK);
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
        run_load(&database, &loads[i]);
    venturi_lap_end();
    FILE *result = fopen(argv[2], "w");
    bool written = result && fprintf(result, "%016" PRIx64 "\n", database.sum) > 0;
    if (!result || fclose(result) != 0 || !written) {
        perror(argv[2]);
        return 1;
    }
    return sqlite3_close(database.handle) == SQLITE_OK ? 0 : 1;
}
