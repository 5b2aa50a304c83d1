/* SPDX-License-Identifier: Apache-2.0
 *
 * How agents come to their stances, on the brief of the finding room and experiments as the lab answers them.
 */
#include "agents/weigh.h"

#include "base/json.h"
#include "finding/finding_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CONCURRENCY, JOURNAL, STREAMING };

struct world {
    struct arena arena;
    struct brief brief;
    struct findings *findings;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct diag diag;
    assert_non_null(world);
    arena_init(&world->arena, 1 << 20);
    world->brief = fixture_brief(NULL);
    assert_int_equal(findings_new(&world->findings, "profiling", &world->arena, &diag), ERR_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    arena_fini(&world->arena);
    free(world);
    return 0;
}

static const struct stance *last_stance(const struct world *world)
{
    assert_null(world->findings->build_error);
    assert_true(world->findings->stance_count > 0);
    return &world->findings->stances[world->findings->stance_count - 1];
}

/* Weighs an experiment on download.concurrency: 1 against 2 and 4. */
static const struct stance *weigh(struct world *world, const char *comparisons, const char *winner)
{
    struct value_prediction predictions[] = {{"2", {{1.8, 1.9, 2.0}, BASIS_SIMULATED}},
                                             {"4", {{2.7, 2.9, 3.1}, BASIS_SIMULATED}}};
    struct weighing weighing = {
        .candidate = &FIXTURE_CANDIDATES[CONCURRENCY], .predictions = predictions, .prediction_count = 2};
    char *text =
        arena_printf(&world->arena,
                     "{\"id\": \"e3\", \"arms\": [{\"settings\": {}}, {\"settings\": {\"concurrency\": \"2\"}},"
                     "{\"settings\": {\"concurrency\": \"4\"}}], \"comparisons\": [%s], \"winner\": %s}",
                     comparisons, winner);
    AUTO(json_release) json_t *experiment = json_loads(text, 0, NULL);
    assert_non_null(experiment);
    weigh_measured(world->findings, &weighing, &FIXTURE_KNOBS[CONCURRENCY], experiment);
    return last_stance(world);
}

#define COMPARISON(arm, verdict, confirmed, low, mid, high)                                                            \
    "{\"a\": 0, \"b\": " arm ", \"verdict\": \"" verdict "\", \"confirmed\": " confirmed ", \"pairs\": 8,"             \
    " \"effect\": {\"low\": " low ", \"mid\": " mid ", \"high\": " high "}}"

static void the_verdict_makes_the_vote(void **state)
{
    static const struct {
        const char *comparison;
        enum vote vote;
    } cases[] = {
        {COMPARISON("1", "faster", "false", "1.9", "2.0", "2.1"), VOTE_RECOMMEND},
        {COMPARISON("1", "faster", "false", "1.02", "1.03", "1.04"), VOTE_RECOMMEND},
        {COMPARISON("1", "faster", "false", "1.01", "1.02", "1.03"), VOTE_NEUTRAL}, /* not worth doing for sure */
        {COMPARISON("1", "same", "false", "0.99", "1.0", "1.01"), VOTE_OPPOSE},
        {COMPARISON("1", "slower", "false", "0.7", "0.8", "0.9"), VOTE_OPPOSE},
        {COMPARISON("1", "cannot_tell", "false", "0.9", "1.5", "2.0"), VOTE_NEUTRAL},
        {COMPARISON("1", "preliminary", "false", "1.9", "2.0", "2.1"), VOTE_NEUTRAL},
        {COMPARISON("1", "invalid", "false", "1.9", "2.0", "2.1"), VOTE_NEUTRAL},
        {"", VOTE_NEUTRAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(weigh(*state, cases[i].comparison, "null")->vote, cases[i].vote);
}

static void the_winner_is_talked_about_with_its_own_prediction(void **state)
{
    const struct stance *stance = weigh(*state,
                                        COMPARISON("1", "faster", "false", "1.9", "2.0",
                                                   "2.1") "," COMPARISON("2", "faster", "false", "1.9", "2.01", "2.1"),
                                        "1");
    assert_string_equal(stance->change->to, "2");
    assert_true(stance->prediction->ratio.mid == 1.9);
    assert_string_equal(stance->experiments[0], "e3");
    stance = weigh(*state,
                   COMPARISON("1", "faster", "false", "1.9", "2.0", "2.1") "," COMPARISON("2", "faster", "false", "2.8",
                                                                                          "3.0", "3.2"),
                   "null");
    assert_string_equal(stance->change->to, "4"); /* no winner: the largest estimate */
    assert_true(stance->prediction->ratio.mid == 2.9);
}

static void fresh_runs_count_once_they_came_to_a_verdict(void **state)
{
    const struct stance *stance = weigh(*state,
                                        COMPARISON("1", "faster", "false", "1.9", "2.0",
                                                   "2.1") "," COMPARISON("1", "faster", "true", "1.7", "1.8", "1.9"),
                                        "1");
    assert_int_equal(stance->effect->basis, BASIS_CONFIRMED);
    assert_true(stance->effect->ratio.mid == 1.8);
    stance = weigh(*state,
                   COMPARISON("1", "faster", "false", "1.9", "2.0", "2.1") "," COMPARISON("1", "preliminary", "true",
                                                                                          "1.0", "1.8", "2.5"),
                   "1");
    assert_int_equal(stance->effect->basis, BASIS_MEASURED);
    assert_int_equal(stance->vote, VOTE_RECOMMEND);
}

static void a_bound_settles_what_is_not_worth_an_experiment(void **state)
{
    struct world *world = *state;
    struct brief_candidate candidate = FIXTURE_CANDIDATES[JOURNAL];
    struct weighing weighing = {.candidate = &candidate};
    candidate.bound.high = WORTH_TRYING - 0.001;
    assert_false(worth_an_experiment(&candidate));
    weigh_unmeasured(world->findings, &weighing);
    assert_int_equal(last_stance(world)->vote, VOTE_OPPOSE);
    assert_int_equal(last_stance(world)->effect->basis, BASIS_BOUNDED);
    candidate.bound.high = WORTH_TRYING;
    assert_true(worth_an_experiment(&candidate));
    candidate.knob = NULL;
    assert_false(worth_an_experiment(&candidate));
    weigh_unmeasured(world->findings, &weighing);
    assert_int_equal(last_stance(world)->vote, VOTE_NEUTRAL);
}

static void a_layer_recommends_what_works_on_the_bottleneck_while_it_has_room(void **state)
{
    static const struct {
        const char *layer;
        double capacity_rows_s;
        enum bottleneck_verdict verdict;
        enum vote vote;
    } cases[] = {
        {"ingest", 470000, BOTTLENECK_NAMED, VOTE_RECOMMEND},
        {"ingest", 48000, BOTTLENECK_NAMED, VOTE_NEUTRAL}, /* it would limit the run next to at once */
        {"ingest", 470000, BOTTLENECK_TWO_CANDIDATES, VOTE_NEUTRAL},
        {"download", 470000, BOTTLENECK_NAMED, VOTE_NEUTRAL}, /* the layer is the bottleneck itself */
        {NULL, 470000, BOTTLENECK_NAMED, VOTE_NEUTRAL},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rows_s = cases[i].capacity_rows_s;
        struct stage_summary stages[] = {{.name = "download", .capacity_rows_s = {rows_s, rows_s, rows_s}},
                                         {.name = "ingest", .capacity_rows_s = {rows_s, rows_s, rows_s}}};
        struct profile profile = {
            .rows_s = {46000, 47000, 48000}, .stages = stages, .stage_count = 2, .verdict = cases[i].verdict};
        struct baseline baseline = {.profile = &profile};
        struct agent_task task = {.brief = &world->brief, .arena = &world->arena};
        size_t before = world->findings->stance_count;
        weigh_others(world->findings, "database", cases[i].layer, &baseline, &task);
        assert_int_equal(world->findings->stance_count, before + 2); /* its own candidate is not among them */
        assert_string_equal(world->findings->stances[before].candidate, "download.concurrency");
        assert_int_equal(world->findings->stances[before].vote, cases[i].vote);
        assert_int_equal(world->findings->stances[before + 1].vote, VOTE_NEUTRAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_verdict_makes_the_vote, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_winner_is_talked_about_with_its_own_prediction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fresh_runs_count_once_they_came_to_a_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bound_settles_what_is_not_worth_an_experiment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_layer_recommends_what_works_on_the_bottleneck_while_it_has_room, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
