/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void reads_each_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {
        {"250ms", 250000000}, {"90s", 90000000000}, {"1.5m", 90000000000}, {"1h", 3600000000000}, {"5us", 5000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ns = 0;
        assert_true(duration_parse(&ns, cases[i].text));
        assert_int_equal(ns, cases[i].ns);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const cases[] = {"",    "5",     "s",   "-5s",  " 5s",  "5 s", "0s",    "inf",
                                        "nan", "1e99h", "5sx", "0x5s", "1e3s", "+5s", "1.5.s", "5s "};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ns = 77;
        assert_false(duration_parse(&ns, cases[i]));
        assert_int_equal(ns, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_each_unit), cmocka_unit_test(refuses_everything_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
