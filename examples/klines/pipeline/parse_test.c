/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/parse.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW(time, price) time "," price ",2.0,1.0,1.5,3.00000000,1704067259999,4.5,7,1.0,2.0,0\n"

enum { ROUNDS = 2000 };
static const struct month january = {2024, 1};

static enum status parse_text(struct rows *rows, const char *text, size_t bytes, struct failure *failure)
{
    struct bytes csv;
    bytes_init(&csv, 1 << 20);
    assert_true(bytes_add(&csv, text, bytes));
    enum status status = parse_csv(rows, &csv, january, "x.csv", failure);
    bytes_fini(&csv);
    return status;
}

static void rows_are_read(void **state)
{
    static const char text[] = ROW("1704067200000", "1.1") ROW("1704067260000", "0.00000003");
    struct rows rows;
    struct failure failure;
    (void)state;
    assert_int_equal(parse_text(&rows, text, strlen(text), &failure), STATUS_OK);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.content.rows, 2);
    assert_int_equal(rows.items[1].open_time_us, 1704067260000000);
    assert_int_equal(rows.items[0].close_time_us, 1704067259999000);
    assert_int_equal(rows.items[0].count, 7);
    assert_true(rows.items[0].decimals[KLINE_OPEN] == 1.1);
    assert_true(rows.items[1].decimals[KLINE_OPEN] == 0.00000003);
    assert_true(rows.items[0].decimals[KLINE_TAKER_BUY_QUOTE_VOLUME] == 2.0);
    rows_fini(&rows);
}

/* strtod is the oracle, on decimals of every length. */
static void decimals_are_the_nearest_doubles(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 2);
    for (int i = 0; i < ROUNDS; i++) {
        char price[40], text[200];
        struct rows rows;
        struct failure failure;
        int decimals = 1 + (int)rng_below(&rng, 8);
        uint64_t whole = rng_below(&rng, 1000000000) >> rng_below(&rng, 30);
        uint64_t fraction = rng_below(&rng, 100000000);
        snprintf(price, sizeof price, "%llu.%08llu", (unsigned long long)whole, (unsigned long long)fraction);
        price[strlen(price) - 8 + (size_t)decimals] = '\0';
        snprintf(text, sizeof text, ROW("1704067200000", "%s"), price);
        assert_int_equal(parse_text(&rows, text, strlen(text), &failure), STATUS_OK);
        assert_true(rows.items[0].decimals[KLINE_OPEN] == strtod(price, NULL));
        rows_fini(&rows);
    }
}

/* Whatever is in the text: no crash, and an error names a line. */
static void rubbish_is_refused(void **state)
{
    static const char text[] = ROW("1704067200000", "1.1") ROW("1704067260000", "1.2") ROW("1704067320000", "1.3");
    static const char bytes[] = "0123456789.,\n\r\0-e x\xff";
    struct rng rng;
    (void)state;
    rng_init(&rng, 3);
    for (int i = 0; i < ROUNDS; i++) {
        char mutated[sizeof text];
        struct rows rows;
        struct failure failure;
        memcpy(mutated, text, sizeof text);
        for (uint64_t edits = 1 + rng_below(&rng, 4); edits > 0; edits--)
            mutated[rng_below(&rng, sizeof text - 1)] = bytes[rng_below(&rng, sizeof bytes - 1)];
        enum status status = parse_text(&rows, mutated, rng_below(&rng, sizeof text), &failure);
        if (status != STATUS_OK) {
            assert_int_equal(status, STATUS_DATA);
            assert_non_null(strstr(failure.text, "x.csv: "));
        }
        rows_fini(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(decimals_are_the_nearest_doubles),
        cmocka_unit_test(rubbish_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
