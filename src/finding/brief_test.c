/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "finding/finding_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_brief_survives_its_document(void **state)
{
    (void)state;
    AUTO(json_release) json_t *profile = json_pack("{s:s}", "schema", "venturi.profile/1");
    struct brief brief = fixture_brief(profile), *back;
    AUTO(json_release) json_t *first = NULL, *second = NULL;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 1 << 20);
    struct diag diag = {0};
    assert_int_equal(brief_to_json(&first, &brief, &diag), ERR_OK);
    assert_int_equal(brief_from_json(&back, first, "brief.json", &arena, &diag), ERR_OK);
    assert_int_equal(brief_to_json(&second, back, &diag), ERR_OK);
    assert_true(json_equal(first, second));
    assert_true(isinf(brief_candidate(back, "download.concurrency")->bound.high));
    assert_string_equal(brief_knob(back, "journal")->current, "delete");
    assert_null(brief_candidate(back, "extract.streaming")->knob);
    assert_null(brief_stage(back, "parse"));
}

static void the_gap_is_what_lacks_to_the_goal(void **state)
{
    (void)state;
    struct brief brief = fixture_brief(NULL);
    assert_float_equal(brief_gap_percent(&brief), 53.0, 1e-9);
    brief.goal_rows_s = 47000;
    assert_float_equal(brief_gap_percent(&brief), 0.0, 0.0);
    brief.rows_s.mid = NAN;
    assert_true(isnan(brief_gap_percent(&brief)));
    brief.goal_rows_s = 0;
    assert_true(isnan(brief_gap_percent(&brief)));
}

static void the_optional_may_be_absent(void **state)
{
    (void)state;
    AUTO(json_release) json_t *profile = json_object(), *json = NULL;
    struct brief brief = fixture_brief(profile), *back;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 1 << 20);
    brief.goal_rows_s = brief.budget_s = 0;
    brief.database_kind = brief.database_url = NULL;
    brief.rows_s = (struct interval){NAN, NAN, NAN}; /* no stage counts rows */
    assert_int_equal(brief_to_json(&json, &brief, NULL), ERR_OK);
    assert_true(json_is_null(json_object_get(json, "goal_rows_s")));
    assert_int_equal(brief_from_json(&back, json, "brief.json", &arena, NULL), ERR_OK);
    assert_float_equal(back->goal_rows_s, 0.0, 0.0);
    assert_null(back->database_kind);
    assert_true(isnan(back->rows_s.mid));
}

static void a_mistake_names_its_place(void **state)
{
    (void)state;
    AUTO(json_release) json_t *profile = json_object(), *json = NULL;
    struct brief brief = fixture_brief(profile), *back;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 1 << 20);
    struct diag diag = {0};
    char line[900];
    assert_int_equal(brief_to_json(&json, &brief, NULL), ERR_OK);
    json_t *knob = json_array_get(json_object_get(json, "knobs"), 1);
    assert_int_equal(json_object_set_new(knob, "lever", json_integer(7)), 0);
    assert_int_equal(brief_from_json(&back, json, "brief.json", &arena, &diag), ERR_FORMAT);
    assert_string_equal(diag_line(&diag, line, sizeof line), "brief.json: knobs[1].lever: expected a text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_brief_survives_its_document),
        cmocka_unit_test(the_gap_is_what_lacks_to_the_goal),
        cmocka_unit_test(the_optional_may_be_absent),
        cmocka_unit_test(a_mistake_names_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
