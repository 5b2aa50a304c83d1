/* SPDX-License-Identifier: Apache-2.0
 *
 * klines-data: writes the monthly archives that Binance would publish, for the CDN stand-in to serve.
 */
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "common/args.h"
#include "common/month.h"
#include "maker/market.h"
#include "maker/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BYTES_MAX = 256 };

struct options {
    const char *symbols, *from, *out;
    long long months, rows_per_month;
    uint64_t seed;
};

static enum args_outcome read_options(struct options *options, int argc, char **argv)
{
    const struct arg args[] = {
        {"symbols", "A,B", "trading pairs (BTCUSDT)", arg_text, &options->symbols, 0, 0, NULL},
        {"from", "YYYY-MM", "first month (2024-01)", arg_text, &options->from, 0, 0, NULL},
        {"months", "N", "months a symbol (1)", arg_number, &options->months, 1, 600, NULL},
        {"rows-per-month", "N", "at most N rows a month (all minutes)", arg_number, &options->rows_per_month, 1,
         MONTH_ROWS_MAX, NULL},
        {"seed", "N", "same seed, same bytes (1)", arg_seed, &options->seed, 0, 0, NULL},
        {"out", "DIR", "folder to fill (.)", arg_text, &options->out, 0, 0, NULL},
    };
    const struct program program = {"klines-data", "\nWrites SYMBOL-1m-YYYY-MM.zip archives in Binance's format.",
                                    "Exit status: 0 done, 1 failed, 2 wrong usage.", args, sizeof args / sizeof *args};
    int operand;
    enum args_outcome outcome = args_read(&operand, &program, argc, argv);
    if (outcome == ARGS_RUN && operand < argc)
        return args_wrong(&program, "unexpected operand '%s'; see --help", argv[operand]);
    return outcome;
}

static enum err write_month(const struct options *options, const char *symbol, struct month month, struct diag *diag)
{
    char name[64], path[4096];
    AUTO(text_fini) struct text csv;
    text_init(&csv, (size_t)MONTH_ROWS_MAX * ROW_BYTES_MAX);
    market_month(&csv, options->seed, symbol, month, (unsigned)options->rows_per_month);
    TRY(text_check(&csv, diag));
    month_file_name(name, sizeof name, symbol, month, ".zip");
    if ((size_t)snprintf(path, sizeof path, "%s/%s", options->out, name) >= sizeof path)
        return diag_fail(diag, ERR_CONFIG, "--out", NULL, "the path is too long");
    month_file_name(name, sizeof name, symbol, month, ".csv");
    return zip_write(path, name, csv.data, csv.length_bytes, diag);
}

static enum err write_symbol(const struct options *options, const char *symbol, struct diag *diag)
{
    struct month from;
    if (!symbol_valid(symbol))
        return diag_fail(diag, ERR_CONFIG, "--symbols", NULL, "expected capital letters and digits, got '%s'", symbol);
    if (!month_parse(&from, options->from))
        return diag_fail(diag, ERR_CONFIG, "--from", NULL, "expected a month such as 2024-01, got '%s'", options->from);
    for (unsigned i = 0; i < options->months; i++)
        TRY(write_month(options, symbol, month_after(from, i), diag));
    return ERR_OK;
}

static enum err write_all(const struct options *options, struct diag *diag)
{
    TRY(dir_make(options->out, diag));
    for (const char *rest = options->symbols; *rest != '\0';) {
        char symbol[32];
        size_t length = strcspn(rest, ",");
        snprintf(symbol, sizeof symbol, "%.*s", (int)(length < sizeof symbol ? length : sizeof symbol), rest);
        TRY(write_symbol(options, symbol, diag));
        rest += length + (rest[length] == ',');
    }
    return ERR_OK;
}

int main(int argc, char **argv)
{
    struct options options = {
        .symbols = "BTCUSDT", .from = "2024-01", .out = ".", .months = 1, .rows_per_month = MONTH_ROWS_MAX, .seed = 1};
    struct diag diag = {0};
    char line[900];
    setenv("TZ", "UTC0", 1); /* a ZIP stores local time */
    enum args_outcome outcome = read_options(&options, argc, argv);
    if (outcome != ARGS_RUN)
        return outcome == ARGS_DONE ? 0 : 2;
    enum err error = write_all(&options, &diag);
    if (error != ERR_OK)
        fprintf(stderr, "klines-data: %s\n", diag_line(&diag, line, sizeof line));
    return error == ERR_OK ? 0 : error == ERR_CONFIG ? 2 : 1;
}
