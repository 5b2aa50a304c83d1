/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/plan.h"
#include "synthesis/synthesis_fixture.h"

static double number_at(const json_t *object, const char *outer, const char *key)
{
    return json_number_or(json_object_get(object, outer), key, NAN);
}

/* The story of the reference pipeline. */
static void tell_the_story(struct world *world)
{
    vote(world, "download.concurrency", "rrnr", "concurrency", "10");
    vote(world, "ingest.batch", "nnoo", NULL, NULL);
    vote(world, "ingest.journal", "nonn", NULL, NULL);
    mark_confirmed(measure(world, "e2", "concurrency", "10", "faster", (struct interval){4.1, 4.7, 5.6}));
    (void)measure(world, "e10", "concurrency", "4", "faster", (struct interval){2.8, 2.9, 3.0});
    (void)measure(world, "e3", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01});
    json_t *control = experiment_of("e1", "control", "A/A control", json_object());
    add_comparison(control, "same", (struct interval){0.99, 1.0, 1.01}, false);
    assert_int_equal(json_object_set_new(world->experiments, "e1", control), 0);
}

static void the_story_comes_out(void **state)
{
    struct world *world = *state;
    tell_the_story(world);
    AUTO(json_release) json_t *master = master_of(world);
    const json_t *first = json_array_get(json_object_get(master, "candidates"), 0);
    assert_string_equal(json_string_or(first, "id", ""), "download.concurrency");
    assert_string_equal(json_string_or(first, "verdict", ""), "recommend");
    assert_string_equal(json_string_or(first, "priority", ""), "P1");
    assert_string_equal(json_string_or(first, "consensus", ""), "consensus");
    assert_string_equal(json_string_or(json_object_get(first, "change"), "to", ""), "10");
    assert_string_equal(json_string_or(json_object_get(first, "effect"), "basis", ""), "confirmed");
    assert_close(number_at(first, "expected", "to"), 47000 * 4.7, 1);
    AUTO(json_release) json_t *experiments = json_pack("[s, s]", "e2", "e10");
    assert_true(json_equal(json_object_get(first, "experiments"), experiments)); /* e2 before e10 */
    AUTO(json_release) json_t *decisive_first = json_pack("[s, s]", "e11", "e5");
    (void)measure(world, "e5", "batch", "5000", "cannot_tell", (struct interval){0.9, 1.0, 1.1});
    mark_confirmed(measure(world, "e11", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01}));
    assert_int_equal(json_object_del(world->experiments, "e3"), 0);
    AUTO(json_release) json_t *again = master_of(world);
    assert_true(json_equal(json_object_get(candidate_of(again, "ingest.batch"), "experiments"), decisive_first));
    assert_string_equal(json_string_or(candidate_of(master, "ingest.batch"), "verdict", ""), "leave_alone");
    assert_string_equal(json_string_or(candidate_of(master, "ingest.journal"), "verdict", ""), "leave_alone");
    assert_close(number_at(master, "problem", "gap_percent"), 53.0, 0.01);
    assert_string_equal(json_string_or(json_object_get(master, "noise"), "verdict", ""), "same");
    assert_close(number_at(master, "work", "items"), 5, 0);
    assert_true(json_is_null(json_object_get(candidate_of(master, "ingest.batch"), "priority")));
}

static void the_next_bottleneck_is_what_is_left(void **state)
{
    struct world *world = *state;
    json_t *experiment = measure(world, "e1", "concurrency", "10", "faster", (struct interval){4.1, 4.7, 5.6});
    AUTO(json_release) json_t *still = master_of(world);
    /* 4.14 s of 4.6 s, 3.62 s saved: download keeps 0.52 s, more than the 0.27 s of extract */
    assert_string_equal(json_string_or(candidate_of(still, "download.concurrency"), "next_bottleneck", ""), "download");
    json_t *comparison = json_array_get(json_object_get(experiment, "comparisons"), 0);
    assert_int_equal(json_object_set_new(comparison, "effect", three(7.0, 8.0, 9.0)), 0);
    AUTO(json_release) json_t *moved = master_of(world);
    assert_string_equal(json_string_or(candidate_of(moved, "download.concurrency"), "next_bottleneck", ""), "extract");
    world->candidates[0].lever = "overlap"; /* saves the time of several stages */
    AUTO(json_release) json_t *overlapped = master_of(world);
    assert_true(json_is_null(json_object_get(candidate_of(overlapped, "download.concurrency"), "next_bottleneck")));
}

