/* SPDX-License-Identifier: Apache-2.0
 * Services: started on ports of their own, waited for, watched, stopped whatever happens. */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define STAGE "[[stage]]\nname = 'work'\n"
#define FETCH "[pipeline]\nname = 't'\nbatch = false\ncommand = ['" WORKER "', '--fetch={web.port}']\n" STAGE
#define SLOW_FETCH                                                                                                     \
    "[pipeline]\nname = 't'\nbatch = false\ncommand = ['" WORKER "', '--fetch={web.port}', '--ms=500']\n" STAGE
#define WEB(more) "[[service]]\nname = 'web'\ncommand = ['" WORKER "', '--serve={port}'" more "]\n"
#define READY "ready = 'http://127.0.0.1:{port}/health'\n"

/* Processes of our worker that serve. */
static int count_servers(void)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (const struct dirent *entry; (entry = readdir(proc));) {
        char path[300], text[4096];
        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        AUTO(fd_close) int fd = open(path, O_RDONLY);
        ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text);
        count +=
            bytes > 0 && strncmp(text, WORKER, sizeof WORKER - 1) == 0 && memmem(text, (size_t)bytes, "--serve", 7);
    }
    (void)closedir(proc);
    return count;
}

static void runs_reach_their_services(void **state)
{
    (void)state;
    static const char *const files[] = {
        FETCH WEB("") READY,
        FETCH WEB(""), /* ready when its port accepts */
        FETCH WEB("") READY "[[service]]\nname = 'other'\ncommand = ['" WORKER
                            "', '--serve={port}', '--x={web.port}']\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct bench bench;
        bench_init(&bench, files[i]);
        bench_open(&bench, (struct lab_options){0});
        assert_true(count_servers() > 0);
        AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"run\", \"runs\": 2}");
        assert_string_equal(text_of(got, "reason"), "decided");
        bench_fini(&bench);
        assert_int_equal(count_servers(), 0);
    }
}

static void a_service_that_does_not_get_ready_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *service, *what;
    } cases[] = {
        {"[[service]]\nname = 'web'\ncommand = ['sh', '-c', 'echo port taken >&2; exit 1', '{port}']\n" READY,
         "exited with status 1: port taken"},
        {"[[service]]\nname = 'web'\ncommand = ['sleep', '60', '{port}']\n" READY "ready_timeout = '300ms'\n",
         "did not get ready within 0.3 s: no answer 200 at http://127.0.0.1:{port}/health"},
        {"[[service]]\nname = 'web'\ncommand = ['sh', '-c', 'sleep 60', '{port}']\nready_timeout = '300ms'\n",
         "did not get ready within 0.3 s"},
        {WEB("") READY "[[service]]\nname = 'second'\ncommand = ['sh', '-c', 'kill -9 $$', '{port}']\n",
         "was killed by signal 9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct diag diag = {0};
        char toml[1024];
        (void)snprintf(toml, sizeof toml, "%s%s", FETCH, cases[i].service);
        bench_init(&bench, toml);
        assert_int_equal(bench_try_open(&bench, (struct lab_options){0}, &diag), ERR_PIPELINE);
        if (!strstr(diag.what, cases[i].what))
            fail_msg("'%s' is not in '%s'", cases[i].what, diag.what);
        assert_int_equal(count_servers(), 0);
        /* Nothing was measured, so the folder is as good as new. */
        bench.lab = NULL;
        bench_load(&bench, FETCH WEB(""));
        bench_open(&bench, (struct lab_options){0});
        bench_fini(&bench);
    }
}

