/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks that misbehave: CLOCK_MONOTONIC that steps (clock_gettime is wrapped by the linker), a time stamp counter that
 * may not be read, processes in other time namespaces. No duration is negative or made up; what cannot be timed is
 * counted as lost.
 */
#include "base/random.h"
#include "writer.h"

#include <fcntl.h>
#include <sched.h>
#include <time.h>

enum { RECORDS = 20000, STEPS = 50, TICK_NS = 100, SECOND_NS = 1000000000, FAKE_S = 5000 };

static bool is_fake;
static int64_t clock_ns; /* goes on by TICK_NS with each reading */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!is_fake)
        return __real_clock_gettime(clock, now);
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
#if defined(__x86_64__)
        FIXTURE_TEST(test_a_counter_that_may_not_be_read),
#endif
        FIXTURE_TEST(test_time_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
