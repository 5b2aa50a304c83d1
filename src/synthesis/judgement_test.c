/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/judgement.h"

#include "synthesis/synthesis_fixture.h"

/* Judges one candidate of the world. */
static struct judgement judged(struct world *world, const char *id)
{
    struct yardstick yardstick;
    struct judgement judgement;
    struct diag diag = {0};
    assert_int_equal(yardstick_init(&yardstick, &world->input, &world->arena, &diag), ERR_OK);
    assert_int_equal(judge(&judgement, &yardstick, brief_candidate(&world->brief, id), &world->arena, &diag), ERR_OK);
    return judgement;
}

static void priority_is_of_the_end_nearest_1(void **state)
{
    (void)state;
    static const struct {
        struct interval effect;
        enum priority priority;
    } CASES[] = {
        {{5.1, 6, 7}, PRIORITY_P0},     {{5.0, 6, 7}, PRIORITY_P1},   {{2.0, 9, 20}, PRIORITY_P1},
        {{1.99, 9, 20}, PRIORITY_P2},   {{1.2, 1.5, 2}, PRIORITY_P2}, {{1.19, 5, 9}, PRIORITY_P3},
        {{0.2, 0.5, 0.8}, PRIORITY_P3}, {{0.9, 8, 20}, PRIORITY_P3},  {{NAN, NAN, NAN}, PRIORITY_NONE},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(priority_of(CASES[i].effect), CASES[i].priority);
}

/* One value measured, nobody votes: what each verdict leads to. The batch's bound is wide. */
static void the_verdict_follows_the_measurement(void **state)
{
    static const struct {
        const char *verdict;
        struct interval effect;
        enum decision decision;
        const char *why; /* part of the sentence */
    } CASES[] = {
        {"faster", {1.3, 1.4, 1.5}, DECISION_RECOMMEND, "batch=5000 makes the run 1.40x [1.30, 1.50] as fast as 1000"},
        {"faster", {1.02, 1.4, 1.5}, DECISION_RECOMMEND, "as fast as"},
        {"faster", {1.019, 1.4, 1.5}, DECISION_CANNOT_TELL, "but perhaps by less than 2.0 %"},
        {"faster", {1.005, 1.01, 1.015}, DECISION_LEAVE_ALONE, "worth less than 2.0 %"},
        {"same", {0.99, 1.0, 1.01}, DECISION_LEAVE_ALONE, "worth less than 2.0 % against 1000: 1.00x"},
        {"slower", {0.7, 0.8, 0.9}, DECISION_LEAVE_ALONE, "is slower than 1000"},
        {"cannot_tell", {0.97, 1.0, 1.05}, DECISION_CANNOT_TELL, "about 60 pairs would tell"},
        {"cannot_tell", {0.97, 1.0, 1.01}, DECISION_LEAVE_ALONE, "worth less than 2.0 %"},
        {"preliminary", {1.3, 1.4, 1.5}, DECISION_CANNOT_TELL, "still open"},
        {"preliminary", {0.9, 1.0, 1.01}, DECISION_CANNOT_TELL, "still open"},
        {"invalid", {1.3, 1.4, 1.5}, DECISION_LEAVE_ALONE, "its runs fail"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        (void)measure(world, "e1", "batch", "5000", CASES[i].verdict, CASES[i].effect);
        struct judgement judgement = judged(world, "ingest.batch");
        assert_string_equal(decision_name(judgement.decision), decision_name(CASES[i].decision));
        if (!strstr(judgement.why, CASES[i].why))
            fail_msg("case %zu: '%s' lacks '%s'", i, judgement.why, CASES[i].why);
    }
}

static void votes_never_outrank_a_measurement(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "rrrr", "batch", "5000");
    (void)measure(world, "e1", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01});
    struct judgement judgement = judged(world, "ingest.batch");
    assert_int_equal(judgement.consensus, CONSENSUS_REACHED);
    assert_int_equal(judgement.decision, DECISION_LEAVE_ALONE);
    assert_int_equal(judgement.effect.basis, BASIS_MEASURED);
    assert_int_equal(judgement.priority, PRIORITY_NONE);
}

static void an_opposed_gain_is_still_a_gain(void **state)
{
    struct world *world = *state;
    vote(world, "download.concurrency", "oooo", NULL, NULL);
    (void)measure(world, "e1", "concurrency", "4", "faster", (struct interval){2.8, 2.9, 3.0});
    assert_int_equal(judged(world, "download.concurrency").decision, DECISION_RECOMMEND);
}

static void four_liars_without_an_experiment_get_a_claim(void **state)
{
    struct world *world = *state;
    vote(world, "download.concurrency", "rrrr", "concurrency", "10");
    world->candidates[0].bound.high = INFINITY; /* not even a bound holds them */
    struct judgement judgement = judged(world, "download.concurrency");
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
    assert_int_equal(judgement.effect.basis, BASIS_CLAIMED);
    assert_int_equal(judgement.priority, PRIORITY_NONE);
    assert_non_null(strstr(judgement.why, "no experiment shows it"));
}

