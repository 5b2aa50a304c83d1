/* SPDX-License-Identifier: Apache-2.0
 * A lab on a pipeline that waits: what it answers, and what it does when runs fail, lie or hang. */
#include "fixture.h"

#include "trace/reader.h"

#define COMPARE(settings) "{\"op\": \"compare\", \"b\": {" settings "}, \"purpose\": \"p\"}"

static void a_gain_is_found(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release) json_t *got = experiment(&bench, COMPARE("\"ms\": \"1\""));
    const json_t *found = comparison(got, 0), *effect = json_object_get(found, "effect");
    assert_string_equal(text_of(got, "schema"), "venturi.experiment/1");
    assert_string_equal(text_of(got, "id"), "e1");
    assert_string_equal(text_of(got, "reason"), "decided");
    assert_string_equal(text_of(found, "verdict"), "faster");
    assert_true(number_of(found, "pairs") >= 8);
    assert_true(json_number_or(effect, "low", 0) > 1);
    assert_true(json_number_or(effect, "high", 0) >= json_number_or(effect, "mid", 0));
    assert_true(json_is_null(json_object_get(got, "winner")));
    for (size_t i = 0; i < 2; i++) {
        const json_t *arm = json_array_get(json_object_get(got, "arms"), i);
        assert_int_equal(json_array_size(json_object_get(arm, "runs")), number_of(found, "pairs"));
        assert_int_equal(number_of(arm, "failed"), 0);
    }
    bench_fini(&bench);
}

/* Both arms run first about as often; what each run did stands in its record and its trace. */
static void runs_are_journalled_in_random_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){.record_cpu = true});
    AUTO(json_release) json_t *got = experiment(&bench, COMPARE("\"ms\": \"1\""));
    AUTO(json_release) json_t *journal = read_journal(&bench);
    size_t pairs = (size_t)number_of(comparison(got, 0), "pairs");
    assert_int_equal(run_count(journal), 1 + 2 * pairs);
    size_t baseline_first = 0;
    const char *id;
    json_t *run;
    json_object_foreach(json_object_get(journal, "runs"), id, run)
    {
        char folder[200];
        struct trace *trace;
        struct diag diag = {0};
        bool warm_up = json_is_true(json_object_get(run, "warm_up")), first = number_of(run, "place") == 0;
        (void)snprintf(folder, sizeof folder, "%s/%s", bench.lab_folder, text_of(run, "trace"));
        expect_ok(trace_read(&trace, folder, &bench.arena, &diag), &diag);
        assert_int_equal(trace->span_count, 1);
        assert_true(trace->spans[0].cpu_ns != TRACE_CPU_UNKNOWN);
        assert_string_equal(text_of(run, "outcome"), "ok");
        assert_int_equal(number_of(run, "rows"), 100);
        assert_int_equal(strlen(text_of(run, "check")), 64);
        assert_true(json_number_or(run, "duration_s", 0) > 0.0009);
        assert_string_equal(text_of(json_object_get(run, "output"), "head"), "rows=100\n");
        assert_int_equal(json_array_size(json_object_get(run, "experiments")), warm_up ? 0 : 1);
        baseline_first += !warm_up && first && json_object_size(json_object_get(run, "settings")) == 0;
    }
    assert_in_range(baseline_first, 1, pairs - 1);
    bench_fini(&bench);
}

static void a_longer_run_has_memory_samples(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    json_decref(experiment(&bench, "{\"op\": \"run\", \"runs\": 2}"));
    AUTO(json_release) json_t *journal = read_journal(&bench);
    struct trace *trace;
    struct diag diag = {0};
    char folder[200];
    (void)snprintf(folder, sizeof folder, "%s/traces/r2", bench.lab_folder);
    expect_ok(trace_read(&trace, folder, &bench.arena, &diag), &diag);
    assert_true(trace->memory_count >= 1);
    assert_true(trace->memory[0].resident_bytes > 0);
    assert_true(number_of(json_object_get(json_object_get(journal, "runs"), "r2"), "peak_bytes") > 0);
    assert_null(json_object_get(json_object_get(journal, "runs"), "r4")); /* a warm-up and two runs */
    bench_fini(&bench);
}

