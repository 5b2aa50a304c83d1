/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/finding.h"

#include "base/json.h"
#include "finding/finding_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stage_set {
    struct arena arena;
    struct brief brief;
};

static int set_up(void **state)
{
    struct stage_set *set = calloc(1, sizeof *set);
    arena_init(&set->arena, 8 << 20);
    set->brief = fixture_brief(NULL);
    *state = set;
    return 0;
}

static int tear_down(void **state)
{
    struct stage_set *set = *state;
    arena_fini(&set->arena);
    free(set);
    return 0;
}

static struct findings *complete(struct arena *arena)
{
    static const char *const IDS[] = {"e1", "r2", NULL}, *const COLUMNS[] = {"setting", "value", NULL};
    struct findings *findings;
    assert_int_equal(findings_new(&findings, "profiling", arena, NULL), ERR_OK);
    findings_summary(findings, "download takes %d %% of the run", 90);
    findings_looked_at(findings, "the spans of %d runs", 3);
    findings_not_looked_at(findings, "the network itself");
    findings_claim(findings, BASIS_MEASURED, &(struct quantity){{0.89, 0.9, 0.91}, UNIT_SHARE}, IDS,
                   "share of download");
    findings_claim(findings, BASIS_CLAIMED, NULL, NULL, "a word");
    findings_stance(findings,
                    &(struct stance){.candidate = "download.concurrency",
                                     .vote = VOTE_RECOMMEND,
                                     .change = &(struct knob_change){"concurrency", "1", "4"},
                                     .effect = &(struct estimate){{2.8, 2.9, 3.0}, BASIS_MEASURED},
                                     .prediction = &(struct estimate){{2.7, 3.0, 3.3}, BASIS_SIMULATED},
                                     .experiments = IDS},
                    "because %s", "it waits");
    findings_stance(findings,
                    &(struct stance){.candidate = "extract.streaming",
                                     .effect = &(struct estimate){{1.0, 9.0, INFINITY}, BASIS_BOUNDED}},
                    "cannot be set from outside");
    findings_capacity(findings, "ingest", (struct interval){1e6, 1.1e6, 1.2e6});
    findings_table(findings, "Settings", COLUMNS);
    findings_row(findings, (const char *[]){"journal_mode", "wal"});
    return findings;
}

static void findings_survive_their_document(void **state)
{
    struct stage_set *set = *state;
    AUTO(json_release) json_t *first = NULL, *second = NULL;
    struct findings *back;
    struct diag diag = {0};
    assert_int_equal(findings_to_json(&first, complete(&set->arena), &diag), ERR_OK);
    assert_int_equal(findings_from_json(&back, first, "f", "profiling", &set->brief, &set->arena, &diag), ERR_OK);
    assert_int_equal(findings_to_json(&second, back, &diag), ERR_OK);
    assert_true(json_equal(first, second));
    assert_string_equal(back->stances[0].why, "because it waits");
    assert_int_equal(back->stances[0].effect->basis, BASIS_MEASURED);
    assert_true(isinf(back->stances[1].effect->ratio.high));
    assert_string_equal(back->tables[0].rows[0][1], "wal");
}

static void no_answer_has_a_reason_and_nothing_else(void **state)
{
    struct stage_set *set = *state;
    AUTO(json_release) json_t *json = NULL;
    struct findings *findings, *back;
    assert_int_equal(findings_no_answer(&findings, "batch", "killed by signal 9", &set->arena, NULL), ERR_OK);
    assert_int_equal(findings_to_json(&json, findings, NULL), ERR_OK);
    assert_int_equal(findings_from_json(&back, json, "f", "batch", &set->brief, &set->arena, NULL), ERR_OK);
    assert_false(back->answered);
    assert_string_equal(back->why, "killed by signal 9");
    assert_int_equal(json_object_set_new(json, "looked_at", json_pack("[s]", "everything")), 0);
    assert_int_equal(findings_from_json(&back, json, "f", "batch", &set->brief, &set->arena, NULL), ERR_FORMAT);
}

static void long_and_broken_texts_are_made_readable(void **state)
{
    struct stage_set *set = *state;
    AUTO(json_release) json_t *json = NULL;
    struct findings *findings;
    char flood[9001];
    memset(flood, 'x', sizeof flood - 1);
    flood[sizeof flood - 1] = '\0';
    assert_int_equal(findings_new(&findings, "client", &set->arena, NULL), ERR_OK);
    findings_summary(findings, "%s", flood);
    assert_int_equal(strlen(findings->summary), STRICT_TEXT_BYTES);
    memcpy(flood + STRICT_TEXT_BYTES - 1, "\xc3\xa9", 2); /* the cut falls into a character */
    findings_looked_at(findings, "%s", flood);
    findings_looked_at(findings, "a\xff\xed\xa0\x80z");
    assert_int_equal(strlen(findings->looked_at.items[0]), STRICT_TEXT_BYTES - 1);
    assert_string_equal(findings->looked_at.items[1], "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    assert_int_equal(findings_to_json(&json, findings, NULL), ERR_OK);
}

static void building_remembers_its_first_failure(void **state)
{
    struct stage_set *set = *state;
    struct findings *findings;
    struct diag diag = {0};
    json_t *json;
    assert_int_equal(findings_new(&findings, "client", &set->arena, NULL), ERR_OK);
    for (int i = 0; i <= FINDINGS_ITEMS_MAX; i++)
        findings_looked_at(findings, "line %d", i);
    assert_int_equal(findings->looked_at.count, FINDINGS_ITEMS_MAX);
    assert_int_equal(findings_to_json(&json, findings, &diag), ERR_MEMORY);
    assert_non_null(strstr(diag.what, "more items"));
}

static void building_in_a_full_arena_fails_cleanly(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 6000; limit += 40) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, limit);
        struct findings *findings;
        json_t *json = NULL;
        if (findings_new(&findings, "profiling", &arena, NULL) != ERR_OK)
            continue;
        findings_table(findings, "t", (const char *[]){"a", NULL});
        findings_row(findings, (const char *[]){arena_printf(&arena, "%0*d", 500, 1)});
        findings_claim(findings, BASIS_MEASURED, NULL, (const char *[]){"e1", NULL}, "text");
        findings_stance(findings,
                        &(struct stance){.candidate = "c", .change = &(struct knob_change){"knob", "from", "to"}}, "w");
        findings_capacity(findings, "ingest", (struct interval){1, 1, 1});
        if (findings_to_json(&json, findings, NULL) == ERR_OK)
            json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(findings_survive_their_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_has_a_reason_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_and_broken_texts_are_made_readable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(building_remembers_its_first_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(building_in_a_full_arena_fails_cleanly, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
