/* SPDX-License-Identifier: Apache-2.0
 *
 * What traces made by hand say, right and wrong. What recorders leave is tested in tests/span.
 */
#include "trace/reader.h"

#include "trace/pack.h"
#include "trace/trace_fixture.h"

static struct record span_record(uint32_t stage, uint64_t delta, uint64_t duration)
{
    return (struct record){.kind = RECORD_IS_SPAN, .stage = stage, .delta = delta, .duration = duration};
}

static void assert_span(const struct span *span, uint64_t start_ns, uint64_t end_ns, uint64_t item)
{
    assert_int_equal(span->start_ns, start_ns);
    assert_int_equal(span->end_ns, end_ns);
    assert_int_equal(span->item, item);
}

static void test_empty_folder(void **state)
{
    const struct trace *trace = fixture_read(*state);
    assert_int_equal(trace->span_count + trace->stage_count + trace->worker_count + trace->memory_count, 0);
}

static void test_no_folder(void **state)
{
    struct fixture *fixture = *state;
    fixture_empty(fixture, 1 << 20);
    assert_int_equal(trace_read(&fixture->trace, "/nonexistent", &fixture->arena, &fixture->diag), ERR_IO);
    assert_string_equal(fixture->diag.where, "/nonexistent");
    assert_int_equal(trace_read(&fixture->trace, "/dev/null", &fixture->arena, &fixture->diag), ERR_FORMAT);
}

/* A lap begins where the lap before it ended, whatever stands between; the time between laps is none. */
static void test_laps_and_spans(void **state)
{
    struct fixture *fixture = *state;
    struct page_builder *stream = &fixture->stream;
    builder_lap(stream, 0, 50);          /* 5050: the first lap begins */
    builder_lap(stream, 1, 100);         /* 5150 */
    builder_item(stream, 7);             /* for what begins now */
    builder_span(stream, 2, 20, 600, 9); /* 4570 to 5170, inside the lap */
    builder_lap(stream, 2, 30);          /* 5150 to 5200 */
    builder_lap(stream, 0, 1000);        /* 6200 */
    builder_lap(stream, 1, 1);           /* 6200 to 6201 */
    fixture_write(fixture);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 4);
    assert_int_equal(trace->worker_count, 1);
    assert_string_equal(trace->stages[0], "ingest"); /* its span began first */
    assert_span(&trace->spans[0], 4570, 5170, 9);
    assert_span(&trace->spans[1], 5050, 5150, 0);
    assert_span(&trace->spans[2], 5150, 5200, 7);
    assert_span(&trace->spans[3], 6200, 6201, 7);
    assert_int_equal(trace->spans[2].stage, 0);
    assert_int_equal(trace->spans[3].stage, 1);
    assert_int_equal(trace->rejected, 0);
}

/* Pages begin anywhere: in a lap, behind an item, in the middle of a span. */
static void test_the_same_on_pages_of_any_size(void **state)
{
    struct fixture *fixture = *state;
    for (size_t room = RECORD_BYTES_MAX; room <= 400; room += 19) {
        builder_end(&fixture->stream);
        builder_begin(&fixture->stream, &fixture->process, 0);
        fixture->stream.open = sizeof(struct page_head) + room;
        for (uint64_t i = 1; i <= 500; i++) {
            if (i % 10 == 1)
                builder_item(&fixture->stream, i / 10);
            builder_span(&fixture->stream, 2, 3, 2000 + i, i);
            builder_lap(&fixture->stream, 1, 7);
        }
        fixture_write(fixture);
        const struct trace *trace = fixture_read(fixture);
        assert_int_equal(trace->rejected, 0);
        assert_int_equal(trace->span_count, 1000);
        uint64_t laps = 0;
        for (size_t i = 0; i < trace->span_count; i++) {
            const struct span *span = &trace->spans[i];
            if (strcmp(trace->stages[span->stage], "parse") == 0) {
                assert_span(span, FIXTURE_START + 10 * laps, FIXTURE_START + 10 * laps + 10, laps / 10);
                laps++;
            } else {
                uint64_t end_ns = FIXTURE_START + 10 * span->item - 7;
                assert_span(span, end_ns - 2000 - span->item, end_ns, span->item);
            }
        }
        assert_int_equal(laps, 500);
    }
}

