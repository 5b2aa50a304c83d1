/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct span_record RECORD = {.start_ns = 1700000000000000001,
                                          .end_ns = 1700000000000857001,
                                          .cpu_ns = TRACE_CPU_UNKNOWN,
                                          .item = 7,
                                          .rows = 44640,
                                          .bytes = 6740640,
                                          .stage = 3,
                                          .outcome = SPAN_FAILED};
enum { RECORD_BITS = 8 * (sizeof(struct span_record) - sizeof(uint64_t)) };

static void flip(struct span_record *record, size_t bit)
{
    unsigned char *bytes = (unsigned char *)record;
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
}

/* A record that is torn, or of which two bits turned, does not pass: also not when the two would cancel in a sum. */
static void test_check_sees_every_pair_of_bits(void **state)
{
    uint64_t check = span_record_check(&RECORD, 12345, 678);
    (void)state;
    for (size_t first = 0; first < RECORD_BITS; first++) {
        struct span_record record = RECORD;
        flip(&record, first);
        assert_true(span_record_check(&record, 12345, 678) != check);
        for (size_t second = 0; second < first; second++) {
            flip(&record, second);
            assert_true(span_record_check(&record, 12345, 678) != check);
            flip(&record, second);
        }
    }
}

/* A record that stood in the ring before, or stands in another stream, does not pass. */
static void test_check_knows_its_place(void **state)
{
    uint64_t check = span_record_check(&RECORD, 12345, 678);
    (void)state;
    for (uint64_t bit = 0; bit < 64; bit++) {
        assert_true(span_record_check(&RECORD, 12345, 678 ^ 1ULL << bit) != check);
        assert_true(span_record_check(&RECORD, 12345 ^ 1ULL << bit, 678) != check);
    }
    assert_true(span_record_check(&RECORD, 12345, 678 + TRACE_RING_RECORDS) != check);
    assert_true(span_record_check(&(struct span_record){0}, 0, 0) != 0);
}

static void test_stage_names(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } cases[] = {
        {"a", 1},
        {"download", 8},
        {"Gr\xc3\xb6\xc3\x9f\x65", 7},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x9a\xb0", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"012345678901234567890123456789012345678901234567890123456789012", 63},
        {"0123456789012345678901234567890123456789012345678901234567890123", 0},
        {"01234567890123456789012345678901234567890123456789012345678901\xc3\xb6", 0}, /* would be cut in a character */
        {"", 0},
        {"tab\there", 0},
        {"line\n", 0},
        {"\x7f", 0},
        {"\xc2\x80", 0},         /* a control of Unicode */
        {"\xc2\xa0", 2},         /* the first after them */
        {"\x80", 0},             /* no start */
        {"\xc3", 0},             /* cut */
        {"\xc3(", 0},            /* broken */
        {"\xe2\x82", 0},         /* cut */
        {"\xc0\xaf", 0},         /* overlong */
        {"\xe0\x80\xaf", 0},     /* overlong */
        {"\xf0\x80\x80\xaf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond Unicode */
        {"\xff", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(stage_name_bytes(cases[i].name), cases[i].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_sees_every_pair_of_bits),
        cmocka_unit_test(test_check_knows_its_place),
        cmocka_unit_test(test_stage_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
