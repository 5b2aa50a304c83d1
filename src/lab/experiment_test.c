/* SPDX-License-Identifier: Apache-2.0
 * Experiments on made-up runs: when they end, what they conclude, whom they still want to run; and the schedule that
 * serves several. */
#include "lab/experiment.h"
#include "lab/schedule.h"

#include "base/json.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *values[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const struct stage stage = {.name = "s"};
static struct knob knob = {.name = "k", .stage = "s", .arg = "--k={}", .values = values, .value_count = 9};
static const struct pipeline pipeline = {
    .name = "p", .stages = (struct stage *)&stage, .stage_count = 1, .knobs = &knob, .knob_count = 1};

enum { ARENA_BYTES = 64 * 1024 * 1024, CELLS = 10 };

/** An experiment, and how long each of its arms takes. */
struct trial {
    struct arena arena;
    struct rng rng;
    struct experiment experiment;
    double seconds[REQUEST_ARMS_MAX], noise;
    bool fails[REQUEST_ARMS_MAX], unequal[REQUEST_ARMS_MAX];
    unsigned played;
};

static void trial_init(struct trial *trial, const char *text)
{
    struct diag diag = {0};
    struct request request;
    AUTO(json_release) json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    *trial = (struct trial){.noise = 0.01};
    arena_init(&trial->arena, ARENA_BYTES);
    rng_init(&trial->rng, 1);
    assert_int_equal(request_parse(&request, &pipeline, json, &trial->arena, &diag), ERR_OK);
    assert_int_equal(experiment_init(&trial->experiment, "e1", &request, &trial->arena, &diag), ERR_OK);
    for (size_t i = 0; i < request.arm_count; i++) {
        struct arm *arm = &trial->experiment.arms[i];
        arm->cell = arm->variant.count ? arm->variant.settings[0].value : 0;
        trial->seconds[i] = 1;
    }
}

static void trial_fini(struct trial *trial)
{
    experiment_fini(&trial->experiment);
    arena_fini(&trial->arena);
}

/* One round of every arm that is wanted. */
static void play(struct trial *trial)
{
    struct arm_run made[REQUEST_ARMS_MAX];
    const struct arm_run *runs[REQUEST_ARMS_MAX];
    struct diag diag = {0};
    size_t order[REQUEST_ARMS_MAX], count = trial->experiment.request.arm_count;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    rng_shuffle(&trial->rng, order, count);
    for (size_t i = 0; i < count; i++) {
        double factor = exp(trial->noise * (rng_uniform(&trial->rng) - 0.5));
        bool good = !trial->fails[i] && !trial->unequal[i];
        made[i] = (struct arm_run){.id = "r", .ok = good, .unequal = trial->unequal[i], .place = order[i]};
        made[i].duration_s = trial->seconds[i] * factor;
        runs[i] = experiment_wants(&trial->experiment, i) ? &made[i] : NULL;
    }
    assert_int_equal(experiment_take_round(&trial->experiment, runs, &trial->arena, &diag), ERR_OK);
    trial->played++;
}

static void play_out(struct trial *trial)
{
    while (trial->experiment.phase != PHASE_ENDED && trial->played < 200) {
        unsigned announced = experiment_rounds_to_look(&trial->experiment);
        assert_in_range(announced, 1, 40);
        play(trial);
    }
    assert_int_equal(trial->experiment.phase, PHASE_ENDED);
    assert_int_equal(experiment_rounds_to_look(&trial->experiment), 0);
}

static enum verdict verdict_of(const struct trial *trial, size_t series)
{
    return trial->experiment.series[series].result.verdict;
}

static void a_clear_gain_takes_eight_pairs(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}");
    trial.seconds[1] = 0.5;
    play_out(&trial);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_FASTER);
    assert_int_equal(trial.played, 8);
    assert_int_equal(trial.experiment.reason, REASON_DECIDED);
    trial_fini(&trial);
}

