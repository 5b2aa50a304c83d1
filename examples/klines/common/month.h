/* SPDX-License-Identifier: Apache-2.0
 *
 * Calendar months (UTC): the archives' unit of work.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_PER_MINUTE 60000000LL

struct month {
    int year;   /* 1970..2999 */
    int number; /* 1..12 */
};

enum { MONTH_NAME_BYTES = 8, MONTH_ROWS_MAX = 31 * 24 * 60 };

/** Reads "2024-01". */
bool month_parse(struct month *out, const char *text);
/** Writes "2024-01" into `name`, at least MONTH_NAME_BYTES; returns `name`. */
const char *month_name(char *name, struct month month);
struct month month_after(struct month month, unsigned count);
/** Of its first instant, since 1970. */
int64_t month_start_us(struct month month);
unsigned month_minutes(struct month month);
/** Microseconds in one unit of the timestamps in its file: Binance wrote milliseconds until 2024, microseconds since.
 */
int64_t month_timestamp_unit_us(struct month month);
/** Writes "BTCUSDT-1m-2024-01" and `suffix`; false when it does not fit. */
bool month_file_name(char *name, size_t name_bytes, const char *symbol, struct month month, const char *suffix);
/** 1 to 20 capital letters and digits. */
bool symbol_valid(const char *symbol);