static void the_same_seed_gives_the_same_order(void **state)
{
    (void)state;
    char orders[3][400] = {"", "", ""};
    const uint64_t seeds[] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        struct bench bench;
        const char *id;
        json_t *run;
        bench_init(&bench, PIPELINE);
        bench_open(&bench, (struct lab_options){.seed = seeds[i]});
        json_decref(experiment(&bench, "{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"5\", \"1\", \"10\"], "
                                       "\"rounds\": 4}"));
        AUTO(json_release) json_t *journal = read_journal(&bench);
        json_object_foreach(json_object_get(journal, "runs"), id, run)
        {
            char *end = orders[i] + strlen(orders[i]);
            (void)snprintf(end, 20, "%s ", json_string_or(json_object_get(run, "settings"), "ms", "-"));
        }
        bench_fini(&bench);
    }
    assert_string_equal(orders[0], orders[1]);
    assert_string_not_equal(orders[0], orders[2]);
}

static void a_sweep_confirms_its_winner(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release)
    json_t *got = experiment(&bench, "{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"1\", \"20\", \"10\"]}");
    assert_int_equal(json_array_size(json_object_get(got, "arms")), 3);
    assert_int_equal(json_array_size(json_object_get(got, "comparisons")), 3);
    assert_int_equal(number_of(got, "winner"), 2); /* in the order of the file: 20, 10, 1 */
    const json_t *fresh = comparison(got, 2);
    assert_true(json_is_true(json_object_get(fresh, "confirmed")));
    assert_string_equal(text_of(fresh, "verdict"), "faster");
    assert_int_equal(number_of(fresh, "b"), 2);
    const json_t *runs = json_object_get(json_array_get(json_object_get(got, "arms"), 2), "runs");
    assert_int_equal(json_array_size(runs), number_of(comparison(got, 1), "pairs") + number_of(fresh, "pairs"));
    bench_fini(&bench);
}

/* Each control has a false alarm in 125; three of three in two million. */
static void a_control_finds_nothing(void **state)
{
    (void)state;
    struct bench bench;
    size_t alarms = 0;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (int rounds = 8; rounds <= 10; rounds++) {
        char request[80];
        (void)snprintf(request, sizeof request, "{\"op\": \"control\", \"rounds\": %d}", rounds);
        AUTO(json_release) json_t *got = experiment(&bench, request);
        const char *verdict = text_of(comparison(got, 0), "verdict");
        alarms += strcmp(verdict, "same") != 0 && strcmp(verdict, "cannot_tell") != 0;
        assert_int_equal(json_array_size(json_object_get(got, "arms")), 2);
        assert_int_equal(json_object_size(json_object_get(json_array_get(json_object_get(got, "arms"), 1), "settings")),
                         0);
    }
    assert_in_range(alarms, 0, 2);
    bench_fini(&bench);
}

static void equal_requests_share_one_experiment(void **state)
{
    (void)state;
    struct bench bench;
    struct question first, second, other;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &first, COMPARE("\"ms\": \"1\""));
    ask(&bench, &second, COMPARE("\"ms\": \"1\", \"mode\": \"ok\""));
    ask(&bench, &other, COMPARE("\"ms\": \"5\""));
    AUTO(json_release) json_t *one = await(&bench, &first);
    AUTO(json_release) json_t *two = await(&bench, &second);
    AUTO(json_release) json_t *three = await(&bench, &other);
    assert_true(json_equal(one, two));
    AUTO(json_release) json_t *journal = read_journal(&bench);
    const json_t *runs = json_object_get(journal, "runs"), *run;
    size_t baselines = 0;
    for (size_t i = 1; i <= run_count(journal); i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "r%zu", i);
        run = json_object_get(runs, id);
        baselines += json_object_size(json_object_get(run, "settings")) == 0;
    }
    /* A warm-up, and one baseline run a round for both experiments. */
    json_int_t pairs = number_of(comparison(json_object_get(one, "experiment"), 0), "pairs");
    json_int_t others = number_of(comparison(json_object_get(three, "experiment"), 0), "pairs");
    assert_int_equal(baselines, 1 + (pairs > others ? pairs : others));
    json_decref(experiment(&bench, COMPARE("\"ms\": \"1\""))); /* known: answered without a run */
    struct lab_status status;
    lab_status(&status, bench.lab);
    assert_int_equal(status.runs, run_count(journal));
    assert_int_equal(status.done, 2);
    assert_int_equal(status.pending, 0);
    bench_fini(&bench);
}

