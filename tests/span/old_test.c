/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace that was recorded by the first release stays readable: tests/span/sample.c made trace-v1.
 */
#include "fixture.h"

static void test_version_1(void **state)
{
    AUTO(arena_fini) struct arena arena;
    struct trace *trace;
    struct diag diag = {0};
    static const struct {
        const char *stage;
        size_t spans, failed;
        uint64_t rows, bytes, items;
    } expected[] = {
        {"download", 5, 1, 0, 8000000, 11},
        {"parse", 4, 0, 12000, 24000000, 10},
        {"ingest", 1200, 0, 12000, 12000000, 3000},
    };
    (void)state;
    arena_init(&arena, 1 << 24);
    assert_int_equal(trace_read(&trace, TRACE_V1, &arena, &diag), ERR_OK);
    assert_int_equal(trace->stage_count, 3);
    assert_int_equal(trace->worker_count, 2);
    assert_int_equal(trace->rejected, 0);
    for (size_t stage = 0; stage < 3; stage++) {
        size_t spans = 0, failed = 0;
        uint64_t rows = 0, bytes = 0, items = 0;
        for (size_t i = 0; i < trace->span_count; i++) {
            const struct span *span = &trace->spans[i];
            if (span->stage != stage)
                continue;
            assert_true(span->cpu_ns <= span->end_ns - span->start_ns);
            assert_int_equal(span->worker, stage == 2);
            spans++;
            failed += span->outcome == SPAN_FAILED;
            rows += span->rows;
            bytes += span->bytes;
            items += span->item;
        }
        assert_string_equal(trace->stages[stage], expected[stage].stage);
        assert_int_equal(spans, expected[stage].spans);
        assert_int_equal(failed, expected[stage].failed);
        assert_int_equal(rows, expected[stage].rows);
        assert_int_equal(bytes, expected[stage].bytes);
        assert_int_equal(items, expected[stage].items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_version_1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
