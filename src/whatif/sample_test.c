/* SPDX-License-Identifier: Apache-2.0
 *
 * What each item cost in each stage, by hand.
 */
#include "whatif/sample.h"

#include "whatif/whatif_fixture.h"

#define EXACT 1e-9

enum { DOWNLOAD, EXTRACT };

static struct sample take(void **state, const struct trace *trace)
{
    struct pieces pieces;
    struct sample out;
    assert_int_equal(pieces_collect(&pieces, trace, fixture_profile(*state, 2), *state, NULL), ERR_OK);
    assert_int_equal(sample_take(&out, &pieces, 2, *state, NULL), ERR_OK);
    return out;
}

static void several_spans_of_an_item_add_up(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 1, 0.25);
    fixture_span(trace, EXTRACT, 1, 0, 1.5, 2, 1); /* more CPU time than time: no negative waiting */
    fixture_span(trace, EXTRACT, 1, 0, 2, 3, 0.5);
    fixture_span(trace, DOWNLOAD, 2, 0, 4, 5, -1);
    fixture_span(trace, DOWNLOAD, 2, 0, 5, 6, 0);
    struct sample out = take(state, trace);
    assert_int_equal(out.items, 2);
    assert_near(out.services[0].waiting_s, 0.75, EXACT);
    assert_near(out.services[0].running_s, 0.25, EXACT);
    assert_near(out.services[1].waiting_s, 0.5, EXACT);
    assert_near(out.services[1].running_s, 1, EXACT);
    assert_near(out.services[2].waiting_s, 2, EXACT);
    assert_true(out.services[2].cpu_unknown && !out.services[0].cpu_unknown);
    assert_near(out.services[3].waiting_s + out.services[3].running_s, 0, EXACT);
    assert_near(out.wall_s, 6, EXACT);
    assert_near(out.outside_s, 1.5, EXACT);
}

static void crowds_are_means_over_the_span(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 4, 0);  /* alone 2 s, with one other 2 s */
    fixture_span(trace, DOWNLOAD, 2, 1, 2, 4, 0);  /* never alone */
    fixture_span(trace, EXTRACT, 1, 2, 0, 4, 0);   /* other stages do not count */
    fixture_span(trace, DOWNLOAD, 2, 1, 6, 12, 0); /* alone: item 2 has 2 s at 2 and 6 s at 1 */
    struct sample out = take(state, trace);
    assert_near(out.services[0].crowd, 1.5, EXACT);
    assert_near(out.services[1].crowd, 1, EXACT);
    assert_near(out.services[2].crowd, 1.25, EXACT);
    assert_near(out.services[3].crowd, 1, EXACT);
    assert_near(out.outside_s, 2, EXACT);
}

static void a_stage_filled_by_another_costs_nothing(void **state)
{
    struct trace *trace = fixture_trace(*state, 2);
    fixture_span(trace, DOWNLOAD, 1, 0, 0, 4, 0);
    fixture_span(trace, EXTRACT, 1, 0, 0, 4, 0);
    struct sample out = take(state, trace);
    double total_s = 0;
    for (size_t i = 0; i < 2; i++) {
        total_s += out.services[i].waiting_s;
        assert_near(out.services[i].crowd, 1, EXACT);
    }
    assert_near(total_s, 4, EXACT);
}

static void an_empty_run_has_no_items(void **state)
{
    struct sample out = take(state, fixture_trace(*state, 2));
    assert_int_equal(out.items, 0);
    assert_near(out.wall_s, 0, EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_spans_of_an_item_add_up),
        cmocka_unit_test(crowds_are_means_over_the_span),
        cmocka_unit_test(a_stage_filled_by_another_costs_nothing),
        cmocka_unit_test(an_empty_run_has_no_items),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