static void test_what_a_span_carries(void **state)
{
    struct fixture *fixture = *state;
    struct record record = span_record(1, 100, 90);
    builder_put(&fixture->stream, &record);
    record.rows = 5;
    record.bytes = UINT64_MAX;
    record.more = RECORD_FAILED | RECORD_CPU;
    record.cpu_ns = 80;
    builder_put(&fixture->stream, &record);
    record.more = RECORD_ALLOCATIONS | RECORD_CPU;
    record.cpu_ns = 91; /* the clocks are read a little apart */
    record.allocations = 3;
    record.allocated_bytes = 300;
    builder_put(&fixture->stream, &record);
    fixture_write(fixture);
    const struct span *spans = fixture_read(fixture)->spans;
    assert_true(spans[0].cpu_ns == TRACE_CPU_UNKNOWN && spans[0].allocations == TRACE_ALLOCATIONS_UNKNOWN);
    assert_true(spans[0].allocated_bytes == TRACE_ALLOCATIONS_UNKNOWN);
    assert_int_equal(spans[0].rows + spans[0].bytes, 0);
    assert_int_equal(spans[0].outcome, SPAN_OK);
    assert_int_equal(spans[1].rows, 5);
    assert_true(spans[1].bytes == UINT64_MAX);
    assert_int_equal(spans[1].cpu_ns, 80);
    assert_int_equal(spans[1].outcome, SPAN_FAILED);
    assert_int_equal(spans[2].outcome, SPAN_OK);
    assert_int_equal(spans[2].cpu_ns, 90);
    assert_int_equal(spans[2].allocations, 3);
    assert_int_equal(spans[2].allocated_bytes, 300);
}

static void test_the_recorders_own_time(void **state)
{
    struct fixture *fixture = *state;
    builder_lap(&fixture->stream, 1, 100);
    builder_span(&fixture->stream, TRACE_STAGE_FLUSH, 50, 40, 0);
    builder_span(&fixture->stream, TRACE_STAGE_FLUSH, 50, 30, 0);
    fixture_write(fixture);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 1);
    assert_int_equal(trace->stage_count, 1);
    assert_int_equal(trace->flush_count, 2);
    assert_int_equal(trace->flush_ns, 70);
    assert_int_equal(trace->rejected, 0);
}

static void test_ticks_of_a_counter(void **state)
{
    struct fixture *fixture = *state;
    built_process_tsc(&fixture->process, 77000, 3);
    builder_end(&fixture->stream);
    builder_begin(&fixture->stream, &fixture->process, 0);
    for (int i = 0; i < 3000; i++)
        builder_lap(&fixture->stream, 1, 3000);
    builder_put(&fixture->stream, &(struct record){.kind = RECORD_IS_CLOCK, .delta = 0});
    fixture_write(fixture);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 3000);
    for (size_t i = 0; i < trace->span_count; i++)
        assert_span(&trace->spans[i], FIXTURE_START + 1000 * i, FIXTURE_START + 1000 * (i + 1), 0);
    assert_in_range(trace->drift_ns, 0, 1);
    uint64_t off = 123; /* a page that says it began at another time */
    memcpy(builder_page(&fixture->stream, 2) + offsetof(struct page_head, ns), &off, sizeof off);
    fixture_write(fixture);
    assert_true(fixture_read(fixture)->drift_ns > 1000);
}

