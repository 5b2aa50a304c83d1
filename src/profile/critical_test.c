/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/critical.h"

#include "profile/profile_fixture.h"

#include "base/random.h"

static void assert_path(struct fixture *fixture, double a_s, double b_s, double c_s, double outside_s)
{
    const struct run_profile *run = profiled(fixture);
    assert_near(run->stages[0].critical_s, a_s);
    assert_near(run->stages[1].critical_s, b_s);
    assert_near(run->stages[2].critical_s, c_s);
    assert_near(run->outside_s, outside_s);
}

static void test_serial_run_is_all_critical(void **state)
{
    add(*state, 'a', 0, 1, 0, 8);
    add(*state, 'b', 0, 1, 8, 9);
    add(*state, 'a', 0, 2, 10, 17);
    add(*state, 'b', 0, 2, 17, 20);
    assert_path(*state, 15, 4, 0, 1);
}

/* b of item n runs on its own worker while a of item n+1 runs: only the last b was waited for. */
static void test_what_hides_behind_another_stage_is_not_critical(void **state)
{
    add(*state, 'a', 0, 1, 0, 10);
    add(*state, 'b', 1, 1, 10, 12);
    add(*state, 'a', 0, 2, 10, 20);
    add(*state, 'b', 1, 2, 20, 22);
    assert_path(*state, 20, 2, 0, 0);
}

/* The consumer is slower: after the first item the path stays on it. */
static void test_slow_consumer_is_critical(void **state)
{
    add(*state, 'a', 0, 1, 0, 2);
    add(*state, 'a', 0, 2, 2, 4);
    add(*state, 'b', 1, 1, 2, 12);
    add(*state, 'b', 1, 2, 12, 22);
    assert_path(*state, 2, 20, 0, 0);
}

/* A queue's delay between the end of a and the start of b belongs to no span. */
static void test_gap_before_the_feeder_is_outside(void **state)
{
    add(*state, 'a', 0, 1, 0, 4);
    add(*state, 'b', 1, 1, 5, 6);
    assert_path(*state, 4, 1, 0, 1);
}

/* b reads what a still writes: b is waited for only after a's end. */
static void test_streaming_counts_what_does_not_overlap(void **state)
{
    add(*state, 'a', 0, 1, 0, 10);
    add(*state, 'b', 1, 1, 1, 11);
    assert_path(*state, 10, 1, 0, 0);
}

/* Four workers share the parts of one item: the last to end is waited for, its siblings are not. */
static void test_parts_of_an_item_do_not_feed_each_other(void **state)
{
    add(*state, 'a', 0, 1, 0, 1);
    add(*state, 'b', 0, 1, 1, 5);
    add(*state, 'b', 1, 1, 2, 7);
    add(*state, 'b', 2, 1, 3, 9);
    assert_path(*state, 1, 6, 0, 2);
}

/* An outer span is on the path for what it does itself, before, between and after the inner ones. */
static void test_nested_spans_belong_to_the_innermost(void **state)
{
    add(*state, 'a', 0, 1, 0, 10);
    add(*state, 'b', 0, 1, 1, 4);
    add(*state, 'c', 0, 1, 2, 3);
    add(*state, 'b', 0, 1, 6, 9);
    assert_path(*state, 4, 5, 1, 0);
}

static void test_spans_without_length_do_not_matter(void **state)
{
    add(*state, 'c', 1, 1, 1, 1);
    add(*state, 'a', 0, 1, 2, 5);
    add(*state, 'c', 0, 1, 5, 5);
    add(*state, 'b', 0, 1, 5, 7);
    add(*state, 'c', 0, 1, 9, 9);
    assert_path(*state, 3, 2, 0, 3);
}

static void test_only_spans_without_length(void **state)
{
    add(*state, 'a', 0, 1, 1, 1);
    add(*state, 'b', 0, 1, 3, 3);
    assert_path(*state, 0, 0, 0, 2);
}

static int by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->end_ns > b->end_ns) - (a->end_ns < b->end_ns);
}

/* Whatever the spans are, the path gives each moment of the run away exactly once. */
static void test_path_adds_up_to_the_run(void **state)
{
    struct fixture *fixture = *state;
    struct rng rng;
    rng_init(&rng, 20240131);
    for (int round = 0; round < 3000; round++) {
        struct critical_path path;
        size_t count = 1 + (size_t)rng_below(&rng, 60);
        uint64_t range_ns = 1 + rng_below(&rng, rng_coin(&rng) ? 12 : 100000), last_ns = 0;
        fixture->trace.span_count = fixture->trace.worker_count = 0;
        for (size_t i = 0; i < count; i++) {
            struct span *span = add(fixture, (char)('a' + rng_below(&rng, FIXTURE_STAGES)),
                                    (uint32_t)rng_below(&rng, 5), rng_below(&rng, 4), 0, 0);
            span->start_ns = rng_below(&rng, range_ns);
            span->end_ns = span->start_ns + rng_below(&rng, 1 + range_ns / (1 + rng_below(&rng, 20)));
            last_ns = span->end_ns > last_ns ? span->end_ns : last_ns;
        }
        qsort(fixture->spans, count, sizeof *fixture->spans, by_start);
        assert_int_equal(critical_path_walk(&path, &fixture->trace, &fixture->arena, NULL), ERR_OK);
        uint64_t sum_ns = path.outside_ns;
        for (size_t i = 0; i < FIXTURE_STAGES; i++)
            sum_ns += path.stage_ns[i];
        assert_int_equal(sum_ns, last_ns - fixture->spans[0].start_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_serial_run_is_all_critical),
        FIXTURE_TEST(test_what_hides_behind_another_stage_is_not_critical),
        FIXTURE_TEST(test_slow_consumer_is_critical),
        FIXTURE_TEST(test_gap_before_the_feeder_is_outside),
        FIXTURE_TEST(test_streaming_counts_what_does_not_overlap),
        FIXTURE_TEST(test_parts_of_an_item_do_not_feed_each_other),
        FIXTURE_TEST(test_nested_spans_belong_to_the_innermost),
        FIXTURE_TEST(test_spans_without_length_do_not_matter),
        FIXTURE_TEST(test_only_spans_without_length),
        FIXTURE_TEST(test_path_adds_up_to_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