/* The same eight pairs, 1.5 % apart in either direction: what matters is for the one who asks to say. */
static void what_matters_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        double delta;
        enum verdict verdict;
        enum experiment_phase phase;
    } cases[] = {
        {"{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}", 0.02, VERDICT_SAME, PHASE_ENDED},
        {"{\"op\": \"compare\", \"b\": {\"k\": \"2\"}, \"delta\": 0.01}", 0.01, VERDICT_CANNOT_TELL, PHASE_MEASURING},
    };
    struct trial trials[2];
    for (size_t i = 0; i < 2; i++) {
        struct trial *trial = &trials[i];
        trial_init(trial, cases[i].request);
        trial->noise = 0;
        for (size_t pair = 0; pair < 8; pair++) {
            trial->seconds[1] = pair % 2 ? 1.015 : 1 / 1.015;
            play(trial);
        }
        assert_int_equal(verdict_of(trial, 0), cases[i].verdict);
        assert_int_equal(trial->experiment.phase, cases[i].phase);
        AUTO(json_release) json_t *json = experiment_json(&trial->experiment, 3);
        assert_true(fabs(json_real_value(json_object_get(json, "delta")) - cases[i].delta) < 1e-12);
    }
    assert_string_not_equal(trials[0].experiment.request.key, trials[1].experiment.request.key);
    for (size_t i = 0; i < 2; i++)
        trial_fini(&trials[i]);
}

static void a_gain_is_confirmed_on_fresh_runs(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}, \"confirm\": true}");
    trial.seconds[1] = 0.5;
    play_out(&trial);
    assert_int_equal(trial.played, 16);
    assert_int_equal(trial.experiment.series_count, 2);
    assert_true(trial.experiment.series[1].confirmed);
    assert_int_equal(verdict_of(&trial, 1), VERDICT_FASTER);
    trial_fini(&trial);
}

static void a_loss_needs_no_confirmation(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}, \"confirm\": true}");
    trial.seconds[1] = 2;
    play_out(&trial);
    assert_int_equal(trial.played, 8);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_SLOWER);
    trial_fini(&trial);
}

/* 4 is best, 3 is within 2 % of it and smaller: it wins. Arms that are decided are run no more. */
static void a_sweep_prefers_the_smallest_of_the_best(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", \"values\": [\"5\", \"4\", \"3\", \"2\"]}");
    trial.seconds[1] = 0.8;
    trial.seconds[2] = 0.405;
    trial.seconds[3] = 0.4;
    trial.seconds[4] = 1.5;
    while (trial.experiment.phase == PHASE_MEASURING)
        play(&trial);
    assert_int_equal(trial.experiment.phase, PHASE_CONFIRMING);
    assert_true(experiment_wants(&trial.experiment, 0));
    assert_true(experiment_wants(&trial.experiment, 2));
    assert_false(experiment_wants(&trial.experiment, 1));
    assert_false(experiment_wants(&trial.experiment, 3));
    assert_false(experiment_wants(&trial.experiment, 4));
    play_out(&trial);
    assert_int_equal(trial.experiment.winner, 2);
    assert_int_equal(verdict_of(&trial, 3), VERDICT_SLOWER);
    AUTO(json_release) json_t *json = experiment_json(&trial.experiment, 3);
    assert_int_equal(json_integer_value(json_object_get(json, "winner")), 2);
    assert_int_equal(json_array_size(json_object_get(json, "comparisons")), 5);
    trial_fini(&trial);
}

static void a_winner_that_fresh_runs_deny_is_none(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", \"values\": [\"2\"]}");
    trial.seconds[1] = 0.5;
    while (trial.experiment.phase == PHASE_MEASURING)
        play(&trial);
    assert_int_equal(trial.experiment.winner, 1);
    trial.seconds[1] = 1;
    play_out(&trial);
    assert_int_equal(trial.experiment.winner, 0);
    AUTO(json_release) json_t *json = experiment_json(&trial.experiment, 3);
    assert_true(json_is_null(json_object_get(json, "winner")));
    trial_fini(&trial);
}