/* What the heads of the pages say is missing is counted. */
static void test_lost_pages_are_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, 2 * TRACE_BLOCK_PAGES + 3);
    uint64_t records = fixture->stream.records;
    for (int lost = 0; lost < 3; lost++) {
        static const size_t pages[] = {0, 7, 8};
        fixture->stream.file[pages[lost] * TRACE_PAGE_BYTES + 100] ^= 1;
        fixture_write(fixture);
        const struct trace *trace = fixture_read(fixture);
        assert_true(trace->rejected > 1000 * (uint64_t)(lost + 1));
        assert_int_equal(trace->span_count + trace->rejected, records);
    }
    fixture_remove(fixture, FIXTURE_SPANS);
    assert_int_equal(fixture_read(fixture)->span_count + fixture->trace->rejected, records);
    fixture_remove(fixture, FIXTURE_PROCESS_RING);
    assert_int_equal(fixture_read(fixture)->span_count, 0);
    assert_int_equal(fixture->trace->rejected, records);
}

/* A record that cannot be right ends its page: how many followed, the next page knows. */
static void test_records_that_cannot_be_right(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"\x0c", 1},                                                  /* no tag */
        {"\xfd\x01", 2},                                              /* stage 63 of 2 */
        {"\x84\x03\x01\0\0\x01\0\0", 8},                              /* stage 3 of 2 */
        {"\x84\0\x01\0\0\x01\0\0", 8},                                /* a span of no stage */
        {"\x80\xff\x01\0\0", 5},                                      /* a lap of the recorder's own stage */
        {"\x88\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},     /* past the end of time */
        {"\x8c\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13}, /* began before it */
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int last = 0; last < 2; last++) {
            builder_end(&fixture->stream);
            builder_begin(&fixture->stream, &fixture->process, 0);
            fixture_fill(fixture, 3);
            unsigned char *page = builder_page(&fixture->stream, last ? 3 : 2);
            memcpy(page + sizeof(struct page_head), cases[i].bytes, cases[i].count);
            fixture_write(fixture);
            const struct trace *trace = fixture_read(fixture);
            if (last)
                assert_int_equal(trace->rejected, 1);
            else
                assert_int_equal(trace->span_count + trace->rejected, fixture->stream.records);
        }
    }
}

static void test_a_name_that_cannot_be_right(void **state)
{
    struct fixture *fixture = *state;
    fixture->process.slot.names[0][0] = '\x1b';
    for (int i = 0; i < 10; i++)
        builder_lap(&fixture->stream, 1 + (uint32_t)(i % 2), 100);
    fixture_write(fixture);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->stage_count, 1);
    assert_int_equal(trace->span_count, 5);
    assert_int_equal(trace->rejected, 5);
}

static void test_heads_that_lie(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t numbers[] = {0, 1, UINT64_MAX / 2, UINT64_MAX};
    for (size_t at = offsetof(struct page_head, base); at < sizeof(struct page_head); at += 8) {
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            builder_end(&fixture->stream);
            builder_begin(&fixture->stream, &fixture->process, 0);
            fixture_fill(fixture, 3);
            memcpy(builder_page(&fixture->stream, 2) + at, &numbers[i], sizeof numbers[i]);
            fixture_write(fixture);
            const struct trace *trace = fixture_read(fixture);
            for (size_t span = 0; span < trace->span_count; span++)
                assert_true(trace->spans[span].start_ns <= trace->spans[span].end_ns);
        }
    }
}

/* However short a file is cut, what is read is the truth, and what is missing is not read. Every byte is tried where
 * there are records; behind them a page is zeros. */
static void test_cut_at_every_byte(void **state)
{
    enum { OPEN = 300, STEP = 100 };
    static const char *const names[] = {FIXTURE_SPANS, FIXTURE_RING, FIXTURE_PROCESS_RING};
    static const uint64_t sizes[] = {TRACE_BLOCK_BYTES, TRACE_SLOT_BYTES, TRACE_PROCESS_BYTES};
    struct fixture *fixture = *state;
    fixture->stream.open = OPEN;
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 4);
    fixture_write(fixture);
    size_t full = fixture_read(fixture)->span_count;
    for (size_t file = 0; file < 3; file++) {
        size_t before = full;
        for (uint64_t left = sizes[file]; left > 0;) {
            left -= left % TRACE_PAGE_BYTES > OPEN + STEP ? STEP : 1;
            fixture_cut(fixture, names[file], left);
            const struct trace *trace = fixture_read(fixture);
            assert_true(trace->span_count <= before);
            for (size_t i = 0; i < trace->span_count; i++)
                assert_int_equal(trace->spans[i].end_ns - trace->spans[i].start_ns, 100);
            before = trace->span_count;
        }
        fixture_write(fixture);
    }
}

