/* SPDX-License-Identifier: Apache-2.0
 *
 * What a comparison concludes from pairs made by hand. Whether it is right often enough is bench/calibrate's question.
 */
#include "stats/pairs.h"

#include "stats/stats_fixture.h"

#include <math.h>

#define EXACT 1e-9

/** `count` pairs in which B takes 1 s and A `ratio` * (1 +- spread) s, in both orders in turn. */
static void make_pairs(struct pair *pairs, size_t count, double ratio, double spread)
{
    for (size_t i = 0; i < count; i++) {
        double sway = count > 1 ? 2 * (double)i / (double)(count - 1) - 1 : 0;
        pairs[i] = (struct pair){.a_s = ratio * (1 + spread * sway), .b_s = 1, .b_first = i / 2 % 2 == 0};
    }
}

static struct comparison compare(void **state, const struct pair *pairs, size_t count)
{
    struct comparison out;
    assert_int_equal(pairs_compare(&out, pairs, count, PAIRS_DELTA_DEFAULT, *state, NULL), ERR_OK);
    return out;
}

static void the_looks_are_those_of_the_protocol(void **state)
{
    const size_t expected[] = {8, 12, 18, 27, 40, 40};
    const double alphas[] = {0.008, 0.008, 0.010, 0.012, 0.012, 0.012};
    struct pair pairs[PAIRS_MAX];
    double spent = 0;
    make_pairs(pairs, PAIRS_MAX, 1, 0.1);
    for (size_t i = 0; i <= LOOK_COUNT; i++) {
        struct comparison out = compare(state, pairs, pairs_at_look(i));
        assert_int_equal(out.pairs, expected[i]);
        assert_near(out.alpha, alphas[i], EXACT);
        spent += i < LOOK_COUNT ? out.alpha : 0;
    }
    assert_near(spent, 0.05, EXACT);
}

static void eight_of_eight_decide(void **state)
{
    struct pair pairs[8];
    make_pairs(pairs, 8, 3, 0.01);
    struct comparison out = compare(state, pairs, 8);
    assert_int_equal(out.verdict, VERDICT_FASTER);
    assert_true(out.decided);
    assert_int_equal(out.pairs, 8);
    assert_near(out.alpha, 0.008, EXACT);
    assert_near(out.effect.low, 2.97, EXACT); /* the range: no Walsh average is left out */
    assert_near(out.effect.high, 3.03, EXACT);
    assert_true(out.effect.low < out.effect.mid && out.effect.mid < out.effect.high);
    assert_near(out.visible_ratio, sqrt(3.03 / 2.97), EXACT);
    assert_int_equal(out.pairs_needed, 0);
    assert_false(out.order_effect);
}

static void swapped_arms_turn_the_verdict_round(void **state)
{
    struct pair pairs[8];
    make_pairs(pairs, 8, 1 / 3.0, 0.01);
    struct comparison out = compare(state, pairs, 8);
    assert_int_equal(out.verdict, VERDICT_SLOWER);
    assert_near(out.effect.high, 1.01 / 3, EXACT);
}

static void seven_of_eight_do_not_decide(void **state)
{
    struct pair pairs[8];
    make_pairs(pairs, 8, 3, 0.01);
    pairs[3].a_s = 0.99;
    struct comparison out = compare(state, pairs, 8);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    assert_false(out.decided);
    assert_true(out.pairs_needed > 40);
}

static void a_narrow_interval_around_one_is_same(void **state)
{
    struct pair pairs[8];
    make_pairs(pairs, 8, 1, 0.019);
    struct comparison out = compare(state, pairs, 8);
    assert_int_equal(out.verdict, VERDICT_SAME);
    assert_true(out.decided);
    make_pairs(pairs, 8, 1, 0.021);
    out = compare(state, pairs, 8);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    assert_int_equal(out.pairs_needed, 12);
    for (size_t i = 0; i < 8; i++)
        pairs[i].a_s = 1;
    assert_int_equal(compare(state, pairs, 8).verdict, VERDICT_SAME); /* all ties */
}

