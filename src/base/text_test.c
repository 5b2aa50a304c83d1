/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_become_one_text(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct diag diag;
    text_init(&text, 1000);
    assert_string_equal(text_string(&text), "");
    text_add(&text, "one");
    text_add(&text, "");
    text_add_bytes(&text, " two-rest", 4);
    text_addf(&text, " %d%%", 3);
    assert_string_equal(text_string(&text), "one two 3%");
    assert_int_equal(text.length_bytes, 10);
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    text_add(&text, "again");
    assert_string_equal(text_string(&text), "again");
    assert_int_equal(text_check(&text, &diag), ERR_OK);
}

static void it_grows_byte_by_byte(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    text_init(&text, 100000);
    for (size_t i = 0; i < 100000; i++)
        text_add_bytes(&text, &"abcdefghij"[i % 10], 1);
    assert_false(text.failed);
    assert_int_equal(strlen(text.data), 100000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(text.data[i], 'a' + (int)(i % 10));
}

/* After the limit nothing is added any more, not even what would fit: a document with a hole would be worse than none.
 */
static void the_limit_is_remembered(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct diag diag;
    text_init(&text, 5);
    text_add(&text, "12345");
    assert_int_equal(text_check(&text, &diag), ERR_OK);
    text_add(&text, "6");
    text_clear(&text);
    text_add(&text, "x");
    text_addf(&text, "%d", 7);
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text_check(&text, &diag), ERR_MEMORY);
    assert_non_null(strstr(diag.what, "limit of 5 bytes"));
}

static void a_formatted_piece_obeys_the_limit(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct diag diag;
    text_init(&text, 10);
    text_addf(&text, "%10d", 1);
    assert_int_equal(text_check(&text, &diag), ERR_OK);
    text_clear(&text);
    text_addf(&text, "%11d", 1);
    assert_int_equal(text_check(&text, &diag), ERR_MEMORY);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct diag diag;
    text_init(&text, SIZE_MAX);
    text_add_bytes(&text, "x", SIZE_MAX - 1); /* fails before it reads */
    assert_int_equal(text_check(&text, &diag), ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_one_text),   cmocka_unit_test(it_grows_byte_by_byte),
        cmocka_unit_test(the_limit_is_remembered),  cmocka_unit_test(a_formatted_piece_obeys_the_limit),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
