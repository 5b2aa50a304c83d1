/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/clock_line.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR_NS 3600000000000u

static struct clock_line line_through(struct clock_pair first, struct clock_pair last)
{
    struct clock_line line;
    clock_line_begin(&line, first);
    clock_line_widen(&line, last);
    clock_line_fit(&line);
    return line;
}

/* first.ns + (ticks - first.ticks) x ns / ticks of the line, rounded down. */
static uint64_t exact(const struct clock_line *line, uint64_t ticks)
{
    unsigned __int128 product = (unsigned __int128)(ticks - line->first.ticks) * (line->last.ns - line->first.ns);
    return line->first.ns + (uint64_t)(product / (line->last.ticks - line->first.ticks));
}

/* Counters of 1 MHz to 10 GHz, on for up to ten years, looked at up to a year around: never more than 1 ns off. */
static void test_exact_to_a_ns(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 31);
    for (int round = 0; round < 20000; round++) {
        uint64_t khz = 1000 + rng_below(&rng, 10000000), up_ns = rng_below(&rng, 24 * 3650) * HOUR_NS;
        uint64_t run_ns = 1000 + rng_next(&rng) % ((uint64_t)24 * 365 * HOUR_NS >> rng_below(&rng, 40));
        struct clock_pair first = {.ticks = up_ns / 1000000 * khz + rng_below(&rng, 1000000), .ns = 1 + up_ns};
        struct clock_pair last = {.ticks = first.ticks + 1 + run_ns / 1000000 * khz + rng_below(&rng, khz),
                                  .ns = first.ns + run_ns};
        struct clock_line line = line_through(first, last);
        if (!line.known)
            continue; /* a short run and an odd rest: a rate that cannot be */
        assert_int_equal(clock_line_ns(&line, first.ticks), first.ns);
        for (int i = 0; i < 8; i++) {
            uint64_t ticks = first.ticks + rng_below(&rng, 2 * (last.ticks - first.ticks));
            uint64_t got = clock_line_ns(&line, ticks), want = exact(&line, ticks);
            assert_true(got == want || got == want + 1);
        }
    }
}

static void test_order_is_kept(void **state)
{
    struct clock_line line = line_through((struct clock_pair){1000, 5}, (struct clock_pair){2600001000, 1000000005});
    (void)state;
    uint64_t before = clock_line_ns(&line, 0);
    for (uint64_t ticks = 1; ticks < 100000; ticks++) {
        uint64_t ns = clock_line_ns(&line, ticks);
        assert_true(ns >= before);
        before = ns;
    }
    assert_int_equal(clock_line_ns(&line, 998), 5); /* less than 1 ns before the first pair */
    assert_int_equal(clock_line_ns(&line, 990), 2);
    assert_int_equal(clock_line_ns(&line, 0), 0); /* before the boot */
    assert_true(clock_line_ns(&line, UINT64_MAX) > (uint64_t)1 << 62);
}

static void test_nanoseconds(void **state)
{
    static const uint64_t cases[] = {0, 1, 12345678901234567, UINT64_MAX - 1, UINT64_MAX};
    struct clock_line line;
    (void)state;
    clock_line_identity(&line);
    assert_true(line.known);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(clock_line_ns(&line, cases[i]) == cases[i]);
}

static void test_lines_that_cannot_be(void **state)
{
    static const struct clock_pair cases[][2] = {
        {{10, 10}, {10, 10}},      /* one pair */
        {{10, 10}, {20, 10}},      /* time stands */
        {{10, 10}, {20, 5}},       /* and runs backwards */
        {{0, 0}, {100, 500000}},   /* 200 kHz */
        {{0, 0}, {UINT64_MAX, 1}}, /* and far too fast */
        {{0, UINT64_MAX}, {UINT64_MAX, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clock_line line = line_through(cases[i][0], cases[i][1]);
        assert_false(line.known);
        assert_true(clock_line_ns(&line, cases[i][0].ticks) == cases[i][0].ns);
    }
}

/* The steepest and the flattest, with the largest numbers: nothing overflows. */
static void test_extremes(void **state)
{
    static const struct clock_pair lasts[] = {
        {UINT64_MAX, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX / 4096 + 1},
        {UINT64_MAX / 4096 + 1, UINT64_MAX},
        {1, 4096},
        {1, 8191},
        {4096, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
        struct clock_line line = line_through((struct clock_pair){0, 0}, lasts[i]);
        assert_true(line.known);
        assert_true(line.factor >> 63);
        assert_in_range(lasts[i].ns - clock_line_ns(&line, lasts[i].ticks), 0, 1);
    }
    struct clock_line steep = line_through((struct clock_pair){0, 0}, (struct clock_pair){1, 4096});
    assert_true(clock_line_ns(&steep, UINT64_MAX) == UINT64_MAX);
}

static void test_widening_and_drift(void **state)
{
    struct clock_line line;
    (void)state;
    clock_line_begin(&line, (struct clock_pair){2000, 1000});
    clock_line_widen(&line, (struct clock_pair){4000, 2000});
    clock_line_widen(&line, (struct clock_pair){3000, 1700}); /* in between: of no account */
    clock_line_widen(&line, (struct clock_pair){1000, 500});
    clock_line_fit(&line);
    assert_int_equal(clock_line_ns(&line, 3000), 1500);
    assert_int_equal(line.drift_ns, 0);
    clock_line_note(&line, (struct clock_pair){3000, 1700});
    clock_line_note(&line, (struct clock_pair){3000, 1400});
    assert_int_equal(line.drift_ns, 200);
    assert_int_equal(clock_line_ns(&line, 3000), 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_to_a_ns), cmocka_unit_test(test_order_is_kept),
        cmocka_unit_test(test_nanoseconds),   cmocka_unit_test(test_lines_that_cannot_be),
        cmocka_unit_test(test_extremes),      cmocka_unit_test(test_widening_and_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