static void same_reads_alike_from_both_arms(void **state)
{
    struct pair pairs[8];
    struct comparison out;
    make_pairs(pairs, 8, 1, 0);
    pairs[0].a_s = 1.52;     /* above 1 + delta ... */
    pairs[1].a_s = 1 / 1.48; /* ... and inside */
    assert_int_equal(pairs_compare(&out, pairs, 8, 0.5, *state, NULL), ERR_OK);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    pairs[0].a_s = 1.48;
    assert_int_equal(pairs_compare(&out, pairs, 8, 0.5, *state, NULL), ERR_OK);
    assert_int_equal(out.verdict, VERDICT_SAME);
    pairs[1].a_s = 1 / 1.52; /* 0.658 is more than half off, seen from B */
    assert_int_equal(pairs_compare(&out, pairs, 8, 0.5, *state, NULL), ERR_OK);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
}

static void what_came_after_the_look_does_not_count(void **state)
{
    struct pair pairs[PAIRS_MAX + 1];
    make_pairs(pairs, 8, 3, 0.01);
    for (size_t i = 8; i < 12; i++)
        pairs[i] = (struct pair){.a_s = 1, .b_s = 1};
    struct comparison eight = compare(state, pairs, 8), eleven = compare(state, pairs, 11);
    assert_memory_equal(&eight, &eleven, sizeof eight);
    assert_int_equal(compare(state, pairs, 12).pairs, 12);
    make_pairs(pairs, PAIRS_MAX + 1, 2, 0.01);
    assert_int_equal(compare(state, pairs, PAIRS_MAX + 1).pairs, PAIRS_MAX);
}

static void forty_noisy_pairs_end_it(void **state)
{
    struct pair pairs[PAIRS_MAX];
    make_pairs(pairs, PAIRS_MAX, 1, 0.2);
    struct comparison out = compare(state, pairs, PAIRS_MAX);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    assert_true(out.decided);
    assert_true(out.visible_ratio > 1.02 && out.visible_ratio < 1.2);
    assert_true(out.pairs_needed > PAIRS_MAX);
    make_pairs(pairs, 27, 1, 0.2);
    out = compare(state, pairs, 27);
    assert_false(out.decided);
    assert_near(out.alpha, 0.012, EXACT);
}

static void before_the_first_look_it_is_preliminary(void **state)
{
    struct pair pairs[7];
    make_pairs(pairs, 7, 3, 0.01);
    struct comparison out = compare(state, pairs, 7);
    assert_int_equal(out.verdict, VERDICT_PRELIMINARY);
    assert_false(out.decided);
    assert_near(out.effect.low, 2.97, EXACT);
    assert_near(out.effect.high, 3.03, EXACT);
    assert_near(out.alpha, 0, EXACT);
    assert_true(isnan(out.visible_ratio));
    assert_int_equal(out.pairs_needed, 8);
    out = compare(state, pairs, 0);
    assert_int_equal(out.verdict, VERDICT_PRELIMINARY);
    assert_true(isnan(out.effect.mid));
}

static void what_is_no_duration_makes_it_invalid(void **state)
{
    const double bad[] = {0, -1, NAN, INFINITY};
    struct pair pairs[9];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make_pairs(pairs, 9, 3, 0.01);
        pairs[8].b_s = bad[i]; /* even one after the look: something is wrong with the runs */
        struct comparison out = compare(state, pairs, 9);
        assert_int_equal(out.verdict, VERDICT_INVALID);
        assert_true(out.decided);
        assert_true(isnan(out.effect.low));
        double p;
        assert_int_equal(pairs_p_value(&p, pairs, 9, *state, NULL), ERR_OK);
        assert_near(p, 1, EXACT);
    }
}

static void totals_that_disagree_forbid_a_winner(void **state)
{
    struct pair pairs[PAIRS_MAX];
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i] = (struct pair){.a_s = 1.05 + 0.0001 * (double)i, .b_s = 1, .b_first = i % 2 == 0};
    assert_int_equal(compare(state, pairs, PAIRS_MAX).verdict, VERDICT_FASTER);
    pairs[5].b_s = 100; /* one run of B costs more than B ever saved */
    struct comparison out = compare(state, pairs, PAIRS_MAX);
    assert_true(out.effect.low > 1);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i] = (struct pair){.a_s = pairs[i].b_s, .b_s = pairs[i].a_s, .b_first = pairs[i].b_first};
    out = compare(state, pairs, PAIRS_MAX);
    assert_true(out.effect.high < 1);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
}

