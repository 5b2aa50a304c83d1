/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/synthesis_fixture.h"

/* The caller owns it. */
static json_t *tie_breakers_of(struct world *world)
{
    json_t *array;
    assert_int_equal(synthesis_tie_breakers(&array, &world->input, &world->arena, NULL), ERR_OK);
    return array;
}

static void assert_none(struct world *world)
{
    AUTO(json_release) json_t *array = tie_breakers_of(world);
    assert_int_equal(json_array_size(array), 0);
}

static void a_contradiction_asks_for_the_experiment(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "ronn", "batch", "5000");
    AUTO(json_release) json_t *array = tie_breakers_of(world);
    assert_int_equal(json_array_size(array), 1);
    const json_t *item = json_array_get(array, 0);
    AUTO(json_release)
    json_t *expected = json_pack("{s:s, s:{s:s}, s:b, s:s, s:f}", "op", "compare", "b", "batch", "5000", "confirm", 1,
                                 "purpose", "tie-breaker: ingest.batch", "value", 1.4);
    assert_true(json_equal(json_object_get(item, "request"), expected));
    assert_string_equal(json_string_or(item, "kind", ""), "contradiction");
    assert_string_equal(json_string_or(item, "why", ""),
                        "1 recommend it, 1 oppose it, 2 are neutral, 0 gave no answer");
}

static void two_of_four_ask_for_an_investigation(void **state)
{
    struct world *world = *state;
    vote(world, "download.concurrency", "rnrn", NULL, NULL);
    AUTO(json_release) json_t *array = tie_breakers_of(world);
    const json_t *item = json_array_get(array, 0), *request = json_object_get(item, "request");
    assert_string_equal(json_string_or(item, "kind", ""), "investigate");
    assert_string_equal(json_string_or(json_object_get(request, "b"), "concurrency", ""), "10"); /* nobody named one */
}

static void a_dissent_in_a_consensus_is_settled_too(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "rrro", "batch", "5000");
    AUTO(json_release) json_t *array = tie_breakers_of(world);
    assert_int_equal(json_array_size(array), 1);
}

static void agreement_needs_none(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "rrrr", "batch", "5000");
    vote(world, "download.concurrency", "oonn", NULL, NULL);
    assert_none(world);
}

static void a_measurement_of_the_change_settles_it(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "ronn", "batch", "5000");
    (void)measure(world, "e1", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01});
    assert_none(world);
}

static void an_open_measurement_does_not(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "ronn", "batch", "5000");
    json_t *open = measure(world, "e1", "batch", "5000", "cannot_tell", (struct interval){0.9, 1.0, 1.1});
    AUTO(json_release) json_t *array = tie_breakers_of(world);
    assert_int_equal(json_array_size(array), 1);
    set_text(open, "purpose", "tie-breaker: ingest.batch"); /* but never twice */
    assert_none(world);
}

static void a_bound_settles_it(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.journal", "ronn", "journal", "wal");
    assert_none(world);
}

static void what_has_no_knob_cannot_be_run(void **state)
{
    struct world *world = *state;
    vote(world, "extract.streaming", "ronn", NULL, NULL);
    assert_none(world);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_contradiction_asks_for_the_experiment),
        WORLD_TEST(two_of_four_ask_for_an_investigation),
        WORLD_TEST(a_dissent_in_a_consensus_is_settled_too),
        WORLD_TEST(agreement_needs_none),
        WORLD_TEST(a_measurement_of_the_change_settles_it),
        WORLD_TEST(an_open_measurement_does_not),
        WORLD_TEST(a_bound_settles_it),
        WORLD_TEST(what_has_no_knob_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