static void a_bound_outranks_a_claim(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "rrrr", "batch", "5000");
    struct judgement judgement = judged(world, "ingest.batch");
    assert_int_equal(judgement.effect.basis, BASIS_BOUNDED);
    assert_close(judgement.effect.ratio.high, 1.6, 1e-9);
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
}

static void a_small_bound_settles_it(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.journal", "rrrr", "journal", "wal");
    struct judgement judgement = judged(world, "ingest.journal");
    assert_int_equal(judgement.decision, DECISION_LEAVE_ALONE);
    assert_non_null(strstr(judgement.why, "worth more than 4.2 %"));
    world->candidates[2].bound.high = WORTH_TRYING;
    judgement = judged(world, "ingest.journal");
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
}

static void simulation(struct world *world, size_t agent, const char *candidate, struct interval ratio)
{
    findings_stance(world->findings[agent],
                    &(struct stance){.candidate = candidate, .prediction = &(struct estimate){ratio, BASIS_SIMULATED}},
                    "simulated");
}

static void only_the_owners_simulation_counts(void **state)
{
    struct world *world = *state;
    simulation(world, 2, "extract.streaming", (struct interval){1.3, 1.4, 1.5});
    assert_int_equal(judged(world, "extract.streaming").effect.basis, BASIS_BOUNDED);
    simulation(world, 0, "extract.streaming", (struct interval){1.21, 1.25, 1.3});
    struct judgement judgement = judged(world, "extract.streaming");
    assert_int_equal(judgement.effect.basis, BASIS_SIMULATED);
    assert_close(judgement.effect.ratio.mid, 1.25, 1e-9);
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
    assert_int_equal(judgement.priority, PRIORITY_P2);
    assert_non_null(strstr(judgement.why, "build it behind a knob"));
}

static void a_simulation_above_the_bound_is_refused(void **state)
{
    struct world *world = *state;
    simulation(world, 0, "extract.streaming", (struct interval){1.6, 1.7, 1.8});
    assert_int_equal(judged(world, "extract.streaming").effect.basis, BASIS_BOUNDED);
}

static void a_confirmation_stands_over_the_first_look(void **state)
{
    struct world *world = *state;
    mark_confirmed(measure(world, "e1", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01}));
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_LEAVE_ALONE);
    mark_confirmed(measure(world, "e3", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5}));
    struct judgement judgement = judged(world, "ingest.batch");
    assert_int_equal(judgement.decision, DECISION_RECOMMEND);
    assert_int_equal(judgement.effect.basis, BASIS_CONFIRMED);
    assert_non_null(strstr(judgement.why, "confirmed on fresh runs"));
}

static void a_preliminary_confirmation_overturns_nothing(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    mark_confirmed(measure(world, "e2", "batch", "5000", "preliminary", (struct interval){0.9, 1.0, 1.1}));
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_RECOMMEND);
}

static void of_equals_the_later_counts(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    (void)measure(world, "e2", "batch", "5000", "same", (struct interval){0.99, 1.0, 1.01});
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_LEAVE_ALONE);
}

static void a_gain_comes_before_a_larger_doubt(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "4", "faster", (struct interval){1.3, 1.4, 1.5});
    (void)measure(world, "e2", "concurrency", "10", "cannot_tell", (struct interval){0.9, 3.0, 9.0});
    assert_string_equal(judged(world, "download.concurrency").value, "4");
}

static void silence_is_no_neutral_vote(void **state)
{
    struct world *world = *state;
    vote(world, "ingest.batch", "rxn-", NULL, NULL);
    struct judgement judgement = judged(world, "ingest.batch");
    assert_int_equal(judgement.tally.silent, 1);
    assert_int_equal(judgement.tally.neutral, 2);
}

static void a_tie_breakers_verdict_stands(void **state)
{
    struct world *world = *state;
    set_text(measure(world, "e1", "batch", "5000", "slower", (struct interval){0.7, 0.8, 0.9}), "purpose",
             "tie-breaker: ingest.batch");
    (void)measure(world, "e2", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_LEAVE_ALONE);
}

static void a_failing_variant_is_rejected_whatever_its_speed(void **state)
{
    struct world *world = *state;
    json_t *experiment = measure(world, "e1", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    set_text(experiment, "reason", "unequal_output");
    mark_confirmed(measure(world, "e2", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5}));
    struct judgement judgement = judged(world, "ingest.batch");
    assert_int_equal(judgement.decision, DECISION_LEAVE_ALONE);
    assert_true(isnan(judgement.effect.ratio.mid));
    assert_non_null(strstr(judgement.why, "another output"));
}

