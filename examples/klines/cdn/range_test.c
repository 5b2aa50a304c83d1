/* SPDX-License-Identifier: Apache-2.0 */
#include "cdn/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct example {
    const char *header;
    uint64_t size;
    enum range_answer answer;
    uint64_t first, count;
};

static void ranges_are_read_as_in_rfc_9110(void **state)
{
    static const struct example examples[] = {
        {NULL, 100, RANGE_WHOLE, 0, 100},
        {"bytes=0-0", 100, RANGE_PART, 0, 1},
        {"bytes=10-19", 100, RANGE_PART, 10, 10},
        {"bytes=99-", 100, RANGE_PART, 99, 1},
        {"bytes=0-99", 100, RANGE_PART, 0, 100},
        {"bytes=0-100", 100, RANGE_PART, 0, 100},
        {"bytes=0-18446744073709551615", 100, RANGE_PART, 0, 100},
        {"bytes=0-18446744073709551616", 100, RANGE_PART, 0, 100},
        {"bytes=18446744073709551616-5", 100, RANGE_WHOLE, 0, 100},
        {"bytes=18446744073709551616-", 100, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=-1", 100, RANGE_PART, 99, 1},
        {"bytes=-100", 100, RANGE_PART, 0, 100},
        {"bytes=-101", 100, RANGE_PART, 0, 100},
        {"bytes=-0", 100, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=100-", 100, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5-4", 100, RANGE_WHOLE, 0, 100},
        {"bytes=1-2,4-5", 100, RANGE_WHOLE, 0, 100},
        {"bytes=-", 100, RANGE_WHOLE, 0, 100},
        {"bytes=+1-2", 100, RANGE_WHOLE, 0, 100},
        {"bytes=1--2", 100, RANGE_WHOLE, 0, 100},
        {"rows=1-2", 100, RANGE_WHOLE, 0, 100},
        {"", 100, RANGE_WHOLE, 0, 100},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        struct range range;
        assert_int_equal(range_read(&range, e->header, e->size), e->answer);
        assert_int_equal(range.first, e->first);
        assert_int_equal(range.count, e->count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_are_read_as_in_rfc_9110)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
