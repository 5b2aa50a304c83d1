/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder writes, the reader reads: every field, every thread, every process; and what is lost is counted.
 */
#include "fixture.h"
#include "venturi.h"

#include <errno.h>
#include <pthread.h>

static void assert_no_loss(const struct trace *trace)
{
    static const struct span_losses none;
    assert_memory_equal(&trace->losses, &none, sizeof none);
    assert_int_equal(trace->rejected, 0);
}

enum { SPANS = 20000 }; /* several blocks */

static void record_one_thread(void)
{
    venturi_stage download = venturi_stage_named("download"), parse = venturi_stage_named("parse");
    for (uint64_t i = 0; i < SPANS; i++) {
        venturi_span span = venturi_begin(i % 2 ? parse : download, i);
        if (i % 10 == 9)
            venturi_fail(&span);
        else
            venturi_end(&span, 10 * i, 100 * i);
    }
}

static void test_one_thread(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_one_thread), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_no_loss(trace);
    assert_int_equal(trace->span_count, SPANS);
    assert_int_equal(trace->worker_count, 1);
    assert_int_equal(trace->stage_count, 2);
    assert_string_equal(trace->stages[0], "download");
    assert_string_equal(trace->stages[1], "parse");
    for (uint64_t i = 0; i < SPANS; i++) {
        const struct span *span = &trace->spans[i];
        bool failed = i % 10 == 9;
        assert_int_equal(span->item, i);
        assert_int_equal(span->stage, i % 2);
        assert_int_equal(span->outcome, failed ? SPAN_FAILED : SPAN_OK);
        assert_int_equal(span->rows, failed ? 0 : 10 * i);
        assert_int_equal(span->bytes, failed ? 0 : 100 * i);
        assert_true(span->cpu_ns == TRACE_CPU_UNKNOWN);
        assert_true(span->start_ns <= span->end_ns);
        assert_true(i == 0 || trace->spans[i - 1].end_ns <= span->start_ns);
    }
}

enum { THREADS = 300, SPANS_EACH = 5 };

static pthread_barrier_t all_here;

static void *record_thread(void *first_item)
{
    venturi_stage stage = venturi_stage_named("work");
    (void)pthread_barrier_wait(&all_here);
    for (uintptr_t i = 0; i < SPANS_EACH; i++) {
        venturi_span span = venturi_begin(stage, (uintptr_t)first_item + i);
        venturi_end(&span, 1, 0);
    }
    (void)pthread_barrier_wait(&all_here);
    return NULL;
}

static void record_threads(void)
{
    pthread_t threads[THREADS];
    if (pthread_barrier_init(&all_here, NULL, THREADS))
        _exit(1);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, record_thread, (void *)(i * SPANS_EACH)))
            _exit(2);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

static void test_many_threads(void **state)
{
    struct fixture *fixture = *state;
    bool seen[THREADS * SPANS_EACH] = {false};
    assert_int_equal(fixture_record(fixture, record_threads), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_no_loss(trace);
    assert_int_equal(trace->worker_count, THREADS);
    assert_int_equal(trace->span_count, THREADS * SPANS_EACH);
    for (size_t i = 0; i < trace->span_count; i++) {
        assert_false(seen[trace->spans[i].item]);
        seen[trace->spans[i].item] = true;
    }
}

static void *record_span(void *item)
{
    venturi_span span = venturi_begin(venturi_stage_named("work"), (uintptr_t)item);
    venturi_end(&span, 1, 0);
    return NULL;
}

static void record_threads_in_turn(void)
{
    for (uintptr_t i = 0; i < 100; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, record_span, (void *)i) || pthread_join(thread, NULL))
            _exit(1);
    }
}

static void test_a_stream_is_used_again(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_threads_in_turn), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_no_loss(trace);
    assert_int_equal(trace->span_count, 100);
    assert_int_equal(trace->worker_count, 1);
}

static void record_laps(void)
{
    venturi_stage extract = venturi_stage_named("extract"), parse = venturi_stage_named("parse");
    venturi_lap_count(1, 1); /* misuse: no lap yet */
    venturi_lap_item(1);
    venturi_lap(extract);
    venturi_lap_count(3, 30);
    venturi_lap_count(4, 40);
    venturi_lap(parse);
    venturi_lap_count(5, 50);
    venturi_lap_end();
    venturi_lap_count(6, 60); /* misuse: ended */
}

static void test_laps(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_laps), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 2);
    assert_int_equal(trace->spans[0].rows, 7);
    assert_int_equal(trace->spans[0].bytes, 70);
    assert_int_equal(trace->spans[1].rows, 5);
    assert_int_equal(trace->spans[1].bytes, 50);
    assert_true(trace->spans[0].end_ns == trace->spans[1].start_ns);
    assert_int_equal(trace->losses.misuse, 2);
}

static void *record_item(void *item)
{
    venturi_stage stage = venturi_stage_named("work");
    venturi_lap_item((uintptr_t)item);
    venturi_lap(stage);
    venturi_lap_end();
    return NULL;
}

static void record_items_in_turn(void)
{
    for (uintptr_t i = 1; i <= 20; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, record_item, (void *)i) || pthread_join(thread, NULL))
            _exit(1);
    }
}

static void record_items_with_cpu(void)
{
    (void)setenv("VENTURI_CPU", "1", 1);
    record_items_in_turn();
}

