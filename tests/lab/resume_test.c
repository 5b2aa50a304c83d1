/* SPDX-License-Identifier: Apache-2.0
 * A lab killed with SIGKILL anywhere, again and again: no finished run is lost, no process stays, the next lab goes on.
 */
#include "fixture.h"

#include "base/random.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SWEEP "{\"op\": \"sweep\", \"knob\": \"ms\", \"values\": [\"1\", \"5\"]}"
#define CONTROL "{\"op\": \"control\", \"rounds\": 9}"
static char marker[64];

/* A supervisor is a fork of this test: it has our program and not the marker. */
static bool is_our_fork(const char *pid)
{
    char path[300];
    struct stat ours, other;
    (void)snprintf(path, sizeof path, "/proc/%s/exe", pid);
    return atoi(pid) > 0 && atoi(pid) != getpid() && stat(path, &other) == 0 && stat("/proc/self/exe", &ours) == 0 &&
           other.st_ino == ours.st_ino && other.st_dev == ours.st_dev;
}

static int count_survivors(void)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (const struct dirent *entry; (entry = readdir(proc));) {
        char path[300], text[32768];
        (void)snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        AUTO(fd_close) int fd = atoi(entry->d_name) == getpid() ? -1 : open(path, O_RDONLY);
        ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text);
        count += is_our_fork(entry->d_name) || (bytes > 0 && memmem(text, (size_t)bytes, marker, strlen(marker)));
    }
    (void)closedir(proc);
    return count;
}

static void expect_no_survivors(void)
{
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (count_survivors() > 0 && clock_monotonic_ns() < until_ns)
        (void)poll(NULL, 0, 2);
    assert_int_equal(count_survivors(), 0);
}

/* Asks both and answers true when both are answered; dies with the process otherwise. */
static void measure_all(struct bench *bench, json_t **sweep, json_t **control)
{
    struct question first, second;
    ask(bench, &first, SWEEP);
    ask(bench, &second, CONTROL);
    *sweep = await(bench, &first);
    *control = await(bench, &second);
}

static void play_victim(struct bench *bench)
{
    json_t *sweep, *control;
    bench->lab = NULL;
    if (loop_new(&bench->loop, NULL) != ERR_OK)
        _exit(1);
    bench_open(bench, (struct lab_options){.resume = true});
    measure_all(bench, &sweep, &control);
    lab_free(&bench->lab);
    _exit(0);
}

/* Every run of `before` stands unchanged in `after`. */
static void expect_kept(const json_t *before, const json_t *after)
{
    const char *id;
    json_t *run;
    json_object_foreach(json_object_get(before, "runs"), id, run)
        assert_true(json_equal(run, json_object_get(json_object_get(after, "runs"), id)));
}

static size_t count_records(const struct bench *bench, const char *kind)
{
    char path[200], line[65536], wanted[64];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/journal.jsonl", bench->lab_folder);
    (void)snprintf(wanted, sizeof wanted, "\"record\":\"%s\"", kind);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, wanted) != NULL;
    (void)fclose(file);
    return count;
}

static void expect_whole(const json_t *experiment, size_t arms, size_t pairs_least)
{
    assert_int_equal(json_array_size(json_object_get(experiment, "arms")), arms);
    for (size_t i = 0; i + 1 < arms; i++)
        assert_true((size_t)number_of(comparison(experiment, i), "pairs") >= pairs_least);
}

