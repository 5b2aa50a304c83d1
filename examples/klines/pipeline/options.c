/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/options.h"

#include <string.h>

enum { MONTHS_MAX = 600 };

static const struct sink_kind *const sink_kinds[] = {&sink_sqlite, &sink_questdb, &sink_none};
static const char *const sink_words[] = {"sqlite", "questdb", "none", NULL};
static const char *const insert_words[] = {"prepared", "multi", "unprepared", NULL};
static const char *const journal_words[] = {"wal", "delete", "truncate", "persist", NULL};
static const char *const synchronous_words[] = {"off", "normal", "full", NULL};

static const char exit_statuses[] =
    "Each month is whole in the sink or absent from it. The last line is `rows N checksum HEX`.\n\n"
    "Exit status: 0 done, 1 out of memory or threads, 2 wrong usage, 3 download failed, 4 bad archive or row,\n"
    "5 sink failed.";

/* As written on the command line, before it is checked as a whole. */
struct written {
    const char *from;
    long long months, concurrency, batch, retries;
    int sink, insert, journal, synchronous;
    bool reset, checksum;
};

static enum args_outcome check(struct options *options, const struct written *w, const struct program *program)
{
    if (!symbol_valid(options->sink.symbol))
        return args_wrong(program, "--symbol: expected capital letters and digits, got '%s'", options->sink.symbol);
    if (!month_parse(&options->from, w->from))
        return args_wrong(program, "--from: expected a month such as 2024-01, got '%s'", w->from);
    if (w->reset && w->checksum)
        return args_wrong(program, "--reset and --checksum are two runs");
    options->action = w->reset ? ACTION_RESET : w->checksum ? ACTION_CHECKSUM : ACTION_RUN;
    if (options->action == ACTION_RUN && options->download.base_url == NULL)
        return args_wrong(program, "--cdn: expected the address that the archives are fetched from");
    options->sink_kind = sink_kinds[w->sink];
    if (options->sink.db == NULL && options->sink_kind != &sink_none)
        return args_wrong(program, "--db: expected a file (sqlite) or an address (questdb)");
    options->sink.sqlite_insert = (enum sqlite_insert)w->insert;
    options->sink.sqlite_journal = options->action == ACTION_RUN ? journal_words[w->journal] : NULL;
    options->sink.sqlite_synchronous = synchronous_words[w->synchronous];
    options->months = (unsigned)w->months;
    options->concurrency = (unsigned)w->concurrency;
    options->batch_rows = (size_t)w->batch;
    options->download.retries = (unsigned)w->retries;
    return ARGS_RUN;
}

enum args_outcome options_read(struct options *o, int argc, char **argv)
{
    struct written w = {
        .from = "2024-01", .months = 1, .concurrency = 1, .batch = MONTH_ROWS_MAX, .retries = 4, .synchronous = 1};
    *o = (struct options){.sink.symbol = "BTCUSDT", .download = {.timeout_ns = 60000000000}};
    const struct arg args[] = {
        {"cdn", "URL", "where the archives are: http://host/folder", arg_text, &o->download.base_url, 0, 0, NULL},
        {"symbol", "SYMBOL", "trading pair (BTCUSDT)", arg_text, &o->sink.symbol, 0, 0, NULL},
        {"from", "YYYY-MM", "first month (2024-01)", arg_text, &w.from, 0, 0, NULL},
        {"months", "N", "months to load (1)", arg_number, &w.months, 1, MONTHS_MAX, NULL},
        {"sink", "sqlite|questdb|none", "where the rows go (sqlite)", arg_choice, &w.sink, 0, 0, sink_words},
        {"db", "FILE|URL", "the sink's file or address", arg_text, &o->sink.db, 0, 0, NULL},
        {"concurrency", "K", "downloads at a time (1)", arg_number, &w.concurrency, 1, OPTIONS_CONCURRENCY_MAX, NULL},
        {"overlap", "0|1", "a thread for each stage (0)", arg_flag, &o->overlap, 0, 0, NULL},
        {"streaming", "0|1", "extract while the download arrives (0)", arg_flag, &o->streaming, 0, 0, NULL},
        {"keep-alive", "0|1", "one connection for all downloads of a thread (0)", arg_flag, &o->download.keep_alive, 0,
         0, NULL},
        {"batch", "ROWS", "a transaction or request (44640)", arg_number, &w.batch, 1, MONTH_ROWS_MAX, NULL},
        {"insert", "prepared|multi|unprepared", "how SQLite is told (prepared)", arg_choice, &w.insert, 0, 0,
         insert_words},
        {"sqlite-journal", "wal|delete|truncate|persist", "journal mode (wal)", arg_choice, &w.journal, 0, 0,
         journal_words},
        {"sqlite-synchronous", "off|normal|full", "(normal)", arg_choice, &w.synchronous, 0, 0, synchronous_words},
        {"retries", "N", "further tries of a download (4)", arg_number, &w.retries, 0, 100, NULL},
        {"timeout", "TIME", "for one download, all tries together (60s)", arg_duration, &o->download.timeout_ns, 0, 0,
         NULL},
        {"reset", NULL, "only remove what was loaded of the symbol", arg_flag, &w.reset, 0, 0, NULL},
        {"checksum", NULL, "only read the sink back and print rows and checksum", arg_flag, &w.checksum, 0, 0, NULL},
    };
    const struct program program = {"klines", "\nLoads months of one-minute klines from a CDN into a database.",
                                    exit_statuses, args, sizeof args / sizeof *args};
    int operand;
    enum args_outcome outcome = args_read(&operand, &program, argc, argv);
    if (outcome == ARGS_RUN && operand < argc)
        return args_wrong(&program, "unexpected operand '%s'; see --help", argv[operand]);
    return outcome == ARGS_RUN ? check(o, &w, &program) : outcome;
}
