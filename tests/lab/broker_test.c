/* SPDX-License-Identifier: Apache-2.0
 * The lab's socket: clients of every kind, honest ones at once, and others that write garbage, read nothing or leave.
 */
#include "fixture.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static void client_release(struct lab_client **client)
{
    lab_client_free(client);
}

static int connect_raw(const struct bench *bench)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", lab_socket(bench->lab));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Everything the lab sends until `text` came or it hung up; false when it did not come. */
static bool hears(struct bench *bench, int fd, char *heard, size_t heard_bytes, const char *text)
{
    size_t length = 0;
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    heard[0] = '\0';
    while (!strstr(heard, text) && clock_monotonic_ns() < until_ns) {
        struct diag diag = {0};
        expect_ok(loop_turn(bench->loop, clock_monotonic_ns() + 5 * NS_PER_MS, &diag), &diag);
        ssize_t count = recv(fd, heard + length, heard_bytes - 1 - length, MSG_DONTWAIT);
        if (count == 0)
            break;
        length += count > 0 ? (size_t)count : 0;
        heard[length] = '\0';
    }
    return strstr(heard, text);
}

static bool is_hung_up(struct bench *bench, int fd)
{
    char byte;
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (clock_monotonic_ns() < until_ns) {
        struct diag diag = {0};
        ssize_t count = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return true;
        expect_ok(loop_turn(bench->loop, clock_monotonic_ns() + 5 * NS_PER_MS, &diag), &diag);
    }
    return false;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void garbage_gets_an_error_and_the_door(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *answer;
    } cases[] = {
        {"hello\n", 6, "not valid JSON"},
        {"\n", 1, "not valid JSON"},
        {"\0\0\0\n", 4, "not valid JSON"},
        {"\xff\xfe{}\n", 5, "not valid JSON"},
        {"{\"id\": 1} {\"id\": 2}\n", 20, "not valid JSON"},
        {"{\"id\": 1, \"id\": 2}\n", 19, "not valid JSON"},
        {"[]\n", 3, "whole number 'id'"},
        {"{}\n", 3, "whole number 'id'"},
        {"{\"id\": \"1\"}\n", 12, "whole number 'id'"},
        {"{\"id\": 1.5}\n", 12, "whole number 'id'"},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, "not valid JSON"},
    };
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char heard[4096];
        AUTO(fd_close) int fd = connect_raw(&bench);
        assert_int_equal(send(fd, cases[i].bytes, cases[i].count, MSG_NOSIGNAL), cases[i].count);
        assert_true(hears(&bench, fd, heard, sizeof heard, cases[i].answer));
        assert_non_null(strstr(heard, "\"id\":null"));
        assert_non_null(strstr(heard, "\"ok\":false"));
        assert_true(is_hung_up(&bench, fd));
    }
    bench_fini(&bench);
}

static void deep_and_endless_lines_are_refused(void **state)
{
    (void)state;
    enum { BYTES = 2 * 1024 * 1024 };
    struct bench bench;
    char *line = malloc(BYTES);
    assert_non_null(line);
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (int deep = 0; deep < 2; deep++) {
        char heard[4096];
        AUTO(fd_close) int fd = connect_raw(&bench);
        struct diag diag = {0};
        memset(line, deep ? '[' : 'x', BYTES);
        if (deep)
            line[BYTES / 4] = '\n';
        for (size_t sent = 0; sent < BYTES;) {
            ssize_t count = send(fd, line + sent, BYTES - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && errno != EAGAIN)
                break;
            sent += count > 0 ? (size_t)count : 0;
            expect_ok(loop_turn(bench.loop, 0, &diag), &diag);
        }
        (void)hears(&bench, fd, heard, sizeof heard, deep ? "not valid JSON" : "at most 1 MiB");
        assert_true(is_hung_up(&bench, fd));
    }
    free(line);
    json_decref(experiment(&bench, "{\"op\": \"run\"}"));
    bench_fini(&bench);
}

static void requests_come_in_pieces_and_in_heaps(void **state)
{
    (void)state;
    static const char request[] = "{\"id\": 5, \"op\": \"run\", \"runs\": 1}\n";
    char heard[65536];
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(fd_close) int fd = connect_raw(&bench);
    for (const char *at = request; *at; at++) {
        struct diag diag = {0};
        assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
        expect_ok(loop_turn(bench.loop, 0, &diag), &diag);
    }
    assert_true(hears(&bench, fd, heard, sizeof heard, "\"id\":5"));
    say(fd, "{\"id\": 6, \"op\": \"run\"}\n{\"id\": 7, \"op\": \"status\"}\n{\"id\": 8, \"op\": \"no\"}\n");
    assert_true(hears(&bench, fd, heard, sizeof heard, "\"id\":8"));
    assert_non_null(strstr(heard, "\"id\":7,\"ok\":true,\"status\":"));
    assert_non_null(strstr(heard, "\"code\":\"config\""));
    assert_true(strstr(heard, "\"id\":6") || hears(&bench, fd, heard, sizeof heard, "\"id\":6"));
    bench_fini(&bench);
}

