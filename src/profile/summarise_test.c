/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"
#include "profile/profile_fixture.h"

#include "base/json.h"

#include <string.h>

enum { RUNS_MAX = 9 };

struct planned_run {
    double a_s, b_s, c_s; /* critical and busy seconds; a negative one: the stage is absent */
    double outside_s;
};

static const struct run_profile *planned(struct fixture *fixture, const struct planned_run *plan)
{
    const double critical_s[] = {plan->a_s, plan->b_s, plan->c_s};
    struct run_profile *run = ARENA_NEW(&fixture->arena, struct run_profile);
    run->stages = ARENA_ARRAY(&fixture->arena, struct stage_profile, 3);
    run->outside_s = run->wall_s = plan->outside_s;
    run->rows = 1000;
    run->lost_spans = 1;
    for (size_t i = 0; i < 3; i++) {
        if (critical_s[i] < 0)
            continue;
        run->stages[run->stage_count++] = (struct stage_profile){.name = fixture->stages[i],
                                                                 .rows = 1000,
                                                                 .spans = i + 1,
                                                                 .busy_s = critical_s[i],
                                                                 .critical_s = critical_s[i],
                                                                 .running_s = i == 0 ? 0.1 * critical_s[i] : NAN,
                                                                 .waiting_s = i == 0 ? 0.9 * critical_s[i] : NAN,
                                                                 .peak_bytes = (uint64_t)critical_s[i]};
        run->wall_s += critical_s[i];
    }
    return run;
}

static const struct profile *summarised(struct fixture *fixture, const struct planned_run *plans, size_t count)
{
    const struct run_profile *runs[RUNS_MAX];
    struct profile *profile;
    struct rng rng;
    rng_init(&rng, 7);
    for (size_t i = 0; i < count; i++)
        runs[i] = planned(fixture, &plans[i]);
    assert_int_equal(profile_summarise(&profile, runs, count, &rng, &fixture->arena, NULL), ERR_OK);
    return profile;
}

static void test_figures(void **state)
{
    const struct planned_run plans[] = {{9, 1, -1, 0}, {8, 2, -1, 0}, {6, 1, 1, 2}};
    const struct profile *profile = summarised(*state, plans, 3);
    assert_int_equal(profile->runs, 3);
    assert_int_equal(profile->stage_count, 3);
    assert_int_equal(profile->lost_spans, 3);
    assert_near(profile->wall_s.mid, 10);
    assert_near(profile->rows_s.mid, 100);
    assert_near(profile->outside_share, 0);
    const struct stage_summary *a = &profile->stages[0], *c = &profile->stages[2];
    assert_near(a->critical_s, 8);
    assert_near(a->share.low, 0.6);
    assert_near(a->share.mid, 0.8);
    assert_near(a->share.high, 0.9);
    assert_near(a->capacity_rows_s.mid, 125);
    assert_near(a->running_s, 0.8);
    assert_int_equal(a->limited_by, LIMITED_BY_WAITING);
    assert_int_equal(a->peak_bytes, 9);
    assert_string_equal(c->name, "c");
    assert_near(c->share.mid, 0); /* absent from two of three */
    assert_near(c->busy_s, 0);
    assert_near(c->capacity_rows_s.mid, 1000); /* of the one run that has it */
    assert_true(isnan(c->running_s));
    assert_int_equal(c->limited_by, LIMITED_UNKNOWN);
}

static void test_rows_that_nobody_counted(void **state)
{
    struct fixture *fixture = *state;
    const struct run_profile run = {.wall_s = 1}, *runs[] = {&run};
    struct profile *profile;
    struct rng rng;
    rng_init(&rng, 7);
    assert_int_equal(profile_summarise(&profile, runs, 1, &rng, &fixture->arena, NULL), ERR_OK);
    assert_near(profile->wall_s.mid, 1);
    assert_true(isnan(profile->rows_s.mid));
}

