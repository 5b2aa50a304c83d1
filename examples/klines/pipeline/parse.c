/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/parse.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 12, DIGITS_MAX = 18 };

static const double powers_of_ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
enum { DECIMALS_MAX = sizeof powers_of_ten / sizeof *powers_of_ten - 1 };

/* Reads digits and adds their number to *digits; the NUL behind the text ends them at the latest. */
static uint64_t read_digits(const char **at, int *digits)
{
    const char *p = *at;
    uint64_t value = 0;
    while ((unsigned char)(*p - '0') < 10 && p - *at <= DIGITS_MAX)
        value = value * 10 + (uint64_t)(*p++ - '0');
    *digits += (int)(p - *at);
    *at = p;
    return value;
}

static bool read_end(const char **at, char end)
{
    return *(*at)++ == end;
}

static bool read_whole(int64_t *out, const char **at)
{
    int digits = 0;
    *out = (int64_t)read_digits(at, &digits);
    return digits >= 1 && digits <= DIGITS_MAX && read_end(at, ',');
}

/* A quotient of two exactly representable numbers is the double nearest to the decimal (Clinger 1990, the fast path);
 * longer numbers go to strtod. */
static bool read_decimal(double *out, const char **at)
{
    const char *text = *at;
    int digits = 0, decimals = 0;
    uint64_t mantissa = read_digits(at, &digits);
    if (**at == '.') {
        ++*at;
        uint64_t fraction = read_digits(at, &decimals);
        if (digits < 1 || decimals < 1 || decimals > DECIMALS_MAX || digits + decimals > DIGITS_MAX)
            return false;
        mantissa = mantissa * (uint64_t)powers_of_ten[decimals] + fraction;
    }
    *out = mantissa <= 1ULL << 53 ? (double)mantissa / powers_of_ten[decimals] : strtod(text, NULL);
    return digits >= 1 && digits + decimals <= DIGITS_MAX && read_end(at, ',');
}

static bool read_last(const char **at)
{
    int digits = 0;
    read_digits(at, &digits);
    return digits >= 1 && (**at == '\0' || read_end(at, '\n'));
}

static bool read_row(struct kline *row, const char **at, int64_t unit_us)
{
    double *decimals = row->decimals;
    bool right = read_whole(&row->open_time_us, at) && read_decimal(&decimals[KLINE_OPEN], at) &&
                 read_decimal(&decimals[KLINE_HIGH], at) && read_decimal(&decimals[KLINE_LOW], at) &&
                 read_decimal(&decimals[KLINE_CLOSE], at) && read_decimal(&decimals[KLINE_VOLUME], at) &&
                 read_whole(&row->close_time_us, at) && read_decimal(&decimals[KLINE_QUOTE_VOLUME], at) &&
                 read_whole(&row->count, at) && read_decimal(&decimals[KLINE_TAKER_BUY_VOLUME], at) &&
                 read_decimal(&decimals[KLINE_TAKER_BUY_QUOTE_VOLUME], at) && read_last(at);
    if (!right || row->open_time_us > INT64_MAX / unit_us || row->close_time_us > INT64_MAX / unit_us)
        return false;
    row->open_time_us *= unit_us;
    row->close_time_us *= unit_us;
    return true;
}

/* Why the line that starts at `line` is no row. */
static enum status explain(const char *line, size_t number, const char *where, struct failure *failure)
{
    size_t length = strcspn(line, "\n"), fields = 1;
    for (size_t i = 0; i < length; i++)
        fields += line[i] == ',';
    if (fields != FIELDS)
        return fail_with(failure, STATUS_DATA, "%s: line %zu: %zu fields, expected %d", where, number, fields, FIELDS);
    return fail_with(failure, STATUS_DATA, "%s: line %zu: expected %d numbers, got '%.*s'", where, number, FIELDS,
                     (int)(length < 120 ? length : 120), line);
}

/* Times must rise within the month: a row out of place is a row of another file. */
static enum status check_time(const struct rows *rows, const struct kline *row, struct month month, const char *where,
                              struct failure *failure)
{
    int64_t earliest_us = rows->count ? row[-1].open_time_us + 1 : month_start_us(month);
    if (row->open_time_us >= earliest_us && row->open_time_us < month_start_us(month_after(month, 1)))
        return STATUS_OK;
    return fail_with(failure, STATUS_DATA, "%s: line %zu: its open time is not in the month or not behind the last",
                     where, rows->count + 1);
}

enum status parse_csv(struct rows *rows, const struct bytes *csv, struct month month, const char *where,
                      struct failure *failure)
{
    size_t minutes = month_minutes(month);
    int64_t unit_us = month_timestamp_unit_us(month);
    *rows = (struct rows){.items = malloc(minutes * sizeof(struct kline))};
    if (rows->items == NULL)
        return fail_no_memory(failure);
    if (csv->count == 0)
        return fail_with(failure, STATUS_DATA, "%s: no rows", where);
    for (const char *at = csv->data, *end = at + csv->count; at < end; rows->count++) {
        const char *line = at;
        struct kline *row = &rows->items[rows->count];
        if (rows->count == minutes)
            return fail_with(failure, STATUS_DATA, "%s: more rows than the month has minutes", where);
        if (!read_row(row, &at, unit_us))
            return explain(line, rows->count + 1, where, failure);
        TRY(check_time(rows, row, month, where, failure));
        content_add(&rows->content, row);
    }
    return STATUS_OK;
}

void rows_fini(struct rows *rows)
{
    free(rows->items);
    *rows = (struct rows){0};
}
