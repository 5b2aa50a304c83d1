/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_long_run_is_one_repetition(void **state)
{
    (void)state;
    assert_int_equal(batch_next(1, 0.05), 1);
    assert_int_equal(batch_next(1, 3600), 1);
    assert_true(batch_is_enough(1, 0.05));
    assert_false(batch_is_enough(1, 0.0499));
}

static void a_short_run_gets_as_many_as_it_needs(void **state)
{
    (void)state;
    assert_int_equal(batch_next(1, 0.03), 2);
    assert_int_equal(batch_next(1, 0.006), 10);
    assert_int_equal(batch_next(10, 0.006), 10);
    assert_int_equal(batch_next(10, 0.0049), 13); /* the first was cold */
    assert_true(batch_is_enough(13, 0.0049));
}

/* It always gets on, and ends: whatever the clock says. */
static void there_is_a_limit(void **state)
{
    (void)state;
    const double durations_s[] = {0, 1e-300, 1e-6, 0.0002, 0.0003};
    for (size_t i = 0; i < sizeof durations_s / sizeof *durations_s; i++) {
        unsigned repeats = 1, tries = 0;
        for (; !batch_is_enough(repeats, durations_s[i]); tries++) {
            unsigned next = batch_next(repeats, durations_s[i]);
            assert_true(next > repeats);
            repeats = next;
        }
        assert_in_range(repeats, 150, BATCH_REPEATS_MAX);
        assert_in_range(tries, 1, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_run_is_one_repetition),
        cmocka_unit_test(a_short_run_gets_as_many_as_it_needs),
        cmocka_unit_test(there_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
