/* SPDX-License-Identifier: Apache-2.0
 * Runs of a short command: as many repetitions in each, all of the same work, and the journal knows how many. */
#include "fixture.h"

#define SHORT                                                                                                          \
    "[pipeline]\nname = 't'\ncommand = ['" WORKER "', '--log=log']\nbefore = [['rm', '-f', 'out']]\n"                  \
    "check = ['cat', 'out']\n[[stage]]\nname = 'work'\n"                                                               \
    "[[knob]]\nname = 'ms'\nstage = 'work'\nlever = 'batch'\narg = '--ms={}'\nvalues = [10, 1]\ncurrent = 10\n"        \
    "[[knob]]\nname = 'mode'\nstage = 'work'\nlever = 'setting'\narg = '--mode={}'\n"                                  \
    "values = ['ok', 'fail', 'fickle', 'fickle-rows']\ncurrent = 'ok'\n"
#define LONG "[pipeline]\nname = 't'\ncommand = ['" WORKER "', '--log=log', '--ms=60']\n[[stage]]\nname = 'work'\n"

/* How often the command itself says that it ended as part of the run. */
static json_int_t count_ends(const struct bench *bench, const char *run)
{
    char path[128], line[64], wanted[64];
    json_int_t count = 0;
    (void)snprintf(path, sizeof path, "%s/log", bench->folder);
    (void)snprintf(wanted, sizeof wanted, "end %s\n", run);
    FILE *log = fopen(path, "re");
    assert_non_null(log);
    while (fgets(line, sizeof line, log))
        count += strcmp(line, wanted) == 0;
    (void)fclose(log);
    return count;
}

/* The number of repetitions of all runs that count. */
static json_int_t repeats_of(const struct bench *bench, size_t *warm_ups)
{
    AUTO(json_release) json_t *journal = read_journal(bench);
    json_int_t repeats = 0;
    const char *id;
    json_t *run;
    *warm_ups = 0;
    json_object_foreach(json_object_get(journal, "runs"), id, run)
    {
        assert_int_equal(count_ends(bench, id), number_of(run, "repeats"));
        *warm_ups += json_is_true(json_object_get(run, "warm_up"));
        if (json_is_true(json_object_get(run, "warm_up")))
            continue;
        if (repeats)
            assert_int_equal(number_of(run, "repeats"), repeats);
        repeats = number_of(run, "repeats");
        assert_int_equal(number_of(run, "rows"), 100);
    }
    return repeats;
}

/* How many repetitions a comparison took; the journal, the command and the verdict agree on it. */
static json_int_t compare_short(void)
{
    struct bench bench;
    size_t warm_ups;
    bench_init(&bench, SHORT);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}}");
    assert_string_equal(text_of(comparison(got, 0), "verdict"), "faster");
    lab_free(&bench.lab);
    json_int_t repeats = repeats_of(&bench, &warm_ups);
    assert_int_equal(number_of(got, "repeats"), repeats);
    assert_true(repeats == 1 || warm_ups >= 2);
    bench_fini(&bench);
    return repeats;
}

/* The command waits 10 ms, so that six are always enough. One is, too, when the machine held up the warm-up. */
static void every_run_has_as_many(void **state)
{
    (void)state;
    enum { TRIES = 5 };
    json_int_t repeats = 1;
    for (int i = 0; i < TRIES && repeats == 1; i++)
        repeats = compare_short();
    assert_in_range(repeats, 2, 6);
}

static void a_long_run_has_one(void **state)
{
    (void)state;
    static const char *const files[] = {LONG, PIPELINE};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        bench_init(&bench, files[i]);
        bench_open(&bench, (struct lab_options){0});
        AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"run\", \"runs\": 2}");
        assert_int_equal(number_of(got, "repeats"), 1);
        AUTO(json_release) json_t *journal = read_journal(&bench);
        assert_int_equal(run_count(journal), 3);
        bench_fini(&bench);
    }
}

/* The arm's second repetition differs and its last does not: it must not get away with it. */
static void each_repetition_does_the_same_work(void **state)
{
    (void)state;
    static const char *const modes[] = {"fickle", "fickle-rows"};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        char request[80];
        bench_init(&bench, SHORT);
        bench_open(&bench, (struct lab_options){0});
        (void)snprintf(request, sizeof request, "{\"op\": \"compare\", \"b\": {\"mode\": \"%s\"}}", modes[i]);
        AUTO(json_release) json_t *got = experiment(&bench, request);
        assert_string_equal(text_of(got, "reason"), "unequal_output");
        assert_string_equal(text_of(comparison(got, 0), "verdict"), "invalid");
        bench_fini(&bench);
    }
}

static void a_repetition_that_fails_ends_the_run(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, SHORT);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"compare\", \"b\": {\"mode\": \"fail\"}}");
    assert_string_equal(text_of(got, "reason"), "runs_failed");
    AUTO(json_release) json_t *journal = read_journal(&bench);
    const char *id;
    json_t *run;
    size_t failed = 0;
    json_object_foreach(json_object_get(journal, "runs"), id, run)
    {
        if (strcmp(text_of(run, "outcome"), "failed") != 0)
            continue;
        assert_int_equal(number_of(run, "repeats"), 1);
        failed++;
    }
    assert_int_equal(failed, 2);
    bench_fini(&bench);
}

/* A resumed lab warms up with the number it had, and keeps it. */
static void a_resumed_lab_keeps_the_number(void **state)
{
    (void)state;
    struct bench bench;
    size_t warm_ups[2];
    bench_init(&bench, SHORT);
    bench_open(&bench, (struct lab_options){0});
    json_decref(experiment(&bench, "{\"op\": \"run\", \"runs\": 1}"));
    lab_free(&bench.lab);
    json_int_t repeats = repeats_of(&bench, &warm_ups[0]);
    bench_open(&bench, (struct lab_options){.resume = true});
    json_decref(experiment(&bench, "{\"op\": \"run\", \"runs\": 2}"));
    lab_free(&bench.lab);
    assert_int_equal(repeats_of(&bench, &warm_ups[1]), repeats);
    assert_int_equal(warm_ups[1], warm_ups[0] + 1);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_has_as_many),
        cmocka_unit_test(a_long_run_has_one),
        cmocka_unit_test(each_repetition_does_the_same_work),
        cmocka_unit_test(a_repetition_that_fails_ends_the_run),
        cmocka_unit_test(a_resumed_lab_keeps_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