/* A script's input is a pipe that ends: its answer still comes. */
static void a_client_may_stop_sending(void **state)
{
    (void)state;
    char heard[65536];
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(fd_close) int fd = connect_raw(&bench);
    say(fd, "{\"id\": 1, \"op\": \"run\", \"runs\": 2}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(hears(&bench, fd, heard, sizeof heard, "\"ok\":true"));
    bench_fini(&bench);
}

static void who_reads_nothing_is_cut_off(void **state)
{
    (void)state;
    enum { REQUESTS = 200000 };
    struct bench bench;
    bool cut = false;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(fd_close) int fd = connect_raw(&bench);
    for (int i = 0; i < REQUESTS && !cut; i++) {
        struct diag diag = {0};
        static const char request[] = "{\"id\": 1, \"op\": \"status\"}\n";
        while (!cut && send(fd, request, sizeof request - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            cut = errno != EAGAIN;
            expect_ok(loop_turn(bench.loop, 0, &diag), &diag);
        }
    }
    assert_true(cut);
    json_decref(experiment(&bench, "{\"op\": \"run\"}"));
    bench_fini(&bench);
}

static void too_many_clients_are_turned_away(void **state)
{
    (void)state;
    enum { CLIENTS = 80 };
    int fds[CLIENTS], answered = 0;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (int i = 0; i < CLIENTS; i++) {
        struct diag diag = {0};
        fds[i] = connect_raw(&bench);
        expect_ok(loop_turn(bench.loop, clock_monotonic_ns() + NS_PER_MS, &diag), &diag);
        (void)send(fds[i], "{\"id\": 1, \"op\": \"status\"}\n", 26, MSG_NOSIGNAL);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char heard[4096];
        answered += hears(&bench, fds[i], heard, sizeof heard, "status");
        fd_close(&fds[i]);
    }
    assert_int_equal(answered, 64);
    AUTO(fd_close) int later = connect_raw(&bench); /* there is room again */
    char heard[4096];
    say(later, "{\"id\": 1, \"op\": \"status\"}\n");
    assert_true(hears(&bench, later, heard, sizeof heard, "status"));
    bench_fini(&bench);
}

static void leaving_withdraws(void **state)
{
    (void)state;
    struct bench bench;
    struct lab_status status = {0};
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    int fd = connect_raw(&bench);
    say(fd, "{\"id\": 1, \"op\": \"run\", \"a\": {\"mode\": \"hang\"}, \"runs\": 40}\n");
    while (strstr(status.doing ? status.doing : "", "mode=hang") == NULL) {
        turn(&bench);
        lab_status(&status, bench.lab);
    }
    assert_true(lab_client_waiting(bench.lab, getpid()));
    assert_false(lab_client_waiting(bench.lab, INT_MAX));
    fd_close(&fd);
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while ((status.pending > 0 || status.doing[0]) && clock_monotonic_ns() < until_ns) {
        turn(&bench);
        lab_status(&status, bench.lab);
    }
    assert_int_equal(status.pending, 0);
    assert_string_equal(status.doing, "");
    assert_int_equal(status.runs, 1); /* the warm-up: the run that hung was for nobody */
    assert_false(lab_client_waiting(bench.lab, getpid()));
    bench_fini(&bench);
}

/* One of four agents: asks for everything first, then collects. */
static int play_agent(const char *path, int number)
{
    static const char *const values[] = {"10", "5", "1", "10"};
    AUTO(client_release) struct lab_client *client = NULL;
    struct diag diag = {0};
    long long compare_id, run_id;
    json_t *got;
    json_t *compare = json_pack("{s:s, s:{s:s}}", "op", "compare", "b", "ms", values[number]);
    json_t *run = json_pack("{s:s, s:i}", "op", "run", "runs", 3);
    if (lab_client_new(&client, path, &diag) != ERR_OK ||
        lab_client_ask(&compare_id, client, compare, &diag) != ERR_OK ||
        lab_client_ask(&run_id, client, run, &diag) != ERR_OK)
        return 1;
    if (lab_client_wait(&got, client, compare_id, &diag) != ERR_OK)
        return 2;
    if (strcmp(text_of(json_array_get(json_object_get(got, "comparisons"), 0), "verdict"), "faster") != 0)
        return 3;
    json_decref(got);
    if (lab_client_wait(&got, client, run_id, &diag) != ERR_OK) {
        char line[1200];
        fprintf(stderr, "AGENT %d: %s\n", number, diag_line(&diag, line, sizeof line));
        return 4;
    }
    bool all = json_array_size(json_object_get(json_array_get(json_object_get(got, "arms"), 0), "runs")) == 3;
    json_decref(got);
    json_t *bad = json_pack("{s:s}", "op", "nonsense");
    long long bad_id;
    if (lab_client_ask(&bad_id, client, bad, &diag) != ERR_OK ||
        lab_client_wait(&got, client, bad_id, &diag) != ERR_CONFIG)
        return 5;
    json_decref(bad);
    json_decref(run);
    json_decref(compare);
    return all ? 0 : 6;
}

static void four_agents_at_once(void **state)
{
    (void)state;
    enum { AGENTS = 4 };
    struct bench bench;
    pid_t agents[AGENTS];
    int left = AGENTS;
    bool one_waited = false;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    for (int i = 0; i < AGENTS; i++) {
        agents[i] = fork();
        assert_true(agents[i] >= 0);
        if (agents[i] == 0)
            _exit(play_agent(lab_socket(bench.lab), i));
    }
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (left > 0 && clock_monotonic_ns() < until_ns) {
        struct diag diag = {0};
        int status;
        expect_ok(loop_turn(bench.loop, clock_monotonic_ns() + 20 * NS_PER_MS, &diag), &diag);
        one_waited |= lab_client_waiting(bench.lab, agents[0]);
        for (int i = 0; i < AGENTS; i++) {
            if (agents[i] == 0 || waitpid(agents[i], &status, WNOHANG) != agents[i])
                continue;
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 0);
            agents[i] = 0;
            left--;
        }
    }
    assert_int_equal(left, 0);
    assert_true(one_waited);
    AUTO(json_release) json_t *journal = read_journal(&bench);
    assert_int_equal(json_object_size(json_object_get(journal, "experiments")), 4); /* three comparisons, one run */
    bench_fini(&bench);
}