static void other_work_is_invalid_at_once(void **state)
{
    (void)state;
    static const char *const requests[] = {COMPARE("\"mode\": \"other-output\""), COMPARE("\"mode\": \"fewer-rows\"")};
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (size_t i = 0; i < 2; i++) {
        AUTO(json_release) json_t *got = experiment(&bench, requests[i]);
        assert_string_equal(text_of(got, "reason"), "unequal_output");
        assert_string_equal(text_of(comparison(got, 0), "verdict"), "invalid");
        assert_true(json_is_null(json_object_get(comparison(got, 0), "effect")));
        assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(got, "arms"), 1), "runs")), 0);
    }
    AUTO(json_release) json_t *journal = read_journal(&bench);
    size_t unequal = 0;
    const char *id;
    json_t *run;
    json_object_foreach(json_object_get(journal, "runs"), id, run) unequal +=
        strcmp(text_of(run, "outcome"), "unequal_output") == 0;
    assert_int_equal(unequal, 2);
    json_decref(experiment(&bench, "{\"op\": \"run\", \"a\": {\"mode\": \"other-output\"}}")); /* known to be wrong */
    struct lab_status status;
    lab_status(&status, bench.lab);
    assert_int_equal(status.runs, run_count(journal));
    bench_fini(&bench);
}

static void a_sweep_goes_on_without_a_wrong_arm(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release)
    json_t *got = experiment(
        &bench, "{\"op\": \"sweep\", \"knob\": \"mode\", \"values\": [\"fail\", \"other-output\", \"fewer-rows\"]}");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(text_of(comparison(got, i), "verdict"), "invalid");
    assert_int_equal(number_of(json_array_get(json_object_get(got, "arms"), 1), "failed"), 2);
    assert_true(json_is_null(json_object_get(got, "winner")));
    bench_fini(&bench);
}

static void failing_and_hanging_arms_are_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *request, *outcome;
    } cases[] = {{COMPARE("\"mode\": \"fail\""), "failed"}, {COMPARE("\"mode\": \"hang\""), "timed_out"}};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        bench_init(&bench, PIPELINE_WITHIN("700ms"));
        bench_open(&bench, (struct lab_options){0});
        AUTO(json_release) json_t *got = experiment(&bench, cases[i].request);
        AUTO(json_release) json_t *journal = read_journal(&bench);
        size_t bad = 0;
        const char *id;
        json_t *run;
        json_object_foreach(json_object_get(journal, "runs"), id, run) bad +=
            strcmp(text_of(run, "outcome"), cases[i].outcome) == 0;
        assert_int_equal(bad, 2);
        assert_string_equal(text_of(got, "reason"), "runs_failed");
        assert_string_equal(text_of(comparison(got, 0), "verdict"), "invalid");
        assert_int_equal(number_of(json_array_get(json_object_get(got, "arms"), 1), "failed"), 2);
        bench_fini(&bench);
    }
}

/* Turns until the lab has failed; its diag and the answer that went with it. */
static void expect_failure(struct bench *bench, const char *request, const char *what)
{
    struct question question;
    struct diag diag = {0};
    char line[1024];
    ask(bench, &question, request);
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!question.answer && clock_monotonic_ns() < until_ns)
        turn(bench);
    assert_int_equal(lab_health(bench->lab, &diag), ERR_PIPELINE);
    if (!strstr(diag_line(&diag, line, sizeof line), what))
        fail_msg("'%s' is not in '%s'", what, line);
    assert_true(json_is_false(json_object_get(question.answer, "ok")));
    assert_string_equal(text_of(json_object_get(question.answer, "error"), "code"), "pipeline");
    json_decref(question.answer);
    AUTO(json_release) json_t *again = parse_json(request);
    assert_int_equal(lab_request(bench->lab, again, take_answer, &question, &diag), ERR_PIPELINE);
}

