/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/format.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct page_head HEAD = {.sequence = 7, .stream = 99, .base = 1u << 30, .records = 12345};

static void make_page(unsigned char *page)
{
    struct rng rng;
    rng_init(&rng, 5);
    memset(page, 0, TRACE_PAGE_BYTES);
    memcpy(page, &HEAD, sizeof HEAD);
    for (size_t i = sizeof HEAD; i < TRACE_PAGE_BYTES / 2; i++) /* the rest is zeros, as on most pages that are torn */
        page[i] = (unsigned char)rng_next(&rng);
}

static void flip(unsigned char *page, size_t bit)
{
    page[bit / 8] = (unsigned char)(page[bit / 8] ^ 1u << bit % 8);
}

enum { CHECK_BITS = 64, PAGE_BITS = 8 * TRACE_PAGE_BYTES };

static void test_check_sees_every_bit(void **state)
{
    unsigned char page[TRACE_PAGE_BYTES];
    (void)state;
    make_page(page);
    uint64_t check = page_check(page);
    assert_true(check != 0);
    for (size_t bit = 0; bit < PAGE_BITS; bit++) {
        flip(page, bit);
        assert_int_equal(page_check(page) == check, bit < CHECK_BITS); /* but for the check itself */
        flip(page, bit);
    }
}

/* The same bit of two words that follow one another in their lane: the highest is where a product shows the least. */
static void test_check_sees_neighbours(void **state)
{
    enum { LANE_BITS = 4 * 64 };
    unsigned char page[TRACE_PAGE_BYTES];
    (void)state;
    make_page(page);
    uint64_t check = page_check(page);
    for (size_t bit = CHECK_BITS; bit + LANE_BITS < PAGE_BITS; bit++) {
        flip(page, bit);
        flip(page, bit + LANE_BITS);
        assert_true(page_check(page) != check);
        flip(page, bit);
        flip(page, bit + LANE_BITS);
    }
}

/* Any two bits, the same bit of two words, and swapped words. */
static void test_check_sees_pairs(void **state)
{
    enum { ROUNDS = 20000, WORDS = TRACE_PAGE_BYTES / 8 };
    unsigned char page[TRACE_PAGE_BYTES];
    struct rng rng;
    (void)state;
    rng_init(&rng, 6);
    make_page(page);
    uint64_t check = page_check(page);
    for (int round = 0; round < ROUNDS; round++) {
        size_t one = CHECK_BITS + rng_below(&rng, PAGE_BITS - CHECK_BITS);
        size_t other = round % 2 ? CHECK_BITS + rng_below(&rng, PAGE_BITS - CHECK_BITS) : one ^ 64;
        if (other == one || other < CHECK_BITS)
            continue;
        flip(page, one);
        flip(page, other);
        assert_true(page_check(page) != check);
        flip(page, one);
        flip(page, other);
    }
    for (size_t word = 8; word + 1 < WORDS / 2; word++) {
        uint64_t pair[2], swapped[2];
        memcpy(pair, page + 8 * word, sizeof pair);
        swapped[0] = pair[1];
        swapped[1] = pair[0];
        memcpy(page + 8 * word, swapped, sizeof swapped);
        assert_true(page_check(page) != check);
        memcpy(page + 8 * word, pair, sizeof pair);
    }
}

/* A disk writes sectors: a page of which the end is older, or zeros, does not pass. */
static void test_check_sees_torn_pages(void **state)
{
    enum { SECTOR = 512 };
    unsigned char page[TRACE_PAGE_BYTES], older[TRACE_PAGE_BYTES], torn[TRACE_PAGE_BYTES];
    (void)state;
    make_page(page);
    memcpy(older, page, sizeof older);
    memset(older + sizeof HEAD, 0x11, sizeof older - sizeof HEAD);
    uint64_t check = page_check(page);
    for (size_t at = SECTOR; at < TRACE_PAGE_BYTES; at += SECTOR) {
        memcpy(torn, page, sizeof torn);
        memcpy(torn + at, older + at, sizeof torn - at);
        assert_true(page_check(torn) != check);
        memset(torn + at, 0, sizeof torn - at);
        assert_int_equal(page_check(torn) == check, at >= TRACE_PAGE_BYTES / 2);
    }
}

static void test_streams_have_ids_of_their_own(void **state)
{
    uint32_t id = trace_stream_id(1234, 5678, 0);
    (void)state;
    for (uint32_t number = 1; number < 100000; number++)
        assert_true(trace_stream_id(1234, 5678, number) != id);
    for (uint32_t bit = 0; bit < 32; bit++)
        assert_true(trace_stream_id(1234 ^ 1u << bit, 5678, 0) != id);
    for (uint32_t bit = 0; bit < 64; bit++)
        assert_true(trace_stream_id(1234, 5678 ^ (uint64_t)1 << bit, 0) != id);
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
        cmocka_unit_test(test_check_sees_every_bit),
        cmocka_unit_test(test_check_sees_neighbours),
        cmocka_unit_test(test_check_sees_pairs),
        cmocka_unit_test(test_check_sees_torn_pages),
        cmocka_unit_test(test_streams_have_ids_of_their_own),
        cmocka_unit_test(test_stage_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
