/* SPDX-License-Identifier: Apache-2.0
 *
 * The sweep against counting what is open in every single tick.
 */
#include "profile/sweep.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STAGES = 5, SPANS_MAX = 24, TICKS = 40, SAMPLES_MAX = 6, ROUNDS = 20000 };

struct one_span {
    uint64_t start, end;
    uint32_t stage;
};

struct case_of {
    struct one_span spans[SPANS_MAX]; /* by end */
    size_t span_count;
    struct sweep_sample samples[SAMPLES_MAX]; /* by time */
    size_t sample_count;
};

static int by_end(const void *left, const void *right)
{
    const struct one_span *a = left, *b = right;
    return (a->end > b->end) - (a->end < b->end);
}

static void make_case(struct case_of *out, struct rng *rng)
{
    *out =
        (struct case_of){.span_count = rng_below(rng, SPANS_MAX + 1), .sample_count = rng_below(rng, SAMPLES_MAX + 1)};
    for (size_t i = 0; i < out->span_count; i++) {
        uint64_t a = rng_below(rng, TICKS + 1), b = rng_below(rng, TICKS + 1);
        out->spans[i] =
            (struct one_span){.start = a < b ? a : b, .end = a < b ? b : a, .stage = (uint32_t)rng_below(rng, STAGES)};
    }
    qsort(out->spans, out->span_count, sizeof *out->spans, by_end);
    for (size_t i = 0; i < out->sample_count; i++)
        out->samples[i] = (struct sweep_sample){.at = (i ? out->samples[i - 1].at : 0) + rng_below(rng, 12),
                                                .resident_bytes = 1 + rng_below(rng, 1000)};
}

/* Tick t is the time from t to t + 1. */
static size_t open_in(const struct case_of *one, size_t stage, uint64_t tick)
{
    size_t open = 0;
    for (size_t i = 0; i < one->span_count; i++)
        open += one->spans[i].stage == stage && one->spans[i].start <= tick && tick < one->spans[i].end;
    return open;
}

static void assert_counted(const struct sweep *sweep, const struct case_of *one)
{
    uint64_t overlap = 0;
    for (size_t stage = 0; stage < STAGES; stage++) {
        struct sweep_stage counted = {.open = 0};
        for (uint64_t tick = 0; tick < TICKS; tick++) {
            size_t open = open_in(one, stage, tick);
            counted.busy += open > 0;
            counted.open_most = open > counted.open_most ? open : counted.open_most;
        }
        for (size_t i = 0; i < one->sample_count; i++)
            if (open_in(one, stage, one->samples[i].at) > 0 && one->samples[i].resident_bytes > counted.peak_bytes)
                counted.peak_bytes = one->samples[i].resident_bytes;
        assert_int_equal(sweep->stages[stage].busy, counted.busy);
        assert_int_equal(sweep->stages[stage].open_most, counted.open_most);
        assert_int_equal(sweep->stages[stage].peak_bytes, counted.peak_bytes);
        assert_int_equal(sweep->stages[stage].open, 0);
    }
    for (uint64_t tick = 0; tick < TICKS; tick++) {
        size_t busy = 0;
        for (size_t stage = 0; stage < STAGES; stage++)
            busy += open_in(one, stage, tick) > 0;
        overlap += busy >= 2;
    }
    assert_int_equal(sweep->overlap, overlap);
    assert_int_equal(sweep->start_count, 0);
}

static void begin(struct sweep *out, const struct case_of *one, struct arena *arena)
{
    arena_init(arena, 1 << 20);
    assert_int_equal(sweep_begin(out, STAGES, one->samples, one->sample_count, arena, NULL), ERR_OK);
}

static void add(struct sweep *sweep, const struct one_span *span)
{
    struct moment end = {.at = span->end, .began = sweep_none(sweep), .ended = span->stage};
    if (span->start == span->end)
        return;
    assert_int_equal(sweep_wait(sweep, span->start, span->stage, NULL), ERR_OK);
    sweep_over(sweep, &end, 1);
}

static void test_spans_of_every_kind(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct case_of one;
        struct sweep sweep;
        AUTO(arena_fini) struct arena arena;
        make_case(&one, &rng);
        begin(&sweep, &one, &arena);
        for (size_t i = one.span_count; i > 0; i--)
            add(&sweep, &one.spans[i - 1]);
        sweep_end(&sweep);
        assert_counted(&sweep, &one);
    }
}

