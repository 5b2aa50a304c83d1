/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/ilp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define E8 100000000u

/* `width` 0 = as many digits as it takes. */
static char *put_digits(char *at, uint64_t number, int width)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || count < width);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Eight decimals wherever they name the double exactly, which they do for everything that Binance prints. */
static char *put_decimal(char *at, double value)
{
    uint64_t units = value < 9e7 ? (uint64_t)(value * E8 + 0.5) : 0; /* below 2^53 */
    if ((double)units / E8 != value)
        return at + sprintf(at, "%.17g", value);
    at = put_digits(at, units / E8, 0);
    *at++ = '.';
    return put_digits(at, units % E8, 8);
}

char *ilp_write(char *line, const char *table, const struct kline *row)
{
    char *at = stpcpy(line, table);
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        *at++ = i == 0 ? ' ' : ',';
        at = stpcpy(at, kline_decimal_names[i]);
        *at++ = '=';
        at = put_decimal(at, row->decimals[i]);
    }
    at = stpcpy(at, ",close_time=");
    at = put_digits(at, (uint64_t)row->close_time_us, 0);
    at = stpcpy(at, "t,count=");
    at = put_digits(at, (uint64_t)row->count, 0);
    at = stpcpy(at, "i ");
    at = put_digits(at, (uint64_t)row->open_time_us, 0);
    *at++ = '\n';
    return at;
}
