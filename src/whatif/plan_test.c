/* SPDX-License-Identifier: Apache-2.0
 *
 * Which crews a trace shows, and what a change makes of them.
 */
#include "whatif/plan.h"

#include "whatif/whatif_fixture.h"

enum { DOWNLOAD, EXTRACT, PARSE, STAGES };

static struct plan detect(void **state, const struct trace *trace)
{
    struct pieces pieces;
    struct plan out;
    assert_int_equal(pieces_collect(&pieces, trace, fixture_profile(*state, STAGES), *state, NULL), ERR_OK);
    assert_int_equal(plan_detect(&out, &pieces, 1, STAGES, *state, NULL), ERR_OK);
    return out;
}

static struct plan changed(void **state, const struct plan *plan, struct change change)
{
    struct plan out;
    assert_int_equal(plan_change(&out, plan, &change, *state, NULL), ERR_OK);
    return out;
}

/** A digit a stage: its crew, and how many that crew has. */
static void assert_plan(const struct plan *plan, const char *crews, const char *workers)
{
    for (size_t stage = 0; stage < STAGES; stage++) {
        assert_int_equal(plan->crew[stage], crews[stage] - '0');
        assert_int_equal(plan->workers[plan->crew[stage]], workers[stage] - '0');
    }
}

/** Three items one after the other; `on` has each stage's thread, * for a thread an item. */
static struct trace *in_turn(void **state, const char *on)
{
    struct trace *trace = fixture_trace(*state, STAGES);
    for (uint32_t item = 0; item < 3; item++) {
        for (size_t stage = 0; stage < STAGES; stage++) {
            double start_s = item * STAGES + (double)stage;
            fixture_span(trace, stage, item, on[stage] == '*' ? item : (uint32_t)(on[stage] - '0'), start_s,
                         start_s + 1, 0);
        }
    }
    return trace;
}

static void one_thread_is_one_crew(void **state)
{
    struct plan plan = detect(state, in_turn(state, "000"));
    assert_plan(&plan, "000", "111");
    assert_false(plan_may_overtake(&plan));
}

static void a_thread_an_item_is_still_one_crew(void **state)
{
    struct plan plan = detect(state, in_turn(state, "***"));
    assert_plan(&plan, "000", "111");
}

static void a_thread_a_stage_is_a_crew_a_stage(void **state)
{
    struct plan plan = detect(state, in_turn(state, "012"));
    assert_plan(&plan, "012", "111");
}

static void a_thread_may_work_before_and_after_another(void **state)
{
    struct plan plan = detect(state, in_turn(state, "010"));
    assert_plan(&plan, "010", "111");
}

static void now_and_then_does_not_make_a_crew(void **state)
{
    struct trace *trace = in_turn(state, "011");
    fixture_span(trace, EXTRACT, 9, 0, 20, 21, 0); /* the downloader extracted once */
    struct plan plan = detect(state, trace);
    assert_plan(&plan, "011", "111");
    fixture_span(trace, EXTRACT, 10, 0, 22, 23, 0);
    fixture_span(trace, EXTRACT, 11, 0, 24, 25, 0); /* and so half of all */
    plan = detect(state, trace);
    assert_plan(&plan, "011", "111");
    fixture_span(trace, EXTRACT, 12, 0, 26, 27, 0); /* most: now they are one crew, the parser too */
    plan = detect(state, trace);
    assert_int_equal(plan.crew[EXTRACT], plan.crew[DOWNLOAD]);
}

static void open_spans_count_the_workers(void **state)
{
    struct trace *trace = fixture_trace(*state, STAGES);
    for (uint32_t item = 0; item < 4; item++) {
        fixture_span(trace, DOWNLOAD, item, 1 + item, 0, 1, 0);
        fixture_span(trace, EXTRACT, item, 0, 1 + 2 * item, 3 + 2 * item, 0);
        fixture_span(trace, PARSE, item, 0, 1.5 + 2 * item, 2 + 2 * item, 0); /* nested: the same worker */
    }
    struct plan plan = detect(state, trace);
    assert_plan(&plan, "011", "411");
    assert_true(plan_may_overtake(&plan));
}

static void workers_leave_the_crew_and_the_rest_stays(void **state)
{
    struct plan serial = detect(state, in_turn(state, "000"));
    struct plan first = changed(state, &serial, (struct change){.stage = DOWNLOAD, .workers = 4});
    struct plan middle = changed(state, &serial, (struct change){.stage = EXTRACT, .workers = 4});
    assert_plan(&first, "100", "411");
    assert_plan(&middle, "010", "141");
    assert_plan(&serial, "000", "111"); /* untouched */
}

static void workers_that_are_there_already_change_nothing(void **state)
{
    struct plan serial = detect(state, in_turn(state, "000"));
    struct plan same = changed(state, &serial, (struct change){.stage = DOWNLOAD, .workers = 1});
    assert_plan(&same, "000", "111");
    struct plan pool = changed(state, &serial, (struct change){.stage = DOWNLOAD, .workers = 4});
    struct plan fewer = changed(state, &pool, (struct change){.stage = DOWNLOAD, .workers = 2});
    assert_plan(&fewer, "100", "211");
}

static void overlap_gives_each_stage_a_crew(void **state)
{
    struct plan serial = detect(state, in_turn(state, "000"));
    struct plan overlapped = changed(state, &serial, (struct change){.overlap = true});
    assert_plan(&overlapped, "120", "111");
    assert_int_equal(overlapped.queue_items, 2);
    struct plan both =
        changed(state, &serial, (struct change){.stage = PARSE, .overlap = true, .workers = 3, .queue_items = 5});
    assert_plan(&both, "120", "113");
    assert_int_equal(both.queue_items, 5);
}

static void a_speedup_divides(void **state)
{
    struct plan serial = detect(state, in_turn(state, "000"));
    struct plan faster = changed(state, &serial, (struct change){.stage = EXTRACT, .speedup = 2});
    assert_near(faster.divisor[DOWNLOAD], 1, 0);
    assert_near(faster.divisor[EXTRACT], 2, 0);
    assert_plan(&faster, "000", "111");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_is_one_crew),
        cmocka_unit_test(a_thread_an_item_is_still_one_crew),
        cmocka_unit_test(a_thread_a_stage_is_a_crew_a_stage),
        cmocka_unit_test(a_thread_may_work_before_and_after_another),
        cmocka_unit_test(now_and_then_does_not_make_a_crew),
        cmocka_unit_test(open_spans_count_the_workers),
        cmocka_unit_test(workers_leave_the_crew_and_the_rest_stays),
        cmocka_unit_test(workers_that_are_there_already_change_nothing),
        cmocka_unit_test(overlap_gives_each_stage_a_crew),
        cmocka_unit_test(a_speedup_divides),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
