/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces stay readable for ever. tests/span/sample.c made all of them: trace-v1 by the first release (VENTURI_CPU=1),
 * trace-v2 with 1500 batches and nobody around (VENTURI_CPU=1, VENTURI_ALLOC=1), trace-v2.tar likewise in a run of the
 * lab, and packed.
 */
#include "fixture.h"

struct expected {
    const char *path;
    size_t batches;
    bool allocations;
};

enum { FILES = 4, ROWS = 10 };

struct sum {
    size_t spans, failed;
    uint64_t rows, bytes, items;
};

static struct sum sum_of(const struct trace *trace, size_t stage, bool allocations)
{
    struct sum sum = {0};
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        if (span->stage != stage)
            continue;
        assert_true(span->cpu_ns <= span->end_ns - span->start_ns);
        assert_true((span->allocations != TRACE_ALLOCATIONS_UNKNOWN) == allocations);
        assert_true((span->allocated_bytes != TRACE_ALLOCATIONS_UNKNOWN) == allocations);
        assert_int_equal(span->worker, stage == 2);
        sum.spans++;
        sum.failed += span->outcome == SPAN_FAILED;
        sum.rows += span->rows;
        sum.bytes += span->bytes;
        sum.items += span->item;
    }
    return sum;
}

static void assert_sum(struct sum got, struct sum want)
{
    assert_int_equal(got.spans, want.spans);
    assert_int_equal(got.failed, want.failed);
    assert_int_equal(got.rows, want.rows);
    assert_int_equal(got.bytes, want.bytes);
    assert_int_equal(got.items, want.items);
}

static void check(const struct expected *expected)
{
    AUTO(arena_fini) struct arena arena;
    struct trace *trace;
    uint64_t batches = expected->batches, rows = FILES * ROWS * batches;
    arena_init(&arena, 1 << 24);
    assert_int_equal(trace_read(&trace, expected->path, &arena, NULL), ERR_OK);
    assert_int_equal(trace->stage_count, 3);
    assert_string_equal(trace->stages[0], "download");
    assert_string_equal(trace->stages[1], "parse");
    assert_string_equal(trace->stages[2], "ingest");
    assert_int_equal(trace->worker_count, 2);
    assert_int_equal(trace->rejected, 0);
    assert_sum(sum_of(trace, 0, expected->allocations), (struct sum){5, 1, 0, 8000000, 11});
    assert_sum(sum_of(trace, 1, expected->allocations), (struct sum){4, 0, rows, 24000000, 10});
    assert_sum(sum_of(trace, 2, expected->allocations),
               (struct sum){FILES * batches, 0, rows, 1000 * rows, 10 * batches});
}

static void test_every_version(void **state)
{
    static const struct expected all[] = {
        {TRACES "/trace-v1", 300, false},
        {TRACES "/trace-v2", 1500, true},
        {TRACES "/trace-v2.tar", 1500, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check(&all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
