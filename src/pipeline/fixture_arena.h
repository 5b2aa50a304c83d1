/* SPDX-License-Identifier: Apache-2.0
 *
 * One arena a test, for tests that need nothing else of a set-up.
 */
#pragma once

#include "pipeline/fixture.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}
