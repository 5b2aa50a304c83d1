/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces made by hand for the tests of this room: times in seconds, stages by letter.
 */
#pragma once

#include "base/clock.h"
#include "profile/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FIXTURE_SPANS = 512, FIXTURE_STAGES = 4 };

struct fixture {
    struct arena arena;
    struct trace trace;
    struct span spans[FIXTURE_SPANS];
    const char *stages[FIXTURE_STAGES];
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    arena_init(&fixture->arena, 64 * 1024 * 1024);
    fixture->trace = (struct trace){.stages = fixture->stages, .spans = fixture->spans, .stage_count = FIXTURE_STAGES};
    for (size_t i = 0; i < FIXTURE_STAGES; i++)
        fixture->stages[i] = (const char *const[]){"a", "b", "c", "d"}[i];
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    free(fixture);
    return 0;
}

/** Adds a span; the caller adds them in the order of their starts. */
static inline struct span *add(struct fixture *fixture, char stage, uint32_t worker, uint64_t item, double start_s,
                               double end_s)
{
    struct span *span = &fixture->spans[fixture->trace.span_count++];
    *span = (struct span){.start_ns = (uint64_t)llround(start_s * (double)NS_PER_S),
                          .end_ns = (uint64_t)llround(end_s * (double)NS_PER_S),
                          .cpu_ns = TRACE_CPU_UNKNOWN,
                          .stage = (uint32_t)(stage - 'a'),
                          .worker = worker,
                          .item = item};
    if (worker >= fixture->trace.worker_count)
        fixture->trace.worker_count = worker + 1;
    return span;
}

static inline struct run_profile *profiled(struct fixture *fixture)
{
    struct run_profile *run;
    assert_int_equal(profile_run(&run, &fixture->trace, &fixture->arena, NULL), ERR_OK);
    return run;
}

/* cmocka's own compares floats. */
#define assert_near(actual, expected)                                                                                  \
    do {                                                                                                               \
        if (!(fabs((actual) - (expected)) <= 1e-9))                                                                    \
            fail_msg("%s is %.17g, not %.17g", #actual, (double)(actual), (double)(expected));                         \
    } while (0)

/* `actual` is off by at most `part` of `expected`. */
#define assert_within(actual, expected, part)                                                                          \
    do {                                                                                                               \
        if (!(fabs((actual) - (expected)) <= (part) * (expected)))                                                     \
            fail_msg("%s is %.17g, not about %.17g", #actual, (double)(actual), (double)(expected));                   \
    } while (0)

#define FIXTURE_TEST(body) cmocka_unit_test_setup_teardown(body, fixture_setup, fixture_teardown)
