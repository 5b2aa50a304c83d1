/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/ports.h"

#include "pipeline/fixture.h"

static struct arena arena;
static const struct service_port ITEMS[] = {{"cdn", 8080}, {"a-b_C9", 9}};
static const struct ports PORTS = {ITEMS, 2};

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void assert_filled(const char *text, const char *own, const char *expected)
{
    struct diag diag = {0};
    const char *out;
    if (ports_fill_text(&out, text, own, &PORTS, &arena, &diag) != ERR_OK)
        fail_msg("%s", diag.what);
    assert_string_equal(out, expected);
}

static void placeholders_become_ports(void **state)
{
    (void)state;
    assert_filled("", NULL, "");
    assert_filled("plain", NULL, "plain");
    assert_filled("{cdn.port}", NULL, "8080");
    assert_filled("http://h:{cdn.port}/{a-b_C9.port}/x", NULL, "http://h:8080/9/x");
    assert_filled("{port}{cdn.port}{port}", "a-b_C9", "980809");
    assert_filled("{{port}}", "cdn", "{8080}");
}

static void other_braces_stay(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",          "{",          "{po",       "{ports}",     "{.port}",
                                        "{cdn.ports}", "{cdn}",      "{cdn.port", "{cdn .port}", "{\"a\":1}",
                                        "{cdn.}",      "{a.b.port}", "{ port}",   "}port{"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_filled(texts[i], "cdn", texts[i]);
}

static void an_unknown_port_is_our_own_fault(void **state)
{
    (void)state;
    static const char *const texts[] = {"{port}", "{cd.port}", "{cdnn.port}", "a{x.port}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct diag diag = {0};
        const char *out;
        assert_int_equal(ports_fill_text(&out, texts[i], NULL, &PORTS, &arena, &diag), ERR_INTERNAL);
        assert_non_null(strstr(diag.what, "no port is known for {"));
    }
}

static void arguments_are_filled_one_by_one(void **state)
{
    (void)state;
    struct diag diag;
    const char *items[] = {"/bin/sh", "{cdn.port}", "x", NULL};
    const struct argv command = {items, 3};
    struct argv out;
    assert_int_equal(ports_fill_argv(&out, &command, NULL, &PORTS, &arena, &diag), ERR_OK);
    assert_int_equal(out.count, 3);
    assert_string_equal(out.items[1], "8080");
    assert_null(out.items[3]);
    for (size_t limit = 0; limit < 32 + 8 + 5 + 2; limit++) {
        AUTO(arena_fini) struct arena small;
        arena_init(&small, limit);
        assert_int_equal(ports_fill_argv(&out, &command, NULL, &PORTS, &small, &diag), ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(placeholders_become_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_braces_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_port_is_our_own_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(arguments_are_filled_one_by_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