static void a_baseline_that_never_works_ends_the_lab(void **state)
{
    (void)state;
    static const struct {
        const char *toml, *what;
    } cases[] = {
        {"[pipeline]\nname='t'\ncommand=['" WORKER "', '--mode=fail']\n[[stage]]\nname='work'\n",
         "the disk is on fire"},
        {"[pipeline]\nname='t'\ncommand=['" WORKER "']\nbefore=[['sh', '-c', 'echo no space >&2; exit 1']]\n"
         "[[stage]]\nname='work'\n",
         "a before command exited with status 1: no space"},
        {"[pipeline]\nname='t'\ncommand=['" WORKER "']\ncheck=['cat', 'not-there']\n[[stage]]\nname='work'\n",
         "the check command exited with status 1"},
        {"[pipeline]\nname='t'\ncommand=['" WORKER "']\ncheck=['cat', '/proc/sys/kernel/random/uuid']\n"
         "[[stage]]\nname='work'\n",
         "two runs of the baseline gave different output"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_init(&bench, cases[i].toml);
        bench_open(&bench, (struct lab_options){0});
        expect_failure(&bench, "{\"op\": \"run\", \"runs\": 3}", cases[i].what);
        bench_fini(&bench);
    }
}

/* What one run costs here, from a first lab in the bench's folder. */
static uint64_t cost_of_a_run_ns(struct bench *bench)
{
    bench_open(bench, (struct lab_options){0});
    json_decref(experiment(bench, "{\"op\": \"run\", \"runs\": 3}"));
    struct lab_status status;
    lab_status(&status, bench->lab);
    uint64_t cost_ns = status.spent_ns / status.runs;
    lab_free(&bench->lab);
    return cost_ns;
}

/* Sixty runs carry a comparison to a verdict, and not forty rounds of a sweep of four. */
static void a_budget_serves_by_value(void **state)
{
    (void)state;
    struct bench bench;
    struct question dear, cheap;
    bench_init(&bench, PIPELINE);
    uint64_t cost_ns = cost_of_a_run_ns(&bench);
    bench_open(&bench, (struct lab_options){.budget_ns = 64 * cost_ns, .resume = true});
    ask(&bench, &cheap,
        "{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"10\", \"5\", \"1\"], \"rounds\": 40, \"value\": 1.1}");
    ask(&bench, &dear, "{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"value\": 4}");
    AUTO(json_release) json_t *first = await(&bench, &dear);
    assert_string_equal(text_of(json_object_get(first, "experiment"), "reason"), "decided");
    AUTO(json_release) json_t *second = await(&bench, &cheap);
    const json_t *starved = json_object_get(second, "experiment");
    assert_string_equal(text_of(starved, "reason"), "budget");
    assert_string_equal(text_of(comparison(starved, 0), "verdict"), "preliminary");
    struct lab_status status;
    lab_status(&status, bench.lab);
    assert_true(status.spent_ns < 2 * 64 * cost_ns);
    bench_fini(&bench);
}

static void winding_down_answers_with_what_there_is(void **state)
{
    (void)state;
    struct bench bench;
    struct question open, late;
    struct diag diag = {0};
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &open, "{\"op\": \"run\", \"runs\": 40}");
    struct lab_status status = {0};
    while (status.runs < 3) {
        turn(&bench);
        lab_status(&status, bench.lab);
    }
    lab_wind_down(bench.lab);
    AUTO(json_release) json_t *answer = await(&bench, &open);
    const json_t *got = json_object_get(answer, "experiment");
    assert_string_equal(text_of(got, "reason"), "budget");
    assert_in_range(json_array_size(json_object_get(json_array_get(json_object_get(got, "arms"), 0), "runs")), 1, 39);
    AUTO(json_release) json_t *request = parse_json(COMPARE("\"ms\": \"1\""));
    assert_int_equal(lab_request(bench.lab, request, take_answer, &late, &diag), ERR_INTERRUPTED);
    lab_status(&status, bench.lab);
    size_t runs = status.runs;
    turn(&bench);
    lab_status(&status, bench.lab);
    assert_int_equal(status.runs, runs);
    lab_free(&bench.lab);
    AUTO(json_release) json_t *journal = read_journal(&bench);
    assert_true(json_is_true(json_object_get(journal, "ended")));
    bench_fini(&bench);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request, *what;
    } cases[] = {
        {"{}", "'op' must be one of"},
        {"{\"op\": \"explode\"}", "'op' must be one of"},
        {"{\"op\": 7}", "'op' must be one of"},
        {"{\"op\": \"compare\"}", "'b' must be settings"},
        {"{\"op\": \"compare\", \"b\": []}", "settings have the wrong type"},
        {"{\"op\": \"compare\", \"b\": {\"x\": \"1\"}}", "no knob 'x'"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": 1}}", "knob 'ms' has no value"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"2\"}}", "knob 'ms' has no value '2'"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"confirm\": 1}", "'confirm' must be true or false"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"value\": \"big\"}", "'value' must be a number"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"delta\": 0}", "'delta' must be a number above 0"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"delta\": -0.01}", "'delta' must be a number above 0"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"delta\": 1.5}", "'delta' must be a number above 0"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"delta\": \"1\"}", "'delta' must be a number above 0"},
        {"{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"purpose\": 1}", "'purpose' must be a text"},
        {"{\"op\": \"sweep\", \"knob\": \"x\", \"values\": [\"1\"]}", "'knob' must be the name of a knob"},
        {"{\"op\": \"sweep\", \"knob\": \"ms\"}", "'values' must be a list"},
        {"{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": []}", "at least one value that is not the current"},
        {"{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"20\"]}", "at least one value that is not the current"},
        {"{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"3\"]}", "knob 'ms' has no value '3'"},
        {"{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"1\"], \"rounds\": -1}",
         "'rounds' must be a whole number"},
        {"{\"op\": \"run\", \"runs\": 0}", "'runs' must be a whole number from 1 to 40"},
        {"{\"op\": \"run\", \"runs\": 41}", "'runs' must be a whole number from 1 to 40"},
        {"{\"op\": \"run\", \"runs\": 1.5}", "'runs' must be a whole number"},
    };
    struct bench bench;
    struct question unused;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diag diag = {0};
        AUTO(json_release) json_t *request = parse_json(cases[i].request);
        assert_int_equal(lab_request(bench.lab, request, take_answer, &unused, &diag), ERR_CONFIG);
        if (!strstr(diag.what, cases[i].what))
            fail_msg("%s: '%s' is not in '%s'", cases[i].request, cases[i].what, diag.what);
    }
    struct lab_status status;
    lab_status(&status, bench.lab);
    assert_int_equal(status.pending + status.done, 0);
    bench_fini(&bench);
}