/* With eight settings, eight pairs in one direction (p = 1/128) are no proof: Holm asks for 0.05/8. */
static void many_settings_need_more_pairs(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", "
                       "\"values\": [\"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]}");
    trial.seconds[1] = 0.5;
    for (int i = 0; i < 8; i++)
        play(&trial);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_FASTER);
    assert_false(trial.experiment.series[0].closed);
    play_out(&trial);
    assert_int_equal(trial.experiment.winner, 1);
    assert_true(trial.experiment.series[0].count >= 12);
    trial_fini(&trial);
}

/* Twice nothing: eight equal settings, two hundred times with loud noise. Holm and the confirmation keep winners away.
 */
static void equal_settings_have_no_winner(void **state)
{
    (void)state;
    enum { TRIALS = 200 };
    size_t winners = 0;
    for (unsigned i = 0; i < TRIALS; i++) {
        struct trial trial;
        trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", "
                           "\"values\": [\"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]}");
        rng_init(&trial.rng, i);
        trial.noise = 0.3;
        play_out(&trial);
        winners += trial.experiment.winner > 0;
        trial_fini(&trial);
    }
    assert_in_range(winners, 0, 4);
}

static void a_sweep_of_rounds_plays_them_all(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", \"values\": [\"2\", \"3\"], \"rounds\": 15}");
    trial.seconds[1] = 0.1;
    play_out(&trial);
    assert_int_equal(trial.played, 15);
    assert_int_equal(trial.experiment.reason, REASON_ROUNDS);
    assert_int_equal(trial.experiment.winner, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(trial.experiment.arms[i].succeeded, 15);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_FASTER);
    trial_fini(&trial);
}

static void rounds_bound_a_comparison(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"control\", \"rounds\": 5}");
    play_out(&trial);
    assert_int_equal(trial.played, 5);
    assert_int_equal(trial.experiment.reason, REASON_ROUNDS);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_PRELIMINARY);
    trial_fini(&trial);
}

static void nothing_ends_at_forty_pairs(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"control\"}");
    trial.noise = 0.5;
    play_out(&trial);
    assert_in_range(trial.played, 8, 40);
    assert_true(verdict_of(&trial, 0) == VERDICT_CANNOT_TELL || verdict_of(&trial, 0) == VERDICT_SAME);
    trial_fini(&trial);
}

static void a_failure_in_eight_is_invalid_one_in_forty_is_not(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}");
    trial.seconds[1] = 0.5;
    trial.fails[1] = true;
    play(&trial);
    trial.fails[1] = false;
    play_out(&trial);
    assert_int_equal(trial.played, 9);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_INVALID);
    assert_int_equal(trial.experiment.reason, REASON_RUNS_FAILED);
    trial_fini(&trial);

    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}");
    trial.noise = 0.5; /* so that it goes on to its end */
    trial.fails[0] = true;
    play(&trial);
    trial.fails[0] = false;
    play_out(&trial);
    assert_int_equal(trial.experiment.reason, REASON_DECIDED);
    assert_int_equal(trial.experiment.arms[0].failed, 1);
    assert_true(verdict_of(&trial, 0) != VERDICT_INVALID);
    trial_fini(&trial);
}

static void a_second_failure_ends_it(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"sweep\", \"knob\": \"k\", \"values\": [\"2\", \"3\"]}");
    trial.fails[1] = true;
    trial.seconds[2] = 0.5;
    play(&trial);
    assert_true(experiment_wants(&trial.experiment, 1));
    play(&trial);
    assert_false(experiment_wants(&trial.experiment, 1));
    assert_true(experiment_wants(&trial.experiment, 2));
    play_out(&trial);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_INVALID);
    assert_int_equal(trial.experiment.winner, 2);
    assert_int_equal(trial.experiment.reason, REASON_DECIDED);
    trial_fini(&trial);
}