/* Spans that follow each other from `begin` to `end`, in between the others of `one`; returns how many. */
static size_t make_laps(struct one_span *out, struct stage_time times[STAGES], uint64_t begin, uint64_t end,
                        struct rng *rng)
{
    size_t count = 0;
    for (uint32_t i = 0; i < STAGES; i++)
        times[i] = (struct stage_time){.stage = i};
    for (uint64_t at = begin; at < end;) {
        uint64_t next = at + rng_below(rng, end - at + 1);
        uint32_t stage = (uint32_t)rng_below(rng, STAGES);
        if (next > at && rng_below(rng, 4) > 0) {
            out[count++] = (struct one_span){.start = at, .end = next, .stage = stage};
            times[stage].ticks += next - at;
        }
        at = next;
    }
    return count;
}

static size_t without_empty(struct stage_time *times)
{
    size_t count = 0;
    for (size_t i = 0; i < STAGES; i++)
        if (times[i].ticks > 0)
            times[count++] = times[i];
    return count;
}

/* Laps between `from` and `to` as one sum, or, when that does not suffice, one by one: the same comes out. */
static void test_times_of_laps_are_as_good_as_the_laps(void **state)
{
    struct rng rng;
    size_t sufficed = 0;
    (void)state;
    rng_init(&rng, 2);
    for (int round = 0; round < ROUNDS; round++) {
        struct case_of one, all;
        struct sweep sweep;
        struct one_span laps[TICKS];
        struct stage_time times[STAGES];
        AUTO(arena_fini) struct arena arena;
        uint64_t from = rng_below(&rng, TICKS), to = from + rng_below(&rng, TICKS - from + 1);
        make_case(&one, &rng);
        one.span_count = one.span_count / 6;
        size_t lap_count = make_laps(laps, times, from, to, &rng);
        begin(&sweep, &one, &arena);
        size_t i = one.span_count, clashes = 0;
        for (; i > 0 && one.spans[i - 1].end >= to; i--)
            add(&sweep, &one.spans[i - 1]);
        for (size_t j = 0; j < i; j++)
            clashes += one.spans[j].end > from;
        if (clashes > 0 || lap_count + one.span_count > SPANS_MAX)
            continue;
        size_t time_count = without_empty(times);
        if (sweep_over_times(&sweep, from, to, times, time_count))
            sufficed++;
        else
            for (size_t lap = lap_count; lap > 0; lap--)
                add(&sweep, &laps[lap - 1]);
        for (; i > 0; i--)
            add(&sweep, &one.spans[i - 1]);
        sweep_end(&sweep);
        all = one;
        memcpy(all.spans + all.span_count, laps, lap_count * sizeof *laps);
        all.span_count += lap_count;
        assert_counted(&sweep, &all);
    }
    assert_true(sufficed > ROUNDS / 20);
}

/* Only damage can bring it, but then nothing may come out that is more than all the time there is. */
static void test_what_ends_after_the_present_is_cut_there(void **state)
{
    struct case_of none = {.span_count = 0};
    struct sweep sweep;
    AUTO(arena_fini) struct arena arena;
    (void)state;
    begin(&sweep, &none, &arena);
    add(&sweep, &(struct one_span){.start = 10, .end = 20, .stage = 0});
    add(&sweep, &(struct one_span){.start = 5, .end = 100, .stage = 1});
    sweep_end(&sweep);
    assert_int_equal(sweep.stages[0].busy, 10);
    assert_int_equal(sweep.stages[1].busy, 15);
    assert_int_equal(sweep.overlap, 10);
}

static void test_memory_out_is_an_error(void **state)
{
    struct sweep sweep;
    AUTO(arena_fini) struct arena arena;
    (void)state;
    arena_init(&arena, 8);
    assert_int_equal(sweep_begin(&sweep, STAGES, NULL, 0, &arena, NULL), ERR_MEMORY);
    arena_init(&arena, (STAGES + 1) * sizeof *sweep.stages);
    assert_int_equal(sweep_begin(&sweep, STAGES, NULL, 0, &arena, NULL), ERR_OK);
    assert_int_equal(sweep_wait(&sweep, 1, 0, NULL), ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_of_every_kind),
        cmocka_unit_test(test_times_of_laps_are_as_good_as_the_laps),
        cmocka_unit_test(test_what_ends_after_the_present_is_cut_there),
        cmocka_unit_test(test_memory_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