static void an_agent_without_an_answer_costs_its_votes_only(void **state)
{
    struct world *world = *state;
    tell_the_story(world);
    assert_int_equal(findings_no_answer(&world->findings[1], "database", "hung for 30 s", &world->arena, NULL), ERR_OK);
    AUTO(json_release) json_t *master = master_of(world);
    const json_t *candidate = candidate_of(master, "download.concurrency");
    assert_string_equal(json_string_or(json_object_get(candidate, "votes"), "database", ""), "no_answer");
    assert_string_equal(json_string_or(candidate, "verdict", ""), "recommend");
    const json_t *agent = json_array_get(json_object_get(master, "agents"), 1);
    assert_string_equal(json_string_or(agent, "status", ""), "no_answer");
    assert_string_equal(json_string_or(agent, "why", ""), "hung for 30 s");
}

static void replays_differ_in_their_time_only(void **state)
{
    struct world *world = *state;
    tell_the_story(world);
    AUTO(json_release) json_t *first = master_of(world);
    /* the same journal read in another order */
    AUTO(json_release) json_t *shuffled = json_object();
    static const char *const ORDER[] = {"e10", "e3", "e1", "e2"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_object_set(shuffled, ORDER[i], json_object_get(world->experiments, ORDER[i])), 0);
    world->input.experiments = shuffled;
    json_t *second;
    assert_int_equal(synthesis_master(&second, &world->input, "another day", &world->arena, NULL), ERR_OK);
    assert_string_equal(json_string_or(second, "generated", ""), "another day");
    set_text(second, "generated", json_string_or(first, "generated", ""));
    char *first_line = json_line(first), *second_line = json_line(second);
    assert_string_equal(first_line, second_line);
    free(first_line);
    free(second_line);
    json_decref(second);
}

static void probability_is_log_normal(void **state)
{
    (void)state;
    const struct interval exact = {1, 1, 1}, still = {50000, 50000, 50000};
    assert_close(plan_probability((struct interval){2, 2, 2}, still, 100001), 0.01, 1e-9);
    assert_close(plan_probability((struct interval){2, 2, 2}, still, 99999), 0.99, 1e-9);
    assert_close(plan_probability((struct interval){1, 2, 4}, still, 100000), 0.5, 1e-9);
    /* ln 2 above the goal with sd = ln 4 / 3.92: z = 1.96 */
    assert_close(plan_probability((struct interval){2, 4, 8}, still, 100000), 0.975, 1e-4);
    /* the baseline's own doubt counts as well */
    assert_true(plan_probability((struct interval){2, 4, 8}, (struct interval){40000, 50000, 62500}, 100000) < 0.97);
    assert_close(plan_probability(exact, still, 50000), 0.99, 1e-9);
}

static void the_cheapest_way_to_the_goal_wins(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "10", "faster", (struct interval){4.1, 4.7, 5.6});
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){2.5, 2.6, 2.7});
    AUTO(json_release) json_t *cheap = master_of(world);
    const json_t *plan = json_object_get(cheap, "slo_plan");
    assert_string_equal(json_string_value(json_array_get(json_object_get(plan, "candidates"), 0)), "ingest.batch");
    assert_close(json_number_or(plan, "probability", NAN), 0.99, 1e-9);
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5}); /* not enough any more */
    AUTO(json_release) json_t *strong = master_of(world);
    plan = json_object_get(strong, "slo_plan");
    assert_string_equal(json_string_value(json_array_get(json_object_get(plan, "candidates"), 0)),
                        "download.concurrency");
}