static void check_first_items(struct fixture *fixture, void (*body)(void))
{
    assert_int_equal(fixture_record(fixture, body), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_no_loss(trace);
    assert_int_equal(trace->span_count, 20);
    assert_int_equal(trace->worker_count, 1); /* all but the first borrow a stream */
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(trace->spans[i].item, i + 1);
}

static void test_the_first_lap_has_its_item(void **state)
{
    check_first_items(*state, record_items_in_turn);
}

static void test_the_first_lap_has_its_item_with_cpu(void **state)
{
    check_first_items(*state, record_items_with_cpu);
}

static void record_misuse(void)
{
    venturi_stage good = venturi_stage_named("good");
    if (venturi_stage_named("") || venturi_stage_named(NULL) || venturi_stage_named("a\nb") ||
        venturi_stage_named("\xc3") || venturi_stage_named("\xed\xa0\x80") || venturi_stage_named("\xc0\xaf") ||
        venturi_stage_named("0123456789012345678901234567890123456789012345678901234567890123"))
        _exit(1);
    if (venturi_stage_named("good") != good || !venturi_stage_named("Gr\xc3\xb6\xc3\x9f"
                                                                    "e"))
        _exit(2);
    venturi_span twice = venturi_begin(good, 1), none = venturi_begin(0, 1), unknown = venturi_begin(77, 1);
    venturi_end(&twice, 1, 1);
    venturi_end(&twice, 1, 1);
    venturi_fail(&twice);
    venturi_end(&none, 1, 1);
    venturi_end(&unknown, 1, 1);
    venturi_end(NULL, 1, 1);
    (void)venturi_begin(good, 2); /* never ended: no span, no harm */
}

static void test_misuse_is_counted(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_misuse), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 1);
    assert_int_equal(trace->losses.misuse, 2);
    assert_int_equal(trace->losses.no_stage, 2);
}

static void record_many_stages(void)
{
    char name[16];
    for (unsigned i = 1; i <= TRACE_STAGES_MAX; i++) {
        (void)snprintf(name, sizeof name, "stage %u", i);
        venturi_span span = venturi_begin(venturi_stage_named(name), i);
        venturi_end(&span, 1, 0);
    }
    venturi_span span = venturi_begin(venturi_stage_named("one too many"), 0);
    venturi_end(&span, 1, 0);
}

static void test_stages_end_at_254(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_many_stages), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->stage_count, TRACE_STAGES_MAX);
    assert_string_equal(trace->stages[253], "stage 254");
    assert_int_equal(trace->losses.no_stage, 1);
}

static volatile double sink;

static void *begin_elsewhere(void *span)
{
    *(venturi_span *)span = venturi_begin(venturi_stage_named("moved"), 0);
    return NULL;
}

static void record_cpu(void)
{
    (void)setenv("VENTURI_CPU", "1", 1);
    venturi_stage busy = venturi_stage_named("busy"), idle = venturi_stage_named("idle");
    venturi_lap(busy);
    for (int i = 0; i < 3000000; i++)
        sink += i;
    venturi_lap(idle);
    (void)usleep(20000);
    venturi_lap_end();
    pthread_t thread;
    venturi_span span;
    if (pthread_create(&thread, NULL, begin_elsewhere, &span) || pthread_join(thread, NULL))
        _exit(1);
    venturi_end(&span, 1, 0);
}

static void test_cpu_time(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_cpu), 0);
    const struct trace *trace = fixture_read(fixture);
    assert_int_equal(trace->span_count, 3);
    const struct span *busy = &trace->spans[0], *idle = &trace->spans[1];
    assert_true(busy->cpu_ns > 0 && busy->cpu_ns <= busy->end_ns - busy->start_ns);
    assert_true(idle->cpu_ns < (idle->end_ns - idle->start_ns) / 2);
    assert_true(trace->spans[2].cpu_ns == TRACE_CPU_UNKNOWN); /* another thread's clock says nothing */
}

static void record_keeping_errno(void)
{
    errno = 1234;
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < 3000; i++) {
        venturi_span span = venturi_begin(stage, i);
        venturi_end(&span, 1, 0);
    }
    _exit(errno == 1234 ? 0 : 1);
}

static void test_errno_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_keeping_errno), 0);
    assert_int_equal(fixture_read(fixture)->span_count, 3000);
}

static void record_disabled(void)
{
    (void)unsetenv("VENTURI_TRACE");
    record_one_thread();
    record_laps();
    _exit(venturi_recording || venturi_stage_named("parse") != 2);
}

static void test_disabled_does_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_disabled), 0);
    assert_int_equal(rmdir(fixture->folder), 0); /* empty */
    assert_int_equal(dir_make(fixture->folder, NULL), ERR_OK);
}

static void record_into_nothing(void)
{
    (void)setenv("VENTURI_TRACE", "/nonexistent/folder", 1);
    errno = 1234;
    record_one_thread();
    record_laps();
    _exit(errno == 1234 ? 0 : 1);
}

static void test_missing_folder_is_harmless(void **state)
{
    assert_int_equal(fixture_record(*state, record_into_nothing), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_one_thread),
        FIXTURE_TEST(test_many_threads),
        FIXTURE_TEST(test_a_stream_is_used_again),
        FIXTURE_TEST(test_laps),
        FIXTURE_TEST(test_the_first_lap_has_its_item),
        FIXTURE_TEST(test_the_first_lap_has_its_item_with_cpu),
        FIXTURE_TEST(test_misuse_is_counted),
        FIXTURE_TEST(test_stages_end_at_254),
        FIXTURE_TEST(test_cpu_time),
        FIXTURE_TEST(test_errno_is_left_alone),
        FIXTURE_TEST(test_disabled_does_nothing),
        FIXTURE_TEST(test_missing_folder_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
