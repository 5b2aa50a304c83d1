/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/arena.h"
#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    struct diag diag = {0};
    if (json_parse(&json, text, strlen(text), "test", &diag) != ERR_OK)
        fail_msg("%s", diag.what);
    return json;
}

static void what_is_not_one_document_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "{} {}",
        "{}x",
        "3",
        "\"text\"",
        "null",
        "{\"a\":}",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "[NaN]",
        "[1e999]",
        "[\"\\u0000\"]",
        "[\"\xff\"]",
        "{\"\\u0000\":1}",
        "[\"\\ud800\"]",
        "{'a':1}",
        "[01]",
        "[0x1]",
        "// c\n{}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct diag diag = {0};
        json_t *json = NULL;
        if (json_parse(&json, texts[i], strlen(texts[i]), "where", &diag) != ERR_FORMAT)
            fail_msg("accepted: %s", texts[i]);
        assert_null(json);
        assert_string_equal(diag.where, "where");
        assert_non_null(strstr(diag.what, "not valid JSON: "));
        assert_non_null(strstr(diag.what, "(line "));
    }
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    static char text[1024 * 1024];
    struct diag diag;
    json_t *json;
    memset(text, '[', sizeof text);
    assert_int_equal(json_parse(&json, text, sizeof text, NULL, &diag), ERR_FORMAT);
}

static void size_has_a_limit(void **state)
{
    (void)state;
    struct diag diag;
    json_t *json;
    assert_int_equal(json_parse(&json, "{}", (size_t)JSON_LIMIT_BYTES + 1, "big", &diag), ERR_FORMAT);
    assert_non_null(strstr(diag.what, "more than the"));
}

/* NUL is no end of text: what stands behind it counts. */
static void a_nul_byte_is_rubbish(void **state)
{
    (void)state;
    struct diag diag;
    json_t *json;
    assert_int_equal(json_parse(&json, "{}\0{}", 5, NULL, &diag), ERR_FORMAT);
}

static void access_says_what_was_expected(void **state)
{
    (void)state;
    AUTO(json_release) json_t *json = parsed("{\"s\":\"x\",\"n\":1.5,\"i\":3,\"o\":{},\"a\":[],\"z\":null}");
    struct diag diag;
    const char *string;
    double number;
    long long integer;
    json_t *part;
    assert_int_equal(json_get_string(&string, json, "s", &diag), ERR_OK);
    assert_string_equal(string, "x");
    assert_int_equal(json_get_number(&number, json, "n", &diag), ERR_OK);
    assert_int_equal(json_get_number(&number, json, "i", &diag), ERR_OK);
    assert_true(number == 3);
    assert_int_equal(json_get_integer(&integer, json, "i", &diag), ERR_OK);
    assert_int_equal(integer, 3);
    assert_int_equal(json_get_object(&part, json, "o", &diag), ERR_OK);
    assert_int_equal(json_get_array(&part, json, "a", &diag), ERR_OK);

    assert_int_equal(json_get_string(&string, json, "n", &diag), ERR_FORMAT);
    assert_string_equal(diag.what, "'n' has the wrong type; expected a string");
    assert_int_equal(json_get_string(&string, json, "absent", &diag), ERR_FORMAT);
    assert_string_equal(diag.what, "'absent' is missing; expected a string");
    assert_int_equal(json_get_number(&number, json, "s", &diag), ERR_FORMAT);
    assert_int_equal(json_get_number(&number, json, "z", &diag), ERR_FORMAT);
    assert_int_equal(json_get_integer(&integer, json, "n", &diag), ERR_FORMAT);
    assert_string_equal(diag.what, "'n' has the wrong type; expected a whole number");
    assert_int_equal(json_get_object(&part, json, "a", &diag), ERR_FORMAT);
    assert_int_equal(json_get_array(&part, json, "o", &diag), ERR_FORMAT);
    assert_int_equal(json_get_array(&part, NULL, "o", &diag), ERR_FORMAT);

    assert_string_equal(json_string_or(json, "s", "f"), "x");
    assert_string_equal(json_string_or(json, "n", "f"), "f");
    assert_true(json_number_or(json, "n", 9) == 1.5);
    assert_true(json_number_or(json, "z", 9) == 9);
    assert_true(json_number_or(json, "absent", 9) == 9);
}

static void numbers_for_people_are_tidy(void **state)
{
    (void)state;
    static const double cases[][2] = {{0.1 + 0.2, 0.3}, {1.0 / 3, 0.333333333}, {0, 0}, {-1e300, -1e300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(json_release) json_t *json = json_real_tidy(cases[i][0]);
        assert_true(json_is_real(json) && json_real_value(json) == cases[i][1]);
    }
    assert_true(json_is_null(json_real_tidy(NAN)));
    assert_true(json_is_null(json_real_tidy(INFINITY)));
    assert_true(json_is_null(json_real_tidy(-INFINITY)));
}

static void equal_documents_are_equal_bytes(void **state)
{
    (void)state;
    AUTO(json_release) json_t *a = parsed("{\"b\": [1, 0.1], \"a\": {\"y\": \"\\n\", \"x\": null}}");
    AUTO(json_release) json_t *b = parsed("{\"a\": {\"x\": null, \"y\": \"\\n\"}, \"b\": [1, 0.1]}");
    char *one = json_line(a), *two = json_line(b);
    assert_string_equal(one, "{\"a\":{\"x\":null,\"y\":\"\\n\"},\"b\":[1,0.1]}");
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static void a_file_comes_back(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    AUTO(json_release) json_t *json = parsed("{\"b\": 1, \"a\": [true]}"), *back = NULL;
    struct diag diag;
    char folder[] = "/tmp/json-test-XXXXXX", path[64], *text;
    size_t bytes;
    arena_init(&arena, 4096);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/x.json", folder);
    assert_int_equal(json_write_file(path, json, &diag), ERR_OK);
    assert_int_equal(file_read(&text, &bytes, path, 4096, &arena, &diag), ERR_OK);
    assert_string_equal(text, "{\n  \"a\": [\n    true\n  ],\n  \"b\": 1\n}\n");
    assert_int_equal(json_read_file(&back, path, &diag), ERR_OK);
    assert_true(json_equal(json, back));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(json_read_file(&back, path, &diag), ERR_IO);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(json_write_file(path, json, &diag), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_one_document_is_refused),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(size_has_a_limit),
        cmocka_unit_test(a_nul_byte_is_rubbish),
        cmocka_unit_test(access_says_what_was_expected),
        cmocka_unit_test(numbers_for_people_are_tidy),
        cmocka_unit_test(equal_documents_are_equal_bytes),
        cmocka_unit_test(a_file_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