/* The random moments reach from the lab's start to some of its last runs. */
static void kills_lose_nothing(void **state)
{
    (void)state;
    enum { KILLS = 20, MOMENT_MS_MAX = 250 };
    struct bench bench;
    struct rng rng;
    struct diag diag = {0};
    AUTO(json_release) json_t *before = json_pack("{s:{}}", "runs");
    rng_init(&rng, 7);
    bench_init(&bench, PIPELINE);
    expect_ok(dir_make(bench.lab_folder, &diag), &diag);
    loop_free(&bench.loop);
    for (int i = 0; i < KILLS; i++) {
        pid_t victim = fork();
        assert_true(victim >= 0);
        if (victim == 0)
            play_victim(&bench);
        (void)poll(NULL, 0, 5 + (int)rng_below(&rng, MOMENT_MS_MAX));
        assert_int_equal(kill(victim, SIGKILL), 0);
        assert_int_equal(waitpid(victim, NULL, 0), victim);
        expect_no_survivors();
        json_t *after = NULL;
        if (journal_read(&after, bench.lab_folder, &diag) != ERR_OK)
            continue; /* killed before the journal was made */
        expect_kept(before, after);
        json_decref(before);
        before = after;
    }
    size_t kept = run_count(before);
    expect_ok(loop_new(&bench.loop, &diag), &diag);
    bench_open(&bench, (struct lab_options){.resume = true});
    json_t *sweep, *control;
    measure_all(&bench, &sweep, &control);
    expect_whole(json_object_get(sweep, "experiment"), 3, 8);
    expect_whole(json_object_get(control, "experiment"), 2, 8);
    AUTO(json_release) json_t *after = read_journal(&bench);
    expect_kept(before, after);
    assert_int_equal(count_records(&bench, "run"), run_count(after)); /* every id once */
    assert_int_equal(count_records(&bench, "experiment"), 2);
    assert_int_equal(count_records(&bench, "verdict"), 2);
    assert_true(kept > 10);
    json_decref(sweep);
    json_decref(control);
    bench_fini(&bench);
}

/* What was measured is answered without a run, from a fresh process too. */
static void finished_experiments_are_answered_from_the_journal(void **state)
{
    (void)state;
    struct bench bench;
    json_t *sweep[2], *control[2];
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    measure_all(&bench, &sweep[0], &control[0]);
    lab_free(&bench.lab);
    AUTO(json_release) json_t *before = read_journal(&bench);
    bench_open(&bench, (struct lab_options){.resume = true, .seed = 99});
    measure_all(&bench, &sweep[1], &control[1]);
    lab_free(&bench.lab);
    AUTO(json_release) json_t *after = read_journal(&bench);
    assert_true(json_equal(sweep[0], sweep[1])); /* the seed too is the journal's */
    assert_true(json_equal(control[0], control[1]));
    assert_int_equal(run_count(before), run_count(after));
    assert_true(json_equal(json_object_get(before, "experiments"), json_object_get(after, "experiments")));
    for (int i = 0; i < 2; i++) {
        json_decref(sweep[i]);
        json_decref(control[i]);
    }
    bench_fini(&bench);
}

/* Pairs of whole rounds count again: a lab stopped in the middle needs only the rest. */
static void unfinished_experiments_go_on(void **state)
{
    (void)state;
    enum { RUNS = 30 };
    struct bench bench;
    struct question question;
    struct lab_status status = {0};
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &question, "{\"op\": \"run\", \"runs\": 30}");
    while (status.runs < 11) {
        turn(&bench);
        lab_status(&status, bench.lab);
    }
    lab_wind_down(bench.lab);
    json_decref(await(&bench, &question));
    lab_free(&bench.lab);
    AUTO(json_release) json_t *before = read_journal(&bench);
    size_t had = run_count(before) - 1;
    bench_open(&bench, (struct lab_options){.resume = true});
    AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"run\", \"runs\": 30}");
    assert_string_equal(text_of(got, "id"), "e1");
    assert_string_equal(text_of(got, "reason"), "decided");
    assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(got, "arms"), 0), "runs")), RUNS);
    AUTO(json_release) json_t *after = read_journal(&bench);
    assert_int_equal(run_count(after), run_count(before) + 1 + RUNS - had); /* and a warm-up */
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_lose_nothing),
        cmocka_unit_test(finished_experiments_are_answered_from_the_journal),
        cmocka_unit_test(unfinished_experiments_go_on),
    };
    (void)snprintf(marker, sizeof marker, "%d-%llu", (int)getpid(), (unsigned long long)clock_monotonic_ns());
    if (setenv("VENTURI_LAB_TEST", marker, 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
