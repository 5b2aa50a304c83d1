/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace taken from its pages backwards against the same trace read into memory.
 */
#include "profile/profile.h"

#include "base/file.h"
#include "base/random.h"
#include "trace/page_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROCESSES_MAX = 3, STREAMS_MAX = 5, ROUNDS = 40, MEMORY = 256 * 1024 * 1024 };

struct making {
    char folder[256];
    struct rng rng;
    struct built_process processes[PROCESSES_MAX];
    size_t process_count;
    uint64_t longest_ticks; /* of a lap */
    bool only_laps, some_lost;
};

static void make_processes(struct making *making, bool tsc, bool two_clocks)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", NULL};
    making->process_count = 1 + rng_below(&making->rng, PROCESSES_MAX);
    for (uint32_t i = 0; i < making->process_count; i++) {
        built_process_begin(&making->processes[i], 100 + i, 1000000 + 10 * i, names + rng_below(&making->rng, 3));
        if (tsc && !(two_clocks && i == 1))
            built_process_tsc(&making->processes[i], 3000000 + 20 * i, 2);
        built_process_write(&making->processes[i], making->folder);
    }
}

static struct record any_record(struct making *making, const struct page_builder *builder)
{
    struct rng *rng = &making->rng;
    struct record record = {.kind = RECORD_IS_LAP, .delta = rng_below(rng, making->longest_ticks)};
    record.stage = (uint32_t)rng_below(rng, builder->process->slot.stages + 1);
    uint64_t choice = making->only_laps ? 20 : rng_below(rng, 20);
    if (choice < 3) {
        record.kind = RECORD_IS_SPAN;
        record.stage += record.stage == 0;
        record.duration = rng_below(rng, 4 * making->longest_ticks);
        record.duration = record.duration < builder->ticks ? record.duration : 0;
        record.item = rng_below(rng, 3);
    } else if (choice == 3) {
        record = (struct record){.kind = RECORD_IS_ITEM, .item = rng_below(rng, 100)};
    } else if (choice == 4) {
        record = (struct record){.kind = RECORD_IS_CLOCK, .delta = record.delta};
    }
    if (choice >= 5 && choice < 8 && record.stage > 0) {
        record.rows = rng_below(rng, 300);
        record.bytes = rng_below(rng, 70000);
    }
    if (choice == 8 && record.stage > 0) {
        record.more = RECORD_FAILED | RECORD_CPU | RECORD_ALLOCATIONS;
        record.cpu_ns = rng_below(rng, making->longest_ticks);
        record.allocations = rng_below(rng, 5);
        record.allocated_bytes = rng_below(rng, 5000);
    }
    if (choice == 9)
        record.delta = 0;
    if (choice == 10 && rng_below(rng, 50) == 0)
        record.delta += RECORD_SHORT_TICKS;
    return record;
}

static void add_flush(struct page_builder *builder)
{
    builder_put(builder,
                &(struct record){.kind = RECORD_IS_SPAN, .stage = TRACE_STAGE_FLUSH, .delta = 700, .duration = 500});
}

static void make_stream(struct making *making, uint32_t number)
{
    struct page_builder builder;
    struct rng *rng = &making->rng;
    builder_begin(&builder, &making->processes[rng_below(rng, making->process_count)], number);
    builder.ticks = builder.lap_start = builder.ticks + rng_below(rng, 300 * making->longest_ticks);
    uint64_t records = rng_below(rng, 3) == 0 ? rng_below(rng, 40000) : rng_below(rng, 500);
    for (uint64_t i = 0; i < records; i++) {
        struct record record = any_record(making, &builder);
        uint32_t block = builder.sequence / TRACE_BLOCK_PAGES;
        if (rng_below(rng, 800) == 0)
            builder_turn(&builder);
        builder_put(&builder, &record);
        if (builder.sequence / TRACE_BLOCK_PAGES > block)
            add_flush(&builder);
    }
    for (size_t page = 0; making->some_lost && page < builder.file_bytes; page += TRACE_PAGE_BYTES)
        if (rng_below(rng, 4) == 0)
            builder.file[page + 100] ^= 1;
    builder_write(&builder, making->folder);
    builder_end(&builder);
}

static void make_samples(struct making *making)
{
    struct memory_sample samples[50];
    for (uint64_t i = 0; i < 50; i++)
        samples[i] = (struct memory_sample){.at_ns = 1000000 + i * 40 * making->longest_ticks,
                                            .resident_bytes = 1 + rng_below(&making->rng, 1000)};
    built_file_write(making->folder, TRACE_MEMORY_FILE, samples, sizeof samples);
}

/* The same number, but for the rounding of moments to nanoseconds: `slack` of them. */
static void assert_close(double actual, double expected, double slack, const char *what)
{
    if (!(fabs(actual - expected) <= slack * 1e-9 + 1e-9 * fabs(expected)) && !(isnan(actual) && isnan(expected)))
        fail_msg("%s: %.12g from pages, %.12g from memory", what, actual, expected);
}

