/* SPDX-License-Identifier: Apache-2.0
 *
 * The host does what hosts do: signals, cancelled threads, closed descriptors, unloaded plug-ins. Nothing of the
 * recorder's shows, and every span is recorded or counted as lost.
 */
#include "with_witnesses.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

enum { MAIN_SPANS = 200000, TICK_US = 100, TICKS_LEAST = 50 };

static venturi_stage in_handler;
static volatile sig_atomic_t ticks;

static void tick(int signal)
{
    (void)signal;
    witness_span(witnesses, 1, in_handler);
    ticks++;
}

static void record_under_signals(void)
{
    struct itimerval often = {{0, TICK_US}, {0, TICK_US}}, never = {{0, 0}, {0, 0}};
    venturi_stage stage = venturi_stage_named("work");
    in_handler = venturi_stage_named("handler");
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    if (sigaction(SIGPROF, &action, NULL) || setitimer(ITIMER_PROF, &often, NULL))
        _exit(1);
    for (unsigned i = 0; i < MAIN_SPANS || ticks < TICKS_LEAST; i++)
        witness_span(witnesses, 0, stage);
    if (setitimer(ITIMER_PROF, &never, NULL))
        _exit(2);
}

/* What a handler could not record, because it had interrupted the recorder itself, is counted. */
static void test_signal_handlers_record(void **state)
{
    struct fixture *fixture = *state;
    uint64_t main_spans = 0, handler_spans = 0;
    assert_int_equal(fixture_record(fixture, record_under_signals), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->rejected, 0);
    for (size_t i = 0; i < trace->span_count; i++)
        *(trace->spans[i].item >> 32 ? &handler_spans : &main_spans) += 1;
    assert_int_equal(main_spans, witnesses[0].acknowledged);
    assert_int_equal(handler_spans + trace->losses.interrupted, witnesses[1].acknowledged);
    assert_int_equal(losses_sum(&trace->losses), trace->losses.interrupted);
    assert_true(witnesses[1].acknowledged >= TICKS_LEAST);
}

static void raise_in_handler(int signal)
{
    (void)signal;
    venturi_lap_item(1 << 20);
    venturi_lap(in_handler);
    venturi_lap_count(1, 0);
    venturi_lap_end();
}

/* A handler may even end its thread's lap; it is the one lap that is open. */
static void laps_in_handlers(void)
{
    in_handler = venturi_stage_named("handler");
    if (signal(SIGUSR1, raise_in_handler) == SIG_ERR)
        _exit(1);
    for (unsigned i = 0; i < 100; i++) {
        venturi_lap_item(i);
        venturi_lap(in_handler);
        if (raise(SIGUSR1))
            _exit(2);
    }
}

static void test_laps_in_signal_handlers(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, laps_in_handlers), 0);
    assert_int_equal(fixture_read(fixture)->span_count, 200);
    assert_int_equal(losses_sum(&fixture->trace->losses), 0);
}

static void *record_cancelled(void *thread)
{
    venturi_stage stage = venturi_stage_named("work");
    (void)pthread_cancel(pthread_self());
    for (unsigned i = 0; i < 3000; i++)
        witness_span(witnesses, (uintptr_t)thread, stage);
    pthread_testcancel();
    _exit(1);
}

static void cancel_a_thread(void)
{
    pthread_t thread;
    void *result;
    if (pthread_create(&thread, NULL, record_cancelled, NULL) || pthread_join(thread, &result))
        _exit(2);
    _exit(result != PTHREAD_CANCELED);
}

static void test_no_cancellation_point(void **state)
{
    assert_int_equal(fixture_record(*state, cancel_a_thread), 0);
    witness_check(witnesses, fixture_read(*state));
    assert_int_equal(witnesses[0].acknowledged, 3000);
}

static void record_late(void *thread)
{
    witness_span(witnesses, (uintptr_t)thread - 1, venturi_stage_named("late"));
}

/* Spans in a destructor of another thread key, before and after the recorder's own has run. */
static void *record_and_leave_more(void *first)
{
    uintptr_t number = (uintptr_t)first;
    for (unsigned i = 0; i < 4; i++) {
        pthread_key_t key;
        if (pthread_key_create(&key, record_late) || pthread_setspecific(key, (void *)(number + 1)))
            _exit(1);
        if (i == 1)
            witness_span(witnesses, number, venturi_stage_named("work"));
    }
    return NULL;
}

static void record_in_destructors(void)
{
    for (uintptr_t i = 0; i < 20; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, record_and_leave_more, (void *)i) || pthread_join(thread, NULL))
            _exit(2);
    }
}

