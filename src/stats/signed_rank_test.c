/* SPDX-License-Identifier: Apache-2.0
 *
 * Values worked out by hand; tests/stats compares many more with SciPy.
 */
#include "stats/signed_rank.h"

#include "stats/stats_fixture.h"

#define EXACT 1e-12

static double p_of(void **state, const double *values, size_t count)
{
    double p = -1;
    assert_int_equal(signed_rank_p(&p, values, count, *state, NULL), ERR_OK);
    return p;
}

static struct interval interval_of(void **state, const double *values, size_t count, double alpha)
{
    struct interval out;
    assert_int_equal(signed_rank_interval(&out, values, count, alpha, *state, NULL), ERR_OK);
    return out;
}

static void p_counts_sign_patterns(void **state)
{
    const double all_up[] = {1, 2, 3, 4, 5, 6, 7, 8}, mixed[] = {1, -2, 3, 4, 5}, down[] = {-1, 2, -3, -4, -5};
    assert_near(p_of(state, all_up, 8), 2.0 / 256, EXACT);
    assert_near(p_of(state, mixed, 5), 2 * 3.0 / 32, EXACT); /* sums 0, 1 and 2 */
    assert_near(p_of(state, down, 5), 2 * 3.0 / 32, EXACT);
}

static void p_shares_ranks_between_ties(void **state)
{
    const double tied[] = {1, 1, -1}, pair[] = {1, -1, 3, 4};
    assert_near(p_of(state, tied, 3), 1, EXACT);
    /* ranks 1.5 1.5 3 4; smaller sum 1.5: patterns {}, {1.5}, {1.5} of 16 */
    assert_near(p_of(state, pair, 4), 2 * 3.0 / 16, EXACT);
}

static void p_gives_zeros_a_rank_and_no_side(void **state)
{
    const double some[] = {0, 1, 2, 3}, all[] = {0, 0, 0}, small_negative[] = {0, 0, -1, 2};
    assert_near(p_of(state, some, 4), 2.0 / 8, EXACT);
    assert_near(p_of(state, all, 3), 1, EXACT);
    assert_near(p_of(state, all, 0), 1, EXACT);
    /* ranks 3 and 4: the smaller sum 3 has patterns {} and {3} of 4 */
    assert_near(p_of(state, small_negative, 4), 1, EXACT);
}

static void the_interval_is_ordered_walsh_averages(void **state)
{
    /* Ten values, alpha 0.05: P(W <= 8) = 25/1024, P(W <= 9) = 33/1024, so 8 averages go at each end. */
    const double values[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    struct interval out = interval_of(state, values, 10, 0.05);
    assert_near(out.low, 3, EXACT);
    assert_near(out.mid, 5.5, EXACT);
    assert_near(out.high, 8, EXACT);
}

static void too_few_values_give_their_range(void **state)
{
    const double values[] = {3, 1, 2};
    struct interval out = interval_of(state, values, 3, 0.01), one = interval_of(state, values, 1, 0.01);
    assert_near(out.low, 1, EXACT);
    assert_near(out.mid, 2, EXACT);
    assert_near(out.high, 3, EXACT);
    assert_near(one.low, 3, EXACT);
    assert_near(one.high, 3, EXACT);
}

static void any_alpha_leaves_low_mid_high_in_order(void **state)
{
    const double values[] = {5, -1, 2, 2, 0, 7, 3};
    for (double alpha = 0; alpha <= 1.01; alpha += 0.1) {
        struct interval out = interval_of(state, values, 7, alpha);
        assert_true(out.low <= out.mid && out.mid <= out.high);
    }
}

static enum err both(struct arena *arena, struct diag *diag)
{
    const double values[] = {5, -1, 2, 2, 0, 7, 3};
    struct interval interval;
    double p;
    TRY(signed_rank_interval(&interval, values, 7, 0.05, arena, diag));
    return signed_rank_p(&p, values, 7, arena, diag);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    assert_survives_every_failed_allocation(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_counts_sign_patterns),
        cmocka_unit_test(p_shares_ranks_between_ties),
        cmocka_unit_test(p_gives_zeros_a_rank_and_no_side),
        cmocka_unit_test(the_interval_is_ordered_walsh_averages),
        cmocka_unit_test(too_few_values_give_their_range),
        cmocka_unit_test(any_alpha_leaves_low_mid_high_in_order),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
