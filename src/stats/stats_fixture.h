/* SPDX-License-Identifier: Apache-2.0
 *
 * What the unit tests of this room share: an arena a test, and a loop that lets the N-th allocation fail, for every N.
 */
#pragma once

#include "base/arena.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ARENA_LIMIT_BYTES = 1 << 26 };

static inline int arena_setup(void **state)
{
    static struct arena arena;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    *state = &arena;
    return 0;
}

static inline int arena_teardown(void **state)
{
    arena_fini(*state);
    return 0;
}

/* cmocka's own compares floats. */
#define assert_near(actual, expected, tolerance)                                                                       \
    do {                                                                                                               \
        if (!(fabs((actual) - (expected)) <= (tolerance)))                                                             \
            fail_msg("%s is %.17g, not %.17g", #actual, (double)(actual), (double)(expected));                         \
    } while (0)

/** Runs with an arena of `limit_bytes`; returns what it handed out before it was done or exhausted. */
static inline size_t run_within(enum err (*run)(struct arena *arena, struct diag *diag), size_t limit_bytes,
                                enum err expected)
{
    struct arena arena;
    struct diag diag = {0};
    arena_init(&arena, limit_bytes);
    assert_int_equal(run(&arena, &diag), expected);
    assert_true(expected == ERR_OK || diag.what[0] != '\0');
    size_t used_bytes = arena.used_bytes;
    arena_fini(&arena);
    return used_bytes;
}

/** Lets each allocation of `run` fail once, from the last to the first: one byte less than it got as far as needs. */
static inline void assert_survives_every_failed_allocation(enum err (*run)(struct arena *arena, struct diag *diag))
{
    size_t used_bytes = run_within(run, ARENA_LIMIT_BYTES, ERR_OK);
    assert_true(used_bytes > 0);
    while (used_bytes > 0)
        used_bytes = run_within(run, used_bytes - 1, ERR_MEMORY);
}