static void a_lab_that_goes_away_is_an_error(void **state)
{
    (void)state;
    struct bench bench;
    struct diag diag = {0};
    long long id;
    json_t *got;
    AUTO(client_release) struct lab_client *client = NULL;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release) json_t *request = json_pack("{s:s}", "op", "control");
    expect_ok(lab_client_new(&client, lab_socket(bench.lab), &diag), &diag);
    expect_ok(lab_client_ask(&id, client, request, &diag), &diag);
    char path[200];
    (void)snprintf(path, sizeof path, "%s", lab_socket(bench.lab));
    lab_free(&bench.lab);
    assert_int_equal(lab_client_wait(&got, client, id, &diag), ERR_IO);
    struct lab_client *second = NULL;
    assert_int_equal(lab_client_new(&second, path, &diag), ERR_IO);
    assert_int_equal(unsetenv("VENTURI_LAB"), 0);
    assert_int_equal(lab_client_new(&second, NULL, &diag), ERR_CONFIG);
    bench_fini(&bench);
}

static void a_deep_folder_has_a_short_socket(void **state)
{
    (void)state;
    struct bench bench;
    char deep[300], heard[4096], path[200];
    struct stat status;
    bench_init(&bench, PIPELINE);
    (void)snprintf(deep, sizeof deep, "%s/%0*d/%0*d", bench.folder, 90, 0, 90, 0);
    bench_open(&bench, (struct lab_options){.folder = deep});
    (void)snprintf(path, sizeof path, "%s", lab_socket(bench.lab));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    AUTO(fd_close) int fd = connect_raw(&bench);
    say(fd, "{\"id\": 1, \"op\": \"status\"}\n");
    assert_true(hears(&bench, fd, heard, sizeof heard, "status"));
    bench_fini(&bench);
    assert_int_equal(stat(path, &status), -1);
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &status), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_gets_an_error_and_the_door),
        cmocka_unit_test(deep_and_endless_lines_are_refused),
        cmocka_unit_test(requests_come_in_pieces_and_in_heaps),
        cmocka_unit_test(a_client_may_stop_sending),
        cmocka_unit_test(who_reads_nothing_is_cut_off),
        cmocka_unit_test(too_many_clients_are_turned_away),
        cmocka_unit_test(leaving_withdraws),
        cmocka_unit_test(four_agents_at_once),
        cmocka_unit_test(a_lab_that_goes_away_is_an_error),
        cmocka_unit_test(a_deep_folder_has_a_short_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
