/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdict names survive the trip through JSON.
 */
#include "stats/effect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_verdict_has_a_name_that_leads_back(void **state)
{
    (void)state;
    for (int i = VERDICT_FASTER; i <= VERDICT_PRELIMINARY; i++) {
        enum verdict back;
        assert_true(verdict_from_name(&back, verdict_name((enum verdict)i)));
        assert_int_equal(back, i);
    }
    assert_string_equal(verdict_name(VERDICT_CANNOT_TELL), "cannot_tell");
}

static void an_unknown_name_is_refused(void **state)
{
    (void)state;
    enum verdict untouched = VERDICT_SAME;
    assert_false(verdict_from_name(&untouched, "Faster"));
    assert_false(verdict_from_name(&untouched, ""));
    assert_int_equal(untouched, VERDICT_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_has_a_name_that_leads_back),
        cmocka_unit_test(an_unknown_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
