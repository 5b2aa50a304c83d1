/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks that misbehave: CLOCK_MONOTONIC that steps (clock_gettime is wrapped by the linker), a time stamp counter that
 * may not be read, processes in other time namespaces. No duration is negative or made up; what cannot be timed is
 * counted as lost.
 */
#include "base/random.h"
#include "span/clock.h"
#include "writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { RECORDS = 20000, STEPS = 50, TICK_NS = 100, SECOND_NS = 1000000000, FAKE_S = 5000 };

#if defined(__x86_64__)
enum { SLOW_TICKS = 1 << 20, MANY_READINGS = 1000, SPARSE_SPANS = 64, SPARSE_TICKS = 1 << 16 };

static unsigned slow_readings; /* of the clock that are still to come, each followed by a preemption */
static uint64_t slow_ns;       /* what the last of them said */

static void wait_ticks(uint64_t ticks)
{
    uint64_t until = __rdtsc() + ticks;
    while (__rdtsc() < until)
        ;
}

static void be_preempted(const struct timespec *now)
{
    if (slow_readings == 0)
        return;
    slow_readings--;
    slow_ns = (uint64_t)now->tv_sec * SECOND_NS + (uint64_t)now->tv_nsec;
    wait_ticks(SLOW_TICKS);
}
#endif

static bool is_fake;
static int64_t clock_ns; /* goes on by TICK_NS with each reading */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!is_fake) {
        int result = __real_clock_gettime(clock, now);
#if defined(__x86_64__)
        be_preempted(now);
#endif
        return result;
    }
    clock_ns += TICK_NS;
    *now = (struct timespec){.tv_sec = clock_ns / SECOND_NS, .tv_nsec = clock_ns % SECOND_NS};
    return 0;
}

/* A lap with a span inside. */
static void record_one(venturi_stage lap, venturi_stage inside, int64_t step_ns)
{
    venturi_lap(lap);
    venturi_span span = venturi_begin(inside, 0);
    clock_ns += step_ns;
    venturi_end(&span, 1, 0);
    venturi_lap_end();
}

/* To and fro by up to ten minutes. */
static int64_t any_step(struct rng *rng)
{
    int64_t step_ns = (int64_t)rng_below(rng, 1ull << rng_below(rng, 40)) + 1;
    return rng_coin(rng) ? step_ns : -step_ns;
}

static void record_steps(void)
{
    struct rng rng;
    rng_init(&rng, 7);
    (void)setenv("VENTURI_CLOCK", "monotonic", 1);
    clock_ns = FAKE_S * (int64_t)SECOND_NS;
    is_fake = true;
    venturi_stage lap = venturi_stage_named("lap"), inside = venturi_stage_named("span"),
                  over = venturi_stage_named("over a step");
    for (int i = 0; i < RECORDS; i++) {
        if (i % (RECORDS / STEPS) == RECORDS / STEPS / 2)
            record_one(over, over, any_step(&rng));
        else
            record_one(lap, inside, 0);
    }
    _exit(0);
}

/* From its first reading of the clock to its last one, in which a page may have been opened. */
static void check_duration(const struct trace *trace, const struct span *span)
{
    uint64_t duration_ns = span->end_ns - span->start_ns;
    assert_true(span->start_ns <= span->end_ns);
    if (strcmp(trace->stages[span->stage], "span") == 0)
        assert_int_equal(duration_ns, TICK_NS);
    if (strcmp(trace->stages[span->stage], "lap") == 0)
        assert_in_range(duration_ns, 1, 20 * TICK_NS);
}

static void test_a_clock_that_steps(void **state)
{
    assert_int_equal(fixture_record(*state, record_steps), 0);
    const struct trace *trace = fixture_read(*state);
    for (size_t i = 0; i < trace->span_count; i++)
        check_duration(trace, &trace->spans[i]);
    assert_int_equal(trace->rejected, 0);
    assert_int_equal(trace->span_count + trace->losses.clock, 2 * RECORDS);
    assert_int_equal(losses_sum(&trace->losses), trace->losses.clock);
    assert_in_range(trace->losses.clock, STEPS / 4, 2 * RECORDS - 1000);
}

static int64_t *before_ns; /* the clock before the first span, and before the first lap of another thread */

static void *record_first_lap(void *unused)
{
    venturi_stage stage = venturi_stage_named("lap");
    before_ns[1] = clock_ns;
    venturi_lap(stage);
    venturi_lap_end();
    return unused;
}

static void record_firsts(void)
{
    pthread_t thread;
    (void)setenv("VENTURI_CLOCK", "monotonic", 1);
    clock_ns = FAKE_S * (int64_t)SECOND_NS;
    is_fake = true;
    venturi_stage stage = venturi_stage_named("span");
    before_ns[0] = clock_ns;
    venturi_span span = venturi_begin(stage, 0);
    venturi_end(&span, 0, 0);
    if (pthread_create(&thread, NULL, record_first_lap, NULL) || pthread_join(thread, NULL))
        _exit(1);
    _exit(0);
}