static void other_output_is_never_a_win(void **state)
{
    (void)state;
    struct trial trial;
    struct diag diag = {0};
    trial_init(&trial, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}");
    trial.seconds[1] = 0.1;
    for (int i = 0; i < 7; i++)
        play(&trial);
    trial.unequal[1] = true;
    play(&trial);
    assert_int_equal(trial.experiment.phase, PHASE_ENDED);
    assert_int_equal(verdict_of(&trial, 0), VERDICT_INVALID);
    assert_int_equal(trial.experiment.reason, REASON_UNEQUAL_OUTPUT);
    trial_fini(&trial);

    trial_init(&trial, "{\"op\": \"run\", \"a\": {\"k\": \"3\"}, \"runs\": 5}");
    assert_int_equal(experiment_exclude(&trial.experiment, 1, &trial.arena, &diag), ERR_OK);
    assert_true(experiment_wants(&trial.experiment, 0)); /* that was another variant */
    assert_int_equal(experiment_exclude(&trial.experiment, 2, &trial.arena, &diag), ERR_OK);
    assert_int_equal(trial.experiment.reason, REASON_UNEQUAL_OUTPUT);
    assert_false(experiment_wants(&trial.experiment, 0));
    trial_fini(&trial);
}

static void runs_are_counted_until_enough_succeeded(void **state)
{
    (void)state;
    struct trial trial;
    trial_init(&trial, "{\"op\": \"run\", \"a\": {\"k\": \"2\"}, \"runs\": 4}");
    trial.fails[0] = true;
    play(&trial);
    trial.fails[0] = false;
    play_out(&trial);
    assert_int_equal(trial.played, 5);
    assert_int_equal(json_array_size(trial.experiment.arms[0].runs), 4);
    trial_fini(&trial);
}

static void the_budget_ends_it_with_what_there_is(void **state)
{
    (void)state;
    static const struct {
        unsigned rounds;
        enum verdict verdict;
    } cases[] = {
        {0, VERDICT_PRELIMINARY}, {1, VERDICT_PRELIMINARY}, {7, VERDICT_PRELIMINARY}, {9, VERDICT_CANNOT_TELL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial;
        struct diag diag = {0};
        trial_init(&trial, "{\"op\": \"control\"}");
        trial.noise = 0.5;
        while (trial.played < cases[i].rounds)
            play(&trial);
        assert_int_equal(experiment_end(&trial.experiment, REASON_BUDGET, &trial.arena, &diag), ERR_OK);
        assert_int_equal(verdict_of(&trial, 0), cases[i].verdict);
        AUTO(json_release) json_t *json = experiment_json(&trial.experiment, 3);
        assert_string_equal(json_string_or(json, "reason", ""), "budget");
        const json_t *comparison = json_array_get(json_object_get(json, "comparisons"), 0);
        assert_int_equal(json_is_null(json_object_get(comparison, "effect")), cases[i].rounds == 0);
        trial_fini(&trial);
    }
}

static void both_arms_of_a_control_are_runs_of_their_own(void **state)
{
    (void)state;
    struct trial one, two;
    struct slot slots[ROUND_SLOTS_MAX];
    trial_init(&one, "{\"op\": \"control\"}");
    trial_init(&two, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}}");
    struct experiment *experiments[] = {&one.experiment, &two.experiment};
    bool takes_part[] = {true, true};
    assert_int_equal(schedule_slots(slots, takes_part, experiments, 2), 3); /* baseline twice, and k=2 */
    takes_part[0] = false;
    assert_int_equal(schedule_slots(slots, takes_part, experiments, 2), 2);
    trial_fini(&one);
    trial_fini(&two);
}

