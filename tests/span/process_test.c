/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that multiply: each records on its own, none writes into another's trace.
 */
#include "witness.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { FORKS = 300, PARENT_THREADS = 3, PARENT_SPANS = 50000, CHILD_THREADS = 2, CHILD_SPANS = 40 };

static struct witness *witnesses;
static bool stop; /* atomic */

static int setup(void **state)
{
    witnesses = witnesses_new();
    return fixture_setup(state);
}

static int teardown(void **state)
{
    witnesses_free(witnesses);
    return fixture_teardown(state);
}

#define PROCESS_TEST(body) cmocka_unit_test_setup_teardown(body, setup, teardown)

static uint64_t storm_process(uint64_t thread)
{
    return thread <= PARENT_THREADS ? 0 : thread;
}

static uint64_t family_process(uint64_t thread)
{
    return (thread + CHILD_THREADS) / (CHILD_THREADS + 1);
}

static uint64_t own_process(uint64_t thread)
{
    return thread;
}

/* Every span that was ended is there, in a stream that holds spans of one process only. */
static void check(struct fixture *fixture, uint64_t (*process_of)(uint64_t thread))
{
    uint64_t owner[WITNESSES_MAX * 2];
    const struct trace *trace = fixture_read(fixture);
    witness_check(witnesses, trace);
    assert_int_equal(losses_sum(&trace->losses), 0);
    memset(owner, 0xff, sizeof owner);
    assert_in_range(trace->worker_count, 1, WITNESSES_MAX * 2 - 1);
    for (size_t i = 0; i < trace->span_count; i++) {
        uint64_t process = process_of(trace->spans[i].item >> 32), *known = &owner[trace->spans[i].worker];
        assert_true(*known == UINT64_MAX || *known == process);
        *known = process;
    }
}

static void *record_until_stopped(void *thread)
{
    venturi_stage stage = venturi_stage_named("parent");
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        if (i < PARENT_SPANS)
            witness_span(witnesses, (uintptr_t)thread, stage);
        else
            (void)sched_yield();
    }
    return NULL;
}

static void *record_some(void *thread)
{
    venturi_stage stage = venturi_stage_named("parent");
    for (unsigned i = 0; i < CHILD_SPANS; i++)
        witness_span(witnesses, (uintptr_t)thread, stage);
    return NULL;
}

static void reap(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        _exit(3);
}

static void start_threads(pthread_t *threads, size_t count, uintptr_t first, void *(*body)(void *))
{
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, body, (void *)(first + i)))
            _exit(4);
}

static void join_threads(const pthread_t *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

/* A child by fork, or by a clone that libc knows nothing of; nor does the thread sanitizer, which then takes the child
 * for one more thread. */
static pid_t make_child(bool by_clone)
{
#if defined(__SANITIZE_THREAD__)
    by_clone = false;
#endif
    return by_clone ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
}

/* Children of a parent whose threads are recording. */
static void fork_storm(void)
{
    pthread_t threads[PARENT_THREADS];
    venturi_stage stage = venturi_stage_named("parent");
    start_threads(threads, PARENT_THREADS, 0, record_until_stopped);
    for (uintptr_t i = 0; i < FORKS; i++) {
        uintptr_t number = PARENT_THREADS + 1 + i;
        witness_span(witnesses, PARENT_THREADS, stage);
        venturi_span inherited = venturi_begin(stage, 0);
        pid_t child = make_child(i % 2);
        if (child == 0) {
            (void)record_some((void *)number);
            _exit(0);
        }
        reap(child);
        (void)inherited; /* began here and never ended: no span */
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    join_threads(threads, PARENT_THREADS);
}

static void test_fork_storm(void **state)
{
    stop = false;
    assert_int_equal(fixture_record(*state, fork_storm), 0);
    check(*state, storm_process);
}

/* The children have threads themselves, and name stages. */
static void fork_and_thread(void)
{
    venturi_stage stage = venturi_stage_named("parent");
    witness_span(witnesses, 0, stage);
    for (uintptr_t i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t threads[CHILD_THREADS];
            char name[16];
            (void)snprintf(name, sizeof name, "child %u", (unsigned)i);
            witness_span(witnesses, 1 + i * (CHILD_THREADS + 1), venturi_stage_named(name));
            start_threads(threads, CHILD_THREADS, 2 + i * (CHILD_THREADS + 1), record_some);
            join_threads(threads, CHILD_THREADS);
            _exit(0);
        }
        reap(child);
    }
    witness_span(witnesses, 0, stage);
}

static void test_children_have_threads_and_stages(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, fork_and_thread), 0);
    check(fixture, family_process);
    assert_int_equal(fixture->trace->stage_count, 21);
}

static void end_in_both(void)
{
    venturi_stage stage = venturi_stage_named("work");
    venturi_span span = venturi_begin(stage, 5);
    venturi_lap_item(6);
    venturi_lap(stage);
    pid_t child = fork();
    venturi_end(&span, 1, 0);
    if (child == 0) {
        venturi_lap_count(1, 0);
        venturi_lap_end();
        _exit(0);
    }
    reap(child);
    venturi_lap_count(1, 0);
    venturi_lap_end();
}

static void test_a_span_belongs_to_the_process_that_began_it(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, end_in_both), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 2);
    assert_int_equal(trace->losses.misuse, 2);
}

static void record_and_exec(void)
{
    venturi_stage stage = venturi_stage_named("before exec");
    witness_span(witnesses, 0, stage);
    (void)execl("/proc/self/exe", "process_test", "--record", (char *)NULL);
    _exit(1);
}

/* The same pid twice: the program that exec starts makes files of its own. */
static void test_exec(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_and_exec), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 2);
    assert_int_equal(trace->worker_count, 2);
    assert_int_equal(losses_sum(&trace->losses), 0);
}

static long open_descriptors(void)
{
    long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

static void count_descriptors(void)
{
    long before = open_descriptors();
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < 3000; i++)
        witness_span(witnesses, 0, stage);
    _exit(before < 0 || open_descriptors() != before);
}

static void test_no_descriptor_stays_open(void **state)
{
    assert_int_equal(fixture_record(*state, count_descriptors), 0);
    check(*state, own_process);
}

static int run_as_pid_one(uintptr_t number)
{
    if (unshare(CLONE_NEWPID) != 0)
        return 77;
    pid_t child = fork();
    if (child == 0) {
        (void)record_some((void *)number);
        _exit(getpid() != 1);
    }
    reap(child);
    return 0;
}

/* Two processes, each number 1 of a namespace of its own. */
static void record_as_pid_one(void)
{
    for (uintptr_t i = 0; i < 2; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(run_as_pid_one(i));
        if (waitpid(child, &status, 0) != child || status != 0)
            _exit(WEXITSTATUS(status));
    }
}

static void test_same_pid_in_two_namespaces(void **state)
{
    struct fixture *fixture = *state;
    int status = fixture_record(fixture, record_as_pid_one);
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    check(fixture, own_process);
    assert_int_equal(fixture->trace->worker_count, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(test_fork_storm),
        PROCESS_TEST(test_children_have_threads_and_stages),
        PROCESS_TEST(test_a_span_belongs_to_the_process_that_began_it),
        PROCESS_TEST(test_exec),
        PROCESS_TEST(test_no_descriptor_stays_open),
        PROCESS_TEST(test_same_pid_in_two_namespaces),
    };
    if (argc == 2 && strcmp(argv[1], "--record") == 0) {
        venturi_span span = venturi_begin(venturi_stage_named("after exec"), 1);
        venturi_end(&span, 1, 1);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
