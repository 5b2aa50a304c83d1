/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/mistake.h"

#include "pipeline/fixture.h"

#include <stdio.h>

static void a_slip_of_the_pen_is_guessed(void **state)
{
    (void)state;
    static const char *const known[] = {"values", "current", "env", "arg", "effort_days"};
    static const struct {
        const char *wrong, *hint;
    } cases[] = {
        {"vales", "did you mean 'values'?"},
        {"vaules", "did you mean 'values'?"},
        {"valuess", "did you mean 'values'?"},
        {"walues", "did you mean 'values'?"},
        {"vlaeus", "did you mean 'values'?"},
        {"curent", "did you mean 'current'?"},
        {"effort-days", "did you mean 'effort_days'?"},
        {"evn", "did you mean 'env'?"},
        {"enviro", "expected one of: values, current, env, arg, effort_days"},
        {"xyz", "expected one of: values, current, env, arg, effort_days"},
        {"", "expected one of: values, current, env, arg, effort_days"},
    };
    char hint[HINT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(suggest(hint, cases[i].wrong, known, 5), cases[i].hint);
    assert_string_equal(suggest(hint, "x", NULL, 0), "there is none");
}

static void long_words_are_no_trouble(void **state)
{
    (void)state;
    char word[1000], hint[HINT_BYTES];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *const known[] = {word, "values", word};
    assert_string_equal(suggest(hint, "vales", known, 3), "did you mean 'values'?");
    assert_int_equal(strlen(suggest(hint, word, known, 3)), HINT_BYTES - 1);
}

static const char *printed(const char *what)
{
    static struct diag diag;
    diag = (struct diag){0};
    (void)snprintf(diag.what, sizeof diag.what, "%s", what);
    diag_make_printable(&diag);
    return diag.what;
}

static void only_printable_text_is_shown(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain ~", "plain ~"},
        {"a\nb\tc\x1b[2Jd\x7f", "a?b?c?[2Jd?"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "2J",
         "??2J"}, /* a control character of two bytes */
        {"\xff\xfe\xc3", "???"},
        {"\xe2\x82", "??"}, /* cut in the middle */
        {"\xc0\xaf \xe2\x28\xa1", "?? ?(?"},
        {"see postgres://u:hunter2@h", "see postgres://u:***@h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(printed(cases[i][0]), cases[i][1]);
    diag_make_printable(NULL);
}

/* The line number must not fall off the end of a long name. */
static void of_a_long_name_the_end_is_kept(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    struct diag diag;
    char name[600];
    arena_init(&arena, 65536);
    memset(name, 'x', sizeof name);
    (void)strcpy(name + sizeof name - 14, "pipeline.toml");
    const struct reading reading = {.name = name, .subject = "knob 'k'", .arena = &arena, .diag = &diag};
    const struct toml_value at = {.line = 4294967295};
    assert_int_equal(mistake(&reading, &at, NULL, "has %d", 3), ERR_CONFIG);
    assert_string_equal(strrchr(diag.where, 'x') + 1, "pipeline.toml:4294967295");
    assert_int_equal(strncmp(diag.where, "...x", 4), 0);
    assert_string_equal(diag.what, "knob 'k' has 3");
    assert_string_equal(diag.hint, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_pen_is_guessed),
        cmocka_unit_test(long_words_are_no_trouble),
        cmocka_unit_test(only_printable_text_is_shown),
        cmocka_unit_test(of_a_long_name_the_end_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