static void a_sweeps_winner_is_the_change(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "10", "faster", (struct interval){3.1, 3.2, 3.3});
    json_t *winner = measure(world, "e2", "concurrency", "4", "faster", (struct interval){3.0, 3.1, 3.2});
    assert_string_equal(judged(world, "download.concurrency").value, "10");
    assert_int_equal(json_object_set_new(winner, "winner", json_integer(1)), 0);
    assert_string_equal(judged(world, "download.concurrency").value, "4");
}

static void one_small_value_does_not_rule_a_knob_out(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "4", "same", (struct interval){0.99, 1.0, 1.01});
    struct judgement judgement = judged(world, "download.concurrency");
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
    assert_non_null(strstr(judgement.why, "concurrency=10 was not measured"));
    vote(world, "download.concurrency", "nrnn", "concurrency", "4");
    assert_int_equal(judged(world, "download.concurrency").decision, DECISION_LEAVE_ALONE);
}

static void an_open_value_keeps_the_knob_open(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "concurrency", "4", "same", (struct interval){0.99, 1.0, 1.01});
    (void)measure(world, "e2", "concurrency", "10", "cannot_tell", (struct interval){0.9, 1.1, 1.3});
    struct judgement judgement = judged(world, "download.concurrency");
    assert_int_equal(judgement.decision, DECISION_CANNOT_TELL);
    assert_string_equal(judgement.value, "10");
}

static void another_change_beside_it_says_nothing(void **state)
{
    struct world *world = *state;
    json_t *both = measure(world, "e1", "batch", "5000", "faster", (struct interval){2, 3, 4});
    json_t *arms = json_object_get(both, "arms");
    set_text(json_object_get(json_array_get(arms, 1), "settings"), "concurrency", "4");
    assert_null(judged(world, "ingest.batch").evidence);
    json_t *elsewhere = measure(world, "e1", "batch", "5000", "faster", (struct interval){2, 3, 4});
    set_text(json_object_get(json_array_get(json_object_get(elsewhere, "arms"), 0), "settings"), "concurrency", "4");
    assert_null(judged(world, "ingest.batch").evidence);
}

static void a_restless_control_raises_what_counts(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "batch", "5000", "faster", (struct interval){1.05, 1.1, 1.15});
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_RECOMMEND);
    json_t *control = experiment_of("e2", "control", "A/A", json_object());
    add_comparison(control, "slower", (struct interval){0.92, 0.94, 0.96}, false);
    assert_int_equal(json_object_set_new(world->experiments, "e2", control), 0);
    assert_int_equal(judged(world, "ingest.batch").decision, DECISION_CANNOT_TELL);
}

static void a_quick_win_is_cheap_and_not_tiny(void **state)
{
    struct world *world = *state;
    (void)measure(world, "e1", "batch", "5000", "faster", (struct interval){1.3, 1.4, 1.5});
    (void)measure(world, "e2", "concurrency", "10", "faster", (struct interval){4, 5, 6});
    assert_true(judged(world, "ingest.batch").quick_win);
    assert_false(judged(world, "download.concurrency").quick_win); /* two days */
    (void)measure(world, "e1", "batch", "5000", "faster", (struct interval){1.1, 1.15, 1.19});
    assert_false(judged(world, "ingest.batch").quick_win); /* P3 */
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priority_is_of_the_end_nearest_1),
        WORLD_TEST(the_verdict_follows_the_measurement),
        WORLD_TEST(votes_never_outrank_a_measurement),
        WORLD_TEST(an_opposed_gain_is_still_a_gain),
        WORLD_TEST(four_liars_without_an_experiment_get_a_claim),
        WORLD_TEST(a_bound_outranks_a_claim),
        WORLD_TEST(a_small_bound_settles_it),
        WORLD_TEST(only_the_owners_simulation_counts),
        WORLD_TEST(a_simulation_above_the_bound_is_refused),
        WORLD_TEST(a_confirmation_stands_over_the_first_look),
        WORLD_TEST(a_preliminary_confirmation_overturns_nothing),
        WORLD_TEST(of_equals_the_later_counts),
        WORLD_TEST(a_gain_comes_before_a_larger_doubt),
        WORLD_TEST(silence_is_no_neutral_vote),
        WORLD_TEST(a_tie_breakers_verdict_stands),
        WORLD_TEST(a_failing_variant_is_rejected_whatever_its_speed),
        WORLD_TEST(a_sweeps_winner_is_the_change),
        WORLD_TEST(one_small_value_does_not_rule_a_knob_out),
        WORLD_TEST(an_open_value_keeps_the_knob_open),
        WORLD_TEST(another_change_beside_it_says_nothing),
        WORLD_TEST(a_restless_control_raises_what_counts),
        WORLD_TEST(a_quick_win_is_cheap_and_not_tiny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