static void test_memory_samples(void **state)
{
    struct fixture *fixture = *state;
    const struct memory_sample samples[] = {{30, 3}, {10, 1}, {20, 2}, {40, 4}};
    fixture_put(fixture, TRACE_MEMORY_FILE, samples, sizeof samples - 5);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->memory_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(trace->memory[i].resident_bytes, i + 1);
    fixture_cut(fixture, TRACE_MEMORY_FILE, (uint64_t)1 << 40);
    fixture_refused(fixture, TRACE_MEMORY_FILE, "more than");
}

/* More spans than memory is one clear error, not a machine that swaps. */
static void test_too_large(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, 8 * TRACE_BLOCK_PAGES);
    fixture_write(fixture);
    fixture_empty(fixture, 4 << 20);
    assert_int_equal(trace_read(&fixture->trace, fixture->folder, &fixture->arena, &fixture->diag), ERR_MEMORY);
}

/* Limits so close to each other that every allocation is once the one that fails. */
static void test_memory_out_is_an_error(void **state)
{
    enum { STEP = 31 };
    struct fixture *fixture = *state;
    const struct memory_sample sample = {1, 1};
    enum err error = ERR_MEMORY;
    fixture->stream.open = 200;
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 2);
    fixture_write(fixture);
    fixture_put(fixture, TRACE_MEMORY_FILE, &sample, sizeof sample);
    for (size_t limit = 0; error != ERR_OK; limit += STEP) {
        assert_true(limit < FIXTURE_MEMORY);
        fixture_empty(fixture, limit);
        error = trace_read(&fixture->trace, fixture->folder, &fixture->arena, &fixture->diag);
        assert_true(error == ERR_OK || error == ERR_MEMORY);
    }
}

static void test_packed(void **state)
{
    struct fixture *fixture = *state;
    char packed[300];
    const struct memory_sample sample = {1, 1};
    fixture_fill(fixture, 2 * TRACE_BLOCK_PAGES + 3);
    fixture_write(fixture);
    fixture_put(fixture, TRACE_MEMORY_FILE, &sample, sizeof sample);
    (void)snprintf(packed, sizeof packed, "%s", fixture_path(fixture, "packed"));
    const struct trace *plain = fixture_read(fixture);
    struct arena arena;
    struct trace *trace;
    arena_init(&arena, FIXTURE_MEMORY);
    assert_int_equal(trace_pack(fixture->folder, packed, &arena, NULL), ERR_OK);
    assert_int_equal(trace_read(&trace, packed, &arena, NULL), ERR_OK);
    assert_int_equal(trace->span_count, plain->span_count);
    assert_memory_equal(trace->spans, plain->spans, trace->span_count * sizeof *trace->spans);
    assert_int_equal(trace->memory_count, 1);
    assert_int_equal(trace->rejected, 0);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_empty_folder),
        FIXTURE_TEST(test_no_folder),
        FIXTURE_TEST(test_laps_and_spans),
        FIXTURE_TEST(test_the_same_on_pages_of_any_size),
        FIXTURE_TEST(test_what_a_span_carries),
        FIXTURE_TEST(test_the_recorders_own_time),
        FIXTURE_TEST(test_ticks_of_a_counter),
        FIXTURE_TEST(test_lost_pages_are_counted),
        FIXTURE_TEST(test_records_that_cannot_be_right),
        FIXTURE_TEST(test_a_name_that_cannot_be_right),
        FIXTURE_TEST(test_heads_that_lie),
        FIXTURE_TEST(test_cut_at_every_byte),
        FIXTURE_TEST(test_memory_samples),
        FIXTURE_TEST(test_too_large),
        FIXTURE_TEST(test_memory_out_is_an_error),
        FIXTURE_TEST(test_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