static void the_schedule_serves_by_value_what_fits(void **state)
{
    (void)state;
    static const struct {
        double left_s;
        bool cheap, dear;
    } cases[] = {
        {INFINITY, true, true}, {24.1, true, true}, /* baseline, k=2 and k=3, 8 times 1 s each */
        {23.9, false, true},                        /* only the dear one */
        {16.1, false, true},    {15.9, false, false}, {0, false, false},
    };
    const double cost_s[CELLS] = {1, 1, 1};
    struct trial cheap, dear;
    trial_init(&cheap, "{\"op\": \"compare\", \"b\": {\"k\": \"2\"}, \"value\": 1.5}");
    trial_init(&dear, "{\"op\": \"compare\", \"b\": {\"k\": \"3\"}, \"value\": 4}");
    struct experiment *experiments[] = {&cheap.experiment, &dear.experiment};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool takes_part[2];
        struct schedule_budget budget = {.cost_s = cost_s, .left_s = cases[i].left_s, .overrun_s = 1};
        schedule_choose(takes_part, experiments, 2, &budget);
        assert_int_equal(takes_part[0], cases[i].cheap);
        assert_int_equal(takes_part[1], cases[i].dear);
    }
    /* Under way, seven pairs are not thrown away for half a second. */
    for (int i = 0; i < 7; i++)
        play(&dear);
    bool takes_part[2];
    schedule_choose(takes_part, experiments, 2,
                    &(struct schedule_budget){.cost_s = cost_s, .left_s = 1.5, .overrun_s = 1});
    assert_true(takes_part[1]);
    assert_false(takes_part[0]);
    trial_fini(&cheap);
    trial_fini(&dear);
}

/* The best sweep needs no room for its own confirmation; one below it leaves that room. */
static void a_confirmation_is_kept_back(void **state)
{
    (void)state;
    static const struct {
        double left_s;
        bool dear, cheap;
    } cases[] = {
        {15.9, false, false}, /* k=2 against the baseline, 8 times 1 s each */
        {16.1, true, false},
        {39.9, true, false}, /* k=3 another 8 times, and 8 pairs to confirm k=2 */
        {40.1, true, true},
    };
    const double cost_s[CELLS] = {1, 1, 1};
    struct trial dear, cheap;
    trial_init(&dear, "{\"op\": \"sweep\", \"knob\": \"k\", \"values\": [\"2\"], \"value\": 4}");
    trial_init(&cheap, "{\"op\": \"compare\", \"b\": {\"k\": \"3\"}, \"value\": 1.5}");
    struct experiment *experiments[] = {&dear.experiment, &cheap.experiment};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool takes_part[2];
        struct schedule_budget budget = {.cost_s = cost_s, .left_s = cases[i].left_s};
        schedule_choose(takes_part, experiments, 2, &budget);
        assert_int_equal(takes_part[0], cases[i].dear);
        assert_int_equal(takes_part[1], cases[i].cheap);
    }
    trial_fini(&dear);
    trial_fini(&cheap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clear_gain_takes_eight_pairs),
        cmocka_unit_test(what_matters_is_asked_for),
        cmocka_unit_test(a_gain_is_confirmed_on_fresh_runs),
        cmocka_unit_test(a_loss_needs_no_confirmation),
        cmocka_unit_test(a_sweep_prefers_the_smallest_of_the_best),
        cmocka_unit_test(a_winner_that_fresh_runs_deny_is_none),
        cmocka_unit_test(many_settings_need_more_pairs),
        cmocka_unit_test(equal_settings_have_no_winner),
        cmocka_unit_test(a_sweep_of_rounds_plays_them_all),
        cmocka_unit_test(rounds_bound_a_comparison),
        cmocka_unit_test(nothing_ends_at_forty_pairs),
        cmocka_unit_test(a_failure_in_eight_is_invalid_one_in_forty_is_not),
        cmocka_unit_test(a_second_failure_ends_it),
        cmocka_unit_test(other_output_is_never_a_win),
        cmocka_unit_test(runs_are_counted_until_enough_succeeded),
        cmocka_unit_test(the_budget_ends_it_with_what_there_is),
        cmocka_unit_test(both_arms_of_a_control_are_runs_of_their_own),
        cmocka_unit_test(the_schedule_serves_by_value_what_fits),
        cmocka_unit_test(a_confirmation_is_kept_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
