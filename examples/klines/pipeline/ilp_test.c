/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/ilp.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 200000 };

static const char *value_of(const char *line, const char *name)
{
    char key[40] = "";
    strcat(strcat(key, name), "=");
    const char *at = strstr(line, key);
    assert_non_null(at);
    return at + strlen(key);
}

static void a_line_has_every_column(void **state)
{
    char line[ILP_LINE_BYTES_MAX];
    struct kline row = {.open_time_us = 1704067200000000,
                        .close_time_us = 1704067259999000,
                        .count = 7,
                        .decimals = {42283.58, 0.00000001, 0, 1, 12345678.12345678, 5e22, 0.1, 90000000}};
    (void)state;
    *ilp_write(line, "klines_x", &row) = '\0';
    assert_string_equal(line, "klines_x open=42283.58000000,high=0.00000001,low=0.00000000,close=1.00000000,"
                              "volume=12345678.12345678,quote_volume=4.9999999999999996e+22,"
                              "taker_buy_volume=0.10000000,taker_buy_quote_volume=90000000,"
                              "close_time=1704067259999000t,count=7i 1704067200000000\n");
}

/* Eight-decimal numbers of every size, and arbitrary doubles. */
static double random_decimal(struct rng *rng)
{
    double units = (double)(rng_next(rng) >> rng_below(rng, 63));
    return rng_coin(rng) ? units / 1e8 : units * rng_uniform(rng);
}

static void every_decimal_reads_back_as_the_same_double(void **state)
{
    struct rng rng;
    char line[ILP_LINE_BYTES_MAX];
    (void)state;
    rng_init(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct kline row = {.decimals = {random_decimal(&rng)}};
        char *end = ilp_write(line, "t", &row);
        *end = '\0';
        assert_true(end - line < ILP_LINE_BYTES_MAX);
        assert_true(strtod(value_of(line, "open"), NULL) == row.decimals[KLINE_OPEN]);
    }
}

static void the_longest_line_fits(void **state)
{
    char line[ILP_LINE_BYTES_MAX];
    struct kline row = {.open_time_us = INT64_MAX, .close_time_us = INT64_MAX, .count = INT64_MAX};
    (void)state;
    for (int i = 0; i < KLINE_DECIMALS; i++)
        row.decimals[i] = 1.2345678901234567e+300;
    assert_true(ilp_write(line, "klines_abcdefghijklmnopqrst", &row) - line < ILP_LINE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_every_column),
        cmocka_unit_test(every_decimal_reads_back_as_the_same_double),
        cmocka_unit_test(the_longest_line_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