static void one_lab_a_folder(void **state)
{
    (void)state;
    struct bench bench;
    struct diag diag = {0};
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    struct lab *first = bench.lab;
    assert_int_equal(bench_try_open(&bench, (struct lab_options){.resume = true}, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.what, "another venturi is at work"));
    bench.lab = first;
    lab_free(&bench.lab);
    assert_int_equal(bench_try_open(&bench, (struct lab_options){0}, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.hint, "venturi resume"));
    bench.lab = NULL;
    bench_load(&bench, PIPELINE "# a comment is no change\n");
    bench_open(&bench, (struct lab_options){.resume = true});
    lab_free(&bench.lab);
    bench_load(&bench, PIPELINE "[[knob]]\nname='n'\nstage='work'\nlever='batch'\nenv='N'\nvalues=[1,2]\ncurrent=1\n");
    assert_int_equal(bench_try_open(&bench, (struct lab_options){.resume = true}, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.what, "differ from those of the journal"));
    bench.lab = NULL;
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gain_is_found),
        cmocka_unit_test(runs_are_journalled_in_random_order),
        cmocka_unit_test(a_longer_run_has_memory_samples),
        cmocka_unit_test(the_same_seed_gives_the_same_order),
        cmocka_unit_test(a_sweep_confirms_its_winner),
        cmocka_unit_test(a_control_finds_nothing),
        cmocka_unit_test(equal_requests_share_one_experiment),
        cmocka_unit_test(other_work_is_invalid_at_once),
        cmocka_unit_test(a_sweep_goes_on_without_a_wrong_arm),
        cmocka_unit_test(failing_and_hanging_arms_are_invalid),
        cmocka_unit_test(a_baseline_that_never_works_ends_the_lab),
        cmocka_unit_test(a_budget_serves_by_value),
        cmocka_unit_test(winding_down_answers_with_what_there_is),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(one_lab_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