/* 1.4 times 1.9 would be 2.66, enough for 100 K; nobody measured it. */
static void gains_are_never_multiplied(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "10", "faster", (struct interval){1.85, 1.9, 1.95});
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){1.35, 1.4, 1.45});
    AUTO(json_release) json_t *apart = master_of(world);
    const json_t *plan = json_object_get(apart, "slo_plan");
    assert_true(json_number_or(plan, "probability", NAN) < 0.5);
    assert_non_null(strstr(json_string_or(plan, "why", ""), "not known until they are measured together"));
    json_t *both = measure(world, "e3", "batch", "5000", "faster", (struct interval){2.4, 2.5, 2.6});
    set_text(json_object_get(json_array_get(json_object_get(both, "arms"), 1), "settings"), "concurrency", "10");
    AUTO(json_release) json_t *together = master_of(world);
    plan = json_object_get(together, "slo_plan");
    assert_int_equal(json_array_size(json_object_get(plan, "candidates")), 2);
    assert_true(json_number_or(plan, "probability", NAN) > 0.98);
    assert_close(json_number_or(plan, "effort_days", NAN), 2.5, 1e-9);
}

static void a_goal_that_is_met_needs_nothing(void **state)
{
    struct world *world = *state;
    world->brief.goal_rows_s = 40000;
    AUTO(json_release) json_t *master = master_of(world);
    assert_true(json_is_true(json_object_get(json_object_get(master, "problem"), "met")));
    assert_string_equal(json_string_or(json_object_get(master, "slo_plan"), "why", ""), "the goal is met already");
    world->brief.goal_rows_s = 47100; /* inside the interval: that is no pass */
    AUTO(json_release) json_t *open = master_of(world);
    assert_true(json_is_false(json_object_get(json_object_get(open, "problem"), "met")));
    world->brief.goal_rows_s = 0;
    AUTO(json_release) json_t *without = master_of(world);
    assert_true(json_is_null(json_object_get(without, "slo_plan")));
    assert_true(json_is_null(json_object_get(json_object_get(without, "problem"), "met")));
}

static void without_rows_there_are_ratios_only(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "10", "faster", (struct interval){4.1, 4.7, 5.6});
    assert_int_equal(json_object_set_new(world->profile, "rows_s", json_null()), 0);
    AUTO(json_release) json_t *master = master_of(world);
    const json_t *problem = json_object_get(master, "problem"),
                 *candidate = candidate_of(master, "download.concurrency");
    assert_true(json_is_null(json_object_get(problem, "measured")));
    assert_true(json_is_null(json_object_get(problem, "met")));
    assert_true(json_is_null(json_object_get(problem, "gap_percent")));
    assert_true(json_is_null(json_object_get(master, "slo_plan")));
    assert_true(json_is_null(json_object_get(candidate, "expected")));
    assert_string_equal(json_string_or(candidate, "verdict", ""), "recommend");
}

static void the_roadmap_promises_its_first_phase_only(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "10", "faster", (struct interval){4.1, 4.7, 5.6});
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    AUTO(json_release) json_t *master = master_of(world);
    const json_t *roadmap = json_object_get(master, "roadmap"), *first = json_array_get(roadmap, 0),
                 *second = json_array_get(roadmap, 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "candidates"), 0)),
                        "download.concurrency");
    assert_close(number_at(first, "expected", "low"), 47000 * 4.1, 1);
    assert_true(json_is_null(json_object_get(second, "expected")));
    assert_non_null(strstr(json_string_or(second, "note", ""), "measured again"));
    assert_true(json_is_true(json_object_get(candidate_of(master, "ingest.batch"), "quick_win")));
}