static const struct stage_profile *stage_named(const struct run_profile *run, const char *name)
{
    for (size_t i = 0; i < run->stage_count; i++)
        if (strcmp(run->stages[i].name, name) == 0)
            return &run->stages[i];
    fail_msg("no stage %s", name);
    return NULL;
}

static void assert_same_stage(const struct stage_profile *stage, const struct stage_profile *expected, bool exact)
{
    double spans = exact ? 0 : 2 * (double)expected->spans;
    assert_int_equal(stage->spans, expected->spans);
    assert_int_equal(stage->failed, expected->failed);
    assert_int_equal(stage->rows, expected->rows);
    assert_int_equal(stage->bytes, expected->bytes);
    assert_true(stage->allocations == expected->allocations && stage->allocated_bytes == expected->allocated_bytes);
    assert_close(stage->sum_s, expected->sum_s, spans, "sum");
    assert_close(stage->busy_s, expected->busy_s, spans, "busy");
    assert_close(stage->running_s, expected->running_s, spans, "running");
    assert_close(stage->waiting_s, expected->waiting_s, 2 * spans, "waiting");
    assert_close(stage->critical_s, expected->critical_s, 0, "critical");
    assert_close(stage->max_s, expected->max_s, 2, "max");
    assert_int_equal(stage->slowest_count, expected->slowest_count);
    if (!exact)
        return; /* what touches in ticks may overlap in nanoseconds, or fall into another bucket */
    assert_int_equal(stage->workers, expected->workers);
    assert_int_equal(stage->peak_bytes, expected->peak_bytes);
    assert_close(stage->p50_s, expected->p50_s, 0, "p50");
    assert_close(stage->p99_s, expected->p99_s, 0, "p99");
}

static void assert_same(const struct run_profile *run, const struct run_profile *expected, bool exact)
{
    double spans = exact ? 0 : 2 * (double)expected->spans;
    assert_int_equal(run->stage_count, expected->stage_count);
    assert_int_equal(run->spans, expected->spans);
    assert_int_equal(run->lost_spans, expected->lost_spans);
    assert_int_equal(run->flushes, expected->flushes);
    assert_close(run->flush_s, expected->flush_s, 2 * (double)run->flushes, "flush");
    assert_close(run->wall_s, expected->wall_s, 2, "wall");
    assert_close(run->overlap_s, expected->overlap_s, spans, "overlap");
    assert_close(run->outside_s, expected->outside_s, 0, "outside");
    for (size_t i = 0; i < expected->stage_count; i++) {
        const struct stage_profile *stage = stage_named(run, expected->stages[i].name);
        assert_same_stage(stage, &expected->stages[i], exact);
        if (exact && strcmp(run->stages[i].name, expected->stages[i].name) == 0 && i > 0 &&
            strcmp(run->stages[i - 1].name, expected->stages[i - 1].name) == 0)
            assert_close(stage->queue.mean, expected->stages[i].queue.mean, 1, "queue");
    }
}

static void must(enum err error, const struct diag *diag)
{
    char line[1024];
    if (error != ERR_OK)
        fail_msg("%s", diag_line(diag, line, sizeof line));
}

static void compare(const char *folder, bool exact)
{
    AUTO(arena_fini) struct arena arena;
    struct run_profile *run, *expected;
    struct trace *trace;
    struct diag diag;
    arena_init(&arena, MEMORY);
    must(profile_trace(&run, folder, &arena, &diag), &diag);
    must(trace_read(&trace, folder, &arena, &diag), &diag);
    must(profile_run(&expected, trace, &arena, &diag), &diag);
    assert_same(run, expected, exact);
}

static void test_rounds(uint64_t seed, bool tsc, bool two_clocks, bool some_lost)
{
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct making making = {.some_lost = some_lost};
        rng_init(&making.rng, seed * 1000 + round);
        making.longest_ticks = (uint64_t)4 << rng_below(&making.rng, 14);
        making.only_laps = rng_below(&making.rng, 3) == 0;
        const char *base = getenv("TMPDIR");
        (void)snprintf(making.folder, sizeof making.folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
        assert_non_null(mkdtemp(making.folder));
        make_processes(&making, tsc, two_clocks);
        uint64_t streams = rng_below(&making.rng, STREAMS_MAX + 1);
        for (uint32_t i = 0; i < streams; i++)
            make_stream(&making, i);
        if (rng_coin(&making.rng))
            make_samples(&making);
        compare(making.folder, !tsc);
        must(dir_remove(making.folder, NULL), NULL);
    }
}

static void test_nanoseconds(void **state)
{
    (void)state;
    test_rounds(1, false, false, false);
}

static void test_ticks(void **state)
{
    (void)state;
    test_rounds(2, true, false, false);
}

static void test_clocks_that_differ(void **state)
{
    (void)state;
    test_rounds(3, true, true, false);
}

static void test_lost_pages(void **state)
{
    (void)state;
    test_rounds(4, false, false, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nanoseconds),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_clocks_that_differ),
        cmocka_unit_test(test_lost_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
