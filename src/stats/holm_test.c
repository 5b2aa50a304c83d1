/* SPDX-License-Identifier: Apache-2.0
 *
 * Holm's steps, by hand.
 */
#include "stats/pairs.h"
#include "stats/stats_fixture.h"

static void steps_down_until_the_first_that_stands(void **state)
{
    /* alpha 0.05: 0.01 <= 0.05/4, 0.015 <= 0.05/3, 0.03 > 0.05/2, and so 0.04 <= 0.05/1 is not looked at */
    const double p[] = {0.03, 0.01, 0.04, 0.015};
    bool rejected[4];
    assert_int_equal(holm_reject(rejected, p, 4, 0.05, *state, NULL), ERR_OK);
    assert_false(rejected[0]);
    assert_true(rejected[1]);
    assert_false(rejected[2]);
    assert_true(rejected[3]);
}

static void rejects_all_or_none_or_nothing_at_all(void **state)
{
    const double small[] = {0.001, 0.001, 0.001}, large[] = {0.5, 0.9, 1};
    bool rejected[3];
    assert_int_equal(holm_reject(rejected, small, 3, 0.05, *state, NULL), ERR_OK);
    assert_true(rejected[0] && rejected[1] && rejected[2]);
    assert_int_equal(holm_reject(rejected, large, 3, 0.05, *state, NULL), ERR_OK);
    assert_false(rejected[0] || rejected[1] || rejected[2]);
    const double just = 0.05;
    assert_int_equal(holm_reject(rejected, &just, 1, 0.05, *state, NULL), ERR_OK);
    assert_true(rejected[0]);
    assert_int_equal(holm_reject(rejected, large, 0, 0.05, *state, NULL), ERR_OK);
}

static enum err reject_three(struct arena *arena, struct diag *diag)
{
    const double p[] = {0.03, 0.01, 0.04};
    bool rejected[3];
    return holm_reject(rejected, p, 3, 0.05, arena, diag);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    assert_survives_every_failed_allocation(reject_three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_down_until_the_first_that_stands),
        cmocka_unit_test(rejects_all_or_none_or_nothing_at_all),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
