/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/variant.h"

#include "base/json.h"
#include "pipeline/fixture.h"

#include <stdlib.h>

static const char TEXT[] = SMALL "[[service]]\nname='web'\ncommand=['sh','{port}']\n"
                                 "[[knob]]\nname='batch'\nstage='s'\nlever='batch'\narg='--batch={}'\n"
                                 "values=[10,100]\ncurrent=100\n"
                                 "[[knob]]\nname='mode'\nstage='s'\nlever='setting'\nenv='MODE'\n"
                                 "values=['plain','a \"b\\c','']\ncurrent='plain'\n"
                                 "[[knob]]\nname='pair'\nstage='s'\nlever='overlap'\narg='{}:{}'\n"
                                 "values=[true,false]\ncurrent=false\n";

static struct arena arena;
static struct pipeline pipeline;
static const struct ports NO_PORTS;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    parse_valid(&pipeline, TEXT, &arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static enum err read_variant(struct variant *out, const char *json, struct diag *diag)
{
    AUTO(json_release) json_t *settings = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(settings);
    return variant_from_json(out, &pipeline, settings, &arena, diag);
}

static struct variant variant_of(const char *json)
{
    struct variant variant;
    struct diag diag = {0};
    if (read_variant(&variant, json, &diag) != ERR_OK)
        fail_msg("%s", diag.what);
    return variant;
}

static void assert_text(const char *json, const char *expected)
{
    struct diag diag;
    struct variant variant = variant_of(json);
    const char *text;
    assert_int_equal(variant_text(&text, &variant, &arena, &diag), ERR_OK);
    assert_string_equal(text, expected);
}

static void settings_have_one_text(void **state)
{
    (void)state;
    assert_text("{}", "baseline");
    assert_text("{\"batch\": \"100\", \"mode\": \"plain\"}", "baseline");
    assert_text("{\"batch\": \"10\"}", "batch=10");
    assert_text("{\"pair\": \"true\", \"batch\": \"10\"}", "batch=10 pair=true");
    assert_text("{\"mode\": \"a \\\"b\\\\c\", \"pair\": \"true\"}", "mode=\"a \\\"b\\\\c\" pair=true");
    assert_text("{\"mode\": \"\"}", "mode=");
}

static void equal_settings_are_equal_variants(void **state)
{
    (void)state;
    struct variant a = variant_of("{\"batch\": \"10\", \"pair\": \"true\"}"),
                   b = variant_of("{\"pair\": \"true\", \"mode\": \"plain\", \"batch\": \"10\"}"),
                   c = variant_of("{\"pair\": \"true\"}"), d = variant_of("{\"batch\": \"10\"}"),
                   base = variant_of("{}");
    assert_true(variant_equal(&a, &b));
    assert_false(variant_equal(&a, &c));
    assert_false(variant_equal(&c, &d));
    assert_false(variant_equal(&c, &base));
    assert_int_equal(variant_value(&a, pipeline_knob(&pipeline, "batch")), 0);
    assert_int_equal(variant_value(&base, pipeline_knob(&pipeline, "batch")), 1);
}

static void one_setting_makes_a_variant(void **state)
{
    (void)state;
    struct diag diag;
    struct variant made, read = variant_of("{\"batch\": \"10\"}");
    struct setting setting = {.knob = pipeline_knob(&pipeline, "batch"), .value = 0};
    assert_int_equal(variant_of_setting(&made, &pipeline, setting, &arena, &diag), ERR_OK);
    assert_true(variant_equal(&made, &read));
    setting.value = setting.knob->current;
    assert_int_equal(variant_of_setting(&made, &pipeline, setting, &arena, &diag), ERR_OK);
    assert_int_equal(made.count, 0);
}

static void settings_survive_json(void **state)
{
    (void)state;
    struct diag diag;
    struct variant a = variant_of("{\"mode\": \"a \\\"b\\\\c\", \"batch\": \"10\", \"pair\": \"false\"}"), b;
    AUTO(json_release) json_t *json = variant_to_json(&a);
    assert_int_equal(json_object_size(json), 2);
    assert_int_equal(variant_from_json(&b, &pipeline, json, &arena, &diag), ERR_OK);
    assert_true(variant_equal(&a, &b));
}

static void wrong_settings_name_the_right_ones(void **state)
{
    (void)state;
    static const struct {
        const char *json, *line;
    } cases[] = {
        {"{\"btach\": \"10\"}", "no knob 'btach'; known knobs: batch, mode, pair"},
        {"{\"batch\": \"11\"}", "knob 'batch' has no value '11'; its values, as texts: 10, 100"},
        {"{\"batch\": 10}", "knob 'batch' has no value 'that is not a text'; its values, as texts: 10, 100"},
        {"{\"a\\nb\": \"10\"}", "no knob 'a?b'; known knobs: batch, mode, pair"},
        {"[]", "settings have the wrong type; expected an object such as {\"concurrency\": \"4\"}"},
        {"null", "settings have the wrong type; expected an object such as {\"concurrency\": \"4\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag diag = {0};
        struct variant variant;
        char line[1024];
        assert_int_equal(read_variant(&variant, cases[i].json, &diag), ERR_CONFIG);
        assert_string_equal(diag_line(&diag, line, sizeof line), cases[i].line);
    }
}

static void every_knob_is_passed_on(void **state)
{
    (void)state;
    struct diag diag;
    struct variant base = variant_of("{}"), other = variant_of("{\"batch\": \"10\", \"mode\": \"\"}");
    struct argv argv;
    const char *const *env;
    assert_int_equal(variant_command(&argv, &base, &NO_PORTS, &arena, &diag), ERR_OK);
    assert_int_equal(argv.count, 5);
    assert_string_equal(argv.items[2], "true");
    assert_string_equal(argv.items[3], "--batch=100");
    assert_string_equal(argv.items[4], "false:false");
    assert_null(argv.items[5]);
    assert_int_equal(variant_env(&env, &base, &arena, &diag), ERR_OK);
    assert_string_equal(env[0], "MODE=plain");
    assert_null(env[1]);
    assert_int_equal(variant_command(&argv, &other, &NO_PORTS, &arena, &diag), ERR_OK);
    assert_string_equal(argv.items[3], "--batch=10");
    assert_int_equal(variant_env(&env, &other, &arena, &diag), ERR_OK);
    assert_string_equal(env[0], "MODE=");
}

/* A text that looks like a hole in a value must not be filled in again. */
static void values_are_not_patterns(void **state)
{
    (void)state;
    struct diag diag;
    struct argv argv;
    parse_valid(&pipeline,
                SMALL "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='<{}>'\nvalues=['{}','{port}']\n"
                      "current='{}'\n",
                &arena);
    struct variant base = variant_of("{}"), other = variant_of("{\"k\": \"{port}\"}");
    assert_int_equal(variant_command(&argv, &base, &NO_PORTS, &arena, &diag), ERR_OK);
    assert_string_equal(argv.items[3], "<{}>");
    assert_int_equal(variant_command(&argv, &other, &NO_PORTS, &arena, &diag), ERR_OK);
    assert_string_equal(argv.items[3], "<{port}>");
}

static enum err everything(struct arena *small, struct diag *diag)
{
    struct variant variant;
    struct argv argv;
    const char *const *env;
    const char *text;
    AUTO(json_release) json_t *settings = json_pack("{s:s, s:s}", "mode", "a \"b\\c", "batch", "10");
    assert_non_null(settings);
    TRY(variant_from_json(&variant, &pipeline, settings, small, diag));
    TRY(variant_text(&text, &variant, small, diag));
    TRY(variant_command(&argv, &variant, &NO_PORTS, small, diag));
    return variant_env(&env, &variant, small, diag);
}

static void any_failed_allocation_is_an_error(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena small;
    struct diag diag;
    arena_init(&small, 4096);
    assert_int_equal(everything(&small, &diag), ERR_OK);
    for (size_t needed = small.used_bytes, limit = 0; limit < needed; limit++) {
        arena_fini(&small);
        arena_init(&small, limit);
        assert_int_equal(everything(&small, &diag), ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_have_one_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_settings_are_equal_variants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_setting_makes_a_variant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_survive_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_settings_name_the_right_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_knob_is_passed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_not_patterns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_failed_allocation_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
