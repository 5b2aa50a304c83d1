/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/say.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void numbers_read_well(void **state)
{
    (void)state;
    assert_string_equal(say_effect((struct interval){4.11, 4.72, 5.58}).text, "4.7x [4.1, 5.6]");
    assert_string_equal(say_effect((struct interval){0.991, 1.003, 1.014}).text, "1.00x [0.99, 1.01]");
    assert_string_equal(say_ratio(12.3).text, "12x");
    assert_string_equal(say_ratio(INFINITY).text, "no limit");
    assert_string_equal(say_share((struct interval){0.889, 0.902, 0.911}).text, "90 % [89, 91]");
    assert_string_equal(say_percent(0.0423).text, "4.2 %");
    assert_string_equal(say_count(47312).text, "47.3 K");
    assert_string_equal(say_count(999999).text, "1.00 M");
    assert_string_equal(say_count(5).text, "5");
    assert_string_equal(say_counts((struct interval){46000, 47300, 48120}).text, "47.3 K [46.0 K, 48.1 K]");
    assert_string_equal(say_seconds(0.857).text, "857 ms");
    assert_string_equal(say_seconds(4.612).text, "4.61 s");
    assert_string_equal(say_seconds(0.0000123).text, "12.3 us");
    assert_string_equal(say_seconds(0).text, "0 s");
    assert_string_equal(say_bytes(21000000).text, "21.0 MB");
    assert_string_equal(say_bytes(12).text, "12 B");
    assert_string_equal(say_days(0.5).text, "0.5 day");
    assert_string_equal(say_days(2).text, "2 days");
}

static void what_was_not_measured_says_so(void **state)
{
    (void)state;
    const struct interval nothing = {NAN, NAN, NAN};
    assert_string_equal(say_effect(nothing).text, "not known");
    assert_string_equal(say_share(nothing).text, "not known");
    assert_string_equal(say_counts(nothing).text, "not known");
    assert_string_equal(say_seconds(NAN).text, "not known");
    assert_string_equal(say_days(0).text, "not known");
    assert_string_equal(say_bytes(NAN).text, "not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_read_well),
                                       cmocka_unit_test(what_was_not_measured_says_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
