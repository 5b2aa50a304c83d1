/* SPDX-License-Identifier: Apache-2.0
 *
 * What the unit tests of this room share: an arena a test, and a loop that lets the N-th allocation fail.
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

/** Calls `run` with ever larger arenas: each too small one must end in ERR_MEMORY, and one must be enough. */
static inline void assert_survives_every_limit(enum err (*run)(struct arena *arena, struct diag *diag))
{
    enum err error = ERR_MEMORY;
    for (size_t limit_bytes = 0; error != ERR_OK; limit_bytes += 1 + limit_bytes / 128) {
        struct arena arena;
        struct diag diag = {0};
        assert_true(limit_bytes < ARENA_LIMIT_BYTES);
        arena_init(&arena, limit_bytes);
        error = run(&arena, &diag);
        if (error != ERR_OK) {
            assert_int_equal(error, ERR_MEMORY);
            assert_true(diag.what[0] != '\0');
        }
        arena_fini(&arena);
    }
}
