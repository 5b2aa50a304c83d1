/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/toml.h"

#include "pipeline/fixture_arena.h"

#include <stdio.h>
#include <stdlib.h>

static const struct toml_value *parsed(const char *text)
{
    const struct toml_value *document = NULL;
    struct diag diag = {0};
    if (toml_parse(&document, text, strlen(text), "t", &arena, &diag) != ERR_OK)
        fail_msg("%s: %s in:\n%s", diag.where, diag.what, text);
    return document;
}

static void every_type_comes_through(void **state)
{
    (void)state;
    const struct toml_value *d = parsed("z = 'text'\n  b = -7\nc = 0.5\nd = true\ne = 1979-05-27T07:32:00Z\n"
                                        "f = [1, 'x']\ng.h = {}\n");
    static const enum toml_type types[] = {TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN,
                                           TOML_DATE,   TOML_LIST,    TOML_TABLE};
    assert_int_equal(d->type, TOML_TABLE);
    assert_int_equal(d->count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(d->items[i].type, types[i]); /* in file order, not by name */
        assert_int_equal(d->items[i].line, i + 1);
    }
    assert_string_equal(toml_member(d, "z")->as.text, "text");
    assert_int_equal(toml_member(d, "b")->as.integer, -7);
    assert_int_equal(toml_member(d, "b")->column, 3);
    assert_true(toml_member(d, "c")->as.number == 0.5);
    assert_true(toml_member(d, "d")->as.boolean);
    assert_int_equal(toml_member(d, "f")->items[1].column, 9);
    assert_string_equal(toml_member(d, "g")->items[0].key, "h");
    assert_null(toml_member(d, "absent"));
    assert_null(toml_member(toml_member(d, "f"), "x"));
}

/* What stands in strings and comments does not nest: the guard must skip them as TOML does. */
static void strings_and_comments_do_not_nest(void **state)
{
    (void)state;
    static const char deep[] = "[[[[[[[[[[[[[[[[[[[[................................";
    static const char *const patterns[] = {
        "# %s\n",
        "a = \"%s\"\n",
        "a = '%s'\n",
        "a = \"\\\"%s\\\\\" # %s\n",
        "a = '\\' # %s\n",
        "a = \"\"\"\n%s\"\"\"\n",
        "a = '''\n%s'''\n",
        "a = \"\"\"x\"\" %s\"\"\"\"\" # %s\n",
        "a = '''x'' %s''''' # %s\n",
        "a = \"\"\"\\\"\"\"\\\" %s\"\"\"\n",
        "a = \"\" # %s\n",
        "a = [\"\", '', \"%s\"]\n",
        "\"%s\" = 1\n",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof text, patterns[i], deep, deep);
#pragma GCC diagnostic pop
        (void)parsed(text);
    }
}

static void assert_too_deep(const char *text, size_t bytes, const char *where)
{
    const struct toml_value *document;
    struct diag diag = {0};
    assert_int_equal(toml_parse(&document, text, bytes, "t", &arena, &diag), ERR_CONFIG);
    assert_string_equal(diag.where, where);
    assert_non_null(strstr(diag.what, "nested too deep"));
}

static void depth_ends_before_the_stack_does(void **state)
{
    (void)state;
    static char text[TOML_LIMIT_BYTES];
    static const char *const repeats[] = {"[", "a.", "{a=", "[{a=", "''.", "a .\t"};
    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++) {
        size_t length = strlen(repeats[i]);
        for (size_t at = 0; at + length <= sizeof text; at += length)
            memcpy(text + at, repeats[i], length);
        assert_too_deep(text, sizeof text / length * length, "t:1");
    }
    assert_too_deep("\n\nx=[[[[[[[[[[[[[[[[[", 21, "t:3");
    (void)parsed("x=[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\ny.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1\n");
}

static void refused_texts_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        const char *where;
    } cases[] = {
        {"a=1\nb=\0", 7, "t:2"},
        {"a=1\nb", 5, "t:2:2"},
        {"a=1\r\nb=\"\\uD800\"", 15, NULL},
        {"a=\"\xc3\x28\"", 6, NULL},
        {"\xff", 1, NULL},
        {"a='x", 4, NULL},
        {"a=\"\"\"x", 6, NULL},
        {"a=99999999999999999999", 22, NULL},
        {"a=\"\\", 4, NULL},
        {"'", 1, NULL},
        {"\"\"\"", 3, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct toml_value *document;
        struct diag diag = {0};
        char *exact = malloc(cases[i].bytes); /* so that asan sees a read behind the end */
        assert_non_null(exact);
        memcpy(exact, cases[i].text, cases[i].bytes);
        assert_int_equal(toml_parse(&document, exact, cases[i].bytes, "t", &arena, &diag), ERR_CONFIG);
        if (cases[i].where)
            assert_string_equal(diag.where, cases[i].where);
        assert_int_equal(strncmp(diag.where, "t:", 2), 0);
        free(exact);
    }
}

static void a_file_too_large_is_refused(void **state)
{
    (void)state;
    static char text[TOML_LIMIT_BYTES + 1];
    const struct toml_value *document;
    struct diag diag = {0};
    memset(text, '\n', sizeof text);
    assert_int_equal(toml_parse(&document, text, sizeof text, "t", &arena, &diag), ERR_CONFIG);
    assert_int_equal(toml_parse(&document, text, sizeof text - 1, "t", &arena, &diag), ERR_OK);
    assert_int_equal(document->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_comes_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_and_comments_do_not_nest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(depth_ends_before_the_stack_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_texts_say_where, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_too_large_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