/* The time in which the stream is made belongs to nobody's begin or end. */
static void test_the_first_of_a_stream_is_not_shifted(void **state)
{
    before_ns = shared_new(2 * sizeof *before_ns);
    assert_int_equal(fixture_record(*state, record_firsts), 0);
    const struct trace *trace = fixture_read(*state);
    assert_int_equal(trace->span_count, 2);
    assert_int_equal(trace->spans[0].start_ns, before_ns[0] + TICK_NS);
    assert_int_equal(trace->spans[0].end_ns, before_ns[0] + 2 * TICK_NS);
    assert_int_equal(trace->spans[1].start_ns, before_ns[1] + TICK_NS);
    assert_int_equal(munmap(before_ns, 2 * sizeof *before_ns), 0);
}

static struct writer *writers;

static void record_some(void)
{
    struct pen pen;
    pen_name(&pen, writers, 0);
    pen_begin(&pen);
    for (int i = 0; i < RECORDS; i++)
        pen_write(&pen);
}

static void check_all_there(struct fixture *fixture)
{
    struct found found;
    writers_find(&found, writers, fixture);
    writers_check(&found, writers);
    assert_int_equal(found.numbers[0], writers[0].acknowledged);
    assert_int_equal(losses_sum(&found.losses), 0);
}

#if defined(__x86_64__)
static void test_a_preempted_pair_is_read_again(void **state)
{
    (void)state;
    venturi_clock_choose();
    if (!venturi_clock_is_tsc)
        skip();
    for (unsigned slow = 1; slow <= 2; slow++) {
        slow_readings = slow;
        struct venturi_moment moment = venturi_moment();
        assert_int_equal(slow_readings, 0);
        assert_true(moment.ns > slow_ns);
    }
    slow_readings = MANY_READINGS; /* it gives up, with one of them */
    struct venturi_moment moment = venturi_moment();
    assert_int_equal(MANY_READINGS - slow_readings, 4);
    assert_true(moment.ns > 0 && moment.ns <= slow_ns);
    slow_readings = 0;
}

static void record_sparsely(void)
{
    venturi_stage stage = venturi_stage_named("work");
    if (!venturi_clock_is_tsc)
        _exit(77);
    for (int i = 0; i < SPARSE_SPANS; i++) {
        venturi_span span = venturi_begin(stage, 0);
        wait_ticks(SPARSE_TICKS);
        venturi_end(&span, 0, 0);
    }
    _exit(0); /* without the last pair, as when killed */
}

/* The pairs reach over half of the time even of a trace of two milliseconds. */
static void check_early_pairs(struct fixture *fixture)
{
    static _Alignas(64) char block[TRACE_BLOCK_BYTES];
    AUTO(pages_close) struct pages pages = {.stage_count = 0};
    struct diag diag = {0};
    struct page_cursor cursor;
    struct page_span span;
    struct page_head head;
    arena_init(&fixture->arena, 64 * 1024 * 1024);
    fixture_pass(pages_open(&pages, fixture->folder, &fixture->arena, &diag), &diag);
    assert_int_equal(pages.stream_count, 1);
    fixture_pass(pages_read(block, &pages, &pages.streams[0], 1, TRACE_BLOCK_PAGES, &diag), &diag);
    memcpy(&head, block, sizeof head);
    page_cursor_begin(&cursor, block, 1);
    while (page_cursor_next(&span, &cursor))
        ;
    assert_true(cursor.clock.ns > head.ns);
    assert_true(cursor.clock.ticks - head.ticks >= (cursor.ticks - head.ticks) / 4);
}

static void test_pairs_come_early(void **state)
{
    int status = fixture_record(*state, record_sparsely);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    check_early_pairs(*state);
}

/* The counter is a SIGSEGV then, in the vDSO too. */
static void record_without_counter(void)
{
    if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
        _exit(77);
    record_some();
    _exit(0);
}

static void test_a_counter_that_may_not_be_read(void **state)
{
    writers = writers_new();
    int status = fixture_record(*state, record_without_counter);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    check_all_there(*state);
    writers_free(writers);
}
#endif

/* A process whose CLOCK_MONOTONIC is `offset` ahead of ours. */
static void record_in_namespace(void)
{
    static const char offset[] = "monotonic 1000000 5\n";
    record_some();
    if (unshare(CLONE_NEWTIME))
        _exit(77);
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, offset, sizeof offset - 1) != (ssize_t)sizeof offset - 1)
        _exit(77);
    pid_t child = fork();
    if (child == 0) {
        record_some();
        _exit(0);
    }
    int status;
    _exit(child < 0 || waitpid(child, &status, 0) != child || status != 0);
}

static void test_time_namespaces(void **state)
{
    writers = writers_new();
    writers[0].form = FORM_SPANS_FULL;
    int status = fixture_record(*state, record_in_namespace);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    check_all_there(*state);
    const struct trace *trace = fixture_read(*state);
    for (size_t i = 0; i < trace->span_count; i++)
        assert_true(trace->spans[i].end_ns - trace->spans[i].start_ns < 10ull * SECOND_NS);
    assert_int_equal(trace->rejected, 0);
    writers_free(writers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_clock_that_steps),
        FIXTURE_TEST(test_the_first_of_a_stream_is_not_shifted),
#if defined(__x86_64__)
        FIXTURE_TEST(test_a_preempted_pair_is_read_again),
        FIXTURE_TEST(test_pairs_come_early),
        FIXTURE_TEST(test_a_counter_that_may_not_be_read),
#endif
        FIXTURE_TEST(test_time_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
