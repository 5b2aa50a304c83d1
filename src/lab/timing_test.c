/* SPDX-License-Identifier: Apache-2.0
 * Clocks that are slow, turn back or stand still; the machine's own is doctor's to judge. */
#include "lab/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t now_ns, step_ns, reads;

static uint64_t steady(void)
{
    return now_ns += step_ns;
}

static uint64_t frozen(void)
{
    return 77;
}

static uint64_t turning_back(void)
{
    return reads++ % 100 == 99 ? now_ns - 500 : (now_ns += 50);
}

static uint64_t mostly_slow(void)
{
    return now_ns += reads++ % 4 ? 1000 : 30;
}

static struct timing measure(uint64_t (*read_ns)(void), uint64_t step)
{
    struct timing timing;
    now_ns = 1000000;
    step_ns = step;
    reads = 0;
    timing_measure(&timing, read_ns, 1000000);
    return timing;
}

static void a_good_clock(void **state)
{
    (void)state;
    struct timing timing = measure(steady, 25);
    assert_int_equal(timing.readings, 40000);
    assert_true(timing.cost_ns == 25 && timing.fast_ratio == 1);
    assert_true(timing.backwards == 0 && !timing.stuck);
}

static void a_slow_clock(void **state)
{
    (void)state;
    struct timing timing = measure(steady, 1000); /* one microsecond is not under one */
    assert_true(timing.fast_ratio == 0 && timing.cost_ns == 1000 && !timing.stuck);
    timing = measure(mostly_slow, 0);
    assert_true(timing.fast_ratio > 0.24 && timing.fast_ratio < 0.26);
}

static void a_clock_that_turns_back(void **state)
{
    (void)state;
    struct timing timing = measure(turning_back, 0);
    assert_true(timing.backwards > 100);
    assert_false(timing.stuck);
}

static void a_clock_that_stands_still_does_not_hang_us(void **state)
{
    (void)state;
    struct timing timing = measure(frozen, 0);
    assert_true(timing.stuck);
    assert_int_equal(timing.backwards, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_clock),
        cmocka_unit_test(a_slow_clock),
        cmocka_unit_test(a_clock_that_turns_back),
        cmocka_unit_test(a_clock_that_stands_still_does_not_hang_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
