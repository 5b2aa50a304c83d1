/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The published generator: the first outputs for seed 0, as every xoshiro256** seeded by splitmix64 gives them. */
static void the_stream_is_xoshiro(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 0);
    assert_true(rng_next(&rng) == 0x99ec5f36cb75f2b4u);
    assert_true(rng_next(&rng) == 0xbf6e1f784956452au);
    assert_true(rng_next(&rng) == 0x1a5f849d4933e6e0u);
}

static void a_seed_repeats_and_another_differs(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&c, 8);
    size_t equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t draw = rng_next(&a);
        assert_true(draw == rng_next(&b));
        equal += draw == rng_next(&c);
    }
    assert_int_equal(equal, 0);
}

/* A fork depends on the parent's state and its purpose, and leaves the parent alone. */
static void forks_are_streams_of_their_own(void **state)
{
    (void)state;
    struct rng parent, untouched, order, again, other, later;
    rng_init(&parent, 7);
    untouched = parent;
    rng_fork(&order, &parent, "order");
    rng_fork(&again, &parent, "order");
    rng_fork(&other, &parent, "other");
    assert_memory_equal(&parent, &untouched, sizeof parent);
    assert_memory_equal(&order, &again, sizeof order);
    uint64_t first = rng_next(&order);
    assert_true(first != rng_next(&other));
    assert_true(first != rng_next(&parent));
    rng_fork(&later, &parent, "order");
    assert_true(first != rng_next(&later));
}

/* 60,000 draws over 6 values: each within 5 standard deviations (91 draws) of 10,000. */
static void below_is_even(void **state)
{
    (void)state;
    struct rng rng;
    size_t counts[6] = {0};
    rng_init(&rng, 1);
    for (int i = 0; i < 60000; i++)
        counts[rng_below(&rng, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 10000 - 456, 10000 + 456);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rng_below(&rng, 1), 0);
}

/* Without the rejection, a bound of 3 * 2^62 would draw the lowest third twice as often as the others. */
static void large_bounds_have_no_bias(void **state)
{
    (void)state;
    struct rng rng;
    const uint64_t third = (uint64_t)1 << 62;
    size_t low = 0;
    rng_init(&rng, 2);
    for (int i = 0; i < 30000; i++) {
        uint64_t draw = rng_below(&rng, 3 * third);
        assert_true(draw < 3 * third);
        low += draw < third;
    }
    assert_in_range(low, 10000 - 410, 10000 + 410);
}

static void uniform_stays_below_one(void **state)
{
    (void)state;
    struct rng rng;
    double sum = 0, greatest = 0;
    rng_init(&rng, 3);
    for (int i = 0; i < 100000; i++) {
        double draw = rng_uniform(&rng);
        assert_true(draw >= 0 && draw < 1);
        greatest = draw > greatest ? draw : greatest;
        sum += draw;
    }
    assert_true(sum > 49500 && sum < 50500); /* sd of the sum: 91 */
    assert_true(greatest > 0.999);
}

static void the_coin_is_fair(void **state)
{
    (void)state;
    struct rng rng;
    size_t heads = 0;
    rng_init(&rng, 4);
    for (int i = 0; i < 10000; i++)
        heads += rng_coin(&rng);
    assert_in_range(heads, 4750, 5250);
}

/* Every order of three comes up, and equally often: 6,000 shuffles, each within 5 standard deviations of 1,000. */
static void every_order_is_as_likely(void **state)
{
    (void)state;
    struct rng rng;
    size_t counts[3][3] = {{0}};
    rng_init(&rng, 5);
    for (int i = 0; i < 6000; i++) {
        size_t items[] = {0, 1, 2};
        rng_shuffle(&rng, items, 3);
        assert_int_equal(items[0] + items[1] + items[2], 3);
        assert_true(items[0] != items[1] && items[1] != items[2] && items[0] != items[2]);
        counts[items[0]][items[1]]++;
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            assert_in_range(counts[i][j], i == j ? 0 : 850, i == j ? 0 : 1150);
    rng_shuffle(&rng, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_xoshiro),
        cmocka_unit_test(a_seed_repeats_and_another_differs),
        cmocka_unit_test(forks_are_streams_of_their_own),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(large_bounds_have_no_bias),
        cmocka_unit_test(uniform_stays_below_one),
        cmocka_unit_test(the_coin_is_fair),
        cmocka_unit_test(every_order_is_as_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
