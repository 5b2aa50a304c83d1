/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/candidate.h"

#include "pipeline/fixture.h"

#include <stdio.h>

#define KNOB_OF(name, stage, lever, arg)                                                                               \
    "[[knob]]\nname='" name "'\nstage='" stage "'\nlever='" lever "'\narg='" arg "{}'\nvalues=[1,2]\ncurrent=1\n"

/* The ids of the pipeline's candidates, with a space behind each. */
static void assert_ids(const char *text, const char *expected)
{
    AUTO(arena_fini) struct arena arena;
    struct diag diag;
    struct pipeline pipeline;
    struct candidate *list;
    size_t count;
    char ids[512] = "";
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    parse_valid(&pipeline, text, &arena);
    assert_int_equal(candidate_list(&list, &count, &pipeline, &arena, &diag), ERR_OK);
    for (size_t i = 0, used = 0; i < count; i++)
        used += (size_t)snprintf(ids + used, sizeof ids - used, "%s ", list[i].id);
    assert_string_equal(ids, expected);
}

static void ids_follow_the_contract(void **state)
{
    (void)state;
    assert_ids(SMALL, "");
    assert_ids(SMALL KNOB_OF("c", "s", "concurrency", "c"), "s.concurrency ");
    assert_ids(SMALL KNOB_OF("wal", "s", "setting", "w") KNOB_OF("api", "s", "client", "a"), "s.wal s.api ");
    assert_ids(SMALL KNOB_OF("c", "s", "batch", "c") "[[candidate]]\nname='s.pool'\nlever='client'\n",
               "s.batch s.pool ");
}

static void shared_ids_are_told_apart(void **state)
{
    (void)state;
    assert_ids(SMALL KNOB_OF("x", "s", "batch", "x") KNOB_OF("y", "s", "batch", "y"), "s.x s.y ");
    assert_ids(SMALL KNOB_OF("x", "s", "batch", "x") KNOB_OF("y", "s", "batch", "y") KNOB_OF("z", "s", "batch", "z"),
               "s.x s.y s.z ");
    assert_ids(SMALL KNOB_OF("x", "s", "batch", "x") KNOB_OF("batch", "s", "setting", "y"), "s.x s.batch ");
    assert_ids(SMALL "[[stage]]\nname='t'\n" KNOB_OF("x", "s", "batch", "x") KNOB_OF("y", "t", "batch", "y"),
               "s.batch t.batch ");
}

static void each_candidate_knows_its_owner_and_knob(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    struct diag diag;
    struct pipeline pipeline;
    struct candidate *list;
    size_t count;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    parse_valid(&pipeline,
                SMALL KNOB "effort_days=4\n[[candidate]]\nname='s.streaming'\nlever='streaming'\neffort_days=3\n",
                &arena);
    assert_int_equal(candidate_list(&list, &count, &pipeline, &arena, &diag), ERR_OK);
    assert_int_equal(count, 2);
    assert_ptr_equal(list[0].knob, &pipeline.knobs[0]);
    assert_string_equal(list[0].owner, "batch");
    assert_true(list[0].effort_days == 4);
    assert_null(list[1].knob);
    assert_string_equal(list[1].owner, "profiling");
    assert_string_equal(list[1].stage, "s");
    assert_int_equal(list[1].lever, LEVER_STREAMING);
    assert_true(list[1].effort_days == 3);
}

static void levers_have_owners_and_names(void **state)
{
    (void)state;
    static const char *const owners[] = {
        [LEVER_CONCURRENCY] = "profiling",
        [LEVER_OVERLAP] = "profiling",
        [LEVER_STREAMING] = "profiling",
        [LEVER_BATCH] = "batch",
        [LEVER_CLIENT] = "client",
        [LEVER_SETTING] = "database",
        [LEVER_IMPLEMENTATION] = "profiling",
    };
    enum lever found;
    for (size_t i = 0; i <= LEVER_IMPLEMENTATION; i++) {
        assert_string_equal(lever_owner((enum lever)i), owners[i]);
        assert_true(lever_from_name(&found, lever_name((enum lever)i)));
        assert_int_equal(found, i);
    }
    assert_false(lever_from_name(&found, "magic"));
}

static void any_failed_allocation_is_an_error(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    struct diag diag;
    struct pipeline pipeline;
    struct candidate *list;
    size_t count;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    parse_valid(&pipeline, SMALL KNOB, &arena);
    for (size_t limit = 0; limit < sizeof *list + sizeof "s.batch"; limit++) {
        AUTO(arena_fini) struct arena small;
        arena_init(&small, limit);
        assert_int_equal(candidate_list(&list, &count, &pipeline, &small, &diag), ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_follow_the_contract),
        cmocka_unit_test(shared_ids_are_told_apart),
        cmocka_unit_test(each_candidate_knows_its_owner_and_knob),
        cmocka_unit_test(levers_have_owners_and_names),
        cmocka_unit_test(any_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
