/* SPDX-License-Identifier: Apache-2.0 */
#include "common/month.h"

#include <stdio.h>
#include <string.h>

bool month_parse(struct month *out, const char *text)
{
    if (strlen(text) != 7 || strspn(text, "0123456789") != 4 || text[4] != '-' || strspn(text + 5, "0123456789") != 2)
        return false;
    out->year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    out->number = (text[5] - '0') * 10 + (text[6] - '0');
    return out->year >= 1970 && out->year < 3000 && out->number >= 1 && out->number <= 12;
}

const char *month_name(char *name, struct month month)
{
    snprintf(name, MONTH_NAME_BYTES, "%04u-%02u", (unsigned)month.year % 10000, (unsigned)month.number % 100);
    return name;
}

struct month month_after(struct month month, unsigned count)
{
    unsigned months = (unsigned)month.year * 12 + (unsigned)month.number - 1 + count;
    return (struct month){.year = (int)(months / 12), .number = (int)(months % 12) + 1};
}

/* Days since 1970-01-01 of the month's first day: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t first_day(struct month month)
{
    int64_t year = month.year - (month.number <= 2);
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month.number + (month.number > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int64_t month_start_us(struct month month)
{
    return first_day(month) * 24 * 60 * US_PER_MINUTE;
}

unsigned month_minutes(struct month month)
{
    return (unsigned)(first_day(month_after(month, 1)) - first_day(month)) * 24 * 60;
}

int64_t month_timestamp_unit_us(struct month month)
{
    return month.year >= 2025 ? 1 : 1000;
}

bool month_file_name(char *name, size_t name_bytes, const char *symbol, struct month month, const char *suffix)
{
    char text[MONTH_NAME_BYTES];
    int length = snprintf(name, name_bytes, "%s-1m-%s%s", symbol, month_name(text, month), suffix);
    return length > 0 && (size_t)length < name_bytes;
}

bool symbol_valid(const char *symbol)
{
    size_t length = strlen(symbol);
    return length >= 1 && length <= 20 && strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == length;
}
