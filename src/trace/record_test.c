/* SPDX-License-Identifier: Apache-2.0
 *
 * Every record that can be put comes back as it was, and what is cut off or no record is refused.
 */
#include "trace/record.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ROUNDS = 200000, SEED = 20 };

/* Small, large and borderline numbers, all about equally often. */
static uint64_t any_number(struct rng *rng)
{
    uint64_t number = rng_next(rng) >> rng_below(rng, 64);
    switch (rng_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return RECORD_SHORT_TICKS - rng_below(rng, 2);
    case 3:
        return ((uint64_t)1 << rng_below(rng, 64)) - rng_below(rng, 2);
    default:
        return number;
    }
}

static unsigned any_more(struct rng *rng)
{
    return (unsigned)rng_below(rng, (RECORD_FAILED | RECORD_CPU | RECORD_ALLOCATIONS) + 1);
}

static struct record any_time(struct rng *rng)
{
    struct record record = {.kind = rng_coin(rng) ? RECORD_IS_LAP : RECORD_IS_SPAN,
                            .stage = (uint32_t)rng_below(rng, 256),
                            .delta = any_number(rng)};
    if (record.kind == RECORD_IS_SPAN) {
        record.duration = any_number(rng);
        record.item = rng_coin(rng) ? any_number(rng) : 0;
    }
    if (rng_coin(rng)) {
        record.rows = any_number(rng);
        record.bytes = any_number(rng);
    }
    record.more = rng_coin(rng) ? any_more(rng) : 0;
    if (record.more & RECORD_CPU)
        record.cpu_ns = any_number(rng);
    if (record.more & RECORD_ALLOCATIONS) {
        record.allocations = any_number(rng);
        record.allocated_bytes = any_number(rng);
    }
    return record;
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->stage, b->stage);
    assert_true(a->delta == b->delta && a->duration == b->duration && a->item == b->item);
    assert_true(a->rows == b->rows && a->bytes == b->bytes && a->ns == b->ns && a->more == b->more);
    assert_true(a->cpu_ns == b->cpu_ns && a->allocations == b->allocations);
    assert_true(a->allocated_bytes == b->allocated_bytes);
}

/* One of each kind in the shortest and the full form; how many bytes it takes. */
static size_t put_any(unsigned char *out, struct record *record, struct rng *rng)
{
    size_t bytes;
    uint64_t word;
    switch (rng_below(rng, 5)) {
    case 0:
        *record = (struct record){.kind = RECORD_IS_LAP,
                                  .stage = (uint32_t)rng_below(rng, RECORD_SHORT_STAGES + 1),
                                  .delta = any_number(rng) % RECORD_SHORT_TICKS};
        word = record_short_lap(record->stage, record->delta, &bytes);
        memcpy(out, &word, sizeof word);
        return bytes;
    case 1:
        *record = (struct record){.kind = RECORD_IS_SPAN,
                                  .stage = (uint32_t)rng_below(rng, 256),
                                  .delta = any_number(rng) % RECORD_SHORT_TICKS,
                                  .duration = any_number(rng) % RECORD_SHORT_TICKS};
        if (rng_coin(rng)) {
            record->delta >>= 24 - RECORD_SPAN_BITS;
            record->duration >>= 24 - RECORD_SPAN_BITS;
        }
        word = record_short_span(record->stage, record->delta, record->duration, &bytes);
        memcpy(out, &word, sizeof word);
        return bytes;
    case 2:
        *record = (struct record){.kind = RECORD_IS_ITEM, .item = any_number(rng)};
        return record_put_item(out, record->item);
    case 3:
        *record = (struct record){.kind = RECORD_IS_CLOCK, .delta = any_number(rng), .ns = any_number(rng)};
        return record_put_clock(out, record->delta, record->ns);
    default:
        *record = any_time(rng);
        return record_put_full(out, record);
    }
}

static void test_round_trip(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, SEED);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned char out[RECORD_BYTES_MAX + 8] = {0};
        struct record put, got;
        size_t bytes = put_any(out, &put, &rng);
        struct record_bytes from = {out, out + bytes};
        assert_in_range(bytes, 2, RECORD_BYTES_MAX - 8);
        for (size_t i = bytes; i < sizeof out; i++)
            assert_int_equal(out[i], 0); /* nothing is left behind its end */
        assert_true(record_stands(&from));
        assert_true(record_get(&got, &from));
        assert_ptr_equal(from.at, out + bytes);
        assert_same(&put, &got);
    }
}

