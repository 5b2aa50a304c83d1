/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace is read while it is recorded: what is there is whole, nothing is missing in between, nothing is rejected.
 */
#include "fixture.h"

#include "venturi.h"

#include <pthread.h>

enum { ROUNDS = 12, THREADS = 2, LAPS = 40000 };

static int began[2];
static venturi_stage stage;
static pthread_barrier_t end;

/* Laps of all lengths of record, counted by their rows; every seventh is followed by a span in the next. */
static void *record_laps(void *unused)
{
    for (uint64_t i = 1; i <= LAPS; i++) {
        venturi_lap_item(i / 10);
        venturi_lap(stage);
        venturi_lap_count(i, i % 3 ? 0 : UINT64_MAX >> i % 64);
        venturi_lap_end();
        if (i % 7 == 0) {
            venturi_span span = venturi_begin(stage, i);
            venturi_end(&span, 0, 0);
        }
    }
    (void)pthread_barrier_wait(&end); /* a thread that has ended leaves its stream to the next */
    return unused;
}

static void record(void)
{
    pthread_t threads[THREADS];
    stage = venturi_stage_named("work");
    (void)close(began[1]);
    (void)pthread_barrier_init(&end, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, record_laps, NULL) != 0)
            _exit(1);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

struct progress {
    uint64_t laps, spans, end_ns;
};

static void check_next(struct progress *progress, const struct span *span)
{
    if (span->rows == 0) {
        assert_int_equal(span->item, 7 * ++progress->spans);
        return;
    }
    assert_int_equal(span->rows, ++progress->laps);
    assert_int_equal(span->item, span->rows / 10);
    assert_true(span->bytes == (span->rows % 3 ? 0 : UINT64_MAX >> span->rows % 64));
    assert_true(span->start_ns >= progress->end_ns);
    progress->end_ns = span->end_ns;
}

static void check(const struct trace *trace)
{
    struct progress progress[THREADS] = {{0}};
    assert_int_equal(trace->rejected, 0);
    assert_in_range(trace->worker_count, 0, THREADS);
    for (size_t i = 0; i < trace->span_count; i++)
        check_next(&progress[trace->spans[i].worker], &trace->spans[i]);
    for (size_t i = 0; i < trace->worker_count; i++) {
        uint64_t between = progress[i].laps / 7 - progress[i].spans; /* the span comes after its lap */
        assert_in_range(between, 0, 1);
    }
}

static size_t read_while_recording(struct fixture *fixture, pid_t child)
{
    size_t readings = 0, spans = 0;
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        const struct trace *trace = fixture_read(fixture);
        check(trace);
        assert_true(trace->span_count >= spans);
        spans = trace->span_count;
        readings++;
    }
    assert_int_equal(status, 0);
    check(fixture_read(fixture));
    assert_int_equal(fixture->trace->span_count, THREADS * (LAPS + LAPS / 7));
    return readings;
}

static void test_read_while_it_is_recorded(void **unused)
{
    size_t readings = 0;
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        void *state;
        char none;
        assert_int_equal(fixture_setup(&state), 0);
        struct fixture *fixture = state;
        assert_int_equal(pipe(began), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)setenv("VENTURI_TRACE", fixture->folder, 1);
            record();
            _exit(0);
        }
        (void)close(began[1]);
        (void)!read(began[0], &none, 1); /* its stage is named: its slot stands */
        (void)close(began[0]);
        readings += read_while_recording(fixture, child);
        assert_int_equal(fixture_teardown(&state), 0);
    }
    print_message("%zu readings\n", readings);
    assert_true(readings >= ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_while_it_is_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