static void test_verdicts(void **state)
{
    static const struct {
        struct planned_run plans[4];
        size_t count;
        enum bottleneck_verdict verdict;
        size_t bottleneck;
    } cases[] = {
        {{{1, 9, 1, 0}, {1, 8, 1, 0}, {2, 9, 1, 0}}, 3, BOTTLENECK_NAMED, 1},
        {{{1, 9, 1, 0}, {1, 8, 1, 0}}, 2, BOTTLENECK_CANNOT_TELL, 1},
        {{{5, 6, 1, 0}, {6, 5, 1, 0}, {6, 5, 1, 0}}, 3, BOTTLENECK_TWO_CANDIDATES, 0},
        {{{5, 6, -1, 0}, {6, 5, -1, 0}, {6, 5, -1, 0}}, 3, BOTTLENECK_TWO_CANDIDATES, 0},
        {{{4, 3, 5, 0}, {5, 4, 3, 0}, {3, 5, 4, 0}}, 3, BOTTLENECK_NONE, 0},
        {{{2, 1, 1, 9}, {2, 1, 1, 9}, {2, 1, 1, 9}}, 3, BOTTLENECK_NONE, 0},
        {{{9, -1, -1, 1}, {9, -1, -1, 1}, {9, -1, -1, 1}}, 3, BOTTLENECK_NAMED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct profile *profile = summarised(*state, cases[i].plans, cases[i].count);
        assert_int_equal(profile->verdict, cases[i].verdict);
        assert_int_equal(profile->bottleneck, cases[i].bottleneck);
    }
}

static void test_runs_without_spans(void **state)
{
    const struct planned_run plans[] = {{-1, -1, -1, 0}, {-1, -1, -1, 0}, {-1, -1, -1, 0}};
    const struct profile *profile = summarised(*state, plans, 3);
    assert_int_equal(profile->stage_count, 0);
    assert_int_equal(profile->verdict, BOTTLENECK_NONE);
    AUTO(json_release) json_t *json = profile_json(profile);
    assert_non_null(json);
    assert_true(json_is_null(json_object_get(json_object_get(json, "bottleneck"), "stage")));
}

static void test_one_seed_one_profile(void **state)
{
    const struct planned_run plans[] = {{9, 1, 1, 0}, {7, 2, 1, 0.5}, {6, 1, 1, 0.2}, {8, 2, 2, 0.1}};
    AUTO(json_release) json_t *first = profile_json(summarised(*state, plans, 4));
    AUTO(json_release) json_t *second = profile_json(summarised(*state, plans, 4));
    assert_true(json_equal(first, second));
}

static void test_json(void **state)
{
    const struct planned_run plans[] = {{9, 1, 1, 0}, {8, 2, 1, 0}, {6, 1, 1, 2}};
    AUTO(json_release) json_t *json = profile_json(summarised(*state, plans, 3));
    const json_t *bottleneck = json_object_get(json, "bottleneck");
    const json_t *stages = json_object_get(json, "stages"), *b = json_array_get(stages, 1);
    assert_string_equal(json_string_or(json, "schema", ""), "venturi.profile/1");
    assert_string_equal(json_string_or(bottleneck, "verdict", ""), "named");
    assert_string_equal(json_string_or(bottleneck, "stage", ""), "a");
    assert_string_equal(json_string_or(bottleneck, "limited_by", ""), "waiting");
    assert_int_equal(json_array_size(stages), 3);
    assert_true(json_is_null(json_object_get(b, "running_s"))); /* not measured: null, never 0 */
    assert_near(json_number_or(json_object_get(b, "capacity_rows_s"), "mid", 0), 1000);
}

/* Of a run with too many spans for it the critical path is not known, and so no share. */
static void test_without_critical_paths_nothing_is_named(void **state)
{
    const struct planned_run plans[] = {{9, NAN, -1, NAN}, {NAN, 1, -1, NAN}, {NAN, NAN, -1, NAN}};
    const struct profile *profile = summarised(*state, plans, 3);
    AUTO(json_release) json_t *json = profile_json(profile);
    assert_int_equal(profile->verdict, BOTTLENECK_CANNOT_TELL);
    assert_true(json_is_null(json_object_get(json, "outside_share")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_figures),
        FIXTURE_TEST(test_rows_that_nobody_counted),
        FIXTURE_TEST(test_verdicts),
        FIXTURE_TEST(test_runs_without_spans),
        FIXTURE_TEST(test_one_seed_one_profile),
        FIXTURE_TEST(test_without_critical_paths_nothing_is_named),
        FIXTURE_TEST(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