static size_t count_lives(const struct bench *bench)
{
    char path[128];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/lives", bench->folder);
    return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

static void expect_lost_runs(json_t *journal, size_t expected)
{
    static const char why[] = "lost the service web, which exited with status 7: served enough";
    size_t lost = 0;
    const char *id;
    const json_t *run;
    json_object_foreach(json_object_get(journal, "runs"), id, run)
    {
        if (strcmp(text_of(run, "why"), why) != 0)
            continue;
        assert_string_equal(text_of(run, "outcome"), "failed");
        lost++;
    }
    assert_int_equal(lost, expected);
}

static void it_is_started_anew_for_each_round_if_the_file_says_so(void **state)
{
    (void)state;
    enum { ROUNDS = 4 };
    static const struct {
        const char *file;
        size_t lives;
    } cases[] = {
        {FETCH WEB(", '--lives=lives'") READY, 1},
        {FETCH WEB(", '--lives=lives'") READY "restart = 'never'\n", 1},
        {FETCH WEB(", '--lives=lives'") READY "restart = 'round'\n", 1 + ROUNDS},
        {FETCH WEB(", '--lives=lives'") READY "restart = 'round'\n[[service]]\nname = 'other'\ncommand = ['" WORKER
                                              "', '--serve={port}', '--x={web.port}']\n",
         1 + ROUNDS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        bench_init(&bench, cases[i].file);
        bench_open(&bench, (struct lab_options){0});
        AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"run\", \"runs\": 4}");
        assert_string_equal(text_of(got, "reason"), "decided");
        assert_int_equal(count_lives(&bench), cases[i].lives);
        bench_fini(&bench);
        assert_int_equal(count_servers(), 0);
    }
}

/* It answers who asks whether it is ready, and one run; later lives answer everybody. */
static void one_that_dies_is_started_anew_and_its_run_has_failed(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, SLOW_FETCH WEB(", '--lives=lives', '--requests=2'") READY "restart = 'round'\n");
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release) json_t *got = experiment(&bench, "{\"op\": \"run\", \"runs\": 3}");
    assert_string_equal(text_of(got, "reason"), "decided");
    AUTO(json_release) json_t *journal = read_journal(&bench);
    expect_lost_runs(journal, 1);
    assert_true(run_count(journal) >= 4);
    bench_fini(&bench);
    assert_int_equal(count_servers(), 0);
}

/* Each of its lives ends in the middle of the first run. */
static void one_that_always_dies_ends_the_lab_all_the_same(void **state)
{
    (void)state;
    struct bench bench;
    struct question question;
    struct diag diag = {0};
    bench_init(&bench, SLOW_FETCH WEB(", '--requests=2'") READY "restart = 'round'\n");
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &question, "{\"op\": \"run\", \"runs\": 40}");
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!question.answer && clock_monotonic_ns() < until_ns)
        turn(&bench);
    assert_int_equal(lab_health(bench.lab, &diag), ERR_PIPELINE);
    assert_string_equal(diag.what, "the pipeline failed twice: it lost the service web, which exited with status 7: "
                                   "served enough");
    json_decref(question.answer);
    bench_fini(&bench);
    assert_int_equal(count_servers(), 0);
}

static void a_lab_may_close_while_services_start_anew(void **state)
{
    (void)state;
    struct bench bench;
    struct question question;
    bench_init(&bench, FETCH WEB(", '--lives=lives'") READY "restart = 'round'\n");
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &question, "{\"op\": \"run\", \"runs\": 4}");
    struct lab_status status = {0};
    while (status.runs < 1) { /* the warm-up; the first round's restart begins in the same turn */
        turn(&bench);
        lab_status(&status, bench.lab);
    }
    bench_fini(&bench);
    json_decref(question.answer);
    assert_int_equal(count_servers(), 0);
}

static void a_service_that_dies_ends_the_lab(void **state)
{
    (void)state;
    struct bench bench;
    struct question question;
    struct diag diag = {0};
    char line[1024];
    bench_init(&bench, FETCH WEB(", '--requests=4'") READY);
    bench_open(&bench, (struct lab_options){0});
    ask(&bench, &question, "{\"op\": \"run\", \"runs\": 40}");
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!question.answer && clock_monotonic_ns() < until_ns)
        turn(&bench);
    assert_true(json_is_false(json_object_get(question.answer, "ok")));
    assert_int_equal(lab_health(bench.lab, &diag), ERR_PIPELINE);
    assert_string_equal(diag_line(&diag, line, sizeof line),
                        "web: the service ended in mid-work: it exited with status 7: served enough");
    json_decref(question.answer);
    AUTO(json_release) json_t *journal = read_journal(&bench);
    expect_lost_runs(journal, 1); /* the one that was under way is not forgotten */
    bench_fini(&bench);
    assert_int_equal(count_servers(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_reach_their_services),
        cmocka_unit_test(a_service_that_does_not_get_ready_is_an_error),
        cmocka_unit_test(a_service_that_dies_ends_the_lab),
        cmocka_unit_test(it_is_started_anew_for_each_round_if_the_file_says_so),
        cmocka_unit_test(one_that_dies_is_started_anew_and_its_run_has_failed),
        cmocka_unit_test(one_that_always_dies_ends_the_lab_all_the_same),
        cmocka_unit_test(a_lab_may_close_while_services_start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
