/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_borders_of_each_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t point;
        size_t bytes; /* 0 = not valid */
    } CASES[] = {
        {"", 0, 1},
        {"a", 'a', 1},
        {"\x7f", 0x7f, 1},
        {"\xc2\x80", 0x80, 2},
        {"\xdf\xbf", 0x7ff, 2},
        {"\xe0\xa0\x80", 0x800, 3},
        {"\xed\x9f\xbf", 0xd7ff, 3},
        {"\xee\x80\x80", 0xe000, 3},
        {"\xef\xbf\xbf", 0xffff, 3},
        {"\xf0\x90\x80\x80", 0x10000, 4},
        {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
        {"\x80", 0, 0},             /* no lead */
        {"\xc1\xbf", 0, 0},         /* overlong */
        {"\xe0\x9f\xbf", 0, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
        {"\xed\xa0\x80", 0, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 0, 0}, /* beyond Unicode */
        {"\xf5\x80\x80\x80", 0, 0},
        {"\xe2\x82", 0, 0}, /* cut: must not read past the NUL */
        {"\xff", 0, 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint32_t point = 0;
        assert_int_equal(utf8_decode(&point, CASES[i].text), CASES[i].bytes);
        if (CASES[i].bytes)
            assert_int_equal(point, CASES[i].point);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_borders_of_each_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