static void a_slower_second_run_is_noticed(void **state)
{
    struct pair pairs[12];
    for (size_t i = 0; i < 12; i++) {
        bool b_first = i % 3 == 0;
        double slow = 1.04 + 0.001 * (double)i;
        pairs[i] = (struct pair){.a_s = 2 * (b_first ? slow : 1), .b_s = b_first ? 1 : slow, .b_first = b_first};
    }
    struct comparison out = compare(state, pairs, 12);
    assert_true(out.order_effect);
    assert_int_equal(out.verdict, VERDICT_FASTER); /* the coins already took care of it */
    for (size_t i = 0; i < 8; i++)
        pairs[i] = (struct pair){.a_s = i % 2 ? 1.05 : 1, .b_s = i % 2 ? 1 : 1.05, .b_first = i % 2 == 1};
    assert_true(compare(state, pairs, 8).order_effect); /* p = 2/256 */
}

static void unlucky_coins_are_no_order_effect(void **state)
{
    struct pair pairs[8];
    make_pairs(pairs, 8, 3, 0.01);
    for (size_t i = 0; i < 8; i++)
        pairs[i].b_first = true;
    assert_false(compare(state, pairs, 8).order_effect);
}

static void the_p_value_is_that_of_the_signs(void **state)
{
    struct pair pairs[8];
    double p;
    make_pairs(pairs, 8, 3, 0.01);
    assert_int_equal(pairs_p_value(&p, pairs, 8, *state, NULL), ERR_OK);
    assert_near(p, 2.0 / 256, EXACT);
    assert_int_equal(pairs_p_value(&p, pairs, 0, *state, NULL), ERR_OK);
    assert_near(p, 1, EXACT);
}

static void needless_precision_is_not_asked_for(void **state)
{
    struct pair pairs[8];
    struct comparison out;
    make_pairs(pairs, 8, 1, 0.5);
    assert_int_equal(pairs_compare(&out, pairs, 8, 1e-300, *state, NULL), ERR_OK);
    assert_int_equal(out.pairs_needed, 1000000000); /* capped */
    assert_int_equal(pairs_compare(&out, pairs, 8, 0, *state, NULL), ERR_OK);
    assert_int_equal(out.pairs_needed, 1000000000);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    make_pairs(pairs, 8, 1.005, 0.01); /* narrower than delta and still on both sides of 1 */
    assert_int_equal(pairs_compare(&out, pairs, 8, 0.012, *state, NULL), ERR_OK);
    assert_int_equal(out.verdict, VERDICT_CANNOT_TELL);
    assert_int_equal(out.pairs_needed, 12);
}

static enum err compare_both_ways(struct arena *arena, struct diag *diag)
{
    struct pair pairs[8];
    struct comparison out;
    double p;
    make_pairs(pairs, 8, 3, 0.01);
    TRY(pairs_compare(&out, pairs, 3, PAIRS_DELTA_DEFAULT, arena, diag));
    TRY(pairs_compare(&out, pairs, 8, PAIRS_DELTA_DEFAULT, arena, diag));
    return pairs_p_value(&p, pairs, 8, arena, diag);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    assert_survives_every_failed_allocation(compare_both_ways);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_looks_are_those_of_the_protocol),
        cmocka_unit_test(eight_of_eight_decide),
        cmocka_unit_test(swapped_arms_turn_the_verdict_round),
        cmocka_unit_test(seven_of_eight_do_not_decide),
        cmocka_unit_test(a_narrow_interval_around_one_is_same),
        cmocka_unit_test(same_reads_alike_from_both_arms),
        cmocka_unit_test(what_came_after_the_look_does_not_count),
        cmocka_unit_test(forty_noisy_pairs_end_it),
        cmocka_unit_test(before_the_first_look_it_is_preliminary),
        cmocka_unit_test(what_is_no_duration_makes_it_invalid),
        cmocka_unit_test(totals_that_disagree_forbid_a_winner),
        cmocka_unit_test(a_slower_second_run_is_noticed),
        cmocka_unit_test(unlucky_coins_are_no_order_effect),
        cmocka_unit_test(the_p_value_is_that_of_the_signs),
        cmocka_unit_test(needless_precision_is_not_asked_for),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
