/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"
#include "profile/profile_fixture.h"

static void test_empty_trace(void **state)
{
    struct fixture *fixture = *state;
    fixture->trace.stage_count = 0;
    fixture->trace.losses.no_stream = 3;
    const struct run_profile *run = profiled(fixture);
    assert_near(run->wall_s, 0);
    assert_int_equal(run->stage_count, 0);
    assert_int_equal(run->lost_spans, 3);
}

/* Two of a overlap, one b nests in another b: busy counts each moment once, sum counts each span. */
static void test_busy_is_a_union(void **state)
{
    add(*state, 'a', 0, 1, 0, 4);
    add(*state, 'a', 1, 2, 2, 6);
    add(*state, 'b', 0, 1, 5, 9);
    add(*state, 'b', 0, 1, 6, 8);
    add(*state, 'a', 1, 3, 10, 11);
    const struct run_profile *run = profiled(*state);
    assert_near(run->wall_s, 11);
    assert_near(run->stages[0].busy_s, 7);
    assert_near(run->stages[0].sum_s, 9);
    assert_int_equal(run->stages[0].workers, 2);
    assert_near(run->stages[1].busy_s, 4);
    assert_near(run->stages[1].sum_s, 6);
    assert_near(run->overlap_s, 1);
}

static void test_laps_do_not_overlap(void **state)
{
    add(*state, 'a', 0, 1, 0, 1);
    add(*state, 'b', 0, 1, 1, 2);
    add(*state, 'a', 0, 2, 2, 3);
    add(*state, 'a', 0, 3, 3, 4);
    const struct run_profile *run = profiled(*state);
    assert_near(run->overlap_s, 0);
    assert_int_equal(run->stages[0].workers, 1);
}

static void test_figures_of_a_stage(void **state)
{
    for (unsigned i = 0; i < 101; i++) {
        struct span *span = add(*state, 'a', 0, i, 10.0 * i, 10.0 * i + (i == 40 ? 9 : 0.01 * i));
        span->rows = 2;
        span->bytes = 3;
        span->outcome = i == 7 ? SPAN_FAILED : SPAN_OK;
        span->cpu_ns = (span->end_ns - span->start_ns) / 4;
    }
    const struct stage_profile *stage = &profiled(*state)->stages[0];
    assert_string_equal(stage->name, "a");
    assert_int_equal(stage->spans, 101);
    assert_int_equal(stage->failed, 1);
    assert_int_equal(stage->rows, 202);
    assert_int_equal(stage->bytes, 303);
    assert_near(stage->max_s, 9);
    assert_int_equal(stage->slowest_item, 40);
    assert_within(stage->p50_s, 0.51, 0.008); /* 0, .01, ... without .40, and 9 behind: the 51st */
    assert_within(stage->p99_s, 1.00, 0.008);
    assert_int_equal(stage->slowest_count, 5);
    assert_int_equal(stage->slowest[1].item, 100);
    assert_near(stage->slowest[1].duration_s, 1.00);
    assert_near(stage->slowest[1].end_s, 1001);
    assert_near(stage->running_s, stage->sum_s / 4);
    assert_near(stage->waiting_s, stage->sum_s * 3 / 4);
}

static void test_cpu_time_is_unknown_when_one_span_lacks_it(void **state)
{
    add(*state, 'a', 0, 1, 0, 1)->cpu_ns = 5;
    add(*state, 'a', 0, 2, 1, 2);
    const struct stage_profile *stage = &profiled(*state)->stages[0];
    assert_true(isnan(stage->running_s) && isnan(stage->waiting_s));
}

static void test_rows_of_the_run_are_those_of_its_last_stage(void **state)
{
    add(*state, 'a', 0, 1, 0, 1)->rows = 100;
    add(*state, 'b', 0, 1, 1, 2)->rows = 70;
    add(*state, 'c', 0, 1, 2, 3);
    assert_int_equal(profiled(*state)->rows, 70);
}

static void test_memory_is_joined_by_time(void **state)
{
    struct fixture *fixture = *state;
    struct memory_sample samples[] = {{0, 900}, {NS_PER_S, 100}, {2 * NS_PER_S, 300}, {5 * NS_PER_S, 800}};
    fixture->trace.memory = samples;
    fixture->trace.memory_count = 4;
    add(*state, 'a', 0, 1, 0.5, 1.5);
    add(*state, 'b', 0, 1, 0.5, 2.5);
    add(*state, 'c', 0, 1, 3, 4);
    const struct run_profile *run = profiled(*state);
    assert_int_equal(run->stages[0].peak_bytes, 100);
    assert_int_equal(run->stages[1].peak_bytes, 300);
    assert_int_equal(run->stages[2].peak_bytes, 0);
}

static void test_all_losses_are_added_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->trace.losses = (struct span_losses){1, 2, 4, 8, 16, 32};
    fixture->trace.rejected = 64;
    assert_int_equal(profiled(fixture)->lost_spans, 127);
    fixture->trace.rejected = UINT64_MAX;
    assert_true(profiled(fixture)->lost_spans == UINT64_MAX);
}

static void test_memory_out_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct run_profile *run;
    enum err error = ERR_MEMORY;
    add(fixture, 'a', 0, 1, 0, 1);
    add(fixture, 'b', 1, 1, 1, 2);
    for (size_t limit = 0; error != ERR_OK && limit < 1000000; limit += 64) {
        arena_fini(&fixture->arena);
        arena_init(&fixture->arena, limit);
        error = profile_run(&run, &fixture->trace, &fixture->arena, NULL);
        assert_true(error == ERR_OK || error == ERR_MEMORY);
    }
    assert_int_equal(error, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_empty_trace),
        FIXTURE_TEST(test_busy_is_a_union),
        FIXTURE_TEST(test_laps_do_not_overlap),
        FIXTURE_TEST(test_figures_of_a_stage),
        FIXTURE_TEST(test_cpu_time_is_unknown_when_one_span_lacks_it),
        FIXTURE_TEST(test_rows_of_the_run_are_those_of_its_last_stage),
        FIXTURE_TEST(test_memory_is_joined_by_time),
        FIXTURE_TEST(test_all_losses_are_added_up),
        FIXTURE_TEST(test_memory_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
