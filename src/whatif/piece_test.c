/* SPDX-License-Identifier: Apache-2.0
 *
 * Spans become pieces: whose time it is, and of which item.
 */
#include "whatif/piece.h"

#include "whatif/whatif_fixture.h"

enum { DOWNLOAD, EXTRACT, PARSE };

static struct pieces collect(void **state, const struct trace *trace, size_t stage_count)
{
    struct pieces out;
    assert_int_equal(pieces_collect(&out, trace, fixture_profile(*state, stage_count), *state, NULL), ERR_OK);
    return out;
}

static void items_are_numbered_by_first_start(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 70, 0, 0, 1, 0);
    fixture_span(trace, EXTRACT, 70, 0, 1, 2, 0);
    fixture_span(trace, DOWNLOAD, 3, 1, 0.5, 1.5, 0);
    fixture_span(trace, EXTRACT, 3, 0, 2, 3, 0);
    struct pieces out = collect(state, trace, 2);
    assert_int_equal(out.count, 4);
    assert_int_equal(out.items, 2);
    const size_t places[] = {0, 1, 0, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(out.at[i].place, places[i]);
}

static void time_belongs_to_the_innermost_stage(void **state)
{
    struct trace *trace = fixture_trace(*state, 3);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 10, 6);
    fixture_span(trace, EXTRACT, 1, 0, 2, 8, 5);
    fixture_span(trace, PARSE, 1, 0, 3, 4, 0.5);
    fixture_span(trace, PARSE, 1, 0, 5, 6, 0.5);
    fixture_span(trace, EXTRACT, 1, 0, 9, 10, -1);
    struct pieces out = collect(state, trace, 3);
    assert_int_equal(out.at[0].own_ns, 3000000000);     /* 10 - 6 - 1 */
    assert_true(out.at[0].cpu_ns == TRACE_CPU_UNKNOWN); /* the last part's is not known */
    assert_int_equal(out.at[1].own_ns, 4000000000);
    assert_int_equal(out.at[1].cpu_ns, 4000000000);
    assert_false(out.at[0].nested);
    assert_true(out.at[1].nested && out.at[2].nested && out.at[3].nested && out.at[4].nested);
}

static void only_the_same_item_on_the_same_worker_nests(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 10, 0);
    fixture_span(trace, EXTRACT, 2, 0, 1, 2, 0);  /* another item */
    fixture_span(trace, EXTRACT, 1, 1, 3, 4, 0);  /* another worker */
    fixture_span(trace, DOWNLOAD, 1, 0, 5, 6, 0); /* the same stage: a second request */
    fixture_span(trace, EXTRACT, 1, 0, 9, 11, 0); /* reaches out */
    struct pieces out = collect(state, trace, 2);
    for (size_t i = 0; i < out.count; i++) {
        assert_false(out.at[i].nested);
        assert_int_equal(out.at[i].own_ns, out.at[i].end_ns - out.at[i].start_ns);
    }
}

static void a_clock_that_counts_too_much_takes_no_more_than_there_is(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 2, 0.5);
    fixture_span(trace, EXTRACT, 1, 0, 0.5, 1.5, 1);
    fixture_span(trace, EXTRACT, 1, 0, 0.75, 2, 1); /* overlaps its sibling: together longer than the outer */
    struct pieces out = collect(state, trace, 2);
    assert_int_equal(out.at[0].cpu_ns, 0);
    assert_true(out.at[0].own_ns <= 1000000000);
}

static void spans_without_time_or_stage_are_left_out(void **state)
{
    struct trace *trace = fixture_trace(*state, 3);
    fixture_span(trace, DOWNLOAD, 1, 0, 1, 1, 0);
    fixture_span(trace, PARSE, 1, 0, 1, 2, 0);
    struct pieces out = collect(state, trace, 2);
    assert_int_equal(out.count, 0);
    assert_int_equal(out.items, 0);
}

static void edges_close_before_they_open(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 1, 0);
    fixture_span(trace, EXTRACT, 1, 0, 1, 2, 0);
    fixture_span(trace, DOWNLOAD, 2, 1, 1, 2, 0);
    struct pieces out = collect(state, trace, 2);
    assert_true(out.edges[0].opens);
    assert_false(out.edges[1].opens);
    assert_true(out.edges[2].opens && out.edges[3].opens);
    assert_false(out.edges[4].opens || out.edges[5].opens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_numbered_by_first_start),
        cmocka_unit_test(time_belongs_to_the_innermost_stage),
        cmocka_unit_test(only_the_same_item_on_the_same_worker_nests),
        cmocka_unit_test(a_clock_that_counts_too_much_takes_no_more_than_there_is),
        cmocka_unit_test(spans_without_time_or_stage_are_left_out),
        cmocka_unit_test(edges_close_before_they_open),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