static void test_spans_while_a_thread_ends(void **state)
{
    assert_int_equal(fixture_record(*state, record_in_destructors), 0);
    witness_check(witnesses, fixture_read(*state));
    assert_int_equal(witness_acknowledged(witnesses), 20 * 5);
    assert_int_equal(losses_sum(&((struct fixture *)*state)->trace->losses), 0);
}

static void record_at_exit(void)
{
    witness_span(witnesses, 0, venturi_stage_named("at exit"));
}

static void record_then_exit(void)
{
    if (atexit(record_at_exit))
        _exit(1);
    witness_span(witnesses, 0, venturi_stage_named("work"));
    (void)venturi_begin(venturi_stage_named("work"), 7); /* open at exit: no span */
    exit(0);
}

static void test_spans_at_exit(void **state)
{
    assert_int_equal(fixture_record(*state, record_then_exit), 0);
    witness_check(witnesses, fixture_read(*state));
    assert_int_equal(witnesses[0].acknowledged, 2);
}

/* A daemon closes every descriptor it does not know, and opens files of its own: they get the numbers that were free.
 */
static void close_everything(void)
{
    char own[300], content[16] = "";
    venturi_stage stage = venturi_stage_named("work");
    witness_span(witnesses, 0, stage);
    for (int fd = 3; fd < 256; fd++)
        (void)close(fd);
    (void)snprintf(own, sizeof own, "%s/own", getenv("VENTURI_TRACE"));
    int fd = open(own, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "mine", 4) != 4)
        _exit(1);
    for (unsigned i = 0; i < 3000; i++)
        witness_span(witnesses, 0, stage);
    _exit(pread(fd, content, sizeof content, 0) != 4 || memcmp(content, "mine", 4) != 0);
}

static void test_host_closes_all_descriptors(void **state)
{
    assert_int_equal(fixture_record(*state, close_everything), 0);
    witness_check(witnesses, fixture_read(*state));
    assert_int_equal(witnesses[0].acknowledged, 3001);
}

static void change_folder(void)
{
    char *folder = getenv("VENTURI_TRACE"), *last = strrchr(folder, '/');
    *last = '\0';
    if (chdir(folder) || setenv("VENTURI_TRACE", last + 1, 1))
        _exit(1);
    venturi_stage stage = venturi_stage_named("work");
    if (chdir("/"))
        _exit(2);
    for (unsigned i = 0; i < 3000; i++)
        witness_span(witnesses, 0, stage);
}

static void test_relative_folder(void **state)
{
    assert_int_equal(fixture_record(*state, change_folder), 0);
    witness_check(witnesses, fixture_read(*state));
    assert_int_equal(losses_sum(&((struct fixture *)*state)->trace->losses), 0);
}

static const char *library; /* to load */

static void *record_in_library(void *handle)
{
    void (*record)(void);
    *(void **)&record = dlsym(handle, "plugin_record");
    if (!record)
        _exit(1);
    record();
    (void)dlclose(handle);
    return NULL; /* the thread outlives the library it recorded with */
}

static void load_and_unload(void)
{
    for (unsigned i = 0; i < 5; i++) {
        pthread_t thread;
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (!handle || pthread_create(&thread, NULL, record_in_library, handle) || pthread_join(thread, NULL))
            _exit(2);
    }
}

static void load(void **state, const char *name)
{
    struct fixture *fixture = *state;
    library = name;
    assert_int_equal(fixture_record(fixture, load_and_unload), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 5 * 1500);
    assert_int_equal(losses_sum(&trace->losses), 0);
}

static void test_plugin_with_the_shared_library(void **state)
{
    load(state, PLUGIN_SHARED);
    assert_int_equal(((struct fixture *)*state)->trace->worker_count, 1); /* it stayed, and went on with its stream */
}

static void test_plugin_with_the_static_library(void **state)
{
    load(state, PLUGIN_STATIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESSED_TEST(test_signal_handlers_record),
        WITNESSED_TEST(test_laps_in_signal_handlers),
        WITNESSED_TEST(test_no_cancellation_point),
        WITNESSED_TEST(test_spans_while_a_thread_ends),
        WITNESSED_TEST(test_spans_at_exit),
        WITNESSED_TEST(test_host_closes_all_descriptors),
        WITNESSED_TEST(test_relative_folder),
        WITNESSED_TEST(test_plugin_with_the_shared_library),
        WITNESSED_TEST(test_plugin_with_the_static_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
