/* SPDX-License-Identifier: Apache-2.0 */
#include "common/month.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The C library's calendar is the oracle. */
static void starts_agree_with_timegm(void **state)
{
    struct month month = {1970, 1};
    (void)state;
    for (; month.year < 3000; month = month_after(month, 1)) {
        struct tm first = {.tm_year = month.year - 1900, .tm_mon = month.number - 1, .tm_mday = 1};
        assert_int_equal(month_start_us(month), (int64_t)timegm(&first) * 1000000);
    }
    assert_int_equal(month.number, 1);
}

static void months_have_their_minutes(void **state)
{
    (void)state;
    assert_int_equal(month_minutes((struct month){2024, 1}), MONTH_ROWS_MAX);
    assert_int_equal(month_minutes((struct month){2024, 2}), 29 * 1440);
    assert_int_equal(month_minutes((struct month){2025, 2}), 28 * 1440);
    assert_int_equal(month_minutes((struct month){2100, 2}), 28 * 1440);
    assert_int_equal(month_minutes((struct month){2000, 2}), 29 * 1440);
    assert_int_equal(month_minutes((struct month){2024, 4}), 30 * 1440);
}

static void names_are_read_and_written(void **state)
{
    char name[MONTH_NAME_BYTES], file[48];
    struct month month;
    (void)state;
    assert_true(month_parse(&month, "2024-12"));
    assert_string_equal(month_name(name, month_after(month, 1)), "2025-01");
    assert_string_equal(month_name(name, month_after(month, 13)), "2026-01");
    assert_true(month_file_name(file, sizeof file, "BTCUSDT", month, ".zip"));
    assert_string_equal(file, "BTCUSDT-1m-2024-12.zip");
    assert_false(month_file_name(file, 10, "BTCUSDT", month, ".zip"));
    static const char *const wrong[] = {"",        "2024",    "2024-1",   "2024-13", "2024-00", "2024/01",
                                        "1969-12", "3000-01", "2024-011", "-024-01", "2024-+1", " 024-01"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(month_parse(&month, wrong[i]));
}

static void timestamps_change_their_unit_in_2025(void **state)
{
    (void)state;
    assert_int_equal(month_timestamp_unit_us((struct month){2024, 12}), 1000);
    assert_int_equal(month_timestamp_unit_us((struct month){2025, 1}), 1);
}

static void symbols_are_capitals_and_digits(void **state)
{
    (void)state;
    assert_true(symbol_valid("BTCUSDT"));
    assert_true(symbol_valid("1000SATS"));
    assert_false(symbol_valid(""));
    assert_false(symbol_valid("btc"));
    assert_false(symbol_valid("A B"));
    assert_false(symbol_valid("ABCDEFGHIJKLMNOPQRSTU"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_agree_with_timegm),        cmocka_unit_test(months_have_their_minutes),
        cmocka_unit_test(names_are_read_and_written),      cmocka_unit_test(timestamps_change_their_unit_in_2025),
        cmocka_unit_test(symbols_are_capitals_and_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