/* A record at the end of a page that does not hold all of it. */
static void test_cut_anywhere(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, SEED + 1);
    for (int round = 0; round < ROUNDS / 10; round++) {
        unsigned char out[RECORD_BYTES_MAX] = {0};
        struct record record;
        size_t bytes = put_any(out, &record, &rng);
        for (size_t cut = 1; cut < bytes; cut++)
            assert_false(record_get(&record, &(struct record_bytes){out, out + cut}));
    }
}

/* Whatever the bytes, reading stays inside and ends; what was read can be put again and is then the same. */
static void test_any_bytes(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, SEED + 2);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned char in[RECORD_BYTES_MAX], out[RECORD_BYTES_MAX] = {0};
        struct record record, again;
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (unsigned char)(rng_coin(&rng) ? rng_next(&rng) : 0xff);
        struct record_bytes from = {in, in + 1 + rng_below(&rng, sizeof in)};
        if (!record_stands(&from) || !record_get(&record, &from))
            continue;
        assert_true(from.at <= from.end);
        if (record.kind != RECORD_IS_LAP && record.kind != RECORD_IS_SPAN)
            continue;
        struct record_bytes second = {out, out + record_put_full(out, &record)};
        assert_true(record_get(&again, &second));
        assert_same(&record, &again);
    }
}

/* What stands in traces today is read in the same way for ever. */
static void test_bytes_for_ever(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
        struct record record;
    } cases[] = {
        {"\x15\x42", 2, {.kind = RECORD_IS_LAP, .stage = 5, .delta = 0x42}},
        {"\xff\x42\x43\x44", 4, {.kind = RECORD_IS_LAP, .stage = 63, .delta = 0x444342}},
        {"\x10\x05\x21\x43\x65\x87\xa9",
         7,
         {.kind = RECORD_IS_SPAN, .stage = 5, .delta = 0x54321, .duration = 0xa9876}},
        {"\x84\x05\1\2\3\4\5\6", 8, {.kind = RECORD_IS_SPAN, .stage = 5, .delta = 0x030201, .duration = 0x060504}},
        {"\xf4\x05\1\2\3\4\5\6\x09\x81\1\7\3\x08",
         14,
         {.kind = RECORD_IS_SPAN,
          .stage = 5,
          .delta = 0x030201,
          .duration = 0x060504,
          .item = 9,
          .rows = 129,
          .bytes = 7,
          .more = RECORD_FAILED | RECORD_CPU,
          .cpu_ns = 8}},
        {"\x04\x81\1", 3, {.kind = RECORD_IS_ITEM, .item = 129}},
        {"\x08\x07\1\0\0\0\0\0\0\2", 10, {.kind = RECORD_IS_CLOCK, .delta = 7, .ns = 0x0200000000000001}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record;
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;
        assert_true(record_get(&record, &(struct record_bytes){bytes, bytes + cases[i].count}));
        assert_same(&cases[i].record, &record);
    }
}

static void test_what_is_no_record(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"\x0c", 1},                                                          /* unknown tag */
        {"\x40\x01", 2},                                                      /* likewise */
        {"\x14\x01\0\0\0\0\0", 7},                                            /* likewise */
        {"\x90\x01\x01\0\0\x07", 6},                                          /* an item on a lap */
        {"\xc0\x01\x01\0\0\0", 6},                                            /* more of nothing */
        {"\xc0\x01\x01\0\0\x08", 6},                                          /* more of something unknown */
        {"\x88\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 12},             /* a number of 65 bits */
        {"\x88\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 15}, /* without an end */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record;
        const unsigned char *bytes = (const unsigned char *)cases[i].bytes;
        assert_false(record_get(&record, &(struct record_bytes){bytes, bytes + cases[i].count}));
    }
}

/* Until its first byte is stored, the page ends before it. */
static void test_the_first_byte_publishes(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, SEED + 3);
    for (int round = 0; round < ROUNDS / 10; round++) {
        unsigned char out[RECORD_BYTES_MAX] = {0};
        struct record record;
        (void)put_any(out, &record, &rng);
        assert_true(out[0] != 0);
        out[0] = 0;
        assert_false(record_stands(&(struct record_bytes){out, out + sizeof out}));
    }
    assert_false(record_stands(&(struct record_bytes){NULL, NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_bytes_for_ever),    cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_what_is_no_record), cmocka_unit_test(test_the_first_byte_publishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
