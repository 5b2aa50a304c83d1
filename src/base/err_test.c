/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_parts_make_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *where, *hint, *line;
    } cases[] = {
        {"file:1", "do this", "file:1: it broke; do this"},
        {NULL, "do this", "it broke; do this"},
        {"file:1", NULL, "file:1: it broke"},
        {"", "", "it broke"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag diag;
        char line[100];
        assert_int_equal(diag_fail(&diag, ERR_IO, cases[i].where, cases[i].hint, "it %s", "broke"), ERR_IO);
        assert_string_equal(diag_line(&diag, line, sizeof line), cases[i].line);
    }
}

static void no_diag_is_fine(void **state)
{
    (void)state;
    assert_int_equal(diag_fail(NULL, ERR_NOISE, "w", "h", "what"), ERR_NOISE);
    assert_int_equal(diag_errno(NULL, ERR_IO, ENOENT, "w", "what"), ERR_IO);
}

static void system_errors_are_named(void **state)
{
    (void)state;
    struct diag diag;
    assert_int_equal(diag_errno(&diag, ERR_IO, ENOENT, "path", "cannot open"), ERR_IO);
    assert_string_equal(diag.what, "cannot open: No such file or directory");
    assert_string_equal(diag.where, "path");
    assert_string_equal(diag.hint, "");
}

/* A caller may wrap what it was told into its own words. */
static void a_diag_may_quote_itself(void **state)
{
    (void)state;
    struct diag diag;
    assert_int_equal(diag_fail(&diag, ERR_IO, "a", NULL, "inner"), ERR_IO);
    assert_int_equal(diag_fail(&diag, ERR_CONFIG, "b", NULL, "outer (%s: %s)", diag.where, diag.what), ERR_CONFIG);
    assert_string_equal(diag.what, "outer (a: inner)");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct diag diag;
    char text[2000], line[64];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(diag_fail(&diag, ERR_IO, text, text, "%s", text), ERR_IO);
    assert_int_equal(strlen(diag.where), sizeof diag.where - 1);
    assert_int_equal(strlen(diag.what), sizeof diag.what - 1);
    assert_int_equal(strlen(diag.hint), sizeof diag.hint - 1);
    assert_int_equal(strlen(diag_line(&diag, line, sizeof line)), sizeof line - 1);
}

static enum err second_fails(int *calls)
{
    TRY(ERR_OK);
    ++*calls;
    TRY(ERR_TIMEOUT);
    ++*calls;
    return ERR_OK;
}

static void try_returns_at_the_first_error(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(second_fails(&calls), ERR_TIMEOUT);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_make_one_line), cmocka_unit_test(no_diag_is_fine),
        cmocka_unit_test(system_errors_are_named), cmocka_unit_test(a_diag_may_quote_itself),
        cmocka_unit_test(long_texts_are_cut),      cmocka_unit_test(try_returns_at_the_first_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