static void a_dispute_is_reported_with_its_outcome(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "ronn", "batch", "5000");
    set_text(measure(world, "e4", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01}), "purpose",
             "tie-breaker: ingest.batch");
    AUTO(json_release) json_t *master = master_of(world);
    const json_t *item = json_array_get(json_object_get(master, "tie_breakers"), 0);
    assert_string_equal(json_string_or(item, "experiment", ""), "e4");
    assert_string_equal(json_string_or(item, "measured", ""), "same");
    assert_string_equal(json_string_or(item, "verdict", ""), "leave_alone");
}

static void a_damaged_experiment_is_an_error(void **state)
{
    struct world *world = *state;
    static const char *const DAMAGE[] = {
        "{\"comparisons\": [{\"a\": 0, \"b\": 7, \"verdict\": \"same\"}], \"arms\": [{\"settings\": {}}]}",
        "{\"comparisons\": [{\"a\": 0, \"b\": -1, \"verdict\": \"same\"}], \"arms\": [{\"settings\": {}}]}",
        "{\"comparisons\": [{\"a\": 0, \"b\": 0, \"verdict\": \"best\"}], \"arms\": [{\"settings\": {}}]}",
        "{\"comparisons\": [{\"a\": 0, \"b\": 0, \"verdict\": \"faster\"}], \"arms\": [{\"settings\": {}}]}",
        "{\"comparisons\": [{\"a\": 0, \"b\": 0, \"verdict\": \"cannot_tell\"}], \"arms\": [{\"settings\": {\"x\": "
        "\"1\"}}]}",
        "{\"comparisons\": [{\"a\": 0, \"b\": 0, \"verdict\": \"faster\", \"effect\": {\"low\": 3, \"mid\": 2, "
        "\"high\": 1}}],"
        " \"arms\": [{\"settings\": {}}]}",
        "{\"comparisons\": [3]}",
    };
    for (size_t i = 0; i < sizeof DAMAGE / sizeof *DAMAGE; i++) {
        json_t *experiment, *master;
        struct diag diag = {0};
        assert_int_equal(json_parse(&experiment, DAMAGE[i], strlen(DAMAGE[i]), "test", NULL), ERR_OK);
        assert_int_equal(json_object_set_new(world->experiments, "e7", experiment), 0);
        assert_int_equal(synthesis_master(&master, &world->input, "", &world->arena, &diag), ERR_FORMAT);
        assert_string_equal(diag.where, "e7");
    }
}

static void an_exhausted_arena_is_an_error(void **state)
{
    struct world *world = *state;
    tell_the_story(world);
    enum err error = ERR_MEMORY;
    for (size_t limit = 0; error != ERR_OK && limit < 1 << 20; limit += 97) {
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, limit);
        json_t *master = NULL, *tie_breakers = NULL;
        error = synthesis_master(&master, &world->input, "", &arena, NULL);
        assert_true(error == ERR_OK || error == ERR_MEMORY);
        if (error == ERR_OK)
            json_decref(master);
        if (synthesis_tie_breakers(&tie_breakers, &world->input, &arena, NULL) == ERR_OK)
            json_decref(tie_breakers);
    }
    assert_int_equal(error, ERR_OK);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_story_comes_out),
        WORLD_TEST(the_next_bottleneck_is_what_is_left),
        WORLD_TEST(an_agent_without_an_answer_costs_its_votes_only),
        WORLD_TEST(replays_differ_in_their_time_only),
        cmocka_unit_test(probability_is_log_normal),
        WORLD_TEST(the_cheapest_way_to_the_goal_wins),
        WORLD_TEST(gains_are_never_multiplied),
        WORLD_TEST(a_goal_that_is_met_needs_nothing),
        WORLD_TEST(without_rows_there_are_ratios_only),
        WORLD_TEST(the_roadmap_promises_its_first_phase_only),
        WORLD_TEST(a_dispute_is_reported_with_its_outcome),
        WORLD_TEST(a_damaged_experiment_is_an_error),
        WORLD_TEST(an_exhausted_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
